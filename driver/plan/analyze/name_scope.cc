#include "driver/plan/analyze/name_scope.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "common/expr/function_registry.h"
#include "driver/plan/logical/plan_error.h"

namespace tidemill::driver {

namespace {

constexpr size_t kSuggestions = 5;

ExprPtr StringLiteral(const std::string& text, Span span) {
  return MakeLiteral(std::make_shared<arrow::StringScalar>(text), span);
}

std::vector<std::string> PartsOf(const PlanField& field) {
  if (field.qualifier.empty()) return {field.name};
  return {field.qualifier, field.name};
}

}  // namespace

std::vector<NameScope::Match> NameScope::Matches(const std::vector<std::string>& parts) const {
  std::vector<Match> matches;
  const int count = static_cast<int>(fields_.size());
  for (int i = 0; parts.size() > 1 && i < count; ++i) {
    if (!fields_[i].qualifier.empty() && EqualsIgnoreCase(fields_[i].qualifier, parts[0]) &&
        EqualsIgnoreCase(fields_[i].name, parts[1])) {
      matches.push_back({i, 2});
    }
  }
  if (!matches.empty()) return matches;
  for (int i = 0; i < count; ++i) {
    if (fields_[i].is_hidden) continue;
    if (EqualsIgnoreCase(fields_[i].name, parts[0])) matches.push_back({i, 1});
  }
  return matches;
}

arrow::Result<ExprPtr> NameScope::Find(const std::vector<std::string>& parts, Span span) const {
  const std::vector<Match> matches = Matches(parts);
  if (matches.empty()) return nullptr;
  if (matches.size() > 1) return Ambiguous(parts, matches, span);
  const Match match = matches.front();
  ExprPtr expr =
      MakeColumn(match.column, parts[match.used_parts - 1], fields_[match.column].type, span);
  for (size_t i = match.used_parts; i < parts.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(expr, ExtractField(std::move(expr), parts[i], span));
  }
  return expr;
}

arrow::Result<std::vector<std::pair<ExprPtr, PlanField>>> NameScope::ExpandStar(
    const std::vector<std::string>& qualifier, Span span) const {
  std::vector<std::pair<ExprPtr, PlanField>> columns;
  for (int i = 0; i < static_cast<int>(fields_.size()); ++i) {
    const PlanField& field = fields_[i];
    if (qualifier.empty() && field.is_hidden) continue;
    const bool is_meant = qualifier.empty() || (qualifier.size() == 1 && !field.qualifier.empty() &&
                                                EqualsIgnoreCase(field.qualifier, qualifier[0]));
    if (is_meant) columns.emplace_back(MakeColumn(i, field.name, field.type, span), field);
  }
  if (qualifier.empty() || !columns.empty()) return columns;

  ARROW_ASSIGN_OR_RAISE(ExprPtr base, Find(qualifier, span));
  if (base != nullptr && base->type->id() == arrow::Type::STRUCT) {
    for (const auto& field : base->type->fields()) {
      ARROW_ASSIGN_OR_RAISE(ExprPtr expr, ExtractField(base, field->name(), span));
      columns.emplace_back(std::move(expr), PlanField{"", field->name(), field->type()});
    }
    return columns;
  }
  std::vector<std::string> names;
  for (const PlanField& field : fields_) names.push_back(QuotedName(field.name));
  return QueryError(
      "CANNOT_RESOLVE_STAR_EXPAND",
      fmt::format("Cannot resolve {}.* given input columns {}. Please check that the specified "
                  "table or struct exists and is accessible in the input columns.",
                  QuotedName(qualifier), fmt::join(names, ", ")),
      span);
}

arrow::Status NameScope::Unresolved(const std::vector<std::string>& parts, Span span,
                                    bool is_bare) const {
  const std::string wanted = QuotedName(parts);
  const std::string& compared = is_bare ? parts.front() : wanted;
  std::set<std::string> qualifiers;
  for (const PlanField& field : fields_) qualifiers.insert(field.qualifier);
  const bool is_stripped = parts.size() == 1 && qualifiers.size() == 1;
  std::vector<std::pair<int, std::string>> candidates;
  std::vector<std::string> names;
  for (const PlanField& field : fields_) {
    if (field.is_hidden) continue;
    const std::string name = is_stripped ? QuotedName(field.name) : QuotedName(PartsOf(field));
    candidates.emplace_back(internal::EditDistance(name, compared, 1000), name);
    names.push_back(field.name);
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  if (candidates.size() > kSuggestions) candidates.resize(kSuggestions);

  const std::string message = fmt::format(
      "A column, variable, or function parameter with name {} cannot be resolved.", wanted);
  if (candidates.empty()) {
    return QueryError("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", message, span);
  }
  std::vector<std::string> proposals;
  proposals.reserve(candidates.size());
  for (auto& candidate : candidates) proposals.push_back(std::move(candidate.second));
  const std::string nearest = NearestName(parts.back(), names);
  return QueryError("UNRESOLVED_COLUMN.WITH_SUGGESTION",
                    fmt::format("{} Did you mean one of the following? [{}].", message,
                                fmt::join(proposals, ", ")),
                    span,
                    nearest.empty() ? "" : fmt::format("did you mean {}?", QuotedName(nearest)));
}

arrow::Status NameScope::Ambiguous(const std::vector<std::string>& parts,
                                   const std::vector<Match>& matches, Span span) const {
  std::vector<std::string> names;
  names.reserve(matches.size());
  for (const Match& match : matches) names.push_back(QuotedName(PartsOf(fields_[match.column])));
  return QueryError("AMBIGUOUS_REFERENCE",
                    fmt::format("Reference {} is ambiguous, could be: [{}].", QuotedName(parts),
                                fmt::join(names, ", ")),
                    span);
}

arrow::Result<ExprPtr> ExtractField(ExprPtr base, const std::string& name, Span span) {
  const bool is_list = base->type->id() == arrow::Type::LIST;
  const arrow::DataType& type = is_list ? *base->type->field(0)->type() : *base->type;
  if (type.id() == arrow::Type::MAP && !is_list) {
    return MakeCall("get_item", {std::move(base), StringLiteral(name, span)}, span);
  }
  if (type.id() != arrow::Type::STRUCT) {
    return QueryError("INVALID_EXTRACT_BASE_FIELD_TYPE",
                      fmt::format("Can't extract a value from {}. Need a complex type [STRUCT, "
                                  "ARRAY, MAP] but got {}.",
                                  QuotedSql(ExprText(*base)), QuotedType(type)),
                      span);
  }
  std::vector<std::string> names;
  std::string found;
  int count = 0;
  for (const auto& field : type.fields()) {
    names.push_back(field->name());
    if (!EqualsIgnoreCase(field->name(), name)) continue;
    found = field->name();
    ++count;
  }
  if (count == 1) {
    return MakeCall("get_field", {std::move(base), StringLiteral(found, span)}, span);
  }
  if (count > 1) {
    return QueryError("AMBIGUOUS_REFERENCE_TO_FIELDS",
                      fmt::format("Ambiguous reference to the field {}. It appears {} times in the "
                                  "schema.",
                                  QuotedName(name), count),
                      span);
  }
  std::vector<std::string> quoted;
  quoted.reserve(names.size());
  for (const std::string& field : names) quoted.push_back(QuotedName(field));
  const std::string nearest = NearestName(name, names);
  return QueryError(
      "FIELD_NOT_FOUND",
      fmt::format("No such struct field {} in {}.", QuotedName(name), fmt::join(quoted, ", ")),
      span, nearest.empty() ? "" : fmt::format("did you mean {}?", QuotedName(nearest)));
}

}  // namespace tidemill::driver
