#include "worker/plan/expr_reader.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "common/types/ddl.h"
#include "proto/plan.pb.h"

namespace tidemill::worker {

namespace {

constexpr int kMaxDepth = 1000;

arrow::Status Invalid(std::string_view rule, std::string_view value) {
  return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                   fmt::format("plan from the driver: {}: value={}", rule, value));
}

arrow::Result<std::shared_ptr<arrow::Scalar>> ReadInteger(
    int64_t value, const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::INT8:
      return std::make_shared<arrow::Int8Scalar>(static_cast<int8_t>(value));
    case arrow::Type::INT16:
      return std::make_shared<arrow::Int16Scalar>(static_cast<int16_t>(value));
    case arrow::Type::INT32:
      return std::make_shared<arrow::Int32Scalar>(static_cast<int32_t>(value));
    case arrow::Type::INT64:
      return std::make_shared<arrow::Int64Scalar>(value);
    case arrow::Type::DATE32:
      return std::make_shared<arrow::Date32Scalar>(static_cast<int32_t>(value));
    case arrow::Type::TIMESTAMP:
      return std::make_shared<arrow::TimestampScalar>(value, type);
    case arrow::Type::INTERVAL_MONTHS:
      return std::make_shared<arrow::MonthIntervalScalar>(static_cast<int32_t>(value));
    case arrow::Type::DURATION:
      return std::make_shared<arrow::DurationScalar>(value, type);
    default:
      return Invalid("integer literal of another type", type->ToString());
  }
}

arrow::Result<std::shared_ptr<arrow::Scalar>> ReadLiteral(
    const proto::Literal& literal, const std::shared_ptr<arrow::DataType>& type) {
  switch (literal.value_case()) {
    case proto::Literal::VALUE_NOT_SET:
      return arrow::MakeNullScalar(type);
    case proto::Literal::kBoolValue:
      return std::make_shared<arrow::BooleanScalar>(literal.bool_value());
    case proto::Literal::kIntValue:
      return ReadInteger(literal.int_value(), type);
    case proto::Literal::kDoubleValue:
      if (type->id() == arrow::Type::FLOAT) {
        return std::make_shared<arrow::FloatScalar>(static_cast<float>(literal.double_value()));
      }
      return std::make_shared<arrow::DoubleScalar>(literal.double_value());
    case proto::Literal::kStringValue:
      return std::make_shared<arrow::StringScalar>(literal.string_value());
    case proto::Literal::kBytesValue:
      return std::make_shared<arrow::BinaryScalar>(literal.bytes_value());
    case proto::Literal::kDecimalValue: {
      if (type->id() != arrow::Type::DECIMAL128)
        return Invalid("decimal literal of another type", type->ToString());
      arrow::Decimal128 value;
      int32_t precision = 0;
      int32_t scale = 0;
      ARROW_RETURN_NOT_OK(
          arrow::Decimal128::FromString(literal.decimal_value(), &value, &precision, &scale));
      const int32_t wanted = static_cast<const arrow::Decimal128Type&>(*type).scale();
      if (scale != wanted) {
        ARROW_ASSIGN_OR_RAISE(value, value.Rescale(scale, wanted));
      }
      return std::make_shared<arrow::Decimal128Scalar>(value, type);
    }
  }
  return Invalid("unknown literal", type->ToString());
}

arrow::Result<ExprPtr> ReadAtDepth(const proto::Expr& message, int depth) {
  if (depth > kMaxDepth) return Invalid("expression too deep", fmt::format("{}", depth));
  ARROW_ASSIGN_OR_RAISE(auto type, ParseDdlType(message.type()));
  const Span span{message.span_begin(), message.span_end()};
  switch (message.kind()) {
    case proto::Expr::LITERAL: {
      ARROW_ASSIGN_OR_RAISE(auto value, ReadLiteral(message.literal(), type));
      return MakeLiteral(std::move(value), span);
    }
    case proto::Expr::COLUMN:
      return MakeColumn(message.column(), message.name(), std::move(type), span);
    case proto::Expr::PARAMETER:
      return MakeParameter(message.column(), message.name(), std::move(type), span);
    case proto::Expr::LAMBDA:
    case proto::Expr::CALL: {
      auto call = std::make_shared<Expr>();
      const bool is_lambda = message.kind() == proto::Expr::LAMBDA;
      if (is_lambda && message.args().empty()) return Invalid("lambda without a body", "");
      call->kind = is_lambda ? Expr::Kind::kLambda : Expr::Kind::kCall;
      call->type = std::move(type);
      call->name = message.name();
      call->span = span;
      for (const proto::Expr& arg : message.args()) {
        ARROW_ASSIGN_OR_RAISE(ExprPtr read, ReadAtDepth(arg, depth + 1));
        call->args.push_back(std::move(read));
      }
      return call;
    }
    default:
      return Invalid("unknown expression kind",
                     fmt::format("{}", static_cast<int>(message.kind())));
  }
}

}  // namespace

arrow::Result<ExprPtr> ReadExpr(const proto::Expr& message) { return ReadAtDepth(message, 0); }

}  // namespace tidemill::worker
