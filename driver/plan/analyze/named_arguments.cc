#include "driver/plan/analyze/named_arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/aggregates/aggregate_registry.h"
#include "common/base/ascii.h"
#include "common/expr/function_registry.h"
#include "driver/plan/analyze/event_time/time_windows.h"
#include "driver/plan/analyze/generators.h"
#include "driver/plan/analyze/window_binder.h"
#include "driver/plan/logical/plan_error.h"

namespace tidemill::driver {

namespace {

using Kind = sql::AstExpr::Kind;

constexpr size_t kSuggestions = 3;

struct Parameter {
  std::string_view name;
  // A string; "" for NULL. Nothing where the parameter must be given.
  std::optional<std::string_view> default_text;
};

struct Signature {
  std::string_view function;
  std::span<const Parameter> parameters;
};

constexpr std::array<Parameter, 5> kMask = {{{"str", std::nullopt},
                                             {"upperChar", "X"},
                                             {"lowerChar", "x"},
                                             {"digitChar", "n"},
                                             {"otherChar", ""}}};
constexpr std::array<Parameter, 1> kExplode = {{{"collection", std::nullopt}}};
constexpr std::array<Parameter, 1> kInline = {{{"input", std::nullopt}}};

constexpr std::array<Signature, 7> kSignatures = {{{"mask", kMask},
                                                   {"explode", kExplode},
                                                   {"explode_outer", kExplode},
                                                   {"posexplode", kExplode},
                                                   {"posexplode_outer", kExplode},
                                                   {"inline", kInline},
                                                   {"inline_outer", kInline}}};

const Signature* FindSignature(std::string_view function) {
  const auto* const found = std::find_if(
      kSignatures.begin(), kSignatures.end(),
      [&](const Signature& signature) { return EqualsIgnoreCase(signature.function, function); });
  return found == kSignatures.end() ? nullptr : found;
}

bool IsNamed(const sql::AstExpr& arg) { return arg.kind == Kind::kNamedArgument; }

bool IsKnown(std::string_view function) {
  const std::string name = AsciiLower(function);
  return FindFunction(name) != nullptr || IsAggregateName(name) || IsGeneratorName(name) ||
         IsWindowOnlyName(name) || IsTimeWindowName(name);
}

sql::AstExpr DefaultOf(const Parameter& parameter, Span span) {
  sql::AstExpr value;
  value.span = span;
  if (parameter.default_text->empty()) return value;  // NULL
  value.kind = Kind::kString;
  value.text = std::string(*parameter.default_text);
  return value;
}

// The arguments of one call, looked at as Spark does.
class Arrangement {
 public:
  Arrangement(const Signature& signature, const std::vector<sql::AstExpr>& args, Span span)
      : signature_(signature), args_(args), span_(span) {}

  arrow::Result<std::vector<sql::AstExpr>> Run() {
    ARROW_RETURN_NOT_OK(Split());
    const std::span<const Parameter> parameters = signature_.parameters;
    for (size_t i = num_positional_; i < args_.size(); ++i) {
      ARROW_RETURN_NOT_OK(CheckName(args_[i]));
    }
    // Too many arguments: the function itself says how many it takes.
    if (num_positional_ > parameters.size()) return args_;
    std::vector<sql::AstExpr> arranged(args_.begin(),
                                       args_.begin() + static_cast<ptrdiff_t>(num_positional_));
    for (size_t i = num_positional_; i < parameters.size(); ++i) {
      const auto named = std::find_if(args_.begin(), args_.end(), [&](const sql::AstExpr& arg) {
        return IsNamed(arg) && EqualsIgnoreCase(arg.name, parameters[i].name);
      });
      if (named != args_.end()) {
        arranged.push_back(named->args[0]);
      } else if (parameters[i].default_text) {
        arranged.push_back(DefaultOf(parameters[i], span_));
      } else {
        return NotFound(i);
      }
    }
    return arranged;
  }

 private:
  std::string Routine() const { return QuotedName(signature_.function); }

  // Counts the arguments without names, which come first.
  arrow::Status Split() {
    while (num_positional_ < args_.size() && !IsNamed(args_[num_positional_])) ++num_positional_;
    for (size_t i = num_positional_; i < args_.size(); ++i) {
      if (!IsNamed(args_[i])) return Unexpected(args_[i - 1], args_[i].span);
      for (size_t k = num_positional_; k < i; ++k) {
        if (!EqualsIgnoreCase(args_[k].name, args_[i].name)) continue;
        return Duplicate("DOUBLE_NAMED_ARGUMENT_REFERENCE", args_[i],
                         "More than one named argument referred to the same parameter. Please "
                         "assign a value only once.");
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status CheckName(const sql::AstExpr& arg) const {
    const std::span<const Parameter> parameters = signature_.parameters;
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (!EqualsIgnoreCase(parameters[i].name, arg.name)) continue;
      if (i >= num_positional_) return arrow::Status::OK();
      return Duplicate("BOTH_POSITIONAL_AND_NAMED", arg,
                       "A positional argument and named argument both referred to the same "
                       "parameter. Please remove the named argument referring to this parameter.");
    }
    std::vector<std::pair<int, std::string>> candidates;
    std::vector<std::string> names;
    for (const Parameter& parameter : parameters) {
      std::string quoted = QuotedName(parameter.name);
      const int distance = internal::EditDistance(quoted, arg.name, 1000);
      candidates.emplace_back(distance, std::move(quoted));
      names.emplace_back(parameter.name);
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> proposals;
    proposals.reserve(candidates.size());
    for (const auto& [distance, name] : candidates) proposals.push_back(name);
    proposals.resize(std::min(proposals.size(), kSuggestions));
    const std::string nearest = NearestName(arg.name, names);
    return QueryError(
        "UNRECOGNIZED_PARAMETER_NAME",
        fmt::format("Cannot invoke routine {} because the routine call included a named argument "
                    "reference for the argument named {}, but this routine does not include any "
                    "signature containing an argument with this name. Did you mean one of the "
                    "following? [{}].",
                    Routine(), QuotedName(arg.name), fmt::join(proposals, " ")),
        arg.span, nearest.empty() ? "" : fmt::format("did you mean {}?", nearest));
  }

  arrow::Status Unexpected(const sql::AstExpr& before, Span span) const {
    return QueryError("UNEXPECTED_POSITIONAL_ARGUMENT",
                      fmt::format("Cannot invoke routine {} because it contains positional "
                                  "argument(s) following the named argument assigned to {}; please "
                                  "rearrange them so the positional arguments come first and then "
                                  "retry the query again.",
                                  Routine(), QuotedName(before.name)),
                      span);
  }

  arrow::Status Duplicate(std::string_view sub_class, const sql::AstExpr& arg,
                          std::string_view rule) const {
    return QueryError(
        fmt::format("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.{}", sub_class),
        fmt::format("Call to routine {} is invalid because it includes multiple argument "
                    "assignments to the same parameter name {}. {}",
                    Routine(), QuotedName(arg.name), rule),
        arg.span);
  }

  arrow::Status NotFound(size_t index) const {
    return QueryError("REQUIRED_PARAMETER_NOT_FOUND",
                      fmt::format("Cannot invoke routine {} because the parameter named {} is "
                                  "required, but the routine call did not supply a value. Please "
                                  "update the routine call to supply an argument value (either "
                                  "positionally at index {} or by name) and retry the query again.",
                                  Routine(), QuotedName(signature_.parameters[index].name), index),
                      span_);
  }

  const Signature& signature_;
  const std::vector<sql::AstExpr>& args_;
  const Span span_;
  size_t num_positional_ = 0;
};

}  // namespace

bool HasArgumentsToArrange(std::string_view function, const std::vector<sql::AstExpr>& args) {
  if (std::any_of(args.begin(), args.end(), IsNamed)) return true;
  const Signature* signature = FindSignature(function);
  const bool has_star = std::any_of(
      args.begin(), args.end(), [](const sql::AstExpr& arg) { return arg.kind == Kind::kStar; });
  return signature != nullptr && args.size() < signature->parameters.size() && !has_star;
}

arrow::Result<std::vector<sql::AstExpr>> ArrangeArguments(std::string_view function,
                                                          const std::vector<sql::AstExpr>& args,
                                                          Span span) {
  if (const Signature* signature = FindSignature(function)) {
    return Arrangement(*signature, args, span).Run();
  }
  if (IsKnown(function)) {
    return QueryError("NAMED_PARAMETERS_NOT_SUPPORTED",
                      fmt::format("Named parameters are not supported for function {}; please "
                                  "retry the query with positional arguments to the function call "
                                  "instead.",
                                  QuotedName(AsciiLower(function))),
                      span);
  }
  std::vector<sql::AstExpr> values;
  values.reserve(args.size());
  for (const sql::AstExpr& arg : args) values.push_back(IsNamed(arg) ? arg.args[0] : arg);
  return values;
}

}  // namespace tidemill::driver
