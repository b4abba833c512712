// SPDX-License-Identifier: Apache-2.0
#include "cli/control_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "control/paths.hpp"

namespace cli {
namespace {

constexpr long kTimeoutSeconds = 5;

size_t append(char* data, size_t size, size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

std::string explain(CURLcode code) {
  if (geteuid() != 0) return "only root may ask the daemon; try with sudo";
  if (code == CURLE_COULDNT_CONNECT) {
    return fmt::format("no daemon answers on {}: start one with `xdirector run --config FILE`",
                       control::kControlSocket);
  }
  if (code == CURLE_OPERATION_TIMEDOUT) return fmt::format("the daemon did not answer within {} s", kTimeoutSeconds);
  return curl_easy_strerror(code);
}

}  // namespace

base::Result<std::string> ask_daemon(const std::string& path) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  std::string answer;
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, control::kControlSocket);
  curl_easy_setopt(curl.get(), CURLOPT_URL, ("http://xdirector" + path).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return base::fail(explain(code));
  return answer;
}

}  // namespace cli
