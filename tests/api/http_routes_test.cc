#include "driver/api/http_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "driver/api/job_json.h"

namespace tidemill::driver {
namespace {

using ::testing::HasSubstr;

// A driver with the job "clicks" and one worker.
class HttpRoutesTest : public ::testing::Test {
 protected:
  HttpRoutesTest() {
    job_.set_name("clicks");
    job_.set_state(proto::JobInfo::RUNNING);
    worker_.set_id("w1");
    worker_.set_state("ALIVE");
    cluster_.set_term(3);
    DriverQueries queries;
    queries.is_serving = [this] { return is_serving_; };
    queries.describe = [this] { return cluster_; };
    queries.list_jobs = [this](auto done) { Tell(std::vector<proto::JobInfo>{job_}, done); };
    queries.list_workers = [this](auto done) {
      Tell(std::vector<proto::WorkerInfo>{worker_}, done);
    };
    queries.get_job = [this](const std::string& job, auto done) {
      proto::GetJobReply reply;
      *reply.mutable_info() = job_;
      if (job == job_.name()) return Tell(reply, done);
      done(MakeError(ErrorKind::kNotFound, "JOB_NOT_FOUND", "no such job: " + job));
    };
    handler_ = MakeHttpRoutes(queries, &metrics_);
  }

  HttpResponse Get(const std::string& path) {
    HttpResponse response{.status = 0};
    handler_({.method = "GET", .path = path},
             [&](HttpResponse answer) { response = std::move(answer); });
    return response;
  }

  template <class T, class Done>
  void Tell(const T& value, const Done& done) {
    if (error_.ok()) return done(value);
    done(error_);
  }

  bool is_serving_ = true;
  arrow::Status error_;  // what the driver answers, where it is one
  proto::JobInfo job_;
  proto::WorkerInfo worker_;
  proto::GetClusterReply cluster_;
  DriverMetrics metrics_;
  std::function<void(const HttpRequest&, HttpServer::Reply)> handler_;
};

TEST_F(HttpRoutesTest, TellsWhetherTheDriverServes) {
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/healthz").body, "ok\n");
  is_serving_ = false;
  EXPECT_EQ(Get("/healthz").status, 503);
}

TEST_F(HttpRoutesTest, AnswersWithTheJsonOfTheCommandLine) {
  proto::GetJobReply status;
  *status.mutable_info() = job_;
  proto::GetClusterReply cluster = cluster_;
  *cluster.add_workers() = worker_;

  EXPECT_EQ(Get("/api/v1/jobs").body, JobsJson({job_}));
  EXPECT_EQ(Get("/api/v1/jobs/clicks").body, JobStatusJson(status));
  EXPECT_EQ(Get("/api/v1/workers").body, WorkersJson({worker_}));
  EXPECT_EQ(Get("/api/v1/cluster").body, ClusterJson(cluster));
  EXPECT_EQ(Get("/api/v1/cluster").content_type, "application/json");
}

TEST_F(HttpRoutesTest, CountsJobsAndWorkersAsOfNowInTheMetrics) {
  const HttpResponse response = Get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.content_type, HasSubstr("version=0.0.4"));
  EXPECT_THAT(response.body, HasSubstr("tidemill_driver_jobs{state=\"RUNNING\"} 1\n"));
  EXPECT_THAT(response.body, HasSubstr("tidemill_driver_workers_alive 1\n"));
}

TEST_F(HttpRoutesTest, RefusesOtherPathsAndJobs) {
  for (const char* path :
       {"/", "/api", "/api/v1/jobs/", "/api/v1/jobs/other", "/healthz/", "/METRICS"})
    EXPECT_EQ(Get(path).status, 404) << path;
  EXPECT_EQ(Get("/api/v1/jobs/other").body,
            R"({"errorClass":"JOB_NOT_FOUND","sqlState":"42704","message":"no such job: other"})");
}

TEST_F(HttpRoutesTest, TellsWhatTheDriverCannotAnswer) {
  error_ = MakeError(ErrorKind::kUnavailable, "DRIVER_STOPPING", "the driver stops");
  for (const char* path : {"/api/v1/jobs", "/api/v1/cluster", "/metrics"})
    EXPECT_EQ(Get(path).status, 503) << path;
}

}  // namespace
}  // namespace tidemill::driver
