#include "driver/cluster/job_fencing.h"

#include <string_view>

#include "driver/log/checkpoint_dir.h"

namespace tidemill::driver {

arrow::Result<bool> MayTakeBack(const ClusterRoot& root, FileSystem* fs,
                                const std::string& checkpoint) {
  ARROW_RETURN_NOT_OK(root.CheckNewest());
  ARROW_ASSIGN_OR_RAISE(const std::string holder, Term::NewestHolder(fs, checkpoint));
  return root.Outranks(CheckpointDir::HolderOf(holder));
}

}  // namespace tidemill::driver
