#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <string>
#include <string_view>

#include "common/fs/file_system.h"

namespace tidemill {

// A directory of one test, removed at its end. *Thread-compatible.*
class ScratchDir {
 public:
  ScratchDir() {
    std::string name = ::testing::TempDir() + "tidemill-XXXXXX";
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

}  // namespace tidemill
