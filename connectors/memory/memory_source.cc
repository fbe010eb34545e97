#include "connectors/memory/memory_source.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <map>
#include <utility>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "connectors/memory/row_table.h"

namespace tidemill::connectors {

namespace {

class RowsByToken {
 public:
  static RowsByToken* OfProcess() {
    static RowsByToken rows;
    return &rows;
  }
  void Add(const std::string& token, std::shared_ptr<const RowTable> rows) {
    MutexLock lock(&mutex_);
    rows_[token] = std::move(rows);
  }
  void Remove(const std::string& token) {
    MutexLock lock(&mutex_);
    rows_.erase(token);
  }
  arrow::Result<std::shared_ptr<const RowTable>> Find(const SourceSpec& spec) const {
    MutexLock lock(&mutex_);
    const auto found = rows_.find(spec.options.GetString("token", ""));
    if (found != rows_.end()) return found->second;
    return WithHint(
        MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATA_SOURCE",
                  fmt::format("source format cannot be read by a job: format={}", spec.format)),
        "read memory tables with tidemill sql --driver");
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<const RowTable>> rows_ GUARDED_BY(mutex_);
};

}  // namespace

HeldRows::HeldRows(std::shared_ptr<arrow::Schema> schema,
                   std::vector<std::shared_ptr<arrow::RecordBatch>> batches, Random* random)
    : token_(NewUuid(random)) {
  RowsByToken::OfProcess()->Add(token_, RowTable::Make(std::move(schema), std::move(batches)));
}

HeldRows::~HeldRows() { RowsByToken::OfProcess()->Remove(token_); }

arrow::Result<SourceSpec> ResolveMemorySource(SourceSpec spec) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, RowsByToken::OfProcess()->Find(spec));
  spec.schema = rows->schema;
  return spec;
}

arrow::Result<std::unique_ptr<SourceDriver>> MakeMemorySourceDriver(
    const SourceSpec& spec, const SourceDriverContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, RowsByToken::OfProcess()->Find(spec));
  return MakeRowTableDriver(fmt::format("MemorySource[{}]", spec.name), rows->num_rows);
}

arrow::Result<std::unique_ptr<SourceReader>> MakeMemorySourceReader(
    const SourceSpec& spec, const std::vector<int>& columns) {
  ARROW_ASSIGN_OR_RAISE(auto rows, RowsByToken::OfProcess()->Find(spec));
  return MakeRowTableReader("table " + spec.name, std::move(rows), columns);
}

}  // namespace tidemill::connectors
