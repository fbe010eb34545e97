#include "deploy/local_cluster/cluster_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/base/error.h"
#include "deploy/local_cluster/daemon_process.h"

namespace tidemill::deploy {
namespace {

TEST(ClusterFileTest, WhatIsWrittenIsRead) {
  ClusterFile file;
  file.driver = {.process = {17, 42}, .listen = "127.0.0.1:4000", .http = "127.0.0.1:4001"};
  file.workers = {{.id = "worker-0", .process = {18, 43}, .slots = 4}};
  file.boot_id = "abc";

  const std::string text = ClusterFileText(file);
  EXPECT_EQ(text,
            "{\"driver\":{\"pid\":17,\"listen\":\"127.0.0.1:4000\",\"http\":\"127.0.0.1:4001\","
            "\"startTicks\":42},\"workers\":[{\"id\":\"worker-0\",\"pid\":18,\"slots\":4,"
            "\"startTicks\":43}],\"bootId\":\"abc\"}\n");
  const ClusterFile read = ParseClusterFile(text, "cluster.json").ValueOrDie();
  EXPECT_EQ(ClusterFileText(read), text);
}

TEST(ClusterFileTest, AnythingElseIsRefused) {
  for (const char* text : {"", "{}", "{\"driver\":{\"pid\":0}}", "[1,2"}) {
    EXPECT_EQ(ErrorClassOf(ParseClusterFile(text, "cluster.json").status()),
              "CLUSTER_FILE_CORRUPT");
  }
}

TEST(DaemonProcessTest, AReusedPidIsAnotherProcess) {
  const std::string boot_id = BootId();
  EXPECT_FALSE(boot_id.empty());
  EXPECT_FALSE(IsRunning({::getpid(), 1}, boot_id));  // Not started in the first tick.
  EXPECT_FALSE(IsRunning({0, 0}, boot_id));
}

}  // namespace
}  // namespace tidemill::deploy
