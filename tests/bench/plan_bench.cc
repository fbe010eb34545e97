// How long a query of 50 operators takes from its text to deployable stages.
//
// usage: plan_bench [RUNS]     default 200
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/types/ddl.h"
#include "connectors/sink.h"
#include "driver/plan/planner.h"

namespace tidemill::driver {
namespace {

constexpr int kLevels = 7;

connectors::SourceSpec Stream(const std::string& name, const char* ddl) {
  connectors::SourceSpec source;
  source.name = name;
  source.format = "json";
  source.schema = ParseDdlSchema(ddl).ValueOrDie();
  source.is_streaming = true;
  source.options.Set("path", "/in/" + name);
  return source;
}

// Views upon views over two streams that are joined, then an aggregation by windows.
std::string Query() {
  std::string text = "WITH ";
  for (const char* const side : {"a", "b"}) {
    text += fmt::format(
        "{0}0 AS (SELECT * FROM {0} WATERMARK ts DELAY OF INTERVAL 10 MINUTES AS {0}w),\n", side);
    for (int level = 1; level <= kLevels; ++level) {
      text += fmt::format(
          "{0}{1} AS (SELECT id + {1} AS id, upper(name) AS name, ts, price * 1.{1} AS price FROM "
          "{0}{2} WHERE id % {3} <> 0),\n",
          side, level, level - 1, level + 2);
    }
  }
  text += fmt::format(
      "j AS (SELECT l.id, l.name, l.ts, l.price + r.price AS price FROM a{0} l JOIN b{0} r ON l.id "
      "= "
      "r.id AND r.ts >= l.ts AND r.ts <= l.ts + INTERVAL 5 MINUTES),\n",
      kLevels);
  for (int level = 0; level < 4; ++level) {
    text += fmt::format("j{} AS (SELECT id, name, ts, price FROM {} WHERE price > {}),\n", level,
                        level == 0 ? "j" : fmt::format("j{}", level - 1), level);
  }
  text +=
      "w AS (SELECT window(ts, '1 minute') AS win, name, count(*) AS n, sum(price) AS total FROM "
      "j3 "
      "GROUP BY window(ts, '1 minute'), name HAVING count(*) > 1)\n"
      "SELECT win.start AS start, name, n, total FROM w";
  return text;
}

JobSpec Spec(const std::string& query) {
  JobSpec spec;
  spec.name = spec.file = "bench";
  spec.query = spec.text = query;
  spec.query_place.pieces = {{0, 0}};
  spec.output_mode = connectors::OutputMode::kAppend;
  return spec;
}

int Run(int runs) {
  const JobSpec spec = Spec(Query());
  constexpr const char* kDdl = "id BIGINT, name STRING, ts TIMESTAMP, price DOUBLE";
  const std::vector<connectors::SourceSpec> sources = {Stream("a", kDdl), Stream("b", kDdl)};
  int operators = 0;
  std::vector<double> milliseconds;
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const auto analyzed = AnalyzeQuery(spec, sources);
    if (!analyzed.ok()) {
      fmt::print(stderr, "{}\n", analyzed.status().ToString());
      return 1;
    }
    connectors::SinkSpec sink;
    sink.format = "noop";
    sink.schema = analyzed->schema;
    sink.output_mode = analyzed->output_mode;
    const auto resolved = connectors::ResolveSink(std::move(sink)).ValueOrDie();
    const auto planned = PlanStages(*analyzed, resolved, connectors::NeedsOf(resolved));
    if (!planned.ok()) {
      fmt::print(stderr, "{}\n", planned.status().ToString());
      return 1;
    }
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - begin;
    milliseconds.push_back(taken.count());
    if (i > 0) continue;
    ForEachNode(analyzed->analyzed, [&](const LogicalPlanPtr&) { ++operators; });
  }
  const double first = milliseconds.front();
  std::sort(milliseconds.begin(), milliseconds.end());
  fmt::print(
      "plan: a query of {} operators: first {:.2f} ms, p50 {:.2f} ms, p99 {:.2f} ms ({} runs)\n",
      operators, first, milliseconds[runs / 2], milliseconds[runs * 99 / 100], runs);
  return 0;
}

}  // namespace
}  // namespace tidemill::driver

int main(int argc, char** argv) {
  return tidemill::driver::Run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 200);
}
