#include "connectors/socket/line_receiver.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"

namespace tidemill::connectors {

namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;
constexpr int64_t kMaxKeptBytes = int64_t{256} << 20;
constexpr size_t kMaxLineBytes = size_t{64} << 20;
constexpr int kConnectTimeoutMs = 10'000;
constexpr size_t kHeadBytes = sizeof(uint32_t) + sizeof(int64_t);

// Waits for a connect in progress; 0 or an errno.
int FinishConnect(int fd) {
  pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
  int ready;
  do {
    ready = ::poll(&waiting, 1, kConnectTimeoutMs);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) return ETIMEDOUT;
  if (ready < 0) return errno;
  int error = 0;
  socklen_t size = sizeof(error);
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

arrow::Result<int> OpenSocket(const std::string& host, int port) {
  const auto failed = [&](const char* why) {
    return MakeError(
        ErrorKind::kUnavailable, "CONNECTION_FAILED",
        fmt::format("socket source cannot connect: host={} port={}: {}", host, port, why));
  };
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result = ::getaddrinfo(host.c_str(), fmt::format("{}", port).c_str(), &hints, &found);
  if (result != 0) return failed(::gai_strerror(result));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    const int fd =
        ::socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) {
      error = errno;
      continue;
    }
    error = ::connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) error = FinishConnect(fd);
    if (error == 0) return fd;
    ::close(fd);
  }
  return failed(std::strerror(error));
}

}  // namespace

void AppendLine(std::string_view text, int64_t arrival_us, LineChunk* chunk) {
  const auto size = static_cast<uint32_t>(text.size());
  std::array<char, kHeadBytes> head;
  std::memcpy(head.data(), &size, sizeof(size));
  std::memcpy(head.data() + sizeof(size), &arrival_us, sizeof(arrival_us));
  chunk->bytes.append(head.data(), head.size());
  chunk->bytes.append(text);
  ++chunk->rows;
}

bool TakeLine(std::string_view* bytes, ReceivedLine* line) {
  uint32_t size = 0;
  if (bytes->size() < kHeadBytes) return false;
  std::memcpy(&size, bytes->data(), sizeof(size));
  std::memcpy(&line->arrival_us, bytes->data() + sizeof(size), sizeof(line->arrival_us));
  if (bytes->size() - kHeadBytes < size) return false;
  line->text = bytes->substr(kHeadBytes, size);
  bytes->remove_prefix(kHeadBytes + size);
  return true;
}

arrow::Result<std::unique_ptr<LineReceiver>> LineReceiver::Connect(const std::string& host,
                                                                   int port, const Clock* clock,
                                                                   std::function<void()> wake) {
  ARROW_ASSIGN_OR_RAISE(const int socket, OpenSocket(host, port));
  const int stop_event = ::eventfd(0, EFD_CLOEXEC);
  if (stop_event < 0) {
    const int error = errno;
    ::close(socket);
    return MakeError(ErrorKind::kResource, "IO_ERROR",
                     fmt::format("eventfd: {}", std::strerror(error)));
  }
  std::unique_ptr<LineReceiver> receiver(
      new LineReceiver(socket, stop_event, clock, std::move(wake)));
  receiver->thread_ = std::thread([r = receiver.get()] { r->Run(); });
  ::pthread_setname_np(receiver->thread_.native_handle(), "socket-source");
  return receiver;
}

LineReceiver::~LineReceiver() {
  Stop();
  ::close(socket_);
  ::close(stop_event_);
}

void LineReceiver::Stop() {
  {
    MutexLock lock(&mutex_);
    is_stopping_ = true;
    room_.NotifyAll();
  }
  const uint64_t one = 1;
  (void)!::write(stop_event_, &one, sizeof(one));  // Cannot fail: the counter never fills.
  if (thread_.joinable()) thread_.join();
}

std::vector<LineChunk> LineReceiver::Take(int64_t max_bytes) {
  MutexLock lock(&mutex_);
  size_t count = 0;
  int64_t bytes = 0;
  while (count < chunks_.size() && (count == 0 || bytes < max_bytes)) {
    bytes += static_cast<int64_t>(chunks_[count++].bytes.size());
  }
  const auto middle = chunks_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<LineChunk> taken(std::make_move_iterator(chunks_.begin()),
                               std::make_move_iterator(middle));
  chunks_.erase(chunks_.begin(), middle);
  kept_bytes_ -= bytes;
  room_.NotifyAll();
  return taken;
}

void LineReceiver::Run() {
  std::array<char, 65536> buffer;
  std::array<pollfd, 2> waiting{{{.fd = socket_, .events = POLLIN, .revents = 0},
                                 {.fd = stop_event_, .events = POLLIN, .revents = 0}}};
  const char* why = "end of file";
  while (WaitForRoom()) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) {
      why = std::strerror(errno);
      break;
    }
    if (waiting[1].revents != 0) return;
    const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) why = std::strerror(errno);
    if (got <= 0) break;
    Receive({buffer.data(), static_cast<size_t>(got)});
    if (partial_.size() > kMaxLineBytes) {
      why = "line is too long";
      partial_.clear();
      break;
    }
  }
  {
    MutexLock lock(&mutex_);
    if (is_stopping_) return;
    if (!partial_.empty()) Keep(partial_);
  }
  LogWarn("socket_source_ended").With("reason", why);
  wake_();
}

bool LineReceiver::WaitForRoom() {
  MutexLock lock(&mutex_);
  while (!is_stopping_ && kept_bytes_ > kMaxKeptBytes) room_.Wait(&mutex_);
  return !is_stopping_;
}

void LineReceiver::Keep(std::string_view text) {
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  if (chunks_.empty() || chunks_.back().bytes.size() >= kChunkBytes) chunks_.emplace_back();
  const auto now = std::chrono::floor<std::chrono::milliseconds>(clock_->Now());
  AppendLine(text, std::chrono::microseconds(now.time_since_epoch()).count(), &chunks_.back());
  kept_bytes_ += static_cast<int64_t>(text.size() + kHeadBytes);
}

void LineReceiver::Receive(std::string_view data) {
  bool has_lines = false;
  {
    MutexLock lock(&mutex_);
    for (size_t end = data.find('\n'); end != std::string_view::npos; end = data.find('\n')) {
      if (partial_.empty()) {
        Keep(data.substr(0, end));
      } else {
        partial_.append(data.substr(0, end));
        Keep(partial_);
        partial_.clear();
      }
      data.remove_prefix(end + 1);
      has_lines = true;
    }
  }
  partial_.append(data);
  if (has_lines) wake_();
}

}  // namespace tidemill::connectors
