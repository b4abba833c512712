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

struct Answer {
  long code = 0;
  std::string text;
};

base::Result<Answer> request(const std::string& path, bool post) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  Answer answer;
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, control::kControlSocket);
  curl_easy_setopt(curl.get(), CURLOPT_URL, ("http://xdirector" + path).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.text);
  if (post) curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, "");
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return base::fail(explain(code));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.code);
  return answer;
}

constexpr long kOk = 200;

// What the daemon answered, unless it refused.
base::Result<std::string> accepted(base::Result<Answer> answer) {
  if (!answer) return std::unexpected(answer.error());
  if (answer->code == kOk) return std::move(answer->text);
  while (answer->text.ends_with('\n')) answer->text.pop_back();
  return base::fail(answer->text.empty() ? fmt::format("the daemon answered {}", answer->code) : answer->text);
}

}  // namespace

base::Result<std::string> ask_daemon(const std::string& path) {
  return accepted(request(path, /*post=*/false));
}

base::Result<> tell_daemon(const std::string& path) {
  const auto done = accepted(request(path, /*post=*/true));
  if (!done) return std::unexpected(done.error());
  return {};
}

std::string path_segment(const std::string& text) {
  const std::unique_ptr<char, decltype(&curl_free)> escaped(
      curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size())), curl_free);
  return escaped ? escaped.get() : text;
}

}  // namespace cli
