#include "common/base/error.h"

#include <gtest/gtest.h>

namespace tidemill {
namespace {

TEST(ErrorTest, RenderShowsTheLineWithACaretUnderTheSpan) {
  const std::string text = "SELECT id,\n  sum(pricee)\nFROM orders";
  const auto begin = static_cast<int32_t>(text.find("pricee"));
  arrow::Status status =
      MakeError(ErrorKind::kInvalid, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "no column `pricee`",
                Span{begin, begin + 6}, "did you mean `price`?");

  const std::string rendered = RenderError(WithSource(status, "orders.sql", text));

  EXPECT_EQ(rendered,
            "error[UNRESOLVED_COLUMN.WITH_SUGGESTION]: no column `pricee` SQLSTATE: 42703\n"
            "    --> orders.sql:2:7\n"
            "     |\n"
            "   2 |   sum(pricee)\n"
            "     |       ^^^^^^\n"
            "     = help: did you mean `price`?");
}

TEST(ErrorTest, RenderSaysWhichDataItWas) {
  const arrow::Status status = WithHint(
      WithPlace(WithRow(MakeError(ErrorKind::kJobFailed, "DIVIDE_BY_ZERO", "Division by zero."), 3),
                "/in/part-3.json:17"),
      "filter them");

  EXPECT_EQ(RenderError(status),
            "error[DIVIDE_BY_ZERO]: Division by zero. SQLSTATE: 22012\n"
            "     = at: /in/part-3.json:17\n"
            "     = help: filter them");
  EXPECT_FALSE(DetailOf(status)->row.has_value());
}

TEST(ErrorTest, ALocationWhoseLineIsNotKnownHasNoCaret) {
  const SourceLocation location{.file = "job.yaml", .line = 5, .column = 10, .width = 3};

  EXPECT_EQ(RenderError(WithLocation(MakeError(ErrorKind::kInvalid, "X", "message"), location)),
            "error[X]: message\n    --> job.yaml:5:10");
}

TEST(ErrorTest, NearestNameToleratesATransposition) {
  const std::vector<std::string> names = {"schema", "options", "watermark"};

  EXPECT_EQ(NearestName("shcema", names), "schema");
  EXPECT_EQ(NearestName("zzzzzz", names), "");
}

TEST(ErrorTest, ExitCodeFollowsTheKindThroughContext) {
  arrow::Status status =
      WithContext(MakeError(ErrorKind::kFenced, "FENCED", "newer term=4"), "append");

  EXPECT_EQ(ExitCodeOf(status), 10);
  EXPECT_EQ(status.message(), "append: newer term=4");
}

}  // namespace
}  // namespace tidemill
