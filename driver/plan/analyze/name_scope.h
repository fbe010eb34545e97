#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// The columns that a clause may name. Names are case-insensitive. *Immutable.*
class NameScope {
 public:
  explicit NameScope(std::vector<PlanField> fields) : fields_(std::move(fields)) {}

  // Columns that `parts` may mean, without the nested fields: `t.a.b` is field b of column a of t,
  // else fields a.b of column t. A qualified match hides an unqualified one.
  struct Match {
    int column = 0;
    size_t used_parts = 0;
  };
  std::vector<Match> Matches(const std::vector<std::string>& parts) const;

  // The column or struct field that `parts` name, or nullptr where there is none. Errors:
  // AMBIGUOUS_REFERENCE, FIELD_NOT_FOUND, INVALID_EXTRACT_BASE_FIELD_TYPE.
  arrow::Result<ExprPtr> Find(const std::vector<std::string>& parts, Span span) const;

  // The columns of `*` or `t.*`, or the fields of the struct `s.*`; with the names they get.
  arrow::Result<std::vector<std::pair<ExprPtr, PlanField>>> ExpandStar(
      const std::vector<std::string>& qualifier, Span span) const;

  // UNRESOLVED_COLUMN, with the columns that are nearest to the name. A name that is no part of a
  // query (`is_bare`) is compared with them as Spark does: without quotes, theirs with them.
  arrow::Status Unresolved(const std::vector<std::string>& parts, Span span,
                           bool is_bare = false) const;
  arrow::Status Ambiguous(const std::vector<std::string>& parts, const std::vector<Match>& matches,
                          Span span) const;

  const std::vector<PlanField>& fields() const { return fields_; }

 private:
  std::vector<PlanField> fields_;
};

// base.name: a field of a struct, the value of a map's key, or the array of a field of an array's
// structs. Errors: FIELD_NOT_FOUND,
// AMBIGUOUS_REFERENCE_TO_FIELDS, INVALID_EXTRACT_BASE_FIELD_TYPE.
arrow::Result<ExprPtr> ExtractField(ExprPtr base, const std::string& name, Span span);

}  // namespace tidemill::driver
