#pragma once

#include <arrow/result.h>

#include <functional>
#include <string>
#include <vector>

#include "driver/api/metrics.h"
#include "driver/http/http_server.h"
#include "proto/cluster.pb.h"

namespace tidemill::driver {

// What the HTTP routes ask of a driver. Answers may come on any thread. *Plain data.*
struct DriverQueries {
  template <class T>
  using Reply = std::function<void(arrow::Result<T>)>;

  // False while the driver is fenced or stopping.
  std::function<bool()> is_serving;
  std::function<proto::GetClusterReply()> describe;  // without the workers
  std::function<void(Reply<std::vector<proto::JobInfo>>)> list_jobs;
  std::function<void(const std::string& job, Reply<proto::GetJobReply>)> get_job;
  std::function<void(Reply<std::vector<proto::WorkerInfo>>)> list_workers;
};

// The handler of the driver's HTTP port; never blocks.
//   /healthz               200 "ok", or 503
//   /metrics               Prometheus' text
//   /api/v1/jobs           JobsJson
//   /api/v1/jobs/<job>     JobStatusJson; an id, a unique prefix or a name
//   /api/v1/workers        WorkersJson
//   /api/v1/cluster        ClusterJson
// Errors are {"errorClass":..,"message":..} with 404 for what is not there, 503 for what does not
// answer, 500 else. `metrics` must outlive the handler.
std::function<void(const HttpRequest&, HttpServer::Reply)> MakeHttpRoutes(DriverQueries queries,
                                                                          DriverMetrics* metrics);

}  // namespace tidemill::driver
