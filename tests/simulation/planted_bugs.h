#pragma once

#include "tests/simulation/simulated_cluster.h"

namespace tidemill::testing {

// Bugs that a simulation must find, each put into a cluster before it runs.

// Workers take an aborted attempt that they have prepared for committed, in place of undoing it.
void PlantSkippedUndo(SimulatedCluster* cluster);
// The disk says that changelogs are synced and loses their ends with the machine.
void PlantLostChangelog(SimulatedCluster* cluster);
// A restarted driver does not see the last plan of its log, and plans the epoch anew.
void PlantForgottenPlan(SimulatedCluster* cluster);

}  // namespace tidemill::testing
