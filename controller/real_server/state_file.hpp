// SPDX-License-Identifier: Apache-2.0
// StateFile: what real-server add has changed, in /run/xdirector-real-server/ID.json. In /run, because a reboot undoes
// the changes too. ID is the network namespace's cookie (the host's own is 1), which is never used twice between boots:
// hosts that are namespaces of one machine do not mix up their states.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "real_server/plan.hpp"

namespace real_server {

inline constexpr const char* kStateFolder = "/run/xdirector-real-server";

std::string encode(const Saved& saved);
base::Result<Saved> decode(std::string_view text);

class StateFile {
 public:
  // Waits until no other real-server command is at work, and keeps others waiting as long as it lives.
  static base::Result<StateFile> open(const std::string& folder = kStateFolder);

  base::Result<Saved> read() const;                // no file: nothing saved
  base::Result<> write(const Saved& saved) const;  // at once or not at all; nothing to save: no file

 private:
  StateFile(base::Fd folder, std::string path, std::string name)
      : folder_(std::move(folder)), path_(std::move(path)), name_(std::move(name)) {}
  base::Fd folder_;  // locked
  std::string path_, name_;
};

}  // namespace real_server
