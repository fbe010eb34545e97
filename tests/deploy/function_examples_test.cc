// The examples of docs/functions.md that are queries: they need a planner and workers.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>

#include "common/functions/docs/function_docs.h"
#include "common/types/time_zone.h"
#include "deploy/client/row_text.h"
#include "deploy/client/script_rows.h"
#include "driver/spec/script/script.h"

namespace tidemill::deploy {
namespace {

std::string Trimmed(const std::string& cell) {
  const size_t first = cell.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : cell.substr(first, cell.find_last_not_of(' ') - first + 1);
}

// A line a row, its cells with ", " between them.
arrow::Result<std::string> ResultOf(const std::string& query) {
  ARROW_ASSIGN_OR_RAISE(const auto script, driver::ReadScript(query, "query", "/", {}));
  ARROW_ASSIGN_OR_RAISE(const RowSet rows, RowsOf(script.steps.back(), nullptr));
  ARROW_ASSIGN_OR_RAISE(const std::string table, RowsAsTable(rows, **FindTimeZone("UTC")));
  std::istringstream lines(table);
  std::string result;
  bool is_header = true;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('|')) continue;
    if (std::exchange(is_header, false)) continue;
    if (!result.empty()) result += '\n';
    std::istringstream cells(line.substr(1));
    std::string separator;
    for (std::string cell; std::getline(cells, cell, '|'); separator = ", ") {
      result += separator + Trimmed(cell);
    }
  }
  return result;
}

TEST(FunctionExamplesTest, QueriesGiveWhatIsWritten) {
  size_t count = 0;
  for (const std::string& name : DescribedFunctions()) {
    const auto description = DescribeFunction(name);
    ASSERT_TRUE(description.has_value()) << name;
    if (!description->example.starts_with("SELECT ")) continue;
    ++count;
    const auto result = ResultOf(description->example);
    ASSERT_TRUE(result.ok()) << name << ": " << result.status().message();
    EXPECT_EQ(*result, description->result) << description->example;
  }
  EXPECT_GT(count, 60U);
}

TEST(FunctionExamplesTest, DescribeFunctionShowsThem) {
  const auto text = ResultOf("DESCRIBE FUNCTION EXTENDED bool_and");
  ASSERT_TRUE(text.ok()) << text.status().message();
  EXPECT_NE(text->find("Usage: bool_and(expr) - "), std::string::npos) << *text;
  EXPECT_NE(text->find("> SELECT bool_and("), std::string::npos) << *text;
}

}  // namespace
}  // namespace tidemill::deploy
