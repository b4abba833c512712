// SPDX-License-Identifier: Apache-2.0
// What is told of the instances' and groups' changes of state, each once, in keepalived's words. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/messages.hpp"
#include "model/config.hpp"

namespace control {

enum class Subject { instance, group };
enum class ToldState { master, backup, fault, stop };
std::string_view name(ToldState state);  // "MASTER", "BACKUP", "FAULT", "STOP"

struct Transition {
  Subject subject = Subject::instance;
  std::string name;
  ToldState state = ToldState::backup;
  int priority = 0;  // of a group: 0

  friend bool operator==(const Transition&, const Transition&) = default;
};

// keepalived's four words: INSTANCE or GROUP, name, state, priority.
std::vector<std::string> words(const Transition& transition);
// Its line for a fifo: INSTANCE "VI_1" MASTER 100.
std::string line(const Transition& transition);

// What is to be run, in this order: notify_STATE as it is configured, then notify with the four words after its own.
std::vector<model::Command> commands(const model::Notify& notify, const Transition& transition);

class Transitions {
 public:
  // Those that are no longer configured are told as FAULT, as keepalived does.
  std::vector<Transition> configure(const model::Config& config);

  // A report that repeats what was told last, or that comes from a worker that begins anew (INIT), tells nothing.
  // A group is told when all its members are in the same state.
  std::vector<Transition> report(const ipc::VrrpReport& report);

  // The end of whatever has been told to be something.
  std::vector<Transition> stop();

 private:
  void tell(std::vector<Transition>& news, const Transition& transition);
  void tell_groups(std::vector<Transition>& news);

  struct Told {
    ToldState state = ToldState::backup;
    int priority = 0;
  };
  std::vector<std::string> instances_;
  std::vector<model::SyncGroup> groups_;
  std::map<std::string, Told> of_instances_, of_groups_;
};

}  // namespace control
