// SPDX-License-Identifier: Apache-2.0
// Any bytes as a received packet: no read out of bounds, and whatever is accepted is written back the same.
#include <cstdlib>

#include "vrrp/packet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> packet(data, size);
  const auto datagram = vrrp::decode_ipv4(packet);
  if (!datagram) {
    static_cast<void>(datagram.error().str());
    return 0;
  }
  for (const char* auth_pass : {"s3cr3t12", ""}) {
    model::VrrpInstance instance{.virtual_router_id = vrrp::peek_virtual_router_id(datagram->message),
                                 .auth_pass = auth_pass};
    const auto advertisement = vrrp::decode(*datagram, instance, {});
    if (!advertisement) {
      static_cast<void>(advertisement.error().str());
      continue;
    }
    instance.virtual_addresses.assign(advertisement->addresses.begin(), advertisement->addresses.end());
    const auto message = vrrp::encode(instance, advertisement->priority, advertisement->source, datagram->destination);
    const auto again = vrrp::decode({.source = advertisement->source,
                                     .destination = datagram->destination,
                                     .hop_limit = vrrp::kHopLimit,
                                     .message = message},
                                    instance, {});
    if (!again || *again != *advertisement) std::abort();
  }
  return 0;
}
