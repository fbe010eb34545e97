#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <vector>

#include "connectors/column_filter.h"

namespace tidemill::connectors {

// What an ORC file says about the values in its stripes: the section "Metadata" of the file's tail
// (ORC specification v1: "File Tail", "Column Statistics"), which Arrow's reader does not give.
// Whole numbers, dates, instants and strings have bounds. *Immutable.*
class OrcStatistics {
 public:
  // Reads the tail of the file; blocks. A tail that is not understood says nothing: then there are
  // no bounds, which is no error, for bounds only spare work.
  static OrcStatistics Read(arrow::io::RandomAccessFile* file, const arrow::Schema& schema);

  // Of a field of the schema; nothing where the file is silent.
  ColumnBounds BoundsOf(int stripe, int field) const;

 private:
  std::vector<std::vector<ColumnBounds>> bounds_;  // by stripe and field
};

}  // namespace tidemill::connectors
