#include "common/transport/in_memory_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace tidemill {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ManualExecutor final : public Executor {
 public:
  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  void PostAfter(std::chrono::nanoseconds, Task task) override { Post(std::move(task)); }
  void Stop() override { tasks_.clear(); }
  void RunAll() {
    while (!tasks_.empty()) {
      const Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }

 private:
  std::deque<Task> tasks_;
};

class InMemoryStreamTest : public testing::Test {
 protected:
  void Listen() {
    streams_.second->Start(
        &executor_,
        {.on_message = [this](std::string message) { received_.push_back(std::move(message)); },
         .on_close = [this](const arrow::Status&) { received_.push_back("closed"); }});
  }

  ManualExecutor executor_;
  StreamPair<std::string, int> streams_ = MakeInMemoryStreamPair<std::string, int>();
  std::vector<std::string> received_;
};

TEST_F(InMemoryStreamTest, DeliversInOrderAlsoWhatWasSentBeforeTheStart) {
  streams_.first->Send("a");
  Listen();
  streams_.first->Send("b");
  EXPECT_THAT(received_, IsEmpty()) << "a handler is never called by Send or Start";

  executor_.RunAll();
  streams_.first->Send("c");
  executor_.RunAll();

  EXPECT_THAT(received_, ElementsAre("a", "b", "c"));
}

TEST_F(InMemoryStreamTest, TheOtherEndHearsOfACloseAfterTheLastMessageAndOnce) {
  Listen();
  streams_.first->Send("a");
  streams_.first->Close();
  streams_.first->Send("too late");
  streams_.first.reset();

  executor_.RunAll();

  EXPECT_THAT(received_, ElementsAre("a", "closed"));
}

TEST_F(InMemoryStreamTest, HandlersThatHoldTheirOwnStreamGoWithTheClose) {
  const std::weak_ptr<MessageStream<int, std::string>> watched = streams_.second;
  streams_.second->Start(&executor_,
                         {.on_message = [held = streams_.second](const std::string&) {},
                          .on_close = [held = streams_.second](const arrow::Status&) {}});
  streams_.second.reset();

  streams_.first->Close();
  executor_.RunAll();

  EXPECT_TRUE(watched.expired());
}

TEST_F(InMemoryStreamTest, DroppingAnEndClosesIt) {
  Listen();
  streams_.first.reset();
  executor_.RunAll();
  EXPECT_THAT(received_, ElementsAre("closed"));
}

TEST_F(InMemoryStreamTest, NothingIsDeliveredAfterTheReceiverHasClosed) {
  Listen();
  streams_.first->Send("a");
  streams_.second->Close();

  executor_.RunAll();

  EXPECT_THAT(received_, IsEmpty());
}

TEST_F(InMemoryStreamTest, AHandlerMayCloseItsOwnEnd) {
  streams_.second->Start(&executor_, {.on_message =
                                          [this](std::string message) {
                                            received_.push_back(std::move(message));
                                            streams_.second->Close();
                                          },
                                      .on_close = nullptr});
  streams_.first->Send("a");
  streams_.first->Send("b");

  executor_.RunAll();

  EXPECT_THAT(received_, ElementsAre("a"));
}

}  // namespace
}  // namespace tidemill
