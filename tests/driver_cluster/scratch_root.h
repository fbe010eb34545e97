#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "common/fs/file_system.h"

namespace tidemill::driver {

// A directory of one test, removed at its end. *Thread-compatible.*
class ScratchRoot {
 public:
  ScratchRoot() {
    std::string name = ::testing::TempDir() + "driver_cluster-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~ScratchRoot() { (void)RemoveTree(FileSystem::Local(), path_); }
  ScratchRoot(const ScratchRoot&) = delete;
  ScratchRoot& operator=(const ScratchRoot&) = delete;

  std::string operator/(std::string_view name) const { return JoinPath(path_, name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tidemill::driver
