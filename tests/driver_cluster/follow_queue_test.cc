#include "driver/api/follow_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemill::driver {
namespace {

TEST(FollowQueueTest, TextComesInOrderAndTheOutcomeLast) {
  FollowQueue queue;
  EXPECT_FALSE(queue.Next().has_value());
  proto::JobInfo outcome;
  outcome.set_id("x");
  queue.Push("a");
  queue.SetOutcome(outcome);
  queue.Push("b");
  EXPECT_EQ(queue.Next()->console(), "ab");
  EXPECT_EQ(queue.Next()->outcome().id(), "x");
  EXPECT_FALSE(queue.Next().has_value());
}

TEST(FollowQueueTest, WhatIsNotReadInTimeIsLostWithANote) {
  FollowQueue queue;
  const std::string line(size_t{100} << 10, 'x');
  for (int i = 0; i < 12; ++i) queue.Push(line);
  queue.Push("short, but after a gap");
  size_t kept = 0;
  std::string last;
  while (const auto reply = queue.Next()) {
    kept += reply->console().front() == 'x' ? reply->console().size() : 0;
    last = reply->console();
  }
  EXPECT_EQ(kept, 10 * line.size());
  EXPECT_EQ(last, "[204822 bytes of output were lost: read too slowly]\n");
  queue.Push("again");
  EXPECT_EQ(queue.Next()->console(), "again");
}

}  // namespace
}  // namespace tidemill::driver
