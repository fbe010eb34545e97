#include "worker/operators/generate.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace tidemill::worker {

namespace {

constexpr int64_t kMaxOutputRows = 1 << 16;  // a generated batch is cut at about this size

// Where the elements of each input row stand: one entry per output row, in the vectors that are
// needed.
struct Expansion {
  struct Needs {
    bool parent = false;
    bool position = false;
    bool outer_rows = false;  // a row for each input row without elements
  };
  std::vector<int32_t> parent;    // input row
  std::vector<int32_t> element;   // index into the flattened values, -1 for an _outer NULL row
  std::vector<int32_t> position;  // in the collection, -1 for an _outer NULL row
  bool is_dense = true;           // elements are `first`, first + 1, ...; `element` is empty then
  int32_t first = 0;
  int64_t size = 0;
};

// Finds out whether elements follow each other without gaps, and how many rows there will be.
void Measure(const arrow::ListArray& lists, bool has_outer_rows, Expansion* expansion) {
  const int32_t* offsets = lists.raw_value_offsets();
  expansion->first = offsets[0];
  int32_t expected = offsets[0];
  for (int64_t row = 0; row < lists.length(); ++row) {
    const int32_t count = lists.IsNull(row) ? 0 : offsets[row + 1] - offsets[row];
    if (count == 0) {
      expansion->is_dense = expansion->is_dense && !has_outer_rows;
      expansion->size += has_outer_rows ? 1 : 0;
      continue;
    }
    expansion->is_dense = expansion->is_dense && offsets[row] == expected;
    expansion->size += count;
    expected = offsets[row + 1];
  }
}

Expansion Expand(const arrow::ListArray& lists, Expansion::Needs needs) {
  Expansion expansion;
  Measure(lists, needs.outer_rows, &expansion);
  const bool needs_element = !expansion.is_dense;
  if (!needs.parent && !needs.position && !needs_element) return expansion;
  if (needs.parent) expansion.parent.reserve(expansion.size);
  if (needs.position) expansion.position.reserve(expansion.size);
  if (needs_element) expansion.element.reserve(expansion.size);
  const auto add = [&](int64_t row, int32_t element, int32_t position) {
    if (needs.parent) expansion.parent.push_back(static_cast<int32_t>(row));
    if (needs_element) expansion.element.push_back(element);
    if (needs.position) expansion.position.push_back(position);
  };
  const int32_t* offsets = lists.raw_value_offsets();
  for (int64_t row = 0; row < lists.length(); ++row) {
    const int32_t begin = offsets[row];
    const int32_t end = lists.IsNull(row) ? begin : offsets[row + 1];
    if (begin == end && needs.outer_rows) add(row, -1, -1);
    for (int32_t i = begin; i < end; ++i) add(row, i, i - begin);
  }
  return expansion;
}

// An int32 array with -1 as NULL.
arrow::Result<std::shared_ptr<arrow::Array>> ToArray(std::span<const int32_t> values) {
  arrow::Int32Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(values.size()));
  for (int32_t value : values) {
    if (value < 0) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(value);
    }
  }
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> TakeRows(
    const std::shared_ptr<arrow::Array>& values, const std::shared_ptr<arrow::Array>& indices) {
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum taken,
      arrow::compute::Take(values, indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.make_array();
}

// The runs of what is generated of rows with these runs; `parents` ascend.
std::vector<GroupRun> RunsOf(const std::vector<GroupRun>& runs, std::span<const int32_t> parents) {
  std::vector<GroupRun> generated;
  size_t at = 0;
  for (const GroupRun& run : runs) {
    const size_t first = at;
    while (at < parents.size() && parents[at] < run.end) ++at;
    if (at == first) continue;
    generated.push_back({run.key_group, static_cast<int32_t>(first), static_cast<int32_t>(at)});
  }
  return generated;
}

}  // namespace

// Each row as often as the BIGINT argument says.
arrow::Status Generate::Replicate(const arrow::RecordBatch& batch, const arrow::Array& counts,
                                  RowConsumer* out) const {
  std::vector<int32_t> parents;
  const auto emit = [&]() -> arrow::Status {
    const auto length = static_cast<int64_t>(parents.size());
    ARROW_ASSIGN_OR_RAISE(const auto indices, ToArray(parents));
    parents.clear();
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const int column : plan_.kept_columns) {
      ARROW_ASSIGN_OR_RAISE(auto repeated, TakeRows(batch.column(column), indices));
      columns.push_back(std::move(repeated));
    }
    return out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(columns)), {}});
  };
  const auto& values = static_cast<const arrow::Int64Array&>(counts);
  for (int64_t row = 0; row < counts.length(); ++row) {
    for (int64_t left = values.IsNull(row) ? 0 : values.Value(row); left > 0; --left) {
      parents.push_back(static_cast<int32_t>(row));
      if (static_cast<int64_t>(parents.size()) == kMaxOutputRows) ARROW_RETURN_NOT_OK(emit());
    }
  }
  return parents.empty() ? arrow::Status::OK() : emit();
}

arrow::Status Generate::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  ARROW_ASSIGN_OR_RAISE(auto collection, plan_.args[0]->Evaluate(context, *rows.batch));
  if (plan_.function == "replicate") return Replicate(*rows.batch, *collection, out);
  const bool has_position = plan_.function.starts_with("pos");
  const bool is_outer = plan_.function.ends_with("_outer");
  if (collection->type_id() != arrow::Type::LIST && collection->type_id() != arrow::Type::MAP) {
    return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                     fmt::format("generator over neither array nor map: type={}",
                                 collection->type()->ToString()));
  }
  const auto& lists = static_cast<const arrow::ListArray&>(*collection);
  const bool needs_parent = !plan_.kept_columns.empty() || !rows.runs.empty();
  const Expansion expansion =
      Expand(lists, {.parent = needs_parent, .position = has_position, .outer_rows = is_outer});

  for (int64_t begin = 0; begin < expansion.size; begin += kMaxOutputRows) {
    const int64_t length = std::min(kMaxOutputRows, expansion.size - begin);
    std::vector<std::shared_ptr<arrow::Array>> columns;
    if (!plan_.kept_columns.empty()) {
      ARROW_ASSIGN_OR_RAISE(auto parents,
                            ToArray(std::span(expansion.parent).subspan(begin, length)));
      for (int column : plan_.kept_columns) {
        ARROW_ASSIGN_OR_RAISE(auto repeated, TakeRows(rows.batch->column(column), parents));
        columns.push_back(std::move(repeated));
      }
    }
    if (has_position) {
      ARROW_ASSIGN_OR_RAISE(auto positions,
                            ToArray(std::span(expansion.position).subspan(begin, length)));
      columns.push_back(std::move(positions));
    }
    std::shared_ptr<arrow::Array> elements;
    if (expansion.is_dense) {
      elements = lists.values()->Slice(expansion.first + begin, length);
    } else {
      ARROW_ASSIGN_OR_RAISE(auto indices,
                            ToArray(std::span(expansion.element).subspan(begin, length)));
      ARROW_ASSIGN_OR_RAISE(elements, TakeRows(lists.values(), indices));
    }
    if (collection->type_id() == arrow::Type::MAP || plan_.function.starts_with("inline")) {
      // The values of a map are structs of key and value, never NULL; a NULL struct of inline has
      // NULL fields.
      ARROW_ASSIGN_OR_RAISE(auto fields,
                            static_cast<const arrow::StructArray&>(*elements).Flatten());
      columns.insert(columns.end(), fields.begin(), fields.end());
    } else {
      columns.push_back(std::move(elements));
    }
    std::vector<GroupRun> runs;
    if (!rows.runs.empty()) {
      runs = RunsOf(rows.runs, std::span(expansion.parent).subspan(begin, length));
    }
    ARROW_RETURN_NOT_OK(out->Consume(
        {arrow::RecordBatch::Make(schema_, length, std::move(columns)), std::move(runs)}));
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
