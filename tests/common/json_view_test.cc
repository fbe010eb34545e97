#include "common/json/json_view.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tidemill {
namespace {

TEST(JsonViewTest, LooksIntoObjectsAndArrays) {
  const auto root =
      JsonView::Parse(R"( {"a": {"b": [1, 2.5, "x\n\u00e9"]}, "c": null, "c": 3, "d": true} )");
  ASSERT_TRUE(root.has_value());
  const std::vector<JsonView> elements = (*root)["a"]["b"].Elements();
  ASSERT_EQ(elements.size(), 3U);
  EXPECT_EQ(elements[0].AsInteger<int>(), 1);
  EXPECT_EQ(elements[1].AsDouble(), 2.5);
  EXPECT_EQ(elements[2].AsString(), "x\n\u00e9");
  EXPECT_TRUE((*root)["c"].is_null()) << "the first of the name";
  EXPECT_TRUE((*root)["missing"]["below"].is_null());
  EXPECT_EQ((*root)["a"].text(), R"({"b": [1, 2.5, "x\n\u00e9"]})");
  std::vector<std::string> names;
  for (const auto& [name, value] : root->Fields()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "c", "c", "d"}));
}

TEST(JsonViewTest, OtherKindsAndNumbersThatDoNotFitAreNothing) {
  const auto root = JsonView::Parse(R"({"big": 3000000000, "text": "1", "half": 0.5})");
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ((*root)["big"].AsInteger<int32_t>(), std::nullopt);
  EXPECT_EQ((*root)["big"].AsInteger<int64_t>(), 3'000'000'000);
  EXPECT_EQ((*root)["text"].AsInteger<int>(), std::nullopt);
  EXPECT_EQ((*root)["half"].AsInteger<int>(), std::nullopt);
  EXPECT_EQ((*root)["half"].AsString(), std::nullopt);
  EXPECT_TRUE((*root)["text"].Fields().empty());
}

TEST(JsonViewTest, WhatIsNoJsonIsRefused) {
  for (const char* const text : {"", "{", "{'a': 1}", "[1,]", "{} {}", "NaN", "{\"a\" 1}"}) {
    EXPECT_FALSE(JsonView::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tidemill
