#include "common/fs/directory_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "common/base/error.h"

namespace tidemill {

namespace {

constexpr uint32_t kEvents = IN_MOVED_TO | IN_CLOSE_WRITE;

arrow::Status Failed(const std::string& directory) {
  const ErrorKind kind = errno == ENOENT ? ErrorKind::kNotFound : ErrorKind::kResource;
  return MakeError(kind, "WATCH_FAILED",
                   fmt::format("cannot watch a directory: path={} error={}", directory,
                               std::generic_category().message(errno)));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return number_; }

 private:
  const int number_;
};

class InotifyWatch final : public DirectoryWatch {
 public:
  explicit InotifyWatch(FileArrived on_file)
      : on_file_(std::move(on_file)),
        events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
        stop_(::eventfd(0, EFD_CLOEXEC)) {}

  ~InotifyWatch() override {
    if (!thread_.joinable()) return;
    const uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof(one)) < 0) std::terminate();  // An eventfd takes it.
    thread_.join();
  }

  arrow::Status Start(const std::string& directory) {
    if (events_.get() < 0 || stop_.get() < 0 ||
        ::inotify_add_watch(events_.get(), directory.c_str(), kEvents | IN_ONLYDIR) < 0) {
      return Failed(directory);
    }
    thread_ = std::thread([this] { Run(); });
    pthread_setname_np(thread_.native_handle(), "watch");
    return arrow::Status::OK();
  }

 private:
  void Run() {
    std::array<pollfd, 2> waited = {pollfd{events_.get(), POLLIN, 0},
                                    pollfd{stop_.get(), POLLIN, 0}};
    while (true) {
      if (::poll(waited.data(), waited.size(), -1) < 0) {
        if (errno == EINTR) continue;
        return;
      }
      if (waited[1].revents != 0) return;
      Take();
    }
  }

  void Take() {
    alignas(inotify_event) std::array<char, 4096> buffer;
    while (true) {
      const ssize_t size = ::read(events_.get(), buffer.data(), buffer.size());
      if (size <= 0) return;
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        on_file_(event->len == 0 ? std::string_view() : std::string_view(event->name));
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
  }

  const FileArrived on_file_;
  const FileDescriptor events_;
  const FileDescriptor stop_;
  std::thread thread_;
};

}  // namespace

arrow::Result<std::unique_ptr<DirectoryWatch>> WatchDirectory(const std::string& directory,
                                                              FileArrived on_file) {
  auto watch = std::make_unique<InotifyWatch>(std::move(on_file));
  ARROW_RETURN_NOT_OK(watch->Start(directory));
  return watch;
}

}  // namespace tidemill
