#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <string>
#include <string_view>

namespace tidemill {

// Run-time errors of Spark's ANSI mode, in Spark 4's words. All are kJobFailed: the query or its
// data is at fault, not the engine.

// `try_name` is the function that gives NULL instead, or empty for none.
arrow::Status ArithmeticOverflow(std::string_view message, std::string_view try_name);
// TINYINT and SMALLINT: the operands, as SQL literals.
arrow::Status BinaryArithmeticOverflow(std::string_view left, std::string_view symbol,
                                       std::string_view right, std::string_view try_name);
arrow::Status DivideByZero();
arrow::Status RemainderByZero();
// `value` is the number as text.
arrow::Status DecimalOutOfRange(std::string_view value, int precision, int scale);
// `value` as an SQL literal ('abc', 5L, 1.0D).
arrow::Status CastInvalidInput(std::string_view value, const arrow::DataType& from,
                               const arrow::DataType& to);
arrow::Status CastOverflow(std::string_view value, const arrow::DataType& from,
                           const arrow::DataType& to);

// 'it\'s': a string as an SQL literal.
std::string QuotedText(std::string_view text);

}  // namespace tidemill
