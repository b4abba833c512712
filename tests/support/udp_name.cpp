// SPDX-License-Identifier: Apache-2.0
// udp_name serve ADDRESS PORT NAME: answers every datagram with NAME, from the address that it was sent to.
// udp_name ask ADDRESS PORT: sends one datagram from a new port, prints the answer; exit code 1 when none comes. With
// --count N: so many from the same port, one after the other.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <string>

#include "base/fd.hpp"

namespace {

sockaddr_in to_sockaddr(const std::string& address, uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &result.sin_addr) != 1) throw std::runtime_error(address + ": no address");
  return result;
}

base::Fd open_socket() {
  base::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) throw std::runtime_error("cannot open a socket");
  return socket;
}

// Bound to the one address, so that answers leave with it.
int serve(const sockaddr_in& self, const std::string& name) {
  const base::Fd socket = open_socket();
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&self), sizeof self) != 0) {
    std::perror("udp_name: bind");
    return 1;
  }
  std::array<char, 2048> question{};
  while (true) {
    sockaddr_in client{};
    socklen_t length = sizeof client;
    if (recvfrom(socket.get(), question.data(), question.size(), 0, reinterpret_cast<sockaddr*>(&client), &length) < 0)
      continue;
    sendto(socket.get(), name.data(), name.size(), 0, reinterpret_cast<const sockaddr*>(&client), length);
  }
}

// Connected, so that only answers from the address asked are heard.
int ask(const sockaddr_in& server, int count) {
  const base::Fd socket = open_socket();
  const timeval patience{.tv_sec = 2, .tv_usec = 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) return 1;
  for (int i = 0; i < count; ++i) {
    std::array<char, 2048> answer{};
    if (send(socket.get(), "?", 1, 0) != 1) return 1;
    const ssize_t size = recv(socket.get(), answer.data(), answer.size(), 0);
    if (size < 0) return 1;
    std::printf("%.*s\n", static_cast<int>(size), answer.data());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string address, name;
  uint16_t port = 0;
  int count = 1;
  CLI::App app{"answers datagrams with a name, or asks for it"};
  app.require_subcommand(1);
  CLI::App* server = app.add_subcommand("serve");
  CLI::App* client = app.add_subcommand("ask");
  for (CLI::App* command : {server, client}) {
    command->add_option("address", address)->required();
    command->add_option("port", port)->required();
  }
  server->add_option("name", name)->required();
  client->add_option("--count", count);
  CLI11_PARSE(app, argc, argv);
  return *server ? serve(to_sockaddr(address, port), name) : ask(to_sockaddr(address, port), count);
}
