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
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "model/cycle.hpp"
#include "support/program.hpp"
#include "xdirector/address_filter.h"

#include "bench.h"

#include "floors.skel.h"  // names the types of bench.h

namespace {

constexpr uint8_t kTcp = 6, kSyn = 0x02, kAck = 0x10;
constexpr uint32_t kBuckets = BENCH_LINES;  // 32 MiB: 1 M connections are half load
constexpr uint32_t kTemplateBuckets = 1 << 18;  // as large
constexpr uint32_t kAllFlows = 1 << 20;
constexpr uint32_t kReals = 4, kLoopback = 1;

struct Options {
  int rounds = 40;
  uint32_t repeat = 50000;  // packets of one measurement
  int cpu = 0;
  std::string only;  // cases whose name contains this
  bool json = false;
  bool quick = false;
};

// One row of the table.
struct Case {
  std::string name;
  uint32_t order;
  uint32_t flows;
  uint16_t port;
  uint8_t flags;
  xd_verdict expected;
  enum { Steady, LaterTick, New } kind;
  bool foreign = false;  // to an address that no virtual server has
};

const base::Ipv4 kVip = *base::Ipv4::parse("10.200.1.1");
const base::Ipv4 kForeign = *base::Ipv4::parse("10.200.1.2");
const base::Mac kDirector = *base::Mac::parse("02:00:00:00:02:44");
constexpr uint16_t kPlain = 80, kPersistent = 81, kNoService = 22;

const std::vector<Case> kCases = {
    {"hit, 1 flow", ORDER_FIXED, 1, kPlain, kAck, verdict_forwarded, Case::Steady},
    {"hit, 1 k flows", ORDER_RANDOM, 1 << 10, kPlain, kAck, verdict_forwarded, Case::Steady},
    {"hit, 64 k flows", ORDER_RANDOM, 1 << 16, kPlain, kAck, verdict_forwarded, Case::Steady},
    {"hit, 1 M flows", ORDER_RANDOM, kAllFlows, kPlain, kAck, verdict_forwarded, Case::Steady},
    {"hit, first of its tick", ORDER_SEQUENCE, kAllFlows, kPlain, kAck, verdict_forwarded, Case::LaterTick},
    {"not a virtual address", ORDER_RANDOM, 1 << 16, kNoService, kAck, verdict_passed_no_service, Case::Steady, true},
    {"not a virtual server", ORDER_RANDOM, 1 << 16, kNoService, kAck, verdict_passed_no_service, Case::Steady},
    {"new flow", ORDER_SEQUENCE, 1U << 31, kPlain, kSyn, verdict_scheduled, Case::New},
    {"new flow, known client", ORDER_SEQUENCE, 1U << 31, kPersistent, kSyn, verdict_persisted, Case::New},
    {"new flow, new client", ORDER_SEQUENCE, 1U << 31, kPersistent, kSyn, verdict_scheduled, Case::New},
};

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

// The director under test: two virtual servers of four real servers, one of them persistent.
class Director {
 public:
  Director() : program_({kBuckets, 64, 8, 16, kTemplateBuckets}) {
    if (!program_.error().empty()) die(program_.error());
    program_.settings().hash_seed = 0x9d5c0fe1b2a37641;
    program_.settings().tick_shift = 63;  // it is tick 0 for ever
    xd_interface& lo = program_.interfaces[kLoopback];
    lo.mac_word = word(kDirector);
    lo.ifindex = kLoopback;
    add_virtual_server(0, kPlain, 0);
    add_virtual_server(1, kPersistent, 900);
  }

  test::Program& program() { return program_; }

 private:
  void add_virtual_server(uint32_t index, uint16_t port, uint32_t persistence_ticks) {
    const xd_service_key key{.address = kVip.network(), .port = network(port), .protocol = kTcp, .kind = XD_EXACT};
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
      real.virtual_address.word[3] = key.address;
      real.virtual_port = key.port;
      real.transport = kTcp;
      real.persistent = persistence_ticks != 0;
      std::fill_n(real.timeout_ticks, 4, uint16_t{900});
      weights.push_back({slot, 1});
    }
    const auto cycle = model::make_cycle(weights);
    std::copy(cycle.begin(), cycle.end(), program_.schedules[index].slot);
    xd_virtual_server& server = program_.virtual_servers[index];
    server.key.address.word[3] = key.address;
    server.key.port = key.port;
    server.key.protocol = kTcp;
    server.cycle = {{{.offset = index * XD_SCHEDULE_BLOCK, .length = static_cast<uint32_t>(cycle.size())}}};
    server.maglev = server.cycle;
    server.hash_seed = 7 + index;
    server.persistence_ticks = persistence_ticks;
    server.persistence_prefix = 32;
    server.flags = XD_USED;
    bpf_map_update_elem(program_.services(), &key, &index, BPF_ANY);
    program_.address_filter[0].has[xd_filter_index(key.address)] = 1;
  }

  test::Program program_;
};

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
  volatile bench_plan& plan() { return skeleton_->data_plan->plan; }

  // Sends `repeat` packets of the plan to `target`; nanoseconds per packet.
  double drive(int target, uint32_t repeat) {
    const uint32_t zero = 0;
    put(skeleton_->maps.target, &zero, &target);
    std::vector<uint8_t> frame(64);
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[17] = 50;  // length
    frame[22] = 64;  // ttl
    frame[23] = kTcp;
    frame[46] = 0x50;
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()), .repeat = static_cast<int>(repeat));
    if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.drive), &options)) die("BPF_PROG_TEST_RUN failed");
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

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {}

  std::vector<Row> run() {
    std::vector<Samples> samples(kCases.size());
    for (const bool new_flows : {false, true}) {
      if (!new_flows) establish();
      for (int round = 0; round < options_.rounds; round++) {
        for (size_t i = 0; i < kCases.size(); i++) {
          if ((kCases[i].kind == Case::New) == new_flows && wanted(kCases[i])) measure(kCases[i], samples[i]);
        }
      }
    }
    std::vector<Row> rows;
    for (size_t i = 0; i < kCases.size(); i++) {
      if (!wanted(kCases[i])) continue;
      rows.push_back({kCases[i].name, figures(samples[i].stub), figures(samples[i].swap), figures(samples[i].stateless),
                      figures(samples[i].one_line), figures(samples[i].director)});
    }
    return rows;
  }

 private:
  struct Samples {
    std::vector<double> stub, swap, stateless, one_line, director;
  };

  bool wanted(const Case& what) const { return what.name.find(options_.only) != std::string::npos; }

  // All flows that the hits are of, with two packets each.
  void establish() {
    const uint32_t count = options_.quick ? kAllFlows / 16 : kAllFlows;
    for (const uint8_t flags : {kSyn, kAck}) {
      plan({"", ORDER_SEQUENCE, kAllFlows, kPlain, flags, verdict_forwarded, Case::Steady}, 0);
      floors_.drive(director_.program().fd(), count);
    }
  }

  void plan(const Case& what, uint64_t state) {
    volatile bench_plan& plan = floors_.plan();
    plan.order = what.order;
    plan.mask = (options_.quick ? std::min(what.flows, kAllFlows / 16) : what.flows) - 1;
    plan.state = state;
    plan.destination = what.foreign ? kForeign.network() : kVip.network();
    plan.port = network(what.port);
    plan.tcp_flags = what.flags;
    plan.frame_head = word(kDirector) | uint64_t{0x0002} << 48;
  }

  // Each target gets the same flows.
  void measure(const Case& what, Samples& samples) {
    const uint64_t start = what.kind == Case::New ? new_flows(what) : next_state_;
    if (what.kind == Case::LaterTick) set_ticks(XD_TICKS - 1);
    const auto drive = [&](int target) {
      plan(what, start);
      return floors_.drive(target, options_.repeat);
    };
    const double stub = drive(floors_.stub());
    const double swap = drive(floors_.swap());
    const double stateless = drive(floors_.stateless());
    const double one_line = drive(floors_.one_line());
    const auto before = director_.program().counters();
    const double director = drive(director_.program().fd());
    const auto after = director_.program().counters();
    if (what.kind == Case::LaterTick) set_ticks(0);
    next_state_ = floors_.plan().state;
    check(what, after[what.expected] - before[what.expected]);
    samples.stub.push_back(stub);
    samples.swap.push_back(swap - stub);
    samples.stateless.push_back(stateless - stub);
    samples.one_line.push_back(one_line - stub);
    samples.director.push_back(director - stub);
  }

  // When every connection was last seen. It is tick 0 now.
  void set_ticks(uint32_t tick) {
    for (uint32_t bucket = 0; bucket < kBuckets; bucket++) {
      for (xd_way& way : director_.program().connections[bucket].way) way.tick = tick;
    }
  }

  // Numbers that no flow has had, and room for them: never more than a quarter of the ways of either table.
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
    plan({"", ORDER_SEQUENCE, 1U << 31, kPersistent, kSyn, verdict_scheduled, Case::New}, first);
    floors_.drive(director_.program().fd(), options_.repeat);
    director_.program().connections.clear();
  }

  void make_room() {
    director_.program().connections.clear();
    director_.program().persistence.clear();
    room_ = int64_t{kTemplateBuckets} - options_.repeat;
  }

  void check(const Case& what, uint64_t as_expected) const {
    if (as_expected >= options_.repeat * 0.98) return;
    die("\"" + what.name + "\" measured something else: of " + std::to_string(options_.repeat) + " packets only " +
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
  std::printf("%-24s %6s | %5s %9s %8s | %9s %6s %9s\n", "ns per packet (median)", "driver", "swap", "stateless",
              "one line", "xdirector", "p25", "/stateless");
  for (const Row& row : rows) {
    std::printf("%-24s %6.0f | %5.0f %9.0f %8.0f | %9.0f %6.0f %9.2f\n", row.name.c_str(), row.stub.median,
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

void stay_on(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus)) die("cannot stay on CPU " + std::to_string(cpu));
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
