// SPDX-License-Identifier: Apache-2.0
// notify_fifo: lines for whoever reads them. Nothing here ever waits for a reader.
#pragma once

#include <string>

#include "base/fd.hpp"

namespace control {

class NotifyFifo {
 public:
  // Made (for root alone) if there is none; kept at the end, so that its readers need not come again. Empty: none.
  void configure(const std::string& path);

  // Without a reader lines wait, as many as the fifo holds; then they are dropped.
  void write(const std::string& line);

 private:
  std::string path_;
  base::Fd fd_;
  int dropped_ = 0;
};

}  // namespace control
