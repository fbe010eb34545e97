#include "common/functions/collection/lists.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/error.h"
#include "common/functions/call_errors.h"
#include "common/functions/comparison.h"
#include "common/types/ddl.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace cp = arrow::compute;

arrow::Result<ListColumn> ListColumn::Of(const arrow::Datum& datum, int64_t rows,
                                         arrow::MemoryPool* pool) {
  ListColumn list;
  ARROW_ASSIGN_OR_RAISE(list.column_, ArrayOf(datum, rows, pool));
  const arrow::ArrayData& data = *list.column_->data();
  list.offsets_ = data.GetValues<int32_t>(1);
  list.items_ = arrow::MakeArray(data.child_data[0]);
  return list;
}

std::shared_ptr<arrow::Array> ListColumn::keys() const {
  return static_cast<const arrow::StructArray&>(*items_).field(0);
}

std::shared_ptr<arrow::Array> ListColumn::values() const {
  return static_cast<const arrow::StructArray&>(*items_).field(1);
}

arrow::Status ListPicker::Reserve(int64_t rows, int64_t items) {
  ARROW_RETURN_NOT_OK(offsets_.Reserve(rows + 1));
  offsets_.UnsafeAppend(0);
  return picks_.Reserve(items);
}

arrow::Status ListPicker::PickRange(int64_t begin, int64_t end) {
  if (end > begin) ARROW_RETURN_NOT_OK(picks_.Reserve(end - begin));
  for (int64_t place = begin; place < end; ++place) {
    picks_.UnsafeAppend(static_cast<int32_t>(place));
  }
  return arrow::Status::OK();
}

arrow::Result<arrow::Datum> ListPicker::Finish(const TypePtr& type, const arrow::Array& items,
                                               const Validity& validity) {
  const int64_t rows = offsets_.length() - 1;
  ARROW_ASSIGN_OR_RAISE(auto picks, FinishPicks());
  ARROW_ASSIGN_OR_RAISE(auto offsets, FinishOffsets());
  ARROW_ASSIGN_OR_RAISE(auto taken, TakeItems(items, *picks, pool_));
  return MakeListData(type, rows, validity, std::move(offsets), taken->data());
}

arrow::Result<std::shared_ptr<arrow::Array>> ListPicker::FinishPicks() { return picks_.Finish(); }

arrow::Result<std::shared_ptr<arrow::Buffer>> ListPicker::FinishOffsets() {
  return offsets_.Finish();
}

arrow::Datum MakeListData(const TypePtr& type, int64_t rows, const Validity& validity,
                          std::shared_ptr<arrow::Buffer> offsets,
                          std::shared_ptr<arrow::ArrayData> items) {
  const bool has_nulls = validity.null_count() > 0;
  return arrow::Datum(arrow::ArrayData::Make(
      type, rows, {has_nulls ? validity.bitmap() : nullptr, std::move(offsets)}, {std::move(items)},
      validity.null_count()));
}

std::shared_ptr<arrow::ArrayData> MakeEntries(const TypePtr& map_type,
                                              const std::shared_ptr<arrow::Array>& keys,
                                              const std::shared_ptr<arrow::Array>& values) {
  return arrow::ArrayData::Make(static_cast<const arrow::MapType&>(*map_type).value_type(),
                                keys->length(), {nullptr}, {keys->data(), values->data()}, 0);
}

arrow::Result<std::shared_ptr<arrow::Array>> TakeItems(const arrow::Array& items,
                                                       const arrow::Array& indices,
                                                       arrow::MemoryPool* pool) {
  if (items.length() == 0) return arrow::MakeArrayOfNull(items.type(), indices.length(), pool);
  cp::ExecContext exec(pool);
  return cp::Take(items, indices, cp::TakeOptions::NoBoundsCheck(), &exec);
}

arrow::Result<std::shared_ptr<arrow::Array>> Concatenated(const std::shared_ptr<arrow::Array>& a,
                                                          const std::shared_ptr<arrow::Array>& b,
                                                          arrow::MemoryPool* pool) {
  return arrow::Concatenate({a, b}, pool);
}

namespace {

// Makes every zero positive, so that both are one value.
template <class T>
arrow::Result<std::shared_ptr<arrow::Array>> PositiveZeros(const arrow::Array& items,
                                                           arrow::MemoryPool* pool) {
  const arrow::ArrayData& data = *items.data();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(data.length * sizeof(T), pool));
  const T* in = data.GetValues<T>(1);
  T* out = buffer->mutable_data_as<T>();
  for (int64_t i = 0; i < data.length; ++i) out[i] = in[i] == 0 ? T{0} : in[i];
  auto copy = arrow::ArrayData::Make(data.type, data.length, {nullptr, std::move(buffer)});
  if (items.null_count() > 0) {
    // Bitmaps may begin anywhere in a byte.
    arrow::BufferBuilder unused;
    ARROW_ASSIGN_OR_RAISE(auto bits, arrow::AllocateEmptyBitmap(data.length, pool));
    for (int64_t i = 0; i < data.length; ++i) {
      if (items.IsValid(i)) arrow::bit_util::SetBit(bits->mutable_data(), i);
    }
    copy->buffers[0] = std::move(bits);
    copy->null_count = items.null_count();
  }
  return arrow::MakeArray(copy);
}

// Ids of flat values by Arrow's hash table.
arrow::Result<ItemIds> HashedIds(std::shared_ptr<arrow::Array> items, arrow::MemoryPool* pool) {
  if (items->type_id() == arrow::Type::DOUBLE) {
    ARROW_ASSIGN_OR_RAISE(items, PositiveZeros<double>(*items, pool));
  } else if (items->type_id() == arrow::Type::FLOAT) {
    ARROW_ASSIGN_OR_RAISE(items, PositiveZeros<float>(*items, pool));
  }
  cp::ExecContext exec(pool);
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum encoded,
      cp::DictionaryEncode(items, cp::DictionaryEncodeOptions::Defaults(), &exec));
  const auto encoded_array = encoded.make_array();
  const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*encoded_array);
  const auto& indices = static_cast<const arrow::Int32Array&>(*dictionary.indices());
  ItemIds result;
  const auto null_id = static_cast<int32_t>(dictionary.dictionary()->length());
  result.count = null_id + 1;
  result.ids.resize(items->length());
  for (int64_t i = 0; i < items->length(); ++i) {
    result.ids[i] = indices.IsNull(i) ? null_id : indices.Value(i);
  }
  return result;
}

}  // namespace

arrow::Result<ItemIds> ItemIds::Of(const std::shared_ptr<arrow::Array>& items,
                                   arrow::MemoryPool* pool) {
  const arrow::DataType& type = *items->type();
  if (type.num_fields() == 0 && type.id() != arrow::Type::NA) return HashedIds(items, pool);
  // Nested values by their order.
  std::vector<int32_t> order(items->length());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return CompareRows(*items, a, *items, b) < 0; });
  ItemIds result;
  result.ids.resize(items->length());
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && CompareRows(*items, order[i - 1], *items, order[i]) != 0) ++result.count;
    result.ids[order[i]] = result.count;
  }
  ++result.count;
  return result;
}

arrow::Status CheckMapKeys(const std::shared_ptr<arrow::Array>& keys, const int32_t* offsets,
                           int64_t rows, arrow::MemoryPool* pool) {
  if (keys->null_count() > 0) {
    for (int64_t i = offsets[0]; i < offsets[rows]; ++i) {
      if (keys->IsValid(i)) continue;
      return MakeError(ErrorKind::kJobFailed, "NULL_MAP_KEY", "Cannot use null as map key.");
    }
  }
  ARROW_ASSIGN_OR_RAISE(const ItemIds ids, ItemIds::Of(keys, pool));
  IdSet seen(ids.count);
  for (int64_t row = 0; row < rows; ++row) {
    seen.Clear();
    for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
      if (seen.Add(ids.ids[i])) continue;
      return MakeError(ErrorKind::kJobFailed, "DUPLICATED_MAP_KEY",
                       fmt::format("Duplicate map key {} was found, please check the input data.",
                                   CastToText(*keys, i, *UtcTimeZone())));
    }
  }
  return arrow::Status::OK();
}

bool IsList(const arrow::DataType& type) { return type.id() == arrow::Type::LIST; }
bool IsMap(const arrow::DataType& type) { return type.id() == arrow::Type::MAP; }

TypePtr ItemType(const arrow::DataType& list) { return list.field(0)->type(); }

arrow::Result<TypePtr> CommonItemType(std::string_view name, std::span<const ExprPtr> args,
                                      size_t array, size_t value) {
  const TypePtr& list = args[array]->type;
  if (!IsList(*list)) return UnexpectedInput(name, args, array, "\"ARRAY\"");
  const TypePtr item = ItemType(*list);
  const TypePtr& other = args[value]->type;
  // Text and numbers do not meet here, as they do in an operator.
  const bool mixes_text = IsStringType(*item) != IsStringType(*other) &&
                          item->id() != arrow::Type::NA && other->id() != arrow::Type::NA;
  const TypePtr common = mixes_text ? nullptr : CommonType(item, other);
  if (common != nullptr) return common;
  return Mismatch("ARRAY_FUNCTION_DIFF_TYPES", name, args,
                  fmt::format("Input to `{}` should have been \"ARRAY\" followed by a value with "
                              "same element type, but it's [\"{}\", \"{}\"].",
                              name, SqlTypeName(*list), SqlTypeName(*other)));
}

arrow::Status NullTyped(std::string_view name, std::span<const ExprPtr> args) {
  return Mismatch("NULL_TYPE", name, args,
                  fmt::format("Null typed values cannot be used as arguments of `{}`.", name));
}

arrow::Status NoOrdering(std::string_view name, std::span<const ExprPtr> args,
                         const arrow::DataType& type) {
  return Mismatch(
      "INVALID_ORDERING_TYPE", name, args,
      fmt::format("The `{}` does not support ordering on type \"{}\".", name, SqlTypeName(type)));
}

FunctionInfo Collection(CollectionInfo collection) {
  FunctionInfo info;
  info.name = collection.name;
  info.usage = collection.usage;
  info.is_total = collection.is_total;
  info.bind = [collection = std::move(collection)](
                  std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(collection.name, collection.usage, args.size(),
                                      collection.least, collection.most));
    return collection.bind(args);
  };
  return info;
}

}  // namespace tidemill
