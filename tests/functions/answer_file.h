#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// One expression with what Spark answers. *Plain data.*
struct RecordedAnswer {
  int line = 0;
  std::string expression;
  std::string spark;  // "INT | 83", "error | DIVIDE_BY_ZERO 22012"; empty: not recorded yet
  std::string ours;   // where Tidemill differs on purpose, else empty
  const std::string& expected() const { return ours.empty() ? spark : ours; }
};

// A file of answers/; the format is in README.md. *Plain data.*
struct AnswerFile {
  std::string zone = "UTC";
  std::vector<RecordedAnswer> answers;

  // Fails the running test where the file does not follow the format.
  static AnswerFile Read(const std::string& path);
};

// The stems of the files of a folder, sorted.
std::vector<std::string> AnswerFileNames(std::string_view folder);

}  // namespace tidemill
