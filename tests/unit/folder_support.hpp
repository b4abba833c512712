// SPDX-License-Identifier: Apache-2.0
// For tests with files and programs of their own: a directory in /tmp that goes with the test.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace test {

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "xd-test-XXXXXX";
    path_ = mkdtemp(name.data());
    chmod(path_.c_str(), 0755);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return path_ / name; }
  // Another file in its place, complete from the first moment.
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    const std::string made = file(name + ".new");
    std::ofstream(made) << text;
    chmod(made.c_str(), mode);
    std::filesystem::rename(made, file(name));
    return file(name);
  }
  std::string script(const std::string& name, const std::string& text) const {
    return write(name, "#!/bin/sh\n" + text + "\n", 0755);
  }

 private:
  std::filesystem::path path_;
};

inline std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace test
