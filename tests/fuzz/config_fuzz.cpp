// SPDX-License-Identifier: Apache-2.0
// Any bytes are a configuration or a list of errors: no crash, no exception, and each error has a place and a text of
// one line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/load.hpp"

namespace {

void expect(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto loaded = config::load(std::string_view(reinterpret_cast<const char*>(data), size), "f");
  expect(loaded || !loaded.error().empty());
  expect(loaded || loaded.error().front().severity == config::Severity::error);
  for (const config::Diagnostic& diagnostic : loaded ? loaded->warnings : loaded.error()) {
    const std::string line = diagnostic.str();
    expect(diagnostic.position.line > 0 && diagnostic.position.column > 0 && !diagnostic.message.empty());
    expect(line.find('\n') == std::string::npos && line.find('\0') == std::string::npos);
  }
  return 0;
}
