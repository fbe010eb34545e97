#include "common/functions/signature.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/functions/call_errors.h"
#include "common/types/ddl.h"

namespace tidemill {

namespace {

std::string CallTextOf(std::string_view name, std::span<const ExprPtr> args) {
  Expr call;
  call.kind = Expr::Kind::kCall;
  call.name = std::string(name);
  call.args.assign(args.begin(), args.end());
  return ExprText(call);
}

std::string QuotedType(const arrow::DataType& type) {
  return fmt::format("\"{}\"", SqlTypeName(type));
}

std::string_view Ordinal(size_t argument) {
  constexpr std::string_view kNames[] = {"first", "second",  "third",  "fourth", "fifth",
                                         "sixth", "seventh", "eighth", "ninth",  "tenth"};
  return argument < std::size(kNames) ? kNames[argument] : "last";
}

}  // namespace

arrow::Status Mismatch(std::string_view subclass, std::string_view name,
                       std::span<const ExprPtr> args, const std::string& reason) {
  return MakeError(ErrorKind::kInvalid, fmt::format("DATATYPE_MISMATCH.{}", subclass),
                   fmt::format("Cannot resolve \"{}\" due to data type mismatch: {}",
                               CallTextOf(name, args), reason));
}

void FunctionCatalog::Add(FunctionInfo info, std::initializer_list<std::string_view> aliases) {
  auto entry = std::make_shared<const FunctionInfo>(std::move(info));
  TIDEMILL_CHECK(by_name_.emplace(entry->name, entry).second);
  for (std::string_view alias : aliases) {
    TIDEMILL_CHECK(by_name_.emplace(std::string(alias), entry).second);
  }
}

const FunctionInfo* FunctionCatalog::Find(const std::string& lower_name) const {
  auto found = by_name_.find(lower_name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

std::vector<std::string> FunctionCatalog::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, info] : by_name_) {
    if (!name.starts_with('$')) names.push_back(name);
  }
  return names;
}

FunctionInfo FromSignature(Signature signature) {
  FunctionInfo info;
  info.name = signature.name;
  info.usage = signature.usage;
  info.is_total = signature.is_total;
  info.bind = [signature = std::move(signature)](
                  std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const size_t most = signature.is_variadic ? kUnboundedArgs : signature.params.size();
    const size_t least = signature.required >= 0 ? signature.required : signature.params.size();
    ARROW_RETURN_NOT_OK(CheckArgCount(signature.name, signature.usage, args.size(), least, most));
    BoundFunction bound;
    for (size_t i = 0; i < args.size(); ++i) {
      const TypePtr& param = signature.params[std::min(i, signature.params.size() - 1)];
      if (param == nullptr) {
        bound.arg_types.push_back(args[i]->type);
        continue;
      }
      if (!CanCastImplicitly(*args[i]->type, *param)) {
        return UnexpectedInput(signature.name, args, i, QuotedType(*param));
      }
      bound.arg_types.push_back(param);
    }
    bound.type = signature.result;
    bound.kernel = signature.kernel;
    bound.is_total = signature.is_total_if_prepared && !args.empty() &&
                     std::all_of(args.begin() + 1, args.end(),
                                 [](const ExprPtr& arg) { return IsLiteral(*arg); });
    if (signature.make_kernel) {
      ARROW_ASSIGN_OR_RAISE(bound.kernel, signature.make_kernel(args));
    }
    return bound;
  };
  return info;
}

const std::string* StringLiteralOf(const Expr& expr, std::string* storage) {
  if (!IsLiteral(expr) || !expr.literal->is_valid || !IsStringType(*expr.type)) return nullptr;
  *storage = static_cast<const arrow::StringScalar&>(*expr.literal).value->ToString();
  return storage;
}

bool IsNullLiteral(const Expr& expr) { return IsLiteral(expr) && !expr.literal->is_valid; }

bool IsLiteral(const Expr& expr) {
  return expr.kind == Expr::Kind::kLiteral && expr.literal != nullptr;
}

arrow::Status CheckArgCount(std::string_view name, std::string_view usage, size_t count,
                            size_t least, size_t most) {
  if (count >= least && count <= most) return arrow::Status::OK();
  std::string expected = fmt::format("{}", least);
  if (most >= kUnboundedArgs) {
    expected = fmt::format("> {}", least - 1);
  } else if (most > least) {
    expected = "[";
    for (size_t n = least; n <= most; ++n)
      expected += fmt::format("{}{}", n > least ? ", " : "", n);
    expected += "]";
  }
  return WrongNumArgs(name, usage, expected, count);
}

arrow::Status WrongNumArgs(std::string_view name, std::string_view usage, std::string_view expected,
                           size_t actual) {
  return WithHint(
      MakeError(ErrorKind::kInvalid, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                fmt::format("The `{}` requires {} parameters but the actual number is {}.", name,
                            expected, actual)),
      fmt::format("usage: {}", usage));
}

arrow::Status UnexpectedInput(std::string_view name, std::span<const ExprPtr> args, size_t argument,
                              std::string_view required, std::optional<size_t> shown_as) {
  return Mismatch("UNEXPECTED_INPUT_TYPE", name, args,
                  fmt::format("The {} parameter requires the {} type, however \"{}\" has the type "
                              "{}.",
                              Ordinal(shown_as.value_or(argument)), required,
                              ExprText(*args[argument]), QuotedType(*args[argument]->type)));
}

arrow::Status IncompatibleOperands(std::string_view name, std::span<const ExprPtr> args) {
  return Mismatch("BINARY_OP_DIFF_TYPES", name, args,
                  fmt::format("the left and right operands of the binary operator have "
                              "incompatible types ({} and {}).",
                              QuotedType(*args[0]->type), QuotedType(*args[1]->type)));
}

arrow::Status DataDiffTypes(std::string_view name, std::span<const ExprPtr> args) {
  std::string types;
  for (const ExprPtr& arg : args) {
    types += (types.empty() ? "" : ", ") + QuotedType(*arg->type);
  }
  return Mismatch(
      "DATA_DIFF_TYPES", name, args,
      fmt::format("Input to `{}` should all be the same type, but it's [{}].", name, types));
}

arrow::Status WrongOperandType(std::string_view name, std::span<const ExprPtr> args,
                               std::string_view required) {
  return Mismatch("BINARY_OP_WRONG_TYPE", name, args,
                  fmt::format("the binary operator requires the input type {}, not {}.", required,
                              QuotedType(*args[0]->type)));
}

arrow::Status NotAConstant(std::string_view name, std::string_view parameter,
                           std::string_view type) {
  return MakeError(ErrorKind::kInvalid, "NON_FOLDABLE_ARGUMENT",
                   fmt::format("The function `{}` requires the parameter `{}` to be a foldable "
                               "expression of the type \"{}\", but the actual argument is a "
                               "non-foldable.",
                               name, parameter, type));
}

arrow::Status NonFoldableArgument(std::string_view name, std::span<const ExprPtr> args,
                                  size_t argument) {
  return Mismatch(
      "NON_FOLDABLE_INPUT", name, args,
      fmt::format("the input `{}` should be a foldable {} expression; however, got "
                  "\"{}\".",
                  argument, QuotedType(*args[argument]->type), ExprText(*args[argument])));
}

}  // namespace tidemill
