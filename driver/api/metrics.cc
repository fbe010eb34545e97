#include "driver/api/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <set>

#include "common/base/mutex.h"

namespace tidemill::driver {

namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;

// Seconds: from an epoch of a few rows to one that reads a backlog.
const Histogram::BucketBoundaries& EpochBuckets() {
  static const Histogram::BucketBoundaries buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                   0.25,  0.5,    1,     2.5,  5,     10,   60};
  return buckets;
}

// A family whose series belong to jobs.
template <class Metric>
class JobFamily {
 public:
  JobFamily(prometheus::Registry* registry, const std::string& name, const std::string& help)
      : family_(prometheus::detail::Builder<Metric>()
                    .Name("tidemill_driver_" + name)
                    .Help(help)
                    .Register(*registry)) {}

  template <class... Args>
  Metric& Of(const std::string& job, const Labels& more, const Args&... args) {
    Labels labels = more;
    labels["job_name"] = job;
    Metric& metric = family_.Add(labels, args...);
    series_[job].insert(&metric);
    return metric;
  }
  Metric& Of(const std::string& job) { return Of(job, {}); }

  template <class IsActive>
  void RemoveUnless(const IsActive& is_active) {
    for (auto job = series_.begin(); job != series_.end();) {
      if (is_active(job->first)) {
        ++job;
        continue;
      }
      for (Metric* metric : job->second) family_.Remove(metric);
      job = series_.erase(job);
    }
  }

 private:
  prometheus::Family<Metric>& family_;
  std::map<std::string, std::set<Metric*>> series_;
};

double ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  long total = 0;
  long resident = 0;
  const int fields = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return fields == 2 ? static_cast<double>(resident) * static_cast<double>(::getpagesize()) : 0;
}

bool IsActive(const proto::JobInfo& job) {
  switch (job.state()) {
    case proto::JobInfo::STARTING:
    case proto::JobInfo::RUNNING:
    case proto::JobInfo::RETRYING:
    case proto::JobInfo::STOPPING:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct DriverMetrics::Impl {
  Gauge& GaugeOf(const std::string& name, const std::string& help, const Labels& labels = {}) {
    return prometheus::BuildGauge()
        .Name("tidemill_driver_" + name)
        .Help(help)
        .Register(registry)
        .Add(labels);
  }

  prometheus::Registry registry;  // thread-safe; the families are guarded for the removal of series
  Mutex mutex;
  JobFamily<Counter> epochs GUARDED_BY(mutex){&registry, "epochs_total", "Epochs committed."};
  JobFamily<Counter> input_rows GUARDED_BY(mutex){&registry, "input_rows_total",
                                                  "Rows read by committed epochs."};
  JobFamily<Counter> output_rows GUARDED_BY(mutex){&registry, "output_rows_total",
                                                   "Rows given to the sink by committed epochs."};
  JobFamily<Counter> late_rows GUARDED_BY(mutex){
      &registry, "late_rows_total", "Rows that stateful operators dropped for the watermark."};
  JobFamily<Counter> retries GUARDED_BY(mutex){
      &registry, "retried_attempts_total", "Attempts of committed epochs beyond the first one."};
  JobFamily<Histogram> duration GUARDED_BY(mutex){&registry, "epoch_duration_seconds",
                                                  "Time of an epoch from trigger to commit."};
  JobFamily<Counter> phases GUARDED_BY(mutex){&registry, "epoch_phase_seconds_total",
                                              "Time of committed epochs by phase."};
  JobFamily<Gauge> last_epoch GUARDED_BY(mutex){&registry, "last_committed_epoch",
                                                "Number of the last committed epoch."};
  JobFamily<Gauge> state_rows GUARDED_BY(mutex){&registry, "state_rows",
                                                "Rows of state after the last committed epoch."};
  JobFamily<Gauge> state_bytes GUARDED_BY(mutex){&registry, "state_memory_bytes",
                                                 "Memory of that state."};
  Gauge& workers = GaugeOf("workers_alive", "Workers that are registered and not leaving.");
  Gauge& slots = GaugeOf("worker_slots", "Slots of these workers.");
  Gauge& memory = GaugeOf("resident_memory_bytes", "Resident memory of the driver process.");
};

DriverMetrics::DriverMetrics() : impl_(std::make_unique<Impl>()) {}
DriverMetrics::~DriverMetrics() = default;

void DriverMetrics::OnEpoch(const EpochProgress& progress) {
  const std::string& job = progress.name;
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t late = 0;
  for (const StateProgress& state : progress.state) {
    rows += state.rows_total;
    bytes += state.memory_bytes;
    late += state.rows_dropped_late;
  }
  // Attempts of an epoch count from 1 in the low half; the high half is the driver's term.
  const auto attempt = static_cast<uint32_t>(progress.attempt);

  MutexLock lock(&impl_->mutex);
  impl_->epochs.Of(job).Increment();
  impl_->input_rows.Of(job).Increment(static_cast<double>(progress.input_rows));
  impl_->output_rows.Of(job).Increment(static_cast<double>(progress.output_rows));
  impl_->late_rows.Of(job).Increment(static_cast<double>(late));
  impl_->retries.Of(job).Increment(attempt > 1 ? attempt - 1 : 0);
  for (const auto& [phase, micros] : progress.duration_us) {
    const double seconds = static_cast<double>(micros) / 1e6;
    if (phase == "triggerExecution") {
      impl_->duration.Of(job, {}, EpochBuckets()).Observe(seconds);
    } else {
      impl_->phases.Of(job, {{"phase", phase}}).Increment(seconds);
    }
  }
  impl_->last_epoch.Of(job).Set(static_cast<double>(progress.epoch));
  impl_->state_rows.Of(job).Set(static_cast<double>(rows));
  impl_->state_bytes.Of(job).Set(static_cast<double>(bytes));
}

void DriverMetrics::SetJobs(const std::vector<proto::JobInfo>& jobs) {
  std::map<proto::JobInfo::State, int> by_state;
  for (int state = proto::JobInfo::STARTING; state <= proto::JobInfo::FAILED; ++state)
    by_state[static_cast<proto::JobInfo::State>(state)] = 0;
  std::set<std::string> active;
  for (const proto::JobInfo& job : jobs) {
    ++by_state[job.state()];
    if (IsActive(job)) active.insert(job.name());
  }
  for (const auto& [state, count] : by_state) {
    impl_->GaugeOf("jobs", "Jobs by state.", {{"state", proto::JobInfo::State_Name(state)}})
        .Set(count);
  }

  const auto is_active = [&](const std::string& job) { return active.contains(job); };
  MutexLock lock(&impl_->mutex);
  impl_->epochs.RemoveUnless(is_active);
  impl_->input_rows.RemoveUnless(is_active);
  impl_->output_rows.RemoveUnless(is_active);
  impl_->late_rows.RemoveUnless(is_active);
  impl_->retries.RemoveUnless(is_active);
  impl_->duration.RemoveUnless(is_active);
  impl_->phases.RemoveUnless(is_active);
  impl_->last_epoch.RemoveUnless(is_active);
  impl_->state_rows.RemoveUnless(is_active);
  impl_->state_bytes.RemoveUnless(is_active);
}

void DriverMetrics::SetWorkers(const std::vector<proto::WorkerInfo>& workers) {
  int alive = 0;
  int slots = 0;
  for (const proto::WorkerInfo& worker : workers) {
    if (worker.state() != "ALIVE") continue;
    ++alive;
    slots += worker.slots();
  }
  impl_->workers.Set(alive);
  impl_->slots.Set(slots);
}

std::string DriverMetrics::Text() {
  impl_->memory.Set(ResidentBytes());
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace tidemill::driver
