#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/error.h"
#include "tests/functions/answer_file.h"
#include "tests/functions/evaluation.h"

namespace tidemill {

namespace {

class AnswersTest : public ::testing::TestWithParam<std::string> {};

TEST_P(AnswersTest, AreThoseOfSpark) {
  const std::string path = fmt::format("{}/{}.txt", TIDEMILL_ANSWERS, GetParam());
  const AnswerFile file = AnswerFile::Read(path);
  const EvalContext context = ContextOf(file.zone);
  EXPECT_FALSE(file.answers.empty());
  for (const RecordedAnswer& recorded : file.answers) {
    SCOPED_TRACE(fmt::format("{}:{}: {}", path, recorded.line, recorded.expression));
    EXPECT_NE(recorded.spark, "") << "not recorded yet: tests/oracle/record.sh --functions";
    auto expr = BoundExpression(recorded.expression, context);
    if (!expr.ok()) {
      const std::string error = ErrorAnswer(expr.status());
      EXPECT_TRUE(IsSameAnswer(error, recorded.expected()))
          << error << ", want " << recorded.expected() << "\n"
          << expr.status().message();
      continue;
    }
    const std::string folded = AnswerOf(*expr, context);
    EXPECT_TRUE(IsSameAnswer(folded, recorded.expected()))
        << folded << ", want " << recorded.expected();
    if (!IsSameAnswer(folded, recorded.expected())) continue;
    EXPECT_EQ(DifferenceOverColumns(*expr, context, folded, /*only_first=*/true), "")
        << "with a column in place of the first literal";
    EXPECT_EQ(DifferenceOverColumns(*expr, context, folded, /*only_first=*/false), "")
        << "with columns in place of literals";
  }
}

INSTANTIATE_TEST_SUITE_P(Spark, AnswersTest, ::testing::ValuesIn(AnswerFileNames(TIDEMILL_ANSWERS)),
                         [](const auto& info) { return info.param; });

}  // namespace

}  // namespace tidemill
