#include "driver/api/driver_service.h"

#include <fmt/format.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "driver/api/call_status.h"
#include "driver/api/follow_call.h"
#include "driver/api/read_table_call.h"
#include "proto/cluster.grpc.pb.h"

namespace tidemill::driver {

namespace {

constexpr size_t kMaxSpecification = size_t{1} << 20;
constexpr size_t kMaxText = 4096;  // names, paths, keys
constexpr int kMaxConf = 1000;

arrow::Status NotServing() {
  return MakeError(ErrorKind::kUnavailable, "DRIVER_STARTING", "the driver is starting");
}

arrow::Status CheckText(std::string_view what, const std::string& text) {
  if (text.size() <= kMaxText) return arrow::Status::OK();
  return MakeError(ErrorKind::kInvalid, "INVALID_SUBMISSION",
                   fmt::format("{} has at most {} bytes, got {}", what, kMaxText, text.size()));
}

arrow::Status CheckRequest(const proto::SubmitRequest& request) {
  if (request.specification().size() > kMaxSpecification) {
    return MakeError(ErrorKind::kInvalid, "INVALID_SPECIFICATION.FILE",
                     fmt::format("a job specification has at most {} bytes, got {}",
                                 kMaxSpecification, request.specification().size()));
  }
  ARROW_RETURN_NOT_OK(CheckText("the file's name", request.file()));
  ARROW_RETURN_NOT_OK(CheckText("the directory", request.directory()));
  ARROW_RETURN_NOT_OK(CheckText("the name", request.name()));
  ARROW_RETURN_NOT_OK(CheckText("the idempotency key", request.idempotency_key()));
  if (request.conf_size() > kMaxConf) {
    return MakeError(
        ErrorKind::kInvalid, "INVALID_SUBMISSION",
        fmt::format("a submission has at most {} settings, got {}", kMaxConf, request.conf_size()));
  }
  for (const auto& [key, value] : request.conf()) {
    ARROW_RETURN_NOT_OK(CheckText("the name of a setting", key));
    ARROW_RETURN_NOT_OK(CheckText("a setting", value));
  }
  return arrow::Status::OK();
}

// A call that is answered once, on any thread, unless the client goes away first. Owns itself until
// gRPC is done with it. *Thread-safe.*
template <class Reply>
class PendingCall final : public grpc::ServerUnaryReactor {
 public:
  static std::shared_ptr<PendingCall> Make(Reply* reply) {
    std::shared_ptr<PendingCall> call(new PendingCall(reply));
    call->self_ = call;
    return call;
  }

  void Answer(arrow::Result<Reply> result) EXCLUDES(mutex_) {
    {
      MutexLock lock(&mutex_);
      if (is_answered_) return;
      is_answered_ = true;
      if (result.ok()) *reply_ = *std::move(result);
    }
    Finish(ToGrpc(result.status()));
  }

  void OnCancel() override {
    Answer(MakeError(ErrorKind::kUnavailable, "CANCELLED", "the call was cancelled"));
  }
  void OnDone() override { const auto last = std::move(self_); }

 private:
  explicit PendingCall(Reply* reply) : reply_(reply) {}

  std::shared_ptr<PendingCall> self_;
  Reply* const reply_;  // gRPC's, until the call is answered
  Mutex mutex_;
  bool is_answered_ GUARDED_BY(mutex_) = false;
};

}  // namespace

class DriverService::Impl final : public proto::Driver::CallbackService {
 public:
  using Context = grpc::CallbackServerContext;

  // Before it, the reply that a call finds in board_ is null. Release and acquire: cluster_ is
  // written before.
  void Open(JobBoard* board, proto::GetClusterReply cluster) {
    cluster_ = std::move(cluster);
    board_.store(board, std::memory_order_release);
  }

  grpc::ServerUnaryReactor* Submit(Context*, const proto::SubmitRequest* request,
                                   proto::SubmitReply* reply) override {
    return Serve(reply, [request](JobBoard* board, auto done) {
      if (arrow::Status fine = CheckRequest(*request); !fine.ok()) return done(fine);
      board->Submit(*request, std::move(done));
    });
  }

  grpc::ServerUnaryReactor* ListJobs(Context*, const proto::ListJobsRequest*,
                                     proto::ListJobsReply* reply) override {
    return Serve(reply, [](JobBoard* board, auto done) {
      board->ListJobs([done](arrow::Result<std::vector<proto::JobInfo>> jobs) {
        if (!jobs.ok()) return done(jobs.status());
        proto::ListJobsReply reply;
        for (proto::JobInfo& job : *jobs) *reply.add_jobs() = std::move(job);
        done(std::move(reply));
      });
    });
  }

  grpc::ServerUnaryReactor* GetJob(Context*, const proto::JobRequest* request,
                                   proto::GetJobReply* reply) override {
    return Serve(reply, [request](JobBoard* board, auto done) {
      board->GetJob(request->job(), std::move(done));
    });
  }

  grpc::ServerUnaryReactor* StopJob(Context*, const proto::StopJobRequest* request,
                                    proto::StopJobReply* reply) override {
    return Serve(reply, [request](JobBoard* board, auto done) {
      board->StopJob(request->job(), request->now(), [done](arrow::Result<proto::JobInfo> job) {
        if (!job.ok()) return done(job.status());
        proto::StopJobReply reply;
        *reply.mutable_info() = *std::move(job);
        done(std::move(reply));
      });
    });
  }

  grpc::ServerUnaryReactor* GetCluster(Context*, const proto::GetClusterRequest*,
                                       proto::GetClusterReply* reply) override {
    return Serve(reply, [this](JobBoard* board, auto done) {
      board->ListWorkers([done, cluster = cluster_](
                             arrow::Result<std::vector<proto::WorkerInfo>> workers) mutable {
        if (!workers.ok()) return done(workers.status());
        for (proto::WorkerInfo& worker : *workers) *cluster.add_workers() = std::move(worker);
        done(std::move(cluster));
      });
    });
  }

  grpc::ServerWriteReactor<proto::FollowReply>* FollowJob(
      Context*, const proto::JobRequest* request) override {
    JobBoard* const board = board_.load(std::memory_order_acquire);
    if (board == nullptr) return Refuse<proto::FollowReply>();
    return StartFollow(board, request->job());
  }

  grpc::ServerWriteReactor<proto::ReadTableReply>* ReadTable(
      Context*, const proto::ReadTableRequest* request) override {
    if (board_.load(std::memory_order_acquire) == nullptr) return Refuse<proto::ReadTableReply>();
    return StartReadTable(request->table());
  }

 private:
  // Passes the call on to the board; `ask` gets what to answer with.
  template <class Reply, class Ask>
  grpc::ServerUnaryReactor* Serve(Reply* reply, const Ask& ask) {
    const auto call = PendingCall<Reply>::Make(reply);
    JobBoard* const board = board_.load(std::memory_order_acquire);
    if (board == nullptr) {
      call->Answer(NotServing());
    } else {
      ask(board, JobBoard::Reply<Reply>(
                     [call](arrow::Result<Reply> result) { call->Answer(std::move(result)); }));
    }
    return call.get();
  }

  template <class Reply>
  static grpc::ServerWriteReactor<Reply>* Refuse() {
    class Refused final : public grpc::ServerWriteReactor<Reply> {
     public:
      Refused() { this->Finish(ToGrpc(NotServing())); }
      void OnDone() override { delete this; }
    };
    return new Refused;
  }

  std::atomic<JobBoard*> board_{nullptr};
  proto::GetClusterReply cluster_;
};

DriverService::DriverService() : impl_(std::make_unique<Impl>()) {}
DriverService::~DriverService() = default;

grpc::Service* DriverService::service() { return impl_.get(); }

void DriverService::Open(JobBoard* board, proto::GetClusterReply cluster) {
  impl_->Open(board, std::move(cluster));
}

}  // namespace tidemill::driver
