#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

namespace tidemill {

// Spark SQL types are Arrow types here:
//   BOOLEAN bool | TINYINT int8 | SMALLINT int16 | INT int32 | BIGINT int64 | FLOAT float32 |
//   DOUBLE float64 DECIMAL(p,s) decimal128(p,s) | STRING utf8 | BINARY binary | DATE date32
//   TIMESTAMP timestamp[us, "UTC"] | TIMESTAMP_NTZ timestamp[us] | VOID null
//   ARRAY<T> list(item: T) | MAP<K,V> map(K,V) | STRUCT<a: T, ...> struct
// An arrow type outside this list never enters the engine. Every field is nullable.

// Parses one type: "BIGINT", "ARRAY<STRUCT<a: INT, b: STRING>>", case-insensitive, Spark's synonyms
// (INTEGER, LONG, BYTE, SHORT, REAL, DEC, NUMERIC, CHARACTER...). Errors: PARSE_SYNTAX_ERROR,
// UNSUPPORTED_DATATYPE, with a span in `text`.
arrow::Result<std::shared_ptr<arrow::DataType>> ParseDdlType(std::string_view text);

// Parses a column list: "ts TIMESTAMP, `user name` STRING NOT NULL COMMENT 'x', n: INT". NOT NULL
// and COMMENT are accepted and dropped (Spark forces nullable on streams).
arrow::Result<std::shared_ptr<arrow::Schema>> ParseDdlSchema(std::string_view text);

// Spark's SQL name of a type ("BIGINT", "ARRAY<STRING>", "STRUCT<a: INT>"): parses back to the same
// type.
std::string SqlTypeName(const arrow::DataType& type);
// "ts TIMESTAMP, user STRING", names quoted with backquotes where needed: parses back to the same
// schema.
std::string DdlOf(const arrow::Schema& schema);

// TIMESTAMP, with the time zone tag we use.
std::shared_ptr<arrow::DataType> TimestampType();
std::shared_ptr<arrow::DataType> TimestampNtzType();

}  // namespace tidemill
