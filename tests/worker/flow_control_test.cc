#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "common/fs/file_system.h"
#include "driver/job/plan_job.h"
#include "proto/plan.pb.h"
#include "worker/exchange/lane_merger.h"
#include "worker/operators/operator_states.h"
#include "worker/slot/stage_runner.h"

namespace tidemill::worker {
namespace {

const AttemptId kAttempt{"job", 0, 1};

// Says when the reader was asked, and always has another batch.
class EndlessReader final : public connectors::SplitReader {
 public:
  EndlessReader(std::shared_ptr<arrow::RecordBatch> batch, int* asked)
      : batch_(std::move(batch)), asked_(asked) {}
  arrow::Result<connectors::ReadStep> Next() override {
    ++*asked_;
    return connectors::ReadStep{connectors::ReadStep::Kind::kBatch, batch_};
  }
  connectors::PlaceFinder PlaceOf(int64_t row) const override {
    return [row] { return "row " + std::to_string(row); };
  }

 private:
  const std::shared_ptr<arrow::RecordBatch> batch_;
  int* const asked_;
};

class EndlessSource final : public connectors::SourceReader {
 public:
  explicit EndlessSource(std::shared_ptr<arrow::RecordBatch> batch) : batch_(std::move(batch)) {}
  arrow::Result<std::unique_ptr<connectors::SplitReader>> Open(
      const connectors::Split& split, connectors::ReaderContext context) override {
    return std::make_unique<EndlessReader>(batch_, &asked);
  }

  int asked = 0;

 private:
  const std::shared_ptr<arrow::RecordBatch> batch_;
};

// Is full while it holds `room` batches.
class SlowWriter final : public connectors::SinkWriter {
 public:
  explicit SlowWriter(size_t room) : room_(room) {}
  arrow::Status Begin(const connectors::EpochId& id, int64_t shard) override {
    return arrow::Status::OK();
  }
  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    held_.push_back(batch);
    most_held = std::max(most_held, held_.size());
    rows += batch->num_rows();
    return arrow::Status::OK();
  }
  void Prepare(PrepareDone done) override { done(connectors::StagedOutput{}); }
  void Abort() override {}
  bool is_full() const override { return held_.size() >= room_; }
  void Drain() { held_.clear(); }

  size_t most_held = 0;
  int64_t rows = 0;

 private:
  const size_t room_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> held_;
};

// What leaves a stage towards consumers that have taken everything below `consumed`.
class WindowOutput final : public RowOutput {
 public:
  arrow::Status Send(int lane, int64_t chunk, Rows rows) override {
    sent.emplace_back(chunk, lane);
    rows_sent += rows.batch->num_rows();
    frames.push_back({.lane = lane, .chunk = chunk, .rows = std::move(rows)});
    return arrow::Status::OK();
  }
  void EndChunk(int lane, int64_t chunk) override {
    frames.push_back({.lane = lane, .chunk = chunk, .ends_chunk = true});
  }
  void EndLane(int lane, int64_t chunk) override {
    frames.push_back({.lane = lane, .chunk = chunk, .ends_chunk = true, .ends_lane = true});
  }
  bool MayProduce(int64_t chunk) const override { return chunk < consumed + kExchangeWindowChunks; }

  int64_t consumed = 0;
  int64_t rows_sent = 0;
  std::vector<std::pair<int64_t, int>> sent;
  std::vector<ExchangeFrame> frames;
};

// The stage behind the exchange of a keyed count in complete mode, with three key groups on one
// slot.
class FlowControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    driver::JobSpec spec;
    spec.name = "flow";
    driver::SourceDecl source;
    source.name = "t";
    source.format = "rate";
    spec.sources.push_back(source);
    spec.query = "SELECT value, count(*) AS c FROM t GROUP BY value";
    spec.sink_format = "noop";
    spec.output_mode = connectors::OutputMode::kComplete;
    const auto planned = driver::PlanJob(spec, FileSystem::Local()).ValueOrDie();
    plan_ = ReadPlan(*planned.query.plan, "uuid", "flow").ValueOrDie();
    states_ = OperatorStates::Make(plan_->stateful, 3).ValueOrDie();
    const int id = plan_->stateful[0].operator_id;
    for (uint32_t group = 0; group < 3; ++group)
      states_->AddTable(id, group, states_->MakeTable(id));
    assignment_.slots = {{"w", 0}};
    assignment_.key_group_slot = {0, 0, 0};
    pipeline_ = Pipeline::Make(stage(), states_.get(), nullptr).ValueOrDie();
  }

  const StagePlan& stage() const { return plan_->stages.back(); }

  std::unique_ptr<StageRunner> MakeRunner(RowOutput* output) {
    EvalContext context;
    context.pool = arrow::default_memory_pool();
    context.zone = plan_->zone;
    return std::make_unique<StageRunner>(&stage(), StageRunner::Place{0, false, {1}, {0, 1, 2}},
                                         kAttempt, &assignment_, context, pipeline_.get(), output,
                                         &network_);
  }

  // Keys 0 .. rows - 1 of a key group, each counted once.
  Rows CountedKeys(uint32_t group, int64_t rows) const {
    arrow::Int64Builder keys;
    arrow::Int64Builder counts;
    for (int64_t row = 0; row < rows; ++row) {
      EXPECT_TRUE(keys.Append(row).ok());
      EXPECT_TRUE(counts.Append(1).ok());
    }
    return {arrow::RecordBatch::Make(stage().input_schema, rows,
                                     {keys.Finish().ValueOrDie(), counts.Finish().ValueOrDie()}),
            {{group, 0, static_cast<int32_t>(rows)}}};
  }
  void Feed(StageRunner* runner, const std::vector<std::pair<uint32_t, int64_t>>& groups) {
    for (const auto& [group, rows] : groups)
      ASSERT_TRUE(runner->AddFrame({.rows = CountedKeys(group, rows)}).ok());
    ASSERT_TRUE(runner->AddFrame({.ends_chunk = true, .ends_lane = true}).ok());
  }

  // Steps until the runner waits or is done.
  static StepResult Run(StageRunner* runner) {
    while (true) {
      const StepResult result = runner->Step().ValueOrDie();
      if (result != StepResult::kProgress) return result;
    }
  }

  std::shared_ptr<const JobPlan> plan_;
  std::unique_ptr<OperatorStates> states_;
  Assignment assignment_;
  std::unique_ptr<Pipeline> pipeline_;
  LocalExchangeNetwork network_;
};

std::shared_ptr<connectors::SourceReader> Borrowed(connectors::SourceReader* source) {
  return {std::shared_ptr<void>(), source};
}

TEST_F(FlowControlTest, AStageEmitsAsFarAsConsumersHaveRoomAndGoesOnWhenTheyHaveMore) {
  WindowOutput output;
  const auto runner = MakeRunner(&output);
  Feed(runner.get(), {{0, 10}, {1, 200'000}});

  EXPECT_EQ(Run(runner.get()), StepResult::kBlocked);
  EXPECT_EQ(output.sent.size(), 1u + kExchangeWindowChunks);

  output.consumed = 6;
  EXPECT_EQ(Run(runner.get()), StepResult::kDone);
  EXPECT_EQ(output.rows_sent, 200'010);
  EXPECT_TRUE(std::is_sorted(output.sent.begin(), output.sent.end()));
}

TEST_F(FlowControlTest, ConsumersThatMergeLanesNeverWaitForWhatIsHeldBack) {
  WindowOutput output;
  const auto runner = MakeRunner(&output);
  Feed(runner.get(), {{0, 150'000}, {1, 5}, {2, 170'000}});
  LaneMerger merger(3);
  int64_t merged = 0;
  size_t most_waiting = 0;

  while (!merger.is_finished()) {
    const StepResult result = Run(runner.get());
    size_t waiting = 0;
    for (ExchangeFrame& frame : std::exchange(output.frames, {})) {
      waiting += frame.rows.batch != nullptr ? 1 : 0;
      ASSERT_TRUE(merger.Add(std::move(frame)).ok());
    }
    most_waiting = std::max(most_waiting, waiting);
    while (auto rows = merger.Next()) merged += rows->batch->num_rows();
    ASSERT_TRUE(result == StepResult::kDone || merger.chunk() > output.consumed);
    output.consumed = merger.chunk();
  }

  EXPECT_EQ(merged, 320'005);
  EXPECT_LE(most_waiting, 3u * kExchangeWindowChunks);
}

TEST_F(FlowControlTest, AFullSinkStopsTheStageInFrontOfIt) {
  SlowWriter writer(2);
  SinkOutput output(&writer);
  const auto runner = MakeRunner(&output);
  Feed(runner.get(), {{0, 100'000}, {2, 100'000}});

  while (Run(runner.get()) == StepResult::kBlocked) writer.Drain();

  EXPECT_EQ(writer.rows, 200'000);
  EXPECT_EQ(writer.most_held, 2u);
}

TEST_F(FlowControlTest, AFullSinkStopsTheReadersOfItsLanes) {
  const auto batch = CountedKeys(0, 1000).batch;
  StagePlan passthrough;
  passthrough.input_schema = batch->schema();
  const auto pipeline = Pipeline::Make(passthrough, nullptr, nullptr).ValueOrDie();
  EndlessSource source(batch);
  SlowWriter writer(4);
  SinkOutput output(&writer);
  LaneRunner lane(0, {LaneSplit{}}, Borrowed(&source), {}, EvalContext{}, pipeline.get(), &output);

  for (int step = 0; step < 100; ++step) ASSERT_TRUE(lane.Step().ok());
  EXPECT_EQ(source.asked, 4);
  EXPECT_EQ(lane.Step().ValueOrDie(), StepResult::kBlocked);

  writer.Drain();
  for (int step = 0; step < 100; ++step) ASSERT_TRUE(lane.Step().ok());
  EXPECT_EQ(source.asked, 8);
}

TEST_F(FlowControlTest, ASlowConsumerStopsTheReadersOfItsLanes) {
  const auto batch = CountedKeys(0, kChunkRows / 2).batch;
  StagePlan passthrough;
  passthrough.input_schema = batch->schema();
  const auto pipeline = Pipeline::Make(passthrough, nullptr, nullptr).ValueOrDie();
  EndlessSource source(batch);
  WindowOutput output;
  LaneRunner lane(0, {LaneSplit{}}, Borrowed(&source), {}, EvalContext{}, pipeline.get(), &output);

  for (int step = 0; step < 100; ++step) ASSERT_TRUE(lane.Step().ok());
  EXPECT_EQ(source.asked, 2 * kExchangeWindowChunks);

  output.consumed = 3;
  for (int step = 0; step < 100; ++step) ASSERT_TRUE(lane.Step().ok());
  EXPECT_EQ(source.asked, 2 * (kExchangeWindowChunks + 3));
}

TEST_F(FlowControlTest, WideRowsFillTheWindowOfAConsumerBeforeItsChunksDo) {
  arrow::StringBuilder texts;
  ASSERT_TRUE(texts.Append(std::string(kExchangeWindowBytes / 2, 'x')).ok());
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("t", arrow::utf8())}), 1,
                                              {texts.Finish().ValueOrDie()});
  StagePlan gathered;
  gathered.output = StageOutput::kGather;
  ExchangeOutput output(gathered, kAttempt, &assignment_, nullptr, &network_);
  const auto send = [&](int64_t chunk) { ASSERT_TRUE(output.Send(0, chunk, {batch, {}}).ok()); };

  send(0);
  EXPECT_TRUE(output.MayProduce(1));
  send(1);
  EXPECT_FALSE(output.MayProduce(1));
  EXPECT_TRUE(output.MayProduce(0)) << "what the consumer waits for is never held back";

  output.OnProgress({.stage = 0, .consumer = 0, .chunk = 1});
  EXPECT_TRUE(output.MayProduce(2));
  send(2);
  EXPECT_FALSE(output.MayProduce(2));
  EXPECT_TRUE(output.MayProduce(1));
}

TEST_F(FlowControlTest, RowsThatDoNotBelongToTheStageAreRefused) {
  WindowOutput output;
  const auto runner = MakeRunner(&output);
  const Rows fitting = CountedKeys(0, 3);

  EXPECT_FALSE(runner->AddFrame({.rows = CountedKeys(7, 3)}).ok());
  EXPECT_FALSE(runner->AddFrame({.rows = {fitting.batch, {}}}).ok());
  EXPECT_FALSE(
      runner->AddFrame({.rows = {fitting.batch->RemoveColumn(1).ValueOrDie(), fitting.runs}}).ok());
  EXPECT_TRUE(runner->AddFrame({.rows = fitting}).ok());
}

}  // namespace
}  // namespace tidemill::worker
