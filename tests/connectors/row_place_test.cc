#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "connectors/file/line_place.h"
#include "connectors/rate/rate_options.h"
#include "connectors/read_ahead.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

using ::testing::IsEmpty;

// What a split gives: for each row its first column, which says where it stands, and what the
// reader says about that. Without rows: the place of the record that the reader failed on.
struct Places {
  std::vector<std::string> wrong;  // "<first column> is at <place>", where they differ
  int64_t rows = 0;
  std::string of_failure;
};

arrow::Status NextPlaces(SplitReader* reader, OwnThreadExecutor* io, const std::string& path,
                         Places* places, bool* is_done) {
  auto step = reader->Next();
  if (!step.ok()) {
    const ErrorDetail* detail = DetailOf(step.status());
    if (detail != nullptr && detail->row) places->of_failure = reader->PlaceOf(*detail->row)();
    return step.status();
  }
  *is_done = step->kind == ReadStep::Kind::kEnd;
  if (step->kind == ReadStep::Kind::kPending) io->RunAll();
  if (step->kind != ReadStep::Kind::kBatch) return arrow::Status::OK();
  const arrow::Array& column = *step->batch->column(0);
  for (int64_t row = 0; row < step->batch->num_rows(); ++row) {
    ARROW_ASSIGN_OR_RAISE(const auto value, column.GetScalar(row));
    const std::string said = fmt::format("{}{}", path, value->ToString());
    const std::string place = reader->PlaceOf(row)();
    if (said != place) places->wrong.push_back(fmt::format("{} is at {}", said, place));
    ++places->rows;
  }
  return arrow::Status::OK();
}

class RowPlaceTest : public ::testing::Test {
 protected:
  arrow::Status Read(const ReadRequest& request, const Split& split, const std::string& path) {
    const arrow::Status status = Read(request, split, path, /*is_ahead=*/false);
    if (split.begin != 0 || split.end != split.file_size) return status;
    const Places places = std::move(places_);
    EXPECT_EQ(Read(request, split, path, /*is_ahead=*/true), status);
    EXPECT_EQ(places_.wrong, places.wrong);
    EXPECT_EQ(places_.rows, places.rows);
    EXPECT_EQ(places_.of_failure, places.of_failure);
    return status;
  }

  arrow::Status Read(const ReadRequest& request, const Split& split, const std::string& path,
                     bool is_ahead) {
    places_ = {};
    ARROW_ASSIGN_OR_RAISE(const SourceSpec spec, SpecOf(request, split.path));
    std::vector<int> columns;
    for (int i = 0; i < spec.schema->num_fields(); ++i) columns.push_back(i);
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<SourceReader> source, MakeSourceReader(spec, columns));
    OwnThreadExecutor io;
    ReaderContext context{.fs = FileSystem::Local(), .io = &io, .wake = [] {}};
    context.batch_rows = 3;
    ARROW_ASSIGN_OR_RAISE(
        auto reader, is_ahead ? OpenAhead(source, split, context) : source->Open(split, context));
    for (bool is_done = false; !is_done;) {
      ARROW_RETURN_NOT_OK(NextPlaces(reader.get(), &io, path, &places_, &is_done));
    }
    return arrow::Status::OK();
  }

  // Whole, and cut in two at each of its bytes: rows whose first column is their line are where the
  // reader says that they are.
  void ExpectLines(const ReadRequest& request, const std::string& name, const std::string& contents,
                   int64_t rows) {
    const std::string path = dir_.Write(name, contents);
    const Split whole = SplitOf(path);
    for (int64_t cut = 0; cut <= whole.file_size; ++cut) {
      int64_t read = 0;
      for (const auto& [begin, end] : {std::pair(int64_t{0}, cut), {cut, whole.file_size}}) {
        const arrow::Status status = Read(request, SplitOf(path, begin, end), path + ":");
        ASSERT_TRUE(status.ok()) << status.ToString();
        EXPECT_THAT(places_.wrong, IsEmpty()) << "cut at " << cut;
        read += places_.rows;
      }
      EXPECT_EQ(read, rows) << "cut at " << cut;
    }
  }

  const ScratchDir dir_;
  Places places_;
};

TEST_F(RowPlaceTest, LinesOfTextWithAnyLineEnd) {
  const ReadRequest text{.format = "text", .schema = ""};
  ExpectLines(text, "a.txt", "1\n2\n3\n4\n5", 5);
  ExpectLines(text, "b.txt", "1\r\n2\r\n3\r\n4", 4);
  ExpectLines(text, "c.txt", "1\r2\n3\r\n4\r", 4);
  ExpectLines({.format = "text", .schema = "", .options = {{"lineSep", ";"}}}, "d.txt", "1;2;3", 3);
}

TEST_F(RowPlaceTest, JsonRecordsBehindBlankBadAndLongOnes) {
  const std::string contents =
      "{\"line\":1}\n\n{\"line\":\n \n{\"line\":5}\n[{\"line\":6},{\"line\":6}]\n{\"line\":7}\n";
  ExpectLines({.format = "json", .schema = "line INT", .options = {{"mode", "DROPMALFORMED"}}},
              "a.json", contents, 5);
}

TEST_F(RowPlaceTest, CsvRecordsBehindHeadersCommentsAndBadUtf8) {
  const std::string contents = "\xEF\xBB\xBFline,text\n2,a\n#3\n\n5,b\xFFz\n6,c\n7,\xFE\n8,d";
  ExpectLines({.format = "csv",
               .schema = "line INT, text STRING",
               .options = {{"header", "true"}, {"comment", "#"}}},
              "a.csv", contents, 5);
}

TEST_F(RowPlaceTest, CsvRecordsOfSeveralLines) {
  const std::string path = dir_.Write("a.csv", "line,text\n2,\"a\nb\nc\"\n5,d\n\n7,e\n");
  const ReadRequest request{.format = "csv",
                            .schema = "line INT, text STRING",
                            .options = {{"header", "true"}, {"multiLine", "true"}}};

  ASSERT_TRUE(Read(request, SplitOf(path), path + ":").ok());

  EXPECT_THAT(places_.wrong, IsEmpty());
  EXPECT_EQ(places_.rows, 3);
}

// A line that begins in one block and ends in the next.
TEST_F(RowPlaceTest, LinesAcrossBlocks) {
  std::string contents;
  int64_t lines = 0;
  const std::string filler(100'000, ' ');
  while (contents.size() < (size_t{5} << 20)) {
    contents += fmt::format("{{\"line\":{},\"x\":\"{}\"}}\n", ++lines, filler);
  }
  const std::string path = dir_.Write("a.json", contents);

  ASSERT_TRUE(
      Read({.format = "json", .schema = "line INT, x STRING"}, SplitOf(path), path + ":").ok());

  EXPECT_THAT(places_.wrong, IsEmpty());
  EXPECT_EQ(places_.rows, lines);
}

TEST_F(RowPlaceTest, TheRecordThatFailfastStopsAt) {
  const std::string json = dir_.Write("a.json", "{\"a\":1}\n\n{\"a\":2}\n{\"a\":\n");
  const std::string csv = dir_.Write("a.csv", "1\n2\n#\nx\n");
  const std::map<std::string, std::string> fail_fast = {{"mode", "FAILFAST"}};

  EXPECT_FALSE(
      Read({.format = "json", .schema = "a INT", .options = fail_fast}, SplitOf(json), "").ok());
  EXPECT_EQ(places_.of_failure, json + ":4");
  EXPECT_FALSE(
      Read(
          {.format = "csv", .schema = "a INT", .options = {{"mode", "FAILFAST"}, {"comment", "#"}}},
          SplitOf(csv), "")
          .ok());
  EXPECT_EQ(places_.of_failure, csv + ":4");
}

TEST_F(RowPlaceTest, ACsvRecordBeyondALimit) {
  const std::string path = dir_.Write("a.csv", "1\n22\n333\n4444\n");
  const std::map<std::string, std::string> limit = {{"maxCharsPerColumn", "3"}};

  EXPECT_FALSE(
      Read({.format = "csv", .schema = "a INT", .options = limit}, SplitOf(path), "").ok());
  EXPECT_EQ(places_.of_failure, path + ":4");
  EXPECT_FALSE(Read({.format = "csv",
                     .schema = "a INT",
                     .options = {{"maxCharsPerColumn", "3"}, {"multiLine", "true"}}},
                    SplitOf(path), "")
                   .ok());
  EXPECT_EQ(places_.of_failure, path + ":4");
}

TEST_F(RowPlaceTest, AFileThatIsGoneStillHasTheByte) {
  const Split split{.path = "/nowhere/a.json", .end = 100, .file_size = 100};
  EXPECT_EQ(PlaceOfByte(split, 17, "", FileSystem::Local())(), "/nowhere/a.json, byte 17");
}

TEST_F(RowPlaceTest, RateSourcesHaveValues) {
  SourceSpec spec{.name = "t", .format = "rate-micro-batch"};
  spec.options.Set("rowsPerBatch", "7");
  spec = ResolveSource(spec).ValueOrDie();
  auto source = MakeSourceReader(spec, {1}).ValueOrDie();
  Split split;
  split.payload =
      EncodeRateRange({.range_begin = 100, .range_end = 107, .partition = 1, .partitions = 2});
  ReaderContext context;
  context.batch_rows = 2;
  auto reader = source->Open(split, context).ValueOrDie();

  ASSERT_TRUE(reader->Next().ok());
  EXPECT_EQ(reader->PlaceOf(1)(), "rate source, value 103");
  ASSERT_TRUE(reader->Next().ok());
  EXPECT_EQ(reader->PlaceOf(0)(), "rate source, value 105");
}

}  // namespace
}  // namespace tidemill::connectors
