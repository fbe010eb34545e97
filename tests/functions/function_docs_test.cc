#include "common/functions/docs/function_docs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "common/expr/function_registry.h"
#include "tests/functions/evaluation.h"

namespace tidemill {

namespace {

TEST(FunctionDocsTest, EveryFunctionIsDescribed) {
  for (const std::string& name : DescribedFunctions()) {
    const auto description = DescribeFunction(name);
    ASSERT_TRUE(description.has_value()) << name;
    EXPECT_NE(description->usage, "") << name;
    EXPECT_TRUE(description->description.ends_with('.'))
        << name << ": no row in common/functions/docs";
  }
}

TEST(FunctionDocsTest, AnAliasIsDescribedAsWhatItStandsFor) {
  const auto alias = DescribeFunction("UCASE");
  ASSERT_TRUE(alias.has_value());
  EXPECT_EQ(alias->name, "ucase");
  EXPECT_EQ(alias->canonical, "upper");
  EXPECT_EQ(alias->description, DescribeFunction("upper")->description);
}

TEST(FunctionDocsTest, AggregatesAndWindowFunctionsAreDescribed) {
  EXPECT_EQ(DescribeFunction("every")->canonical, "bool_and");
  EXPECT_EQ(DescribeFunction("row_number")->group, "window");
}

TEST(FunctionDocsTest, AnUnknownNameHasNoDescription) {
  EXPECT_FALSE(DescribeFunction("no_such_function").has_value());
}

TEST(FunctionDocsTest, ExamplesGiveWhatIsWritten) {
  const EvalContext context = ContextOf("UTC");
  for (const std::string& name : FunctionNames()) {
    const auto description = DescribeFunction(name);
    if (description->example.empty()) continue;
    auto expr = BoundExpression(description->example, context);
    ASSERT_TRUE(expr.ok()) << name << ": " << expr.status().message();
    EXPECT_EQ(PlainTextOf(*expr, context), description->result) << description->example;
  }
}

TEST(FunctionDocsTest, ThePageIsUpToDate) {
  const std::string path = fmt::format("{}/functions.md", TIDEMILL_DOCS);
  const std::string page = FunctionsMarkdown();
  if (std::getenv("TIDEMILL_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
  std::ifstream in(path);
  std::stringstream written;
  written << in.rdbuf();
  EXPECT_TRUE(written.str() == page) << path << " is out of date: run docs/write_functions.sh";
}

}  // namespace

}  // namespace tidemill
