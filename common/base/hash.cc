#include "common/base/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace tidemill {

uint64_t Hash64(const void* data, size_t size) { return XXH3_64bits(data, size); }

std::string HexOf(uint64_t value) { return fmt::format("{:016x}", value); }

}  // namespace tidemill
