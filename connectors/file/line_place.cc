#include "connectors/file/line_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "connectors/file/block_stream.h"

namespace tidemill::connectors {

arrow::Result<int64_t> LineAt(const Split& split, int64_t offset, const std::string& separator,
                              FileSystem* fs) {
  int64_t line = 1;
  bool is_behind_return = false;
  ARROW_RETURN_NOT_OK(ReadFront(split, offset, fs, [&](std::string_view bytes) {
    if (!separator.empty()) {
      line += std::count(bytes.begin(), bytes.end(), separator[0]);
      return;
    }
    for (const char c : bytes) {
      const bool is_second_half = c == '\n' && is_behind_return;
      is_behind_return = c == '\r';
      if (is_behind_return || (c == '\n' && !is_second_half)) ++line;
    }
  }));
  return line;
}

PlaceFinder PlaceOfByte(const Split& split, int64_t offset, std::string separator, FileSystem* fs) {
  return [split, offset, separator = std::move(separator), fs] {
    const auto line = LineAt(split, offset, separator, fs);
    return line.ok() ? fmt::format("{}:{}", split.path, *line)
                     : fmt::format("{}, byte {}", split.path, offset);
  };
}

}  // namespace tidemill::connectors
