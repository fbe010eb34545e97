#pragma once

#include <arrow/result.h>

#include <string>
#include <utility>

namespace tidemill::rpc::internal {

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
};

// Listens on "host:port".
//
// Errors: INVALID_ADDRESS (kUsage), INSECURE_BIND (kUsage) where the host is not loopback and
// `allows_remote` is not set, ADDRESS_IN_USE (kConflict).
arrow::Result<Listener> Listen(const std::string& text, bool allows_remote);

}  // namespace tidemill::rpc::internal
