#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "driver/job/job_runner.h"
#include "proto/control.pb.h"

namespace tidemill::driver {

// A worker process that reads by the book: answers everything, its rows are the ranges of its
// splits. What it has of a job is, by key group, the epochs that went into it; it checks that these
// are all epochs up to the last commit, each once, whenever an attempt begins, and that a restore
// finds the files it is told of. A worker keeps what it has when its stream ends.
class FakeWorker : public std::enable_shared_from_this<FakeWorker> {
 public:
  using Stream = MessageStream<proto::ToDriver, proto::ToWorker>;

  FakeWorker(std::string name, FileSystem* fs, int slots = 2)
      : name_(std::move(name)), fs_(fs), slots_(slots) {}

  // Opens a stream; what the worker still has of its job comes along as a report.
  WorkerLink Connect(Executor* executor);
  // The stream ends; the process lives on.
  void Disconnect();
  // The process ends: another FakeWorker of the name may follow.
  void Die() { Disconnect(); }
  bool is_connected() const { return stream_ != nullptr; }
  bool was_closed() const { return was_closed_; }  // by the driver, lately
  const std::string& name() const { return name_; }
  std::vector<uint32_t> key_groups() const;

  // What it was sent: "Deploy", "Adopt 1.1", "Assign 1", "Run 0.1", "Committed 0.1", "Abort 0.1",
  // "Undeploy", "WarmUp".
  std::vector<std::string> received;
  std::vector<proto::Deploy> deploys;
  std::vector<proto::Assign> assigns;
  std::vector<proto::RunEpoch> runs;

  // Answers to come: an error instead of Prepared, once; silence instead of Prepared; an error
  // instead of Assigned or Deployed, once.
  std::map<int64_t, arrow::Status> fail_epoch;
  std::optional<arrow::Status> fail_assign;
  std::optional<arrow::Status> fail_warm_up;
  std::optional<arrow::Status> fail_deploy;
  bool is_silent = false;
  bool forgets_undo = false;  // planted: an attempt that is undone stays in the tables
  std::chrono::microseconds restore_time{0};
  int64_t snapshot_every = 0;  // commits; 0 for never
  void SendFailed(int64_t epoch, uint64_t attempt, const arrow::Status& error);

 private:
  struct Table {
    int slot = 0;
    std::vector<int64_t> epochs;  // that went into it
  };
  struct OpenAttempt {
    int64_t epoch = 0;
    uint64_t attempt = 0;
    bool is_prepared = false;
  };

  void On(const proto::ToWorker& message);
  void OnDeploy(const proto::Deploy& deploy);
  void OnAssign(const proto::Assign& assign);
  void OnWarmUp(const proto::Assign& next);
  void FinishWarmUp(const proto::Assign& next);
  void FinishAssign(uint64_t version, std::map<uint32_t, Table> tables);
  Table Restore(const proto::Assign& assign, uint32_t group, int slot) const;
  void OnRun(const proto::RunEpoch& run);
  // The open attempt becomes committed where it is this one, and is undone else.
  void Settle(int64_t committed_epoch, uint64_t committed_attempt);
  void Undo();
  void NoteCommitted(int64_t epoch);
  proto::JobReport Report() const;
  std::string NewFile(const std::string& kind);
  void Send(proto::ToDriver message);

  const std::string name_;
  FileSystem* const fs_;
  const int slots_;
  Executor* executor_ = nullptr;
  std::shared_ptr<Stream> stream_;
  bool was_closed_ = false;

  std::optional<proto::Deploy> job_;
  uint64_t newest_assign_ = 0;
  uint64_t assignment_ = 0;  // finished
  std::map<uint32_t, Table> tables_;
  std::map<uint32_t, Table> warm_;
  uint64_t newest_warm_up_ = 0;
  std::optional<OpenAttempt> open_;
  int64_t committed_ = -1;
  Random* const random_ = Random::System();  // for names only
  int next_file_ = 0;
  std::string segment_;
};

}  // namespace tidemill::driver
