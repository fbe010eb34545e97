#include "common/types/ddl.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"

namespace tidemill {
namespace {

std::shared_ptr<arrow::DataType> TypeOf(std::string_view text) {
  auto type = ParseDdlType(text);
  EXPECT_TRUE(type.ok()) << text << ": " << type.status().ToString();
  return type.ok() ? *type : nullptr;
}

struct Failure {
  std::string error_class;
  std::string message;
  std::string at;  // the text under the span
  std::string hint;
};

Failure FailureOf(std::string_view text, const arrow::Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  if (detail == nullptr || !detail->span) return {};
  const Span span = *detail->span;
  return {detail->error_class, status.message(),
          std::string(text.substr(span.begin, span.end - span.begin)), detail->hint};
}

Failure TypeFailure(std::string_view text) { return FailureOf(text, ParseDdlType(text).status()); }

Failure SchemaFailure(std::string_view text) {
  return FailureOf(text, ParseDdlSchema(text).status());
}

TEST(DdlTypeTest, EveryNameAndSynonymGivesItsArrowType) {
  const std::vector<std::pair<std::string, std::shared_ptr<arrow::DataType>>> cases = {
      {"BOOLEAN", arrow::boolean()},
      {"tinyint", arrow::int8()},
      {"Byte", arrow::int8()},
      {"SMALLINT", arrow::int16()},
      {"SHORT", arrow::int16()},
      {"INT", arrow::int32()},
      {"INTEGER", arrow::int32()},
      {"BIGINT", arrow::int64()},
      {"long", arrow::int64()},
      {"FLOAT", arrow::float32()},
      {"REAL", arrow::float32()},
      {"DOUBLE", arrow::float64()},
      {"DECIMAL", arrow::decimal128(10, 0)},
      {"DEC(5)", arrow::decimal128(5, 0)},
      {"NUMERIC( 38 , 18 )", arrow::decimal128(38, 18)},
      {"STRING", arrow::utf8()},
      {"STRING COLLATE utf8_binary", arrow::utf8()},
      {"VARCHAR(20)", arrow::utf8()},
      {"CHARACTER(3)", arrow::utf8()},
      {"BINARY", arrow::binary()},
      {"DATE", arrow::date32()},
      {"TIMESTAMP", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")},
      {"TIMESTAMP_LTZ", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")},
      {"TIMESTAMP_NTZ", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {"VOID", arrow::null()},
      {"array<int>", arrow::list(arrow::int32())},
      {"MAP<STRING, ARRAY<INT>>", arrow::map(arrow::utf8(), arrow::list(arrow::int32()))},
      {"STRUCT<>", arrow::struct_(arrow::FieldVector{})},
      {"STRUCT<a: INT, `b c` STRING NOT NULL COMMENT 'it''s'>",
       arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b c", arrow::utf8())})},
  };

  for (const auto& [text, type] : cases) {
    auto parsed = TypeOf(text);
    ASSERT_NE(parsed, nullptr);
    EXPECT_TRUE(parsed->Equals(*type)) << text << " gave " << parsed->ToString();
  }
}

TEST(DdlTypeTest, SqlTypeNameParsesBackToTheSameType) {
  for (const char* text :
       {"VOID", "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE",
        "DECIMAL(38,18)", "STRING", "BINARY", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ",
        "ARRAY<MAP<STRING, STRUCT<a: INT, `b``c`: ARRAY<DATE>, `1d`: STRUCT<>>>>"}) {
    EXPECT_EQ(SqlTypeName(*TypeOf(text)), text);
  }
}

TEST(DdlTypeTest, UnknownNameSuggestsTheNearestOne) {
  Failure misspelt = TypeFailure("ARRAY<STRNG>");
  EXPECT_EQ(misspelt.error_class, "UNSUPPORTED_DATATYPE");
  EXPECT_EQ(misspelt.message, "Unsupported data type \"STRNG\".");
  EXPECT_EQ(misspelt.at, "STRNG");
  EXPECT_EQ(misspelt.hint, "did you mean STRING?");

  EXPECT_EQ(TypeFailure("text").hint, "write STRING");
  EXPECT_EQ(TypeFailure("variant").error_class, "UNSUPPORTED_DATATYPE");
}

TEST(DdlTypeTest, SyntaxErrorsPointAtTheToken) {
  Failure open = TypeFailure("ARRAY<INT");
  EXPECT_EQ(open.error_class, "PARSE_SYNTAX_ERROR");
  EXPECT_EQ(open.message, "Syntax error at or near end of input.");
  EXPECT_EQ(open.hint, "missing '>'");

  EXPECT_EQ(TypeFailure("INT INT").at, "INT");
  EXPECT_EQ(TypeFailure("MAP<STRING>").at, ">");
  EXPECT_EQ(TypeFailure("DECIMAL(a)").at, "a");
  EXPECT_EQ(TypeFailure("").message, "Syntax error at or near end of input.");
  EXPECT_EQ(TypeFailure("STRUCT<`a INT>").at, "`a INT>");
}

TEST(DdlTypeTest, IncompleteAndOversizedTypesAreNamed) {
  EXPECT_EQ(TypeFailure("array").error_class, "INCOMPLETE_TYPE_DEFINITION.ARRAY");
  EXPECT_EQ(TypeFailure("MAP").error_class, "INCOMPLETE_TYPE_DEFINITION.MAP");
  EXPECT_EQ(TypeFailure("VARCHAR").error_class, "DATATYPE_MISSING_SIZE");
  Failure decimal = TypeFailure("DECIMAL(39,2)");
  EXPECT_EQ(decimal.error_class, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION");
  EXPECT_EQ(decimal.at, "DECIMAL(39,2)");
  EXPECT_EQ(TypeFailure("DECIMAL(99999999999999999999)").error_class,
            "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION");
  EXPECT_EQ(TypeFailure("DECIMAL(2,5)").error_class, "UNSUPPORTED_DATATYPE");
  EXPECT_EQ(TypeFailure("DECIMAL(0)").error_class, "UNSUPPORTED_DATATYPE");
}

TEST(DdlTypeTest, DepthEndsAtOneHundredLevels) {
  auto nested = [](int levels) {
    std::string text;
    for (int i = 1; i < levels; ++i) text += "ARRAY<";
    return text + "INT" + std::string(levels - 1, '>');
  };

  EXPECT_TRUE(ParseDdlType(nested(100)).ok());
  EXPECT_EQ(TypeFailure(nested(101)).message, "data type is nested too deeply: limit=100");
  EXPECT_FALSE(ParseDdlType(std::string(1 << 20, '<')).ok());
}

TEST(DdlSchemaTest, ColumnListTakesSparksVariants) {
  auto schema = ParseDdlSchema(
      "ts TIMESTAMP, -- event time\n `user name` string NOT NULL COMMENT \"x, y\",\n"
      "n: INT /* count */, struct STRUCT<a INT>");

  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  EXPECT_EQ(DdlOf(**schema), "ts TIMESTAMP, `user name` STRING, n INT, struct STRUCT<a: INT>");
  for (const auto& field : (*schema)->fields()) EXPECT_TRUE(field->nullable());
}

TEST(DdlSchemaTest, StructTypeIsAColumnListToo) {
  auto schema = ParseDdlSchema("struct<a: int, b: string>");

  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(DdlOf(**schema), "a INT, b STRING");
}

TEST(DdlSchemaTest, DdlOfParsesBackToTheSameSchema) {
  const auto schema = arrow::schema(
      {arrow::field("a", arrow::decimal128(5, 2)), arrow::field("a", arrow::utf8()),
       arrow::field("sum(x)", arrow::int64()), arrow::field("grüße", TimestampType()),
       arrow::field("back`tick", TimestampNtzType()), arrow::field("", arrow::boolean()),
       arrow::field("1", arrow::map(arrow::utf8(), arrow::list(arrow::binary())))});

  auto parsed = ParseDdlSchema(DdlOf(*schema));

  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_TRUE((*parsed)->Equals(*schema)) << DdlOf(**parsed);
  EXPECT_EQ(DdlOf(**ParseDdlSchema(" ")), "");
}

TEST(DdlSchemaTest, ErrorsSayWhatToWrite) {
  Failure comma = SchemaFailure("a INT b STRING");
  EXPECT_EQ(comma.at, "b");
  EXPECT_EQ(comma.hint, "columns are separated by commas");

  Failure dash = SchemaFailure("first-name STRING");
  EXPECT_EQ(dash.error_class, "INVALID_IDENTIFIER");
  EXPECT_EQ(dash.at, "first-name");

  EXPECT_EQ(SchemaFailure("größe INT").at, "größe");
  EXPECT_EQ(SchemaFailure("1 INT").hint, "put such a name between backquotes");
  EXPECT_EQ(SchemaFailure("a INT,").message, "Syntax error at or near end of input.");
  EXPECT_EQ(SchemaFailure("a INT DEFAULT 1").at, "DEFAULT");
}

}  // namespace
}  // namespace tidemill
