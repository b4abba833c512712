// SPDX-License-Identifier: Apache-2.0
// Any bytes as a received packet, of either family: no read out of bounds, and whatever is accepted is written back the
// same.
#include <cstdlib>
#include <optional>

#include "vrrp/packet.hpp"

namespace {

// What the kernel tells of an IPv6 packet, whose header the socket does not deliver.
std::optional<vrrp::Datagram> ipv6_datagram(std::span<const uint8_t> packet) {
  constexpr size_t kHeader = 40;
  if (packet.size() < kHeader || packet[0] >> 4 != 6) return std::nullopt;
  return vrrp::Datagram{.source = *base::Ip::from_network(&packet[8], 16),
                        .destination = *base::Ip::from_network(&packet[24], 16),
                        .hop_limit = packet[7],
                        .message = packet.subspan(kHeader)};
}

std::optional<vrrp::Datagram> datagram_of(std::span<const uint8_t> packet) {
  if (auto datagram = ipv6_datagram(packet)) return datagram;
  auto datagram = vrrp::decode_ipv4(packet);
  if (datagram) return *datagram;
  static_cast<void>(datagram.error().str());
  return std::nullopt;
}

void read_and_write(const vrrp::Datagram& datagram, model::VrrpInstance instance) {
  const auto advertisement = vrrp::decode(datagram, instance, {});
  if (!advertisement) return static_cast<void>(advertisement.error().str());
  instance.virtual_addresses.assign(advertisement->addresses.begin(), advertisement->addresses.end());
  if (instance.is_v6() != datagram.source.is_v6()) return;  // ::ffff:a.b.c.d in an IPv6 message
  instance.advert_int = advertisement->interval;
  const auto message = vrrp::encode(instance, advertisement->priority, advertisement->source, datagram.destination);
  const auto again = vrrp::decode({.source = advertisement->source,
                                   .destination = datagram.destination,
                                   .hop_limit = datagram.hop_limit,
                                   .message = message},
                                  instance, {});
  if (!again || *again != *advertisement) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto datagram = datagram_of({data, size});
  if (!datagram) return 0;
  model::VrrpInstance instance{.virtual_router_id = vrrp::peek_virtual_router_id(datagram->message)};
  instance.virtual_addresses = {datagram->source};  // of the packet's family
  for (const uint8_t version : {2, 3}) {
    for (const char* auth_pass : {"s3cr3t12", ""}) {
      instance.version = version;
      instance.auth_pass = auth_pass;
      read_and_write(*datagram, instance);
      model::VrrpInstance unicast = instance;
      unicast.unicast_peers = {{.address = datagram->source, .min_ttl = 1, .max_ttl = 255}};
      read_and_write(*datagram, unicast);
    }
  }
  return 0;
}
