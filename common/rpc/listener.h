#pragma once

#include <arrow/result.h>

#include <string>
#include <utility>

namespace tidemill::rpc {

// A file descriptor with an owner.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket();

  int fd() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct Listener {
  Socket socket;        // listens, does not block
  std::string address;  // host as the user wrote it, port in use
  bool is_v6 = false;
};

// Listens on "host:port", "[v6]:port"; port 0 takes a free one, a name its IPv4 address before its
// IPv6 one. An address without a host is none: whoever wants all interfaces says 0.0.0.0. The one
// rule for all ports of the program.
//
// Errors: INVALID_ADDRESS (kUsage), INSECURE_BIND (kUsage) where the host is not loopback and
// `allows_remote` is not set, ADDRESS_IN_USE (kConflict).
arrow::Result<Listener> Listen(const std::string& text, bool allows_remote);

}  // namespace tidemill::rpc
