#include "driver/cluster/worker_registry.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/transport/in_memory_stream.h"
#include "proto/control.pb.h"
#include "tests/driver/simulation.h"

namespace tidemill::driver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The worker's end of a control stream.
struct Peer {
  std::shared_ptr<MessageStream<proto::ToDriver, proto::ToWorker>> stream;
  std::vector<proto::ToWorker> received;
  bool is_closed = false;

  int Count(proto::ToWorker::MessageCase what) const {
    int count = 0;
    for (const auto& message : received) count += message.message_case() == what ? 1 : 0;
    return count;
  }
  std::string RefusedFor() const {
    for (const auto& message : received) {
      if (message.has_refused()) return message.refused().error().error_class();
    }
    return "";
  }
};

// A job's end of a worker.
struct JobEnd {
  WorkerLink link;
  std::vector<proto::ToDriver> received;
  std::optional<arrow::Status> closed;
};

class WorkerRegistryTest : public testing::Test, public RegistryListener {
 protected:
  WorkerRegistryTest()
      : registry_({.clock = &time_,
                   .executor = &time_,
                   .cluster_term = 7,
                   .driver_incarnation = "driver",
                   .build = "build",
                   .listener = this}) {
    registry_.Start();
  }
  ~WorkerRegistryTest() override { time_.DropAll(); }

  void OnWorkerJoined(const std::string& worker) override {
    joined_.push_back(worker);
    if (on_joined_) on_joined_();
  }
  void OnWorkerLeaving(const std::string& worker) override { leaving_.push_back(worker); }

  std::shared_ptr<Peer> Connect() {
    auto streams = MakeInMemoryStreamPair<proto::ToWorker, proto::ToDriver>();
    auto peer = std::make_shared<Peer>();
    peer->stream = streams.second;
    peer->stream->Start(
        &time_,
        {.on_message =
             [peer = peer.get()](proto::ToWorker message) {
               peer->received.push_back(std::move(message));
             },
         .on_close = [peer = peer.get()](const arrow::Status&) { peer->is_closed = true; }});
    registry_.Serve(streams.first, "memory");
    peers_.push_back(peer);
    return peer;
  }

  static proto::Register Hello(const std::string& worker, const std::string& incarnation) {
    proto::Register hello;
    hello.set_worker(worker);
    hello.set_incarnation(incarnation);
    hello.set_slots(2);
    hello.set_build("build");
    hello.set_exchange_address("127.0.0.1:1");
    return hello;
  }

  std::shared_ptr<Peer> Join(const proto::Register& hello) {
    auto peer = Connect();
    proto::ToDriver message;
    *message.mutable_register_worker() = hello;
    peer->stream->Send(std::move(message));
    Settle();
    return peer;
  }

  std::unique_ptr<JobEnd> Open(const std::string& worker, const std::string& job) {
    auto end = std::make_unique<JobEnd>();
    end->link = registry_.OpenJobStream(worker, job);
    if (end->link.stream == nullptr) return end;
    end->link.stream->Start(
        &time_, {.on_message =
                     [end = end.get()](proto::ToDriver message) {
                       end->received.push_back(std::move(message));
                     },
                 .on_close = [end = end.get()](const arrow::Status& why) { end->closed = why; }});
    return end;
  }

  static void Beat(const Peer& peer) {
    proto::ToDriver message;
    message.mutable_heartbeat();
    peer.stream->Send(std::move(message));
  }

  static void Say(const Peer& peer, const std::string& job, int64_t epoch) {
    proto::ToDriver message;
    message.set_job(job);
    message.mutable_prepared()->set_epoch(epoch);
    peer.stream->Send(std::move(message));
  }

  void RunFor(std::chrono::milliseconds duration) {
    bool is_over = false;
    time_.PostAfter(duration, [&] { is_over = true; });
    while (!is_over) ASSERT_TRUE(time_.RunOne());
  }
  // Long enough for messages to arrive, too short for timers.
  void Settle() { RunFor(milliseconds(1)); }

  std::string StateOf(const std::string& worker) const {
    for (const auto& info : registry_.Describe()) {
      if (info.id() == worker) return info.state();
    }
    return "";
  }

  Simulation time_;
  WorkerRegistry registry_;
  std::vector<std::string> joined_;
  std::function<void()> on_joined_;
  std::vector<std::string> leaving_;
  std::vector<std::shared_ptr<Peer>> peers_;
};

TEST_F(WorkerRegistryTest, AWorkerThatRegistersIsToldTermAndLease) {
  const auto peer = Join(Hello("a", "1"));
  ASSERT_EQ(peer->received.size(), 1u);
  EXPECT_EQ(peer->received[0].registered().cluster_term(), 7u);
  EXPECT_EQ(peer->received[0].registered().lease_us(), 5'000'000);
  EXPECT_EQ(joined_, std::vector<std::string>{"a"});
  EXPECT_EQ(registry_.AliveWorkers(), std::vector<std::string>{"a"});
  EXPECT_EQ(StateOf("a"), "ALIVE");
}

TEST_F(WorkerRegistryTest, AJobGetsItsOwnMessagesAndItsReportOnce) {
  proto::Register hello = Hello("a", "1");
  hello.add_jobs()->set_job("x");
  hello.mutable_jobs(0)->set_committed_epoch(4);
  std::unique_ptr<JobEnd> x;
  on_joined_ = [&] { x = Open("a", "x"); };
  const auto peer = Join(hello);
  const auto y = Open("a", "y");
  ASSERT_NE(x, nullptr);
  EXPECT_EQ(x->link.slots, 2);
  EXPECT_EQ(x->link.incarnation, "1");
  ASSERT_NE(x->link.report, nullptr);
  EXPECT_EQ(x->link.report->committed_epoch(), 4);
  EXPECT_EQ(y->link.report, nullptr);
  Say(*peer, "x", 1);
  Say(*peer, "y", 2);
  Say(*peer, "z", 3);
  Say(*peer, "x", 4);
  Settle();
  ASSERT_EQ(x->received.size(), 2u);
  EXPECT_EQ(x->received[1].prepared().epoch(), 4);
  EXPECT_EQ(x->received[1].worker(), "a");
  ASSERT_EQ(y->received.size(), 1u);
  x->link.stream->Close();
  Say(*peer, "x", 5);
  Settle();
  EXPECT_EQ(x->received.size(), 2u);
  EXPECT_EQ(Open("a", "x")->link.report, nullptr);
}

TEST_F(WorkerRegistryTest, WhatAJobSendsGoesOutUntilItsStreamIsClosed) {
  const auto peer = Join(Hello("a", "1"));
  const auto x = Open("a", "x");
  proto::ToWorker message;
  message.mutable_undeploy()->set_job("x");
  x->link.stream->Send(message);
  x->link.stream->Close();
  x->link.stream->Send(message);
  Settle();
  EXPECT_EQ(peer->Count(proto::ToWorker::kUndeploy), 1);
}

TEST_F(WorkerRegistryTest, AWorkerThatClosesIsLostToItsJobs) {
  const auto peer = Join(Hello("a", "1"));
  const auto x = Open("a", "x");
  Say(*peer, "x", 1);
  peer->stream->Close();
  Settle();
  EXPECT_EQ(x->received.size(), 1u) << "what came before is delivered";
  ASSERT_TRUE(x->closed.has_value());
  EXPECT_EQ(KindOf(*x->closed), ErrorKind::kUnavailable);
  EXPECT_EQ(StateOf("a"), "LOST");
  EXPECT_EQ(Open("a", "x")->link.stream, nullptr);
  RunFor(seconds(700));
  EXPECT_EQ(StateOf("a"), "");
}

TEST_F(WorkerRegistryTest, AWorkerIsHeldByHeartbeatsAndLostWhenTheyStop) {
  const auto peer = Join(Hello("a", "1"));
  const auto x = Open("a", "x");
  for (int i = 0; i < 20; ++i) {
    RunFor(milliseconds(500));
    Beat(*peer);
  }
  EXPECT_EQ(StateOf("a"), "ALIVE");
  EXPECT_GE(peer->Count(proto::ToWorker::kHeartbeat), 19);
  RunFor(milliseconds(4500));
  EXPECT_EQ(StateOf("a"), "ALIVE");
  RunFor(milliseconds(1500));
  EXPECT_EQ(StateOf("a"), "LOST");
  EXPECT_TRUE(x->closed.has_value());
  EXPECT_TRUE(peer->is_closed);
}

TEST_F(WorkerRegistryTest, TheNewestHolderOfANameWinsAndTheOlderIsFencedForGood) {
  const auto older = Join(Hello("a", "1"));
  const auto x = Open("a", "x");
  const auto newer = Join(Hello("a", "2"));
  EXPECT_EQ(older->RefusedFor(), "FENCED");
  EXPECT_TRUE(older->is_closed);
  EXPECT_TRUE(x->closed.has_value());
  EXPECT_EQ(Open("a", "x")->link.incarnation, "2");
  const auto back = Join(Hello("a", "1"));
  EXPECT_EQ(back->RefusedFor(), "FENCED");
  EXPECT_TRUE(back->is_closed);
  EXPECT_EQ(StateOf("a"), "ALIVE");
  EXPECT_FALSE(newer->is_closed);
}

TEST_F(WorkerRegistryTest, AProcessThatWasReplacedWhileItWasLostIsFencedToo) {
  Join(Hello("a", "1"))->stream->Close();
  Settle();
  Join(Hello("a", "2"));
  EXPECT_EQ(Join(Hello("a", "1"))->RefusedFor(), "FENCED");
}

TEST_F(WorkerRegistryTest, TheSameProcessTakesOverFromItsOldStream) {
  const auto before = Join(Hello("a", "1"));
  const auto x = Open("a", "x");
  const auto after = Join(Hello("a", "1"));
  EXPECT_TRUE(before->is_closed);
  EXPECT_EQ(before->RefusedFor(), "");
  ASSERT_TRUE(x->closed.has_value());
  EXPECT_EQ(joined_.size(), 2u);
  const auto again = Open("a", "x");
  x->link.stream->Close();  // The old use must not end the new one.
  Say(*after, "x", 9);
  Settle();
  EXPECT_EQ(again->received.size(), 1u);
}

TEST_F(WorkerRegistryTest, AnotherBuildIsRefused) {
  proto::Register hello = Hello("a", "1");
  hello.set_build("other");
  const auto peer = Join(hello);
  EXPECT_EQ(peer->RefusedFor(), "OTHER_BUILD");
  EXPECT_TRUE(peer->is_closed);
  EXPECT_TRUE(registry_.Describe().empty());
}

TEST_F(WorkerRegistryTest, NonsenseIsRefused) {
  proto::Register hello = Hello("a", "1");
  hello.set_slots(0);
  EXPECT_EQ(Join(hello)->RefusedFor(), "INVALID_WORKER");
  hello = Hello("a b", "1");
  EXPECT_EQ(Join(hello)->RefusedFor(), "INVALID_WORKER");
  const auto early = Connect();
  Beat(*early);
  Settle();
  EXPECT_TRUE(early->is_closed);
  const auto peer = Join(Hello("a", "1"));
  proto::ToDriver again;
  *again.mutable_register_worker() = Hello("b", "1");
  peer->stream->Send(std::move(again));
  Settle();
  EXPECT_TRUE(peer->is_closed);
  EXPECT_EQ(StateOf("a"), "LOST");
}

TEST_F(WorkerRegistryTest, AStreamThatNeverRegistersIsClosed) {
  const auto silent = Connect();
  RunFor(seconds(4));
  EXPECT_FALSE(silent->is_closed);
  RunFor(seconds(2));
  EXPECT_TRUE(silent->is_closed);
}

TEST_F(WorkerRegistryTest, AWorkerThatLeavesIsReleasedWhenItsLastJobHasLetGo) {
  const auto peer = Join(Hello("a", "1"));
  const auto x = Open("a", "x");
  proto::ToDriver leave;
  leave.mutable_leave();
  peer->stream->Send(std::move(leave));
  Settle();
  EXPECT_EQ(leaving_, std::vector<std::string>{"a"});
  EXPECT_EQ(StateOf("a"), "LEAVING");
  EXPECT_TRUE(registry_.AliveWorkers().empty());
  EXPECT_EQ(Open("a", "y")->link.stream, nullptr) << "it is given no new job";
  Say(*peer, "x", 1);
  Settle();
  EXPECT_EQ(x->received.size(), 1u) << "it goes on until then";
  EXPECT_EQ(peer->Count(proto::ToWorker::kReleased), 0);
  x->link.stream->Close();
  Settle();
  EXPECT_EQ(peer->Count(proto::ToWorker::kReleased), 1);
}

TEST_F(WorkerRegistryTest, AWorkerWithoutJobsIsReleasedAtOnce) {
  const auto peer = Join(Hello("a", "1"));
  proto::ToDriver leave;
  leave.mutable_leave();
  peer->stream->Send(std::move(leave));
  Settle();
  EXPECT_EQ(peer->Count(proto::ToWorker::kReleased), 1);
  peer->stream->Close();
  Settle();
  EXPECT_TRUE(registry_.Describe().empty()) << "it has left, it is not lost";
}

TEST_F(WorkerRegistryTest, JobsThatNobodyTakesUpAreUndeployed) {
  proto::Register hello = Hello("a", "1");
  hello.add_jobs()->set_job("gone");
  const auto peer = Join(hello);
  ASSERT_EQ(peer->Count(proto::ToWorker::kUndeploy), 1);
  EXPECT_EQ(peer->received.back().undeploy().job(), "gone");
}

TEST_F(WorkerRegistryTest, StopClosesEverything) {
  const auto peer = Join(Hello("a", "1"));
  const auto x = Open("a", "x");
  registry_.Stop();
  Settle();
  EXPECT_TRUE(peer->is_closed);
  EXPECT_TRUE(x->closed.has_value());
  EXPECT_TRUE(Connect()->received.empty());
}

}  // namespace
}  // namespace tidemill::driver
