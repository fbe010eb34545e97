#include "connectors/file/columnar/columnar_reader.h"

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "connectors/column_filter.h"
#include "connectors/file/columnar/column_adapter.h"
#include "connectors/file/columnar/columnar_file.h"
#include "connectors/file/file_options.h"
#include "connectors/file/split_file.h"

namespace tidemill::connectors {

namespace {

// What the readers of one source share. *Immutable.*
struct ColumnarPlan {
  std::string format;
  std::shared_ptr<arrow::Schema> schema;  // of the batches
  std::vector<ColumnFilter> filters;      // on columns of `schema`
};

// Arrow's errors are damage. All of them name the file.
arrow::Status ReadFailed(const arrow::Status& status, const std::string& path, bool is_footer) {
  if (status.ok()) return status;
  if (DetailOf(status) != nullptr) {
    const bool is_named = status.message().find(path) != std::string::npos;
    return is_named ? status : WithContext(status, fmt::format("read input file {}", path));
  }
  return MakeError(
      ErrorKind::kJobFailed,
      is_footer ? "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER" : "FAILED_READ_FILE.NO_HINT",
      fmt::format("Encountered error while reading file {}. {}{}", path,
                  is_footer ? "Could not read footer: " : "", status.message()));
}

arrow::Result<std::unique_ptr<ColumnarFile>> OpenFile(std::string_view format,
                                                      std::shared_ptr<RangeFile> file,
                                                      const std::string& path,
                                                      arrow::MemoryPool* pool) {
  auto opened =
      format == "orc" ? OpenOrcFile(std::move(file), pool) : OpenParquetFile(std::move(file), pool);
  if (opened.ok()) return opened;
  return ReadFailed(opened.status(), path, /*is_footer=*/true);
}

// A split's file, its row groups and what to do with them. Touched by the reader, or by the one
// task that it waits for.
class OpenSplit {
 public:
  OpenSplit(Split split, std::shared_ptr<const ColumnarPlan> plan, FileSystem* fs,
            arrow::MemoryPool* pool)
      : split_(std::move(split)), plan_(std::move(plan)), fs_(fs), pool_(pool) {}

  // Opens the file, or reads the bytes of the next row group. Blocks.
  arrow::Status Load() {
    arrow::Status loaded = file_ == nullptr ? Open() : arrow::Status::OK();
    if (loaded.ok() && HasUnit() && !adapter_->fields().empty()) {
      loaded = LoadUnit();
    }
    return ReadFailed(loaded, split_.path, /*is_footer=*/false);
  }

  bool HasUnit() const { return next_ < units_.size(); }

  // The next batch of the loaded row group; null at its end, where the next one must be loaded.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NextBatch(int64_t batch_rows,
                                                               int64_t batch_bytes) {
    batch_row_ = HasUnit() ? units_[next_].next_row : 0;
    auto batch =
        adapter_->fields().empty() ? EmptyColumns(batch_rows) : Decode(batch_rows, batch_bytes);
    if (batch.ok()) return batch;
    return ReadFailed(batch.status(), split_.path, /*is_footer=*/false);
  }

  // Of the batch that NextBatch gave last; rows are counted from 1.
  std::string PlaceOf(int64_t row) const {
    return fmt::format("{}, row {}", split_.path, batch_row_ + row + 1);
  }

 private:
  struct OwnedUnit {
    int index = 0;
    int64_t next_row = 0;  // in the file, of those that are not handed out yet
    int64_t rows = 0;      // not handed out yet
    RowRange range;        // owned, in the unit
    int64_t unit_rows = 0;
    int64_t bytes = 0;  // of the unit's columns, as they are in the file
  };

  arrow::Status Open() {
    ARROW_ASSIGN_OR_RAISE(auto file, OpenSplitFile(split_, fs_));
    range_file_ = std::make_shared<RangeFile>(std::move(file), split_.file_size, pool_);
    ARROW_ASSIGN_OR_RAISE(file_, OpenFile(plan_->format, range_file_, split_.path, pool_));
    ARROW_ASSIGN_OR_RAISE(auto adapter,
                          ColumnAdapter::Make(*file_->schema(), plan_->schema, plan_->format));
    adapter_ = std::move(adapter);
    int64_t first_row = 0;
    const bool divides = file_->CanDivide(adapter_->fields());
    for (int i = 0; i < file_->num_units(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const FileUnit unit, file_->Unit(i));
      const int64_t middle = unit.offset + unit.size / 2;
      if (unit.offset < 0 || unit.size < 0 || unit.rows < 0 || middle < unit.offset ||
          middle >= split_.file_size) {
        return arrow::Status::IOError(fmt::format("row group {} is outside of the file", i));
      }
      RowRange rows{0, middle >= split_.begin && middle < split_.end ? unit.rows : 0};
      if (divides) rows = {RowAt(unit, split_.begin), RowAt(unit, split_.end)};
      if (rows.begin < rows.end && MayHoldWanted(i)) {
        units_.push_back({.index = i,
                          .next_row = first_row + rows.begin,
                          .rows = rows.end - rows.begin,
                          .range = rows,
                          .unit_rows = unit.rows});
      }
      first_row += unit.rows;
    }
    return arrow::Status::OK();
  }

  // The first row of a unit that is not before a byte of the file, as if all were of one size.
  static int64_t RowAt(const FileUnit& unit, int64_t position) {
    if (position <= unit.offset) return 0;
    if (position >= unit.offset + unit.size) return unit.rows;
    return static_cast<int64_t>(static_cast<double>(position - unit.offset) /
                                static_cast<double>(unit.size) * static_cast<double>(unit.rows));
  }

  // Whether a row group may have rows that the query wants.
  bool MayHoldWanted(int unit) const {
    return std::all_of(
        plan_->filters.begin(), plan_->filters.end(), [&](const ColumnFilter& filter) {
          const int field = adapter_->FieldOf(filter.column);
          if (field < 0) return true;
          const auto& stored = file_->schema()->field(field)->type();
          const auto& wanted = plan_->schema->field(filter.column)->type();
          const bool has_other_unit =
              stored->id() == arrow::Type::DATE32 && wanted->id() != arrow::Type::DATE32;
          return has_other_unit || MayPass(filter, file_->BoundsOf(unit, field));
        });
  }

  arrow::Status LoadUnit() {
    OwnedUnit& unit = units_[next_];
    ARROW_ASSIGN_OR_RAISE(auto ranges, file_->RangesOf(unit.index, adapter_->fields()));
    for (const ByteRange& range : ranges) unit.bytes += range.size;
    return range_file_->Load(std::move(ranges));
  }

  // Rows of a batch of about `batch_bytes`, as the size of the row group lets guess.
  static int64_t RowsOf(const OwnedUnit& unit, int64_t batch_rows, int64_t batch_bytes) {
    constexpr int64_t kInflation = 4;
    constexpr int64_t kFewestRows = 64;
    const int64_t row_bytes = std::max<int64_t>(unit.bytes * kInflation / unit.unit_rows, 1);
    return std::clamp(batch_bytes / row_bytes, std::min(kFewestRows, batch_rows), batch_rows);
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Decode(int64_t batch_rows,
                                                            int64_t batch_bytes) {
    OwnedUnit& unit = units_[next_];
    if (batches_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(batches_, file_->Read(unit.index, adapter_->fields(), unit.range,
                                                  RowsOf(unit, batch_rows, batch_bytes)));
    }
    std::shared_ptr<arrow::RecordBatch> batch;
    do {
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
    } while (batch != nullptr && batch->num_rows() == 0);
    if (batch == nullptr) {
      if (unit.rows != 0) {
        return arrow::Status::IOError(
            fmt::format("row group {} lacks {} rows", unit.index, unit.rows));
      }
      batches_ = nullptr;
      ++next_;
      return batch;
    }
    unit.rows -= batch->num_rows();
    unit.next_row += batch->num_rows();
    return adapter_->Adapt(batch, batch->num_rows(), pool_);
  }

  // Nothing of the file is wanted but the number of its rows.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> EmptyColumns(int64_t batch_rows) {
    OwnedUnit& unit = units_[next_];
    if (unit.rows == 0) {
      ++next_;
      return std::shared_ptr<arrow::RecordBatch>();
    }
    const int64_t rows = std::min(unit.rows, batch_rows);
    unit.rows -= rows;
    unit.next_row += rows;
    return adapter_->Adapt(nullptr, rows, pool_);
  }

  const Split split_;
  const std::shared_ptr<const ColumnarPlan> plan_;
  FileSystem* const fs_;
  arrow::MemoryPool* const pool_;
  std::shared_ptr<RangeFile> range_file_;
  std::unique_ptr<ColumnarFile> file_;
  std::optional<ColumnAdapter> adapter_;
  std::vector<OwnedUnit> units_;
  size_t next_ = 0;
  int64_t batch_row_ = 0;                              // in the file, of the last batch's first row
  std::shared_ptr<arrow::RecordBatchReader> batches_;  // of units_[next_], once it has begun
};

class ColumnarSplitReader final : public SplitReader {
 public:
  ColumnarSplitReader(const Split& split, std::shared_ptr<const ColumnarPlan> plan,
                      ReaderContext context)
      : context_(std::move(context)),
        is_empty_(split.begin >= split.end),
        state_(std::make_shared<State>(
            OpenSplit(split, std::move(plan), context_.fs, context_.pool))) {}

  arrow::Result<ReadStep> Next() override {
    if (is_empty_) return ReadStep{};
    while (true) {
      if (!is_loaded_) {
        ARROW_ASSIGN_OR_RAISE(is_loaded_, AwaitLoad());
        if (!is_loaded_) return ReadStep{.kind = ReadStep::Kind::kPending};
      }
      if (!state_->split.HasUnit()) return ReadStep{};
      ARROW_ASSIGN_OR_RAISE(auto batch,
                            state_->split.NextBatch(context_.batch_rows, context_.batch_bytes));
      if (batch != nullptr) {
        return ReadStep{.kind = ReadStep::Kind::kBatch, .batch = std::move(batch)};
      }
      is_loaded_ = !state_->split.HasUnit();
    }
  }

  PlaceFinder PlaceOf(int64_t row) const override {
    return [place = state_->split.PlaceOf(row)] { return place; };
  }

 private:
  enum class Phase { kIdle, kRunning, kDone };

  // Shared with the task that loads.
  struct State {
    explicit State(OpenSplit open_split) : split(std::move(open_split)) {}

    OpenSplit split;  // the task's while it runs
    Mutex mutex;
    Phase phase GUARDED_BY(mutex) = Phase::kIdle;
    arrow::Status result GUARDED_BY(mutex);
  };

  // Begins to load, or says whether that is done.
  arrow::Result<bool> AwaitLoad() {
    {
      MutexLock lock(&state_->mutex);
      if (state_->phase == Phase::kRunning) return false;
      if (state_->phase == Phase::kDone) {
        ARROW_RETURN_NOT_OK(state_->result);
        state_->phase = Phase::kIdle;
        return true;
      }
      state_->phase = Phase::kRunning;
    }
    context_.io->Post([state = state_, wake = context_.wake] {
      arrow::Status loaded = state->split.Load();
      {
        MutexLock lock(&state->mutex);
        state->result = std::move(loaded);
        state->phase = Phase::kDone;
      }
      wake();
    });
    return false;
  }

  const ReaderContext context_;
  const bool is_empty_;
  const std::shared_ptr<State> state_;
  bool is_loaded_ = false;
};

class ColumnarReader final : public SourceReader {
 public:
  explicit ColumnarReader(std::shared_ptr<const ColumnarPlan> plan) : plan_(std::move(plan)) {}

  arrow::Result<std::unique_ptr<SplitReader>> Open(const Split& split,
                                                   ReaderContext context) override {
    if (context.pool == nullptr) context.pool = arrow::default_memory_pool();
    return std::make_unique<ColumnarSplitReader>(split, plan_, std::move(context));
  }

 private:
  const std::shared_ptr<const ColumnarPlan> plan_;
};

}  // namespace

arrow::Result<SourceSpec> ResolveColumnarSource(SourceSpec spec) {
  ARROW_RETURN_NOT_OK(CheckFileOptionNames(spec, {"inferSchema", kFilterOption},
                                           {{"mergeSchema", "false"},
                                            {"datetimeRebaseMode", "CORRECTED"},
                                            {"int96RebaseMode", "CORRECTED"}}));
  ARROW_RETURN_NOT_OK(ParseFileSourceOptions(spec).status());
  return spec;
}

arrow::Result<std::shared_ptr<arrow::Schema>> InferColumnarSchema(const SourceSpec& spec,
                                                                  FileSystem* fs) {
  ARROW_ASSIGN_OR_RAISE(const FileSourceOptions options, ParseFileSourceOptions(spec));
  ARROW_ASSIGN_OR_RAISE(const auto files, ListForInference(fs, options));
  const auto first =
      std::find_if(files.begin(), files.end(), [](const FileInfo& file) { return file.size > 0; });
  if (first == files.end()) {
    return NothingToInferFrom(spec.format == "orc" ? "ORC" : "Parquet", options.path);
  }
  ARROW_ASSIGN_OR_RAISE(auto bytes, fs->OpenForRead(first->path));
  auto* const pool = arrow::default_memory_pool();
  ARROW_ASSIGN_OR_RAISE(
      const auto file,
      OpenFile(spec.format, std::make_shared<RangeFile>(std::move(bytes), first->size, pool),
               first->path, pool));
  arrow::FieldVector fields;
  for (const auto& field : file->schema()->fields()) {
    ARROW_ASSIGN_OR_RAISE(auto type, EngineTypeOf(*field, spec.format));
    fields.push_back(arrow::field(field->name(), std::move(type)));
  }
  return arrow::schema(std::move(fields));
}

arrow::Result<std::unique_ptr<SourceReader>> MakeColumnarReader(const SourceSpec& spec,
                                                                const std::vector<int>& columns) {
  arrow::FieldVector fields;
  for (const int column : columns) fields.push_back(spec.schema->field(column));
  ARROW_ASSIGN_OR_RAISE(auto filters, DecodeFilters(spec.options.GetString(kFilterOption, "")));
  ColumnarPlan plan{.format = spec.format, .schema = arrow::schema(std::move(fields))};
  for (ColumnFilter& filter : filters) {
    const auto at = std::find(columns.begin(), columns.end(), filter.column);
    if (at == columns.end()) continue;
    filter.column = static_cast<int>(at - columns.begin());
    plan.filters.push_back(std::move(filter));
  }
  return std::make_unique<ColumnarReader>(std::make_shared<const ColumnarPlan>(std::move(plan)));
}

}  // namespace tidemill::connectors
