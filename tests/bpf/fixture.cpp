// SPDX-License-Identifier: Apache-2.0
#include "bpf/fixture.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/pkt_cls.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include "dataplane/encode.hpp"
#include "model/cycle.hpp"
#include "xdirector/address_filter.h"
#include "xdirector/hash.h"

namespace test {
namespace {

constexpr uint32_t kTickShift = 63;  // it is tick 0 for ever
constexpr auto kVerdictNames = std::to_array<const char*>({
#define NAME(name, action, meaning) #name,
    XD_VERDICTS(NAME)
#undef NAME
});

void set_mac(uint8_t* field, const base::Mac& mac) {
  std::copy(mac.bytes().begin(), mac.bytes().end(), field);
}

uint64_t boottime() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

uint16_t network(uint16_t port) {
  return __builtin_bswap16(port);
}

xd_address encoded(std::string_view address) {
  return dataplane::encode(ip(address));
}

// The keys of IPv4's own tables.
xd_service_key ipv4_key(const xd_service_key6& key) {
  return {.address = key.kind == XD_EXACT ? key.address.word[3] : key.mark,
          .port = key.port,
          .protocol = key.protocol,
          .kind = key.kind};
}

bool is_ipv6(const xd_virtual_server& server) {
  return server.transport & XD_IPV6;
}

}  // namespace

const char* name(xd_verdict verdict) {
  return verdict < XD_VERDICT_COUNT ? kVerdictNames.at(verdict) : "none";
}

const Program& Director::program() {
  static Program the_program(table_sizes);
  return the_program;
}

std::string family_name(const testing::TestParamInfo<Family>& family) {
  return family.param == Family::Ipv4 ? "Ipv4" : "Ipv6";
}

void Director::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << program().error();
  ASSERT_EQ(program().error(), "");
  program().clear();
  settings().hash_seed = 0x0123456789abcdef;
  settings().tick_shift = kTickShift;
  settings().template_buckets = kTemplateBuckets;
  interface(kLoopback, director_);
}

std::string Director::host(int number, int network) const {
  return fmt::format("{}{}{}{}", ipv6() ? "2001:db8:0:" : "192.168.", network, ipv6() ? "::" : ".", number);
}

RealServer Director::real(int number, uint16_t weight) const {
  return {host(number), mac(fmt::format("02:00:00:00:00:{:02}", number)), weight, kLoopback};
}

VirtualServer Director::virtual_server(std::string_view address, uint16_t port, uint8_t protocol,
                                       const std::vector<RealServer>& real_servers) {
  xd_service_key6 key{};
  key.address = encoded(address);
  key.port = network(port);
  key.protocol = protocol;
  key.kind = XD_EXACT;
  let_through(address);
  return add_virtual_server(key, ip(address).is_v6(), real_servers);
}

VirtualServer Director::marked_virtual_server(uint32_t mark, uint8_t protocol,
                                              const std::vector<RealServer>& real_servers) {
  xd_service_key6 key{};
  key.mark = mark;
  key.protocol = protocol;
  key.kind = XD_MARK;
  return add_virtual_server(key, ipv6(), real_servers);
}

VirtualServer Director::add_virtual_server(const xd_service_key6& key, bool ipv6,
                                           const std::vector<RealServer>& real_servers) {
  VirtualServer server{next_virtual_server_++, {}};
  std::vector<model::WeightedSlot> weights;
  xd_virtual_server& value = entry(server);
  value.key = key;
  value.flags = XD_USED;
  value.transport = static_cast<uint8_t>(key.protocol | (ipv6 ? XD_IPV6 : 0));
  value.hash_seed = 7;
  for (const RealServer& real : real_servers) {
    server.slots.push_back(add_slot(value, server.index, real));
    weights.push_back({server.slots.back(), real.weight});
  }
  schedule(server, model::make_cycle(weights));
  const xd_service_key key4 = ipv4_key(key);
  ipv6 ? bpf_map_update_elem(program().services6(), &key, &server.index, BPF_ANY)
       : bpf_map_update_elem(program().services(), &key4, &server.index, BPF_ANY);
  return server;
}

uint16_t Director::add_slot(const xd_virtual_server& virtual_server, uint32_t index, const RealServer& server) {
  const auto number = static_cast<uint16_t>(by_slot_.size());
  by_slot_.push_back(server);
  xd_real_server& value = slot(number);
  set_mac(value.mac, server.mac);
  value.delivery = XD_BY_MAC;
  value.state = server.weight ? XD_ACTIVE : XD_DRAINING;
  set_mac(value.source_mac, director_);
  value.ifindex = server.ifindex;
  value.virtual_server = index;
  if (virtual_server.key.kind == XD_EXACT) value.virtual_address = virtual_server.key.address;
  value.virtual_port = virtual_server.key.port;
  value.transport = virtual_server.transport;
  std::fill_n(value.timeout_ticks, 4, kNever);
  value.address = encoded(server.address);
  return number;
}

void Director::port_marks(std::string_view address, uint8_t protocol, const std::vector<xd_port_range>& ranges,
                          std::optional<uint32_t> count) {
  const xd_marked_address6 key6{.address = encoded(address), .protocol = protocol, .reserved = {}};
  const xd_marked_address key{.address = key6.address.word[3], .protocol = protocol, .reserved = {}};
  const auto value = std::make_unique<xd_port_ranges>();
  value->count = count.value_or(static_cast<uint32_t>(ranges.size()));
  std::copy(ranges.begin(), ranges.end(), value->range);
  ip(address).is_v6() ? bpf_map_update_elem(program().port_marks6(), &key6, value.get(), BPF_ANY)
                      : bpf_map_update_elem(program().port_marks(), &key, value.get(), BPF_ANY);
  let_through(address);
}

void Director::let_through(std::string_view address) {
  const xd_address value = encoded(address);
  const uint32_t index = ip(address).is_v6() ? xd_filter_index6(&value) : xd_filter_index(value.word[3]);
  program().address_filter[0].has[index] = 1;
}

void Director::shut_filter() {
  program().address_filter.clear();
}

void Director::persist(const VirtualServer& server, uint32_t ticks, std::optional<uint8_t> prefix) {
  entry(server).persistence_ticks = ticks;
  entry(server).persistence_prefix = prefix.value_or(is_ipv6(entry(server)) ? 128 : 32);
  for (const uint16_t number : server.slots) slot(number).persistent = 1;
}

xd_cycle Director::put_cycle(const std::vector<uint16_t>& slots) {
  xd_cycle value{};
  value.offset = next_schedule_;
  value.length = static_cast<uint32_t>(slots.size());
  for (const uint16_t number : slots) {
    program().schedules[next_schedule_ / XD_SCHEDULE_BLOCK].slot[next_schedule_ % XD_SCHEDULE_BLOCK] = number;
    next_schedule_++;
  }
  return value;
}

void Director::schedule(const VirtualServer& server, const std::vector<uint16_t>& cycle) {
  entry(server).cycle = put_cycle(cycle);
  entry(server).maglev = entry(server).cycle;
}

void Director::maglev(const VirtualServer& server, const std::vector<uint16_t>& table) {
  entry(server).maglev = put_cycle(table);
}

void Director::lease(std::string_view address, int64_t nanoseconds_from_now) {
  xd_lease* free = program().leases.begin();
  while (free->address.word[3] != 0) free++;
  free->until = boottime() + static_cast<uint64_t>(nanoseconds_from_now);
  free->address = encoded(address);
}

void Director::interface(uint32_t ifindex, const base::Mac& mac) {
  xd_interface* entry = &program().interfaces[ifindex % XD_INTERFACES];
  while (entry->ifindex != 0 && entry->ifindex != ifindex) entry++;
  set_mac(entry->mac, mac);
  entry->ifindex = ifindex;
}

void Director::peer(const base::Mac& mac) {
  xd_interface& entry = program().interfaces[kLoopback];
  set_mac(reinterpret_cast<uint8_t*>(&entry.peer[entry.peers++]), mac);
}

void Director::move_interface(uint32_t ifindex, uint32_t places) {
  xd_interface* entries = program().interfaces.begin();
  entries[ifindex % XD_INTERFACES + places] = std::exchange(entries[ifindex % XD_INTERFACES], {});
}

void Director::remove_service(const VirtualServer& server) {
  const xd_service_key6& key = entry(server).key;
  const xd_service_key key4 = ipv4_key(key);
  is_ipv6(entry(server)) ? bpf_map_delete_elem(program().services6(), &key)
                         : bpf_map_delete_elem(program().services(), &key4);
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

bool Director::leaves(const Packet& packet) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.bytes().data(),
              .data_size_in = static_cast<uint32_t>(packet.bytes().size()), .repeat = 1);
  const uint64_t before = counter(verdict_dropped_claim);
  const int failed = bpf_prog_test_run_opts(program().egress_fd(), &options);
  EXPECT_EQ(failed, 0) << "BPF_PROG_TEST_RUN: " << strerror(-failed);
  const bool left = static_cast<int>(options.retval) == TC_ACT_UNSPEC;
  EXPECT_TRUE(left || options.retval == TC_ACT_SHOT) << "other filters are not heard: " << options.retval;
  EXPECT_EQ(counter(verdict_dropped_claim) - before, left ? 0 : 1);
  return left;
}

std::vector<VrrpSeen> Director::vrrp_seen() const {
  std::vector<VrrpSeen> all;
  const uint64_t now = boottime();
  xd_vrrp_key key{};
  xd_vrrp_seen value{};
  for (const xd_vrrp_key* at = nullptr; bpf_map_get_next_key(program().vrrp_seen(), at, &key) == 0; at = &key) {
    if (bpf_map_lookup_elem(program().vrrp_seen(), &key, &value)) continue;
    EXPECT_EQ(key.ifindex, kLoopback);
    EXPECT_TRUE(value.at <= now && value.at + 60'000'000'000 > now) << "a minute at most";
    all.push_back(
        {dataplane::decode(key.sender).str(), key.virtual_router_id, value.version, value.priority, value.count, {}});
    for (const uint16_t tag : key.tag) {
      if (tag != 0) all.back().tags.push_back(tag);
    }
  }
  std::ranges::sort(all, {}, [](const VrrpSeen& seen) { return std::pair(seen.sender, seen.tags); });
  return all;
}

uint64_t Director::counter(xd_verdict verdict) const {
  return program().counters().at(verdict);
}

xd_real_server_stats Director::stats(uint16_t slot) const {
  return program().stats(slot);
}

xd_way& Director::way(uint32_t number) const {
  return ipv6() ? program().connections6[number / XD_WAYS].ways.way[number % XD_WAYS]
                : program().connections[number / XD_WAYS].way[number % XD_WAYS];
}

std::vector<Connection> Director::connections() const {
  std::vector<Connection> all;
  for (uint32_t i = 0; i < kWays; i++) {
    const xd_way& way = this->way(i);
    if (way.w0 == 0) continue;
    const auto client = ipv6() ? base::Ip::from_network(program().connections6[i / XD_WAYS].of[i % XD_WAYS].client, 16)
                               : base::Ipv4::from_network(static_cast<uint32_t>(way.client));
    all.push_back({.way = i,
                   .client = client->str(),
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

// What stands for an address in a way: of IPv4 itself.
uint32_t Director::fold(const xd_address& address) const {
  __u64 words[2];
  memcpy(words, &address, sizeof(words));
  return ipv6() ? address_fold(words, program().settings().hash_seed) : address.word[3];
}

void Director::put_connection(const Connection& connection, std::string_view address, uint16_t port, uint8_t protocol) {
  const xd_address client = encoded(connection.client), virtual_address = encoded(address);
  const uint32_t number = connection.way % XD_WAYS;
  xd_way way{};
  way.slot = connection.slot;
  way.client_port = network(connection.client_port);
  way.client = fold(client);
  way.tick = connection.tick;
  way.state = connection.state;
  way.udp = protocol == kUdp;
  way.port = network(port);
  way.address = ipv6() ? fold(virtual_address) >> 16 << 16 : fold(virtual_address);
  this->way(connection.way) = way;
  if (!ipv6()) return;
  xd_bucket6& bucket = program().connections6[connection.way / XD_WAYS];
  memcpy(bucket.of[number].client, &client, sizeof(client));
  memcpy(bucket.of[number].address, &virtual_address, sizeof(virtual_address));
}

std::vector<Template> Director::templates(const VirtualServer& server) const {
  std::vector<Template> all;
  for (uint32_t i = 0; i < kTemplateBuckets * XD_WAYS; i++) {
    const xd_template_bucket& bucket = program().persistence[i / XD_WAYS];
    const xd_template& value = bucket.way[i % XD_WAYS];
    if (value.virtual_server != server.index + 1) continue;
    const auto client = ipv6() ? base::Ip::from_network(bucket.client[i % XD_WAYS], 16)
                               : base::Ipv4::from_network(static_cast<uint32_t>(value.client));
    all.push_back({.way = i,
                   .client = client->str(),
                   .slot = static_cast<uint16_t>(value.slot),
                   .proven = value.proven != 0,
                   .age = -static_cast<uint32_t>(value.seen_tick)});
  }
  return all;
}

std::optional<Template> Director::client_template(std::string_view client, const VirtualServer& server) const {
  for (const Template& value : templates(server)) {
    if (value.client == client) return value;
  }
  return std::nullopt;
}

void Director::put_template(const Template& value, const VirtualServer& server) {
  const xd_address client = encoded(value.client);
  xd_template_bucket& bucket = program().persistence[value.way / XD_WAYS];
  xd_template& way = bucket.way[value.way % XD_WAYS];
  way.client = fold(client);
  way.virtual_server = server.index + 1;
  way.slot = value.slot;
  way.proven = value.proven;
  way.seen_tick = -value.age;
  if (ipv6()) memcpy(bucket.client[value.way % XD_WAYS], &client, sizeof(client));
}

void Director::pass_ticks(uint32_t ticks) {
  for (uint32_t i = 0; i < kWays; i++) {
    xd_way& way = this->way(i);
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
  program().age_fragments(ticks);
}

void Director::clear_connections() {
  program().connections.clear();
  program().connections6.clear();
}
void Director::clear_templates() {
  program().persistence.clear();
}
void Director::clear_stats() {
  program().clear_stats();
}
void Director::change_address_word(uint32_t way, uint32_t word) {
  xd_bucket6& bucket = program().connections6[way / XD_WAYS];
  xd_addresses& addresses = bucket.of[way % XD_WAYS];
  (word < 2 ? addresses.client : addresses.address)[word % 2] ^= 1;
}
uint32_t Director::generation(uint32_t way) const {
  return static_cast<uint32_t>(this->way(way).address & 0xffff);
}
void Director::lock_way(uint32_t way) {
  this->way(way).w0 = 1;
}
bool Director::way_is_locked(uint32_t way) const {
  return this->way(way).w0 == 1;
}

uint16_t Director::slot_of(const Result& result) const {
  if (result.action != XDP_TX && result.action != XDP_REDIRECT) return 0;
  for (size_t i = 1; i < by_slot_.size(); i++) {
    if (base::Mac::from_bytes(result.bytes.data()) == by_slot_[i].mac) return static_cast<uint16_t>(i);
  }
  return 0;
}

Packet Director::tcp(uint16_t client_port, uint16_t port, uint8_t flags, std::string_view client) const {
  return frame_.ip(client.empty() ? client_address_ : client, vip_).tcp(client_port, port, flags);
}

Packet Director::udp(uint16_t client_port, uint16_t port, std::string_view client) const {
  return frame_.ip(client.empty() ? client_address_ : client, vip_).udp(client_port, port);
}

Packet Director::transport(uint8_t protocol, uint16_t client_port, uint16_t port) const {
  return protocol == kTcp ? tcp(client_port, port, kSyn) : udp(client_port, port);
}

}  // namespace test
