#include "tests/rpc/recorded_end.h"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <utility>

#include "common/base/check.h"

namespace tidemill::rpc {

namespace {

std::chrono::steady_clock::time_point Deadline() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(10);
}

std::string TextOf(const grpc::ByteBuffer& frame) {
  std::vector<grpc::Slice> slices;
  TIDEMILL_CHECK(frame.Dump(&slices).ok());
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

}  // namespace

RecordedEnd::RecordedEnd(std::shared_ptr<FrameStream> stream)
    : stream_(std::move(stream)), executor_(MakeThreadExecutor("test_end")) {}

RecordedEnd::~RecordedEnd() {
  if (stream_ != nullptr) stream_->Close();
  executor_->Stop();
}

void RecordedEnd::Start() {
  stream_->Start(executor_.get(), {.on_message =
                                       [this](const grpc::ByteBuffer& frame) {
                                         bool is_echo = false;
                                         {
                                           MutexLock lock(&mutex_);
                                           frames_.push_back(TextOf(frame));
                                           is_echo = is_echo_;
                                         }
                                         changed_.NotifyAll();
                                         if (is_echo) stream_->Send(frame);
                                       },
                                   .on_close =
                                       [this](const arrow::Status& status) {
                                         {
                                           MutexLock lock(&mutex_);
                                           closes_.push_back(status);
                                         }
                                         changed_.NotifyAll();
                                       }});
}

void RecordedEnd::Send(const std::string& text) {
  const grpc::Slice slice(text);
  stream_->Send(grpc::ByteBuffer(&slice, 1));
}

void RecordedEnd::EchoAll() {
  MutexLock lock(&mutex_);
  is_echo_ = true;
}

std::shared_ptr<void> RecordedEnd::BlockHandlers() {
  auto release = std::make_shared<std::promise<void>>();
  executor_->Post(
      [done = std::make_shared<std::future<void>>(release->get_future())] { done->wait(); });
  return {nullptr, [release](void*) { release->set_value(); }};
}

std::vector<std::string> RecordedEnd::Await(size_t count) {
  MutexLock lock(&mutex_);
  const auto deadline = Deadline();
  while (frames_.size() < count && changed_.WaitUntil(&mutex_, deadline)) {
  }
  return frames_;
}

arrow::Status RecordedEnd::AwaitClose() {
  MutexLock lock(&mutex_);
  const auto deadline = Deadline();
  while (closes_.empty() && changed_.WaitUntil(&mutex_, deadline)) {
  }
  return closes_.empty() ? arrow::Status::Cancelled("no on_close") : closes_.front();
}

std::vector<std::string> RecordedEnd::events() {
  MutexLock lock(&mutex_);
  std::vector<std::string> all = frames_;
  for (size_t i = 0; i < closes_.size(); ++i) all.push_back("closed");
  return all;
}

RecordingServer::RecordingServer(Options options) {
  RpcServer::Options server_options;
  server_options.listen = "127.0.0.1:0";
  server_options.limits = options.limits;
  server_options.streams[kMethod] = [this, options](const std::string&,
                                                    std::shared_ptr<FrameStream> stream) {
    auto end = std::make_unique<RecordedEnd>(std::move(stream));
    if (options.echoes) end->EchoAll();
    if (options.starts) end->Start();
    {
      MutexLock lock(&mutex_);
      ends_.push_back(std::move(end));
    }
    changed_.NotifyAll();
  };
  server_ = RpcServer::Start(std::move(server_options)).ValueOrDie();
}

RecordingServer::~RecordingServer() { server_->Stop(); }

int RecordingServer::port() const {
  return std::atoi(address().substr(address().rfind(':') + 1).c_str());
}

RecordedEnd* RecordingServer::AwaitStream(size_t index) {
  MutexLock lock(&mutex_);
  const auto deadline = Deadline();
  while (ends_.size() <= index && changed_.WaitUntil(&mutex_, deadline)) {
  }
  TIDEMILL_CHECK(ends_.size() > index);
  return ends_[index].get();
}

std::unique_ptr<RecordedEnd> Connect(const std::string& address, Limits limits,
                                     const std::string& method) {
  return std::make_unique<RecordedEnd>(Channel::Make(address, limits)->OpenStream(method));
}

}  // namespace tidemill::rpc
