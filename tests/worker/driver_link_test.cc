#include "worker/cluster/driver_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/base/error.h"
#include "common/rpc/newest_driver.h"
#include "common/transport/in_memory_stream.h"
#include "proto/control.pb.h"
#include "tests/driver/simulation.h"
#include "tests/state/state_testing.h"
#include "worker/cluster/worker_directory.h"

namespace tidemill::worker {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A link in one thread on virtual time, and what a driver hears over each stream it opens.
class DriverLinkTest : public ::testing::Test {
 protected:
  struct Connection {
    std::shared_ptr<MessageStream<proto::ToWorker, proto::ToDriver>> stream;
    std::vector<proto::ToDriver> received;
    milliseconds opened{0};
    bool is_closed = false;
  };

  DriverLinkTest() {
    WorkerEnvironment environment;
    environment.fs = FileSystem::Local();
    environment.random = &simulation_;
    environment.executor = &simulation_;
    environment.slot_executors = {&simulation_};
    environment.io = &simulation_;
    environment.network = &network_;
    worker_ = std::make_unique<Worker>(WorkerOptions{.name = "w1"}, environment);
  }
  ~DriverLinkTest() override {
    link_.reset();
    simulation_.DropAll();
  }

  void Start() {
    DriverLink::Options options;
    options.worker = worker_.get();
    options.clock = &simulation_;
    options.executor = &simulation_;
    options.io = &simulation_;
    options.connect = [this](int attempt) { return Open(attempt); };
    options.exchange_address = "127.0.0.1:1";
    options.build = "b1";
    options.on_end = [this](const arrow::Status& why) { ended_.push_back(why); };
    link_ = std::make_unique<DriverLink>(std::move(options));
    link_->Start();
  }

  std::shared_ptr<DriverStream> Open(int attempt) {
    attempts_.push_back(attempt);
    tried_.push_back(Now());
    if (!is_there_) return nullptr;
    auto pair = MakeInMemoryStreamPair<proto::ToWorker, proto::ToDriver>();
    auto connection = std::make_shared<Connection>();
    connection->stream = pair.first;
    connection->opened = Now();
    pair.first->Start(
        &simulation_,
        {.on_message =
             [raw = connection.get()](proto::ToDriver message) {
               raw->received.push_back(std::move(message));
             },
         .on_close = [raw = connection.get()](const arrow::Status&) { raw->is_closed = true; }});
    connections_.push_back(connection);
    return pair.second;
  }

  milliseconds Now() const {
    return std::chrono::duration_cast<milliseconds>(simulation_.SteadyNow().time_since_epoch()) -
           begin_;
  }
  void RunUntil(milliseconds time) {
    bool is_there = false;
    simulation_.PostAfter(time - Now(), [&] { is_there = true; });
    while (!is_there && simulation_.RunOne()) {
    }
  }
  void RunUntilConnected(size_t count) {
    while (connections_.size() < count || connections_.back()->received.empty())
      ASSERT_TRUE(simulation_.RunOne());
  }
  Connection& connection() { return *connections_.back(); }

  void Register(uint64_t term) {
    proto::ToWorker message;
    message.mutable_registered()->set_cluster_term(term);
    message.mutable_registered()->set_heartbeat_us(500'000);
    message.mutable_registered()->set_lease_us(5'000'000);
    connection().stream->Send(message);
  }
  void Refuse(ErrorKind kind) {
    proto::ToWorker message;
    message.mutable_refused()->mutable_error()->set_kind(static_cast<int>(kind));
    message.mutable_refused()->mutable_error()->set_error_class("REFUSED");
    connection().stream->Send(message);
  }
  std::vector<int> Cases() {
    std::vector<int> cases;
    for (const auto& message : connection().received) cases.push_back(message.message_case());
    return cases;
  }

  driver::Simulation simulation_;
  const milliseconds begin_ =
      std::chrono::duration_cast<milliseconds>(simulation_.SteadyNow().time_since_epoch());
  LocalExchangeNetwork network_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<DriverLink> link_;
  bool is_there_ = true;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<int> attempts_;
  std::vector<milliseconds> tried_;
  std::vector<arrow::Status> ended_;
};

TEST_F(DriverLinkTest, RegistersAndHandsMessagesAboutJobsToTheWorker) {
  Start();
  RunUntilConnected(1);
  const proto::Register hello = connection().received[0].register_worker();
  Register(1);
  proto::ToWorker deploy;
  deploy.set_term(1);
  deploy.mutable_deploy()->set_job("j");
  deploy.mutable_deploy()->mutable_plan()->add_sources()->set_schema("no schema");

  connection().stream->Send(deploy);
  RunUntil(milliseconds(100));

  EXPECT_EQ(hello.worker(), "w1");
  EXPECT_EQ(hello.incarnation(), worker_->incarnation());
  EXPECT_EQ(hello.exchange_address(), "127.0.0.1:1");
  EXPECT_EQ(hello.build(), "b1");
  EXPECT_EQ(connection().received.back().job(), "j");
  EXPECT_TRUE(connection().received.back().deployed().has_error());
}

TEST_F(DriverLinkTest, SaysAHeartbeatAsOftenAsTheDriverWants) {
  Start();
  RunUntilConnected(1);
  Register(1);

  RunUntil(milliseconds(1700));

  EXPECT_THAT(Cases(), ElementsAre(proto::ToDriver::kRegisterWorker, proto::ToDriver::kHeartbeat,
                                   proto::ToDriver::kHeartbeat, proto::ToDriver::kHeartbeat,
                                   proto::ToDriver::kHeartbeat));
}

TEST_F(DriverLinkTest, LooksForADriverAnewWhenTheLeaseRunsOut) {
  Start();
  RunUntilConnected(1);
  Register(1);
  RunUntil(milliseconds(3000));
  connection().stream->Send([] {
    proto::ToWorker message;
    message.mutable_heartbeat();
    return message;
  }());

  RunUntil(milliseconds(7800));
  EXPECT_EQ(connections_.size(), 1u);
  RunUntilConnected(2);

  EXPECT_TRUE(connections_[0]->is_closed);
  EXPECT_LT(connection().opened, milliseconds(9000));
  EXPECT_THAT(attempts_, ElementsAre(0, 0));
}

TEST_F(DriverLinkTest, ADriverThatDoesNotAnswerIsGivenUp) {
  Start();
  RunUntilConnected(2);

  EXPECT_GE(connection().opened, milliseconds(5000));
  EXPECT_THAT(attempts_, ElementsAre(0, 1));
}

TEST_F(DriverLinkTest, TriesEverMoreSlowlyUpToAFifthOfASecond) {
  is_there_ = false;
  Start();

  RunUntil(milliseconds(800));

  EXPECT_THAT(tried_, ElementsAre(milliseconds(0), milliseconds(50), milliseconds(150),
                                  milliseconds(350), milliseconds(550), milliseconds(750)));
}

TEST_F(DriverLinkTest, ADriverOlderThanOneSeenBeforeIsNotTaken) {
  Start();
  RunUntilConnected(1);
  Register(2);
  RunUntil(milliseconds(100));
  connection().stream->Close();
  RunUntilConnected(2);

  Register(1);
  RunUntilConnected(3);
  Register(2);
  RunUntil(Now() + milliseconds(100));

  EXPECT_TRUE(connections_[1]->is_closed);
  EXPECT_FALSE(connections_[2]->is_closed);
  EXPECT_THAT(Cases(), ElementsAre(proto::ToDriver::kRegisterWorker, proto::ToDriver::kHeartbeat));
}

TEST_F(DriverLinkTest, EndsFencedWhereANewerProcessHasItsName) {
  Start();
  RunUntilConnected(1);
  Register(1);
  RunUntil(milliseconds(100));

  Refuse(ErrorKind::kFenced);
  RunUntil(milliseconds(9000));

  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_EQ(KindOf(ended_[0]), ErrorKind::kFenced);
  EXPECT_EQ(connections_.size(), 1u);
}

TEST_F(DriverLinkTest, EndsWithAGeneralErrorWhereItIsAnotherBuild) {
  Start();
  RunUntilConnected(1);

  Refuse(ErrorKind::kInvalid);
  RunUntil(milliseconds(100));

  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_EQ(ExitCodeOf(ended_[0]), 1);
}

TEST_F(DriverLinkTest, LeavesOnceTheDriverHasReleasedIt) {
  Start();
  RunUntilConnected(1);
  Register(1);
  RunUntil(milliseconds(100));

  link_->Leave();
  RunUntil(milliseconds(200));
  EXPECT_TRUE(connection().received.back().has_leave());
  EXPECT_THAT(ended_, IsEmpty());
  connection().stream->Send([] {
    proto::ToWorker message;
    message.mutable_released();
    return message;
  }());
  RunUntil(milliseconds(300));

  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_TRUE(ended_[0].ok());
  EXPECT_TRUE(connection().is_closed);
}

TEST_F(DriverLinkTest, LeavesAtOnceWhereThereIsNoDriver) {
  is_there_ = false;
  Start();
  RunUntil(milliseconds(100));

  link_->Leave();
  RunUntil(milliseconds(101));

  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_TRUE(ended_[0].ok());
}

TEST_F(DriverLinkTest, LeavesWhenTheDriverGoesMeanwhile) {
  Start();
  RunUntilConnected(1);
  Register(1);
  RunUntil(milliseconds(100));
  link_->Leave();

  connection().stream->Close();
  RunUntil(milliseconds(200));

  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_TRUE(ended_[0].ok());
}

TEST(NewestDriverTest, ReadsTheHighestTerm) {
  const state::TestDirectory root;
  EXPECT_EQ(*rpc::NewestDriver(FileSystem::Local(), root.path()), std::nullopt);
  std::filesystem::create_directories(root.path() + "/term");
  std::ofstream(root.path() + "/term/9") << "127.0.0.1:9 pid=9 host=a";
  std::ofstream(root.path() + "/term/10") << "127.0.0.1:10 pid=10 host=a";
  std::ofstream(root.path() + "/term/.11.tmp") << "127.0.0.1:11";

  EXPECT_EQ(*rpc::NewestDriver(FileSystem::Local(), root.path()), "127.0.0.1:10");
}

TEST(WorkerDirectoryTest, HasOneOwnerAndNothingOfDeadOnes) {
  const state::TestDirectory data;
  std::filesystem::create_directories(data.path() + "/w1/job/w1-dead");
  const auto open = [&](const std::string& id, const std::string& holder) {
    return WorkerDirectory::Open({.fs = FileSystem::Local(),
                                  .random = Random::System(),
                                  .data_dir = data.path(),
                                  .id = id,
                                  .holder = holder});
  };
  const auto first = open("w1", "pid=1");

  const auto second = open("w1", "pid=2");

  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(std::filesystem::exists(data.path() + "/w1/job"));
  EXPECT_EQ(KindOf(second.status()), ErrorKind::kConflict);
  EXPECT_NE(second.status().message().find("pid=1"), std::string::npos) << second.status();
  EXPECT_TRUE(open("w2", "pid=2").ok());
}

}  // namespace
}  // namespace tidemill::worker
