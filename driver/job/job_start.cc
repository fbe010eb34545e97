#include "driver/job/job_start.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/base/logging.h"
#include "common/types/time_zone.h"
#include "driver/job/static_tables/static_source.h"
#include "driver/job/successor.h"
#include "driver/plan/stages/plan_writer.h"
#include "driver/rpc/messages.h"

namespace tidemill::driver {

namespace {

class Starter {
 public:
  Starter(const JobDefinition& definition, const JobEnvironment& environment)
      : definition_(definition), environment_(environment), job_(std::make_unique<OpenedJob>()) {}

  arrow::Result<std::unique_ptr<OpenedJob>> Open(const std::function<void()>& wake) {
    ARROW_ASSIGN_OR_RAISE(job_->checkpoint,
                          CheckpointDir::Open({.fs = environment_.fs,
                                               .random = environment_.random,
                                               .path = definition_.checkpoint,
                                               .settings = definition_.settings,
                                               .is_durable = definition_.is_durable,
                                               .job_uuid = definition_.job_uuid,
                                               .outranks = environment_.outranks,
                                               .check_right = environment_.check_driver,
                                               .holder = environment_.holder}));
    ARROW_RETURN_NOT_OK(ReplayLog());
    ARROW_RETURN_NOT_OK(CheckPlan());
    ARROW_RETURN_NOT_OK(OpenSources(wake));
    const proto::PhysicalPlan& first = job_->stored_plan ? *job_->stored_plan : *definition_.plan;
    const SinkOpening opening{.job_uuid = job_->checkpoint->job_uuid(),
                              .term = job_->log->term(),
                              .log = FactsOf(job_->state),
                              .plan_fingerprint = job_->plan_fingerprint};
    auto sink = OpenSink(definition_, environment_, opening, first);
    if (!sink.ok()) return WithLogEnd(sink.status());
    job_->sink = *std::move(sink);
    ARROW_RETURN_NOT_OK(WithContext(RemoveLeftovers(), "clean up the checkpoint"));
    LogInfo("job_opened")
        .With("job", job_->checkpoint->job_uuid())
        .With("term", job_->log->term())
        .With("committed", job_->state.last_committed())
        .With("open", job_->sink.decision.open_epoch.value_or(-1));
    return std::move(job_);
  }

 private:
  arrow::Status ReplayLog() {
    job_->state = LogState(definition_.settings.key_groups);
    // The first plan is stored after the log has begun.
    ARROW_ASSIGN_OR_RAISE(const auto plans, job_->checkpoint->ListFiles("plan"));
    ARROW_ASSIGN_OR_RAISE(auto opened,
                          CommitLog::Open(environment_.fs, definition_.checkpoint,
                                          job_->checkpoint->term(), definition_.is_durable,
                                          /*must_exist=*/!plans.empty()));
    job_->log = std::move(opened.log);
    for (const LogEntry& entry : opened.contents.entries) {
      job_->growth.Note(entry.record);
      const arrow::Status applied = job_->state.Apply(entry.record);
      if (!applied.ok()) {
        return WithContext(applied, TextOf(entry.place));
      }
    }
    if (!opened.contents.files.empty()) {
      log_end_ = {opened.contents.files.back(), opened.contents.accepted_length};
    }
    old_log_files_ = std::move(opened.contents.others);
    std::erase(old_log_files_, job_->log->file());
    if (opened.contents.torn_bytes > 0) {
      LogWarn("log_tail_torn")
          .With("file", opened.contents.files.back())
          .With("offset", opened.contents.accepted_length)
          .With("bytes", opened.contents.torn_bytes);
    }
    return arrow::Status::OK();
  }

  std::string TextOf(const LogPlace& place) const {
    return fmt::format("file={} offset={}", JoinPath(definition_.checkpoint, place.file),
                       place.offset);
  }

  // A log that lost its end is valid as far as it goes: that it is too short shows in the sink.
  arrow::Status WithLogEnd(const arrow::Status& status) const {
    if (ErrorClassOf(status) != "SINK_AHEAD_OF_LOG" || log_end_.file.empty()) return status;
    return WithContext(status, fmt::format("the log ends at {}", TextOf(log_end_)));
  }

  arrow::Status CheckPlan() {
    job_->plan_fingerprint = FingerprintOf(*definition_.plan);
    const uint64_t last = job_->state.plan_fingerprint();
    if (last != 0 && last != job_->plan_fingerprint) {
      ARROW_ASSIGN_OR_RAISE(proto::PhysicalPlan before, job_->checkpoint->LoadPlan(last));
      ARROW_RETURN_NOT_OK(CheckSuccessor(before, *definition_.plan));
      if (job_->state.open_plan().has_value()) {
        job_->stored_plan = std::make_shared<const proto::PhysicalPlan>(std::move(before));
      }
    }
    return job_->checkpoint->StorePlan(*definition_.plan);
  }

  arrow::Status OpenSources(const std::function<void()>& wake) {
    ARROW_ASSIGN_OR_RAISE(const auto specs, SourceSpecsOf(*definition_.plan));
    const LogState& state = job_->state;
    const bool is_streaming =
        std::any_of(specs.begin(), specs.end(), [](const auto& spec) { return spec.is_streaming; });
    for (size_t i = 0; i < specs.size(); ++i) {
      const auto make = [spec = specs[i], wake, environment = &environment_] {
        connectors::SourceDriverContext context{.fs = environment->fs,
                                                .clock = environment->clock,
                                                .random = environment->random,
                                                .wake = wake};
        return environment->make_source ? environment->make_source(spec, std::move(context))
                                        : connectors::MakeSourceDriver(spec, std::move(context));
      };
      // Once, so that a table that is not there is found now.
      ARROW_ASSIGN_OR_RAISE(auto source, make());
      if (is_streaming && !specs[i].is_streaming) source = std::make_unique<StaticSource>(make);
      if (i < state.source_snapshots().size()) {
        ARROW_RETURN_NOT_OK(source->Restore(state.source_snapshots()[i]));
      }
      job_->sources.push_back(std::move(source));
    }
    for (const proto::EpochPlan& plan : state.replays()) {
      ARROW_RETURN_NOT_OK(Replay(plan, nullptr));
    }
    if (!state.open_plan().has_value()) return arrow::Status::OK();
    job_->open_plan = *state.open_plan();
    return Replay(*state.open_plan(), &job_->open_plan);
  }

  arrow::Status Replay(const proto::EpochPlan& plan, proto::EpochPlan* rerun) {
    const int count = std::min(plan.sources_size(), static_cast<int>(job_->sources.size()));
    for (int i = 0; i < count; ++i) {
      ARROW_ASSIGN_OR_RAISE(auto splits, job_->sources[i]->Replay(ReadInput(plan.sources(i))));
      if (rerun != nullptr) WriteSplits(splits, rerun->mutable_sources(i));
    }
    return arrow::Status::OK();
  }

  // Files that the log does not need: garbage of earlier runs and what dead attempts left.
  arrow::Status RemoveLeftovers() {
    std::vector<std::string> files = old_log_files_;
    ARROW_ASSIGN_OR_RAISE(const auto state_files, job_->checkpoint->ListFiles("state"));
    for (const std::string& file : state_files) {
      if (!job_->state.IsNeeded(file)) files.push_back(file);
    }
    ARROW_ASSIGN_OR_RAISE(const auto plans, job_->checkpoint->ListFiles("plan"));
    const std::set<std::string> needed_plans = {
        CheckpointDir::PlanFileName(job_->plan_fingerprint),
        CheckpointDir::PlanFileName(job_->state.plan_fingerprint())};
    for (const std::string& file : plans) {
      if (!needed_plans.contains(file)) files.push_back(file);
    }
    if (files.empty()) return arrow::Status::OK();
    proto::LogRecord record;
    record.mutable_drop()->mutable_files()->Assign(files.begin(), files.end());
    ARROW_RETURN_NOT_OK(job_->log->Append(record));
    ARROW_RETURN_NOT_OK(job_->state.Apply(record));
    for (const std::string& file : files) {
      ARROW_RETURN_NOT_OK(environment_.fs->Remove(JoinPath(definition_.checkpoint, file)));
    }
    return arrow::Status::OK();
  }

  const JobDefinition& definition_;
  const JobEnvironment& environment_;
  std::unique_ptr<OpenedJob> job_;
  std::vector<std::string> old_log_files_;
  LogPlace log_end_;  // of what was there; without a file where nothing was
};

}  // namespace

LogFacts FactsOf(const LogState& state) {
  LogFacts facts{.last_committed = state.last_committed(),
                 .committed_plan_hash = state.committed_plan_hash()};
  if (state.open_plan().has_value()) {
    facts.open = LogFacts::Open{.epoch = state.open_plan()->epoch(),
                                .plan_hash = state.open_plan_hash(),
                                .plan_fingerprint = state.open_plan()->plan_fingerprint()};
  }
  return facts;
}

arrow::Result<OpenedSink> OpenSink(const JobDefinition& definition,
                                   const JobEnvironment& environment, const SinkOpening& opening,
                                   const proto::PhysicalPlan& plan) {
  ARROW_ASSIGN_OR_RAISE(const auto spec, SinkSpecOf(plan, opening.job_uuid, definition.name));
  const std::string zone_name = plan.time_zone().empty() ? "UTC" : plan.time_zone();
  ARROW_ASSIGN_OR_RAISE(auto zone, FindTimeZone(zone_name));
  connectors::SinkDriverContext context{.fs = environment.fs,
                                        .clock = environment.clock,
                                        .random = environment.random,
                                        .zone = std::move(zone),
                                        .is_durable = definition.is_durable,
                                        .print = environment.print};
  auto made = environment.make_sink ? environment.make_sink(spec, std::move(context))
                                    : connectors::MakeSinkDriver(spec, std::move(context));
  OpenedSink opened;
  ARROW_ASSIGN_OR_RAISE(opened.driver, std::move(made));
  ARROW_RETURN_NOT_OK(opened.driver->Open(opening.term));
  ARROW_ASSIGN_OR_RAISE(const auto published, opened.driver->Recover(opening.log.last_committed));
  SinkFacts facts;
  if (published.has_value()) {
    facts.published = SinkFacts::Published{published->epoch, published->plan_hash};
  }
  ARROW_ASSIGN_OR_RAISE(opened.decision,
                        DecideRecovery(opening.log, facts, opening.plan_fingerprint));
  const std::string shared = opened.driver->SharedFile();
  if (!shared.empty()) {
    ARROW_ASSIGN_OR_RAISE(const std::string contents, ReadFile(environment.fs, shared));
    opened.shared_file = SharedFileProof{"sink", shared, Hash64(contents)};
  }
  return opened;
}

arrow::Result<std::unique_ptr<OpenedJob>> OpenJob(const JobDefinition& definition,
                                                  const JobEnvironment& environment,
                                                  const std::function<void()>& wake) {
  return Starter(definition, environment).Open(wake);
}

}  // namespace tidemill::driver
