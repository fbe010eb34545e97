#include "worker/operators/generate.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
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

// Where the elements of each input row stand: one entry of `parent` and `element` per output row.
struct Expansion {
  std::vector<int32_t> parent;    // input row
  std::vector<int32_t> element;   // index into the flattened values, -1 for an _outer NULL row
  std::vector<int32_t> position;  // in the collection, -1 for an _outer NULL row
  bool is_dense = true;           // element is first, first + 1, ... without gaps
};

Expansion Expand(const arrow::ListArray& lists, bool is_outer, bool needs_position) {
  Expansion expansion;
  const int32_t* offsets = lists.raw_value_offsets();
  const int64_t estimate = offsets[lists.length()] - offsets[0];
  expansion.parent.reserve(estimate);
  expansion.element.reserve(estimate);
  int32_t expected = offsets[0];
  for (int64_t row = 0; row < lists.length(); ++row) {
    const bool is_null = lists.IsNull(row);
    const int32_t begin = offsets[row];
    const int32_t end = is_null ? begin : offsets[row + 1];
    if (begin == end && is_outer) {
      expansion.parent.push_back(static_cast<int32_t>(row));
      expansion.element.push_back(-1);
      if (needs_position) expansion.position.push_back(-1);
      expansion.is_dense = false;
    }
    if (begin != end && begin != expected) expansion.is_dense = false;
    for (int32_t i = begin; i < end; ++i) {
      expansion.parent.push_back(static_cast<int32_t>(row));
      expansion.element.push_back(i);
      if (needs_position) expansion.position.push_back(i - begin);
    }
    if (begin != end) expected = end;
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
  const Expansion expansion = Expand(lists, is_outer, has_position);
  const auto total = static_cast<int64_t>(expansion.parent.size());

  for (int64_t begin = 0; begin < total; begin += kMaxOutputRows) {
    const int64_t length = std::min(kMaxOutputRows, total - begin);
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
      elements = lists.values()->Slice(expansion.element[begin], length);
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
    const auto parents = std::span(expansion.parent).subspan(begin, length);
    ARROW_RETURN_NOT_OK(out->Consume({arrow::RecordBatch::Make(schema_, length, std::move(columns)),
                                      RunsOf(rows.runs, parents)}));
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
