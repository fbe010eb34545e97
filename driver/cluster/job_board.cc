#include "driver/cluster/job_board.h"

#include "driver/cluster/job_board_actor.h"

namespace tidemill::driver {

JobBoard::JobBoard(Options options) : impl_(std::make_shared<Impl>(std::move(options))) {}

JobBoard::~JobBoard() { impl_->Abandon(); }

arrow::Status JobBoard::Resume() { return impl_->Resume(); }

void JobBoard::Submit(proto::SubmitRequest request, Reply<proto::SubmitReply> done) {
  impl_->Post([request = std::move(request), done = std::move(done)](Impl* impl) mutable {
    impl->Submit(std::move(request), std::move(done));
  });
}

void JobBoard::ListJobs(Reply<std::vector<proto::JobInfo>> done) {
  impl_->Post([done = std::move(done)](Impl* impl) { done(impl->ListJobs()); });
}

void JobBoard::GetJob(const std::string& job, Reply<proto::GetJobReply> done) {
  impl_->Post(
      [job, done = std::move(done)](Impl* impl) mutable { impl->GetJob(job, std::move(done)); });
}

void JobBoard::StopJob(const std::string& job, bool now, Reply<proto::JobInfo> done) {
  impl_->Post([job, now, done = std::move(done)](Impl* impl) mutable {
    impl->StopJob(job, now, std::move(done));
  });
}

void JobBoard::Follow(const std::string& job, std::shared_ptr<const Follower> follower) {
  impl_->Post([job, follower = std::move(follower)](Impl* impl) mutable {
    impl->Follow(job, std::move(follower));
  });
}

void JobBoard::Unfollow(const std::shared_ptr<const Follower>& follower) {
  impl_->Post([follower](Impl* impl) { impl->Unfollow(follower); });
}

void JobBoard::ListWorkers(Reply<std::vector<proto::WorkerInfo>> done) {
  impl_->Post([done = std::move(done)](Impl* impl) { done(impl->ListWorkers()); });
}

void JobBoard::Shutdown(std::function<void()> done) {
  impl_->Post([done = std::move(done)](Impl* impl) mutable { impl->Shutdown(std::move(done)); });
}

void JobBoard::OnWorkerJoined(const std::string& worker) { impl_->OnWorkerJoined(worker); }

void JobBoard::OnWorkerLeaving(const std::string& worker) { impl_->OnWorkerLeaving(worker); }

}  // namespace tidemill::driver
