#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/fs/file_system.h"

namespace tidemill::state {

// Hash64 of bytes that come in pieces. *Thread-compatible.*
class Checksum {
 public:
  Checksum();
  ~Checksum();
  void Update(std::string_view bytes);
  uint64_t Digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct FileChecksum {
  int64_t size = 0;
  uint64_t checksum = 0;
};

// Reads a whole file, piece by piece, and copies it to `target` unless that is nullptr.
arrow::Result<FileChecksum> ChecksumFile(FileSystem* fs, const std::string& path,
                                         WritableFile* target);

// Checks a file of the checkpoint against what the log says about it, and copies it likewise.
// Errors: CHECKPOINT_CORRUPT (kCorrupt) with file, expected and actual; also where it is missing.
arrow::Status VerifyFile(FileSystem* fs, const std::string& path, const FileChecksum& expected,
                         WritableFile* target);

}  // namespace tidemill::state
