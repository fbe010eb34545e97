#pragma once

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/buffer_builder.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/functions/columns.h"
#include "common/functions/signature.h"

// How kernels over arrays and maps read their arguments and put their results together. For kernel
// files only.

namespace tidemill {

using Args = std::span<const arrow::Datum>;

// An ARRAY or MAP argument: where each row's elements stand among all. Keeps the column alive.
class ListColumn {
 public:
  static arrow::Result<ListColumn> Of(const arrow::Datum& datum, int64_t rows,
                                      arrow::MemoryPool* pool);

  int32_t begin(int64_t row) const { return offsets_[row]; }
  int32_t end(int64_t row) const { return offsets_[row + 1]; }
  int32_t size(int64_t row) const { return offsets_[row + 1] - offsets_[row]; }
  // All elements, of which begin() counts; of a MAP its entries.
  const std::shared_ptr<arrow::Array>& items() const { return items_; }
  // Of a MAP.
  std::shared_ptr<arrow::Array> keys() const;
  std::shared_ptr<arrow::Array> values() const;
  int64_t total(int64_t rows) const { return rows == 0 ? 0 : offsets_[rows] - offsets_[0]; }

 private:
  std::shared_ptr<arrow::Array> column_;
  std::shared_ptr<arrow::Array> items_;
  const int32_t* offsets_ = nullptr;
};

// Builds arrays out of elements that exist: pick by pick, row by row, taken at the end at once.
class ListPicker {
 public:
  explicit ListPicker(arrow::MemoryPool* pool) : pool_(pool), picks_(pool), offsets_(pool) {}
  arrow::Status Reserve(int64_t rows, int64_t items);
  arrow::Status Pick(int64_t place) { return picks_.Append(static_cast<int32_t>(place)); }
  arrow::Status PickNull() { return picks_.AppendNull(); }
  arrow::Status PickRange(int64_t begin, int64_t end);
  void EndRow() { offsets_.UnsafeAppend(static_cast<int32_t>(picks_.length())); }

  // The arrays, of elements of `items`.
  arrow::Result<arrow::Datum> Finish(const TypePtr& type, const arrow::Array& items,
                                     const Validity& validity);
  // For several columns of elements: the places, and the offsets.
  arrow::Result<std::shared_ptr<arrow::Array>> FinishPicks();
  arrow::Result<std::shared_ptr<arrow::Buffer>> FinishOffsets();

 private:
  arrow::MemoryPool* const pool_;
  arrow::Int32Builder picks_;
  arrow::TypedBufferBuilder<int32_t> offsets_;
};

// ARRAY or MAP data over elements. `validity` as ever; offsets count elements of `items`.
arrow::Datum MakeListData(const TypePtr& type, int64_t rows, const Validity& validity,
                          std::shared_ptr<arrow::Buffer> offsets,
                          std::shared_ptr<arrow::ArrayData> items);
// The entries of a MAP type.
std::shared_ptr<arrow::ArrayData> MakeEntries(const TypePtr& map_type,
                                              const std::shared_ptr<arrow::Array>& keys,
                                              const std::shared_ptr<arrow::Array>& values);

arrow::Result<std::shared_ptr<arrow::Array>> TakeItems(const arrow::Array& items,
                                                       const arrow::Array& indices,
                                                       arrow::MemoryPool* pool);
arrow::Result<std::shared_ptr<arrow::Array>> Concatenated(const std::shared_ptr<arrow::Array>& a,
                                                          const std::shared_ptr<arrow::Array>& b,
                                                          arrow::MemoryPool* pool);

// Numbers that are equal where elements are equal (NaN to NaN, 0.0 to -0.0, NULL to NULL), below
// `count`.
struct ItemIds {
  std::vector<int32_t> ids;
  int32_t count = 0;

  static arrow::Result<ItemIds> Of(const std::shared_ptr<arrow::Array>& items,
                                   arrow::MemoryPool* pool);
};

// A set of ids that is emptied in no time. *Thread-compatible.*
class IdSet {
 public:
  explicit IdSet(int32_t count) : stamps_(static_cast<size_t>(count), -1) {}
  void Clear() { ++stamp_; }
  bool Contains(int32_t id) const { return stamps_[id] == stamp_; }
  // False where it was there.
  bool Add(int32_t id) {
    if (Contains(id)) return false;
    stamps_[id] = stamp_;
    return true;
  }

 private:
  std::vector<int32_t> stamps_;
  int32_t stamp_ = 0;
};

// Refuses NULL keys and keys that a row has twice: NULL_MAP_KEY, DUPLICATED_MAP_KEY.
arrow::Status CheckMapKeys(const std::shared_ptr<arrow::Array>& keys, const int32_t* offsets,
                           int64_t rows, arrow::MemoryPool* pool);

// Binding. `name` is for messages.
bool IsList(const arrow::DataType& type);
bool IsMap(const arrow::DataType& type);
TypePtr ItemType(const arrow::DataType& list);
// The element type that an array and a value have in common; ARRAY_FUNCTION_DIFF_TYPES else.
arrow::Result<TypePtr> CommonItemType(std::string_view name, std::span<const ExprPtr> args,
                                      size_t array, size_t value);
arrow::Status NullTyped(std::string_view name, std::span<const ExprPtr> args);
arrow::Status NoOrdering(std::string_view name, std::span<const ExprPtr> args,
                         const arrow::DataType& type);

using BindFunction = std::function<arrow::Result<BoundFunction>(std::span<const ExprPtr>)>;
struct CollectionInfo {
  std::string name;
  std::string usage;
  size_t least = 0, most = 0;  // arguments
  bool is_total = true;
  BindFunction bind;
};
FunctionInfo Collection(CollectionInfo info);
// concat() or reverse() of text, with what it does to arrays.
FunctionInfo OrArrays(FunctionInfo text);

// The functions of this folder by concept; AddCollectionFunctions calls them all.
void AddArrayElementFunctions(FunctionCatalog* catalog);
void AddArrayEditFunctions(FunctionCatalog* catalog);
void AddArraySetFunctions(FunctionCatalog* catalog);
void AddArrayOrderFunctions(FunctionCatalog* catalog);
void AddArraySortFunctions(FunctionCatalog* catalog);
void AddArraySearchFunctions(FunctionCatalog* catalog);
void AddArrayTextFunctions(FunctionCatalog* catalog);
void AddHigherOrderFunctions(FunctionCatalog* catalog);
void AddMakeCollectionFunctions(FunctionCatalog* catalog);
void AddMapFunctions(FunctionCatalog* catalog);
void AddMapLambdaFunctions(FunctionCatalog* catalog);
void AddSequenceFunctions(FunctionCatalog* catalog);

}  // namespace tidemill
