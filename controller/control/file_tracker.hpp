// SPDX-License-Identifier: Apache-2.0
// track_file: the number in a file, seen as soon as a writer closes it or another file takes its place. No file: 0.
#pragma once

#include <optional>
#include <string>

#include "base/fd.hpp"
#include "control/tracker.hpp"
#include "loop/loop.hpp"

namespace control {

class FileTracker : public Tracker {
 public:
  using Definition = model::TrackFile;
  FileTracker(loop::Loop& loop, Definition file, OnChange on_change);

  const Definition& definition() const { return file_; }
  void change(const Definition& file);

 private:
  void watch();
  void events();
  void look_again();
  void read(bool being_written);

  loop::Loop& loop_;
  Definition file_;
  base::Fd inotify_;
  std::optional<loop::Watch> inotify_watch_;
  loop::Timer timer_;
};

}  // namespace control
