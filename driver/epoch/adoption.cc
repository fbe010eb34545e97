#include "driver/epoch/adoption.h"

namespace tidemill::driver {

Adoption DecideAdoption(const WorkerReport& report, const AdoptionFacts& facts) {
  if (report.plan_fingerprint != facts.plan_fingerprint) return Adoption::kDrop;
  if (report.committed_epoch == facts.committed_epoch) {
    return report.open_epoch < 0 ? Adoption::kKeep : Adoption::kUndo;
  }
  // The commit before the log's last one, and on top of it the attempt that became the last one.
  const bool has_last_open = report.is_prepared && report.open_epoch == facts.committed_epoch &&
                             report.committed_epoch == facts.committed_epoch - 1 &&
                             report.open_attempt == facts.committed_attempt;
  return has_last_open ? Adoption::kKeepAsCommitted : Adoption::kDrop;
}

}  // namespace tidemill::driver
