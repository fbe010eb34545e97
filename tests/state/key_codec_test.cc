#include "state/table/key_codec.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "state_testing.h"

namespace tidemill::state {
namespace {

std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type,
                                   const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

void ExpectRoundTrip(const std::vector<std::shared_ptr<arrow::Array>>& columns) {
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const auto& column : columns) types.push_back(column->type());
  const auto codec = CodecOf(types);
  EncodedKeys keys;

  ASSERT_TRUE(codec->Encode(columns, columns[0]->length(), &keys).ok());
  const auto decoded = codec->Decode(keys, arrow::default_memory_pool());

  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  for (size_t i = 0; i < columns.size(); ++i) {
    EXPECT_TRUE((*decoded)[i]->ValidateFull().ok());
    EXPECT_TRUE((*decoded)[i]->Equals(columns[i])) << (*decoded)[i]->ToString();
  }
}

TEST(KeyCodecTest, EverySingleColumnTypeRoundTrips) {
  ExpectRoundTrip({Json(arrow::boolean(), "[true, null, false]")});
  ExpectRoundTrip({Json(arrow::int8(), "[1, null, -7]")});
  ExpectRoundTrip({Json(arrow::int16(), "[1, null, -7]")});
  ExpectRoundTrip({Json(arrow::int32(), "[1, null, -7]")});
  ExpectRoundTrip({Int64s({1, std::nullopt, -7})});
  ExpectRoundTrip({Json(arrow::float32(), "[1.5, null, -7]")});
  ExpectRoundTrip({Json(arrow::float64(), "[1.5, null, -7]")});
  ExpectRoundTrip({Json(arrow::decimal128(10, 2), "[\"1.50\", null, \"-7.00\"]")});
  ExpectRoundTrip({Json(arrow::date32(), "[1, null, -7]")});
  ExpectRoundTrip({Json(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1, null, -7]")});
  ExpectRoundTrip({Strings({"a", std::nullopt, "", "long enough for the heap"})});
  ExpectRoundTrip({Json(arrow::binary(), "[\"a\", null, \"\"]")});
  ExpectRoundTrip({Json(arrow::null(), "[null, null]")});
}

TEST(KeyCodecTest, SeveralColumnsAndNestedOnesRoundTrip) {
  ExpectRoundTrip({Int64s({1, std::nullopt, 3}), Json(arrow::boolean(), "[true, null, false]")});
  ExpectRoundTrip({Strings({"a", std::nullopt, ""}), Int64s({1, 2, std::nullopt}),
                   Strings({std::nullopt, "", "b"})});
  ExpectRoundTrip({Json(arrow::list(arrow::utf8()), R"([["a", null], null, [], ["", "bc"]])")});
  const auto structure =
      arrow::struct_({arrow::field("x", arrow::int32()),
                      arrow::field("y", arrow::list(arrow::field("item", arrow::float64())))});
  ExpectRoundTrip({Json(structure, R"([{"x": 1, "y": [1.5]}, null, {"x": null, "y": null}])"),
                   Int64s({1, 2, 3})});
}

TEST(KeyCodecTest, SlicedColumnsKeepTheirRows) {
  const auto numbers = Int64s({9, std::nullopt, 3, 4})->Slice(1, 2);
  const auto words = Strings({"xx", "abc", std::nullopt, "d"})->Slice(1, 2);
  const auto bools = Json(arrow::boolean(), "[true, false, true, null]")->Slice(1, 3);

  ExpectRoundTrip({numbers});
  ExpectRoundTrip({words});
  ExpectRoundTrip({bools});
  ExpectRoundTrip({numbers, words});
}

TEST(KeyCodecTest, FlatColumnsAreNotCopied) {
  const auto numbers = Int64s({9, 3, 4})->Slice(1);
  const auto words = Strings({"xx", "abc"})->Slice(1);
  EncodedKeys keys;

  ASSERT_TRUE(CodecOf({arrow::int64()})->Encode({numbers}, 2, &keys).ok());
  EXPECT_EQ(keys.data, numbers->data()->buffers[1]->data() + 8);
  ASSERT_TRUE(CodecOf({arrow::utf8()})->Encode({words}, 1, &keys).ok());
  EXPECT_EQ(keys.data, words->data()->buffers[2]->data());
}

TEST(KeyCodecTest, FloatsThatSparkGroupsTogetherEncodeEqually) {
  arrow::DoubleBuilder builder;
  const double other_nan = std::nan("7");
  ASSERT_TRUE(builder.AppendValues({0.0, -0.0, std::nan(""), -other_nan, other_nan}).ok());
  const auto doubles = builder.Finish().ValueOrDie();
  const auto in_list =
      arrow::ListArray::FromArrays(*Json(arrow::int32(), "[0, 1, 2, 3, 4, 5]"), *doubles)
          .ValueOrDie();
  const std::vector<std::vector<std::shared_ptr<arrow::Array>>> cases = {
      {doubles}, {doubles, Int64s({1, 1, 1, 1, 1})}, {in_list}};
  for (const auto& columns : cases) {
    std::vector<std::shared_ptr<arrow::DataType>> types;
    for (const auto& column : columns) types.push_back(column->type());
    EncodedKeys keys;

    ASSERT_TRUE(CodecOf(types)->Encode(columns, 5, &keys).ok());

    EXPECT_EQ(keys.Key(0), keys.Key(1));
    EXPECT_EQ(keys.Key(2), keys.Key(3));
    EXPECT_EQ(keys.Key(2), keys.Key(4));
    EXPECT_EQ(keys.hashes[2], keys.hashes[4]);
    EXPECT_NE(keys.Key(0), keys.Key(2));
  }
}

// The values are part of the checkpoint format: a change makes existing checkpoints unreadable.
TEST(KeyCodecTest, HashesStayTheSameForEver) {
  EncodedKeys keys;
  ASSERT_TRUE(CodecOf({arrow::int64()})->Encode({Int64s({0, 42, std::nullopt})}, 3, &keys).ok());
  EXPECT_EQ(HexOf(keys.hashes[0]), "c77b3abb6f87acd9");
  EXPECT_EQ(HexOf(keys.hashes[1]), "d5a6f8c838df27c8");
  EXPECT_EQ(HexOf(keys.hashes[2]), "9ae16a3b2f90404f");
  ASSERT_TRUE(CodecOf({arrow::utf8()})->Encode({Strings({"", "tide"})}, 2, &keys).ok());
  EXPECT_EQ(HexOf(keys.hashes[0]), "2d06800538d394c2");
  EXPECT_EQ(HexOf(keys.hashes[1]), HexOf(Hash64("tide")));
  EXPECT_EQ(HexOf(keys.hashes[1]), "031d979d1232410d");
  const auto codec = CodecOf({arrow::utf8(), arrow::int32()});
  ASSERT_TRUE(codec->Encode({Strings({"tide"}), Json(arrow::int32(), "[null]")}, 1, &keys).ok());
  EXPECT_EQ(keys.Key(0), std::string_view("\x01\x04tide\0\0\0\0\0", 11));
  EXPECT_EQ(HexOf(keys.hashes[0]), "3cdb794f81e2e3ff");
}

TEST(KeyCodecTest, GlobalAggregateHasOneKeyInGroupZero) {
  EncodedKeys keys;

  ASSERT_TRUE(CodecOf({})->Encode({}, 3, &keys).ok());

  EXPECT_EQ(keys.num_keys, 3);
  EXPECT_EQ(KeyGroupOf(keys.hashes[2], 128), 0u);
}

TEST(KeyCodecTest, KeyGroupsComeFromTheHighBitsAndAreEven) {
  constexpr int kKeys = 128 * 1000;
  arrow::Int64Builder builder;
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(builder.Append(i).ok());
  EncodedKeys keys;
  ASSERT_TRUE(
      CodecOf({arrow::int64()})->Encode({builder.Finish().ValueOrDie()}, kKeys, &keys).ok());
  std::vector<int> counts(128);
  for (int i = 0; i < kKeys; ++i) ++counts[KeyGroupOf(keys.hashes[i], 128)];

  EXPECT_EQ(KeyGroupOf(~uint64_t{0}, 128), 127u);
  for (const int count : counts) EXPECT_NEAR(count, 1000, 200);
}

TEST(KeyCodecTest, MapKeysAreRefused) {
  const auto codec = KeyCodec::Make({arrow::list(arrow::map(arrow::utf8(), arrow::int32()))});

  EXPECT_EQ(KindOf(codec.status()), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorClassOf(codec.status()), "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE");
}

TEST(KeyCodecTest, DamagedRowsAreRefusedNotRead) {
  const auto codec = CodecOf({arrow::utf8(), arrow::list(arrow::int32())});
  EncodedKeys keys;
  ASSERT_TRUE(
      codec->Encode({Strings({"tide"}), Json(arrow::list(arrow::int32()), "[[1, 2]]")}, 1, &keys)
          .ok());
  const std::string good(keys.Key(0));
  int refused = 0;
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(0xff);
    const int32_t offsets[2] = {0, static_cast<int32_t>(bad.size())};
    keys.data = reinterpret_cast<const uint8_t*>(bad.data());
    keys.offsets = offsets;

    const auto decoded = codec->Decode(keys, arrow::default_memory_pool());

    if (!decoded.ok()) ++refused;
  }
  EXPECT_GE(refused, 5);  // presence bytes, length and count
}

}  // namespace
}  // namespace tidemill::state
