#include "driver/api/http_routes.h"

#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/base/sql_state.h"
#include "common/types/json_object.h"
#include "driver/api/job_json.h"

namespace tidemill::driver {

namespace {

using Jobs = std::vector<proto::JobInfo>;
using Workers = std::vector<proto::WorkerInfo>;

constexpr std::string_view kJobPath = "/api/v1/jobs/";

HttpResponse ErrorResponse(int status, std::string_view error_class, std::string_view message) {
  HttpResponse response{.status = status};
  JsonObject object(&response.body);
  object.Text("errorClass", error_class);
  object.Text("sqlState", SqlStateOf(error_class));
  object.Text("message", message);
  object.End();
  return response;
}

HttpResponse ErrorResponse(const arrow::Status& error) {
  const ErrorKind kind = KindOf(error);
  const int status = kind == ErrorKind::kNotFound      ? 404
                     : kind == ErrorKind::kUnavailable ? 503
                                                       : 500;
  return ErrorResponse(status, ErrorClassOf(error), error.message());
}

// Makes the answer to a query out of the value, or of the error.
template <class T, class Write>
std::function<void(arrow::Result<T>)> Answer(HttpServer::Reply reply, Write write) {
  return [reply = std::move(reply), write = std::move(write)](arrow::Result<T> value) {
    reply(value.ok() ? write(*value) : ErrorResponse(value.status()));
  };
}

HttpResponse Json(std::string text) { return {.body = std::move(text)}; }

class Routes : public std::enable_shared_from_this<Routes> {
 public:
  Routes(DriverQueries queries, DriverMetrics* metrics)
      : queries_(std::move(queries)), metrics_(metrics) {}

  void Handle(const HttpRequest& request, HttpServer::Reply reply) const {
    const std::string& path = request.path;
    if (path == "/healthz") {
      Health(reply);
    } else if (path == "/metrics") {
      Metrics(std::move(reply));
    } else if (path == "/api/v1/jobs") {
      queries_.list_jobs(
          Answer<Jobs>(std::move(reply), [](const Jobs& jobs) { return Json(JobsJson(jobs)); }));
    } else if (path.starts_with(kJobPath) && path.size() > kJobPath.size()) {
      queries_.get_job(
          path.substr(kJobPath.size()),
          Answer<proto::GetJobReply>(std::move(reply), [](const proto::GetJobReply& status) {
            return Json(JobStatusJson(status));
          }));
    } else if (path == "/api/v1/workers") {
      queries_.list_workers(Answer<Workers>(
          std::move(reply), [](const Workers& workers) { return Json(WorkersJson(workers)); }));
    } else if (path == "/api/v1/cluster") {
      Cluster(std::move(reply));
    } else {
      reply(ErrorResponse(404, "PATH_NOT_FOUND", fmt::format("no such path: {}", path)));
    }
  }

 private:
  void Health(const HttpServer::Reply& reply) const {
    const bool is_serving = queries_.is_serving();
    reply({.status = is_serving ? 200 : 503,
           .content_type = "text/plain",
           .body = is_serving ? "ok\n" : "not serving\n"});
  }

  void Cluster(HttpServer::Reply reply) const {
    proto::GetClusterReply cluster = queries_.describe();
    queries_.list_workers(
        Answer<Workers>(std::move(reply), [cluster = std::move(cluster)](const Workers& workers) {
          proto::GetClusterReply full = cluster;
          for (const proto::WorkerInfo& worker : workers) *full.add_workers() = worker;
          return Json(ClusterJson(full));
        }));
  }

  // Brings the gauges up to date first.
  void Metrics(HttpServer::Reply reply) const {
    queries_.list_jobs(
        [self = shared_from_this(), reply = std::move(reply)](const arrow::Result<Jobs>& jobs) {
          if (!jobs.ok()) return reply(ErrorResponse(jobs.status()));
          self->metrics_->SetJobs(*jobs);
          self->queries_.list_workers(Answer<Workers>(reply, [self](const Workers& workers) {
            self->metrics_->SetWorkers(workers);
            return HttpResponse{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                .body = self->metrics_->Text()};
          }));
        });
  }

  const DriverQueries queries_;
  DriverMetrics* const metrics_;
};

}  // namespace

std::function<void(const HttpRequest&, HttpServer::Reply)> MakeHttpRoutes(DriverQueries queries,
                                                                          DriverMetrics* metrics) {
  const auto routes = std::make_shared<const Routes>(std::move(queries), metrics);
  return [routes](const HttpRequest& request, HttpServer::Reply reply) {
    routes->Handle(request, std::move(reply));
  };
}

}  // namespace tidemill::driver
