// SPDX-License-Identifier: Apache-2.0
// What makes a BACKUP stay one: each case is an instance of its own on one interface, fed with its frames through the
// kernel every 0.9 s of a time that the test moves. One that accepts them is BACKUP after 4.5 s, one that rejects them
// is MASTER. (Cases that the kernel itself drops are here too: nothing of them may arrive.)
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

#include "vrrp/instance.hpp"
#include "vrrp/interface.hpp"
#include "vrrp_support.hpp"
#include "xdirector/maps.h"

namespace vrrp {
namespace {

using namespace std::chrono_literals;
using Packet = std::vector<uint8_t>;

base::Ipv4 ip(const char* text) {
  return *base::Ipv4::parse(text);
}
const base::Ipv4 kOwn = ip("10.9.0.1");
const base::Mac kGroupMac{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12}};

uint16_t checksum(const uint8_t* bytes, size_t size) {
  uint32_t sum = 0;
  for (size_t i = 0; i < size; ++i) sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

void put_u16(Packet& packet, size_t at, size_t value) {
  packet[at] = static_cast<uint8_t>(value >> 8);
  packet[at + 1] = static_cast<uint8_t>(value);
}

size_t header_size(const Packet& packet) {
  return static_cast<size_t>(packet[0] & 0xf) * 4;
}

// What is on the wire: an IP packet that a case has changed, with its length and its checksums made right again.
struct Frame {
  Packet packet;
  bool wrong_checksum = false;
  bool pseudo_header = false;  // in the checksum, as RFC 5798 has it
  size_t padding = 0;          // beyond the IP length
  bool to_our_mac = false;

  Packet bytes(base::Mac own) const {
    Packet ready = packet;
    const size_t header = header_size(ready);
    put_u16(ready, 2, ready.size());
    put_u16(ready, 10, 0);
    put_u16(ready, 10, checksum(ready.data(), header));
    if (ready.size() >= header + 8) {
      put_u16(ready, header + 6, 0);
      Packet summed(ready.begin() + static_cast<ptrdiff_t>(header), ready.end());
      if (pseudo_header) {
        const uint8_t size = static_cast<uint8_t>(summed.size());
        summed.insert(summed.end(), ready.begin() + 12, ready.begin() + 20);  // both addresses
        summed.insert(summed.end(), {0, kProtocol, 0, size});
      }
      put_u16(ready, header + 6, checksum(summed.data(), summed.size()) ^ (wrong_checksum ? 1 : 0));
    }
    Packet frame;
    const auto& to = (to_our_mac ? own : kGroupMac).bytes();
    frame.insert(frame.end(), to.begin(), to.end());
    frame.insert(frame.end(), {0x02, 0, 0, 0, 0, 0x07, 0x08, 0x00});
    frame.insert(frame.end(), ready.begin(), ready.end());
    frame.resize(frame.size() + padding);
    return frame;
  }
};

struct Case {
  std::string what;
  bool accepted = false;
  std::function<void(Frame&)> change;  // of an advertisement of priority 200 that is right in every way
  bool nopreempt = false;
  uint8_t version = 2;
};

void set_priority(Frame& f, uint8_t priority) {
  f.packet[22] = priority;
}
void set_password(Frame& f, std::string_view password) {
  std::memset(&f.packet[f.packet.size() - 8], 0, 8);
  std::memcpy(&f.packet[f.packet.size() - 8], password.data(), password.size());
}
void resize(Frame& f, int by) {
  f.packet.resize(f.packet.size() + static_cast<size_t>(by));
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"priority 200", true, [](Frame&) {}},
      {"our priority", true, [](Frame& f) { set_priority(f, 100); }},
      {"priority 50 to one that preempts", false, [](Frame& f) { set_priority(f, 50); }},
      {"priority 50 to one with nopreempt", true, [](Frame& f) { set_priority(f, 50); }, true},
      {"priority 255", true, [](Frame& f) { set_priority(f, 255); }},
      {"TTL 254", false, [](Frame& f) { f.packet[8] = 254; }},
      {"TTL 1", false, [](Frame& f) { f.packet[8] = 1; }},
      {"wrong checksum", false, [](Frame& f) { f.wrong_checksum = true; }},
      {"version 3", false, [](Frame& f) { f.packet[20] = 0x31; }},
      {"type 2", false, [](Frame& f) { f.packet[20] = 0x22; }},
      {"authentication type 0", false, [](Frame& f) { f.packet[24] = 0; }},
      {"authentication type 3", false, [](Frame& f) { f.packet[24] = 3; }},
      {"wrong password", false, [](Frame& f) { set_password(f, "wrong"); }},
      {"a prefix of the password", false, [](Frame& f) { set_password(f, "s3cr3t1"); }},
      {"interval 2", false, [](Frame& f) { f.packet[25] = 2; }},
      {"count 5 with one address", false, [](Frame& f) { f.packet[23] = 5; }},
      {"no authentication bytes", false, [](Frame& f) { resize(f, -8); }},
      {"4 trailing bytes", false, [](Frame& f) { resize(f, 4); }},
      {"12 trailing bytes", false, [](Frame& f) { resize(f, 12); }},
      {"Ethernet padding", true, [](Frame& f) { f.padding = 6; }},
      {"IP options", true,
       [](Frame& f) {
         f.packet.insert(f.packet.begin() + 20, {0x94, 0x04, 0x00, 0x00});
         f.packet[0] = 0x46;
       }},
      {"four bytes of VRRP", false, [](Frame& f) { resize(f, -16); }},
      {"sent to our own address", false,
       [](Frame& f) {
         const uint32_t own = kOwn.network();
         std::memcpy(&f.packet[16], &own, sizeof own);
         f.to_our_mac = true;
       }},
      {"other virtual addresses", true, [](Frame& f) { f.packet[31] ^= 1; }},
      {"count 0", false,
       [](Frame& f) {
         f.packet[23] = 0;
         f.packet.erase(f.packet.begin() + 28, f.packet.begin() + 32);
       }},
      {"from our own address", false,
       [](Frame& f) {
         const uint32_t own = kOwn.network();
         std::memcpy(&f.packet[12], &own, sizeof own);
       }},
      {"for another virtual router", false, [](Frame& f) { f.packet[21] = 200; }},
      {"a fragment", false, [](Frame& f) { f.packet[6] = 0x20; }},
      {"version 3, checksum with a pseudo-header", true, [](Frame& f) { f.pseudo_header = true; }, false, 3},
      {"version 3, checksum over the message only", true, [](Frame&) {}, false, 3},
      {"version 3, wrong checksum", false, [](Frame& f) { f.wrong_checksum = true; }, false, 3},
      {"version 3, half our interval", true, [](Frame& f) { put_u16(f.packet, 24, 50); }, false, 3},
      {"version 3, interval 0", false, [](Frame& f) { put_u16(f.packet, 24, 0); }, false, 3},
      {"version 3, interval 4095", true, [](Frame& f) { put_u16(f.packet, 24, 4095); }, false, 3},
      {"version 3, reserved bits set", true, [](Frame& f) { put_u16(f.packet, 24, 0xf064); }, false, 3},
      {"version 3, eight bytes of authentication", false, [](Frame& f) { resize(f, 8); }, false, 3},
      {"version 2 to version 3", false, [](Frame& f) { f.packet[20] = 0x21; }, false, 3},
  };
  return all;
}

// What the instances do to the network does not matter here.
struct NoPort : Port {
  base::Result<> send(const std::string&, const Datagram&) override { return {}; }
  base::Result<netlink::Added> add(const std::string&, const model::VirtualAddress&) override {
    return netlink::Added::now;
  }
  base::Result<netlink::Removed> remove(const std::string&, const model::VirtualAddress&) override {
    return netlink::Removed::now;
  }
  base::Result<netlink::Added> add_route(const model::VirtualRoute&) override { return netlink::Added::now; }
  base::Result<netlink::Removed> remove_route(const model::VirtualRoute&) override { return netlink::Removed::now; }
  base::Result<netlink::Added> add_to_lo(const base::Ip&) override { return netlink::Added::now; }
  base::Result<netlink::Removed> remove_from_lo(const base::Ip&) override { return netlink::Removed::now; }
  base::Result<> announce(const std::string&, const model::VirtualAddress&, int, base::Duration) override { return {}; }
};

constexpr uint8_t kEcho = 254;  // the virtual router whose advertisement ends a round

class Conformance {
 public:
  Conformance() {
    near_.listen(AF_INET, [this](const Datagram& datagram) { received(datagram); });
    near_.refresh(*netlink::find_link(netlink_, "near"), *netlink::addresses(netlink_), {});
    EXPECT_EQ(near_.problem(), "");
    for (size_t i = 0; i < cases().size(); ++i) add_instance(router_of(i), cases()[i].nopreempt, cases()[i].version);
    add_instance(kEcho, false, 2);
  }

  void one_round() {
    now_ = now_ + 900ms;
    for (size_t i = 0; i < cases().size(); ++i) inject(router_of(i), cases()[i].version, cases()[i].change);
    inject(kEcho, 2, [](Frame&) {});
    await_echo();
    for (auto& [router, instance] : instances_) {
      if (instance.deadline() && *instance.deadline() <= now_) instance.timer(now_);
    }
  }

  ipc::VrrpReport report(size_t i) const { return instances_.at(router_of(i)).report(); }

 private:
  static uint8_t router_of(size_t i) { return static_cast<uint8_t>(i + 1); }

  void add_instance(uint8_t router, bool nopreempt, uint8_t version) {
    ipc::VrrpAssignment a;
    a.instance.name = router == kEcho ? "echo" : cases()[router - 1u].what;
    a.instance.interface = "near";
    a.instance.virtual_router_id = router;
    a.instance.nopreempt = nopreempt;
    a.instance.version = version;
    a.instance.auth_pass = "s3cr3t12";
    a.instance.virtual_addresses = {ip("10.9.0.100")};
    a.lease = {router};
    instances_.try_emplace(router, a, port_, leases_).first->second.interface_is({.problem = {}, .source = kOwn}, now_);
  }

  void inject(uint8_t router, uint8_t version, const std::function<void(Frame&)>& change) {
    Frame frame;
    frame.packet = test::packet_of({.source = ip("10.9.0.7"),
                                    .virtual_router_id = router,
                                    .priority = 200,
                                    .interval = 1s,
                                    .addresses = {ip("10.9.0.100")}},
                                   "s3cr3t12", version);
    change(frame);
    const Packet bytes = frame.bytes((*netlink::find_link(netlink_, "near"))->mac);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = (*netlink::find_link(netlink_, "far"))->index;
    ASSERT_EQ(sendto(wire_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(bytes.size()));
  }

  void received(const Datagram& datagram) {
    const auto found = instances_.find(peek_virtual_router_id(datagram.message));
    if (found != instances_.end()) found->second.received(datagram, now_);
  }

  // Packets come in order: when this one is there, those before it are, too.
  void await_echo() {
    const uint64_t before = instances_.at(kEcho).report().adverts_received;
    bool late = false;
    auto there = [&] { return instances_.at(kEcho).report().adverts_received > before; };
    loop::Timer limit(loop_, [&] { late = true; });
    limit.start(5s);
    loop::Timer look(loop_, [&] {
      if (late || there()) loop_.stop();
    });
    look.start_every(1ms);
    loop_.run();
    EXPECT_TRUE(there());
  }

  static Leases leases_in_memory() {
    const base::Fd file(memfd_create("leases", MFD_CLOEXEC));
    EXPECT_EQ(ftruncate(file.get(), sizeof(xd_lease) * XD_MAX_LEASES), 0);
    return *Leases::map(file);
  }

  loop::Loop loop_;
  netlink::Socket netlink_ = *netlink::Socket::open();
  NoPort port_;
  Leases leases_ = leases_in_memory();
  base::Time now_{1'000'000'000'000};
  std::map<uint8_t, Instance> instances_;
  base::Fd wire_{socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
  Interface near_{loop_, netlink_, "near"};
};

TEST(VrrpConformance, ABackupHearsExactlyWhatItShould) {
  bool refused = false;
  std::thread([&] {
    refused = unshare(CLONE_NEWNET) != 0;
    if (refused) return;
    ASSERT_EQ(std::system("ip link add near type veth peer name far && ip link set near up && ip link set far up && "
                          "ip addr add 10.9.0.1/24 dev near && "
                          "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.near.rp_filter=0"),
              0);
    Conformance conformance;
    for (int round = 0; round < 5; ++round) conformance.one_round();
    for (size_t i = 0; i < cases().size(); ++i) {
      const ipc::VrrpReport report = conformance.report(i);
      EXPECT_EQ(report.state, cases()[i].accepted ? VrrpState::backup : VrrpState::master)
          << cases()[i].what << ": " << report.adverts_received << " heard, " << report.adverts_rejected
          << " rejected, the last because: " << report.last_rejected;
    }
  }).join();
  if (refused) GTEST_SKIP() << "needs the right to make a network namespace";
}

}  // namespace
}  // namespace vrrp
