#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/fs/file_system.h"

namespace tidemill::driver {

// One incarnation of a job's driver: the file <checkpoint>/term/<n>, created exclusively, for ever.
// Whoever finds a file with a higher number is fenced. *Thread-safe.*
class Term {
 public:
  // Takes the next number; `holder` (process, host, address) is written into the file. When it
  // returns the name is durable, so what is read from the log afterwards holds everything that an
  // older driver acted on.
  static arrow::Result<Term> Take(FileSystem* fs, const std::string& checkpoint,
                                  std::string_view holder, bool is_durable);

  // What the holder of the newest term has written; "" where nobody has taken one yet.
  static arrow::Result<std::string> NewestHolder(FileSystem* fs, const std::string& checkpoint);

  uint64_t number() const { return number_; }
  // The file, and Hash64 of its contents: who reads the same sees the same checkpoint, provided
  // that `holder` is unique.
  std::string path() const;
  uint64_t checksum() const { return checksum_; }
  // FENCED (kFenced), naming the newer holder, where there is a newer term.
  arrow::Status CheckNewest() const;

 private:
  Term(FileSystem* fs, std::string dir, uint64_t number, uint64_t checksum);

  FileSystem* fs_;
  std::string dir_;
  std::string next_path_;
  uint64_t number_;
  uint64_t checksum_;
};

}  // namespace tidemill::driver
