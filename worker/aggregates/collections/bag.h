#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "state/table/state_column.h"

namespace tidemill::worker {

// Different values with their numbers of occurrences: the accumulator of collect_set, mode, exact
// percentiles and DISTINCT calls. It is two state columns:
//   BINARY  entries one after the other: varint length of the value, the value, varint count
//   BIGINT  how many of these bytes are entries of values that all differ
// Adding appends an entry. Once what was appended is as large as the part before it, equal values
// are put together, so adding costs constant time on average, whatever is in the bag, and the bytes
// stay within about twice those of the different values. Bags merge by appending. Values are in the
// order of their first occurrence, however the bag came about.
//
// An epoch's changelog holds the whole bag of each group that it changed, once.

// Adds to the bags of a table, for one call of a kernel. *Thread-compatible.*
class BagWriter {
 public:
  // `columns` are the two of the accumulator.
  explicit BagWriter(state::StateColumn* columns) : columns_(columns) {}

  // Errors: CHECKPOINT_CORRUPT, STATE_VALUE_TOO_LARGE.
  arrow::Status Add(uint32_t row, std::string_view value, uint64_t count);
  // Adds the entries of another bag.
  arrow::Status AddAll(uint32_t row, std::string_view entries);

 private:
  arrow::Status CompactIfDue(uint32_t row);

  state::StateColumn* const columns_;
  std::vector<uint8_t> entry_;
};

// Merge of kernels whose accumulator is a bag.
arrow::Status MergeBags(const arrow::Array& partial, int64_t begin, int64_t end,
                        const uint32_t* target, state::StateColumn* columns);

struct BagEntry {
  std::string_view value;  // points into the bag
  uint64_t count = 0;
};

// The different values of a bag. Errors: CHECKPOINT_CORRUPT (kCorrupt) where the bytes mean
// nothing.
arrow::Status ReadBag(std::string_view entries, std::vector<BagEntry>* distinct);

// Decodes one value, encoded as a column, that must be the whole of `bytes`.
arrow::Status AppendDecoded(std::string_view bytes, arrow::ArrayBuilder* builder);

}  // namespace tidemill::worker
