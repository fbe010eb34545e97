#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/error.h"

namespace tidemill::driver {

// The statements of a SQL script as they are written; nothing is resolved. Spans are into the
// script. *Plain data.*

struct ScriptWord {
  std::string text;
  Span span;
};

struct ScriptOption {
  ScriptWord key;
  ScriptWord value;
};

// CREATE TABLE name (columns) USING format OPTIONS (...), and CREATE TEMPORARY VIEW ... USING.
struct CreateTable {
  ScriptWord name;
  std::optional<ScriptWord> columns;  // DDL; byte n of it stands at span.begin + n
  ScriptWord format;
  std::vector<ScriptOption> options;  // LOCATION is the option path
  bool is_view = false;
  bool if_not_exists = false;
  bool or_replace = false;
};

// CREATE STREAMING TABLE name USING format OPTIONS (...) AS query
struct CreateStreamingTable {
  ScriptWord name;
  ScriptWord format;
  std::vector<ScriptOption> options;
  Span query;
  bool if_not_exists = false;
};

// CREATE TEMPORARY VIEW name (columns) AS query
struct CreateView {
  ScriptWord name;
  std::vector<std::string> columns;  // empty: those of the query
  Span query;
  bool or_replace = false;
};

// SET key = value, SET TIME ZONE '...'
struct SetSetting {
  ScriptWord key;
  ScriptWord value;
};

// SELECT ..., and whatever else only the query parser can judge.
struct RunQuery {
  Span query;
  bool is_explained = false;  // EXPLAIN before it: its plan, not its rows
};

struct ShowFunctions {
  Span span;
  std::string pattern = "*";  // * for any text, | between alternatives
};

struct DescribeFunction {
  ScriptWord name;
  bool is_extended = false;
};

struct ShowTables {
  Span span;
  std::string pattern = "*";
};

struct DescribeTable {
  ScriptWord name;
};

struct DescribeQuery {
  Span query;
};

using Statement =
    std::variant<CreateTable, CreateStreamingTable, CreateView, SetSetting, RunQuery, ShowFunctions,
                 DescribeFunction, ShowTables, DescribeTable, DescribeQuery>;

}  // namespace tidemill::driver
