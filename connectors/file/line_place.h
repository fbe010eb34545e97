#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>

#include "connectors/source.h"

namespace tidemill::connectors {

// The line of a split's file that begins at byte `offset` (of the uncompressed file) or holds it,
// counted from 1. `separator` as in LineRules. Reads the file up to there: blocks.
arrow::Result<int64_t> LineAt(const Split& split, int64_t offset, const std::string& separator,
                              FileSystem* fs);

// "<path>:<line>" of that byte, or what can be said where the file cannot be read any more.
PlaceFinder PlaceOfByte(const Split& split, int64_t offset, std::string separator, FileSystem* fs);

}  // namespace tidemill::connectors
