// SPDX-License-Identifier: Apache-2.0
// http_load: keeps a number of HTTP requests in flight, a connection each, and counts every answer and every failure.
//
// Ends after --seconds or at SIGTERM, when those in flight are done. Prints one line of JSON: requests, failed, the
// first few reasons, the longest time without an answer, and how many answers began with which word (the real server's
// name).
#include <curl/curl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kRampUp{1000};  // else all requests would go on in step

volatile std::sig_atomic_t stop_asked = 0;

struct Options {
  std::string url;
  int in_flight = 1;
  double seconds = 3600;
  long timeout_ms = 10'000;
  long pause_ms = 0;  // of each of them, between an answer and its next request
};

struct Request {
  CURL* handle = nullptr;
  std::string body;
  Clock::time_point not_before;
};

class Load {
 public:
  explicit Load(Options options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void run();
  nlohmann::json report() const;

 private:
  bool over() const { return stop_asked != 0 || Clock::now() >= end_; }
  void start_due_requests();
  void start(Request& request);
  void collect();
  void finished(Request& request, CURLcode code);
  void answered(const Request& request);

  Options options_;
  CURLM* multi_ = curl_multi_init();
  std::vector<std::unique_ptr<Request>> idle_;
  std::map<CURL*, std::unique_ptr<Request>> running_;
  Clock::time_point end_;
  Clock::time_point last_answer_ = Clock::now();
  Clock::duration longest_gap_{};
  int requests_ = 0;
  int failed_ = 0;
  std::vector<std::string> reasons_;
  std::map<std::string, int> hosts_;
};

Load::Load(Options options)
    : options_(std::move(options)),
      end_(Clock::now() +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.seconds))) {
  for (int i = 0; i < options_.in_flight; ++i) {
    idle_.push_back(std::make_unique<Request>());
    idle_.back()->handle = curl_easy_init();
    idle_.back()->not_before = last_answer_ + kRampUp * i / options_.in_flight;
  }
}

Load::~Load() {
  for (auto& request : idle_) curl_easy_cleanup(request->handle);
  curl_multi_cleanup(multi_);
}

void Load::run() {
  while (!over() || !running_.empty()) {
    if (!over()) start_due_requests();
    int running = 0;
    curl_multi_perform(multi_, &running);
    collect();
    curl_multi_poll(multi_, nullptr, 0, 20, nullptr);
  }
}

void Load::start_due_requests() {
  const auto now = Clock::now();
  std::vector<std::unique_ptr<Request>> waiting;
  for (auto& request : idle_) {
    if (request->not_before > now) {
      waiting.push_back(std::move(request));
      continue;
    }
    start(*request);
    CURL* handle = request->handle;
    running_.emplace(handle, std::move(request));
  }
  idle_ = std::move(waiting);
}

size_t append_body(char* data, size_t size, size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

void Load::start(Request& request) {
  request.body.clear();
  curl_easy_setopt(request.handle, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(request.handle, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(request.handle, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(request.handle, CURLOPT_TIMEOUT_MS, options_.timeout_ms);
  curl_easy_setopt(request.handle, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(request.handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(request.handle, CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(request.handle, CURLOPT_WRITEDATA, &request.body);
  curl_multi_add_handle(multi_, request.handle);
}

void Load::collect() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* handle = message->easy_handle;
    const CURLcode code = message->data.result;
    curl_multi_remove_handle(multi_, handle);
    auto node = running_.extract(handle);
    finished(*node.mapped(), code);
    node.mapped()->not_before = Clock::now() + Milliseconds(options_.pause_ms);
    idle_.push_back(std::move(node.mapped()));
  }
}

void Load::finished(Request& request, CURLcode code) {
  ++requests_;
  if (code == CURLE_OK) return answered(request);
  ++failed_;
  if (reasons_.size() < 5) reasons_.emplace_back(curl_easy_strerror(code));
}

void Load::answered(const Request& request) {
  const auto now = Clock::now();
  longest_gap_ = std::max(longest_gap_, now - last_answer_);
  last_answer_ = now;
  ++hosts_[request.body.substr(0, request.body.find_first_of(" \n"))];
}

nlohmann::json Load::report() const {
  const auto gap = std::max(longest_gap_, failed_ > 0 ? Clock::now() - last_answer_ : Clock::duration{});
  return {{"requests", requests_},
          {"failed", failed_},
          {"reasons", reasons_},
          {"longest_gap_ms", std::chrono::duration_cast<Milliseconds>(gap).count()},
          {"hosts", hosts_}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"keeps HTTP requests in flight and counts what fails"};
  app.add_option("url", options.url)->required();
  app.add_option("--in-flight", options.in_flight, "requests at any time");
  app.add_option("--seconds", options.seconds, "how long to start new ones (else until SIGTERM)");
  app.add_option("--timeout-ms", options.timeout_ms, "of one request");
  app.add_option("--pause-ms", options.pause_ms, "between an answer and the next request");
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGTERM, [](int) { stop_asked = 1; });
  std::signal(SIGINT, [](int) { stop_asked = 1; });
  curl_global_init(CURL_GLOBAL_DEFAULT);
  nlohmann::json report;
  {
    Load load(options);
    load.run();
    report = load.report();
  }
  curl_global_cleanup();
  std::puts(report.dump().c_str());
  return report["failed"] == 0 ? 0 : 1;
}
