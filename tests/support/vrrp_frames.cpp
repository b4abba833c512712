// SPDX-License-Identifier: Apache-2.0
#include "vrrp_frames.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <stdexcept>

namespace peer {
namespace {

using View = std::span<const uint8_t>;

constexpr uint8_t kVrrp = 112, kIcmpv6 = 58, kNeighbourAdvertisement = 136;
constexpr size_t kEthernet = 14, kMessageHeader = 8, kPassword = 8, kChecksumAt = 6;

// --- bytes

void put16(Bytes& to, size_t value) {
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}

void put(Bytes& to, View bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

uint16_t get16(View from, size_t at) {
  return static_cast<uint16_t>(from[at] << 8 | from[at + 1]);
}

Bytes address(const std::string& text) {
  Bytes bytes(text.contains(':') ? 16 : 4);
  if (inet_pton(bytes.size() == 16 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) != 1) {
    throw std::runtime_error("not an address: \"" + text + "\"");
  }
  return bytes;
}

std::string text(View address) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(address.size() == 16 ? AF_INET6 : AF_INET, address.data(), buffer.data(), buffer.size());
  return buffer.data();
}

Bytes mac(const std::string& text) {
  std::array<unsigned, 6> b{};
  if (std::sscanf(text.c_str(), "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6) {
    throw std::runtime_error("not a MAC address: \"" + text + "\"");
  }
  return {b.begin(), b.end()};
}

std::string mac_text(View b) {
  std::array<char, 18> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
  return buffer.data();
}

// RFC 1071.
uint16_t checksum(View bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

void set_checksum(Bytes& in, size_t at, uint16_t value) {
  in[at] = static_cast<uint8_t>(value >> 8);
  in[at + 1] = static_cast<uint8_t>(value);
}

// What a checksum with a pseudo-header runs over: RFC 5798 for IPv4, RFC 8200 for IPv6.
Bytes with_pseudo_header(View source, View destination, uint8_t protocol, View message) {
  Bytes bytes;
  put(bytes, source);
  put(bytes, destination);
  if (source.size() == 16) {
    bytes.insert(bytes.end(), {0, 0});
    put16(bytes, message.size());
    bytes.insert(bytes.end(), {0, 0, 0, protocol});
  } else {
    bytes.insert(bytes.end(), {0, protocol});
    put16(bytes, message.size());
  }
  put(bytes, message);
  return bytes;
}

// --- building

void refuse_unknown_keys(const Json& wish) {
  static const std::set<std::string> known{
      "vrid",      "priority",     "addresses", "version",  "interval", "type",     "source",
      "mac",       "destination",  "ttl",       "count",    "reserved", "checksum", "auth_pass",
      "auth_type", "without_auth", "trailing",  "truncate", "padding",  "fragment", "ip_options",
      "announce",  "after_ms",     "every_ms",  "times",    "rate"};
  for (const auto& [key, value] : wish.items()) {
    if (!known.contains(key)) throw std::runtime_error("no such key: \"" + key + "\"");
  }
}

// Who sends to whom; decides between IPv4 and IPv6.
struct Ends {
  Bytes source, destination, mac;
  bool v6() const { return source.size() == 16; }
};

Ends ends(const Json& wish, const Own& own) {
  const auto addresses = wish.value("addresses", std::vector<std::string>{});
  const bool v6 = !addresses.empty() && addresses.front().contains(':');
  Ends e;
  e.source = address(wish.value("source", v6 ? own.ipv6_link_local : own.ipv4));
  e.destination = address(wish.value("destination", e.v6() ? "ff02::12" : "224.0.0.18"));
  e.mac = mac(wish.value("mac", e.v6() ? "33:33:00:00:00:12" : "01:00:5e:00:00:12"));
  return e;
}

uint16_t message_checksum(const Json& wish, const Ends& ends, const Bytes& message, bool version_2) {
  const auto kind = wish.value("checksum", std::string("right"));
  const bool pseudo = ends.v6() || kind == "pseudo" || (!version_2 && kind != "message");
  const uint16_t right = checksum(pseudo ? with_pseudo_header(ends.source, ends.destination, kVrrp, message) : message);
  return kind == "wrong" ? right ^ 0x5555 : right;
}

Bytes message(const Json& wish, const Ends& ends) {
  const auto addresses = wish.value("addresses", std::vector<std::string>{});
  const int version = wish.value("version", ends.v6() ? 3 : 2);
  const bool version_2 = version != 3;
  const auto password = wish.value("auth_pass", std::string());
  Bytes m{static_cast<uint8_t>(version << 4 | wish.value("type", 1)), wish.value("vrid", uint8_t{0}),
          wish.value("priority", uint8_t{100}), wish.value("count", static_cast<uint8_t>(addresses.size()))};
  if (version_2) {
    m.push_back(wish.value("auth_type", uint8_t{password.empty() ? uint8_t{0} : uint8_t{1}}));
    m.push_back(wish.value("interval", uint8_t{1}));
  } else {
    put16(m, static_cast<size_t>(wish.value("reserved", 0) << 12 | wish.value("interval", 100)));
  }
  put16(m, 0);
  for (const std::string& a : addresses) put(m, address(a));
  if (version_2 && !wish.value("without_auth", false)) {
    Bytes data(password.begin(), password.end());
    data.resize(kPassword);
    put(m, data);
  }
  m.resize(m.size() + wish.value("trailing", size_t{0}));
  set_checksum(m, kChecksumAt, message_checksum(wish, ends, m, version_2));
  m.resize(std::min(m.size(), wish.value("truncate", m.size())));
  return m;
}

Bytes ipv4(const Json& wish, const Ends& ends, const Bytes& payload) {
  const auto options = wish.value("ip_options", size_t{0});
  Bytes p{static_cast<uint8_t>(0x45 + options / 4), 0xc0};
  put16(p, 20 + options + payload.size());
  put16(p, 0);
  put16(p, wish.value("fragment", false) ? 0x2000 : 0);
  p.insert(p.end(), {wish.value("ttl", uint8_t{255}), kVrrp, 0, 0});
  put(p, ends.source);
  put(p, ends.destination);
  p.resize(p.size() + options, 1);  // "no operation"
  set_checksum(p, 10, checksum(p));
  put(p, payload);
  return p;
}

Bytes ipv6(const Ends& ends, uint8_t protocol, uint8_t hop_limit, const Bytes& payload) {
  Bytes p{0x6c, 0, 0, 0};
  put16(p, payload.size());
  p.insert(p.end(), {protocol, hop_limit});
  put(p, ends.source);
  put(p, ends.destination);
  put(p, payload);
  return p;
}

Bytes ethernet(View to, View from, uint16_t type, View payload) {
  Bytes f;
  put(f, to);
  put(f, from);
  put16(f, type);
  put(f, payload);
  return f;
}

Bytes gratuitous_arp(const Bytes& ip, const Own& own) {
  const Bytes broadcast(6, 0xff);
  Bytes arp{0, 1, 8, 0, 6, 4, 0, 1};
  put(arp, own.mac);
  put(arp, ip);
  put(arp, broadcast);
  put(arp, ip);
  return ethernet(broadcast, own.mac, 0x0806, arp);
}

Bytes unsolicited_na(const Bytes& ip, const Own& own) {
  const Ends to_all{ip, address("ff02::1"), mac("33:33:00:00:00:01")};
  Bytes na{kNeighbourAdvertisement, 0, 0, 0, 0x20, 0, 0, 0};
  put(na, ip);
  na.insert(na.end(), {2, 1});
  put(na, own.mac);
  set_checksum(na, 2, checksum(with_pseudo_header(to_all.source, to_all.destination, kIcmpv6, na)));
  return ethernet(to_all.mac, own.mac, 0x86dd, ipv6(to_all, kIcmpv6, 255, na));
}

Bytes announcement(const std::string& announced, const Own& own) {
  const Bytes ip = address(announced);
  return ip.size() == 16 ? unsolicited_na(ip, own) : gratuitous_arp(ip, own);
}

// --- reading

std::string checksum_kind(View source, View destination, View message) {
  const bool alone = checksum(message) == 0;
  if (checksum(with_pseudo_header(source, destination, kVrrp, message)) == 0) return "pseudo";
  return alone ? "message" : "wrong";
}

std::optional<Json> read_advert(View source, View destination, uint8_t ttl, View m) {
  if (m.size() < kMessageHeader) return std::nullopt;
  const int version = m[0] >> 4;
  Json advert{{"kind", "advert"},
              {"version", version},
              {"type", m[0] & 0xf},
              {"vrid", m[1]},
              {"priority", m[2]},
              {"ttl", ttl},
              {"source", text(source)},
              {"destination", text(destination)},
              {"checksum", checksum_kind(source, destination, m)},
              {"interval_cs", version == 2 ? m[5] * 100 : get16(m, 4) & 0x0fff},
              {"addresses", Json::array()}};
  View rest = m.subspan(kMessageHeader);
  for (int i = 0; i < m[3] && rest.size() >= source.size(); ++i) {
    advert["addresses"].push_back(text(rest.first(source.size())));
    rest = rest.subspan(source.size());
  }
  if (version == 2) {
    advert["auth_type"] = m[4];
    const std::string password(rest.begin(), rest.end());
    advert["auth_pass"] = password.substr(0, password.find('\0'));
  }
  advert["rest"] = rest.size();  // 8 in version 2, 0 in version 3
  return advert;
}

std::optional<Json> read_ipv4(View p) {
  const size_t header = p.size() < 20 ? 0 : static_cast<size_t>(p[0] & 0xf) * 4;
  if (header < 20 || p[9] != kVrrp || get16(p, 2) < header || get16(p, 2) > p.size()) return std::nullopt;
  return read_advert(p.subspan(12, 4), p.subspan(16, 4), p[8], p.subspan(header, get16(p, 2) - header));
}

std::optional<Json> read_ipv6(View p) {
  if (p.size() < 40 || p.size() < 40u + get16(p, 4)) return std::nullopt;
  const View source = p.subspan(8, 16), destination = p.subspan(24, 16), payload = p.subspan(40, get16(p, 4));
  if (p[6] == kVrrp) return read_advert(source, destination, p[7], payload);
  const bool unsolicited = destination[0] == 0xff && p[6] == kIcmpv6 && payload.size() >= 24 &&
                           payload[0] == kNeighbourAdvertisement && (payload[4] & 0x40) == 0;
  if (!unsolicited) return std::nullopt;
  return Json{{"kind", "announcement"}, {"address", text(payload.subspan(8, 16))}, {"source", text(source)}};
}

std::optional<Json> read_arp(View a) {
  if (a.size() < 28 || !std::ranges::equal(a.subspan(14, 4), a.subspan(24, 4))) return std::nullopt;
  return Json{{"kind", "announcement"}, {"address", text(a.subspan(14, 4))}, {"mac", mac_text(a.subspan(8, 6))}};
}

}  // namespace

Bytes frame(const Json& wish, const Own& own) {
  refuse_unknown_keys(wish);
  if (wish.contains("announce")) return announcement(wish["announce"], own);
  const Ends e = ends(wish, own);
  const Bytes m = message(wish, e);
  Bytes f = e.v6() ? ethernet(e.mac, own.mac, 0x86dd, ipv6(e, kVrrp, wish.value("ttl", uint8_t{255}), m))
                   : ethernet(e.mac, own.mac, 0x0800, ipv4(wish, e, m));
  f.resize(f.size() + wish.value("padding", size_t{0}), 0xa5);
  return f;
}

std::optional<Json> describe(View f) {
  if (f.size() < kEthernet) return std::nullopt;
  std::optional<Json> what;
  const View payload = f.subspan(kEthernet);
  switch (get16(f, 12)) {
    case 0x0800:
      what = read_ipv4(payload);
      break;
    case 0x0806:
      what = read_arp(payload);
      break;
    case 0x86dd:
      what = read_ipv6(payload);
      break;
    default:
      break;
  }
  if (what) (*what)["from"] = mac_text(f.subspan(6, 6));
  return what;
}

}  // namespace peer
