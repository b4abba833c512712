// SPDX-License-Identifier: Apache-2.0
#include "bpf/fixture.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include "model/cycle.hpp"
#include "support/program.hpp"
#include "xdirector/address_filter.h"

namespace test {
namespace {

constexpr uint32_t kTickShift = 63;  // it is tick 0 for ever
constexpr TableSizes kSizes = {.buckets = kBuckets,
                               .real_servers = 64,
                               .virtual_servers = 8,
                               .schedule_blocks = 16,
                               .template_buckets = kTemplateBuckets};

// Loaded once for all tests.
Program& program() {
  static Program the_program(kSizes);
  return the_program;
}

constexpr auto kVerdictNames = std::to_array<const char*>({
#define NAME(name, action, meaning) #name,
    XD_VERDICTS(NAME)
#undef NAME
});

void set_mac(uint8_t* field, const base::Mac& mac) {
  std::copy(mac.bytes().begin(), mac.bytes().end(), field);
}

xd_way& way_at(uint32_t number) {
  return program().connections[number / XD_WAYS].way[number % XD_WAYS];
}

uint64_t boottime() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

uint16_t network(uint16_t port) {
  return __builtin_bswap16(port);
}

xd_address v4_mapped(uint32_t network_address) {
  return {{0, 0, __builtin_bswap32(0xffff), network_address}};
}

}  // namespace

const char* name(xd_verdict verdict) {
  return verdict < XD_VERDICT_COUNT ? kVerdictNames.at(verdict) : "none";
}

void Director::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << program().error();
  ASSERT_EQ(program().error(), "");
  program().clear();
  settings().hash_seed = 0x0123456789abcdef;
  settings().tick_shift = kTickShift;
  interface(kLoopback, director_);
}

RealServer Director::real_server(std::string_view address, const base::Mac& mac, uint16_t weight) const {
  return {std::string(address), mac, weight, kLoopback};
}

VirtualServer Director::virtual_server(std::string_view address, uint16_t port, uint8_t protocol,
                                       const std::vector<RealServer>& real_servers) {
  let_through(address);
  return add_virtual_server(
      {.address = ip(address).network(), .port = network(port), .protocol = protocol, .kind = XD_EXACT}, real_servers);
}

VirtualServer Director::marked_virtual_server(uint32_t mark, uint8_t protocol,
                                              const std::vector<RealServer>& real_servers) {
  return add_virtual_server({.mark = mark, .port = 0, .protocol = protocol, .kind = XD_MARK}, real_servers);
}

VirtualServer Director::add_virtual_server(const xd_service_key& key, const std::vector<RealServer>& real_servers) {
  VirtualServer server{next_virtual_server_++, {}};
  std::vector<model::WeightedSlot> weights;
  xd_virtual_server& value = entry(server);
  if (key.kind == XD_MARK) {
    value.key.mark = key.mark;
  } else {
    value.key.address = v4_mapped(key.address);
  }
  value.key.port = key.port;
  value.key.protocol = key.protocol;
  value.key.kind = key.kind;
  value.flags = XD_USED;
  value.transport = key.protocol;
  value.hash_seed = 7;
  for (const RealServer& real : real_servers) {
    server.slots.push_back(add_slot(key, server.index, real));
    weights.push_back({server.slots.back(), real.weight});
  }
  schedule(server, model::make_cycle(weights));
  bpf_map_update_elem(program().services(), &key, &server.index, BPF_ANY);
  return server;
}

uint16_t Director::add_slot(const xd_service_key& key, uint32_t index, const RealServer& server) {
  const auto number = static_cast<uint16_t>(by_slot_.size());
  by_slot_.push_back(server);
  xd_real_server& value = slot(number);
  set_mac(value.mac, server.mac);
  value.delivery = XD_BY_MAC;
  value.state = server.weight ? XD_ACTIVE : XD_DRAINING;
  set_mac(value.source_mac, director_);
  value.ifindex = server.ifindex;
  value.virtual_server = index;
  if (key.kind == XD_EXACT) value.virtual_address = v4_mapped(key.address);
  value.virtual_port = key.port;
  value.transport = key.protocol;
  std::fill_n(value.timeout_ticks, 4, kNever);
  value.address = v4_mapped(ip(server.address).network());
  return number;
}

void Director::port_marks(std::string_view address, uint8_t protocol, const std::vector<xd_port_range>& ranges,
                          std::optional<uint32_t> count) {
  const xd_marked_address key{.address = ip(address).network(), .protocol = protocol, .reserved = {}};
  const auto value = std::make_unique<xd_port_ranges>();
  value->count = count.value_or(static_cast<uint32_t>(ranges.size()));
  std::copy(ranges.begin(), ranges.end(), value->range);
  bpf_map_update_elem(program().port_marks(), &key, value.get(), BPF_ANY);
  let_through(address);
}

void Director::let_through(std::string_view address) {
  const uint32_t bit = xd_filter_bit(ip(address).network());
  program().address_filter[0].word[bit / 64] |= uint64_t{1} << bit % 64;
}

void Director::persist(const VirtualServer& server, uint32_t ticks, uint8_t prefix) {
  entry(server).persistence_ticks = ticks;
  entry(server).persistence_prefix = prefix;
  for (const uint16_t number : server.slots) slot(number).persistent = 1;
}

void Director::schedule(const VirtualServer& server, const std::vector<uint16_t>& cycle) {
  for (size_t i = 0; i < cycle.size(); i++) {
    const size_t at = next_schedule_ + i;
    program().schedules[at / XD_SCHEDULE_BLOCK].slot[at % XD_SCHEDULE_BLOCK] = cycle[i];
  }
  xd_cycle value{};
  value.offset = next_schedule_;
  value.length = static_cast<uint32_t>(cycle.size());
  entry(server).cycle.word = value.word;
  entry(server).maglev.word = value.word;
  next_schedule_ += value.length;
}

void Director::lease(std::string_view address, int64_t nanoseconds_from_now) {
  xd_lease* free = program().leases.begin();
  while (free->address.word[3] != 0) free++;
  free->until = boottime() + static_cast<uint64_t>(nanoseconds_from_now);
  free->address = v4_mapped(ip(address).network());
}

void Director::interface(uint32_t ifindex, const base::Mac& mac) {
  xd_interface* entry = &program().interfaces[ifindex % XD_INTERFACES];
  while (entry->ifindex != 0 && entry->ifindex != ifindex) entry++;
  set_mac(entry->mac, mac);
  entry->ifindex = ifindex;
}

void Director::move_interface(uint32_t ifindex, uint32_t places) {
  xd_interface* entries = program().interfaces.begin();
  entries[ifindex % XD_INTERFACES + places] = std::exchange(entries[ifindex % XD_INTERFACES], {});
}

void Director::remove_service(const VirtualServer& server) {
  const xd_service_key6& name = entry(server).key;
  const xd_service_key key{.address = name.kind == XD_EXACT ? name.address.word[3] : name.mark,
                           .port = name.port,
                           .protocol = name.protocol,
                           .kind = name.kind};
  bpf_map_delete_elem(program().services(), &key);
}

xd_real_server& Director::slot(uint16_t slot) {
  return program().real_servers[slot];
}
xd_virtual_server& Director::entry(const VirtualServer& server) {
  return program().virtual_servers[server.index];
}
volatile xd_settings& Director::settings() {
  return program().settings();
}
int Director::program_fd() const {
  return program().fd();
}

Result Director::run_multi_buffer(const Packet& packet) {
  return run_program(program().multi_buffer_fd(), packet);
}

Result Director::run_program(int program_fd, const Packet& packet) {
  Result result;
  result.bytes.resize(packet.bytes().size());
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.bytes().data(), .data_out = result.bytes.data(),
              .data_size_in = static_cast<uint32_t>(packet.bytes().size()),
              .data_size_out = static_cast<uint32_t>(result.bytes.size()), .repeat = 1);
  const auto before = program().counters();
  const int failed = bpf_prog_test_run_opts(program_fd, &options);
  const auto after = program().counters();
  EXPECT_EQ(failed, 0) << "BPF_PROG_TEST_RUN: " << strerror(-failed);
  result.action = options.retval;
  result.bytes.resize(options.data_size_out);
  int counted = 0;
  for (size_t i = 0; i < after.size(); i++) {
    counted += static_cast<int>(after[i] - before[i]);
    if (after[i] != before[i]) result.verdict = static_cast<xd_verdict>(i);
  }
  EXPECT_EQ(counted, 1) << "a packet is counted under exactly one verdict";
  return result;
}

uint64_t Director::counter(xd_verdict verdict) const {
  return program().counters().at(verdict);
}

xd_real_server_stats Director::stats(uint16_t slot) const {
  return program().stats(slot);
}

std::vector<Connection> Director::connections() const {
  std::vector<Connection> all;
  for (uint32_t i = 0; i < kWays; i++) {
    const xd_way& way = way_at(i);
    if (way.w0 == 0) continue;
    all.push_back({.way = i,
                   .client = base::Ipv4::from_network(static_cast<uint32_t>(way.client)).str(),
                   .client_port = network(static_cast<uint16_t>(way.client_port)),
                   .slot = static_cast<uint16_t>(way.slot),
                   .state = static_cast<xd_connection_state>(way.state),
                   .tick = static_cast<uint32_t>(way.tick)});
  }
  return all;
}

Connection Director::only_connection() const {
  const auto all = connections();
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? Connection{} : all.front();
}

std::optional<xd_template> Director::client_template(std::string_view client, const VirtualServer& server) const {
  for (uint32_t bucket = 0; bucket < kTemplateBuckets; bucket++) {
    for (const xd_template& value : program().persistence[bucket].way) {
      if (value.client == ip(client).network() && value.virtual_server == server.index + 1) return value;
    }
  }
  return std::nullopt;
}

void Director::put_connection(const Connection& connection, std::string_view address, uint16_t port, uint8_t protocol) {
  xd_way way{};
  way.slot = connection.slot;
  way.client_port = network(connection.client_port);
  way.client = ip(connection.client).network();
  way.tick = connection.tick;
  way.state = connection.state;
  way.udp = protocol == kUdp;
  way.port = network(port);
  way.address = ip(address).network();
  way_at(connection.way) = way;
}

void Director::pass_ticks(uint32_t ticks) {
  for (uint32_t i = 0; i < kWays; i++) {
    xd_way& way = way_at(i);
    xd_way older{};
    older.w1 = __atomic_load_n(&way.w1, __ATOMIC_SEQ_CST);
    uint64_t was = older.w1;
    older.tick = (older.tick - ticks) & (XD_TICKS - 1);
    __atomic_compare_exchange_n(&way.w1, &was, older.w1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  }
  for (uint32_t bucket = 0; bucket < kTemplateBuckets; bucket++) {
    for (xd_template& value : program().persistence[bucket].way) {
      if (value.w0 != 0) value.seen_tick = value.seen_tick - ticks;
    }
  }
}

void Director::clear_connections() {
  program().connections.clear();
}
void Director::clear_templates() {
  program().persistence.clear();
}
void Director::clear_stats() {
  program().clear_stats();
}
void Director::lock_way(uint32_t way) {
  way_at(way).w0 = 1;
}
bool Director::way_is_locked(uint32_t way) const {
  return way_at(way).w0 == 1;
}

uint16_t Director::slot_of(const Result& result) const {
  if (result.action != XDP_TX && result.action != XDP_REDIRECT) return 0;
  for (size_t i = 1; i < by_slot_.size(); i++) {
    if (base::Mac::from_bytes(result.bytes.data()) == by_slot_[i].mac) return static_cast<uint16_t>(i);
  }
  return 0;
}

Packet Director::tcp(uint16_t client_port, uint16_t port, uint8_t flags, std::string_view client) const {
  return eth(client_, director_).ipv4(client, vip_).tcp(client_port, port, flags);
}

Packet Director::udp(uint16_t client_port, uint16_t port, std::string_view client) const {
  return eth(client_, director_).ipv4(client, vip_).udp(client_port, port);
}

}  // namespace test
