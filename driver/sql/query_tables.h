#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"
#include "driver/sql/ast.h"

namespace tidemill::driver::sql {

// A table as a query names it.
struct NamedTable {
  std::string name;
  Span span;
  bool is_stream = false;  // STREAM t
};

// The tables that a query reads anywhere in it, each once (twice where it is read both as STREAM t
// and without), in the order of their first places.
// Names that WITH defines are no tables where they are visible.
std::vector<NamedTable> TablesOf(const Query& query);

// The names of hints, anywhere in the query, that Spark does not know; in their order.
std::vector<std::string> UnknownHintsOf(const Query& query);

}  // namespace tidemill::driver::sql
