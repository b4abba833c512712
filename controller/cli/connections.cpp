// SPDX-License-Identifier: Apache-2.0
// xdirector connections: what `ipvsadm -Lnc` would have shown, from the pinned tables; a daemon is not needed.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "cli/connection_filter.hpp"
#include "cli/connection_text.hpp"

namespace cli {
namespace {

struct Wanted {
  ConnectionFilter filter;
  bool persistence = false, count = false, json = false;
};

// Rows go out a buffer at a time.
class Output {
 public:
  explicit Output(const Wanted& wanted) : wanted_(wanted) {}

  template <typename Row>
  void add(const Row& row) {
    if (!wanted_.filter.matches(row)) return;
    ++count_;
    if (wanted_.count) return;
    if (wanted_.json) {
      buffer_.append(std::string_view(count_ == 1 ? "[\n" : ",\n"));
      append_json(buffer_, row);
    } else {
      if (count_ == 1 || row.client.is_v6() != last_is_v6_) append_heading(buffer_, row);
      last_is_v6_ = row.client.is_v6();
      append_row(buffer_, row);
    }
    if (buffer_.size() >= kFlushAt) flush();
  }

  void end() {
    if (wanted_.count) {
      fmt::format_to(std::back_inserter(buffer_), "{}\n", count_);
    } else if (wanted_.json) {
      buffer_.append(std::string_view(count_ == 0 ? "[]\n" : "\n]\n"));
    }
    flush();
  }

 private:
  static constexpr size_t kFlushAt = 64 << 10;

  void flush() {
    std::fwrite(buffer_.data(), 1, buffer_.size(), stdout);
    buffer_.clear();
  }

  const Wanted& wanted_;
  Buffer buffer_;
  uint64_t count_ = 0;
  bool last_is_v6_ = false;
};

base::Result<> show(const Wanted& wanted) {
  if (::geteuid() != 0) return base::fail("only root can read the tables; try sudo");
  const base::Result<dataplane::PinnedTables> tables = dataplane::PinnedTables::open();
  if (!tables) return std::unexpected(tables.error());
  Output output(wanted);
  if (wanted.persistence) {
    tables->for_each_template([&](const dataplane::PersistenceTemplate& row) { output.add(row); });
  } else {
    tables->for_each_connection([&](const dataplane::Connection& row) { output.add(row); });
  }
  output.end();
  return {};
}

// An option whose text `parse` understands.
template <typename Value>
CLI::Option* add_filter(CLI::App& app, const std::string& name, std::optional<Value>& value,
                        std::optional<Value> (*parse)(std::string_view), const std::string& form,
                        const std::string& meaning) {
  auto take = [&value, parse, name, form](const std::string& text) {
    value = parse(text);
    if (!value) throw CLI::ValidationError(name, fmt::format("\"{}\" is not like {}", text, form));
  };
  return app.add_option_function<std::string>(name, take, meaning)->type_name(form);
}

}  // namespace

void add_connections(CLI::App& app, int& exit_code) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command =
      app.add_subcommand("connections", "List the connections (as `ipvsadm -Lnc`), with or without a running daemon");
  ConnectionFilter& filter = wanted->filter;
  add_filter(*command, "--client", filter.client, Network::parse, "ADDRESS[/PREFIX]", "Only those of these clients");
  add_filter(*command, "--real", filter.real_server, Endpoint::parse, "ADDRESS[:PORT]", "Only this real server's");
  add_filter(*command, "--virtual", filter.virtual_server, Endpoint::parse, "ADDRESS[:PORT]",
             "Only those to this virtual address");
  CLI::Option* state = add_filter(*command, "--state", filter.state, parse_state, "opening|established|closing",
                                  "Only those in this state");
  command->add_flag("--persistence", wanted->persistence, "Persistence templates in place of connections")
      ->excludes(state);
  CLI::Option* count = command->add_flag("--count", wanted->count, "Only how many there are");
  command->add_flag("--json", wanted->json, "A list of objects, for programs")->excludes(count);
  command->callback([wanted, &exit_code] {
    const base::Result<> done = show(*wanted);
    if (done) return;
    fmt::print(stderr, "xdirector connections: {}\n", done.error().message);
    exit_code = 1;
  });
}

}  // namespace cli
