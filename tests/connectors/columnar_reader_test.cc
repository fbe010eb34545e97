#include "connectors/file/columnar/columnar_reader.h"

#include <arrow/adapters/orc/adapter.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <random>
#include <sstream>

#include "common/base/error.h"
#include "connectors/column_filter.h"
#include "connectors/file/sink/file_encoder.h"
#include "tests/connectors/columnar_files.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string DataPath(const std::string& name) { return JoinPath(TIDEMILL_TEST_DATA, name); }

std::vector<std::string> LinesOf(const std::string& name) {
  std::istringstream text(ReadFile(FileSystem::Local(), DataPath(name)).ValueOrDie());
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// A file with a row group for each `rows` rows.
std::string ParquetOfRowGroups(const std::shared_ptr<arrow::RecordBatch>& batch, int64_t rows) {
  const auto stream = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto table = arrow::Table::FromRecordBatches({batch}).ValueOrDie();
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), stream, rows).ok());
  return stream->Finish().ValueOrDie()->ToString();
}

// A file with a stripe for each `rows` rows.
std::string OrcOfStripes(const std::shared_ptr<arrow::RecordBatch>& batch, int64_t rows,
                         arrow::Compression::type compression) {
  namespace orc = arrow::adapters::orc;
  const auto stream = arrow::io::BufferOutputStream::Create().ValueOrDie();
  orc::WriteOptions options;
  options.batch_size = rows;
  options.stripe_size = 1;
  options.compression = compression;
  const auto writer = orc::ORCFileWriter::Open(stream.get(), options).ValueOrDie();
  for (int64_t begin = 0; begin < batch->num_rows(); begin += rows) {
    EXPECT_TRUE(writer->Write(*batch->Slice(begin, rows)).ok());
  }
  EXPECT_TRUE(writer->Close().ok());
  return stream->Finish().ValueOrDie()->ToString();
}

// Columns of every type that can be read from any row on, half of them with NULLs; texts begin as a
// dictionary, which is then given up. Row groups of 700 rows, pages of few.
std::string ParquetOfManyPages(int rows) {
  std::string json;
  for (int i = 0; i < rows; ++i) {
    json += fmt::format(
        R"({}[{}, "{}", {}, {}, {}, {}, {}, {}])", i == 0 ? "" : ",", i,
        i < 100 ? std::to_string(i % 3) : fmt::format("text-{:06}-{}", i * 7919 % 1000003, i),
        i % 3 == 0 ? "null" : std::to_string(i * 2),
        i % 5 == 0 ? "null" : fmt::format("\"b{}\"", i),
        i % 7 == 0 ? "null" : fmt::format("{}.5", i),
        i % 2 == 0 ? "null" : std::to_string(i % 9000),
        i % 11 == 0 ? "null" : std::to_string(int64_t{i} * 1000003), fmt::format("{}.25", i % 50));
  }
  const auto batch =
      BatchOf("n INT, s STRING, l BIGINT, b STRING, d DOUBLE, da DATE, at TIMESTAMP, f FLOAT",
              "[" + json + "]");
  const auto stream = arrow::io::BufferOutputStream::Create().ValueOrDie();
  parquet::WriterProperties::Builder properties;
  properties.data_pagesize(400)->write_batch_size(16)->dictionary_pagesize_limit(600)->compression(
      parquet::Compression::SNAPPY);
  const auto table = arrow::Table::FromRecordBatches({batch}).ValueOrDie();
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), stream, 700,
                                         properties.build())
                  .ok());
  return stream->Finish().ValueOrDie()->ToString();
}

class ColumnarReaderTest : public ::testing::TestWithParam<std::string> {
 protected:
  // Our own file with one INT column n of 0 to rows - 1, and others of its values.
  std::string WriteNumbers(int rows, const std::string& name = "a") {
    return dir_.Write(name + "." + GetParam(), EncodeNumbers(GetParam(), rows));
  }

  const ScratchDir dir_;
};

INSTANTIATE_TEST_SUITE_P(Formats, ColumnarReaderTest, ::testing::Values("parquet", "orc"),
                         [](const auto& info) { return info.param; });

// The keys that a reader with these filters gives of six rows in three row groups or stripes.
class FilteredFile {
 public:
  FilteredFile(std::string format, const std::string& bytes)
      : format_(std::move(format)), split_(SplitOf(dir_.Write("a", bytes))) {}

  // The writer of ORC ends a stripe when it sees compressed bytes, so there must be many.
  static std::shared_ptr<arrow::RecordBatch> Rows() {
    std::mt19937 random(1);
    const auto pad = [&] {
      std::string text;
      while (text.size() < 200'000) text.push_back(static_cast<char>('A' + random() % 26));
      return text;
    };
    std::string rows;
    for (const char* row :
         {R"("a1", [1], 10, 0, -2000000)", R"("a2", [], 15, null, -1000000)",
          R"("b1", null, 20, 1, 5000000)", R"("b2", [2], 25, null, 6000000)",
          R"("c1", [3, 4], 30, 2, 60000000)", R"("c2", [], 35, null, 61000000)"}) {
      rows += fmt::format("{}[{}, \"{}\"]", rows.empty() ? "" : ",", row, pad());
    }
    return BatchOf("k STRING, list ARRAY<INT>, n BIGINT, day DATE, at TIMESTAMP, pad STRING",
                   "[" + rows + "]");
  }

  std::string Keys(const std::vector<ColumnFilter>& filters) const {
    const auto rows = ReadRows({.format = format_,
                                .options = {{std::string(kFilterOption), EncodeFilters(filters)}},
                                .columns = std::vector<int>{0, 1, 2, 3, 4}},
                               split_)
                          .ValueOrDie();
    std::string found;
    for (const std::string& row : rows) found += row.substr(6, 2);
    return found;
  }

 private:
  const ScratchDir dir_;
  const std::string format_;
  const Split split_;
};

void ExpectThatFiltersWork(const FilteredFile& file) {
  using Op = ColumnFilter::Op;
  const auto n = [](int64_t value) { return ColumnFilter::Value(value); };
  const auto s = [](std::string value) { return ColumnFilter::Value(std::move(value)); };

  EXPECT_EQ(file.Keys({}), "a1a2b1b2c1c2");
  EXPECT_EQ(file.Keys({{2, Op::kGreater, n(24)}}), "b1b2c1c2");
  EXPECT_EQ(file.Keys({{2, Op::kGreater, n(25)}}), "c1c2");
  EXPECT_EQ(file.Keys({{2, Op::kLessEqual, n(20)}}), "a1a2b1b2");
  EXPECT_EQ(file.Keys({{2, Op::kLess, n(20)}}), "a1a2");
  EXPECT_EQ(file.Keys({{0, Op::kEqual, s("b15")}}), "b1b2");
  EXPECT_EQ(file.Keys({{0, Op::kGreaterEqual, s("b2")}, {2, Op::kLess, n(30)}}), "b1b2");
  EXPECT_EQ(file.Keys({{3, Op::kEqual, n(2)}}), "c1c2");
  EXPECT_EQ(file.Keys({{3, Op::kEqual, n(7)}}), "");
  EXPECT_EQ(file.Keys({{4, Op::kLess, n(-1'500'000)}}), "a1a2");
  EXPECT_EQ(file.Keys({{4, Op::kGreaterEqual, n(6'000'000)}}), "b1b2c1c2");
  EXPECT_EQ(file.Keys({{4, Op::kGreater, n(63'000'000)}}), "");
}

TEST(DividedRowGroupTest, SplitsOfAnySizeGiveEveryRowOnceInOrder) {
  const ScratchDir dir;
  const std::string path = dir.Write("a.parquet", ParquetOfManyPages(2000));
  const int64_t size = SplitOf(path).file_size;
  for (const std::vector<int>& columns :
       {std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}, std::vector<int>{1}, std::vector<int>{7, 2},
        std::vector<int>{}}) {
    ReaderContext context;
    context.batch_rows = 61;
    const ReadRequest request{.format = "parquet", .columns = columns};
    const auto whole = ReadRows(request, SplitOf(path), context).ValueOrDie();
    ASSERT_THAT(whole, SizeIs(2000));
    for (const int pieces : {2, 3, 7, 50}) {
      std::vector<std::string> rows;
      size_t most = 0;
      for (int i = 0; i < pieces; ++i) {
        const auto part =
            ReadRows(request, SplitOf(path, size * i / pieces, size * (i + 1) / pieces), context)
                .ValueOrDie();
        most = std::max(most, part.size());
        rows.insert(rows.end(), part.begin(), part.end());
      }
      EXPECT_EQ(rows, whole) << pieces;
      EXPECT_LT(most, size_t(2 * 2000 / pieces)) << pieces;
    }
  }
}

// A nested column can only be read from the start of a row group.
TEST(DividedRowGroupTest, WithOtherColumnsARowGroupBelongsToOneSplit) {
  const ScratchDir dir;
  const std::string path = dir.Write("a.parquet", ParquetOfRowGroups(FilteredFile::Rows(), 6));
  const int64_t size = SplitOf(path).file_size;
  const ReadRequest request{.format = "parquet", .columns = std::vector<int>{0, 1}};

  std::vector<size_t> rows;
  for (int i = 0; i < 3; ++i) {
    rows.push_back(
        ReadRows(request, SplitOf(path, size * i / 3, size * (i + 1) / 3)).ValueOrDie().size());
  }

  EXPECT_THAT(rows, ElementsAre(0, 6, 0));
}

TEST(ColumnFiltersTest, RowGroupsWithoutWantedRowsAreNotRead) {
  ExpectThatFiltersWork({"parquet", ParquetOfRowGroups(FilteredFile::Rows(), 2)});
}

TEST(ColumnFiltersTest, StripesWithoutWantedRowsAreNotRead) {
  for (const auto compression :
       {arrow::Compression::UNCOMPRESSED, arrow::Compression::GZIP, arrow::Compression::SNAPPY,
        arrow::Compression::LZ4, arrow::Compression::ZSTD}) {
    SCOPED_TRACE(arrow::util::Codec::GetCodecAsString(compression));
    ExpectThatFiltersWork({"orc", OrcOfStripes(FilteredFile::Rows(), 2, compression)});
  }
}

TEST(ColumnFiltersTest, FiltersAreReadAsTheyWereWritten) {
  const std::vector<ColumnFilter> filters = {
      {3, ColumnFilter::Op::kLess, int64_t{-5}},
      {0, ColumnFilter::Op::kGreaterEqual, std::string("a;\xFF\x00", 4)}};

  const auto decoded = DecodeFilters(EncodeFilters(filters)).ValueOrDie();

  ASSERT_EQ(decoded.size(), 2u);
  EXPECT_EQ(decoded[0].value, filters[0].value);
  EXPECT_EQ(decoded[1].value, filters[1].value);
  EXPECT_EQ(decoded[1].op, filters[1].op);
  for (const char* text : {"x", "0", "0>", "0>n", "0>nx;", "0>s6;", "-1>n5;", "0?n5;"}) {
    EXPECT_EQ(ErrorClassOf(DecodeFilters(text).status()), "INVALID_OPTION_VALUE") << text;
  }
}

// The rows and types that Spark wrote; see tests/oracle/columnar_fixtures.py.
TEST(SparkFilesTest, FilesOfSparkGiveItsRows) {
  const std::vector<std::string> expected = LinesOf("spark.json");
  for (const char* name : {"spark_int96.parquet", "spark_micros.parquet", "spark.orc"}) {
    const std::string format = std::string(name).ends_with("orc") ? "orc" : "parquet";

    const auto rows = ReadRows({.format = format}, SplitOf(DataPath(name)));

    ASSERT_TRUE(rows.ok()) << name << rows.status().ToString();
    EXPECT_EQ(*rows, expected) << name;
  }
}

TEST(SparkFilesTest, TheirSchemaIsTheOneThatSparkHad) {
  for (const char* name : {"spark_int96.parquet", "spark_micros.parquet", "spark.orc"}) {
    const std::string format = std::string(name).ends_with("orc") ? "orc" : "parquet";

    const SourceSpec spec = SpecOf({.format = format}, DataPath(name)).ValueOrDie();

    EXPECT_EQ(DdlOf(*spec.schema),
              "bool BOOLEAN, tiny TINYINT, small SMALLINT, int INT, big BIGINT, float FLOAT, "
              "double DOUBLE, dec DECIMAL(4,2), wide DECIMAL(22,2), str STRING, bin BINARY, "
              "date DATE, ts TIMESTAMP, ntz TIMESTAMP_NTZ, list ARRAY<INT>, "
              "map MAP<STRING, DOUBLE>, struct STRUCT<a: INT, b: ARRAY<STRUCT<c: STRING>>>")
        << name;
  }
}

TEST_P(ColumnarReaderTest, WhatWasWrittenIsRead) {
  const auto batch = BatchOfAllTypes();
  const std::string path = dir_.Write("a", EncodeBatches(GetParam(), {batch, batch}));

  const auto rows = ReadRows({.format = GetParam()}, SplitOf(path)).ValueOrDie();

  EXPECT_EQ(rows, JsonRowsOf({batch, batch}).ValueOrDie());
}

TEST(OrcTimestampTest, OnesThatOtherReadersWouldNotTakeAreNotWritten) {
  const SinkSpec spec{.format = "orc", .schema = ParseDdlSchema("t TIMESTAMP").ValueOrDie()};
  const auto write = [&](const char* rows) {
    std::string bytes;
    const auto encoder = MakeFileEncoder(spec, FindTimeZone("UTC").ValueOrDie()).ValueOrDie();
    return ErrorClassOf(encoder->Append(BatchOf("t TIMESTAMP", rows), &bytes));
  };

  EXPECT_EQ(write("[[-1]]"), "UNSUPPORTED_ORC_TIMESTAMP");
  EXPECT_NE(write("[[-2000000], [null], [1]]"), "UNSUPPORTED_ORC_TIMESTAMP");
}

TEST_P(ColumnarReaderTest, EveryCodecIsRead) {
  const std::vector<std::string> codecs =
      GetParam() == "orc"
          ? std::vector<std::string>{"zstd", "snappy", "zlib", "lz4", "none", "UNCOMPRESSED"}
          : std::vector<std::string>{"snappy", "zstd", "gzip", "lz4", "lz4_raw", "none"};
  const auto batch = BatchOfAllTypes();
  for (const std::string& codec : codecs) {
    const std::string path =
        dir_.Write("a", EncodeBatches(GetParam(), {batch}, {{"compression", codec}}));
    EXPECT_EQ(ReadRows({.format = GetParam()}, SplitOf(path)).ValueOrDie(),
              JsonRowsOf({batch}).ValueOrDie())
        << codec;
  }
}

TEST_P(ColumnarReaderTest, OnlyTheColumnsAskedForAreGiven) {
  const Split split = SplitOf(WriteNumbers(3));

  const auto some =
      ReadRows({.format = GetParam(), .columns = std::vector<int>{1}}, split).ValueOrDie();
  const auto none =
      ReadRows({.format = GetParam(), .columns = std::vector<int>{}}, split).ValueOrDie();

  EXPECT_THAT(some, ElementsAre(R"({"s":"v0"})", R"({"s":"v1"})", R"({"s":"v2"})"));
  EXPECT_THAT(none, ElementsAre("{}", "{}", "{}"));
}

TEST_P(ColumnarReaderTest, BatchesHaveTheRowsAskedForAtMost) {
  const Split split = SplitOf(WriteNumbers(1000));
  const SourceSpec spec = SpecOf({.format = GetParam()}, split.path).ValueOrDie();
  const auto reader = MakeSourceReader(spec, {0, 1}).ValueOrDie();

  const auto batches = ReadSplit(reader.get(), split, {.batch_rows = 300}).ValueOrDie();

  int64_t rows = 0;
  for (const auto& batch : batches) {
    EXPECT_LE(batch->num_rows(), 300);
    rows += batch->num_rows();
  }
  EXPECT_EQ(rows, 1000);
}

// Counted from 1 and through row groups that are not read.
TEST(ColumnarPlacesTest, RowsHaveTheirNumberInTheFile) {
  const ScratchDir dir;
  const std::string path = dir.Write("a.parquet", ParquetOfRowGroups(NumbersBatch(10), 4));
  const std::vector<ColumnFilter> above_five = {{0, ColumnFilter::Op::kGreater, int64_t{5}}};
  const auto spec = SpecOf({.format = "parquet",
                            .schema = "n INT, s STRING",
                            .options = {{std::string(kFilterOption), EncodeFilters(above_five)}}},
                           path)
                        .ValueOrDie();
  const auto reader = MakeSourceReader(spec, {0}).ValueOrDie();
  ReaderContext context;
  context.batch_rows = 3;

  const auto places = ReadPlaces(reader.get(), SplitOf(path), context).ValueOrDie();

  EXPECT_THAT(places, ElementsAre(path + ", row 5", path + ", row 6", path + ", row 7",
                                  path + ", row 8", path + ", row 9", path + ", row 10"));
}

TEST_P(ColumnarReaderTest, EveryRowGroupIsInOneSplitWhereverTheFileIsCut) {
  const std::string path = GetParam() == "orc"
                               ? WriteNumbers(10)
                               : dir_.Write("a", ParquetOfRowGroups(NumbersBatch(10), 3));
  const int64_t size = SplitOf(path).file_size;
  for (int64_t cut = 1; cut < size; cut += 7) {
    auto rows = ReadRows({.format = GetParam()}, SplitOf(path, 0, cut)).ValueOrDie();
    const auto rest = ReadRows({.format = GetParam()}, SplitOf(path, cut)).ValueOrDie();
    rows.insert(rows.end(), rest.begin(), rest.end());
    EXPECT_EQ(rows, JsonRowsOf({NumbersBatch(10)}).ValueOrDie()) << "cut at " << cut;
  }
}

TEST_P(ColumnarReaderTest, ColumnsAreFoundByNameAndMissingOnesAreNull) {
  const Split split = SplitOf(WriteNumbers(1));

  const auto rows =
      ReadRows({.format = GetParam(), .schema = "x INT, S STRING, N INT"}, split).ValueOrDie();

  EXPECT_THAT(rows, ElementsAre(R"({"S":"v0","N":0})"));
}

TEST_P(ColumnarReaderTest, TypesAreWidenedWhereNothingIsLost) {
  const Split split = SplitOf(WriteNumbers(2));
  const auto read = [&](const std::string& type) {
    return ReadRows({.format = GetParam(), .schema = "n " + type}, split);
  };

  EXPECT_THAT(*read("BIGINT"), ElementsAre(R"({"n":0})", R"({"n":1})"));
  EXPECT_THAT(*read("DOUBLE"), ElementsAre(R"({"n":0.0})", R"({"n":1.0})"));
  EXPECT_THAT(*read("DECIMAL(12,2)"), ElementsAre(R"({"n":0.00})", R"({"n":1.00})"));
  for (const char* type : {"SMALLINT", "STRING", "BOOLEAN", "DECIMAL(9,0)", "DATE", "TIMESTAMP",
                           "ARRAY<INT>", "STRUCT<n: INT>", "MAP<STRING, INT>"}) {
    const auto status = read(type).status();
    EXPECT_THAT(ErrorClassOf(status), HasSubstr("COLUMN_DATA_TYPE_MISMATCH")) << type;
    EXPECT_EQ(KindOf(status), ErrorKind::kJobFailed);
  }
}

TEST_P(ColumnarReaderTest, FieldsOfStructsAreFoundByNameToo) {
  const auto batch = BatchOfAllTypes();
  const Split split = SplitOf(dir_.Write("a", EncodeBatches(GetParam(), {batch})));

  const auto rows =
      ReadRows({.format = GetParam(), .schema = "st STRUCT<b: STRING, z: INT>"}, split)
          .ValueOrDie();

  EXPECT_THAT(rows, ElementsAre(R"({"st":{"b":"in"}})", "{}"));
}

TEST_P(ColumnarReaderTest, AnEmptyFileHasNoRowsAndNoSchema) {
  const Split split = SplitOf(dir_.Write("a", ""));

  EXPECT_THAT(ReadRows({.format = GetParam(), .schema = "n INT"}, split).ValueOrDie(), IsEmpty());
  EXPECT_EQ(ErrorClassOf(SpecOf({.format = GetParam()}, dir_.path()).status()),
            "UNABLE_TO_INFER_SCHEMA");
}

TEST_P(ColumnarReaderTest, OptionsThatSparkHasAreRefusedByName) {
  EXPECT_EQ(
      ErrorClassOf(
          SpecOf({.format = GetParam(), .schema = "n INT", .options = {{"mergeSchema", "true"}}},
                 "/in")
              .status()),
      "UNSUPPORTED_OPTION");
}

TEST_P(ColumnarReaderTest, AFileThatChangedAfterItWasListedEndsTheJob) {
  Split split = SplitOf(WriteNumbers(3));
  split.mtime_us -= 1;

  const auto status = ReadRows({.format = GetParam(), .schema = "n INT"}, split).status();

  EXPECT_EQ(ErrorClassOf(status), "SOURCE_FILE_CHANGED");
}

}  // namespace
}  // namespace tidemill::connectors
