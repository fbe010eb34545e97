#include "common/rpc/proto_stream.h"

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "common/base/error.h"
#include "common/base/executor.h"
#include "tests/rpc/recorded_end.h"

namespace tidemill::rpc {
namespace {

using google::protobuf::StringValue;
using Stream = ProtoStream<StringValue, StringValue>;

class ProtoStreamTest : public testing::Test {
 protected:
  RecordingServer server_;
  std::promise<std::string> received_;
  std::promise<arrow::Status> closed_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor("proto_stream");
  Stream stream_{Channel::Make(server_.address())->OpenStream(RecordingServer::kMethod)};

  void SetUp() override {
    stream_.Start(executor_.get(),
                  {.on_message = [this](const StringValue& in) { received_.set_value(in.value()); },
                   .on_close = [this](const arrow::Status& status) { closed_.set_value(status); }});
  }
  void TearDown() override {
    stream_.Close();
    executor_->Stop();
  }
};

TEST_F(ProtoStreamTest, MessagesComeThrough) {
  StringValue message;
  message.set_value("hello");

  stream_.Send(message);

  EXPECT_EQ(received_.get_future().get(), "hello");
}

TEST_F(ProtoStreamTest, AFrameThatDoesNotParseEndsTheStream) {
  server_.AwaitStream()->Send("\xff\xff\xff");

  const arrow::Status status = closed_.get_future().get();
  EXPECT_EQ(ErrorClassOf(status), "PROTOCOL_ERROR");
  EXPECT_EQ(KindOf(status), ErrorKind::kUnavailable);
  EXPECT_TRUE(server_.AwaitStream()->AwaitClose().ok());
}

TEST_F(ProtoStreamTest, ThePeersCloseIsHeard) {
  server_.AwaitStream()->Close();
  EXPECT_TRUE(closed_.get_future().get().ok());
}

}  // namespace
}  // namespace tidemill::rpc
