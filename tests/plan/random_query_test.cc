#include <gtest/gtest.h>

#include <random>

#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

// Queries put together at random: most are valid, and none may confuse the planner.
class QueryMaker {
 public:
  explicit QueryMaker(uint32_t seed) : random_(seed) {}

  std::string Query(int depth) {
    const bool is_nested = depth > 0 && Below(3) > 0;
    const std::string from = is_nested ? "(" + Query(depth - 1) + ") t" : "source";
    const bool is_grouped = !has_aggregation_ && Below(3) == 0;
    has_aggregation_ = has_aggregation_ || is_grouped;
    const std::string key = Pick({"a", "b", "a + b", "A"});
    std::string items;
    if (is_grouped) {
      items = key + " AS a, " + Pick({"count(*)", "sum(b)", "max(a + b)", "min(b) + count(*)"}) +
              " AS b, array(" + Pick({"max(a)", key}) + ") AS l";
    } else {
      items = Pick({"a", "b AS a", "a + b AS a", "1 + 2 AS a"}) + ", " +
              Pick({"B", "a AS b", "b * 2 AS b", "coalesce(a, b) AS b"}) + ", " +
              Pick({"l", "l AS L", "explode(l) AS c, l", "array(a, b) AS l"});
    }
    std::string query = "SELECT " + items + " FROM " + from;
    if (Below(2) == 0)
      query += " WHERE " + Pick({"a > 1", "b > 1 AND a <> 2", "true", "a > 1 + 1"});
    if (is_grouped) query += " GROUP BY " + key;
    if (is_grouped && Below(2) == 0) query += " HAVING " + Pick({"count(*) > 1", key + " > 0"});
    return query;
  }

 private:
  uint32_t Below(uint32_t limit) { return random_() % limit; }
  std::string Pick(const std::vector<std::string>& choices) {
    return choices[Below(static_cast<uint32_t>(choices.size()))];
  }

  std::mt19937 random_;
  bool has_aggregation_ = false;
};

void CheckExpr(const Expr& expr, const std::vector<PlanField>& input) {
  ASSERT_NE(expr.type, nullptr);
  if (expr.kind == Expr::Kind::kColumn) {
    ASSERT_LT(expr.column, static_cast<int>(input.size()));
    ASSERT_TRUE(expr.type->Equals(*input[expr.column].type)) << ExprText(expr);
  }
  for (const ExprPtr& arg : expr.args) CheckExpr(*arg, input);
}

std::vector<ExprPtr> ExprsOf(const LogicalPlan& node) {
  switch (node.kind) {
    case LogicalPlan::Kind::kFilter:
      return {As<FilterNode>(node).condition};
    case LogicalPlan::Kind::kProject:
      return As<ProjectNode>(node).exprs;
    case LogicalPlan::Kind::kGenerate:
      return As<GenerateNode>(node).args;
    case LogicalPlan::Kind::kAggregate: {
      std::vector<ExprPtr> exprs = As<AggregateNode>(node).keys;
      for (const AggregateCall& call : As<AggregateNode>(node).calls) {
        exprs.insert(exprs.end(), call.args.begin(), call.args.end());
      }
      return exprs;
    }
    default:
      return {};
  }
}

TEST(RandomQueryTest, PlansReferToColumnsThatExistAndKeepTheirSchema) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed=" << seed);
  const std::vector<connectors::SourceSpec> sources = {
      SourceOf("source", "json", "x STRING, a BIGINT, b BIGINT, l ARRAY<BIGINT>, y INT")};
  for (uint32_t i = 0; i < 500 && !testing::Test::HasFailure(); ++i) {
    const std::string query = QueryMaker(seed + i).Query(4);
    SCOPED_TRACE(query);

    auto analyzed = AnalyzeQuery(SpecOf(query, kUpdate), sources);

    ASSERT_TRUE(analyzed.ok()) << RenderError(analyzed.status());
    for (const LogicalPlanPtr& plan : {analyzed->analyzed, analyzed->optimized}) {
      SCOPED_TRACE(TreeText(plan));
      ForEachNode(plan, [](const LogicalPlanPtr& node) {
        for (const ExprPtr& expr : ExprsOf(*node)) CheckExpr(*expr, node->child().output);
      });
    }
    ASSERT_TRUE(PlanStages(*analyzed, SinkOf(*analyzed), {}).ok());
  }
}

}  // namespace
}  // namespace tidemill::driver
