#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "common/base/error.h"
#include "tests/connectors/columnar_files.h"
#include "tests/connectors/reading.h"

namespace tidemill::connectors {
namespace {

// Damaged files: an error that names the file, or rows, but never a crash.
class ColumnarDamageTest : public ::testing::TestWithParam<std::string> {
 protected:
  void ReadDamaged(const std::string& bytes, const std::string& what) {
    const std::string path = dir_.Write("a", bytes);
    const std::string schema = DdlOf(*BatchOfAllTypes()->schema());
    const auto size = static_cast<int64_t>(bytes.size());
    CheckError(ReadRows({.format = GetParam(), .schema = schema}, SplitOf(path)).status(), path,
               what);
    // Of columns that a part of a row group can be read of.
    const ReadRequest plain{
        .format = GetParam(), .schema = schema, .columns = std::vector<int>{3, 4, 5, 6, 9, 10, 11}};
    for (const Split& half : {SplitOf(path, 0, size / 2), SplitOf(path, size / 2)})
      CheckError(ReadRows(plain, half).status(), path, what);
  }
  static void CheckError(const arrow::Status& status, const std::string& path,
                         const std::string& what) {
    if (status.ok()) return;
    EXPECT_EQ(KindOf(status), ErrorKind::kJobFailed) << what << status.ToString();
    EXPECT_NE(status.message().find(path), std::string::npos) << what << status.ToString();
  }

  const ScratchDir dir_;
};

INSTANTIATE_TEST_SUITE_P(Formats, ColumnarDamageTest, ::testing::Values("parquet", "orc"),
                         [](const auto& info) { return info.param; });

TEST_P(ColumnarDamageTest, AFileThatIsCutShortCannotBeRead) {
  const std::string bytes = EncodeBatches(GetParam(), {BatchOfAllTypes()});
  for (size_t size = 1; size < bytes.size(); size += 1 + bytes.size() / 60) {
    const std::string path = dir_.Write("a", bytes.substr(0, size));

    const auto status = ReadRows({.format = GetParam(), .schema = "i INT"}, SplitOf(path)).status();

    EXPECT_EQ(ErrorClassOf(status), "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER") << size;
    EXPECT_NE(status.message().find(path), std::string::npos);
  }
}

TEST_P(ColumnarDamageTest, AnotherFormatCannotBeRead) {
  const std::string other = GetParam() == "orc" ? "parquet" : "orc";
  const std::string path = dir_.Write("a", EncodeBatches(other, {BatchOfAllTypes()}));

  const auto status = ReadRows({.format = GetParam(), .schema = "i INT"}, SplitOf(path)).status();

  EXPECT_EQ(ErrorClassOf(status), "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER");
}

// Not of ORC, which has no checksums: Arrow's reader of it can crash (README).
TEST_P(ColumnarDamageTest, FlippedBytesAreAnErrorOrOtherRows) {
  if (GetParam() == "orc") return;
  const std::string bytes =
      EncodeBatches(GetParam(), {BatchOfAllTypes()}, {{"compression", "none"}});
  std::mt19937 random(7);
  for (int round = 0; round < 150; ++round) {
    std::string damaged = bytes;
    const size_t at = random() % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
    ReadDamaged(damaged, fmt::format("byte {}: ", at));
  }
}

}  // namespace
}  // namespace tidemill::connectors
