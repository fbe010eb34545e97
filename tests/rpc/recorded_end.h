#pragma once

#include <arrow/status.h>

#include <memory>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "common/rpc/frame_stream.h"
#include "common/rpc/rpc_server.h"

namespace tidemill::rpc {

// One end of a stream of text frames, with a thread of its own that records what comes.
// *Thread-safe.*
class RecordedEnd {
 public:
  explicit RecordedEnd(std::shared_ptr<FrameStream> stream);
  ~RecordedEnd();  // Closes.

  void Start();
  void Send(const std::string& text);
  void Close() { stream_->Close(); }
  // Drops the stream without a Close.
  void Drop() { stream_.reset(); }
  // From now on every frame is sent back.
  void EchoAll();
  // Keeps the thread of the handlers busy until the returned token dies.
  std::shared_ptr<void> BlockHandlers();

  // Waits (10 s at most) for `count` frames in all and returns what came.
  std::vector<std::string> Await(size_t count) EXCLUDES(mutex_);
  // Waits (10 s at most) for on_close; a CancelledError where it did not come.
  arrow::Status AwaitClose() EXCLUDES(mutex_);
  // What came so far, with "closed" behind the last.
  std::vector<std::string> events() EXCLUDES(mutex_);

 private:
  std::shared_ptr<FrameStream> stream_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> frames_ GUARDED_BY(mutex_);
  std::vector<arrow::Status> closes_ GUARDED_BY(mutex_);
  bool is_echo_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<Executor> executor_;
};

// A server on a free loopback port that keeps the streams it is given. *Thread-safe.*
class RecordingServer {
 public:
  static constexpr char kMethod[] = "/test.Frames/Serve";

  struct Options {
    Limits limits;
    bool starts = true;  // begins to receive at once
    bool echoes = true;
  };
  RecordingServer() : RecordingServer(Options()) {}
  explicit RecordingServer(Options options);
  ~RecordingServer();

  const std::string& address() const { return server_->address(); }
  int port() const;
  RpcServer* server() { return server_.get(); }
  // Waits (10 s at most) until so many streams came and returns the n-th.
  RecordedEnd* AwaitStream(size_t index = 0) EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::unique_ptr<RecordedEnd>> ends_ GUARDED_BY(mutex_);
  std::unique_ptr<RpcServer> server_;
};

std::unique_ptr<RecordedEnd> Connect(const std::string& address, Limits limits = {},
                                     const std::string& method = RecordingServer::kMethod);

}  // namespace tidemill::rpc
