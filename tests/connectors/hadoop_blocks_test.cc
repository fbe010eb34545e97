#include "connectors/file/hadoop_blocks.h"

#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "common/base/error.h"
#include "connectors/file/compression.h"

namespace tidemill::connectors {
namespace {

const uint8_t* BytesOf(const std::string& text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

// Lines that compress, more than a block of them.
std::string SomeLines() {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += fmt::format("line {} of {}\n", i, i % 7);
  return text;
}

class HadoopBlocksTest : public ::testing::TestWithParam<arrow::Compression::type> {
 protected:
  static std::string Compressed(const std::string& text, size_t room) {
    const auto compressor = MakeHadoopCompressor(GetParam()).ValueOrDie();
    std::string out;
    std::string buffer(room, '\0');
    auto* at = reinterpret_cast<uint8_t*>(buffer.data());
    for (int64_t read = 0; read < static_cast<int64_t>(text.size());) {
      const auto size = std::min<int64_t>(static_cast<int64_t>(text.size()) - read, 50'000);
      const auto step = compressor->Compress(size, BytesOf(text) + read, room, at).ValueOrDie();
      read += step.bytes_read;
      out.append(buffer, 0, step.bytes_written);
    }
    while (true) {
      const auto end = compressor->End(room, at).ValueOrDie();
      out.append(buffer, 0, end.bytes_written);
      if (!end.should_retry) return out;
    }
  }

  // Through the reader's inflater, in pieces; "open" behind what ends in the middle.
  static arrow::Result<std::string> Plain(const std::string& bytes, size_t piece, size_t room) {
    ARROW_ASSIGN_OR_RAISE(const auto inflater, Inflater::Make(GetParam()));
    std::string out;
    std::string buffer(room, '\0');
    for (size_t at = 0; at < bytes.size(); at += piece) {
      std::string_view input = std::string_view(bytes).substr(at, piece);
      while (true) {
        ARROW_ASSIGN_OR_RAISE(const auto step,
                              inflater->Inflate(input, buffer.data(), static_cast<int64_t>(room)));
        input.remove_prefix(step.consumed);
        out.append(buffer, 0, step.produced);
        if (step.consumed == 0 && step.produced == 0) break;
      }
    }
    if (inflater->has_open_stream()) out += " open";
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Codecs, HadoopBlocksTest,
                         ::testing::Values(arrow::Compression::SNAPPY,
                                           arrow::Compression::LZ4_HADOOP),
                         [](const auto& info) {
                           return info.param == arrow::Compression::SNAPPY ? "snappy" : "lz4";
                         });

TEST_P(HadoopBlocksTest, TextComesBackWhateverThePieces) {
  const std::string text = SomeLines();
  for (const size_t room : {size_t{1000}, size_t{1} << 20}) {
    const std::string bytes = Compressed(text, room);
    EXPECT_LT(bytes.size(), text.size() / 2);
    for (const size_t piece : {size_t{1}, size_t{777}, bytes.size()}) {
      EXPECT_TRUE(Plain(bytes, piece, room).ValueOrDie() == text) << room << " " << piece;
    }
  }
  EXPECT_EQ(Compressed("", 100), "");
}

TEST_P(HadoopBlocksTest, AFileThatIsCutIsOpenUnlessBehindABlock) {
  const std::string bytes = Compressed("one", 100);
  EXPECT_EQ(Plain(bytes + bytes, 3, 100).ValueOrDie(), "oneone");
  for (size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_EQ(Plain(bytes.substr(0, size), 100, 100).ValueOrDie(), " open") << size;
  }
}

TEST_P(HadoopBlocksTest, DamageIsAnError) {
  const std::string block(4, '\1');  // 16 MiB and more are to come
  for (const char* chunk : {"\0\0\0\0", "\x7f\0\0\0", "\0\0\0\x02\xff\xff"}) {
    const std::string bytes = block + std::string(chunk, chunk[3] == 2 ? 6 : 4);
    EXPECT_EQ(ErrorClassOf(Plain(bytes, 100, 100).status()), "CORRUPT_COMPRESSED_FILE");
  }
}

}  // namespace
}  // namespace tidemill::connectors
