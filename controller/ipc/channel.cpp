// SPDX-License-Identifier: Apache-2.0
#include "ipc/channel.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <vector>

namespace ipc {
namespace {

// A packet: one byte that says where the text is, then the text if it is here. Up to two descriptors come along: the
// memory file of a long text first, then what the sender attached.
constexpr char kInline = 'i', kMemoryFile = 'm';
constexpr size_t kLongestInline = 32 * 1024;
constexpr off_t kLongestText = 64 * 1024 * 1024;
constexpr size_t kMaxFds = 2;
constexpr int kPacketsAtOnce = 64;  // then the rest of the loop has its turn, however much the peer talks

base::Result<base::Fd> to_memory_file(const std::string& text) {
  base::Fd file(memfd_create("xdirector-message", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return base::fail_errno("cannot make a memory file");
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(file.get(), text.data() + done, text.size() - done);
    if (n < 0) return base::fail_errno("cannot write a memory file");
    done += static_cast<size_t>(n);
  }
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return base::fail_errno("cannot seal a memory file");
  }
  return file;
}

base::Result<std::string> from_memory_file(const base::Fd& file) {
  // Only a file that can no longer change under our hands is read.
  const int seals = fcntl(file.get(), F_GET_SEALS);
  struct stat stat{};
  if (seals < 0 || (seals & F_SEAL_WRITE) == 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(file.get(), &stat) != 0 ||
      stat.st_size > kLongestText) {
    return base::fail("a message came in a file that is not a sealed memory file");
  }
  std::string text(static_cast<size_t>(stat.st_size), '\0');
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = pread(file.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n <= 0) return base::fail_errno("cannot read a memory file");
    done += static_cast<size_t>(n);
  }
  return text;
}

struct Packet {
  std::string bytes;
  std::vector<base::Fd> fds;
};

// nullopt: nothing more to read now. An empty packet: the peer is gone, or a part of its packet is lost: a descriptor
// for which this process has no number left must not be missed silently.
std::optional<Packet> receive(int fd) {
  Packet packet{.bytes = std::string(kLongestInline + 1, '\0'), .fds = {}};
  iovec part{.iov_base = packet.bytes.data(), .iov_len = packet.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t n = 0;
  do {
    n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) return std::nullopt;
  packet.bytes.resize(n > 0 ? static_cast<size_t>(n) : 0);
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); n > 0 && c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int received = -1;
      std::memcpy(&received, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      packet.fds.emplace_back(received);
    }
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Packet{};
  return packet;
}

struct Received {
  Message message;
  base::Fd attached;
};

base::Result<Received> open_packet(Packet packet) {
  std::string text = packet.bytes.substr(1);
  auto fd = packet.fds.begin();
  if (packet.bytes[0] == kMemoryFile) {
    if (fd == packet.fds.end()) return base::fail("a long message came without its memory file");
    base::Result<std::string> read = from_memory_file(*fd++);
    if (!read) return std::unexpected(read.error());
    text = std::move(*read);
  } else if (packet.bytes[0] != kInline) {
    return base::fail("a message begins with an unknown byte");
  }
  base::Result<Message> message = decode(text);
  if (!message) return std::unexpected(message.error());
  return Received{std::move(*message), fd == packet.fds.end() ? base::Fd() : std::move(*fd)};
}

}  // namespace

base::Result<std::pair<base::Fd, base::Fd>> Channel::make_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return base::fail_errno("cannot make a socket pair");
  }
  return std::pair{base::Fd(ends[0]), base::Fd(ends[1])};
}

Channel::Channel(loop::Loop& loop, base::Fd fd, Handlers handlers)
    : loop_(loop), fd_(std::move(fd)), handlers_(std::make_shared<Handlers>(std::move(handlers))) {
  watch_.emplace(loop, fd_.get(), loop::Watch::When::readable, [this] { readable(); });
}

// Errors that a later try does not have: a full socket, no memory.
static bool is_passing(int error) {
  return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

base::Result<Channel::Outgoing> Channel::pack(const Message& message, int attached) {
  Outgoing packet;
  std::string text = encode(message);
  if (text.size() > kLongestInline) {
    base::Result<base::Fd> file = to_memory_file(text);
    if (!file) return std::unexpected(file.error());
    packet.fds.push_back(std::move(*file));
    packet.bytes = kMemoryFile;
  } else {
    packet.bytes = kInline + std::move(text);
  }
  if (attached >= 0) {
    packet.fds.emplace_back(fcntl(attached, F_DUPFD_CLOEXEC, 0));
    if (!packet.fds.back()) return base::fail_errno("cannot duplicate a descriptor");
  }
  return packet;
}

int Channel::transmit(const Outgoing& packet) {
  iovec part{.iov_base = const_cast<char*>(packet.bytes.data()), .iov_len = packet.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!packet.fds.empty()) {
    std::array<int, kMaxFds> fds{};
    for (size_t i = 0; i < packet.fds.size(); ++i) fds.at(i) = packet.fds[i].get();
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(sizeof(int) * packet.fds.size());
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * packet.fds.size());
    std::memcpy(CMSG_DATA(c), fds.data(), sizeof(int) * packet.fds.size());
  }
  ssize_t n = 0;
  do {
    n = sendmsg(fd_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  return n < 0 ? errno : 0;
}

base::Result<> Channel::send(const Message& message, int attached) {
  base::Result<Outgoing> packet = pack(message, attached);
  if (!packet) return std::unexpected(packet.error());
  if (waiting_.empty()) {
    const int error = transmit(*packet);
    if (error == 0) return {};
    if (!is_passing(error)) return base::fail_errno("cannot send a message to the other process", error);
    writable_.emplace(loop_, fd_.get(), loop::Watch::When::writable, [this] { writable(); });
  }
  if (waiting_.size() >= kLongestQueue) return base::fail("the other process does not read its messages");
  waiting_.push_back(std::move(*packet));
  return {};
}

void Channel::writable() {
  while (!waiting_.empty()) {
    const int error = transmit(waiting_.front());
    if (is_passing(error)) return;
    waiting_.pop_front();  // an error means that the peer is gone, which readable() tells
  }
  writable_.reset();
}

void Channel::readable() {
  // A handler may destroy this channel: what is still used afterwards is kept alive here, and its end is noticed.
  const std::weak_ptr<Handlers> alive = handlers_;
  for (int i = 0; i < kPacketsAtOnce; ++i) {
    const std::shared_ptr<Handlers> handlers = alive.lock();
    if (!handlers) return;
    std::optional<Packet> packet = receive(fd_.get());
    if (!packet) return;
    base::Result<Received> received = packet->bytes.empty() ? base::fail("closed") : open_packet(std::move(*packet));
    if (!received) {  // gone, or talking nonsense: to us that is the same
      watch_.reset();
      handlers->on_closed();
      return;
    }
    handlers->on_message(std::move(received->message), std::move(received->attached));
  }
}

}  // namespace ipc
