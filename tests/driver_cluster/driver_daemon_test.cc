#include "driver/cluster/driver_daemon.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "common/base/error.h"
#include "common/rpc/newest_driver.h"
#include "driver/cluster/cluster_root.h"
#include "driver/rpc/messages.h"
#include "proto/cluster.grpc.pb.h"
#include "tests/testing/scratch_dir.h"

namespace tidemill::driver {
namespace {

// A real driver on free ports, and a client of it.
class DriverDaemonTest : public testing::Test {
 protected:
  DriverDaemonTest() {
    EXPECT_TRUE(FileSystem::Local()->CreateDirectories(directory_ / "in").ok());
    daemon_ = Start();
    Connect();
  }

  std::unique_ptr<DriverDaemon> Start() {
    auto daemon = DriverDaemon::Start({.listen = "127.0.0.1:0",
                                       .http = "127.0.0.1:0",
                                       .root = directory_ / "root",
                                       .build = "test"});
    EXPECT_TRUE(daemon.ok()) << daemon.status();
    return *std::move(daemon);
  }

  void Connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    client_ = proto::Driver::NewStub(grpc::CreateCustomChannel(
        daemon_->listen(), grpc::InsecureChannelCredentials(), arguments));
  }

  arrow::Result<proto::SubmitReply> Submit(const std::string& query) {
    proto::SubmitRequest request;
    request.set_specification("name: lines\nsources: {t: {format: text, path: in}}\nquery: " +
                              query + "\nsink: {format: noop}\n");
    request.set_file("job.yaml");
    request.set_directory(directory_.path());
    grpc::ClientContext context;
    proto::SubmitReply reply;
    ARROW_RETURN_NOT_OK(ErrorOf(client_->Submit(&context, request, &reply)));
    return reply;
  }

  arrow::Result<proto::JobInfo> Stop(const std::string& job) {
    proto::StopJobRequest request;
    request.set_job(job);
    grpc::ClientContext context;
    proto::StopJobReply reply;
    ARROW_RETURN_NOT_OK(ErrorOf(client_->StopJob(&context, request, &reply)));
    return reply.info();
  }

  // What the details of a call's status say.
  static arrow::Status ErrorOf(const grpc::Status& status) {
    if (status.ok()) return arrow::Status::OK();
    proto::Error error;
    if (!error.ParseFromString(status.error_details()) || error.error_class().empty()) {
      return arrow::Status::UnknownError(status.error_message());
    }
    return ReadError(error);
  }

  ScratchDir directory_;
  std::unique_ptr<DriverDaemon> daemon_;
  std::unique_ptr<proto::Driver::Stub> client_;
};

TEST_F(DriverDaemonTest, ItSaysWhoItIs) {
  grpc::ClientContext context;
  proto::GetClusterReply reply;
  const grpc::Status status = client_->GetCluster(&context, {}, &reply);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reply.term(), 1u);
  EXPECT_EQ(reply.listen(), daemon_->listen());
  EXPECT_EQ(reply.http(), daemon_->http());
  EXPECT_EQ(reply.root(), directory_ / "root");
  EXPECT_EQ(reply.workers_size(), 0);
  EXPECT_EQ(*rpc::NewestDriver(FileSystem::Local(), directory_ / "root"), daemon_->listen());
}

TEST_F(DriverDaemonTest, ErrorsReachTheClientWithClassAndPlace) {
  const arrow::Status error = Submit("SELECT valeu FROM t").status();
  EXPECT_EQ(KindOf(error), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorClassOf(error), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
  ASSERT_NE(DetailOf(error), nullptr);
  ASSERT_TRUE(DetailOf(error)->location.has_value()) << error;
  EXPECT_EQ(DetailOf(error)->location->file, "job.yaml");
  EXPECT_EQ(DetailOf(error)->location->line, 3);
  EXPECT_EQ(DetailOf(error)->location->column, 15);
  EXPECT_EQ(ErrorClassOf(Submit(std::string(size_t{2} << 20, 'x')).status()),
            "INVALID_SPECIFICATION.FILE");
  EXPECT_EQ(KindOf(Stop("nothing").status()), ErrorKind::kNotFound);
}

TEST_F(DriverDaemonTest, AFollowerHearsOfTheEnd) {
  const auto submitted = Submit("SELECT value FROM t");
  ASSERT_TRUE(submitted.ok()) << submitted.status();
  proto::JobRequest request;
  request.set_job("lines");
  grpc::ClientContext context;
  const auto reader = client_->FollowJob(&context, request);
  EXPECT_EQ(Stop(submitted->jobs(0).id())->state(), proto::JobInfo::STOPPED);
  proto::FollowReply reply;
  ASSERT_TRUE(reader->Read(&reply));
  EXPECT_EQ(reply.outcome().state(), proto::JobInfo::STOPPED);
  EXPECT_FALSE(reader->Read(&reply));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(DriverDaemonTest, AFollowerThatGoesAwayIsForgotten) {
  ASSERT_TRUE(Submit("SELECT value FROM t").ok());
  proto::JobRequest request;
  request.set_job("lines");
  auto context = std::make_unique<grpc::ClientContext>();
  auto reader = client_->FollowJob(context.get(), request);
  context->TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(Stop("lines")->state(), proto::JobInfo::STOPPED);
}

TEST_F(DriverDaemonTest, ATableThatNobodyFilledIsNotThere) {
  proto::ReadTableRequest request;
  request.set_table("nothing");
  grpc::ClientContext context;
  const auto reader = client_->ReadTable(&context, request);
  proto::ReadTableReply reply;
  EXPECT_FALSE(reader->Read(&reply));
  EXPECT_EQ(ErrorClassOf(ErrorOf(reader->Finish())), "TABLE_NOT_FOUND");
}

TEST_F(DriverDaemonTest, ASecondDriverOnTheRootEndsTheFirst) {
  ASSERT_TRUE(Submit("SELECT value FROM t").ok());
  const auto second = Start();
  const arrow::Status ended = daemon_->Wait();
  EXPECT_EQ(KindOf(ended), ErrorKind::kFenced);
  EXPECT_NE(ended.message().find(second->listen()), std::string::npos) << ended;
}

TEST_F(DriverDaemonTest, AJobOutlivesItsDriver) {
  const std::string id = Submit("SELECT value FROM t")->jobs(0).id();
  daemon_->Stop();
  EXPECT_TRUE(daemon_->Wait().ok());
  daemon_ = Start();
  EXPECT_EQ(daemon_->term(), 2u);
  Connect();
  EXPECT_EQ(Stop("lines")->id(), id);
}

TEST_F(DriverDaemonTest, AnAddressThatIsTakenCostsNoTerm) {
  const auto second = DriverDaemon::Start({.listen = daemon_->listen(),
                                           .http = "127.0.0.1:0",
                                           .root = directory_ / "root",
                                           .build = "test"});
  EXPECT_EQ(KindOf(second.status()), ErrorKind::kConflict);
  EXPECT_EQ(Start()->term(), 2u);
}

}  // namespace
}  // namespace tidemill::driver
