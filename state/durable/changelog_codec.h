#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/table/pod_vector.h"

namespace tidemill::state {

// How the rows of a changelog are compressed. Numbers stand in files.
enum class ChangelogCodec : uint8_t { kNone = 0, kLz4 = 1, kZstd = 2, kSnappy = 3 };

// "none", "lz4", "zstd", "snappy".
std::optional<ChangelogCodec> ChangelogCodecOf(std::string_view name);

// Appends `raw` to `packed` in pieces, each by its own header: compressed, or as it is where that
// is no longer.
arrow::Status Pack(ChangelogCodec codec, std::string_view raw, PodVector<uint8_t>* packed);

// Appends what was packed to `raw`. Errors: kInvalid (Arrow's) for what Pack did not write.
arrow::Status Unpack(std::string_view packed, std::string* raw);

}  // namespace tidemill::state
