#include "common/rpc/frame_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/base/error.h"
#include "tests/rpc/recorded_end.h"

namespace tidemill::rpc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Numbers(int count) {
  std::vector<std::string> numbers;
  numbers.reserve(count);
  for (int i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

TEST(FrameStreamTest, FramesComeBackInOrder) {
  RecordingServer server;
  const auto client = Connect(server.address());
  client->Start();

  for (const std::string& number : Numbers(1000)) client->Send(number);

  EXPECT_EQ(client->Await(1000), Numbers(1000));
}

TEST(FrameStreamTest, AnEmptyFrameIsAFrame) {
  RecordingServer server;
  const auto client = Connect(server.address());
  client->Start();

  client->Send("");
  client->Send("b");

  EXPECT_THAT(client->Await(2), ElementsAre("", "b"));
}

TEST(FrameStreamTest, WhatCameBeforeTheStartIsDeliveredFirst) {
  RecordingServer server({.starts = false, .echoes = false});
  const auto client = Connect(server.address());
  for (const std::string& number : Numbers(500)) client->Send(number);
  RecordedEnd* accepted = server.AwaitStream();
  EXPECT_THAT(accepted->events(), IsEmpty());

  accepted->Start();

  EXPECT_EQ(accepted->Await(500), Numbers(500));
}

TEST(FrameStreamTest, ASlowReceiverStopsTheSenderAndLosesNothing) {
  RecordingServer server({.echoes = false});
  const auto client = Connect(server.address());
  auto blocked = server.AwaitStream()->BlockHandlers();
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 40; ++i) client->Send(block + std::to_string(i));
  client->Close();

  blocked.reset();

  const auto frames = server.AwaitStream()->Await(40);
  ASSERT_EQ(frames.size(), 40u);
  EXPECT_EQ(frames.back(), block + "39");
  EXPECT_TRUE(server.AwaitStream()->AwaitClose().ok());
}

TEST(FrameStreamTest, ABigFrameFits) {
  RecordingServer server;
  const auto client = Connect(server.address());
  client->Start();
  const std::string big((16 << 20) - 1000, 'x');

  client->Send(big);

  EXPECT_THAT(client->Await(1), ElementsAre(big));
}

TEST(FrameStreamTest, AFrameAboveTheLimitBreaksTheStreamOnBothEnds) {
  RecordingServer server({.limits = {.message_bytes = 1000}});
  const auto client = Connect(server.address());
  client->Start();
  client->Send("a");
  ASSERT_THAT(client->Await(1), ElementsAre("a"));

  client->Send(std::string(1001, 'x'));

  EXPECT_EQ(ErrorClassOf(client->AwaitClose()), "CONNECTION_LOST");
  EXPECT_EQ(KindOf(client->AwaitClose()), ErrorKind::kUnavailable);
  EXPECT_EQ(ErrorClassOf(server.AwaitStream()->AwaitClose()), "CONNECTION_LOST");
  EXPECT_THAT(server.AwaitStream()->events(), ElementsAre("a", "closed"));
}

TEST(FrameStreamTest, AClientTakesNoFrameAboveItsLimit) {
  RecordingServer server;
  const auto client = Connect(server.address(), {.message_bytes = 1000});
  client->Start();

  client->Send(std::string(1001, 'x'));

  EXPECT_EQ(ErrorClassOf(client->AwaitClose()), "CONNECTION_LOST");
}

TEST(FrameStreamTest, APeerThatDoesNotReadIsGivenUp) {
  RecordingServer server({.starts = false});
  const auto client = Connect(server.address(), {.queued_bytes = 1 << 20});
  client->Start();

  // More than the sender's queue, the receiver's and what lies between them can hold.
  for (int i = 0; i < 4000; ++i) client->Send(std::string(64 << 10, 'x'));

  const arrow::Status status = client->AwaitClose();
  EXPECT_EQ(ErrorClassOf(status), "CONNECTION_LOST");
  EXPECT_THAT(status.message(), testing::HasSubstr("peer does not read"));
}

TEST(FrameStreamTest, AServerGivesUpAClientThatDoesNotRead) {
  RecordingServer server({.limits = {.queued_bytes = 1 << 20}, .echoes = false});
  const auto client = Connect(server.address());
  RecordedEnd* accepted = server.AwaitStream();

  for (int i = 0; i < 4000; ++i) accepted->Send(std::string(64 << 10, 'x'));

  EXPECT_EQ(ErrorClassOf(accepted->AwaitClose()), "CONNECTION_LOST");
}

TEST(FrameStreamTest, AServerHearsOfAClosedClientAfterItsLastFrameAndOnce) {
  RecordingServer server({.echoes = false});
  const auto client = Connect(server.address());
  client->Send("a");
  client->Send("b");

  client->Close();
  client->Send("too late");

  EXPECT_TRUE(server.AwaitStream()->AwaitClose().ok());
  EXPECT_THAT(server.AwaitStream()->events(), ElementsAre("a", "b", "closed"));
}

TEST(FrameStreamTest, AClientHearsOfAClosedServerAfterItsLastFrameAndOnce) {
  RecordingServer server;
  const auto client = Connect(server.address());
  client->Start();
  server.AwaitStream()->Send("a");
  server.AwaitStream()->Send("b");

  server.AwaitStream()->Close();

  EXPECT_TRUE(client->AwaitClose().ok());
  EXPECT_THAT(client->events(), ElementsAre("a", "b", "closed"));
}

TEST(FrameStreamTest, DroppingAnEndClosesIt) {
  RecordingServer server;
  const auto client = Connect(server.address());
  client->Drop();
  EXPECT_TRUE(server.AwaitStream()->AwaitClose().ok());
}

TEST(FrameStreamTest, HandlersAreSilentAfterTheirOwnClose) {
  RecordingServer server;
  const auto client = Connect(server.address());
  client->Start();
  client->Send("a");
  ASSERT_THAT(client->Await(1), ElementsAre("a"));

  client->Close();

  EXPECT_TRUE(server.AwaitStream()->AwaitClose().ok());
  EXPECT_THAT(client->events(), ElementsAre("a"));
}

TEST(FrameStreamTest, StreamsOfOneChannelAreApart) {
  RecordingServer server;
  const auto channel = Channel::Make(server.address());
  RecordedEnd first(channel->OpenStream(RecordingServer::kMethod));
  RecordedEnd second(channel->OpenStream(RecordingServer::kMethod));
  first.Start();
  second.Start();

  first.Send("1");
  second.Send("2");
  first.Close();
  second.Send("3");

  EXPECT_THAT(second.Await(2), ElementsAre("2", "3"));
}

TEST(FrameStreamTest, ACallToNobodyFailsAtOnce) {
  std::string address;
  {
    const RecordingServer gone;
    address = gone.address();
  }
  const auto client = Connect(address);
  client->Start();

  const arrow::Status status = client->AwaitClose();

  EXPECT_EQ(ErrorClassOf(status), "CANNOT_CONNECT");
  EXPECT_EQ(KindOf(status), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace tidemill::rpc
