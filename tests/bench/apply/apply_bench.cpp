// SPDX-License-Identifier: Apache-2.0
// How long the largest configuration takes to be applied: 4,096 virtual servers with 49,151 real servers in all, from
// empty, and then with one line changed. Needs root; makes maps of its own, attaches nothing.
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <string>

#include "config/load.hpp"
#include "dataplane/maps.hpp"
#include "dataplane/named_maps.hpp"
#include "model/schedules.hpp"
#include "xdirector/limits.h"
#include "xdirector/maps.h"

// Behind what it is made of.
#include <xdirector.skel.h>

namespace {

constexpr int kVirtualServers = XD_MAX_VIRTUAL_SERVERS, kRealServers = XD_MAX_REAL_SERVERS - 1;

template <typename T>
T check(base::Result<T> result) {
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().message);
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double cpu_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Prints how long it took, and how much of it on a CPU.
template <typename Do>
auto timed(const char* what, const Do& action) {
  const auto begun = std::chrono::steady_clock::now();
  const double cpu = cpu_milliseconds();
  auto result = action();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
  fmt::print("  {:<32} {:8.1f} ms, on a CPU {:8.1f} ms\n", what, took.count(), cpu_milliseconds() - cpu);
  return result;
}

std::string address(int net, int number) {
  return fmt::format("{}.{}.{}.{}", net, number >> 16, number >> 8 & 255, number & 255);
}

std::string config_text(const char* scheduler) {
  std::string text = R"({"interfaces": ["eth0"], "virtual_servers": [)";
  int real = 0;
  for (int i = 0; i < kVirtualServers; ++i) {
    text += fmt::format(R"({}{{"address": "{}", "port": 80, "lb_algo": "{}", "lb_kind": "DR", "real_servers": [)",
                        i == 0 ? "" : ",\n", address(10, i + 1), scheduler);
    const int end = kRealServers * (i + 1) / kVirtualServers;
    for (bool first = true; real < end; ++real, first = false) {
      text += fmt::format(R"({}{{"address": "{}", "port": 80, "weight": 10, "checks": [{{"type": "tcp"}}]}})",
                          first ? "" : ", ", address(11, real + 1));
    }
    text += "]}";
  }
  return text + "]}";
}

model::Config load(const std::string& text) {
  auto loaded = config::load(text, "bench");
  if (!loaded) {
    fmt::print(stderr, "{}\n", loaded.error().front().str());
    std::exit(1);
  }
  return std::move(loaded->config);
}

model::Surroundings surroundings(const model::Config& config) {
  model::Surroundings around{.tick = std::chrono::seconds(1)};
  for (const auto& server : config.virtual_servers) {
    for (const auto& real : server.real_servers) around.next_hops[real.address] = {1, {}, base::kBroadcastMac};
  }
  return around;
}

class Bench {
 public:
  Bench() : program_(xdirector::open(), xdirector::destroy) {
    bpf_map__set_max_entries(program_->maps.connections, XD_MIN_BUCKETS);
    if (xdirector::load(program_.get()) != 0) {
      fmt::print(stderr, "cannot load the program; are you root?\n");
      std::exit(1);
    }
    maps_ = std::make_unique<dataplane::Maps>(check(dataplane::Maps::open(dataplane::map_fds(*program_))));
  }

  void apply(const std::string& text) {
    const model::Config config = timed("read and check the file", [&] { return load(text); });
    const model::Surroundings around = surroundings(config);
    apply(config, around);
  }

  void apply(const model::Config& config, const model::Surroundings& around) {
    model::Tables desired =
        timed("desired tables", [&] { return check(model::desired_tables(config, around, tables_)); });
    timed("write the difference", [&] {
      check(maps_->change(tables_, desired));
      return 0;
    });
    tables_ = std::move(desired);
  }

  // As the daemon does after each pass of its sweep.
  void rebalance(const model::Config& config) {
    std::vector<model::ConnectionCounts> counts(XD_MAX_REAL_SERVERS);
    for (size_t i = 0; i < counts.size(); ++i) counts[i] = {.active = i % 17, .inactive = i % 5};
    const model::Cycles cycles = timed("least connections: new cycles", [&] {
      return model::rebalanced(config, tables_, counts, [](model::Index) { return 1000; });
    });
    timed("write them", [&] {
      check(maps_->change_cycles(cycles));
      return 0;
    });
  }

  void read() {
    timed("read back", [&] { return maps_->read(); });
  }

 private:
  std::unique_ptr<xdirector, decltype(&xdirector::destroy)> program_;
  std::unique_ptr<dataplane::Maps> maps_;
  model::Tables tables_;
};

}  // namespace

int main() {
  std::string text = config_text("wrr");
  fmt::print("{} virtual servers, {} real servers, {:.1f} MB of JSON\n", kVirtualServers, kRealServers,
             static_cast<double>(text.size()) / 1e6);
  Bench bench;
  fmt::print("from empty\n");
  bench.apply(text);
  fmt::print("nothing changed\n");
  bench.apply(text);
  fmt::print("one weight changed\n");
  const std::string weight = "\"weight\": 10";
  text.replace(text.rfind(weight), weight.size(), "\"weight\": 20");
  bench.apply(text);
  fmt::print("one real server down\n");
  const model::Config config = load(text);
  model::Surroundings around = surroundings(config);
  const model::VirtualServer& server = config.virtual_servers[kVirtualServers / 2];
  around.down.insert({server.key, model::key_of(server.real_servers[0])});
  bench.apply(config, around);
  fmt::print("every virtual server lc\n");
  const std::string lc = config_text("lc");
  bench.apply(lc);
  bench.rebalance(load(lc));
  bench.read();
}
