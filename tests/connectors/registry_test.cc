#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/types/ddl.h"
#include "connectors/sink.h"
#include "connectors/source.h"

namespace tidemill::connectors {
namespace {

using ::testing::HasSubstr;

SourceSpec Source(const std::string& format) {
  SourceSpec spec{.name = "t", .format = format};
  spec.options.Set("path", "/in");
  return spec;
}

TEST(RegistryTest, FormatsDecideTheirSchemas) {
  EXPECT_EQ(DdlOf(*ResolveSource(Source("TEXT")).ValueOrDie().schema), "value STRING");
  EXPECT_EQ(DdlOf(*ResolveSource({.name = "r", .format = "rate"}).ValueOrDie().schema),
            "timestamp TIMESTAMP, value BIGINT");
}

TEST(RegistryTest, FormatsThatComeLaterAreRefusedByName) {
  for (const char* format : {"avro", "kafka", "postgres"}) {
    const auto source = ResolveSource(Source(format)).status();
    EXPECT_EQ(ErrorClassOf(source), "UNSUPPORTED_DATA_SOURCE");
    EXPECT_THAT(source.message(), HasSubstr("not supported yet"));
    EXPECT_THAT(DetailOf(source)->hint, HasSubstr("text, json, csv, parquet, orc"));
    EXPECT_EQ(ErrorClassOf(ResolveSink({.format = format}).status()), "UNSUPPORTED_DATA_SOURCE");
  }
}

TEST(RegistryTest, AnUnknownFormatSuggestsTheNearestOne) {
  EXPECT_EQ(DetailOf(ResolveSource(Source("jsn")).status())->hint, "did you mean json?");
  EXPECT_EQ(DetailOf(ResolveSink({.format = "consol"}).status())->hint, "did you mean console?");
}

TEST(RegistryTest, OptionsThatAreNotSupportedAreRefusedByName) {
  SourceSpec spec = Source("text");
  spec.options.Set("cleanSource", "delete");

  const auto status = ResolveSource(spec).status();

  EXPECT_EQ(ErrorClassOf(status), "UNSUPPORTED_OPTION");
  EXPECT_THAT(status.message(), HasSubstr("cleanSource"));
  spec.options.Set("cleanSource", "off");
  EXPECT_TRUE(ResolveSource(spec).ok());
}

TEST(RegistryTest, TextTakesOneStringColumn) {
  SourceSpec spec = Source("text");
  spec.schema = ParseDdlSchema("a STRING, b STRING").ValueOrDie();
  EXPECT_THAT(ResolveSource(spec).status().message(),
              HasSubstr("Text data source supports only a single column, and you have 2 columns."));
  spec.schema = ParseDdlSchema("n BIGINT").ValueOrDie();
  EXPECT_EQ(ErrorClassOf(ResolveSource(spec).status()), "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE");
}

TEST(RegistryTest, SourcesWithAFixedSchemaTakeNoOther) {
  SourceSpec spec{.name = "r", .format = "rate"};
  spec.schema = ParseDdlSchema("a INT").ValueOrDie();

  EXPECT_EQ(ErrorClassOf(ResolveSource(spec).status()), "UNSUPPORTED_USER_SCHEMA");
}

TEST(RegistryTest, AResolvedSpecificationResolvesToItself) {
  const SourceSpec once = ResolveSource(Source("text")).ValueOrDie();

  const SourceSpec twice = ResolveSource(once).ValueOrDie();

  EXPECT_TRUE(twice.schema->Equals(*once.schema));
}

}  // namespace
}  // namespace tidemill::connectors
