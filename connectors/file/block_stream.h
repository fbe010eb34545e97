#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "connectors/source.h"

namespace tidemill::connectors {

// Bytes of a file in order. *Plain data.*
struct Block {
  std::shared_ptr<arrow::Buffer> bytes;  // never empty
  int64_t offset = 0;                    // of the first byte, in the uncompressed file
};

// Reads a file from `begin` on in blocks, one ahead of the consumer, on the I/O executor. Blocks
// end at fixed offsets, so that what a consumer makes of them depends on the split alone. Behind
// `end` blocks are small and read only when asked for: they complete the last line. A file that has
// another size or mtime than the split says is SOURCE_FILE_CHANGED (kJobFailed).
// *Thread-compatible.*
class BlockStream {
 public:
  BlockStream(const Split& split, int64_t begin, const ReaderContext& context);
  ~BlockStream();

  enum class Kind { kBlock, kPending, kEnd };
  struct Step {
    Kind kind = Kind::kEnd;
    Block block;
  };
  // Never blocks; after kPending `context.wake` is called once there is something.
  arrow::Result<Step> Next();

 private:
  struct State;
  static void Read(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;  // shared with the task that reads
};

// Hands the file's first `size` bytes (uncompressed), or what there is of them, to `take`, block by
// block. Blocks.
arrow::Status ReadFront(const Split& split, int64_t size, FileSystem* fs,
                        const std::function<void(std::string_view)>& take);

}  // namespace tidemill::connectors
