#include "driver/cluster/cluster_root.h"

#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <vector>

#include "common/base/error.h"
#include "common/rpc/newest_driver.h"
#include "driver/cluster/job_registration.h"
#include "tests/testing/scratch_dir.h"

namespace tidemill::driver {
namespace {

class ClusterRootTest : public testing::Test {
 protected:
  std::unique_ptr<ClusterRoot> Open(const std::string& listen = "127.0.0.1:7400") {
    auto root = ClusterRoot::Open({.fs = FileSystem::Local(),
                                   .random = Random::System(),
                                   .path = directory_ / "root",
                                   .listen = listen,
                                   .holder = "pid=17 host=a"});
    EXPECT_TRUE(root.ok()) << root.status();
    return *std::move(root);
  }

  static proto::RegisteredJob Job(const std::string& id, int64_t submitted_us = 0) {
    proto::RegisteredJob job;
    job.set_id(id);
    job.mutable_request()->set_specification("query: SELECT 1");
    job.mutable_request()->set_idempotency_key("key");
    job.mutable_info()->set_state(proto::JobInfo::STARTING);
    job.mutable_info()->set_submitted_us(submitted_us);
    return job;
  }

  ScratchDir directory_;
};

TEST_F(ClusterRootTest, ANewerDriverFencesTheOlderOne) {
  const auto older = Open();
  EXPECT_TRUE(older->CheckNewest().ok());
  const auto newer = Open("127.0.0.1:7401");
  EXPECT_EQ(newer->term(), older->term() + 1);
  EXPECT_TRUE(newer->CheckNewest().ok());
  const arrow::Status fenced = older->CheckNewest();
  EXPECT_EQ(KindOf(fenced), ErrorKind::kFenced);
  EXPECT_NE(fenced.message().find("127.0.0.1:7401 pid=17"), std::string::npos) << fenced;
}

TEST_F(ClusterRootTest, DriversThatRaceTakeDifferentTermsAndOneIsNewest) {
  std::vector<std::future<std::unique_ptr<ClusterRoot>>> racing;
  racing.reserve(8);
  for (int i = 0; i < 8; ++i)
    racing.push_back(std::async(std::launch::async, [&] { return Open(); }));
  std::set<uint64_t> terms;
  int newest = 0;
  std::vector<std::unique_ptr<ClusterRoot>> roots;
  roots.reserve(racing.size());
  for (auto& one : racing) roots.push_back(one.get());
  for (const auto& root : roots) {
    terms.insert(root->term());
    newest += root->CheckNewest().ok() ? 1 : 0;
  }
  EXPECT_EQ(terms.size(), 8u);
  EXPECT_EQ(newest, 1);
}

TEST_F(ClusterRootTest, ADriverOutranksOlderOnesOfItsRootOnly) {
  const auto older = Open();
  const auto newer = Open();
  EXPECT_EQ(newer->holder(), "pid=17 host=a term=2 root=" + (directory_ / "root"));
  EXPECT_TRUE(newer->Outranks(older->holder()));
  EXPECT_FALSE(older->Outranks(newer->holder()));
  EXPECT_FALSE(newer->Outranks(newer->holder()));
  EXPECT_FALSE(newer->Outranks("pid=17 host=a term=1 root=/elsewhere"));
  EXPECT_FALSE(newer->Outranks("pid=17 host=a"));
}

TEST_F(ClusterRootTest, TheNewestTermNamesTheDriversAddress) {
  EXPECT_EQ(*rpc::NewestDriver(FileSystem::Local(), directory_ / "root"), std::nullopt);
  Open("127.0.0.1:7400");
  Open("127.0.0.1:7401");
  EXPECT_EQ(*rpc::NewestDriver(FileSystem::Local(), directory_ / "root"), "127.0.0.1:7401");
}

TEST_F(ClusterRootTest, JobsAreThereForTheNextDriverOldestFirst) {
  const auto root = Open();
  ASSERT_TRUE(root->StoreJob(Job("b", 2)).ok());
  ASSERT_TRUE(root->StoreJob(Job("c", 1)).ok());
  proto::RegisteredJob changed = Job("b", 2);
  changed.mutable_info()->set_state(proto::JobInfo::FINISHED);
  ASSERT_TRUE(root->StoreJob(changed).ok());
  const auto jobs = Open()->LoadJobs();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  ASSERT_EQ(jobs->size(), 2u);
  EXPECT_EQ(jobs->front().id(), "c");
  EXPECT_EQ(jobs->back().info().state(), proto::JobInfo::FINISHED);
}

TEST_F(ClusterRootTest, AnOldDriverStoresNothing) {
  const auto older = Open();
  const auto newer = Open();
  EXPECT_EQ(KindOf(older->StoreJob(Job("a"))), ErrorKind::kFenced);
  EXPECT_TRUE(newer->LoadJobs()->empty());
}

TEST_F(ClusterRootTest, ADamagedJobFileIsNamed) {
  const auto root = Open();
  ASSERT_TRUE(root->StoreJob(Job("a")).ok());
  const std::string path = directory_ / "root/jobs/a";
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(10).put('X');
  const auto jobs = root->LoadJobs();
  EXPECT_EQ(ErrorClassOf(jobs.status()), "ROOT_CORRUPT");
  EXPECT_EQ(KindOf(jobs.status()), ErrorKind::kCorrupt);
  EXPECT_NE(jobs.status().message().find(path), std::string::npos) << jobs.status();
}

TEST_F(ClusterRootTest, CheckpointsHaveNamesThatStayInTheRoot) {
  const auto root = Open();
  EXPECT_EQ(root->CheckpointOf("clicks-per_page.v2"),
            directory_ / "root/checkpoints/clicks-per_page.v2");
  EXPECT_EQ(root->CheckpointOf("../a b"), directory_ / "root/checkpoints/%2E.%2Fa%20b");
}

TEST_F(ClusterRootTest, JobsOfOneSpecificationAreRegisteredTogetherOrNotAtAll) {
  const auto root = Open();
  const auto job_of = [](const std::string& id, int index, const std::string& key) {
    proto::RegisteredJob job = Job(id);
    job.set_index(index);
    job.mutable_request()->set_idempotency_key(key);
    return job;
  };
  ASSERT_TRUE(RegisterJobs(root.get(), {job_of("a", 0, "k1"), job_of("b", 1, "k1")}).ok());
  // A crash before the first one's file was there, and one after it.
  proto::RegisteredJob undecided = job_of("d", 1, "k2");
  undecided.mutable_info()->set_state(proto::JobInfo::UNKNOWN);
  ASSERT_TRUE(root->StoreJob(undecided).ok());
  proto::RegisteredJob decided = job_of("f", 1, "k3");
  decided.mutable_info()->set_state(proto::JobInfo::UNKNOWN);
  ASSERT_TRUE(root->StoreJob(decided).ok());
  ASSERT_TRUE(root->StoreJob(job_of("e", 0, "k3")).ok());

  const auto next = Open();
  std::set<std::string> ids;
  const auto jobs = LoadRegisteredJobs(next.get());
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  for (const auto& job : *jobs) {
    ids.insert(job.id());
    EXPECT_EQ(job.info().state(), proto::JobInfo::STARTING);
  }
  EXPECT_EQ(ids, (std::set<std::string>{"a", "b", "e", "f"}));
  EXPECT_EQ(next->LoadJobs()->size(), 4u);
}

}  // namespace
}  // namespace tidemill::driver
