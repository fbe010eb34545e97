#include "worker/exchange/frame_codec.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <set>

#include "common/base/error.h"
#include "tests/testing/batches.h"

namespace tidemill::worker {
namespace {

const AttemptId kAttempt{"6b1d", 7, (3ULL << 32) + 2};

std::string BytesOf(const grpc::ByteBuffer& message) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(message.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

grpc::ByteBuffer MessageOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// Everything a decoder gives back for messages, their schemas announced first.
std::vector<ExchangeFrame> Decode(const std::vector<WireFrame>& messages) {
  FrameDecoder decoder;
  std::vector<ExchangeFrame> frames;
  std::set<uint32_t> announced;
  for (const WireFrame& message : messages) {
    EXPECT_EQ(message.size, static_cast<int64_t>(message.bytes->Length()));
    for (const auto& schema : message.schemas) {
      if (!announced.insert(schema->id).second) continue;
      EXPECT_TRUE(decoder.Decode(*EncodeSchema(*schema).bytes).ok());
    }
    auto decoded = decoder.Decode(*message.bytes);
    if (!decoded.ok()) {
      ADD_FAILURE() << decoded.status().ToString();
      continue;
    }
    auto& rows = std::get<DecodedFrames>(*decoded);
    EXPECT_EQ(rows.attempt, kAttempt);
    EXPECT_EQ(rows.slot, 5);
    for (ExchangeFrame& frame : rows.frames) frames.push_back(std::move(frame));
  }
  return frames;
}

std::vector<ExchangeFrame> RoundTrip(const std::vector<ExchangeFrame>& frames,
                                     WireLimits limits = {}) {
  RowsEncoder encoder(limits);
  return Decode(encoder.Encode(kAttempt, 5, frames).ValueOrDie());
}

std::shared_ptr<arrow::RecordBatch> NestedBatch() {
  return testing::MakeBatch(
      "s STRING, n BIGINT, b BOOLEAN, d DECIMAL(20,2), l ARRAY<STRING>, m MAP<STRING, BIGINT>, "
      "st STRUCT<a: INT, t: ARRAY<STRUCT<x: STRING>>>, ts TIMESTAMP",
      R"([["", 1, true, "1.25", ["a", null, ""], [["k", 1], ["", null]], [1, [["x"], [null]]],
           "2024-01-02T03:04:05"],
          [null, null, null, null, null, null, null, null],
          ["long text of a row", -5, false, "-3.00", [], [], [null, []], "1970-01-01T00:00:00"],
          ["z", 9, null, "0.00", ["b"], [["q", 3]], null, "2001-01-01T00:00:00"]])");
}

TEST(FrameCodecTest, BatchesOfNestedTypesAndTheirSlicesComeOutEqual) {
  const auto batch = NestedBatch();
  for (int64_t begin = 0; begin <= batch->num_rows(); ++begin) {
    for (int64_t length = 0; begin + length <= batch->num_rows(); ++length) {
      const auto slice = batch->Slice(begin, length);

      const auto frames = RoundTrip({{.stage = 3, .lane = 2, .chunk = 1, .rows = {slice, {}}}});

      ASSERT_EQ(frames.size(), 1u);
      ASSERT_TRUE(frames[0].rows.batch->ValidateFull().ok());
      EXPECT_TRUE(frames[0].rows.batch->Equals(*slice, /*check_metadata=*/true))
          << begin << "+" << length << frames[0].rows.batch->ToString();
    }
  }
}

TEST(FrameCodecTest, MarksRunsAndPlacesComeOutEqualAndInOrder) {
  const auto batch = testing::MakeBatch("a INT", "[[1], [2], [3]]");
  std::vector<ExchangeFrame> sent;
  sent.push_back({.stage = 1, .lane = 4, .chunk = 9, .rows = {batch, {{2, 0, 1}, {11, 1, 3}}}});
  sent.push_back({.stage = 1, .lane = 4, .chunk = 9, .ends_chunk = true});
  sent.push_back({.stage = 1,
                  .lane = 4,
                  .chunk = 10,
                  .ends_chunk = true,
                  .ends_lane = true,
                  .rows = {batch, {}}});

  const auto got = RoundTrip(sent);

  ASSERT_EQ(got.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(got[i].stage, sent[i].stage);
    EXPECT_EQ(got[i].lane, sent[i].lane);
    EXPECT_EQ(got[i].chunk, sent[i].chunk);
    EXPECT_EQ(got[i].ends_chunk, sent[i].ends_chunk);
    EXPECT_EQ(got[i].ends_lane, sent[i].ends_lane);
    EXPECT_EQ(got[i].rows.batch == nullptr, sent[i].rows.batch == nullptr);
  }
  ASSERT_EQ(got[0].rows.runs.size(), 2u);
  EXPECT_EQ(got[0].rows.runs[1].key_group, 11u);
  EXPECT_EQ(got[0].rows.runs[1].begin, 1);
  EXPECT_EQ(got[0].rows.runs[1].end, 3);
}

TEST(FrameCodecTest, RowsWithoutColumnsAreCounted) {
  const auto batch = arrow::RecordBatch::Make(arrow::schema(arrow::FieldVector{}), 12,
                                              std::vector<std::shared_ptr<arrow::Array>>{});

  const auto frames = RoundTrip({{.rows = {batch, {{0, 0, 12}}}}});

  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].rows.batch->num_rows(), 12);
}

TEST(FrameCodecTest, LargeBatchesAreCutAndOnlyTheLastPieceCarriesTheMarks) {
  std::string json = "[";
  for (int row = 0; row < 1000; ++row)
    json += (row > 0 ? ",[\"" : "[\"") + std::string(row % 50, 'x') + "\"]";
  const auto batch = testing::MakeBatch("s STRING", json + "]");
  const WireLimits limits{.target_bytes = 4096};
  RowsEncoder encoder(limits);

  const auto messages =
      encoder
          .Encode(
              kAttempt, 5,
              {{.ends_chunk = true, .rows = {batch, {{1, 0, 10}, {2, 10, 990}, {9, 990, 1000}}}}})
          .ValueOrDie();

  EXPECT_GT(messages.size(), 5u);
  for (const WireFrame& message : messages) EXPECT_LE(message.size, limits.target_bytes);
  const auto frames = Decode(messages);
  int64_t row = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    const Rows& rows = frames[i].rows;
    EXPECT_EQ(frames[i].ends_chunk, i + 1 == frames.size());
    EXPECT_TRUE(rows.batch->Equals(*batch->Slice(row, rows.batch->num_rows())));
    for (const GroupRun& run : rows.runs) {
      for (int64_t at = row + run.begin; at < row + run.end; ++at)
        ASSERT_EQ(run.key_group, at < 10 ? 1u : at < 990 ? 2u : 9u);
    }
    row += rows.batch->num_rows();
  }
  EXPECT_EQ(row, 1000);
}

TEST(FrameCodecTest, ARowBeyondTheStreamsLimitIsAnErrorOfItsOwn) {
  const auto batch =
      testing::MakeBatch("s STRING", "[[\"a\"], [\"" + std::string(100'000, 'y') + "\"], [\"b\"]]");
  RowsEncoder encoder({.target_bytes = 4096, .max_bytes = 65536});

  const auto encoded = encoder.Encode(kAttempt, 5, {{.rows = {batch, {}}}});

  ASSERT_FALSE(encoded.ok());
  EXPECT_EQ(ErrorClassOf(encoded.status()), "ROW_TOO_LARGE");
  EXPECT_EQ(KindOf(encoded.status()), ErrorKind::kResource);
}

TEST(FrameCodecTest, HelloProgressAndReceivedComeOutEqual) {
  FrameDecoder decoder;

  const auto hello = decoder.Decode(*EncodeHello({"w0", "i0", "w1", "i1", "b"}).bytes).ValueOrDie();
  const auto progress =
      decoder.Decode(*EncodeProgress(kAttempt, 2, {4, 6, 1LL << 40}).bytes).ValueOrDie();
  const auto received = decoder.Decode(*EncodeReceived(1LL << 50).bytes).ValueOrDie();

  EXPECT_EQ(std::get<ExchangeHello>(hello).incarnation, "i0");
  EXPECT_EQ(std::get<ExchangeHello>(hello).peer_incarnation, "i1");
  EXPECT_EQ(std::get<ExchangeHello>(hello).build, "b");
  EXPECT_EQ(std::get<DecodedProgress>(progress).attempt, kAttempt);
  EXPECT_EQ(std::get<DecodedProgress>(progress).slot, 2);
  EXPECT_EQ(std::get<DecodedProgress>(progress).progress.consumer, 6);
  EXPECT_EQ(std::get<DecodedProgress>(progress).progress.chunk, 1LL << 40);
  EXPECT_EQ(std::get<DecodedReceived>(received).bytes, 1LL << 50);
}

TEST(FrameCodecTest, TextsThatAreNotUtf8ComeOutEqual) {
  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.Append("\xff\xfe broken").ok());
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("s", arrow::utf8())}), 1,
                                              {builder.Finish().ValueOrDie()});

  const auto frames = RoundTrip({{.rows = {batch, {}}}});

  ASSERT_EQ(frames.size(), 1u);
  EXPECT_TRUE(frames[0].rows.batch->Equals(*batch));
}

TEST(FrameCodecTest, RowsOfASchemaThatWasNotAnnouncedAreRefused) {
  RowsEncoder encoder;
  const auto messages = encoder.Encode(kAttempt, 5, {{.rows = {NestedBatch(), {}}}}).ValueOrDie();
  FrameDecoder decoder;

  const auto decoded = decoder.Decode(*messages[0].bytes);

  EXPECT_EQ(ErrorClassOf(decoded.status()), "EXCHANGE_FRAME_INVALID");
}

// What a decoder lets through must be safe to read.
class HostileFrameTest : public ::testing::Test {
 protected:
  HostileFrameTest() {
    RowsEncoder encoder;
    auto rows = encoder
                    .Encode(kAttempt, 5,
                            {{.stage = 1, .rows = {NestedBatch(), {{1, 0, 2}, {5, 2, 4}}}},
                             {.stage = 1, .ends_chunk = true}})
                    .ValueOrDie();
    schema_ = EncodeSchema(*rows[0].schemas[0]);
    for (const WireFrame& frame : {rows[0], schema_, EncodeHello({"w0", "i0", "w1", "i1", "b"}),
                                   EncodeProgress(kAttempt, 2, {4, 6, 1}), EncodeReceived(77)})
      messages_.push_back(BytesOf(*frame.bytes));
  }

  // Counts what is let through.
  void Try(size_t message, const std::string& bytes) {
    FrameDecoder decoder;
    if (message != 1) {
      ASSERT_TRUE(decoder.Decode(*schema_.bytes).ok());
    }
    const auto decoded = decoder.Decode(MessageOf(bytes));
    if (!decoded.ok()) return;
    ++accepted_;
    const auto* frames = std::get_if<DecodedFrames>(&*decoded);
    if (frames == nullptr) return;
    for (const ExchangeFrame& frame : frames->frames) {
      if (frame.rows.batch == nullptr) continue;
      ASSERT_TRUE(frame.rows.batch->Validate().ok());
      const int64_t rows = frame.rows.batch->num_rows();
      for (const GroupRun& run : frame.rows.runs) ASSERT_LE(run.end, rows);
      for (const auto& column : frame.rows.batch->columns()) {
        for (int64_t row = 0; row < rows; ++row)
          ASSERT_TRUE(column->GetScalar(row).ValueOrDie() != nullptr);
      }
    }
  }

  WireFrame schema_;
  std::vector<std::string> messages_;
  int accepted_ = 0;
};

TEST_F(HostileFrameTest, AnyFlippedByteIsRefusedOrLeavesAValidBatch) {
  for (size_t message = 0; message < messages_.size(); ++message) {
    for (size_t at = 0; at < messages_[message].size(); ++at) {
      for (const uint8_t mask : {0x01, 0x80, 0xff}) {
        std::string bytes = messages_[message];
        bytes[at] = static_cast<char>(bytes[at] ^ mask);
        Try(message, bytes);
      }
    }
  }
}

TEST_F(HostileFrameTest, AnyCutMessageIsRefused) {
  for (size_t message = 0; message < messages_.size(); ++message) {
    for (size_t length = 0; length < messages_[message].size(); ++length)
      Try(message, messages_[message].substr(0, length));
    Try(message, messages_[message] + "x");
  }

  EXPECT_EQ(accepted_, 0);
}

}  // namespace
}  // namespace tidemill::worker
