#include "common/base/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace tidemill {

namespace {

std::atomic<LogLevel> lowest_level{LogLevel::kWarn};  // relaxed: a late change costs a line at most

spdlog::logger& Logger() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("tidemill",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    made->set_pattern("[%Y-%m-%d %H:%M:%S.%e] [%l] %v");
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

LogLine::LogLine(LogLevel level, std::string_view event)
    : level_(level), is_enabled_(level >= lowest_level.load(std::memory_order_relaxed)) {
  if (is_enabled_) text_ = event;
}

LogLine::~LogLine() {
  if (is_enabled_) Logger().log(SpdlogLevel(level_), "{}", text_);
}

void LogLine::Append(std::string_view key, const std::string& value) {
  text_ += ' ';
  text_ += key;
  text_ += '=';
  if (value.empty() || value.find_first_of(" \t\n\"=") != std::string::npos) {
    text_ += '"';
    for (char c : value) {
      if (c == '"' || c == '\\') text_ += '\\';
      if (c == '\n') {
        text_ += "\\n";
      } else {
        text_ += c;
      }
    }
    text_ += '"';
  } else {
    text_ += value;
  }
}

void SetLogLevel(LogLevel level) { lowest_level.store(level, std::memory_order_relaxed); }

}  // namespace tidemill
