#include "deploy/client/driver_address.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "common/base/error.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "deploy/local_cluster/cluster_file.h"

namespace tidemill::deploy {
namespace {

class DriverAddressTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("TIDEMILL_DRIVER");
    ::unsetenv("TIDEMILL_ROOT");
    root_ = ::testing::TempDir() + "address-" + NewUuid(Random::System());
    ASSERT_TRUE(FileSystem::Local()->CreateDirectories(root_).ok());
  }
  void TearDown() override {
    ::unsetenv("TIDEMILL_DRIVER");
    (void)RemoveTree(FileSystem::Local(), root_);  // Scratch.
  }
  static std::string Found(const DriverOptions& options) {
    const auto found = FindDriver(options);
    return found.ok() ? found->address + " by " + found->origin : ErrorClassOf(found.status());
  }

  std::string root_;
};

TEST_F(DriverAddressTest, FlagThenEnvironmentThenFileThenDefault) {
  EXPECT_EQ(Found({.root = root_}), "127.0.0.1:7400 by default");
  ClusterFile file;
  file.driver = {.process = {17, 42}, .listen = "127.0.0.1:4000", .http = "127.0.0.1:4001"};
  ASSERT_TRUE(WriteClusterFile(FileSystem::Local(), root_, file).ok());
  EXPECT_EQ(Found({.root = root_}), "127.0.0.1:4000 by " + ClusterFilePath(root_));
  ::setenv("TIDEMILL_DRIVER", "127.0.0.1:5000", 1);
  EXPECT_EQ(Found({.root = root_}), "127.0.0.1:5000 by TIDEMILL_DRIVER");
  EXPECT_EQ(Found({.driver = "h:1", .root = root_}), "h:1 by --driver");
  EXPECT_EQ(Found({.master = "tidemill://h:1", .root = root_}), "h:1 by --master");
}

TEST_F(DriverAddressTest, WhatIsNoAddressIsAUsageError) {
  for (const char* text : {"host", "host:", ":1", "host:0", "host:70000", "host:1x"}) {
    EXPECT_EQ(Found({.driver = text}), "INVALID_ADDRESS") << text;
  }
  EXPECT_EQ(Found({.master = "yarn"}), "INVALID_ADDRESS");
}

}  // namespace
}  // namespace tidemill::deploy
