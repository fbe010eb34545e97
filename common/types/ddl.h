#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

namespace tidemill {

// Spark SQL types are Arrow types here:
//   BOOLEAN bool | TINYINT int8 | SMALLINT int16 | INT int32 | BIGINT int64 | FLOAT float32 |
//   DOUBLE float64 | DECIMAL(p,s) decimal128(p,s) | STRING utf8 | BINARY binary | DATE date32
//   TIMESTAMP timestamp[us, "UTC"] | TIMESTAMP_NTZ timestamp[us] | VOID null
//   the INTERVAL types of interval/interval.h
//   ARRAY<T> list(item: T) | MAP<K,V> map(K,V) | STRUCT<a: T, ...> struct
// An arrow type outside this list never enters the engine. Every field is nullable. All functions
// here are pure. *Thread-safe.*

// Parses one type: "BIGINT", "ARRAY<STRUCT<a: INT, b: STRING>>", case-insensitive, Spark's synonyms
// (INTEGER, LONG, BYTE, SHORT, REAL, DEC, NUMERIC, TIMESTAMP_LTZ, CHAR(n) and VARCHAR(n) as
// STRING). At most 100 levels deep. Errors (kInvalid, with a span in `text`): PARSE_SYNTAX_ERROR,
// UNSUPPORTED_DATATYPE, INCOMPLETE_TYPE_DEFINITION.*, DATATYPE_MISSING_SIZE, INVALID_IDENTIFIER,
// DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION.
arrow::Result<std::shared_ptr<arrow::DataType>> ParseDdlType(std::string_view text);

// Parses a column list: "ts TIMESTAMP, `user name` STRING NOT NULL COMMENT 'x', n: INT", or one
// STRUCT<...> as Spark does. NOT NULL and COMMENT are accepted and dropped (Spark forces nullable
// on streams). Blank text is the schema without columns, and names may repeat: plans hold such
// schemas; who takes a schema from the user refuses both. Errors: as ParseDdlType.
arrow::Result<std::shared_ptr<arrow::Schema>> ParseDdlSchema(std::string_view text);

// Spark's SQL name of a type ("BIGINT", "ARRAY<STRING>", "STRUCT<a: INT>"): parses back to the same
// type.
std::string SqlTypeName(const arrow::DataType& type);
// "ts TIMESTAMP, user STRING", names quoted with backquotes where needed: parses back to the same
// schema.
std::string DdlOf(const arrow::Schema& schema);
// An identifier as Spark prints it: between backquotes unless it is a plain ASCII name.
std::string QuoteIfNeeded(std::string_view name);

// TIMESTAMP, with the time zone tag we use.
std::shared_ptr<arrow::DataType> TimestampType();
std::shared_ptr<arrow::DataType> TimestampNtzType();
// Whether a timestamp type is TIMESTAMP (an instant) rather than TIMESTAMP_NTZ. False for other
// types.
bool IsInstantType(const arrow::DataType& type);

}  // namespace tidemill
