#include "tests/functions/answer_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace tidemill {

namespace {

constexpr std::string_view kZone = "-- timeZone: ", kOurs = "ours | ", kReason = " -- ";

}  // namespace

AnswerFile AnswerFile::Read(const std::string& path) {
  AnswerFile file;
  std::ifstream in(path);
  EXPECT_TRUE(in.good()) << path;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    std::string_view text = line;
    if (text.starts_with(kZone)) file.zone = text.substr(kZone.size());
    if (text.empty() || text.starts_with("--")) continue;
    if (!text.starts_with("  ")) {
      file.answers.push_back({.line = number, .expression = line});
      continue;
    }
    EXPECT_FALSE(file.answers.empty()) << path << ":" << number;
    if (file.answers.empty()) return file;
    RecordedAnswer& answer = file.answers.back();
    text.remove_prefix(2);
    if (!text.starts_with(kOurs)) {
      answer.spark = text;
      continue;
    }
    text.remove_prefix(kOurs.size());
    const size_t reason = text.rfind(kReason);
    EXPECT_NE(reason, std::string_view::npos) << path << ":" << number << ": no reason is given";
    answer.ours = text.substr(0, reason);
  }
  return file;
}

std::vector<std::string> AnswerFileNames(std::string_view folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace tidemill
