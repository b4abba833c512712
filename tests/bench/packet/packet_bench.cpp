// SPDX-License-Identifier: Apache-2.0
// What a packet costs: nanoseconds net of the driver, beside floors measured in the same rounds.
//
// A round measures every target with every kind of traffic once; many short rounds, so that a disturbance falls on all
// alike. A figure is the median (and the lower quartile) of the rounds' differences to the stub of the same round.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/address.hpp"
#include "model/cycle.hpp"
#include "support/program.hpp"
#include "xdirector/address_filter.h"

#include "bench.h"

#include "floors.skel.h"  // names the types of bench.h

namespace {

constexpr uint8_t kTcp = 6, kUdp = 17, kSyn = 0x02, kAck = 0x10;
constexpr uint32_t kBuckets = BENCH_LINES;      // 32 MiB of IPv4: 1 M connections are half load
constexpr uint32_t kTemplateBuckets = 1 << 18;  // as large
constexpr uint32_t kMillion = 1 << 20, kWays = kBuckets * XD_WAYS;
constexpr uint32_t kReals = 4, kLoopback = 1;
constexpr uint32_t kMark = 300;

struct Options {
  int rounds = 40;
  uint32_t repeat = 50000;  // packets of one measurement
  int cpu = 0;
  std::string only;  // cases whose name contains this
  bool json = false;
  bool quick = false;
};

const base::Ipv4 kVip = *base::Ipv4::parse("10.200.1.1");
const base::Ip kVip6 = *base::Ip::parse("fd00:200::1");
const base::Ipv4 kForeign = *base::Ipv4::parse("10.200.1.2");
const base::Mac kDirector = *base::Mac::parse("02:00:00:00:02:44");
constexpr uint16_t kPlain = 80, kPersistent = 81, kMarked = 8080, kNoService = 22;

// What is sent, and to whom.
struct Traffic {
  uint16_t port = kPlain;
  uint8_t protocol = kTcp;
  bool ipv6 = false;
  uint8_t flags = kAck;
  uint16_t fragment = 0;
  base::Ipv4 destination = kVip;
};

const Traffic kTcp4, kSyn4{.flags = kSyn}, kUdp4{.protocol = kUdp}, kTcp6{.ipv6 = true},
    kSyn6{.ipv6 = true, .flags = kSyn}, kMarked4{.port = kMarked}, kMarkedSyn4{.port = kMarked, .flags = kSyn},
    kPersistentSyn4{.port = kPersistent, .flags = kSyn},
    kPersistentSyn6{.port = kPersistent, .ipv6 = true, .flags = kSyn}, kNoService4{.port = kNoService},
    kForeign4{.destination = kForeign}, kFirstFragment{.protocol = kUdp, .fragment = 0x2000},
    kLaterFragment{.protocol = kUdp, .fragment = 185};

// One row of the table.
struct Case {
  std::string name;
  uint32_t order;
  uint32_t flows;
  Traffic traffic;
  xd_verdict expected;
  enum { Steady, LaterTick, New } kind = Steady;
  int cpus = 1;  // at once
};

// Connections that are there beforehand: so many flows, each with these packets.
struct Established {
  uint32_t flows;
  std::vector<Traffic> packets;
};

// What is measured together, on tables of the same content.
struct Phase {
  std::vector<Established> established;
  std::vector<Case> cases;
};

const std::vector<Phase> kPhases = {
    {{{kMillion, {kSyn4, kTcp4}}},
     {{"hit, 1 flow", ORDER_FIXED, 1, kTcp4, verdict_forwarded},
      {"hit, 1 k flows", ORDER_RANDOM, 1 << 10, kTcp4, verdict_forwarded},
      {"hit, 64 k flows", ORDER_RANDOM, 1 << 16, kTcp4, verdict_forwarded},
      {"hit, 1 M flows (table 50 % full)", ORDER_RANDOM, kMillion, kTcp4, verdict_forwarded},
      {"hit, 1 flow, both CPUs", ORDER_FIXED, 1, kTcp4, verdict_forwarded, Case::Steady, 2},
      {"hit, 64 k flows, both CPUs", ORDER_RANDOM, 1 << 16, kTcp4, verdict_forwarded, Case::Steady, 2},
      {"hit, first of its tick, 1 M flows", ORDER_SEQUENCE, kMillion, kTcp4, verdict_forwarded, Case::LaterTick},
      {"not a virtual address", ORDER_RANDOM, 1 << 16, kForeign4, verdict_passed_no_service},
      {"not a virtual server", ORDER_RANDOM, 1 << 16, kNoService4, verdict_passed_no_service}}},
    {{{kMillion, {kSyn6, kTcp6}}},
     {{"IPv6 hit, 1 flow", ORDER_FIXED, 1, kTcp6, verdict_forwarded},
      {"IPv6 hit, 64 k flows", ORDER_RANDOM, 1 << 16, kTcp6, verdict_forwarded},
      {"IPv6 hit, 1 M flows", ORDER_RANDOM, kMillion, kTcp6, verdict_forwarded}}},
    {{{1 << 16, {kUdp4, kUdp4}}, {1 << 16, {kMarkedSyn4, kMarked4}}, {1 << 10, {kFirstFragment}}},
     {{"hit UDP, 64 k flows", ORDER_RANDOM, 1 << 16, kUdp4, verdict_forwarded},
      {"hit by mark, 64 k flows", ORDER_RANDOM, 1 << 16, kMarked4, verdict_forwarded},
      {"later fragment, 1 k datagrams", ORDER_RANDOM, 1 << 10, kLaterFragment, verdict_followed}}},
    {{{kWays / 4, {kSyn4, kTcp4}}}, {{"hit, table 25 % full", ORDER_RANDOM, kWays / 4, kTcp4, verdict_forwarded}}},
    {{{kWays / 4 * 3, {kSyn4, kTcp4}}}, {{"hit, table 75 % full", ORDER_RANDOM, kMillion, kTcp4, verdict_forwarded}}},
    {{{kWays / 10 * 9, {kSyn4, kTcp4}}}, {{"hit, table 90 % full", ORDER_RANDOM, kMillion, kTcp4, verdict_forwarded}}},
    {{},
     {{"new flow", ORDER_SEQUENCE, 1U << 31, kSyn4, verdict_scheduled, Case::New},
      {"new flow by mark", ORDER_SEQUENCE, 1U << 31, kMarkedSyn4, verdict_scheduled, Case::New},
      {"new flow, known client", ORDER_SEQUENCE, 1U << 31, kPersistentSyn4, verdict_persisted, Case::New},
      {"new flow, new client", ORDER_SEQUENCE, 1U << 31, kPersistentSyn4, verdict_scheduled, Case::New},
      {"IPv6 new flow", ORDER_SEQUENCE, 1U << 31, kSyn6, verdict_scheduled, Case::New},
      {"IPv6 new flow, new client", ORDER_SEQUENCE, 1U << 31, kPersistentSyn6, verdict_scheduled, Case::New}}}};

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "packet_bench: %s\n", message.c_str());
  std::exit(1);
}

uint16_t network(uint16_t port) {
  return __builtin_bswap16(port);
}

base::Mac real_mac(uint32_t number) {
  return base::Mac({2, 0, 0, 0, 1, static_cast<uint8_t>(number)});
}

uint64_t word(const base::Mac& mac) {
  uint64_t value = 0;
  std::copy(mac.bytes().begin(), mac.bytes().end(), reinterpret_cast<uint8_t*>(&value));
  return value;
}

xd_address encoded(const base::Ip& address) {
  xd_address value{};
  std::copy(address.bytes().begin(), address.bytes().end(), reinterpret_cast<uint8_t*>(&value));
  return value;
}

// The director under test: virtual servers of four real servers each, in both families.
class Director {
 public:
  Director() : program_({kBuckets, 64, 8, 16, kTemplateBuckets}) {
    if (!program_.error().empty()) die(program_.error());
    program_.settings().hash_seed = 0x9d5c0fe1b2a37641;
    program_.settings().tick_shift = 63;  // it is tick 0 for ever
    xd_interface& lo = program_.interfaces[kLoopback];
    lo.mac_word = word(kDirector);
    lo.ifindex = kLoopback;
    const xd_address vip = encoded(kVip), vip6 = encoded(kVip6);
    program_.address_filter[0].has[xd_filter_index(vip.word[3])] = 1;
    program_.address_filter[0].has[xd_filter_index6(&vip6)] = 1;
    add_exact(0, kPlain, kTcp, 0);
    add_exact(1, kPersistent, kTcp, 900);
    add_exact(2, kPlain, kUdp, 0);
    add_exact6(3, kPlain, 0);
    add_exact6(4, kPersistent, 900);
    add_marked(5);
  }

  test::Program& program() { return program_; }

 private:
  void add_exact(uint32_t index, uint16_t port, uint8_t protocol, uint32_t persistence_ticks) {
    const xd_service_key key{.address = kVip.network(), .port = network(port), .protocol = protocol, .kind = XD_EXACT};
    bpf_map_update_elem(program_.services(), &key, &index, BPF_ANY);
    add_virtual_server(index, encoded(kVip), key.port, protocol, persistence_ticks);
  }

  void add_exact6(uint32_t index, uint16_t port, uint32_t persistence_ticks) {
    xd_service_key6 key{};
    key.address = encoded(kVip6);
    key.port = network(port);
    key.protocol = kTcp;
    bpf_map_update_elem(program_.services6(), &key, &index, BPF_ANY);
    add_virtual_server(index, key.address, key.port, kTcp | XD_IPV6, persistence_ticks);
  }

  void add_marked(uint32_t index) {
    const xd_marked_address address{.address = kVip.network(), .protocol = kTcp, .reserved = {}};
    const auto ranges = std::make_unique<xd_port_ranges>();
    ranges->range[ranges->count++] = {kMarked, kMarked + 1000, kMark};
    bpf_map_update_elem(program_.port_marks(), &address, ranges.get(), BPF_ANY);
    const xd_service_key key{.mark = kMark, .port = 0, .protocol = kTcp, .kind = XD_MARK};
    bpf_map_update_elem(program_.services(), &key, &index, BPF_ANY);
    add_virtual_server(index, {}, 0, kTcp, 0);
  }

  void add_virtual_server(uint32_t index, const xd_address& address, uint16_t port, uint8_t transport,
                          uint32_t persistence_ticks) {
    std::vector<model::WeightedSlot> weights;
    for (uint32_t i = 0; i < kReals; i++) {
      const auto slot = static_cast<uint16_t>(1 + index * kReals + i);
      xd_real_server& real = program_.real_servers[slot];
      real.target = word(real_mac(slot));
      real.state = XD_ACTIVE;
      real.delivery = XD_BY_MAC;
      real.source = word(kDirector);
      real.ifindex = kLoopback;
      real.virtual_server = index;
      real.virtual_address = address;
      real.virtual_port = port;
      real.transport = transport;
      real.persistent = persistence_ticks != 0;
      std::fill_n(real.timeout_ticks, 4, uint16_t{900});
      weights.push_back({slot, 1});
    }
    const auto cycle = model::make_cycle(weights);
    std::copy(cycle.begin(), cycle.end(), program_.schedules[index].slot);
    xd_virtual_server& server = program_.virtual_servers[index];
    server.cycle = {{{.offset = index * XD_SCHEDULE_BLOCK, .length = static_cast<uint32_t>(cycle.size())}}};
    server.maglev = server.cycle;
    server.hash_seed = 7 + index;
    server.transport = transport;
    server.persistence_ticks = persistence_ticks;
    server.persistence_prefix = (transport & XD_IPV6) != 0 ? 128 : 32;
    server.flags = XD_USED;
  }

  test::Program program_;
};

// A frame to be filled in by the driver.
std::vector<uint8_t> blank_frame(const Traffic& traffic) {
  std::vector<uint8_t> frame(traffic.ipv6 ? 80 : 64);
  if (!traffic.ipv6) {
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[17] = 50;  // length
    frame[20] = static_cast<uint8_t>(traffic.fragment >> 8);
    frame[21] = static_cast<uint8_t>(traffic.fragment);
    frame[22] = 64;  // ttl
    frame[23] = traffic.protocol;
    frame[46] = 0x50;
    return frame;
  }
  frame[12] = 0x86;
  frame[13] = 0xdd;
  frame[14] = 0x60;
  frame[19] = 26;  // payload
  frame[20] = traffic.protocol;
  frame[21] = 64;    // hop limit
  frame[22] = 0xfd;  // the client's address
  std::copy(kVip6.bytes().begin(), kVip6.bytes().end(), frame.begin() + 38);
  frame[66] = 0x50;
  return frame;
}

// The driver and the floors, with tables of the same content.
class Floors {
 public:
  Floors() : skeleton_(floors::open()) {
    if (floors::load(skeleton_)) die("the kernel refused the driver");
    for (const uint16_t port : {kPlain, kPersistent}) {
      const struct {
        uint32_t address;
        uint16_t port, protocol;
      } key{kVip.network(), network(port), kTcp};
      const uint32_t service = port == kPersistent;
      put(skeleton_->maps.floor_services, &key, &service);
    }
    for (uint32_t i = 0; i < kReals; i++) {
      const bench_real_server real{word(real_mac(i)), word(kDirector)};
      put(skeleton_->maps.floor_real_servers, &i, &real);
    }
    for (uint32_t i = 0; i < BENCH_RING; i++) {
      const uint32_t slot = i % kReals;
      put(skeleton_->maps.floor_ring, &i, &slot);
    }
  }
  Floors(const Floors&) = delete;
  Floors& operator=(const Floors&) = delete;
  ~Floors() { floors::destroy(skeleton_); }

  int stub() const { return bpf_program__fd(skeleton_->progs.stub); }
  int swap() const { return bpf_program__fd(skeleton_->progs.swap); }
  int stateless() const { return bpf_program__fd(skeleton_->progs.stateless); }
  int one_line() const { return bpf_program__fd(skeleton_->progs.one_line); }
  // Of this CPU, or of the other.
  volatile bench_plan& plan(bool other = false) { return skeleton_->data_plan->plans[other ? 1 : 0]; }

  void aim(int target) {
    const uint32_t zero = 0;
    put(skeleton_->maps.target, &zero, &target);
  }

  // Sends `repeat` packets of the plan to the target; nanoseconds per packet.
  double drive(const Traffic& traffic, uint32_t repeat, bool other = false) {
    const std::vector<uint8_t> frame = blank_frame(traffic);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()), .repeat = static_cast<int>(repeat));
    const auto& drivers = skeleton_->progs;
    const bpf_program* driver = other ? drivers.drive_other : traffic.ipv6 ? drivers.drive6 : drivers.drive;
    if (bpf_prog_test_run_opts(bpf_program__fd(driver), &options)) die("BPF_PROG_TEST_RUN failed");
    return options.duration;
  }

 private:
  static void put(const bpf_map* map, const void* key, const void* value) {
    if (bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY)) die("cannot fill the floors' tables");
  }

  floors* skeleton_;
};

struct Figures {
  double median, quartile;
};

Figures figures(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values[values.size() / 4]};
}

struct Row {
  std::string name;
  Figures stub, swap, stateless, one_line, director;
};

void stay_on(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus)) die("cannot stay on CPU " + std::to_string(cpu));
}

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {}

  std::vector<Row> run() {
    std::vector<Row> rows;
    for (const Phase& phase : kPhases) {
      if (std::ranges::none_of(phase.cases, [&](const Case& what) { return wanted(what); })) continue;
      make_room();
      for (const Established& some : phase.established) establish(some);
      std::vector<Samples> samples(phase.cases.size());
      for (int round = 0; round < options_.rounds; round++) {
        for (size_t i = 0; i < phase.cases.size(); i++) {
          if (wanted(phase.cases[i])) measure(phase.cases[i], samples[i]);
        }
      }
      for (size_t i = 0; i < phase.cases.size(); i++) {
        if (!wanted(phase.cases[i])) continue;
        rows.push_back({phase.cases[i].name, figures(samples[i].stub), figures(samples[i].swap),
                        figures(samples[i].stateless), figures(samples[i].one_line), figures(samples[i].director)});
      }
    }
    return rows;
  }

 private:
  struct Samples {
    std::vector<double> stub, swap, stateless, one_line, director;
  };

  bool wanted(const Case& what) const { return what.name.find(options_.only) != std::string::npos; }
  int director() { return director_.program().fd(); }
  uint32_t flows(uint32_t all) const { return options_.quick ? std::min(all, 1U << 12) : all; }
  uint32_t flows(const Case& what) const { return what.kind == Case::New ? what.flows : flows(what.flows); }

  void establish(const Established& some) {
    for (const Traffic& packet : some.packets)
      drive(director(), packet, ORDER_SEQUENCE, 1U << 31, 0, flows(some.flows));
  }

  void plan(const Traffic& traffic, uint32_t order, uint32_t flows, uint64_t state, bool other = false) {
    volatile bench_plan& plan = floors_.plan(other);
    plan.order = order;
    plan.mask = flows - 1;
    plan.state = state;
    plan.destination = traffic.destination.network();
    plan.port = network(traffic.port);
    plan.tcp_flags = traffic.flags;
    plan.frame_head = word(kDirector) | uint64_t{0x0002} << 48;
  }

  double drive(int target, const Traffic& traffic, uint32_t order, uint32_t flows, uint64_t state, uint32_t repeat) {
    floors_.aim(target);
    plan(traffic, order, flows, state);
    return floors_.drive(traffic, repeat);
  }

  // The same on both CPUs at once: their mean.
  double drive_both(const Case& what, uint64_t state) {
    double other = 0;
    floors_.aim(director());
    plan(what.traffic, what.order, flows(what), state);
    plan(what.traffic, what.order, flows(what), state + 1, true);
    std::thread thread([&] {
      stay_on(options_.cpu == 0 ? 1 : 0);
      other = floors_.drive(what.traffic, options_.repeat, true);
    });
    const double one = floors_.drive(what.traffic, options_.repeat);
    thread.join();
    return (one + other) / 2;
  }

  // Each target gets the same flows; the floors, which know nothing else, as TCP over IPv4.
  void measure(const Case& what, Samples& samples) {
    const uint64_t start = what.kind == Case::New ? new_flows(what) : next_state_;
    const auto floor = [&](int target) {
      return drive(target, kTcp4, what.order, flows(what), start, options_.repeat);
    };
    const auto with = [&](int target) {
      return drive(target, what.traffic, what.order, flows(what), start, options_.repeat);
    };
    const double stub = floor(floors_.stub());
    const double swap = floor(floors_.swap());
    const double stateless = floor(floors_.stateless());
    const double one_line = floor(floors_.one_line());
    const double own_stub = with(floors_.stub());
    if (what.kind == Case::LaterTick) set_ticks(XD_TICKS - 1);
    const auto before = director_.program().counters();
    const double director_ns = what.cpus == 2 ? drive_both(what, start) : with(director());
    const auto after = director_.program().counters();
    if (what.kind == Case::LaterTick) set_ticks(0);
    next_state_ = floors_.plan().state;
    check(what, after[what.expected] - before[what.expected]);
    samples.stub.push_back(own_stub);
    samples.swap.push_back(swap - stub);
    samples.stateless.push_back(stateless - stub);
    samples.one_line.push_back(one_line - stub);
    samples.director.push_back(director_ns - own_stub);
  }

  // When every connection was last seen. It is tick 0 now.
  void set_ticks(uint32_t tick) {
    for (uint32_t bucket = 0; bucket < kBuckets; bucket++) {
      for (xd_way& way : director_.program().connections[bucket].way) way.tick = tick;
    }
  }

  // Numbers that no flow has had, and room for them: never more than a quarter of the ways of any table.
  uint64_t new_flows(const Case& what) {
    room_ -= options_.repeat;
    if (room_ < 0) make_room();
    if (what.expected == verdict_persisted) know_clients(next_flow_);
    const uint64_t first = next_flow_;
    next_flow_ += options_.repeat;
    return first;
  }

  // Templates for the clients to come, by connections of theirs that are then forgotten.
  void know_clients(uint64_t first) {
    drive(director(), kPersistentSyn4, ORDER_SEQUENCE, 1U << 31, first, options_.repeat);
    director_.program().connections.clear();
  }

  void make_room() {
    director_.program().connections.clear();
    director_.program().connections6.clear();
    director_.program().persistence.clear();
    room_ = int64_t{kTemplateBuckets} - options_.repeat;
  }

  // In a table that is nearly full some flows have found no place.
  void check(const Case& what, uint64_t as_expected) const {
    const uint64_t all = uint64_t{options_.repeat} * static_cast<uint64_t>(what.cpus);
    const bool crowded = what.name.find("90 %") != std::string::npos;
    if (static_cast<double>(as_expected) >= static_cast<double>(all) * (crowded ? 0.8 : 0.97)) return;
    die("\"" + what.name + "\" measured something else: of " + std::to_string(all) + " packets only " +
        std::to_string(as_expected) + " had the expected verdict");
  }

  Options options_;
  Director director_;
  Floors floors_;
  uint64_t next_state_ = 1;
  uint64_t next_flow_ = 1U << 21;
  int64_t room_ = 0;
};

void print_table(const std::vector<Row>& rows) {
  std::printf("%-34s %6s | %5s %9s %8s | %9s %6s %9s\n", "ns per packet (median)", "driver", "swap", "stateless",
              "one line", "xdirector", "p25", "/stateless");
  for (const Row& row : rows) {
    std::printf("%-34s %6.0f | %5.0f %9.0f %8.0f | %9.0f %6.0f %9.2f\n", row.name.c_str(), row.stub.median,
                row.swap.median, row.stateless.median, row.one_line.median, row.director.median, row.director.quartile,
                row.director.median / row.stateless.median);
  }
}

void print_json(const std::vector<Row>& rows) {
  auto out = nlohmann::json::array();
  for (const Row& row : rows) {
    const auto both = [](const Figures& value) {
      return nlohmann::json{{"median_ns", value.median}, {"p25_ns", value.quartile}};
    };
    out.push_back({{"case", row.name},
                   {"driver", both(row.stub)},
                   {"swap", both(row.swap)},
                   {"stateless", both(row.stateless)},
                   {"one_line", both(row.one_line)},
                   {"xdirector", both(row.director)},
                   {"ratio_to_stateless", row.director.median / row.stateless.median}});
  }
  std::printf("%s\n", out.dump(2).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("What a packet costs in nanoseconds, beside floors. Needs root.");
  app.add_option("--rounds", options.rounds, "how often everything is measured")->capture_default_str();
  app.add_option("--repeat", options.repeat, "packets per measurement")->capture_default_str();
  app.add_option("--cpu", options.cpu, "the CPU to run on")->capture_default_str();
  app.add_option("--only", options.only, "only the cases whose name contains this");
  app.add_flag("--json", options.json, "for machines");
  app.add_flag("--quick", options.quick, "only shows that it runs: the figures mean nothing");
  CLI11_PARSE(app, argc, argv);
  if (options.quick) {
    options.rounds = 2;
    options.repeat = 500;
  }
  stay_on(options.cpu);
  const auto rows = Bench(options).run();
  options.json ? print_json(rows) : print_table(rows);
  return 0;
}
