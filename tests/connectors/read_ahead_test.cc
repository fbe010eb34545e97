#include "connectors/read_ahead.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "common/base/error.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

using ::testing::IsEmpty;

// A reader that waits until it is woken, over real threads.
class ReadAheadTest : public ::testing::Test {
 protected:
  std::shared_ptr<SourceReader> SourceOf(const ReadRequest& request, const Split& split) {
    return MakeSourceReader(SpecOf(request, split.path).ValueOrDie(), {0}).ValueOrDie();
  }

  ReaderContext Context() {
    return {
        .fs = FileSystem::Local(), .io = io_.get(), .wake = [this] { Wake(); }, .batch_rows = 7};
  }

  void Wake() {
    const std::lock_guard lock(mutex_);
    ++wakes_;
    is_woken_.notify_one();
  }

  arrow::Result<ReadStep> NextOf(SplitReader* reader) {
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        wakes_ = 0;
      }
      auto step = reader->Next();
      if (!step.ok() || step->kind != ReadStep::Kind::kPending) return step;
      std::unique_lock lock(mutex_);
      is_woken_.wait(lock, [this] { return wakes_ > 0; });
    }
  }

  ScratchDir dir_;
  std::mutex mutex_;
  std::condition_variable is_woken_;
  int wakes_ = 0;
  std::unique_ptr<Executor> io_ = MakePoolExecutor("io", 3);
};

std::string Lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("line {}\n", i);
  return text;
}

TEST_F(ReadAheadTest, GivesTheBatchesOfTheReaderInside) {
  const Split split = SplitOf(dir_.Write("a.txt", Lines(1000)));
  const auto source = SourceOf({.format = "text", .schema = ""}, split);
  const auto want = ReadSplit(source.get(), split, {.batch_rows = 7}).ValueOrDie();

  const auto reader = OpenAhead(source, split, Context()).ValueOrDie();
  std::vector<std::shared_ptr<arrow::RecordBatch>> got;
  for (auto step = NextOf(reader.get()); step->kind == ReadStep::Kind::kBatch;
       step = NextOf(reader.get())) {
    got.push_back(step->batch);
    if (got.size() % 40 == 0) {
      EXPECT_EQ(reader->PlaceOf(2)(), fmt::format("{}:{}", split.path, 7 * (got.size() - 1) + 3));
    }
  }
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i]->Equals(*want[i]));
}

TEST_F(ReadAheadTest, AnErrorComesBehindTheBatchesBeforeIt) {
  const Split split = SplitOf(dir_.Write("a.json", "{\"a\":1}\n{\"a\":2}\n{\"a\":\n"));
  const ReadRequest request{.format = "json", .schema = "a INT", .options = {{"mode", "FAILFAST"}}};
  const auto source = SourceOf(request, split);
  ReaderContext context = Context();
  context.batch_rows = 2;
  const auto reader = OpenAhead(source, split, context).ValueOrDie();

  EXPECT_EQ(NextOf(reader.get())->batch->num_rows(), 2);
  const auto failed = NextOf(reader.get()).status();
  ASSERT_EQ(KindOf(failed), ErrorKind::kJobFailed) << failed;
  EXPECT_EQ(reader->PlaceOf(*DetailOf(failed)->row)(), split.path + ":3");
}

TEST_F(ReadAheadTest, MayBeLeftInTheMiddle) {
  const Split split = SplitOf(dir_.Write("a.txt", Lines(1000)));
  const auto source = SourceOf({.format = "text", .schema = ""}, split);
  for (int taken = 0; taken < 12; ++taken) {
    const auto reader = OpenAhead(source, split, Context()).ValueOrDie();
    for (int i = 0; i < taken; ++i) ASSERT_TRUE(NextOf(reader.get()).ok());
  }
}

}  // namespace
}  // namespace tidemill::connectors
