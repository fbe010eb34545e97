#include "driver/cluster/worker_registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "driver/cluster/job_stream.h"
#include "driver/rpc/messages.h"

namespace tidemill::driver {

namespace {

// What a peer may make this process remember.
constexpr size_t kMaxNameBytes = 128;
constexpr int kMaxSlots = 1024;
constexpr size_t kMaxWorkers = 1024;
constexpr size_t kLostWorkersKept = 64;
constexpr size_t kSupersededKept = 10'000;
constexpr std::chrono::minutes kLostFor{10};

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

int64_t Micros(SteadyTime::duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

class WorkerRegistry::Impl : public std::enable_shared_from_this<WorkerRegistry::Impl> {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {}

  Executor* executor() const { return options_.executor; }
  void Start();
  void Serve(std::shared_ptr<WorkerStream> stream, std::string peer);
  void Stop();
  WorkerLink OpenJobStream(const std::string& worker, const std::string& job);
  std::vector<std::string> AliveWorkers() const;
  std::vector<proto::WorkerInfo> Describe() const;

 private:
  struct Connection {
    uint64_t number = 0;
    std::shared_ptr<WorkerStream> stream;
    std::string peer;
    std::string worker;  // "" before Register
    SteadyTime heard{};
  };
  using ConnectionPtr = std::shared_ptr<Connection>;
  struct IsOlder {
    bool operator()(const ConnectionPtr& a, const ConnectionPtr& b) const {
      return a->number < b->number;
    }
  };
  // In the order in which they came: a simulation must see the same order each time.
  using Connections = std::set<ConnectionPtr, IsOlder>;

  struct Member {
    std::string incarnation;
    int slots = 0;
    std::string exchange_address;
    Timestamp registered{};
    ConnectionPtr connection;  // null: lost
    SteadyTime lost_at{};
    bool is_leaving = false;
    std::map<std::string, std::shared_ptr<const proto::JobReport>> reports;
    std::map<std::string, std::shared_ptr<JobStream::Lane>> jobs;
  };

  void OnMessage(const ConnectionPtr& connection, proto::ToDriver message);
  void OnRegister(const ConnectionPtr& connection, proto::Register message);
  // The worker forgets what it reported and no job has taken up.
  void UndeployTheRest(Member* member);
  // The worker has closed its stream, or the connection is gone.
  void OnStreamEnded(const std::string& worker, Member* member, const arrow::Status& why);
  void OnLeave(const std::string& worker);
  void OnJobStreamClosed(const std::string& worker, const std::string& job,
                         const std::shared_ptr<JobStream::Lane>& lane);
  arrow::Status CheckRegister(const proto::Register& message) const;
  // Takes the name from whoever has it.
  void Supersede(const std::string& worker, Member* member, const std::string& incarnation);
  void Refuse(const ConnectionPtr& connection, const arrow::Status& why);
  void Drop(const ConnectionPtr& connection);
  // The worker's stream is gone or not to be used: its jobs have lost it.
  void Lose(const std::string& worker, Member* member, const std::string& why);
  void ReleaseIfDone(const std::string& worker, Member* member);
  void Tick();
  void ForgetLost();

  const Options options_;
  Connections connections_;
  uint64_t num_connections_ = 0;
  std::map<std::string, Member> members_;
  // (worker, incarnation) that a newer one has replaced.
  std::set<std::pair<std::string, std::string>> superseded_;
  std::deque<std::pair<std::string, std::string>> superseded_order_;
  SteadyTime last_tick_{};
  bool is_stopped_ = false;
};

void WorkerRegistry::Impl::Start() {
  last_tick_ = options_.clock->SteadyNow();
  Tick();
}

void WorkerRegistry::Impl::Serve(std::shared_ptr<WorkerStream> stream, std::string peer) {
  if (is_stopped_) return stream->Close();
  auto connection = std::make_shared<Connection>();
  connection->number = ++num_connections_;
  connection->stream = std::move(stream);
  connection->peer = std::move(peer);
  connection->heard = options_.clock->SteadyNow();
  connections_.insert(connection);
  const std::weak_ptr<Impl> weak = weak_from_this();
  // Weak: the handlers live in the stream, which the connection owns.
  const std::weak_ptr<Connection> from = connection;
  connection->stream->Start(
      options_.executor,
      {.on_message =
           [weak, from](proto::ToDriver message) {
             const auto self = weak.lock();
             const auto connection = from.lock();
             if (self && connection) self->OnMessage(connection, std::move(message));
           },
       .on_close =
           [weak, from](const arrow::Status& why) {
             const auto self = weak.lock();
             const auto connection = from.lock();
             if (!self || !connection || !self->connections_.contains(connection)) return;
             const auto member = self->members_.find(connection->worker);
             if (member != self->members_.end() && member->second.connection == connection) {
               self->OnStreamEnded(member->first, &member->second, why);
             }
             self->Drop(connection);
           }});
}

void WorkerRegistry::Impl::Stop() {
  is_stopped_ = true;
  for (auto& [name, member] : members_) {
    if (member.connection != nullptr) Lose(name, &member, "the driver stops");
  }
  for (const ConnectionPtr& connection : std::exchange(connections_, {})) {
    connection->stream->Close();
  }
}

void WorkerRegistry::Impl::OnMessage(const ConnectionPtr& connection, proto::ToDriver message) {
  if (!connections_.contains(connection)) return;  // Refused meanwhile.
  connection->heard = options_.clock->SteadyNow();
  if (message.has_register_worker() == !connection->worker.empty()) {
    LogWarn("control_stream_refused").With("peer", connection->peer).With("why", "not a register");
    const auto member = members_.find(connection->worker);
    if (member != members_.end()) Lose(member->first, &member->second, "registered twice");
    return Drop(connection);
  }
  if (message.has_register_worker()) {
    return OnRegister(connection, std::move(*message.mutable_register_worker()));
  }
  if (message.has_heartbeat()) return;
  if (message.has_leave()) return OnLeave(connection->worker);
  Member& member = members_.at(connection->worker);
  const auto job = member.jobs.find(message.job());
  if (job == member.jobs.end()) return;  // An answer that came after the job was closed.
  message.set_worker(connection->worker);
  message.set_incarnation(member.incarnation);
  job->second->Push(std::move(message));
}

arrow::Status WorkerRegistry::Impl::CheckRegister(const proto::Register& message) const {
  if (!IsName(message.worker()) || !IsName(message.incarnation()) || message.slots() < 1 ||
      message.slots() > kMaxSlots || message.exchange_address().size() > kMaxNameBytes) {
    return MakeError(ErrorKind::kInvalid, "INVALID_WORKER",
                     fmt::format("a worker has a name and an incarnation of at most {} printable "
                                 "characters without blanks, and 1 to {} slots: slots={}",
                                 kMaxNameBytes, kMaxSlots, message.slots()));
  }
  if (message.build() != options_.build) {
    return MakeError(ErrorKind::kInvalid, "OTHER_BUILD",
                     fmt::format("driver and workers must be of one build: driver={} worker={}",
                                 options_.build, message.build().substr(0, kMaxNameBytes)));
  }
  if (superseded_.contains({message.worker(), message.incarnation()})) {
    return MakeError(ErrorKind::kFenced, "FENCED",
                     fmt::format("a newer process has taken over the name of this worker: "
                                 "worker={} incarnation={}",
                                 message.worker(), message.incarnation()));
  }
  if (members_.size() >= kMaxWorkers && !members_.contains(message.worker())) {
    return MakeError(ErrorKind::kResource, "TOO_MANY_WORKERS",
                     fmt::format("a cluster has at most {} workers", kMaxWorkers));
  }
  return arrow::Status::OK();
}

void WorkerRegistry::Impl::OnRegister(const ConnectionPtr& connection, proto::Register message) {
  if (arrow::Status fine = CheckRegister(message); !fine.ok()) return Refuse(connection, fine);
  const std::string worker = message.worker();
  Supersede(worker, &members_[worker], message.incarnation());
  Member member;
  member.incarnation = message.incarnation();
  member.slots = message.slots();
  member.exchange_address = message.exchange_address();
  member.registered = options_.clock->Now();
  member.connection = connection;
  for (proto::JobReport& report : *message.mutable_jobs()) {
    std::string job = report.job();
    member.reports[std::move(job)] = std::make_shared<const proto::JobReport>(std::move(report));
  }
  LogInfo("worker_registered")
      .With("worker", worker)
      .With("incarnation", member.incarnation)
      .With("slots", member.slots)
      .With("jobs", member.reports.size())
      .With("peer", connection->peer);
  members_[worker] = std::move(member);
  connection->worker = worker;

  proto::ToWorker answer;
  proto::Registered* registered = answer.mutable_registered();
  registered->set_cluster_term(options_.cluster_term);
  registered->set_driver_incarnation(options_.driver_incarnation);
  registered->set_heartbeat_us(options_.heartbeat.count());
  registered->set_lease_us(options_.lease.count());
  connection->stream->Send(std::move(answer));
  if (options_.listener != nullptr) options_.listener->OnWorkerJoined(worker);
  UndeployTheRest(&members_.at(worker));
}

void WorkerRegistry::Impl::UndeployTheRest(Member* member) {
  if (member->connection == nullptr) return;
  for (const auto& [job, report] : std::exchange(member->reports, {})) {
    proto::ToWorker message;
    message.set_term(std::numeric_limits<uint64_t>::max());  // Nobody of the job is left to object.
    message.mutable_undeploy()->set_job(job);
    member->connection->stream->Send(std::move(message));
  }
}

void WorkerRegistry::Impl::Supersede(const std::string& worker, Member* member,
                                     const std::string& incarnation) {
  if (member->incarnation.empty()) return;  // Nobody had the name.
  const bool is_same_process = member->incarnation == incarnation;
  if (!is_same_process && superseded_.insert({worker, member->incarnation}).second) {
    superseded_order_.emplace_back(worker, member->incarnation);
    if (superseded_order_.size() > kSupersededKept) {
      superseded_.erase(superseded_order_.front());
      superseded_order_.pop_front();
    }
  }
  const ConnectionPtr old = member->connection;
  if (old == nullptr) return;
  Lose(worker, member, is_same_process ? "registered anew" : "replaced by a newer process");
  if (is_same_process) return Drop(old);
  Refuse(old, MakeError(ErrorKind::kFenced, "FENCED",
                        fmt::format("a newer process has taken over the name of this worker: "
                                    "worker={} newer={}",
                                    worker, incarnation)));
}

void WorkerRegistry::Impl::Refuse(const ConnectionPtr& connection, const arrow::Status& why) {
  LogWarn("worker_refused").With("peer", connection->peer).With("why", why.message());
  proto::ToWorker answer;
  WriteError(why, answer.mutable_refused()->mutable_error());
  connection->stream->Send(std::move(answer));
  Drop(connection);
}

void WorkerRegistry::Impl::Drop(const ConnectionPtr& connection) {
  connections_.erase(connection);
  connection->stream->Close();
}

void WorkerRegistry::Impl::Lose(const std::string& worker, Member* member, const std::string& why) {
  LogWarn("worker_lost").With("worker", worker).With("why", why);
  member->connection = nullptr;
  member->lost_at = options_.clock->SteadyNow();
  member->reports.clear();
  const arrow::Status lost =
      MakeError(ErrorKind::kUnavailable, "WORKER_LOST",
                fmt::format("the worker is gone: {}: worker={}", why, worker));
  for (const auto& [job, lane] : std::exchange(member->jobs, {})) lane->End(lost);
}

void WorkerRegistry::Impl::OnStreamEnded(const std::string& worker, Member* member,
                                         const arrow::Status& why) {
  if (!member->is_leaving || !member->jobs.empty()) {
    return Lose(worker, member, why.ok() ? "closed" : why.message());
  }
  LogInfo("worker_left").With("worker", worker);
  members_.erase(worker);
}

void WorkerRegistry::Impl::OnLeave(const std::string& worker) {
  Member& member = members_.at(worker);
  if (member.is_leaving) return;
  member.is_leaving = true;
  LogInfo("worker_leaving").With("worker", worker).With("jobs", member.jobs.size());
  if (options_.listener != nullptr) options_.listener->OnWorkerLeaving(worker);
  ReleaseIfDone(worker, &members_.at(worker));
}

void WorkerRegistry::Impl::ReleaseIfDone(const std::string& worker, Member* member) {
  if (!member->is_leaving || !member->jobs.empty() || member->connection == nullptr) return;
  LogInfo("worker_released").With("worker", worker);
  proto::ToWorker message;
  message.mutable_released();
  member->connection->stream->Send(std::move(message));
}

WorkerLink WorkerRegistry::Impl::OpenJobStream(const std::string& worker, const std::string& job) {
  WorkerLink link{.name = worker};
  const auto found = members_.find(worker);
  if (found == members_.end()) return link;
  Member& member = found->second;
  if (member.connection == nullptr || member.is_leaving) return link;
  auto lane = std::make_shared<JobStream::Lane>();
  auto& current = member.jobs[job];
  if (current != nullptr) {
    current->End(MakeError(ErrorKind::kUnavailable, "WORKER_LOST", "the job was opened anew"));
  }
  current = lane;
  link.slots = member.slots;
  link.incarnation = member.incarnation;
  link.exchange_address = member.exchange_address;
  if (const auto report = member.reports.find(job); report != member.reports.end()) {
    link.report = report->second;
    member.reports.erase(report);
  }
  auto on_closed = [weak = weak_from_this(), executor = options_.executor, worker, job, lane] {
    executor->Post([weak, worker, job, lane] {
      if (const auto self = weak.lock()) self->OnJobStreamClosed(worker, job, lane);
    });
  };
  link.stream = std::make_shared<JobStream>(member.connection->stream, lane, std::move(on_closed));
  return link;
}

void WorkerRegistry::Impl::OnJobStreamClosed(const std::string& worker, const std::string& job,
                                             const std::shared_ptr<JobStream::Lane>& lane) {
  const auto found = members_.find(worker);
  if (found == members_.end()) return;
  Member& member = found->second;
  const auto current = member.jobs.find(job);
  if (current == member.jobs.end() || current->second != lane) return;
  member.jobs.erase(current);
  ReleaseIfDone(worker, &member);
}

void WorkerRegistry::Impl::Tick() {
  if (is_stopped_) return;
  const SteadyTime now = options_.clock->SteadyNow();
  // After a pause of this process what the workers sent meanwhile is still unread.
  const bool was_asleep = now - last_tick_ > options_.lease / 2;
  last_tick_ = now;
  for (const ConnectionPtr& connection : Connections(connections_)) {
    if (was_asleep) connection->heard = now;
    const bool is_expired = now - connection->heard > options_.lease;
    const auto member = members_.find(connection->worker);
    if (is_expired) {
      if (member == members_.end()) {
        LogWarn("control_stream_refused").With("peer", connection->peer).With("why", "silent");
      } else if (member->second.connection == connection) {
        Lose(member->first, &member->second, "its lease ran out");
      }
      Drop(connection);
    } else if (member != members_.end()) {
      proto::ToWorker message;
      message.mutable_heartbeat();
      connection->stream->Send(std::move(message));
    }
  }
  ForgetLost();
  options_.executor->PostAfter(options_.heartbeat, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Tick();
  });
}

void WorkerRegistry::Impl::ForgetLost() {
  const SteadyTime now = options_.clock->SteadyNow();
  std::multimap<SteadyTime, std::string> lost;
  for (const auto& [name, member] : members_) {
    if (member.connection == nullptr) lost.emplace(member.lost_at, name);
  }
  for (auto oldest = lost.begin(); oldest != lost.end(); oldest = lost.erase(oldest)) {
    if (lost.size() <= kLostWorkersKept && now - oldest->first < kLostFor) return;
    members_.erase(oldest->second);
  }
}

std::vector<std::string> WorkerRegistry::Impl::AliveWorkers() const {
  std::vector<std::string> names;
  for (const auto& [name, member] : members_) {
    if (member.connection != nullptr && !member.is_leaving) names.push_back(name);
  }
  return names;
}

std::vector<proto::WorkerInfo> WorkerRegistry::Impl::Describe() const {
  const SteadyTime now = options_.clock->SteadyNow();
  std::vector<proto::WorkerInfo> infos;
  for (const auto& [name, member] : members_) {
    proto::WorkerInfo& info = infos.emplace_back();
    const bool is_lost = member.connection == nullptr;
    info.set_id(name);
    info.set_incarnation(member.incarnation);
    info.set_slots(member.slots);
    info.set_state(is_lost ? "LOST" : member.is_leaving ? "LEAVING" : "ALIVE");
    info.set_exchange_address(member.exchange_address);
    info.set_heartbeat_age_us(Micros(now - (is_lost ? member.lost_at : member.connection->heard)));
    info.set_registered_us(member.registered.time_since_epoch().count());
    info.set_jobs(static_cast<int>(member.jobs.size()));
  }
  return infos;
}

WorkerRegistry::WorkerRegistry(Options options)
    : impl_(std::make_shared<Impl>(std::move(options))) {}

WorkerRegistry::~WorkerRegistry() = default;

void WorkerRegistry::Start() {
  impl_->executor()->Post([impl = impl_] { impl->Start(); });
}

void WorkerRegistry::Serve(std::shared_ptr<WorkerStream> stream, std::string peer) {
  impl_->executor()->Post(
      [impl = impl_, stream = std::move(stream), peer = std::move(peer)]() mutable {
        impl->Serve(std::move(stream), std::move(peer));
      });
}

void WorkerRegistry::Stop() {
  impl_->executor()->Post([impl = impl_] { impl->Stop(); });
}

WorkerLink WorkerRegistry::OpenJobStream(const std::string& worker, const std::string& job) {
  return impl_->OpenJobStream(worker, job);
}

std::vector<std::string> WorkerRegistry::AliveWorkers() const { return impl_->AliveWorkers(); }

std::vector<proto::WorkerInfo> WorkerRegistry::Describe() const { return impl_->Describe(); }

}  // namespace tidemill::driver
