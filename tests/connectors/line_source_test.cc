#include "connectors/file/line_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/base/error.h"
#include "connectors/file/text_reader.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LineSourceTest : public ::testing::Test {
 protected:
  static std::unique_ptr<SourceReader> Reader(const std::string& separator = "") {
    SourceSpec spec{.name = "lines", .format = "text"};
    spec.options.Set("path", "/in");
    if (!separator.empty()) spec.options.Set("lineSep", separator);
    return MakeTextReader(ResolveSource(spec).ValueOrDie(), {0}).ValueOrDie();
  }

  std::vector<std::string> Read(const Split& split, const std::string& separator = "") {
    return TextsOf(ReadSplit(Reader(separator).get(), split).ValueOrDie());
  }

  const ScratchDir dir_;
};

TEST_F(LineSourceTest, EveryKindOfLineEndEndsALine) {
  const std::string path = dir_.Write("a", "one\ntwo\r\nthree\rfour\n\n\r\n\rlast");

  EXPECT_THAT(Read(SplitOf(path)), ElementsAre("one", "two", "three", "four", "", "", "", "last"));
}

TEST_F(LineSourceTest, AnEndAtTheEndOfTheFileBeginsNoLine) {
  EXPECT_THAT(Read(SplitOf(dir_.Write("a", "one\n"))), ElementsAre("one"));
  EXPECT_THAT(Read(SplitOf(dir_.Write("b", "\n"))), ElementsAre(""));
  EXPECT_THAT(Read(SplitOf(dir_.Write("c", ""))), IsEmpty());
}

TEST_F(LineSourceTest, WhereverAFileIsCutEachLineIsReadOnce) {
  for (const std::string contents : {"one\ntwo\r\nthree\rfour\n\n\r\n\rlast", "a\r\nb\r\nc\r\n",
                                     "\r\r\r", "\n\n", "abcdef", "\r\n\r\n", "x\n\ry"}) {
    const std::string path = dir_.Write("a", contents);
    const auto size = static_cast<int64_t>(contents.size());
    const auto whole = Read(SplitOf(path));
    for (int64_t first = 1; first < size; ++first) {
      for (int64_t second = first; second < size; ++second) {
        std::vector<std::string> lines;
        for (const Split& split :
             {SplitOf(path, 0, first), SplitOf(path, first, second), SplitOf(path, second)}) {
          for (std::string& line : Read(split)) lines.push_back(std::move(line));
        }
        EXPECT_EQ(lines, whole) << first << " " << second;
      }
    }
  }
}

TEST_F(LineSourceTest, ASeparatorOfOnesOwnLeavesLineFeedsInTheLines) {
  const std::string path = dir_.Write("a", "one\nmore;two;;three");

  EXPECT_THAT(Read(SplitOf(path), ";"), ElementsAre("one\nmore", "two", "", "three"));
  EXPECT_THAT(Read(SplitOf(path, 9), ";"), ElementsAre("two", "", "three"));
}

TEST_F(LineSourceTest, LinesGoOnOverBlocks) {
  const std::string a(3 << 20, 'a');
  const std::string b(9 << 20, 'b');
  const std::string path = dir_.Write("a", a + "\r\n" + b + "\nc\nd");

  const auto lines = Read(SplitOf(path));

  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[0] == a && lines[1] == b && lines[2] == "c" && lines[3] == "d");
  EXPECT_THAT(Read(SplitOf(path, (3 << 20) + 3)), ElementsAre("c", "d"));
  EXPECT_EQ(Read(SplitOf(path, 1, (3 << 20) + 3)).at(0).size(), b.size());
}

TEST_F(LineSourceTest, BatchesEndAtTheirLimits) {
  const std::string path = dir_.Write("a", "1\n2\n3\n4444\n5\n");

  const auto by_rows = ReadSplit(Reader().get(), SplitOf(path), {.batch_rows = 2}).ValueOrDie();
  const auto by_bytes = ReadSplit(Reader().get(), SplitOf(path), {.batch_bytes = 4}).ValueOrDie();

  ASSERT_EQ(by_rows.size(), 3u);
  EXPECT_EQ(by_rows[2]->num_rows(), 1);
  ASSERT_EQ(by_bytes.size(), 2u);
  EXPECT_EQ(by_bytes[0]->num_rows(), 4);
}

TEST_F(LineSourceTest, AFileThatChangedSinceItWasListedStopsTheJob) {
  const std::string path = dir_.Write("a", "one\n", 1);
  const Split listed = SplitOf(path);

  dir_.Write("a", "two\n", 2);
  const auto changed = ReadSplit(Reader().get(), listed);
  ASSERT_TRUE(FileSystem::Local()->Remove(path).ok());
  const auto gone = ReadSplit(Reader().get(), listed);

  EXPECT_EQ(ErrorClassOf(changed.status()), "SOURCE_FILE_CHANGED");
  EXPECT_EQ(KindOf(changed.status()), ErrorKind::kJobFailed);
  EXPECT_EQ(ErrorClassOf(gone.status()), "SOURCE_FILE_CHANGED");
}

TEST_F(LineSourceTest, CompressedFilesAreReadWhole) {
  const std::string path = dir_.Write("a.txt", "one\ntwo\n");
  for (const char* command : {"gzip -k ", "zstd -q ", "bzip2 -k "}) {
    ASSERT_EQ(0, std::system((command + path).c_str())) << command;
  }
  for (const char* name : {"a.txt.gz", "a.txt.zst", "a.txt.bz2"}) {
    EXPECT_THAT(Read(SplitOf(dir_ / name)), ElementsAre("one", "two")) << name;
  }
}

TEST_F(LineSourceTest, ACompressedFileThatEndsTooEarlyStopsTheJob) {
  const std::string path = dir_.Write("a.txt", std::string(100'000, 'x') + "\n");
  ASSERT_EQ(0, std::system(("gzip -k " + path).c_str()));
  const std::string bytes = dir_.Read("a.txt.gz");
  const std::string cut = dir_.Write("cut.gz", bytes.substr(0, bytes.size() / 2));

  const auto read = ReadSplit(Reader().get(), SplitOf(cut));

  EXPECT_EQ(ErrorClassOf(read.status()), "CORRUPT_COMPRESSED_FILE");
}

}  // namespace
}  // namespace tidemill::connectors
