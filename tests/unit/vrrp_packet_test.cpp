// SPDX-License-Identifier: Apache-2.0
// The advertisement's codec: the bytes that keepalived 2.2.7 sends, and each way in which a packet can be wrong. First
// version 2 as whole IPv4 packets; then version 3 and IPv6, and what is the same for all.
#include "vrrp/packet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

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

// --- version 3 and IPv6: a datagram, which a test may change

const base::Ip kPeer6 = ip("fe80::ff:fe00:201"), kOwn6 = ip("fe80::ff:fe00:202");

enum class Kind { version_2, version_3, ipv6 };

void PrintTo(Kind kind, std::ostream* out) {
  *out << (kind == Kind::version_2 ? "version 2" : kind == Kind::version_3 ? "version 3" : "IPv6");
}

model::VrrpInstance instance_of(Kind kind) {
  model::VrrpInstance instance{.virtual_router_id = 100, .version = 3, .virtual_addresses = {ip("10.99.0.100")}};
  if (kind == Kind::version_2) return ours();
  if (kind == Kind::ipv6) instance.virtual_addresses = {ip("fe80::100"), ip("2001:db8::100")};
  return instance;
}

base::Ip peer_of(Kind kind) {
  return kind == Kind::ipv6 ? kPeer6 : ip("10.99.0.1");
}
base::Ip own_of(Kind kind) {
  return kind == Kind::ipv6 ? kOwn6 : ip("10.99.0.2");
}

struct Sample {
  model::VrrpInstance instance;  // ours; the peer's, too, when it was sent
  base::Ip source, destination;
  uint8_t hop_limit = 255;
  Packet message;
  base::Ip own_source;
  std::vector<Network> networks = {};

  Datagram datagram() const {
    return {.source = source, .destination = destination, .hop_limit = hop_limit, .message = message};
  }
  std::expected<Advertisement, Rejection> read() const {
    return decode(datagram(), instance, {.source = own_source, .networks = networks});
  }
  // What we think of it; nullopt: it is accepted.
  std::optional<Reason> reason() const {
    const auto decoded = read();
    return decoded ? std::nullopt : std::optional(decoded.error().reason);
  }
  void mend_checksum() {
    put_u16(message, 6, 0);
    Packet all = message;
    if (instance.version == 3) {
      for (const base::Ip& address : {source, destination}) {
        all.insert(all.end(), address.network().begin(), address.network().end());
      }
      all.insert(all.end(),
                 {0, kProtocol, static_cast<uint8_t>(message.size() >> 8), static_cast<uint8_t>(message.size())});
    }
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < all.size(); i += 2) sum += static_cast<uint32_t>(all[i] << 8 | all[i + 1]);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    put_u16(message, 6, ~sum & 0xffff);
  }
};

Sample sample(const model::VrrpInstance& instance, const base::Ip& source, const base::Ip& own_source,
              uint8_t priority = 200) {
  const base::Ip destination = destinations(instance).front();
  return {.instance = instance,
          .source = source,
          .destination = destination,
          .message = encode(instance, priority, source, destination),
          .own_source = own_source};
}

Sample sample(Kind kind, uint8_t priority = 200) {
  return sample(instance_of(kind), peer_of(kind), own_of(kind), priority);
}

Sample unicast_sample(Kind kind) {
  Sample s = sample(kind);
  s.instance.unicast_peers = {{.address = s.source}};
  s.destination = s.own_source;
  s.mend_checksum();
  return s;
}

Packet message_of(const model::VrrpInstance& instance, uint8_t priority, const char* source) {
  return encode(instance, priority, ip(source), destinations(instance).front());
}

TEST(VrrpVersion3, MessagesAreTheBytesThatKeepalivedSends) {
  model::VrrpInstance fast = instance_of(Kind::version_3);
  fast.advert_int = 100ms;
  EXPECT_EQ(message_of(fast, 100, "10.99.0.1"), bytes("31646401 000a74d6 0a630064"));
  EXPECT_EQ(message_of(fast, 50, "10.99.0.2"), bytes("31643201 000aa6d5 0a630064"));
  EXPECT_EQ(message_of(fast, 0, "10.99.0.1"), bytes("31640001 000ad8d6 0a630064"));
}

TEST(VrrpVersion3, TheChecksumIsOverTheMessageOnlyWhereRfc9568IsAskedFor) {
  model::VrrpInstance instance = instance_of(Kind::version_3);
  instance.checksum = model::Checksum::message_only;
  EXPECT_EQ(message_of(instance, 100, "10.99.0.1"), bytes("31646401 00645f6f 0a630064"));
}

TEST(VrrpVersion3, Ipv6MessagesAreTheBytesThatKeepalivedSends) {
  EXPECT_EQ(message_of(instance_of(Kind::ipv6), 100, "fe80::ff:fe00:201"),
            bytes("31646402 00643ccc fe800000000000000000000000000100 20010db8000000000000000000000100"));
}

TEST(VrrpVersion3, OverIpv6TheChecksumAlwaysHasThePseudoHeader) {
  model::VrrpInstance instance = instance_of(Kind::ipv6);
  const Packet with = message_of(instance, 100, "fe80::1");
  instance.checksum = model::Checksum::message_only;
  EXPECT_EQ(message_of(instance, 100, "fe80::1"), with);
  Sample s = sample(Kind::ipv6);
  s.message = bytes("31646402 00640000 fe800000000000000000000000000100 20010db8000000000000000000000100");
  Packet as_ipv4 = Packet(20);  // the message-only sum, by version 2's helper
  as_ipv4[0] = 0x45;
  as_ipv4.insert(as_ipv4.end(), s.message.begin(), s.message.end());
  mend_checksum(as_ipv4);
  s.message = message_of(as_ipv4);
  EXPECT_EQ(s.reason(), Reason::checksum);
}

TEST(VrrpVersion3, TheIpv6HeaderIsTheOneThatKeepalivedSends) {
  const Packet packet = encode_ip(sample(Kind::ipv6).datagram());
  EXPECT_EQ(Packet(packet.begin(), packet.begin() + 40),
            bytes("6c000000 0028 70 ff fe8000000000000000 0000fffe000201 ff020000000000000000000000000012"));
}

TEST(VrrpVersion3, EitherReadingOfTheChecksumIsAcceptedWhicheverWeSend) {
  for (const auto own : {model::Checksum::pseudo_header, model::Checksum::message_only}) {
    Sample s = sample(Kind::version_3);
    s.instance.checksum = own;
    s.message = bytes("31646401 00645f6f 0a630064");  // message only
    EXPECT_EQ(s.reason(), std::nullopt);
    s.mend_checksum();
    EXPECT_NE(s.message, bytes("31646401 00645f6f 0a630064"));
    EXPECT_EQ(s.reason(), std::nullopt);
  }
}

TEST(VrrpVersion3, TellsTheIntervalOfThePeerWhateverOursIs) {
  for (const unsigned centiseconds : {1u, 50u, 100u, 4095u}) {
    Sample s = sample(Kind::version_3);
    put_u16(s.message, 4, centiseconds);
    s.mend_checksum();
    ASSERT_EQ(s.reason(), std::nullopt);
    EXPECT_EQ(s.read()->interval, centiseconds * 10ms);
  }
}

TEST(VrrpVersion3, TheReservedBitsDoNotCount) {
  Sample s = sample(Kind::version_3);
  put_u16(s.message, 4, 0xf064);
  s.mend_checksum();
  ASSERT_EQ(s.reason(), std::nullopt);
  EXPECT_EQ(s.read()->interval, 1s);
}

TEST(VrrpVersion3, ReadsBackWhatItWrote) {
  for (const Kind kind : {Kind::version_2, Kind::version_3, Kind::ipv6}) {
    Sample s = sample(kind, 254);
    const Advertisement wanted{.source = peer_of(kind),
                               .virtual_router_id = 100,
                               .priority = 254,
                               .interval = 1s,
                               .addresses = s.read().value_or(Advertisement{}).addresses};
    ASSERT_EQ(s.reason(), std::nullopt);
    EXPECT_EQ(*s.read(), wanted);
    EXPECT_EQ(wanted.addresses.size(), s.instance.virtual_addresses.size());
    EXPECT_EQ(wanted.addresses.back(), s.instance.virtual_addresses.back().ip);
  }
}

TEST(VrrpVersion3, AnIpv6ListWithoutALinkLocalAddressIsHeard) {
  Sample s = sample(Kind::ipv6);
  s.instance.virtual_addresses = {ip("2001:db8::100")};
  s.message = encode(s.instance, 200, s.source, s.destination);
  EXPECT_EQ(s.reason(), std::nullopt);
}

TEST(VrrpVersion3, TheLongestIpv6ListIsReadBack) {
  Sample s = sample(Kind::ipv6);
  s.instance.virtual_addresses.assign(255, ip("2001:db8::1"));
  s.message = encode(s.instance, 200, s.source, s.destination);
  ASSERT_EQ(s.reason(), std::nullopt);
  EXPECT_EQ(s.read()->addresses.size(), 255u);
}

// --- rejected in every version and family

struct WrongSample {
  const char* what;
  Reason reason;
  std::function<void(Sample&)> change;
  bool mend = true;
};

void PrintTo(const WrongSample& wrong, std::ostream* out) {
  *out << wrong.what;
}

class VrrpRejects : public testing::TestWithParam<std::tuple<Kind, WrongSample>> {};

TEST_P(VrrpRejects, InEveryVersionAndFamily) {
  const auto& [kind, wrong] = GetParam();
  Sample s = sample(kind);
  ASSERT_EQ(s.reason(), std::nullopt);
  wrong.change(s);
  if (wrong.mend) s.mend_checksum();
  EXPECT_EQ(s.reason(), wrong.reason);
  EXPECT_NE(s.read().error().str(), "");
  EXPECT_EQ(s.read().error().source, s.source);
}

INSTANTIATE_TEST_SUITE_P(
    All, VrrpRejects,
    testing::Combine(
        testing::Values(Kind::version_2, Kind::version_3, Kind::ipv6),
        testing::Values(
            WrongSample{"sent to us alone", Reason::destination, [](Sample& s) { s.destination = s.own_source; }},
            WrongSample{"sent to the other family's group", Reason::destination,
                        [](Sample& s) { s.destination = s.instance.is_v6() ? base::Ip(kGroup) : kGroup6; }},
            WrongSample{"hop limit 254", Reason::ttl, [](Sample& s) { s.hop_limit = 254; }},
            WrongSample{"hop limit 1", Reason::ttl, [](Sample& s) { s.hop_limit = 1; }},
            WrongSample{"empty", Reason::too_short, [](Sample& s) { s.message.clear(); }, false},
            WrongSample{"four bytes", Reason::too_short, [](Sample& s) { s.message.resize(4); }, false},
            WrongSample{"seven bytes", Reason::too_short, [](Sample& s) { s.message.resize(7); }, false},
            WrongSample{"another version", Reason::version, [](Sample& s) { s.message[0] ^= 0x10; }},
            WrongSample{"version 4", Reason::version, [](Sample& s) { s.message[0] = 0x41; }},
            WrongSample{"type 2", Reason::type, [](Sample& s) { s.message[0] ^= 0x03; }},
            WrongSample{"another virtual router", Reason::virtual_router_id, [](Sample& s) { s.message[1] = 101; }},
            WrongSample{"count 0", Reason::no_addresses, [](Sample& s) { s.message[3] = 0; }},
            WrongSample{"one address too many", Reason::length, [](Sample& s) { ++s.message[3]; }},
            WrongSample{"4 bytes too many", Reason::length, [](Sample& s) { s.message.resize(s.message.size() + 4); }},
            WrongSample{"12 bytes too many", Reason::length,
                        [](Sample& s) { s.message.resize(s.message.size() + 12); }},
            WrongSample{"the HMAC trailer of keepalived 2.4", Reason::length,
                        [](Sample& s) { s.message.resize(s.message.size() + 28); }},
            WrongSample{"4 bytes missing", Reason::length, [](Sample& s) { s.message.resize(s.message.size() - 4); }},
            WrongSample{"checksum", Reason::checksum, [](Sample& s) { s.message[7] ^= 1; }, false},
            WrongSample{"another priority without its checksum", Reason::checksum,
                        [](Sample& s) { s.message[2] = 201; }, false},
            WrongSample{"an interval of 0", Reason::advert_int, [](Sample& s) { s.message[5] = 0; }},
            WrongSample{"our own address", Reason::own_source, [](Sample& s) { s.source = s.own_source; }})));

TEST(VrrpVersion3, AnIntervalOf0IsRejectedWhateverTheReservedBitsAre) {
  Sample s = sample(Kind::version_3);
  put_u16(s.message, 4, 0xf000);
  s.mend_checksum();
  EXPECT_EQ(s.reason(), Reason::advert_int);
}

TEST(VrrpVersion3, AnIpv6MessageIsBoundToItsAddressesByTheChecksum) {
  Sample s = sample(Kind::ipv6);
  s.source = ip("fe80::ff:fe00:203");
  EXPECT_EQ(s.reason(), Reason::checksum);
}

class VrrpKinds : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(All, VrrpKinds, testing::Values(Kind::version_2, Kind::version_3, Kind::ipv6));

TEST_P(VrrpKinds, EveryPriorityOfAPeerIsHeard) {
  for (const int priority : {0, 1, 100, 254, 255}) {
    const Sample s = sample(GetParam(), static_cast<uint8_t>(priority));
    ASSERT_EQ(s.reason(), std::nullopt) << priority;
    EXPECT_EQ(s.read()->priority, priority);
  }
}

TEST_P(VrrpKinds, EveryCutIsRejectedAndEveryChangedByteReadWithoutHarm) {
  const Sample good = sample(GetParam());
  for (size_t size = 0; size < good.message.size(); ++size) {
    Sample cut = good;
    cut.message.resize(size);
    EXPECT_NE(cut.reason(), std::nullopt) << size;
  }
  for (size_t at = 0; at < good.message.size(); ++at) {
    Sample changed = good;
    changed.message[at] ^= 0x10;
    EXPECT_NE(changed.reason(), std::nullopt) << at;
  }
}

TEST_P(VrrpKinds, ASourceOutsideTheNetworkIsRejectedOnlyWhereThatIsAskedFor) {
  Sample s = sample(GetParam());
  s.networks = {{.address = s.own_source, .prefix_length = static_cast<uint8_t>(s.own_source.bits() - 8)},
                {.address = ip("192.0.2.1"), .prefix_length = 24}};
  s.instance.check_source_network = true;
  EXPECT_EQ(s.reason(), std::nullopt);
  s.source = s.own_source.is_v6() ? ip("2001:db8::7") : ip("10.98.0.7");
  s.mend_checksum();
  EXPECT_EQ(s.reason(), Reason::source_network);
  s.instance.check_source_network = false;
  EXPECT_EQ(s.reason(), std::nullopt);
}

TEST_P(VrrpKinds, AnotherAddressListIsRejectedOnlyWhereThatIsAskedFor) {
  Sample s = sample(GetParam());
  s.message.at(8 + (s.own_source.is_v6() ? 15 : 3)) ^= 1;
  s.mend_checksum();
  EXPECT_EQ(s.reason(), std::nullopt);
  s.instance.strict_address_list = true;
  EXPECT_EQ(s.reason(), Reason::address_list);
  s.message[2] = 255;
  s.mend_checksum();
  EXPECT_EQ(s.reason(), std::nullopt) << "the owner of the addresses is believed";
}

TEST(VrrpVersion3, AStrictAddressListMayHaveAnotherOrder) {
  Sample s = sample(Kind::ipv6);
  s.instance.strict_address_list = true;
  std::ranges::reverse(s.instance.virtual_addresses);
  EXPECT_EQ(s.reason(), std::nullopt);
}

// --- unicast

TEST(VrrpUnicast, ItIsSentToEachPeerWithTheTtlThatIsConfigured) {
  model::VrrpInstance instance = instance_of(Kind::version_3);
  EXPECT_EQ(destinations(instance), std::vector<base::Ip>{kGroup});
  EXPECT_EQ(hop_limit(instance), 255);
  instance.unicast_peers = {{.address = ip("10.99.0.1")}, {.address = ip("10.99.0.3")}};
  instance.unicast_ttl = 64;
  EXPECT_EQ(destinations(instance), (std::vector{ip("10.99.0.1"), ip("10.99.0.3")}));
  EXPECT_EQ(hop_limit(instance), 64);
  EXPECT_EQ(destinations(instance_of(Kind::ipv6)), std::vector<base::Ip>{ip("ff02::12")});
}

TEST_P(VrrpKinds, UnicastFromAPeerIsHeard) {
  EXPECT_EQ(unicast_sample(GetParam()).reason(), std::nullopt);
}

TEST_P(VrrpKinds, WithUnicastPeersNothingThatIsSentToTheGroupIsHeard) {
  Sample s = unicast_sample(GetParam());
  s.destination = sample(GetParam()).destination;
  s.mend_checksum();
  EXPECT_EQ(s.reason(), Reason::destination);
}

TEST_P(VrrpKinds, UnicastFromSomeoneElseIsRejected) {
  Sample s = unicast_sample(GetParam());
  s.source = s.own_source.is_v6() ? ip("fe80::7") : ip("10.99.0.7");
  s.mend_checksum();
  EXPECT_EQ(s.reason(), Reason::unknown_peer);
}

TEST_P(VrrpKinds, AUnicastHopLimitMustBeWithinThePeersRange) {
  Sample s = unicast_sample(GetParam());
  s.hop_limit = 64;
  EXPECT_EQ(s.reason(), std::nullopt) << "as far away as it likes, unless it is configured";
  s.instance.unicast_peers.front().min_ttl = 255;
  EXPECT_EQ(s.reason(), Reason::ttl);
  s.instance.unicast_peers.front() = {.address = s.source, .min_ttl = 60, .max_ttl = 64};
  EXPECT_EQ(s.reason(), std::nullopt);
  for (const uint8_t outside : {59, 65, 255}) {
    s.hop_limit = outside;
    EXPECT_EQ(s.reason(), Reason::ttl) << int{outside};
  }
}

TEST(VrrpUnicast, TheDestinationIsInThePseudoHeader) {
  Sample s = unicast_sample(Kind::version_3);
  EXPECT_EQ(s.message, encode(s.instance, 200, s.source, s.destination));
  EXPECT_NE(s.message, encode(s.instance, 200, s.source, kGroup));
}

}  // namespace
}  // namespace vrrp
