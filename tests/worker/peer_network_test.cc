#include "worker/exchange/peer_network.h"

#include <arrow/record_batch.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/base/own_thread_executor.h"
#include "common/transport/in_memory_stream.h"
#include "tests/testing/batches.h"
#include "worker/exchange/frame_codec.h"
#include "worker/exchange/outgoing_stream.h"

namespace tidemill::worker {
namespace {

constexpr char kJob[] = "job-1";

AttemptId Attempt(int64_t epoch, uint64_t attempt) { return {kJob, epoch, attempt}; }

class RecordingMailbox final : public SlotMailbox {
 public:
  void OnFrames(const AttemptId& attempt, std::vector<ExchangeFrame> arrived) override {
    for (ExchangeFrame& frame : arrived) frames.emplace_back(attempt, std::move(frame));
  }
  void OnProgress(const AttemptId& attempt, const ExchangeProgress& arrived) override {
    progress.emplace_back(attempt, arrived);
  }

  std::vector<std::pair<AttemptId, ExchangeFrame>> frames;
  std::vector<std::pair<AttemptId, ExchangeProgress>> progress;
};

using Streams = StreamPair<grpc::ByteBuffer, grpc::ByteBuffer>;

// Two workers with a slot each, connected by streams in memory.
class PeerNetworkTest : public ::testing::Test {
 protected:
  PeerNetworkTest() {
    first_ = MakeNetwork("w0");
    second_ = MakeNetwork("w1");
    first_->Attach({"w0", 0}, &first_box_);
    second_->Attach({"w1", 0}, &second_box_);
    first_->SetPeers(kJob, {{"w1", "w1-life", "there"}});
    second_->SetPeers(kJob, {{"w0", "w0-life", "here"}});
  }

  std::unique_ptr<PeerNetwork> MakeNetwork(const std::string& name,
                                           const std::string& build = "b1") {
    PeerNetwork::Options options;
    options.worker = name;
    options.incarnation = name + "-life";
    options.build = build;
    options.executor = &executor_;
    options.connect = [this](const ExchangePeer& peer) -> std::shared_ptr<rpc::FrameStream> {
      ++connected_;
      if (!is_reachable_) return nullptr;
      auto pair = MakeInMemoryStreamPair<grpc::ByteBuffer, grpc::ByteBuffer>();
      ends_.push_back(pair.second);
      if (serves_) (peer.worker == "w1" ? second_ : first_)->Serve("in-memory", pair.second);
      return pair.first;
    };
    options.on_broken = [this](const AttemptId& attempt, const arrow::Status& why) {
      broken_.push_back(attempt);
      broken_why_.push_back(why);
    };
    return std::make_unique<PeerNetwork>(std::move(options));
  }

  static ExchangeFrame Frame(int lane, int value) {
    return {.stage = 1,
            .lane = lane,
            .ends_chunk = true,
            .rows = {testing::MakeBatch("a INT", "[[" + std::to_string(value) + "]]"), {}}};
  }
  void Send(const AttemptId& attempt, int value = 0) {
    std::vector<ExchangeFrame> frames;
    frames.push_back(Frame(0, value));
    first_->SendFrames({"w1", 0}, attempt, std::move(frames));
  }

  OwnThreadExecutor executor_;
  RecordingMailbox first_box_;
  RecordingMailbox second_box_;
  std::unique_ptr<PeerNetwork> first_;
  std::unique_ptr<PeerNetwork> second_;
  std::vector<std::shared_ptr<rpc::FrameStream>> ends_;  // of the peers
  std::vector<AttemptId> broken_;
  std::vector<arrow::Status> broken_why_;
  int connected_ = 0;
  bool is_reachable_ = true;
  bool serves_ = true;
};

TEST_F(PeerNetworkTest, SlotsOfOneProcessGetBatchesByPointer) {
  std::vector<ExchangeFrame> frames;
  frames.push_back(Frame(0, 1));
  const auto batch = frames[0].rows.batch;

  first_->SendFrames({"w0", 0}, Attempt(0, 1), std::move(frames));

  ASSERT_EQ(first_box_.frames.size(), 1u);
  EXPECT_EQ(first_box_.frames[0].second.rows.batch, batch);
  EXPECT_EQ(connected_, 0);
}

TEST_F(PeerNetworkTest, OtherWorkersGetFramesAndProgressInOrderOverOneStream) {
  for (int value = 0; value < 20; ++value) Send(Attempt(3, 1), value);
  second_->SendProgress({"w0", 0}, Attempt(3, 1), {.stage = 1, .consumer = 2, .chunk = 5});
  executor_.RunAll();

  ASSERT_EQ(second_box_.frames.size(), 20u);
  for (int value = 0; value < 20; ++value) {
    const auto& [attempt, frame] = second_box_.frames[value];
    EXPECT_EQ(attempt, Attempt(3, 1));
    EXPECT_TRUE(frame.rows.batch->Equals(*Frame(0, value).rows.batch));
  }
  ASSERT_EQ(first_box_.progress.size(), 1u);
  EXPECT_EQ(first_box_.progress[0].second.chunk, 5);
  EXPECT_EQ(connected_, 2);  // one each way
  EXPECT_EQ(first_->counters().frames_sent, 20);
  EXPECT_EQ(second_->counters().frames_received, 21);  // and the schema
}

TEST_F(PeerNetworkTest, ALostStreamBreaksEveryAttemptThatUsedItOnce) {
  Send(Attempt(3, 1));
  Send(Attempt(3, 2));
  executor_.RunAll();

  ends_[0]->Close();
  executor_.RunAll();
  Send(Attempt(3, 2));
  executor_.RunAll();

  EXPECT_EQ(broken_, (std::vector<AttemptId>{Attempt(3, 1), Attempt(3, 2)}));
  EXPECT_EQ(KindOf(broken_why_[0]), ErrorKind::kUnavailable);
  EXPECT_EQ(connected_, 1);
  EXPECT_EQ(second_box_.frames.size(), 2u);
}

TEST_F(PeerNetworkTest, TheNextAttemptOpensANewStream) {
  Send(Attempt(3, 1));
  executor_.RunAll();
  ends_[0]->Close();
  executor_.RunAll();

  Send(Attempt(3, 2), 42);
  executor_.RunAll();

  EXPECT_EQ(connected_, 2);
  ASSERT_EQ(second_box_.frames.size(), 2u);
  EXPECT_EQ(second_box_.frames[1].first, Attempt(3, 2));
  EXPECT_EQ(broken_.size(), 1u);
}

TEST_F(PeerNetworkTest, EarlierEpochsAreForgotten) {
  Send(Attempt(3, 1));
  Send(Attempt(4, 1));
  Send(Attempt(3, 1));  // late: dropped
  executor_.RunAll();

  ends_[0]->Close();
  executor_.RunAll();

  EXPECT_EQ(broken_, (std::vector<AttemptId>{Attempt(4, 1)}));
  EXPECT_EQ(second_box_.frames.size(), 2u);
}

TEST_F(PeerNetworkTest, AnUnreachablePeerBreaksTheAttempt) {
  is_reachable_ = false;

  Send(Attempt(0, 1));
  executor_.RunAll();

  EXPECT_EQ(broken_, (std::vector<AttemptId>{Attempt(0, 1)}));
}

TEST_F(PeerNetworkTest, AWorkerWithoutAnAddressBreaksTheAttempt) {
  first_->SendFrames({"w7", 0}, Attempt(0, 1), {});
  executor_.RunAll();

  ASSERT_EQ(broken_.size(), 1u);
  EXPECT_EQ(ErrorClassOf(broken_why_[0]), "EXCHANGE_PEER_UNKNOWN");
}

TEST_F(PeerNetworkTest, ANewIncarnationOfAPeerGetsANewStreamAndTheOldOneIsClosedQuietly) {
  Send(Attempt(0, 1));
  executor_.RunAll();

  first_->SetPeers(kJob, {{"w1", "second-life", "there"}});
  executor_.RunAll();
  Send(Attempt(1, 1));

  EXPECT_EQ(connected_, 2);
  EXPECT_TRUE(broken_.empty());
}

TEST_F(PeerNetworkTest, APeerOfAnotherJobStaysConnected) {
  first_->SetPeers("job-2", {{"w1", "w1-life", "there"}});
  Send(Attempt(0, 1));
  executor_.RunAll();

  first_->SetPeers(kJob, {});
  std::vector<ExchangeFrame> frames;
  frames.push_back(Frame(0, 1));
  first_->SendFrames({"w1", 0}, {"job-2", 0, 1}, std::move(frames));
  Send(Attempt(0, 2));  // The job is gone from here.
  executor_.RunAll();

  EXPECT_EQ(connected_, 1);
  EXPECT_EQ(second_box_.frames.size(), 2u);
  EXPECT_TRUE(broken_.empty());
}

TEST_F(PeerNetworkTest, AStreamToAnotherIncarnationIsRefusedAndBreaksItsAttempt) {
  first_->SetPeers(kJob, {{"w1", "former-life", "there"}});

  Send(Attempt(0, 1));
  executor_.RunAll();

  EXPECT_TRUE(second_box_.frames.empty());
  EXPECT_EQ(second_->counters().streams_refused, 1);
  EXPECT_EQ(broken_.size(), 1u);
}

TEST_F(PeerNetworkTest, AWorkerOfAnotherBuildIsRefused) {
  second_ = MakeNetwork("w1", "b2");
  second_->Attach({"w1", 0}, &second_box_);

  Send(Attempt(0, 1));
  executor_.RunAll();

  EXPECT_TRUE(second_box_.frames.empty());
  EXPECT_EQ(second_->counters().streams_refused, 1);
  EXPECT_EQ(broken_, std::vector{Attempt(0, 1)});
}

TEST_F(PeerNetworkTest, AStreamThatSaysNonsenseIsRefused) {
  for (const std::string text : {"", "GET / HTTP/1.1", "\x01\x04"}) {
    auto pair = MakeInMemoryStreamPair<grpc::ByteBuffer, grpc::ByteBuffer>();
    bool is_closed = false;
    pair.first->Start(&executor_, {.on_message = [](const grpc::ByteBuffer&) {},
                                   .on_close = [&](const arrow::Status&) { is_closed = true; }});
    second_->Serve("stranger", pair.second);

    const grpc::Slice slice(text);
    pair.first->Send(grpc::ByteBuffer(&slice, 1));
    executor_.RunAll();

    EXPECT_TRUE(is_closed) << text;
  }
  EXPECT_EQ(second_->counters().streams_refused, 3);
}

TEST_F(PeerNetworkTest, ARowBeyondTheLimitFailsTheAttemptWithItsOwnError) {
  std::vector<ExchangeFrame> frames;
  frames.push_back({.stage = 1, .rows = {testing::MakeBatch("s STRING", "[[\"x\"]]"), {}}});
  const std::string huge = "[[\"" + std::string(17 << 20, 'x') + "\"]]";
  frames[0].rows.batch = testing::MakeBatch("s STRING", huge);

  first_->SendFrames({"w1", 0}, Attempt(0, 1), std::move(frames));
  executor_.RunAll();

  ASSERT_EQ(broken_.size(), 1u);
  EXPECT_EQ(ErrorClassOf(broken_why_[0]), "ROW_TOO_LARGE");
}

// A burst waits here, not in the transport, and goes on as the peer takes it.
TEST_F(PeerNetworkTest, WhatThePeerHasNotTakenWaitsAndStaysInOrder) {
  serves_ = false;
  const std::string megabyte(1 << 20, 'x');
  const auto batch = testing::MakeBatch("s STRING", "[[\"" + megabyte + "\"]]");
  for (int64_t chunk = 0; chunk < 40; ++chunk) {
    std::vector<ExchangeFrame> frames;
    frames.push_back({.stage = 1, .chunk = chunk, .ends_chunk = true, .rows = {batch, {}}});
    first_->SendFrames({"w1", 0}, Attempt(0, 1), std::move(frames));
  }
  int64_t received = 0;
  ends_[0]->Start(&executor_, {.on_message =
                                   [&](const grpc::ByteBuffer& message) {
                                     received += static_cast<int64_t>(message.Length());
                                   },
                               .on_close = [](const arrow::Status&) {}});
  executor_.RunAll();
  EXPECT_LE(received, OutgoingStream::kUnreceivedBytes + (2 << 20));

  serves_ = true;
  first_->SetPeers("job-2", {{"w1", "w1-life", "elsewhere"}});
  for (int64_t chunk = 0; chunk < 40; ++chunk) {
    std::vector<ExchangeFrame> frames;
    frames.push_back({.stage = 1, .chunk = chunk, .ends_chunk = true, .rows = {batch, {}}});
    first_->SendFrames({"w1", 0}, {"job-2", 0, 1}, std::move(frames));
  }
  executor_.RunAll();

  ASSERT_EQ(second_box_.frames.size(), 40u);
  for (int64_t chunk = 0; chunk < 40; ++chunk)
    EXPECT_EQ(second_box_.frames[chunk].second.chunk, chunk);
}

}  // namespace
}  // namespace tidemill::worker
