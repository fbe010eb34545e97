#include "deploy/client/job_follower.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include "common/base/error.h"
#include "driver/rpc/messages.h"

namespace tidemill::deploy {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kRetryDelay{200};

}  // namespace

void JobFollower::SetClient(std::shared_ptr<DriverClient> client) {
  MutexLock lock(&mutex_);
  client_ = std::move(client);
  if (is_cancelled_ && client_ != nullptr) client_->CancelFollow();
}

bool JobFollower::is_cancelled() const {
  MutexLock lock(&mutex_);
  return is_cancelled_;
}

void JobFollower::Cancel() {
  MutexLock lock(&mutex_);
  is_cancelled_ = true;
  if (client_ != nullptr) client_->CancelFollow();
}

arrow::Result<proto::JobInfo> JobFollower::Follow(
    const std::string& job, const std::function<void(std::string_view)>& on_text) {
  const auto interrupted = MakeError(ErrorKind::kGeneral, "INTERRUPTED", "interrupted");
  std::optional<steady_clock::time_point> lost_at;
  while (true) {
    arrow::Status lost;
    ARROW_ASSIGN_OR_RAISE(DriverAddress address, FindDriver(options_));
    auto connected = DriverClient::Connect(std::move(address));
    if (connected.ok()) {
      if (lost_at) std::fprintf(stderr, "the driver is back\n");
      lost_at.reset();
      const std::shared_ptr<DriverClient> client = *std::move(connected);
      SetClient(client);
      auto outcome = client->Follow(job, on_text);
      SetClient(nullptr);
      if (is_cancelled()) return interrupted;
      if (outcome.ok() || KindOf(outcome.status()) != ErrorKind::kUnavailable) return outcome;
      lost = outcome.status();
    } else {
      lost = connected.status();
    }
    if (!lost_at) {
      lost_at = steady_clock::now();
      std::fprintf(stderr, "lost the driver; waiting for it: %s\n", lost.message().c_str());
    }
    if (steady_clock::now() - *lost_at > kPatience) return lost;
    if (!interrupt_->Sleep(kRetryDelay) || is_cancelled()) return interrupted;
  }
}

arrow::Status OutcomeOf(const proto::JobInfo& job) {
  if (job.state() != proto::JobInfo::FAILED) return arrow::Status::OK();
  proto::Error error = job.error();
  if (KindOf(driver::ReadError(error)) == ErrorKind::kGeneral) {
    error.set_kind(static_cast<int>(ErrorKind::kJobFailed));
  }
  if (error.error_class().empty()) error.set_error_class("JOB_FAILED");
  return driver::ReadError(error);
}

}  // namespace tidemill::deploy
