#include "driver/api/job_json.h"

#include <fmt/format.h>

#include "common/base/sql_state.h"
#include "common/types/json_object.h"

namespace tidemill::driver {

namespace {

void WriteTimeOrNull(std::string_view key, int64_t micros, JsonObject* object) {
  if (micros == 0) {
    object->Null(key);
  } else {
    object->Time(key, micros);
  }
}

// The members of a job, without the braces; `object` writes to `out`.
void WriteJob(const proto::JobInfo& job, std::string* out, JsonObject* object) {
  object->Text("id", job.id());
  object->Text("name", job.name());
  object->Text("state", proto::JobInfo::State_Name(job.state()));
  if (job.has_error()) {
    JsonObject error(object->Key("error"));
    error.Text("errorClass", job.error().error_class());
    error.Text("sqlState", SqlStateOf(job.error().error_class()));
    error.Text("message", job.error().message());
    if (job.error().has_location()) {
      const proto::ErrorLocation& at = job.error().location();
      error.Text("location", fmt::format("{}:{}:{}", at.file(), at.line(), at.column()));
    }
    if (!job.error().place().empty()) error.Text("place", job.error().place());
    error.End();
  } else {
    object->Null("error");
  }
  WriteTimeOrNull("submitted", job.submitted_us(), object);
  WriteTimeOrNull("finished", job.finished_us(), object);
  object->Number("lastBatchId", job.last_committed());
  object->Number("batches", job.epochs());
  object->Number("inputRows", job.input_rows());
  object->Number("outputRows", job.output_rows());
  object->Number("slots", job.slots());
  object->Text("checkpointLocation", job.checkpoint());
  object->Text("runId", job.run_id());
  object->Number("checkpointStateBytes", job.checkpoint_state_bytes());
  object->Array("restores", job.restores_size(), [&](size_t i) {
    const proto::JobRestore& restore = job.restores(static_cast<int>(i));
    JsonObject one(out);
    one.Text("worker", restore.worker());
    one.Text("kind", restore.is_ahead() ? "ahead" : "restore");
    one.Number("keyGroups", restore.key_groups());
    one.Number("keyGroupsRead", restore.key_groups_read());
    one.Number("rows", restore.rows());
    one.End();
  });
}

}  // namespace

std::string JobJson(const proto::JobInfo& job) {
  std::string out;
  JsonObject object(&out);
  WriteJob(job, &out, &object);
  object.End();
  return out;
}

std::string JobsJson(const std::vector<proto::JobInfo>& jobs) {
  std::string out;
  JsonObject object(&out);
  object.Array("jobs", jobs.size(), [&](size_t i) { out += JobJson(jobs[i]); });
  object.End();
  return out;
}

std::string JobStatusJson(const proto::GetJobReply& status) {
  const auto& progress = status.recent_progress();
  std::string out;
  JsonObject object(&out);
  WriteJob(status.info(), &out, &object);
  object.Json("lastProgress", progress.empty() ? "" : *progress.rbegin());
  object.Array("recentProgress", progress.size(),
               [&](size_t i) { out += progress.Get(static_cast<int>(i)); });
  object.End();
  return out;
}

std::string WorkerJson(const proto::WorkerInfo& worker) {
  std::string out;
  JsonObject object(&out);
  object.Text("id", worker.id());
  object.Text("incarnation", worker.incarnation());
  object.Number("slots", worker.slots());
  object.Text("state", worker.state());
  object.Text("exchange", worker.exchange_address());
  object.Number("heartbeatAgeMs", worker.heartbeat_age_us() / 1000);
  object.Number("jobs", worker.jobs());
  object.End();
  return out;
}

std::string WorkersJson(const std::vector<proto::WorkerInfo>& workers) {
  std::string out;
  JsonObject object(&out);
  object.Array("workers", workers.size(), [&](size_t i) { out += WorkerJson(workers[i]); });
  object.End();
  return out;
}

std::string ClusterJson(const proto::GetClusterReply& cluster) {
  const auto& workers = cluster.workers();
  std::string out;
  JsonObject object(&out);
  object.Number("term", static_cast<int64_t>(cluster.term()));
  object.Number("pid", cluster.pid());
  object.Text("listen", cluster.listen());
  object.Text("http", cluster.http());
  object.Text("root", cluster.root());
  object.Text("build", cluster.build());
  object.Array("workers", workers.size(),
               [&](size_t i) { out += WorkerJson(workers.Get(static_cast<int>(i))); });
  object.End();
  return out;
}

}  // namespace tidemill::driver
