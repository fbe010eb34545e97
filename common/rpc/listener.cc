#include "common/rpc/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

#include "common/base/error.h"

namespace tidemill::rpc {

namespace {

constexpr int kBacklog = 1024;

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

arrow::Status Invalid(const std::string& text, const std::string& why) {
  return MakeError(ErrorKind::kUsage, "INVALID_ADDRESS",
                   fmt::format("cannot listen: {}: address=\"{}\"", why, text));
}

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

arrow::Result<Socket> Bind(const std::string& text, const addrinfo& address) {
  Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  // SO_REUSEADDR: connections of a server before this one may linger. Never SO_REUSEPORT.
  if (socket.fd() >= 0 && setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      bind(socket.fd(), address.ai_addr, address.ai_addrlen) == 0 &&
      listen(socket.fd(), kBacklog) == 0) {
    return socket;
  }
  if (errno != EADDRINUSE) return Invalid(text, std::strerror(errno));
  return MakeError(
      ErrorKind::kConflict, "ADDRESS_IN_USE",
      fmt::format("cannot listen: another process listens there: address=\"{}\"", text));
}

int PortOf(const Socket& socket) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  // The port is at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

arrow::Result<Listener> Listen(const std::string& text, bool allows_remote) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return Invalid(text, "must be host:port");
  std::string host = text.substr(0, colon);
  int port = 0;
  const std::string_view digits = std::string_view(text).substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port < 0 || port > 65535) {
    return Invalid(text, "port must be a number from 0 to 65535");
  }
  const std::string shown_host = host;
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.find_first_of("[]/ ") != std::string::npos) return Invalid(text, "must be host:port");

  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  if (const int failed = getaddrinfo(host.c_str(), std::string(digits).c_str(), &hints, &raw)) {
    return Invalid(text, gai_strerror(failed));
  }
  const AddressList list(raw, &freeaddrinfo);
  const addrinfo* chosen = list.get();
  for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
    if (one->ai_family == AF_INET && chosen->ai_family != AF_INET) chosen = one;
  }
  if (!allows_remote && !IsLoopback(chosen->ai_addr)) {
    return WithHint(
        MakeError(ErrorKind::kUsage, "INSECURE_BIND",
                  fmt::format("connections are not protected yet, so only loopback addresses are "
                              "listened on: address=\"{}\"",
                              text)),
        "--insecure-bind allows it; do so in networks that you trust");
  }
  Listener result;
  ARROW_ASSIGN_OR_RAISE(result.socket, Bind(text, *chosen));
  result.is_v6 = chosen->ai_family == AF_INET6;
  result.address = fmt::format("{}:{}", shown_host, PortOf(result.socket));
  return result;
}

}  // namespace tidemill::rpc
