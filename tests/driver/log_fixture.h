#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/fs/file_system.h"
#include "driver/log/commit_log.h"

namespace tidemill::driver {

// A directory of its own per test, removed afterwards, and records to fill a log with.
class LogFixture : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::string Path(const std::string& name) const { return JoinPath(checkpoint_, name); }
  std::string Contents(const std::string& name) const;
  void Overwrite(const std::string& name, std::string_view contents);

  // Takes a new term and opens the log.
  arrow::Result<CommitLog::Opened> OpenLog();
  static proto::LogRecord Plan(int64_t epoch);
  // Of the epoch that Plan(epoch) planned.
  static proto::LogRecord Commit(int64_t epoch);
  static proto::LogRecord CommitAndPlan(int64_t epoch);
  static proto::LogRecord Base(int64_t epoch);

  FileSystem* const fs_ = FileSystem::Local();
  std::string checkpoint_;
};

// "Open3 Plan0 Commit0+Plan1": the records of a log in short.
std::string Summary(const LogContents& contents);

}  // namespace tidemill::driver
