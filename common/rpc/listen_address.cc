#include "common/rpc/listen_address.h"

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

namespace tidemill::rpc::internal {

namespace {

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

std::string NumericOf(const sockaddr* address, int port) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, port);
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  return fmt::format("[{}]:{}", text, port);
}

// gRPC says only that it could not bind, so the reason is asked of the system before.
arrow::Status TryBind(const std::string& text, const addrinfo& address) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Invalid(text, std::strerror(errno));
  const int on = 1;
  int error = 0;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd, address.ai_addr, address.ai_addrlen) != 0 || listen(fd, 1) != 0) {
    error = errno;
  }
  close(fd);
  if (error == 0) return arrow::Status::OK();
  if (error != EADDRINUSE) return Invalid(text, std::strerror(error));
  return MakeError(
      ErrorKind::kConflict, "ADDRESS_IN_USE",
      fmt::format("cannot listen: another process listens there: address=\"{}\"", text));
}

}  // namespace

arrow::Result<ListenAddress> ResolveListenAddress(const std::string& text, bool allows_remote) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return Invalid(text, "must be host:port");
  ListenAddress result;
  result.host = text.substr(0, colon);
  const std::string_view digits = std::string_view(text).substr(colon + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
  if (error != std::errc() || end != digits.data() + digits.size() || result.port < 0 ||
      result.port > 65535) {
    return Invalid(text, "port must be a number from 0 to 65535");
  }
  std::string host = result.host;
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
  ARROW_RETURN_NOT_OK(TryBind(text, *chosen));
  result.numeric = NumericOf(chosen->ai_addr, result.port);
  return result;
}

}  // namespace tidemill::rpc::internal
