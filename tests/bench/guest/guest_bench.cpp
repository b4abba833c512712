// SPDX-License-Identifier: Apache-2.0
// One row of the guest's table: sends packets of one kind to the director's interface d0 and prints what each of them
// cost there in nanoseconds. Only means something in a guest whose nanosecond is an instruction.
//
// Namespaces `client` (interface c0) and `director` (d0, the other end) must be there; guest.sh makes them. What
// forwards stands there already, or is one of the floors' programs (--xdp, --tc-drop) attached for the while.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "xdirector/maps.h"

#include "bench.h"
#include "plan.h"

#include "floors.skel.h"
#include "guest.skel.h"  // names the types of plan.h, floors.skel.h those of bench.h

namespace {

constexpr uint8_t kTcp = 6, kUdp = 17, kSyn = 0x02, kAck = 0x10;
constexpr uint32_t kKnownBits = 10;  // of the connections or clients that are known before a measurement
constexpr uint32_t kRounds = 5;
constexpr uint32_t kClientBits = 20;  // of a case's clients
constexpr uint32_t kKnown = 1U << kKnownBits, kClients = 1U << kClientBits;
constexpr uint16_t kPlain = 80, kPersistent = 81, kMarked = 8000, kMarkedPersistent = 9000, kNoService = 22;

// What is sent. `expected` is the verdict that all packets of a measurement must have where xdirector runs.
struct Case {
  enum Kind { Known, New, NewOfKnownClient } kind;
  uint8_t protocol;
  uint16_t port;
  xd_verdict expected;
};

const std::map<std::string, Case> kCases = {
    {"established", {Case::Known, kTcp, kPlain, verdict_forwarded}},
    {"established-persistent", {Case::Known, kTcp, kPersistent, verdict_forwarded}},
    {"established-udp", {Case::Known, kUdp, kPlain, verdict_forwarded}},
    {"new", {Case::New, kTcp, kPlain, verdict_scheduled}},
    {"new-udp", {Case::New, kUdp, kPlain, verdict_scheduled}},
    {"new-mark", {Case::New, kTcp, kMarked, verdict_scheduled}},
    {"new-client", {Case::New, kTcp, kPersistent, verdict_scheduled}},
    {"new-known-client", {Case::NewOfKnownClient, kTcp, kPersistent, verdict_persisted}},
    {"new-known-client-mark", {Case::NewOfKnownClient, kTcp, kMarkedPersistent, verdict_persisted}},
    {"no-service", {Case::Known, kTcp, kNoService, verdict_passed_no_service}},
};

struct Options {
  std::string name;
  std::string xdp, sink = "xdp", verdicts;
  bool generic = false, tc_drop = false, ipv6 = false, virtual_mac = false;
  uint32_t packets = 10000;
};

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "guest_bench: %s\n", message.c_str());
  std::exit(1);
}

// One end of the cable: its network namespace and its interface there.
struct End {
  const char* space;
  const char* interface;
};
constexpr End kClient{"client", "c0"}, kDirector{"director", "d0"};

struct Filter {
  End end;
  int ifindex;
};

void enter(const End& end) {
  const base::Fd space(open((std::string("/run/netns/") + end.space).c_str(), O_RDONLY | O_CLOEXEC));
  if (!space || setns(space.get(), CLONE_NEWNET) != 0) die(std::string("there is no network namespace ") + end.space);
}

// The frame but for what the generator writes.
class Frame {
 public:
  Frame(const Case& what, bool ipv6, uint8_t tcp_flags, bool virtual_mac) {
    const size_t l4 = ipv6 ? 54 : 34;
    put16(12, ipv6 ? 0x86dd : 0x0800);
    ipv6 ? ipv6_header(what.protocol) : ipv4_header(what.protocol);
    put16(l4 + 2, what.port);
    if (what.protocol == kTcp) {
      bytes_[l4 + 12] = 0x50;  // length of its header
      bytes_[l4 + 13] = tcp_flags;
    } else {
      put16(l4 + 4, static_cast<uint16_t>(bytes_.size() - l4));
    }
    std::copy_n("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02", 12, bytes_.begin());  // as guest.sh gives them
    if (virtual_mac) std::copy_n("\x00\x00\x5e\x00\x01\x64", 6, bytes_.begin());
  }

  const std::array<uint8_t, GUEST_FRAME_BYTES>& bytes() const { return bytes_; }

  uint64_t word(size_t at) const {
    uint64_t value = 0;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }

  // Of the IPv4 header as it stands.
  uint32_t checksum() const {
    uint32_t sum = 0;
    for (size_t at = 14; at < 34; at += 2) sum += bytes_[at] | bytes_[at + 1] << 8;
    return sum;
  }

 private:
  void put16(size_t at, uint16_t value) {
    bytes_[at] = value >> 8;
    bytes_[at + 1] = value & 0xff;
  }
  void ipv4_header(uint8_t protocol) {
    bytes_[14] = 0x45;
    put16(16, bytes_.size() - 14);
    bytes_[22] = 64;
    bytes_[23] = protocol;
    inet_pton(AF_INET, "10.200.1.1", bytes_.data() + 30);
  }
  void ipv6_header(uint8_t protocol) {
    bytes_[14] = 0x60;
    put16(18, bytes_.size() - 54);
    bytes_[20] = protocol;
    bytes_[21] = 64;
    inet_pton(AF_INET6, "fd00:10::", bytes_.data() + 22);
    inet_pton(AF_INET6, "fd00:200::1:1", bytes_.data() + 38);
  }

  std::array<uint8_t, GUEST_FRAME_BYTES> bytes_{};
};

// xdirector's counters: packets by verdict.
std::vector<uint64_t> read_verdicts(const std::string& pinned) {
  const base::Fd counters(bpf_obj_get(pinned.c_str()));
  const auto cpus = static_cast<size_t>(libbpf_num_possible_cpus());
  std::vector<uint64_t> all(cpus * sizeof(xd_counters) / sizeof(uint64_t)), sum(XD_VERDICT_COUNT);
  const uint32_t key = 0;
  if (!counters || bpf_map_lookup_elem(counters.get(), &key, all.data()) != 0) die("cannot read xdirector's counters");
  for (size_t i = 0; i < all.size(); i++) {
    const size_t verdict = i % (sizeof(xd_counters) / sizeof(uint64_t));
    if (verdict < sum.size()) sum[verdict] += all[i];
  }
  return sum;
}

// This director is MASTER of the virtual address, for ever.
void lease_virtual_address() {
  const base::Fd leases(bpf_obj_get("/sys/fs/bpf/xdirector/leases"));
  const uint32_t key = 0;
  xd_lease lease{};
  lease.until = UINT64_MAX;
  lease.address.word[2] = htonl(0xffff);
  inet_pton(AF_INET, "10.200.1.1", &lease.address.word[3]);
  if (!leases || bpf_map_update_elem(leases.get(), &key, &lease, BPF_ANY) != 0) die("cannot write a lease");
}

struct Traffic {
  uint8_t flags;
  guest_order order;
  uint32_t first_flow, flows;  // a power of two; 0: every packet is a flow of its own
  uint32_t packets;
};

class Row {
 public:
  explicit Row(const Options& options)
      : options_(options),
        what_(kCases.at(options.name)),
        guest_(guest::open_and_load()),
        floors_(floors::open_and_load()) {
    if (guest_ == nullptr || floors_ == nullptr) die("the kernel refused the benchmark's programs");
    know_service();
    if (options.virtual_mac) lease_virtual_address();
    if (!options.xdp.empty())
      attach_xdp(kDirector, floor(options.xdp), options.generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
    if (options.tc_drop) attach_tc(kDirector);
    options.sink == "tc" ? attach_tc(kClient) : attach_xdp(kClient, guest_->progs.sink);
    enter(kClient);  // the generator's
    out_ifindex_ = if_nametoindex(kClient.interface);
    if (guest::attach(guest_) != 0) die("cannot watch veth_poll");
  }
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;
  ~Row() {
    for (const Filter& filter : filters_) remove(filter);
    guest::destroy(guest_);
    floors::destroy(floors_);
  }

  // The median of some rounds: one of them may meet the begin of a tick, when each connection is stamped anew.
  void measure() {
    prepare();
    std::vector<double> costs;
    costs.reserve(kRounds);
    for (uint32_t round = 0; round < kRounds; round++) costs.push_back(measure_round(round));
    std::sort(costs.begin(), costs.end());
    std::printf("%.1f\n", costs[kRounds / 2]);
  }

 private:
  double measure_round(uint32_t round) {
    const auto before = verdicts();
    const guest_polls start = polls();
    const uint64_t arrived = guest_->data_arrived->arrived;
    send(measured(round));
    const guest_polls end = polls();
    check(guest_->data_arrived->arrived - arrived, before);
    return static_cast<double>(end.ns - start.ns) / static_cast<double>(end.packets - start.packets);
  }

  Traffic measured(uint32_t round) const {
    if (what_.kind == Case::Known) return {kAck, GUEST_RANDOM, 0, kKnown, options_.packets};
    const uint32_t first = what_.kind == Case::New ? 0 : kKnown;
    return {kSyn, GUEST_SEQUENCE, first + round * options_.packets, 0, options_.packets};
  }

  // Connections or clients become known, and what happens only once happens.
  void prepare() {
    if (what_.kind == Case::New) return send({kSyn, GUEST_SEQUENCE, kClients / 2, 0, 2000});
    for (const uint8_t flags : {kSyn, kAck, kAck}) send({flags, GUEST_SEQUENCE, 0, kKnown, kKnown});
  }

  void send(const Traffic& traffic) {
    const Frame frame(what_, options_.ipv6, traffic.flags, options_.virtual_mac);
    volatile guest_plan& plan = guest_->data_plan->plan;
    plan.frame_head[0] = frame.word(0);
    plan.frame_head[1] = frame.word(8);
    plan.order = traffic.order;
    plan.mask = traffic.flows - 1;
    plan.state = traffic.first_flow;
    plan.client_bits = what_.kind == Case::New ? kClientBits : kKnownBits;
    plan.first_client = first_client();
    plan.checksum = frame.checksum();
    plan.ipv6 = options_.ipv6 ? 1 : 0;
    plan.out_ifindex = out_ifindex_;
    auto bytes = frame.bytes();
    xdp_md context{.data_end = static_cast<uint32_t>(bytes.size())};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bytes.data(),
                .data_size_in = static_cast<uint32_t>(bytes.size()), .ctx_in = &context, .ctx_size_in = sizeof context,
                .repeat = static_cast<int>(traffic.packets), .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);
    if (bpf_prog_test_run_opts(bpf_program__fd(guest_->progs.generate), &options) != 0) die("cannot send live frames");
  }

  // Each case has clients of its own: a director may remember those of the row before.
  uint32_t first_client() const {
    const auto number = static_cast<uint32_t>(std::distance(kCases.begin(), kCases.find(options_.name)));
    return (10U << 24) + number * kClients;
  }

  guest_polls polls() const {
    const volatile guest_polls& now = guest_->data_polls->polls;
    return {now.polls, now.packets, now.ns};
  }

  std::vector<uint64_t> verdicts() const {
    return options_.verdicts.empty() ? std::vector<uint64_t>() : read_verdicts(options_.verdicts);
  }

  // A row that measured something else is no row.
  void check(uint64_t arrived, const std::vector<uint64_t>& before) const {
    const double least = options_.packets * 0.99;
    if (static_cast<double>(arrived) < least) {
      die("of " + std::to_string(options_.packets) + " packets only " + std::to_string(arrived) + " arrived");
    }
    const auto after = verdicts();
    if (after.empty()) return;
    const uint64_t expected = after[what_.expected] - before[what_.expected];
    if (static_cast<double>(expected) < least) {
      die("only " + std::to_string(expected) + " packets had the verdict that the row is about");
    }
  }

  // The stateless floor looks the service up as well.
  void know_service() {
    const struct {
      uint32_t address;
      uint16_t port, protocol;
    } key{inet_addr("10.200.1.1"), htons(kPlain), kTcp};
    const uint32_t service = 0;
    if (bpf_map_update_elem(bpf_map__fd(floors_->maps.floor_services), &key, &service, BPF_ANY) != 0) {
      die("cannot fill the floor's table");
    }
  }

  const bpf_program* floor(const std::string& name) const {
    const std::map<std::string, const bpf_program*> all = {{"drop", guest_->progs.drop},
                                                           {"pass", guest_->progs.pass},
                                                           {"swap", floors_->progs.swap},
                                                           {"stateless", floors_->progs.stateless}};
    return all.at(name);
  }

  void attach_xdp(const End& end, const bpf_program* program, uint32_t mode = XDP_FLAGS_DRV_MODE) {
    enter(end);
    LIBBPF_OPTS(bpf_link_create_opts, options, .flags = mode);
    links_.emplace_back(
        bpf_link_create(bpf_program__fd(program), static_cast<int>(if_nametoindex(end.interface)), BPF_XDP, &options));
    if (!links_.back()) die(std::string("cannot attach to ") + end.interface);
  }

  void attach_tc(const End& end) {
    enter(end);
    const Filter filter{end, static_cast<int>(if_nametoindex(end.interface))};
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = filter.ifindex, .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = bpf_program__fd(guest_->progs.sink_tc));
    bpf_tc_hook_create(&hook);
    if (bpf_tc_attach(&hook, &options) != 0) die(std::string("cannot attach a filter to ") + end.interface);
    filters_.push_back(filter);
  }

  static void remove(const Filter& filter) {
    enter(filter.end);
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = filter.ifindex,
                .attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
    bpf_tc_hook_destroy(&hook);
  }

  Options options_;
  Case what_;
  guest* guest_;
  floors* floors_;
  uint32_t out_ifindex_ = 0;
  std::vector<base::Fd> links_;
  std::vector<Filter> filters_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<std::string> names;
  names.reserve(kCases.size());
  for (const auto& [name, what] : kCases) names.push_back(name);
  CLI::App app("Measures one row of the guest's table (see tests/bench/guest/run.sh).");
  app.add_option("case", options.name, "what is sent")->required()->check(CLI::IsMember(names));
  app.add_option("--xdp", options.xdp, "a floor on d0")->check(CLI::IsMember({"drop", "pass", "swap", "stateless"}));
  app.add_flag("--generic", options.generic, "the floor in generic mode");
  app.add_flag("--tc-drop", options.tc_drop, "what reaches d0's tc ingress is dropped and counts as arrived");
  app.add_option("--sink", options.sink, "where c0 takes the packets in")->check(CLI::IsMember({"xdp", "tc"}));
  app.add_option("--verdicts", options.verdicts, "xdirector's pinned counters: all must have the expected verdict");
  app.add_flag("--ipv6", options.ipv6, "the same packets in IPv6");
  app.add_flag("--virtual-mac", options.virtual_mac, "sent to a VRRP MAC address, whose lease runs (IPv4)");
  app.add_option("--packets", options.packets, "how many are measured at a time")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  Row(options).measure();
  return 0;
}
