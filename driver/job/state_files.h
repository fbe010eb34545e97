#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "driver/job/epoch_in_flight.h"
#include "proto/log.pb.h"

namespace tidemill::driver {

// The state's files that the log does not need (yet) and that must stay all the same, and the
// snapshots that wait for the next commit to name them.
//
// A snapshot of a worker that was lost since is named too: it holds all rows of its key groups at
// the end of a committed epoch, which is a function of the commits up to it, so whoever owns the
// key groups now may be restored from it and the extents after it. Its files are complete and
// durable when it is reported, and stay in use until the commit that names it. What a worker did
// for a driver before, or says on a stream that was replaced, never arrives here: streams are per
// job and start, and a closed one delivers nothing. *Thread-compatible.*
class StateFiles {
 public:
  // The worker may still append to the segments of its newest extents.
  void NoteExtents(const std::string& worker,
                   const google::protobuf::RepeatedPtrField<proto::Extent>& extents);
  void AddSnapshot(const std::string& worker, proto::Snapshot snapshot);
  // It is gone, or its deployment: it writes nothing more that this job will log.
  void ForgetWorker(const std::string& worker);

  // Names all waiting snapshots in the commit, in the order in which they came.
  void NameSnapshots(proto::CommitRecord* commit) const;
  // The commit is durable: takes what it named off the list. (worker, snapshot id).
  std::vector<std::pair<std::string, std::string>> TakeNamed(const proto::CommitRecord& commit);

  // What a warm-up reads; nothing any more where it is empty.
  void SetWarming(std::set<std::string> files) { warming_ = std::move(files); }

  // Relative to the checkpoint ("state/..."). `open`: the epoch in flight, or null; its extents are
  // about to be committed, whoever wrote them.
  std::set<std::string> InUse(const EpochInFlight* open) const;

 private:
  std::map<std::string, std::set<std::string>> segments_;  // by worker
  // By worker: files of its newest snapshot. Its database still has them, and the next snapshot
  // may name them without writing them again.
  std::map<std::string, std::set<std::string>> newest_;
  std::vector<std::pair<std::string, proto::Snapshot>> waiting_;  // by worker
  std::set<std::string> warming_;
};

}  // namespace tidemill::driver
