// SPDX-License-Identifier: Apache-2.0
// Where the control plane keeps what outlives it, apart from the BPF pins.
#pragma once

namespace control {

inline constexpr const char* kRunDirectory = "/run/xdirector";  // 0700
inline constexpr const char* kControlSocket = "/run/xdirector/control.sock";
inline constexpr const char* kLockFile = "/run/xdirector/lock";
inline constexpr const char* kFenceFile = "/run/xdirector/fence.json";

}  // namespace control
