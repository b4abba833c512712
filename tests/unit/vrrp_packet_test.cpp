// SPDX-License-Identifier: Apache-2.0
// The advertisement's codec: the bytes that keepalived 2.2.7 sends, and each way in which a packet can be wrong.
#include "vrrp/packet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "vrrp/announce.hpp"
#include "vrrp_support.hpp"

namespace vrrp {
namespace {

using namespace std::chrono_literals;
using test::packet_of;

using Packet = std::vector<uint8_t>;

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

Packet bytes(std::string_view hex) {
  Packet out;
  std::string digits;
  std::ranges::copy_if(hex, std::back_inserter(digits), [](char c) { return c != ' '; });
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return out;
}

constexpr const char* kPassword = "s3cr3t12";

Advertisement advertisement(uint8_t priority, const char* source = "10.99.0.1") {
  return {.source = ip(source),
          .virtual_router_id = 100,
          .priority = priority,
          .interval = 1s,
          .addresses = {ip("10.99.0.100")}};
}

model::VrrpInstance ours() {
  return {.virtual_router_id = 100, .auth_pass = kPassword, .virtual_addresses = {ip("10.99.0.100")}};
}

std::expected<Advertisement, Rejection> read(std::span<const uint8_t> packet,
                                             const model::VrrpInstance& instance = ours()) {
  return test::decode_packet(packet, instance, ip("10.99.0.2"));
}

Packet message_of(const Packet& packet) {
  return {packet.begin() + 20, packet.end()};
}

void put_u16(Packet& packet, size_t at, size_t value) {
  packet[at] = static_cast<uint8_t>(value >> 8);
  packet[at + 1] = static_cast<uint8_t>(value);
}

// A checksum that is right again after the message was changed, so that only what a test means is wrong.
void mend_checksum(Packet& packet) {
  const size_t header = static_cast<size_t>(packet[0] & 0xf) * 4;
  put_u16(packet, header + 6, 0);
  uint32_t sum = 0;
  for (size_t i = header; i + 1 < packet.size(); i += 2) sum += static_cast<uint32_t>(packet[i] << 8 | packet[i + 1]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  put_u16(packet, header + 6, ~sum & 0xffff);
}

// --- what we send

TEST(VrrpPacket, MessagesAreTheBytesThatKeepalivedSends) {
  EXPECT_EQ(message_of(packet_of(advertisement(100), kPassword)), bytes("21646401 01013386 0a630064 7333637233743132"));
  EXPECT_EQ(message_of(packet_of(advertisement(50), kPassword)), bytes("21643201 01016586 0a630064 7333637233743132"));
  EXPECT_EQ(message_of(packet_of(advertisement(0), kPassword)), bytes("21640001 01019786 0a630064 7333637233743132"));
}

TEST(VrrpPacket, TheIpHeaderIsTheOneThatKeepalivedSendsButForWhatTheKernelFillsIn) {
  Packet wanted = bytes("45c00028000a0000ff70d0250a630001e0000012");
  put_u16(wanted, 4, 0);   // identification
  put_u16(wanted, 10, 0);  // checksum
  const Packet packet = packet_of(advertisement(100), kPassword);
  EXPECT_EQ(Packet(packet.begin(), packet.begin() + 20), wanted);
}

TEST(VrrpPacket, WithoutAPasswordTheAuthenticationBytesAreThereAndZero) {
  const Packet message = message_of(packet_of(advertisement(100), ""));
  ASSERT_EQ(message.size(), 20u);
  EXPECT_EQ(message[4], 0) << "authentication type";
  EXPECT_TRUE(std::ranges::all_of(message.end() - 8, message.end(), [](uint8_t b) { return b == 0; }));
}

TEST(VrrpPacket, APasswordIsPaddedWithZeroesAndCutAtEightBytes) {
  const Packet padded = packet_of(advertisement(100), "abc");
  EXPECT_EQ(Packet(padded.end() - 8, padded.end()), bytes("6162630000000000"));
  const Packet cut = packet_of(advertisement(100), "s3cr3t12345");
  EXPECT_EQ(Packet(cut.end() - 8, cut.end()), bytes("7333637233743132"));
}

TEST(VrrpPacket, ReadsBackWhatItWrote) {
  Advertisement many = advertisement(254);
  for (uint8_t i = 1; i < 255; ++i) many.addresses.emplace_back(base::Ipv4::from_host(0x0a630100u + i));
  ASSERT_EQ(many.addresses.size(), 255u);
  EXPECT_EQ(read(packet_of(many, kPassword)), many);
}

// --- what we accept

TEST(VrrpPacket, AcceptsTheFrameCapturedFromKeepalived) {
  const Packet captured = bytes("45c00028000a0000ff70d0250a630001e0000012 21646401010133860a6300647333637233743132");
  EXPECT_EQ(read(captured), advertisement(100));
}

TEST(VrrpPacket, AcceptsEthernetPaddingBeyondTheIpLength) {
  Packet packet = packet_of(advertisement(100), kPassword);
  packet.resize(packet.size() + 6, 0xaa);
  EXPECT_TRUE(read(packet));
}

TEST(VrrpPacket, AcceptsIpOptions) {
  Packet packet = packet_of(advertisement(100), kPassword);
  packet.insert(packet.begin() + 20, {0x94, 0x04, 0x00, 0x00});  // router alert
  packet[0] = 0x46;
  put_u16(packet, 2, packet.size());
  EXPECT_TRUE(read(packet));
  EXPECT_EQ(peek_virtual_router_id(decode_ipv4(packet)->message), 100);
}

TEST(VrrpPacket, AcceptsOtherAddressesThanOursAndTellsThem) {
  Advertisement other = advertisement(100);
  other.addresses = {ip("10.99.0.7"), ip("10.99.0.8")};
  EXPECT_EQ(read(packet_of(other, kPassword))->addresses, other.addresses);
}

TEST(VrrpPacket, AcceptsEveryPriorityFromAPeer) {
  for (const int priority : {0, 1, 50, 100, 254, 255}) {
    EXPECT_TRUE(read(packet_of(advertisement(static_cast<uint8_t>(priority)), kPassword))) << priority;
  }
}

TEST(VrrpPacket, AcceptsAnyPasswordOfWhichTheFirstEightBytesAgree) {
  model::VrrpInstance longer = ours();
  longer.auth_pass = "s3cr3t12345";
  EXPECT_TRUE(read(packet_of(advertisement(100), kPassword), longer));
}

// --- what we reject: a good packet with one thing changed

struct Wrong {
  const char* what;
  Reason reason;
  std::function<void(Packet&)> change;
  bool mend = true;  // the message's checksum afterwards
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.what;
}

class VrrpPacketRejects : public testing::TestWithParam<Wrong> {};

TEST_P(VrrpPacketRejects, AndSaysWhy) {
  Packet packet = packet_of(advertisement(200), kPassword);
  GetParam().change(packet);
  if (GetParam().mend) mend_checksum(packet);
  const auto decoded = read(packet);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().reason, GetParam().reason) << decoded.error().str();
  EXPECT_EQ(decoded.error().str().find(kPassword), std::string::npos);
}

void resize_message(Packet& packet, int by) {
  packet.resize(packet.size() + static_cast<size_t>(by));
  put_u16(packet, 2, packet.size());
}

INSTANTIATE_TEST_SUITE_P(
    All, VrrpPacketRejects,
    testing::Values(Wrong{"IP version 6", Reason::malformed_ip, [](Packet& p) { p[0] = 0x65; }},
                    Wrong{"IP header shorter than 20", Reason::malformed_ip, [](Packet& p) { p[0] = 0x44; }, false},
                    Wrong{"IP length beyond the packet", Reason::malformed_ip,
                          [](Packet& p) { put_u16(p, 2, p.size() + 1); }},
                    Wrong{"IP length within its header", Reason::malformed_ip, [](Packet& p) { put_u16(p, 2, 19); }},
                    Wrong{"more fragments", Reason::fragment, [](Packet& p) { p[6] = 0x20; }},
                    Wrong{"a later fragment", Reason::fragment, [](Packet& p) { p[7] = 1; }},
                    Wrong{"another protocol", Reason::protocol, [](Packet& p) { p[9] = 17; }},
                    Wrong{"sent to one host", Reason::destination, [](Packet& p) { p[16] = 10, p[19] = 2; }},
                    Wrong{"TTL 254", Reason::ttl, [](Packet& p) { p[8] = 254; }},
                    Wrong{"TTL 1", Reason::ttl, [](Packet& p) { p[8] = 1; }},
                    Wrong{"four bytes of VRRP", Reason::too_short, [](Packet& p) { resize_message(p, -16); }, false},
                    Wrong{"no byte of VRRP", Reason::too_short, [](Packet& p) { resize_message(p, -20); }, false},
                    Wrong{"version 3", Reason::version, [](Packet& p) { p[20] = 0x31; }},
                    Wrong{"type 2", Reason::type, [](Packet& p) { p[20] = 0x22; }},
                    Wrong{"another virtual router", Reason::virtual_router_id, [](Packet& p) { p[21] = 101; }},
                    Wrong{"count 0", Reason::no_addresses, [](Packet& p) { p[23] = 0; }},
                    Wrong{"count 5, one address", Reason::length, [](Packet& p) { p[23] = 5; }},
                    Wrong{"authentication bytes missing", Reason::length, [](Packet& p) { resize_message(p, -8); }},
                    Wrong{"4 trailing bytes", Reason::length, [](Packet& p) { resize_message(p, 4); }},
                    Wrong{"12 trailing bytes", Reason::length, [](Packet& p) { resize_message(p, 12); }},
                    Wrong{"checksum", Reason::checksum, [](Packet& p) { p[26] ^= 1; }, false},
                    Wrong{"priority without its checksum", Reason::checksum, [](Packet& p) { p[22] = 201; }, false},
                    Wrong{"authentication type 0", Reason::auth_type, [](Packet& p) { p[24] = 0; }},
                    Wrong{"authentication type 3", Reason::auth_type, [](Packet& p) { p[24] = 3; }},
                    Wrong{"last byte of the password", Reason::password, [](Packet& p) { p.back() ^= 1; }},
                    Wrong{"only a prefix of the password", Reason::password, [](Packet& p) { p.back() = 0; }},
                    Wrong{"interval 2", Reason::advert_int, [](Packet& p) { p[25] = 2; }},
                    Wrong{"our own address", Reason::own_source, [](Packet& p) { p[15] = 2; }}));

TEST(VrrpPacket, WithoutAPasswordOfOursOneFromAPeerIsRejected) {
  model::VrrpInstance open = ours();
  open.auth_pass = "";
  EXPECT_TRUE(read(packet_of(advertisement(100), ""), open));
  EXPECT_EQ(read(packet_of(advertisement(100), kPassword), open).error().reason, Reason::auth_type);
}

TEST(VrrpPacket, EveryCutAndEveryChangedByteIsRejectedOrReadWithoutHarm) {
  const Packet good = packet_of(advertisement(200), kPassword);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(read(std::span(good).first(size))) << size;
    if (size >= 20) peek_virtual_router_id(std::span(good).subspan(20, size - 20));
  }
  for (size_t at = 20; at < good.size(); ++at) {
    Packet changed = good;
    changed[at] ^= 0x10;
    EXPECT_FALSE(read(changed)) << at;
  }
}

TEST(VrrpPacket, ARejectionNamesWhatItGotAndWhatItWanted) {
  Packet packet = packet_of(advertisement(200), kPassword);
  packet[8] = 64;
  const Rejection rejection = read(packet).error();
  EXPECT_EQ(rejection.str(), "TTL 64 instead of 255");
  EXPECT_EQ(rejection.source, ip("10.99.0.1"));
}

// --- gratuitous ARP

TEST(GratuitousArp, IsTheFrameThatKeepalivedSends) {
  const ArpFrame frame = gratuitous_arp(*base::Mac::parse("02:00:00:00:02:01"), ip("10.99.0.100").v4());
  EXPECT_EQ(Packet(frame.begin(), frame.end()),
            bytes("ffffffffffff 020000000201 0806 0001080006040001 020000000201 0a630064 ffffffffffff 0a630064"));
}

}  // namespace
}  // namespace vrrp
