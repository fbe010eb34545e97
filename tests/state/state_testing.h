#pragma once

#include <arrow/builder.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "state/table/hot_table.h"
#include "state/table/key_codec.h"

namespace tidemill::state {

inline std::shared_ptr<arrow::Array> Int64s(const std::vector<std::optional<int64_t>>& values) {
  arrow::Int64Builder builder;
  for (const auto& value : values)
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}

inline std::shared_ptr<arrow::Array> Strings(
    const std::vector<std::optional<std::string>>& values) {
  arrow::StringBuilder builder;
  for (const auto& value : values)
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}

inline std::shared_ptr<const KeyCodec> CodecOf(
    std::vector<std::shared_ptr<arrow::DataType>> types) {
  return KeyCodec::Make(std::move(types)).ValueOrDie();
}

// A table of STRING keys with a BIGINT and a STRING value.
inline std::unique_ptr<HotTable> WordTable() {
  return std::make_unique<HotTable>(HotTable::Options{.keys = CodecOf({arrow::utf8()}),
                                                      .values = {arrow::int64(), arrow::utf8()}});
}

// Finds or inserts one key and makes its row writable.
inline uint32_t RowFor(HotTable* table, const std::optional<std::string>& key) {
  EncodedKeys keys;
  EXPECT_TRUE(table->key_codec().Encode({Strings({key})}, 1, &keys).ok());
  uint32_t row = 0;
  table->FindOrInsert(keys, 0, 1, &row, nullptr);
  table->Touch({&row, 1});
  return row;
}

inline void PutWord(HotTable* table, const std::optional<std::string>& key, int64_t number,
                    const std::string& text) {
  const uint32_t row = RowFor(table, key);
  table->column(0).values<int64_t>()[row] = number;
  table->column(0).validity()[row] = 1;
  table->column(1).SetBytes(row, text);
}

inline void EraseWord(HotTable* table, const std::optional<std::string>& key) {
  const uint32_t row = RowFor(table, key);
  table->Erase({&row, 1});
}

// The live rows as sorted text: "key=number/text", "(null)" for NULL.
inline std::vector<std::string> DumpWords(const HotTable& table) {
  std::vector<uint32_t> rows;
  table.LiveRows(&rows);
  std::vector<std::string> lines;
  for (const uint32_t row : rows) {
    std::string line(table.is_null_key(row) ? "(null)" : table.key(row));
    line += "=";
    line += table.column(0).validity()[row] != 0
                ? std::to_string(table.column(0).values<int64_t>()[row])
                : "(null)";
    line += "/";
    line += table.column(1).validity()[row] != 0 ? std::string(table.column(1).GetBytes(row))
                                                 : "(null)";
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// TIDEMILL_SEED where it is set, else a new one; printed by the test that uses it.
inline uint64_t TestSeed() {
  const char* seed = std::getenv("TIDEMILL_SEED");
  return seed != nullptr ? std::strtoull(seed, nullptr, 10) : Random::System()->Next();
}

// An empty directory of its own, removed with the object.
class TestDirectory {
 public:
  TestDirectory() : path_(::testing::TempDir() + "tidemill-" + NewUuid(Random::System())) {
    std::filesystem::create_directories(path_);
  }
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace tidemill::state
