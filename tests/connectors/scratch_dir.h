#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/executor.h"
#include "common/fs/file_system.h"
#include "connectors/source.h"

namespace tidemill::connectors {

// A directory of one test, removed at its end. *Thread-compatible.*
class ScratchDir {
 public:
  ScratchDir() {
    std::string name = ::testing::TempDir() + "connectors-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~ScratchDir() { (void)RemoveTree(FileSystem::Local(), path_); }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  std::string operator/(std::string_view name) const { return JoinPath(path_, name); }
  const std::string& path() const { return path_; }

  // Writes a file that was last changed `seconds` after 2020; returns its path.
  std::string Write(std::string_view name, std::string_view contents, int64_t seconds = 0) const {
    std::string path = *this / name;
    EXPECT_TRUE(FileSystem::Local()->CreateDirectories(ParentPath(path)).ok());
    EXPECT_TRUE(FileSystem::Local()->Remove(path).ok());
    auto file = FileSystem::Local()->Create(path);
    EXPECT_TRUE(file.ok() && (*file)->Append(contents).ok());
    const timespec time{.tv_sec = 1'577'836'800 + seconds, .tv_nsec = 0};
    const timespec times[2] = {time, time};
    EXPECT_EQ(0, ::utimensat(AT_FDCWD, path.c_str(), times, 0));
    return path;
  }

  std::string Read(std::string_view name) const {
    auto contents = ReadFile(FileSystem::Local(), *this / name);
    return contents.ok() ? *contents : contents.status().ToString();
  }

 private:
  std::string path_;
};

// Runs tasks when asked, on the caller's thread. *Thread-compatible.*
class StepExecutor final : public Executor {
 public:
  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  void PostAfter(std::chrono::nanoseconds delay, Task task) override { Post(std::move(task)); }
  void Stop() override { tasks_.clear(); }
  void RunAll() {
    while (!tasks_.empty()) {
      auto tasks = std::exchange(tasks_, {});
      for (Task& task : tasks) task();
    }
  }

 private:
  std::vector<Task> tasks_;
};

}  // namespace tidemill::connectors
