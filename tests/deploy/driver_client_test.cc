#include "deploy/client/driver_client.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/base/error.h"
#include "deploy/client/job_follower.h"
#include "proto/cluster.grpc.pb.h"

namespace tidemill::deploy {
namespace {

using ::testing::HasSubstr;

grpc::Status ErrorOf(ErrorKind kind, const std::string& error_class, const std::string& hint) {
  proto::Error error;
  error.set_kind(static_cast<int>(kind));
  error.set_error_class(error_class);
  error.set_message("said by the driver");
  error.set_hint(hint);
  error.set_span_begin(-1);
  return {grpc::StatusCode::NOT_FOUND, "not for people", error.SerializeAsString()};
}

class FakeDriver final : public proto::Driver::Service {
 public:
  grpc::Status GetJob(grpc::ServerContext* context, const proto::JobRequest* request,
                      proto::GetJobReply* reply) override {
    if (request->job() != "known") return ErrorOf(ErrorKind::kNotFound, "JOB_NOT_FOUND", "a hint");
    reply->mutable_info()->set_name("known");
    return grpc::Status::OK;
  }
  grpc::Status FollowJob(grpc::ServerContext* context, const proto::JobRequest* request,
                         grpc::ServerWriter<proto::FollowReply>* writer) override {
    proto::FollowReply reply;
    reply.set_console("rows\n");
    writer->Write(reply);
    if (request->job() == "endless") {
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::CANCELLED;
    }
    if (request->job() == "lost") return grpc::Status::OK;
    reply.clear_console();
    reply.mutable_outcome()->set_state(proto::JobInfo::FINISHED);
    writer->Write(reply);
    return grpc::Status::OK;
  }
  grpc::Status ReadTable(grpc::ServerContext* context, const proto::ReadTableRequest* request,
                         grpc::ServerWriter<proto::ReadTableReply>* writer) override {
    proto::ReadTableReply reply;
    for (const char* piece : {"ab", "c"}) {
      reply.set_arrow_ipc(piece);
      writer->Write(reply);
    }
    return grpc::Status::OK;
  }
};

class DriverClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&driver_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    client_ = DriverClient::Connect(Address()).ValueOrDie();
  }
  DriverAddress Address() const { return {"127.0.0.1:" + std::to_string(port_), "--driver"}; }

  FakeDriver driver_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<DriverClient> client_;
};

TEST_F(DriverClientTest, TheDriversErrorsKeepKindClassAndHint) {
  EXPECT_EQ(client_->GetJob("known").ValueOrDie().info().name(), "known");
  const auto status = client_->GetJob("other").status();
  EXPECT_EQ(KindOf(status), ErrorKind::kNotFound);
  EXPECT_EQ(RenderError(status),
            "error[JOB_NOT_FOUND]: said by the driver SQLSTATE: 42704\n     = help: a hint");
}

TEST_F(DriverClientTest, NobodyListening) {
  const DriverAddress address = Address();
  server_->Shutdown();
  const auto status = DriverClient::Connect(address).status();
  EXPECT_EQ(KindOf(status), ErrorKind::kUnavailable);
  EXPECT_EQ(ErrorClassOf(status), "CANNOT_CONNECT");
  EXPECT_THAT(status.message(), HasSubstr(address.address + " found by --driver"));
}

TEST_F(DriverClientTest, AConnectionThatBreaksLater) {
  server_->Shutdown();
  EXPECT_EQ(KindOf(client_->ListJobs().status()), ErrorKind::kUnavailable);
}

TEST_F(DriverClientTest, WhatTheDriverCannotDo) {
  EXPECT_EQ(ErrorClassOf(client_->ListJobs().status()), "NOT_A_DRIVER");
}

TEST_F(DriverClientTest, FollowsToTheOutcome) {
  std::string text;
  const auto on_text = [&](std::string_view piece) { text += piece; };
  EXPECT_EQ(client_->Follow("known", on_text).ValueOrDie().state(), proto::JobInfo::FINISHED);
  EXPECT_EQ(text, "rows\n");
  EXPECT_EQ(ErrorClassOf(client_->Follow("lost", on_text).status()), "CONNECTION_LOST");
}

TEST_F(DriverClientTest, FollowingCanBeCancelled) {
  const auto cancel = [&](std::string_view) { client_->CancelFollow(); };
  EXPECT_EQ(ErrorClassOf(client_->Follow("endless", cancel).status()), "CONNECTION_LOST");
}

TEST_F(DriverClientTest, ATableComesInPieces) {
  EXPECT_EQ(client_->ReadTable("t").ValueOrDie(), "abc");
}

TEST(JobOutcomeTest, AFailedJobsErrorIsTheCommandsOutcome) {
  proto::JobInfo job;
  job.set_state(proto::JobInfo::STOPPED);
  EXPECT_TRUE(OutcomeOf(job).ok());
  job.set_state(proto::JobInfo::FAILED);
  EXPECT_EQ(ExitCodeOf(OutcomeOf(job)), 8);
  job.mutable_error()->set_kind(static_cast<int>(ErrorKind::kCorrupt));
  EXPECT_EQ(ExitCodeOf(OutcomeOf(job)), 9);
}

}  // namespace
}  // namespace tidemill::deploy
