#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "state/table/cold_filter.h"
#include "state/table/key_codec.h"
#include "state/table/row_block.h"

namespace tidemill::state {

// The rows of one operator and key group in the tier below memory. *Thread-safe*, also against
// whoever writes them.
class ColdRows {
 public:
  virtual ~ColdRows() = default;
  // Appends the rows of keys[picked[i]] that are there to `out`, which has the table's widths.
  // `picked` is not empty, its keys are ascending as bytes, each once, none of them NULL.
  virtual arrow::Status Read(const EncodedKeys& keys, std::span<const uint32_t> picked,
                             RowBlock* out) const = 0;
};

// What a hot table knows about its rows that are not in memory. *Plain data.*
struct ColdSide {
  std::shared_ptr<const ColdRows> source;
  ColdFilter filter;  // of every key that was ever evicted
  // Keys that were removed after the source had got them: what it has of them counts no more.
  std::unordered_set<std::string> removed;
  int64_t rows = 0;     // in the source, not in memory, not removed
  int64_t keys = 0;     // that were looked up, in memory first
  int64_t lookups = 0;  // keys that the source was asked for
  int64_t found = 0;
};

}  // namespace tidemill::state
