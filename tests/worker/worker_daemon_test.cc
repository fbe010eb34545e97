#include "worker/cluster/worker_daemon.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <optional>

#include "common/base/error.h"
#include "common/base/executor.h"
#include "common/rpc/proto_stream.h"
#include "common/rpc/rpc_server.h"
#include "proto/control.pb.h"
#include "tests/state/state_testing.h"

namespace tidemill::worker {
namespace {

using DriverEnd = rpc::ProtoStream<proto::ToWorker, proto::ToDriver>;

class WorkerDaemonTest : public ::testing::Test {
 protected:
  WorkerDaemon::Options Options(const std::string& id) const {
    WorkerDaemon::Options options;
    options.id = id;
    options.drivers = {"127.0.0.1:1"};
    options.data_dir = directory_.path() + "/data";
    options.holder = "pid=1";
    options.build = "b1";
    return options;
  }

  state::TestDirectory directory_;
};

TEST_F(WorkerDaemonTest, LeavesAtOnceWhereNoDriverAnswers) {
  auto daemon = WorkerDaemon::Start(Options("w1")).ValueOrDie();

  daemon->Leave();

  EXPECT_TRUE(daemon->Wait().ok());
}

TEST_F(WorkerDaemonTest, AnIdAndADataDirectoryHaveOneProcess) {
  const auto daemon = WorkerDaemon::Start(Options("w1")).ValueOrDie();

  const auto second = WorkerDaemon::Start(Options("w1"));

  EXPECT_EQ(ErrorClassOf(second.status()), "WORKER_ID_IN_USE");
  EXPECT_EQ(ExitCodeOf(second.status()), 7);
  EXPECT_TRUE(WorkerDaemon::Start(Options("w2")).ok());
}

TEST_F(WorkerDaemonTest, TheNextWorkerRemovesWhatAKilledOneOfAPassingIdLeft) {
  namespace fs = std::filesystem;
  const fs::path passing = fs::path(directory_.path()) / "data/.passing";
  fs::create_directories(passing / "host-17/job");
  std::ofstream(passing / "host-17/lock") << "pid=17";
  std::ofstream(passing / "host-17/job/000001.sst") << "state";
  WorkerDaemon::Options options = Options("host-18");
  options.has_passing_id = true;
  auto alive = WorkerDaemon::Start(options).ValueOrDie();
  EXPECT_FALSE(fs::exists(passing / "host-17"));
  EXPECT_TRUE(fs::exists(passing / "host-18"));

  const auto named = WorkerDaemon::Start(Options("w1")).ValueOrDie();
  EXPECT_TRUE(fs::exists(passing / "host-18")) << "its worker is alive";

  alive.reset();
  EXPECT_TRUE(fs::is_empty(passing));
}

TEST_F(WorkerDaemonTest, RefusesWhatOthersCannotUse) {
  for (const char* id : {"", "a/b", "..", "a b"})
    EXPECT_EQ(ErrorClassOf(WorkerDaemon::Start(Options(id)).status()), "INVALID_WORKER_ID") << id;
  WorkerDaemon::Options wildcard = Options("w1");
  wildcard.listen = "0.0.0.0:0";
  wildcard.allows_remote = true;

  EXPECT_EQ(ErrorClassOf(WorkerDaemon::Start(wildcard).status()), "NO_ADVERTISED_ADDRESS");
}

// A driver that takes any worker, and releases it when it wants to leave.
class AnyDriver {
 public:
  AnyDriver() {
    rpc::RpcServer::Options options;
    options.listen = "127.0.0.1:0";
    options.streams[rpc::kControlMethod] = [this](const std::string&,
                                                  std::shared_ptr<rpc::FrameStream> stream) {
      executor_->Post([this, stream = std::move(stream)] { Serve(stream); });
    };
    server_ = rpc::RpcServer::Start(std::move(options)).ValueOrDie();
  }
  ~AnyDriver() {
    server_->Stop();
    executor_->Stop();
  }

  const std::string& address() const { return server_->address(); }
  // Blocks until a worker is registered and has said a heartbeat.
  proto::Register WaitForWorker() { return registered_.get_future().get(); }

 private:
  void Serve(std::shared_ptr<rpc::FrameStream> stream) {
    control_ = std::make_shared<DriverEnd>(std::move(stream));
    control_->Start(executor_.get(),
                    {.on_message = [this](const proto::ToDriver& message) { On(message); },
                     .on_close = [](const arrow::Status&) {}});
  }
  void On(const proto::ToDriver& message) {
    proto::ToWorker answer;
    if (message.has_register_worker()) {
      hello_ = message.register_worker();
      answer.mutable_registered()->set_cluster_term(1);
      answer.mutable_registered()->set_heartbeat_us(10'000);
      answer.mutable_registered()->set_lease_us(60'000'000);
      control_->Send(answer);
    } else if (message.has_leave()) {
      answer.mutable_released();
      control_->Send(answer);
    } else if (message.has_heartbeat() && hello_.has_value()) {
      registered_.set_value(*std::exchange(hello_, std::nullopt));
    }
  }

  const std::unique_ptr<Executor> executor_ = MakeThreadExecutor("driver");
  std::unique_ptr<rpc::RpcServer> server_;
  std::promise<proto::Register> registered_;
  // The executor's.
  std::shared_ptr<DriverEnd> control_;
  std::optional<proto::Register> hello_;
};

TEST_F(WorkerDaemonTest, RegistersWithTheDriverOfTheRootAndLeavesWhenReleased) {
  AnyDriver driver;
  std::filesystem::create_directories(directory_.path() + "/term");
  std::ofstream(directory_.path() + "/term/1") << driver.address() << " pid=1 host=a";
  WorkerDaemon::Options options = Options("w1");
  options.drivers.clear();
  options.root = directory_.path();
  options.slots = 3;

  const auto daemon = WorkerDaemon::Start(options).ValueOrDie();
  const proto::Register hello = driver.WaitForWorker();
  daemon->Leave();
  const arrow::Status ended = daemon->Wait();

  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_EQ(hello.worker(), "w1");
  EXPECT_EQ(hello.slots(), 3);
  EXPECT_EQ(hello.exchange_address(), daemon->listen());
}

}  // namespace
}  // namespace tidemill::worker
