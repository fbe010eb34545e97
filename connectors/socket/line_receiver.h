#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace tidemill::connectors {

// Lines as they arrived, encoded one after another: size (u32), time of arrival in microseconds
// (i64), bytes. *Plain data.*
struct LineChunk {
  std::string bytes;
  int64_t rows = 0;
};

// One decoded line; `text` points into the chunk.
struct ReceivedLine {
  std::string_view text;
  int64_t arrival_us = 0;
};
void AppendLine(std::string_view text, int64_t arrival_us, LineChunk* chunk);
// Takes the first line off `bytes`; false where they are not an encoded line.
bool TakeLine(std::string_view* bytes, ReceivedLine* line);

// A TCP connection and the thread that reads lines from it. Stops reading while too much is not
// taken, so that the sender is slowed down. *Thread-safe.*
class LineReceiver {
 public:
  // Connects and starts the thread. `wake` is called from it when lines arrived. Errors:
  // CONNECTION_FAILED (kUnavailable).
  static arrow::Result<std::unique_ptr<LineReceiver>> Connect(const std::string& host, int port,
                                                              const Clock* clock,
                                                              std::function<void()> wake);
  ~LineReceiver();
  LineReceiver(const LineReceiver&) = delete;
  LineReceiver& operator=(const LineReceiver&) = delete;

  // What has arrived, in order: chunks of about 1 MiB, together about `max_bytes` at most.
  std::vector<LineChunk> Take(int64_t max_bytes);
  // Keeps what has arrived and ends the connection; later lines are not wanted.
  void Stop();

 private:
  LineReceiver(int socket, int stop_event, const Clock* clock, std::function<void()> wake)
      : socket_(socket), stop_event_(stop_event), clock_(clock), wake_(std::move(wake)) {}

  void Run();
  // Waits until there is room; false when it is time to stop.
  bool WaitForRoom() EXCLUDES(mutex_);
  void Keep(std::string_view text) REQUIRES(mutex_);
  // Cuts `data` into lines; a line without end waits in partial_.
  void Receive(std::string_view data) EXCLUDES(mutex_);

  const int socket_;
  const int stop_event_;
  const Clock* const clock_;
  const std::function<void()> wake_;
  std::string partial_;  // of the thread
  std::thread thread_;

  Mutex mutex_;
  CondVar room_;
  std::vector<LineChunk> chunks_ GUARDED_BY(mutex_);
  int64_t kept_bytes_ GUARDED_BY(mutex_) = 0;
  bool is_stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace tidemill::connectors
