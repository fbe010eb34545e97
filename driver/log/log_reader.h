#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "proto/log.pb.h"

namespace tidemill::driver {

// Where a record stands; for messages.
struct LogPlace {
  std::string file;  // relative to the checkpoint: "log/3.0"
  int64_t offset = 0;
};

struct LogEntry {
  LogPlace place;
  uint64_t checksum = 0;  // the chain hash
  proto::LogRecord record;
};

// The log of a checkpoint, read to its end. *Plain data.*
struct LogContents {
  // From the Open record of the file that holds the newest Base (or of the first file) on.
  std::vector<LogEntry> entries;
  std::vector<std::string> files;   // that the entries are from, oldest first
  std::vector<std::string> others;  // other log files: before the Base, or of fenced drivers
  int64_t accepted_length = 0;      // of the last file
  uint64_t chain = 0;               // checksum of the last entry; 0 for an empty log
  int64_t torn_bytes = 0;           // at the end of the last file, not accepted
};

// The newest Base or not, records are chained by their checksums over all files, each file's Open
// record naming the file before it and how much of it was accepted. Only the end of the newest file
// may be torn. Errors: CHECKPOINT_CORRUPT (kCorrupt) with file, offset, expected and actual value
// and the command that repairs. An empty or missing log directory is an empty log.
// `damage`, where given, is set to the place of a CHECKPOINT_CORRUPT error.
arrow::Result<LogContents> ReadLog(FileSystem* fs, const std::string& checkpoint,
                                   LogPlace* damage = nullptr);

// Names in <checkpoint>/log that are log files ("log/3.0"), oldest first.
arrow::Result<std::vector<std::string>> ListLogFiles(FileSystem* fs, const std::string& checkpoint);

// "log/<term>.<sequence>".
std::string LogFileName(uint64_t term, uint32_t sequence);

// CHECKPOINT_CORRUPT with the repair hint.
arrow::Status CorruptLog(const std::string& checkpoint, const LogPlace& place,
                         const std::string& problem, const std::string& expected,
                         const std::string& actual);

}  // namespace tidemill::driver
