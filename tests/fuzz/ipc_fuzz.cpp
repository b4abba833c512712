// SPDX-License-Identifier: Apache-2.0
// Any bytes are a message or an error; what is a message survives being sent on.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ipc/messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message = ipc::decode(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!message) return message.error().message.empty() ? std::abort(), 1 : 0;
  const auto again = ipc::decode(ipc::encode(*message));
  if (!again || *again != *message) std::abort();
  return 0;
}
