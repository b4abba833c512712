// SPDX-License-Identifier: Apache-2.0
#include "control/command_user.hpp"

#include <pwd.h>
#include <unistd.h>

namespace control {

base::Result<loop::Identity> user_of(const model::Command& command) {
  if (!command.user.empty()) return loop::identity_of(command.user, command.group);
  if (auto of_keepalived = loop::identity_of("keepalived_script", command.group)) return of_keepalived;
  const passwd* ours = getpwuid(geteuid());
  return loop::identity_of(ours == nullptr ? "root" : ours->pw_name, command.group);
}

}  // namespace control
