#pragma once

#include <arrow/result.h>

#include <memory>
#include <vector>

#include "connectors/source.h"

namespace tidemill::connectors {

// ResolveSource of parquet and orc. Without a schema the caller asks InferSchema.
arrow::Result<SourceSpec> ResolveColumnarSource(SourceSpec spec);
// The schema of the first file by path, as Spark takes it without mergeSchema. Reads its footer.
arrow::Result<std::shared_ptr<arrow::Schema>> InferColumnarSchema(const SourceSpec& spec,
                                                                  FileSystem* fs);

// Worker half of parquet and orc: a split [begin, end) owns the row groups (stripes) whose middle
// byte is in it; of Parquet, where all columns asked for are plain ones, as many rows of a row
// group as the part of its bytes that is in the split, so that several lanes decode one. The bytes
// are read by the I/O executor, one after another, and decoded by the caller; only the columns
// asked for are (of a stripe all bytes are read), and no row groups or stripes whose statistics
// show that none of their rows is wanted. Errors: FAILED_READ_FILE (kJobFailed) naming the file.
arrow::Result<std::unique_ptr<SourceReader>> MakeColumnarReader(const SourceSpec& spec,
                                                                const std::vector<int>& columns);

}  // namespace tidemill::connectors
