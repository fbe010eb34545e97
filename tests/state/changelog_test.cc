#include "state/durable/changelog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/base/error.h"
#include "common/base/random.h"
#include "state_testing.h"

namespace tidemill::state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ChangelogTest : public ::testing::Test {
 protected:
  std::unique_ptr<ChangelogSegment> NewSegment(int64_t sequence = 0) {
    return ChangelogSegment::Create({.fs = FileSystem::Local(),
                                     .state_dir = directory_.path(),
                                     .worker = "w",
                                     .incarnation = "i",
                                     .sequence = sequence})
        .ValueOrDie();
  }
  Extent WriteTwoTables(ChangelogSegment* segment, ChangelogCodec codec = ChangelogCodec::kNone) {
    auto first = WordTable();
    auto second = WordTable();
    PutWord(first.get(), "tide", 1, "in");
    PutWord(second.get(), std::nullopt, 2, std::string(more_, 'o') + "out");
    ChangelogSections one(codec);
    ChangelogSections two(codec);
    one.Add(0, 9, *first);
    two.Add(0, 3, *second);
    EXPECT_TRUE(one.Seal().ok());
    EXPECT_TRUE(two.Seal().ok());
    const ChangelogSections* slots[] = {&one, &two};
    Extent extent = segment->Append(7, slots).ValueOrDie();
    EXPECT_TRUE(segment->Sync().ok());
    return extent;
  }
  arrow::Status ReadAll(const Extent& extent) {
    ARROW_ASSIGN_OR_RAISE(const std::string bytes,
                          ReadExtent(FileSystem::Local(), directory_.path(), extent));
    RowBlock block;
    return ForEachSection(extent, bytes, [&](const ChangelogSection& section) {
      return ParseRowBlock(section.block, &block);
    });
  }

  TestDirectory directory_;
  size_t more_ = 0;  // bytes of a value
};

TEST_F(ChangelogTest, SectionsComeBackAsTheyWereWritten) {
  auto segment = NewSegment();
  WriteTwoTables(segment.get());
  const Extent extent = WriteTwoTables(segment.get());
  EXPECT_EQ(extent.offset, extent.length);
  EXPECT_THAT(extent.key_groups, ElementsAre(3, 9));
  const std::string bytes = ReadExtent(FileSystem::Local(), directory_.path(), extent).ValueOrDie();
  std::vector<uint32_t> groups;
  auto copy = WordTable();

  ASSERT_TRUE(ForEachSection(extent, bytes, [&](const ChangelogSection& section) {
                groups.push_back(section.key_group);
                EXPECT_EQ(section.unchanged_since, -1);
                RowBlock block;
                ARROW_RETURN_NOT_OK(ParseRowBlock(section.block, &block));
                return copy->Import(block);
              }).ok());

  EXPECT_THAT(groups, ElementsAre(9, 3));
  EXPECT_THAT(DumpWords(*copy), ElementsAre("(null)=2/out", "tide=1/in"));
}

TEST_F(ChangelogTest, EveryFlippedOrMissingByteIsDetected) {
  auto segment = NewSegment();
  const Extent extent = WriteTwoTables(segment.get(), ChangelogCodec::kLz4);
  const std::string path = JoinPath(directory_.path(), extent.file);
  const std::string good = ReadFile(FileSystem::Local(), path).ValueOrDie();
  ASSERT_EQ(static_cast<int64_t>(good.size()), extent.length);
  ASSERT_TRUE(ReadAll(extent).ok());
  for (size_t i = 0; i < 2 * good.size(); ++i) {
    std::string bad = good;
    if (i < good.size()) {
      bad[i] = static_cast<char>(bad[i] ^ 0x40);
    } else {
      bad.resize(i - good.size());
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bad;

    const arrow::Status status = ReadAll(extent);

    ASSERT_EQ(KindOf(status), ErrorKind::kCorrupt) << "byte " << i;
    ASSERT_EQ(ErrorClassOf(status), "CHECKPOINT_CORRUPT");
    ASSERT_THAT(status.message(), HasSubstr(extent.file));
  }
}

TEST_F(ChangelogTest, PackedSectionsAreTheSameAndSmaller) {
  more_ = 10'000'000;  // of several pieces
  auto segment = NewSegment();
  const Extent plain = WriteTwoTables(segment.get());
  const std::string want = ReadExtent(FileSystem::Local(), directory_.path(), plain).ValueOrDie();
  for (const ChangelogCodec codec :
       {ChangelogCodec::kLz4, ChangelogCodec::kZstd, ChangelogCodec::kSnappy}) {
    const Extent packed = WriteTwoTables(segment.get(), codec);
    EXPECT_LT(packed.length, plain.length / 10);
    EXPECT_EQ(packed.key_groups, plain.key_groups);
    EXPECT_EQ(ReadExtent(FileSystem::Local(), directory_.path(), packed).ValueOrDie(), want);
  }
}

TEST(ChangelogCodecTest, WhatNoCodecShortensIsKept) {
  std::string noise;
  for (uint64_t i = 0; i < 3000; ++i) noise += static_cast<char>(SplitMix64(i, 0) & 0xff);
  for (const std::string& raw : {std::string(), std::string("short"), noise}) {
    PodVector<uint8_t> packed;
    ASSERT_TRUE(Pack(ChangelogCodec::kZstd, raw, &packed).ok());
    EXPECT_LE(packed.size(), raw.size() + 9);
    std::string again;
    ASSERT_TRUE(Unpack({reinterpret_cast<const char*>(packed.data()), packed.size()}, &again).ok());
    EXPECT_EQ(again, raw);
  }
}

TEST(ChangelogCodecTest, DamageNeverCrashes) {
  PodVector<uint8_t> packed;
  ASSERT_TRUE(Pack(ChangelogCodec::kLz4, std::string(1000, 'x') + "tide", &packed).ok());
  const std::string good(reinterpret_cast<const char*>(packed.data()), packed.size());
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {0x01, 0x02, 0x03, 0x80, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      std::string raw;
      (void)Unpack(bad, &raw);  // any answer will do
    }
    std::string raw;
    EXPECT_TRUE(i == 0 || !Unpack(good.substr(0, i), &raw).ok());
  }
}

// The checksum already catches damage; the parser must still never read beyond its bytes.
TEST_F(ChangelogTest, DamagedSectionsNeverCrashTheParser) {
  auto segment = NewSegment();
  const Extent extent = WriteTwoTables(segment.get());
  const std::string good = ReadExtent(FileSystem::Local(), directory_.path(), extent).ValueOrDie();
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      auto table = WordTable();

      (void)ForEachSection(extent, bad, [&](const ChangelogSection& section) {
        RowBlock block;
        ARROW_RETURN_NOT_OK(ParseRowBlock(section.block, &block));
        return table->Import(block);
      });  // any answer will do
    }
  }
}

TEST_F(ChangelogTest, ASegmentNeverTakesOverAnExistingFile) {
  auto segment = NewSegment(4);

  const auto second = ChangelogSegment::Create({.fs = FileSystem::Local(),
                                                .state_dir = directory_.path(),
                                                .worker = "w",
                                                .incarnation = "i",
                                                .sequence = 4});

  EXPECT_EQ(KindOf(second.status()), ErrorKind::kConflict);
}

TEST_F(ChangelogTest, MissingFilesAreCorruption) {
  auto segment = NewSegment();
  const Extent extent = WriteTwoTables(segment.get());
  ASSERT_TRUE(FileSystem::Local()->Remove(JoinPath(directory_.path(), extent.file)).ok());

  EXPECT_EQ(KindOf(ReadAll(extent)), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace tidemill::state
