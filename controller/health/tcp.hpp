// SPDX-License-Identifier: Apache-2.0
// The check `tcp`: passed when the real server accepts a connection within connect_timeout.
#pragma once

#include "health/check.hpp"

namespace health {

std::unique_ptr<Probe> start_tcp(loop::Loop& loop, const base::Ip& address, const model::TcpCheck& check,
                                 Probe::OnOutcome on_outcome);

// Whose fault an error of socket() or connect() is. 0: nobody's, the connection stands.
Verdict tcp_verdict(int error);

}  // namespace health
