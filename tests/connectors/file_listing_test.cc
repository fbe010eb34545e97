#include "connectors/file/file_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "tests/connectors/scratch_dir.h"

namespace tidemill::connectors {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::vector<std::string> NamesOf(const ListingRules& rules) {
  std::vector<std::string> names;
  const auto files = ListInputFiles(FileSystem::Local(), rules);
  EXPECT_TRUE(files.ok()) << files.status().ToString();
  if (!files.ok()) return names;
  for (const FileInfo& file : *files) names.push_back(BaseName(file.path));
  return names;
}

TEST(FileListingTest, GlobsMatchAsInShells) {
  EXPECT_TRUE(MatchesGlob("part-1.json", "part-*.json"));
  EXPECT_TRUE(MatchesGlob("a", "?"));
  EXPECT_FALSE(MatchesGlob("", "?"));
  EXPECT_TRUE(MatchesGlob("b7", "[a-c][!0-5]"));
  EXPECT_FALSE(MatchesGlob("b3", "[a-c][^0-5]"));
  EXPECT_TRUE(MatchesGlob("x.gz", "x.{json,gz}"));
  EXPECT_TRUE(MatchesGlob("ab2c", "{a{b,c}*,x}c"));
  EXPECT_FALSE(MatchesGlob("x.gzz", "x.{json,gz}"));
  EXPECT_TRUE(MatchesGlob("a*b", "a\\*b"));
  EXPECT_FALSE(MatchesGlob("acb", "a\\*b"));
  EXPECT_TRUE(MatchesGlob("abc", "*"));
}

TEST(FileListingTest, LeavesOutHiddenAndUnfinishedNames) {
  const ScratchDir dir;
  for (const char* name : {"a.txt", "_b.txt", ".c.txt", "d.txt._COPYING_", "e/f.txt"}) {
    dir.Write(name, "x");
  }

  EXPECT_THAT(NamesOf({.path = dir.path()}), ElementsAre("a.txt"));
}

TEST(FileListingTest, GoesDownOnlyWhenRecursive) {
  const ScratchDir dir;
  for (const char* name : {"a.txt", "x/b.txt", "x/y/c.txt", "_z/d.txt"}) dir.Write(name, "x");

  EXPECT_THAT(NamesOf({.path = dir.path(), .is_recursive = true}),
              UnorderedElementsAre("a.txt", "b.txt", "c.txt"));
}

TEST(FileListingTest, AGlobNamesFilesAndDirectories) {
  const ScratchDir dir;
  for (const char* name : {"2024/a.log", "2025/b.log", "2025/c.txt", "2026.log"}) {
    dir.Write(name, "x");
  }

  EXPECT_THAT(NamesOf({.path = dir / "20*/*.log"}), UnorderedElementsAre("a.log", "b.log"));
  EXPECT_THAT(NamesOf({.path = dir / "2025*", .name_filter = "*.txt"}), ElementsAre("c.txt"));
  EXPECT_THAT(NamesOf({.path = dir / "{2024,2026.log}"}),
              UnorderedElementsAre("a.log", "2026.log"));
  EXPECT_THAT(NamesOf({.path = dir / "none*"}), ElementsAre());
}

TEST(FileListingTest, APathThatDoesNotExistIsAnErrorWithASuggestion) {
  const ScratchDir dir;
  dir.Write("clicks/a.txt", "x");

  const auto files = ListInputFiles(FileSystem::Local(), {.path = dir / "click"});

  EXPECT_EQ(KindOf(files.status()), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorClassOf(files.status()), "PATH_NOT_FOUND");
  EXPECT_EQ(DetailOf(files.status())->hint, "did you mean clicks?");
}

TEST(FileListingTest, PartitionDirectoriesAreRefused) {
  const ScratchDir dir;
  dir.Write("day=1/a.txt", "x");

  const auto files = ListInputFiles(FileSystem::Local(), {.path = dir.path()});

  EXPECT_EQ(ErrorClassOf(files.status()), "UNSUPPORTED_PARTITIONS");
}

}  // namespace
}  // namespace tidemill::connectors
