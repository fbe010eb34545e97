#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "connectors/source.h"

namespace tidemill::connectors {

// Rows that this process holds, as a table that is read once, to its end: what a query over tables
// fetched from elsewhere reads. Only an engine in the same process can read it, so a specification
// cannot name it: the option `token` is what HeldRows::Hold returned.
arrow::Result<SourceSpec> ResolveMemorySource(SourceSpec spec);
arrow::Result<std::unique_ptr<SourceDriver>> MakeMemorySourceDriver(
    const SourceSpec& spec, const SourceDriverContext& context);
arrow::Result<std::unique_ptr<SourceReader>> MakeMemorySourceReader(
    const SourceSpec& spec, const std::vector<int>& columns);

// Keeps rows readable for memory sources until it dies. *Immutable.*
class HeldRows {
 public:
  // All batches are of `schema`.
  HeldRows(std::shared_ptr<arrow::Schema> schema,
           std::vector<std::shared_ptr<arrow::RecordBatch>> batches, Random* random);
  ~HeldRows();
  HeldRows(const HeldRows&) = delete;
  HeldRows& operator=(const HeldRows&) = delete;

  const std::string& token() const { return token_; }

 private:
  const std::string token_;
};

}  // namespace tidemill::connectors
