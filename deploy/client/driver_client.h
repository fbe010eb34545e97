#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/client/driver_address.h"
#include "proto/cluster.pb.h"

namespace tidemill::deploy {

// Asks one driver; every call blocks until the answer or its deadline. Errors are the driver's own
// (kind, class, message, hint), or kUnavailable: CANNOT_CONNECT where nobody listens, with the
// address and how it was found, CONNECTION_LOST and NO_ANSWER where it broke later: what was asked
// may have happened. *Thread-safe.*
class DriverClient {
 public:
  // Connects, or says at once that it cannot. Proxies of the environment are not used.
  static arrow::Result<std::unique_ptr<DriverClient>> Connect(DriverAddress address);
  ~DriverClient();

  const DriverAddress& address() const { return address_; }

  arrow::Result<proto::SubmitReply> Submit(const proto::SubmitRequest& request);
  arrow::Result<std::vector<proto::JobInfo>> ListJobs();
  arrow::Result<proto::GetJobReply> GetJob(const std::string& job);
  // The job may still be stopping in the answer.
  arrow::Result<proto::JobInfo> StopJob(const std::string& job, bool now);
  arrow::Result<proto::GetClusterReply> GetCluster();
  // An Arrow IPC stream.
  arrow::Result<std::string> ReadTable(const std::string& table);
  // Console output as it comes, on this thread, until the job ends; its final state.
  arrow::Result<proto::JobInfo> Follow(const std::string& job,
                                       const std::function<void(std::string_view)>& on_text);
  // Ends the Follow that runs, and any later one, with CONNECTION_LOST.
  void CancelFollow();

 private:
  struct Impl;
  DriverClient(DriverAddress address, std::unique_ptr<Impl> impl);

  const DriverAddress address_;
  const std::unique_ptr<Impl> impl_;
};

// Whether the job will do nothing more.
bool HasEnded(const proto::JobInfo& job);

}  // namespace tidemill::deploy
