#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace tidemill {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// One structured log line on stderr: `[time] [level] event_name key=value ...`. Written when the
// object dies. Levels: error = someone must act; warn = we recovered; info = lifecycle; debug =
// off. Values with blanks are quoted. Used as: LogInfo("epoch_committed").With("epoch",
// 3).With("rows", n);
class LogLine {
 public:
  LogLine(LogLevel level, std::string_view event);
  ~LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;

  template <class Value>
  LogLine& With(std::string_view key, const Value& value) {
    if (is_enabled_) Append(key, fmt::format("{}", value));
    return *this;
  }

 private:
  void Append(std::string_view key, const std::string& value);

  const LogLevel level_;
  const bool is_enabled_;
  std::string text_;
};

inline LogLine LogDebug(std::string_view event) { return LogLine(LogLevel::kDebug, event); }
inline LogLine LogInfo(std::string_view event) { return LogLine(LogLevel::kInfo, event); }
inline LogLine LogWarn(std::string_view event) { return LogLine(LogLevel::kWarn, event); }
inline LogLine LogError(std::string_view event) { return LogLine(LogLevel::kError, event); }

// Sets the lowest level written; kWarn until it is called. *Thread-safe.*
void SetLogLevel(LogLevel level);

}  // namespace tidemill
