#include "common/rpc/doorkeeper.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/logging.h"

namespace tidemill::rpc::internal {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{100};
constexpr size_t kWaitingLimit = 256;  // connections that have not said anything yet
constexpr size_t kOpenLimit = 1024;    // connections that gRPC has
constexpr int kLinesPerSecond = 5;     // of the log

std::string PeerOf(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  char text[INET6_ADDRSTRLEN] = {};
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
  const bool is_v6 = address.ss_family == AF_INET6;
  inet_ntop(address.ss_family, is_v6 ? static_cast<const void*>(&v6->sin6_addr) : &v4->sin_addr,
            text, sizeof text);
  return fmt::format("{}:{}", text, ntohs(v4->sin_port));  // The port's place is the same in both.
}

void SetOption(int fd, int level, int option, int value) {
  (void)setsockopt(fd, level, option, &value, sizeof value);  // Fails only where the peer is gone.
}

}  // namespace

class Doorkeeper::Impl {
 public:
  Impl(Socket listener, std::function<void(int)> let_in)
      : listener_(std::move(listener)),
        let_in_(std::move(let_in)),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this] { Run(); }) {
    TIDEMILL_CHECK(wake_.fd() >= 0);
  }

  void Stop() {
    if (!thread_.joinable()) return;
    is_stopped_.store(true, std::memory_order_relaxed);
    const uint64_t one = 1;
    TIDEMILL_CHECK(write(wake_.fd(), &one, sizeof one) == sizeof one);
    thread_.join();
    listener_ = Socket();
    waiting_.clear();
  }

 private:
  struct Waiting {
    Socket socket;
    SteadyTime since;
  };
  // A socket that gRPC owns: it is open as long as its descriptor leads to the same inode.
  struct Open {
    int fd;
    ino_t inode;
  };

  void Run() {
    pthread_setname_np(pthread_self(), "rpc_accept");
    while (!is_stopped_.load(std::memory_order_relaxed)) {
      std::vector<pollfd> polled = {{wake_.fd(), POLLIN, 0}, {listener_.fd(), POLLIN, 0}};
      if (has_no_descriptors_) polled[1].fd = -1;
      for (const Waiting& one : waiting_) polled.push_back({one.socket.fd(), POLLIN, 0});
      const int patience_ms = has_no_descriptors_ ? kPauseWithoutDescriptors.count()
                              : waiting_.empty()  ? -1
                                                  : 1000;
      (void)poll(polled.data(), polled.size(), patience_ms);  // Interrupted: as if nothing came.
      now_ = std::chrono::steady_clock::now();
      LookAtWaiting(polled);
      has_no_descriptors_ = false;
      if (polled[1].fd < 0 || polled[1].revents != 0) AcceptAll();
    }
  }

  void LookAtWaiting(const std::vector<pollfd>& polled) {
    std::deque<Waiting> rest;
    for (size_t i = 0; i < waiting_.size(); ++i) {
      Waiting& one = waiting_[i];
      if (polled[i + 2].revents != 0) {
        LookAtFirstBytes(std::move(one.socket));
      } else if (now_ - one.since > kPatience) {
        Refuse(one.socket, "said nothing");
      } else {
        rest.push_back(std::move(one));
      }
    }
    waiting_ = std::move(rest);
  }

  void LookAtFirstBytes(Socket socket) {
    char bytes[kPreface.size()];
    const ssize_t size = recv(socket.fd(), bytes, sizeof bytes, MSG_PEEK);
    if (size <= 0) return;  // Gone again.
    if (std::string_view(bytes, size) != kPreface) {
      Refuse(socket, "no HTTP/2");
      return;
    }
    struct stat status = {};
    if (fstat(socket.fd(), &status) != 0) return;
    SetOption(socket.fd(), SOL_SOCKET, SO_RCVLOWAT, 1);
    open_.push_back({socket.fd(), status.st_ino});
    let_in_(socket.Release());
  }

  void AcceptAll() {
    while (true) {
      Socket socket(accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (socket.fd() < 0) {
        if (errno == ECONNABORTED || errno == EINTR) continue;
        if (errno == EAGAIN) return;
        has_no_descriptors_ = true;
        Log("connections_not_accepted", "", std::strerror(errno));
        return;
      }
      if (open_.size() >= kOpenLimit)
        std::erase_if(open_, [](const Open& one) {
          struct stat status = {};
          return fstat(one.fd, &status) != 0 || status.st_ino != one.inode;
        });
      if (open_.size() >= kOpenLimit) {
        Refuse(socket, "too many connections");
        continue;
      }
      if (waiting_.size() >= kWaitingLimit) {
        Refuse(waiting_.front().socket, "said nothing, and others wait");
        waiting_.pop_front();
      }
      SetOption(socket.fd(), IPPROTO_TCP, TCP_NODELAY, 1);
      // Readable when the whole preface is there, or the end.
      SetOption(socket.fd(), SOL_SOCKET, SO_RCVLOWAT, static_cast<int>(kPreface.size()));
      waiting_.push_back({std::move(socket), now_});
    }
  }

  void Refuse(const Socket& socket, std::string_view why) {
    Log("connection_refused", PeerOf(socket.fd()), why);
  }

  // A flood of connections is no flood of lines.
  void Log(std::string_view event, const std::string& peer, std::string_view why) {
    if (now_ - log_second_ >= std::chrono::seconds(1)) {
      log_second_ = now_;
      lines_ = 0;
    }
    if (++lines_ > kLinesPerSecond) {
      ++unsaid_;
      return;
    }
    LogWarn(event)
        .With("peer", peer)
        .With("reason", why)
        .With("unsaid_before", std::exchange(unsaid_, 0));
  }

  Socket listener_;
  const std::function<void(int)> let_in_;
  const Socket wake_;
  std::atomic<bool> is_stopped_{false};  // Relaxed: the wake-up orders it.

  // The thread's own.
  SteadyTime now_;
  std::deque<Waiting> waiting_;
  std::vector<Open> open_;
  bool has_no_descriptors_ = false;
  SteadyTime log_second_;
  int lines_ = 0;
  int unsaid_ = 0;

  std::thread thread_;  // Last: it uses the rest.
};

Doorkeeper::Doorkeeper(Socket listener, std::function<void(int)> let_in)
    : impl_(std::make_unique<Impl>(std::move(listener), std::move(let_in))) {}

Doorkeeper::~Doorkeeper() { Stop(); }

void Doorkeeper::Stop() { impl_->Stop(); }

}  // namespace tidemill::rpc::internal
