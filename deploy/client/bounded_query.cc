#include "deploy/client/bounded_query.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <utility>

#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "connectors/memory/memory_source.h"
#include "connectors/memory/memory_tables.h"
#include "deploy/embedded_engine.h"
#include "deploy/scratch_directory.h"
#include "driver/job/plan_job.h"
#include "driver/sql/parser.h"
#include "driver/sql/query_tables.h"
#include "driver/sql/token_cursor.h"

namespace tidemill::deploy {

namespace {

using HeldTables = std::vector<std::unique_ptr<connectors::HeldRows>>;

// Makes a job that ends in a memory table of its name. The tables are readable while `held` lives.
void Complete(const std::map<std::string, RowSet>& tables, driver::JobSpec* spec,
              HeldTables* held) {
  spec->name = "query-" + NewUuid(Random::System());
  spec->sink_format = "memory";
  spec->trigger.kind = driver::TriggerKind::kOnce;
  spec->is_bounded = true;
  for (const auto& [name, rows] : tables) {
    held->push_back(
        std::make_unique<connectors::HeldRows>(rows.schema, rows.batches, Random::System()));
    driver::SourceDecl source;
    source.name = name;
    source.format = "memory";
    source.options.Set("token", held->back()->token());
    source.is_streaming = false;
    spec->sources.push_back(std::move(source));
  }
}

arrow::Status RunJob(const driver::JobSpec& spec, const driver::JobDefinition& definition,
                     std::string data_dir) {
  EmbeddedEngine::Options options;
  options.data_dir = std::move(data_dir);
  options.holder = fmt::format("pid={}", ::getpid());
  options.print = [](std::string_view) {};
  std::promise<driver::JobResult> done;
  EmbeddedEngine engine(std::move(options));
  const auto job = engine.Start(
      definition, [&done](driver::JobResult result) { done.set_value(std::move(result)); });
  return driver::LocateInQuery(spec, done.get_future().get().status);
}

}  // namespace

arrow::Result<RowSet> DecodeTable(std::string_view arrow_ipc) {
  // The batches point into the buffer, so it owns a copy.
  auto input =
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::string(arrow_ipc)));
  const auto read = [&]() -> arrow::Result<RowSet> {
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(input));
    RowSet rows{.schema = reader->schema()};
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
      if (batch == nullptr) return rows;
      ARROW_RETURN_NOT_OK(batch->ValidateFull());
      rows.batches.push_back(std::move(batch));
    }
  };
  auto rows = read();
  if (rows.ok()) return rows;
  return MakeError(ErrorKind::kGeneral, "TABLE_CORRUPT",
                   fmt::format("what the driver sent is no table: {}", rows.status().message()));
}

arrow::Result<std::vector<TableName>> UndeclaredTables(const driver::JobSpec& query) {
  auto parsed = driver::sql::ParseQuery(query.query);
  if (!parsed.ok()) return driver::LocateInQuery(query, parsed.status());
  std::vector<TableName> tables;
  for (driver::sql::NamedTable& table : driver::sql::TablesOf(**parsed)) {
    const auto is_same = [&](const auto& other) {
      return driver::sql::EqualsIgnoreCase(other.name, table.name);
    };
    if (std::any_of(query.sources.begin(), query.sources.end(), is_same)) continue;
    if (std::any_of(tables.begin(), tables.end(), is_same)) continue;
    tables.push_back({std::move(table.name), table.span});
  }
  return tables;
}

arrow::Result<RowSet> RunBoundedQuery(driver::JobSpec query,
                                      const std::map<std::string, RowSet>& tables) {
  HeldTables held;
  Complete(tables, &query, &held);
  ARROW_ASSIGN_OR_RAISE(const driver::PlannedJob planned,
                        driver::PlanJob(query, FileSystem::Local()));
  for (const std::string& warning : planned.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  ARROW_ASSIGN_OR_RAISE(driver::JobDefinition definition, driver::MakeDefinition(query, planned));
  ARROW_ASSIGN_OR_RAISE(const auto scratch, ScratchDirectory::Make());
  definition.checkpoint = scratch->Path("checkpoint");
  definition.is_durable = false;
  ARROW_RETURN_NOT_OK(RunJob(query, definition, scratch->Path("data")));

  auto result = connectors::MemoryTables::OfProcess()->Find(query.name);
  RowSet rows{.schema = planned.sink.schema};
  if (result) rows.batches = std::move(result->batches);
  return rows;
}

arrow::Result<std::string> ExplainQuery(driver::JobSpec query,
                                        const std::map<std::string, RowSet>& tables) {
  HeldTables held;
  Complete(tables, &query, &held);
  ARROW_ASSIGN_OR_RAISE(const driver::PlannedJob planned,
                        driver::PlanJob(query, FileSystem::Local()));
  return planned.query.explanation;
}

arrow::Result<std::shared_ptr<arrow::Schema>> SchemaOfQuery(
    driver::JobSpec query, const std::map<std::string, RowSet>& tables) {
  HeldTables held;
  Complete(tables, &query, &held);
  ARROW_ASSIGN_OR_RAISE(const driver::PlannedJob planned,
                        driver::PlanJob(query, FileSystem::Local()));
  return planned.sink.schema;
}

}  // namespace tidemill::deploy
