// SPDX-License-Identifier: Apache-2.0
// notify_listener: stands in for systemd at the other end of NOTIFY_SOCKET; prints each line it is sent, with the
// seconds since its start before it.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <string>

#include "base/fd.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: notify_listener SOCKET\n", stderr);
    return 2;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string(argv[1]).copy(address.sun_path, sizeof address.sun_path - 1);
  unlink(argv[1]);
  const base::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    std::perror(argv[1]);
    return 1;
  }
  const auto start = std::chrono::steady_clock::now();
  std::array<char, 4096> text{};
  for (;;) {
    const ssize_t length = recv(socket.get(), text.data(), text.size(), 0);
    if (length < 0) return 1;
    std::istringstream lines(std::string(text.data(), static_cast<size_t>(length)));
    const std::chrono::duration<double> now = std::chrono::steady_clock::now() - start;
    for (std::string line; std::getline(lines, line);) std::printf("%.2f %s\n", now.count(), line.c_str());
    std::fflush(stdout);
  }
}
