#include <arrow/array/util.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <array>
#include <cstring>
#include <utility>

#include "common/base/error.h"
#include "common/functions/collection/lists.h"
#include "common/functions/comparison.h"
#include "common/functions/string/pattern.h"

// Maps: their parts, and maps made of arrays, entries, other maps and text.

namespace tidemill {

namespace {

const arrow::MapType& AsMap(const TypePtr& type) {
  return static_cast<const arrow::MapType&>(*type);
}

// The keys or the values of a map, as an array.
FunctionInfo MapPart(const std::string& name, int child) {
  auto bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const TypePtr& type = args[0]->type;
    if (!IsMap(*type)) return UnexpectedInput(name, args, 0, "\"MAP\"");
    const TypePtr result =
        arrow::list(child == 0 ? AsMap(type).key_type() : AsMap(type).item_type());
    Kernel kernel = [result, child](const EvalContext& context, Args values,
                                    int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(values[0], rows, context.pool));
      const auto& maps = static_cast<const arrow::MapArray&>(*array);
      auto data = array->data()->Copy();
      data->type = result;
      data->child_data = {(child == 0 ? maps.keys() : maps.items())->data()};
      return arrow::Datum(std::move(data));
    };
    return BoundFunction{{type}, result, std::move(kernel)};
  };
  return Collection({name, name + "(map)", 1, 1, true, bind});
}

// The entries as structs, which they are already.
arrow::Result<BoundFunction> BindEntries(std::span<const ExprPtr> args) {
  const TypePtr& type = args[0]->type;
  if (!IsMap(*type)) return UnexpectedInput("map_entries", args, 0, "\"MAP\"");
  const TypePtr entry = arrow::struct_({arrow::field("key", AsMap(type).key_type()),
                                        arrow::field("value", AsMap(type).item_type())});
  const TypePtr result = arrow::list(entry);
  Kernel kernel = [=](const EvalContext& context, Args values,
                      int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(values[0], rows, context.pool));
    auto data = array->data()->Copy();
    data->type = result;
    auto entries = data->child_data[0]->Copy();
    entries->type = entry;
    data->child_data = {std::move(entries)};
    return arrow::Datum(std::move(data));
  };
  return BoundFunction{{type}, result, std::move(kernel)};
}

arrow::Result<arrow::Datum> ContainsKey(const EvalContext& context, Args args, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const ListColumn map, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto wanted, ArrayOf(args[1], rows, context.pool));
  const auto keys = map.keys();
  const std::vector<arrow::Datum> columns = {args[0], args[1]};
  return ComputeBool(context, columns, rows, [&](int64_t row) {
    if (wanted->IsNull(row)) return false;
    for (int32_t i = map.begin(row); i < map.end(row); ++i) {
      if (CompareRows(*keys, i, *wanted, row) == 0) return true;
    }
    return false;
  });
}

arrow::Result<BoundFunction> BindContainsKey(std::span<const ExprPtr> args) {
  const std::string_view name = "map_contains_key";
  const TypePtr& type = args[0]->type;
  if (args[1]->type->id() == arrow::Type::NA) return NullTyped(name, args);
  if (!IsMap(*type)) return UnexpectedInput(name, args, 0, "\"MAP\"");
  const TypePtr key = CommonType(AsMap(type).key_type(), args[1]->type);
  if (key == nullptr || !IsComparable(*key)) return DataDiffTypes(name, args);
  return BoundFunction{
      {arrow::map(key, AsMap(type).item_type()), key}, arrow::boolean(), ContainsKey};
}

// The parts of a map column that is being made.
struct MapColumns {
  std::shared_ptr<arrow::Array> keys;
  std::shared_ptr<arrow::Array> values;
  std::shared_ptr<arrow::Buffer> offsets;
};

arrow::Result<arrow::Datum> FinishMap(const TypePtr& type, const MapColumns& columns,
                                      const Validity& validity, const EvalContext& context) {
  const auto rows = static_cast<int64_t>(columns.offsets->size() / sizeof(int32_t)) - 1;
  ARROW_RETURN_NOT_OK(
      CheckMapKeys(columns.keys, columns.offsets->data_as<int32_t>(), rows, context.pool));
  return MakeListData(type, rows, validity, columns.offsets,
                      MakeEntries(type, columns.keys, columns.values));
}

// Picks of keys and of values, which may come from different columns.
struct MapPicks {
  explicit MapPicks(arrow::MemoryPool* pool) : keys(pool), values(pool) {}
  ListPicker keys;
  ListPicker values;
};

arrow::Result<arrow::Datum> FromArrays(const TypePtr& type, const EvalContext& context, Args args,
                                       int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const ListColumn keys, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const ListColumn values, ListColumn::Of(args[1], rows, context.pool));
  MapPicks picks(context.pool);
  ARROW_RETURN_NOT_OK(picks.keys.Reserve(rows, keys.total(rows)));
  ARROW_RETURN_NOT_OK(picks.values.Reserve(rows, values.total(rows)));
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row]) {
      if (keys.size(row) != values.size(row)) {
        return MakeError(ErrorKind::kJobFailed, "MAP_DATA_SIZE_MISMATCH",
                         "The key array and value array of MapData must have the same length.");
      }
      ARROW_RETURN_NOT_OK(picks.keys.PickRange(keys.begin(row), keys.end(row)));
      ARROW_RETURN_NOT_OK(picks.values.PickRange(values.begin(row), values.end(row)));
    }
    picks.keys.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(auto key_picks, picks.keys.FinishPicks());
  ARROW_ASSIGN_OR_RAISE(auto value_picks, picks.values.FinishPicks());
  ARROW_ASSIGN_OR_RAISE(auto offsets, picks.keys.FinishOffsets());
  ARROW_ASSIGN_OR_RAISE(auto key_items, TakeItems(*keys.items(), *key_picks, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto value_items, TakeItems(*values.items(), *value_picks, context.pool));
  return FinishMap(type, {key_items, value_items, offsets}, validity, context);
}

arrow::Result<BoundFunction> BindFromArrays(std::span<const ExprPtr> args) {
  for (size_t i = 0; i < 2; ++i) {
    if (!IsList(*args[i]->type)) return UnexpectedInput("map_from_arrays", args, i, "\"ARRAY\"");
  }
  const TypePtr type = arrow::map(ItemType(*args[0]->type), ItemType(*args[1]->type));
  Kernel kernel = [type](const EvalContext& context, Args values, int64_t rows) {
    return FromArrays(type, context, values, rows);
  };
  return BoundFunction{{args[0]->type, args[1]->type}, type, std::move(kernel)};
}

// NULL where an entry is NULL.
arrow::Result<BoundFunction> BindFromEntries(std::span<const ExprPtr> args) {
  const TypePtr& list = args[0]->type;
  if (!IsList(*list) || ItemType(*list)->id() != arrow::Type::STRUCT ||
      ItemType(*list)->num_fields() != 2) {
    return UnexpectedInput("map_from_entries", args, 0, "\"ARRAY\" of pair \"STRUCT\"");
  }
  const TypePtr entry = ItemType(*list);
  const TypePtr type = arrow::map(entry->field(0)->type(), entry->field(1)->type());
  Kernel kernel = [type](const EvalContext& context, Args values,
                         int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(values, rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(const ListColumn entries, ListColumn::Of(values[0], rows, context.pool));
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, entries.total(rows)));
    for (int64_t row = 0; row < rows; ++row) {
      bool has_null = false;
      for (int32_t i = entries.begin(row); validity[row] && i < entries.end(row); ++i) {
        has_null = has_null || entries.items()->IsNull(i);
      }
      if (has_null) ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
      if (validity[row]) {
        ARROW_RETURN_NOT_OK(picker.PickRange(entries.begin(row), entries.end(row)));
      }
      picker.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(auto picks, picker.FinishPicks());
    ARROW_ASSIGN_OR_RAISE(auto offsets, picker.FinishOffsets());
    ARROW_ASSIGN_OR_RAISE(auto keys, TakeItems(*entries.keys(), *picks, context.pool));
    ARROW_ASSIGN_OR_RAISE(auto items, TakeItems(*entries.values(), *picks, context.pool));
    return FinishMap(type, {keys, items, offsets}, validity, context);
  };
  return BoundFunction{{list}, type, std::move(kernel)};
}

arrow::Result<arrow::Datum> ConcatMaps(const TypePtr& type, const EvalContext& context, Args args,
                                       int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  std::vector<ListColumn> maps;
  std::vector<int64_t> shifts;
  std::shared_ptr<arrow::Array> keys, values;
  for (const arrow::Datum& arg : args) {
    ARROW_ASSIGN_OR_RAISE(maps.emplace_back(), ListColumn::Of(arg, rows, context.pool));
    shifts.push_back(keys == nullptr ? 0 : keys->length());
    if (keys == nullptr) {
      keys = maps.back().keys();
      values = maps.back().values();
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(keys, Concatenated(keys, maps.back().keys(), context.pool));
    ARROW_ASSIGN_OR_RAISE(values, Concatenated(values, maps.back().values(), context.pool));
  }
  ListPicker picker(context.pool);
  ARROW_RETURN_NOT_OK(picker.Reserve(rows, keys->length()));
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t k = 0; validity[row] && k < maps.size(); ++k) {
      ARROW_RETURN_NOT_OK(
          picker.PickRange(shifts[k] + maps[k].begin(row), shifts[k] + maps[k].end(row)));
    }
    picker.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(auto picks, picker.FinishPicks());
  ARROW_ASSIGN_OR_RAISE(auto offsets, picker.FinishOffsets());
  ARROW_ASSIGN_OR_RAISE(auto taken_keys, TakeItems(*keys, *picks, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto taken_values, TakeItems(*values, *picks, context.pool));
  return FinishMap(type, {taken_keys, taken_values, offsets}, validity, context);
}

// Keys or values that meet without text becoming a number or the like.
bool MeetAsTheyAre(const arrow::DataType& a, const arrow::DataType& b) {
  return IsStringType(a) == IsStringType(b) || a.id() == arrow::Type::NA ||
         b.id() == arrow::Type::NA;
}

arrow::Result<BoundFunction> BindConcat(std::span<const ExprPtr> args) {
  TypePtr type = arrow::map(arrow::utf8(), arrow::utf8());
  if (args.empty()) {
    Kernel empty = [type](const EvalContext& context, Args,
                          int64_t) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                            arrow::AllocateBuffer(2 * sizeof(int32_t), context.pool));
      std::memset(offsets->mutable_data(), 0, 2 * sizeof(int32_t));
      ARROW_ASSIGN_OR_RAISE(auto nothing, arrow::MakeEmptyArray(arrow::utf8(), context.pool));
      return MakeListData(type, 1, Validity::AllValid(1), std::move(offsets),
                          MakeEntries(type, nothing, nothing));
    };
    return BoundFunction{{}, type, std::move(empty)};
  }
  for (size_t i = 0; i < args.size(); ++i) {
    if (!IsMap(*args[i]->type)) {
      return MakeError(ErrorKind::kInvalid, "DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES",
                       fmt::format("The `map_concat` should all be of type map, but argument {} is "
                                   "\"{}\".",
                                   i + 1, ExprText(*args[i])));
    }
    const arrow::MapType& next = AsMap(args[i]->type);
    if (i > 0 && (!MeetAsTheyAre(*AsMap(type).key_type(), *next.key_type()) ||
                  !MeetAsTheyAre(*AsMap(type).item_type(), *next.item_type()))) {
      return DataDiffTypes("map_concat", args);
    }
    type = i == 0 ? args[i]->type : CommonType(type, args[i]->type);
    if (type == nullptr) return DataDiffTypes("map_concat", args);
  }
  Kernel kernel = [type](const EvalContext& context, Args values, int64_t rows) {
    return ConcatMaps(type, context, values, rows);
  };
  return BoundFunction{std::vector<TypePtr>(args.size(), type), type, std::move(kernel)};
}

// Where a separator stands: a fixed text, or a regular expression.
class Separator {
 public:
  static arrow::Result<Separator> Of(std::string_view pattern) {
    Separator separator;
    separator.literal_ = LiteralOfRegex(pattern);
    if (separator.literal_ && !separator.literal_->empty()) return separator;
    ARROW_ASSIGN_OR_RAISE(separator.regex_, CompileRegex(pattern, "str_to_map"));
    return separator;
  }

  // The first separator at or behind `from`; false where there is none.
  bool Find(std::string_view text, size_t from, size_t* begin, size_t* end) const {
    if (regex_ == nullptr) {
      *begin = text.find(*literal_, from);
      *end = *begin + literal_->size();
      return *begin != std::string_view::npos;
    }
    re2::StringPiece match;
    const re2::StringPiece whole(text.data(), text.size());
    if (!regex_->Match(whole, from, text.size(), RE2::UNANCHORED, &match, 1) || match.empty()) {
      return false;
    }
    *begin = static_cast<size_t>(match.data() - text.data());
    *end = *begin + match.size();
    return true;
  }

 private:
  std::optional<std::string> literal_;
  std::shared_ptr<const re2::RE2> regex_;
};

// "a:1,b" as keys and values, the latter NULL where there is no separator.
class PairBuilder {
 public:
  explicit PairBuilder(arrow::MemoryPool* pool) : keys_(pool), values_(pool), offsets_(pool) {}

  arrow::Status Begin(int64_t rows) {
    ARROW_RETURN_NOT_OK(offsets_.Reserve(rows + 1));
    offsets_.UnsafeAppend(0);
    return arrow::Status::OK();
  }

  arrow::Status AddText(std::string_view text, const Separator& pairs, const Separator& parts) {
    size_t from = 0, begin = 0, end = 0;
    while (pairs.Find(text, from, &begin, &end)) {
      ARROW_RETURN_NOT_OK(AddPair(text.substr(from, begin - from), parts));
      from = end;
    }
    return AddPair(text.substr(from), parts);
  }

  void EndRow() { offsets_.UnsafeAppend(static_cast<int32_t>(keys_.length())); }

  arrow::Result<arrow::Datum> Finish(const TypePtr& type, const Validity& validity,
                                     const EvalContext& context) {
    ARROW_ASSIGN_OR_RAISE(auto keys, keys_.Finish());
    ARROW_ASSIGN_OR_RAISE(auto values, values_.Finish());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets, offsets_.Finish());
    return FinishMap(type, {keys, values, offsets}, validity, context);
  }

 private:
  arrow::Status AddPair(std::string_view pair, const Separator& parts) {
    size_t begin = 0, end = 0;
    if (!parts.Find(pair, 0, &begin, &end)) {
      ARROW_RETURN_NOT_OK(keys_.Append(pair));
      return values_.AppendNull();
    }
    ARROW_RETURN_NOT_OK(keys_.Append(pair.substr(0, begin)));
    return values_.Append(pair.substr(end));
  }

  arrow::StringBuilder keys_;
  arrow::StringBuilder values_;
  arrow::TypedBufferBuilder<int32_t> offsets_;
};

arrow::Result<BoundFunction> BindStrToMap(std::span<const ExprPtr> args) {
  constexpr std::array<std::string_view, 3> kDefaults = {"", ",", ":"};
  const TypePtr type = arrow::map(arrow::utf8(), arrow::utf8());
  std::array<std::string, 3> patterns;
  BoundFunction bound{{}, type, nullptr};
  for (size_t i = 0; i < 3; ++i) {
    patterns[i] = std::string(kDefaults[i]);
    if (i >= args.size()) continue;
    if (!CanCastImplicitly(*args[i]->type, *arrow::utf8())) {
      return UnexpectedInput("str_to_map", args, i, "\"STRING\"");
    }
    bound.arg_types.push_back(arrow::utf8());
    if (i == 0) continue;
    if (IsNullLiteral(*args[i]) || StringLiteralOf(*args[i], &patterns[i]) == nullptr) {
      return NonFoldableArgument("str_to_map", args, i);
    }
  }
  ARROW_ASSIGN_OR_RAISE(const Separator pairs, Separator::Of(patterns[1]));
  ARROW_ASSIGN_OR_RAISE(const Separator parts, Separator::Of(patterns[2]));
  bound.kernel = [=](const EvalContext& context, Args values,
                     int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(values, rows, context.pool));
    const TextColumn texts(values[0]);
    PairBuilder builder(context.pool);
    ARROW_RETURN_NOT_OK(builder.Begin(rows));
    for (int64_t row = 0; row < rows; ++row) {
      if (validity[row]) ARROW_RETURN_NOT_OK(builder.AddText(texts[row], pairs, parts));
      builder.EndRow();
    }
    return builder.Finish(type, validity, context);
  };
  return bound;
}

}  // namespace

void AddMapFunctions(FunctionCatalog* catalog) {
  catalog->Add(MapPart("map_keys", 0));
  catalog->Add(MapPart("map_values", 1));
  catalog->Add(Collection({"map_entries", "map_entries(map)", 1, 1, true, BindEntries}));
  catalog->Add(
      Collection({"map_contains_key", "map_contains_key(map, key)", 2, 2, true, BindContainsKey}));
  catalog->Add(Collection(
      {"map_from_arrays", "map_from_arrays(keys, values)", 2, 2, false, BindFromArrays}));
  catalog->Add(Collection(
      {"map_from_entries", "map_from_entries(array of entries)", 1, 1, false, BindFromEntries}));
  catalog->Add(Collection({"map_concat", "map_concat(map, ...)", 0, 1 << 20, false, BindConcat}));
  catalog->Add(Collection(
      {"str_to_map", "str_to_map(text[, pairDelim[, keyValueDelim]])", 1, 3, false, BindStrToMap}));
}

}  // namespace tidemill
