#include "deploy/process_name.h"

#include <fmt/format.h>
#include <unistd.h>

namespace tidemill::deploy {

namespace {

std::string HostName() {
  char host[256] = {};
  return ::gethostname(host, sizeof(host) - 1) == 0 ? host : "";
}

}  // namespace

std::string HolderText() {
  const std::string host = HostName();
  return host.empty() ? fmt::format("pid={}", ::getpid())
                      : fmt::format("pid={} host={}", ::getpid(), host);
}

std::string UniqueProcessName() {
  const std::string host = HostName();
  return fmt::format("{}-{}", host.empty() ? "worker" : host, ::getpid());
}

}  // namespace tidemill::deploy
