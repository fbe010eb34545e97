#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/types/value_format.h"
#include "connectors/sink.h"

namespace tidemill::connectors {

// Turns rows into the bytes of one file. *Thread-compatible.*
class FileEncoder {
 public:
  virtual ~FileEncoder() = default;

  // Appends to `out` what is known of the file with these rows; the rest comes later.
  virtual arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch,
                               std::string* out) = 0;
  // Appends the rest, also of a file without rows. The last call.
  virtual arrow::Status Finish(std::string* out) = 0;
};

// "json", "csv.gz", "parquet": of a sink that CheckFileFormat found right.
std::string FileExtension(const SinkSpec& spec);
// Also compresses what the format does not compress itself.
arrow::Result<std::unique_ptr<FileEncoder>> MakeFileEncoder(const SinkSpec& spec,
                                                            std::shared_ptr<const TimeZone> zone);
// Whether a format is one of files.
bool IsFileFormat(std::string_view format);
// Refuses options, values of them and columns that the format does not have. Without a schema
// (before the query is known) columns are not looked at.
arrow::Status CheckFileFormat(const SinkSpec& spec);

}  // namespace tidemill::connectors
