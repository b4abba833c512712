// SPDX-License-Identifier: Apache-2.0
// Any bytes as a received packet: no read out of bounds, and whatever is accepted is written back the same.
#include <cstdlib>

#include "vrrp/packet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> packet(data, size);
  for (const char* auth_pass : {"s3cr3t12", ""}) {
    const auto advertisement = vrrp::decode(
        packet, {.virtual_router_id = vrrp::peek_virtual_router_id(packet), .advert_int = 1, .auth_pass = auth_pass});
    if (!advertisement) {
      static_cast<void>(advertisement.error().str());
      continue;
    }
    const auto again =
        vrrp::decode(vrrp::encode(*advertisement, auth_pass),
                     {.virtual_router_id = advertisement->virtual_router_id, .advert_int = 1, .auth_pass = auth_pass});
    if (!again || *again != *advertisement) std::abort();
  }
  return 0;
}
