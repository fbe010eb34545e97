#include "driver/job/state_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemill::driver {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

proto::Prepared PreparedIn(const std::string& segment) {
  proto::Prepared prepared;
  prepared.add_extents()->set_file(segment);
  return prepared;
}

proto::Snapshot SnapshotOf(const std::string& id, const std::string& file) {
  proto::Snapshot snapshot;
  snapshot.set_id(id);
  snapshot.add_files()->set_name(file);
  return snapshot;
}

TEST(StateFilesTest, TheNewestSegmentOfAWorkerIsInUseUntilItIsLost) {
  StateFiles files;
  files.NoteExtents("a", PreparedIn("a1").extents());
  files.NoteExtents("a", {});
  EXPECT_THAT(files.InUse(nullptr), ElementsAre("state/a1"));
  files.NoteExtents("a", PreparedIn("a2").extents());
  EXPECT_THAT(files.InUse(nullptr), ElementsAre("state/a2"));

  files.ForgetWorker("a");
  EXPECT_THAT(files.InUse(nullptr), IsEmpty());
}

TEST(StateFilesTest, WhatALostWorkerPreparedForTheOpenEpochStaysInUse) {
  StateFiles files;
  EpochInFlight open;
  open.prepared["a"] = PreparedIn("a1");
  files.NoteExtents("a", open.prepared["a"].extents());
  files.ForgetWorker("a");
  EXPECT_THAT(files.InUse(&open), ElementsAre("state/a1"));
}

TEST(StateFilesTest, SnapshotsAreNamedOnceInTheOrderInWhichTheyCame) {
  StateFiles files;
  files.AddSnapshot("b", SnapshotOf("one", "b1"));
  files.AddSnapshot("a", SnapshotOf("two", "a1"));
  proto::CommitRecord commit;
  files.NameSnapshots(&commit);
  files.AddSnapshot("a", SnapshotOf("three", "a2"));

  EXPECT_THAT(files.TakeNamed(commit), ElementsAre(Pair("b", "one"), Pair("a", "two")));
  proto::CommitRecord next;
  files.NameSnapshots(&next);
  ASSERT_EQ(next.snapshots_size(), 1);
  EXPECT_EQ(next.snapshots(0).id(), "three");
}

// The worker's database may still hold the files, and name them in its next snapshot.
TEST(StateFilesTest, TheNewestSnapshotOfAWorkerStaysInUseAfterItWasNamed) {
  StateFiles files;
  files.AddSnapshot("a", SnapshotOf("one", "a1"));
  proto::CommitRecord commit;
  files.NameSnapshots(&commit);
  files.TakeNamed(commit);
  EXPECT_THAT(files.InUse(nullptr), ElementsAre("state/a1"));

  files.ForgetWorker("a");
  EXPECT_THAT(files.InUse(nullptr), IsEmpty());
}

TEST(StateFilesTest, ASnapshotOfALostWorkerWaitsForItsCommit) {
  StateFiles files;
  files.AddSnapshot("a", SnapshotOf("one", "a1"));
  files.ForgetWorker("a");
  EXPECT_THAT(files.InUse(nullptr), ElementsAre("state/a1"));
}

}  // namespace
}  // namespace tidemill::driver
