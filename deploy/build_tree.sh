#!/usr/bin/env bash
# Configures (once) and builds the tree of a preset in build/<preset>, with progress.
#
# usage: deploy/build_tree.sh PRESET [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: deploy/build_tree.sh PRESET [TARGET...]}
shift

if [ ! -f "build/$preset/build.ninja" ]; then
  echo "Configuring build/$preset"
  cmake --preset "$preset"
fi

# One job per core, and no more than memory allows: the largest source files take about 1 GiB.
jobs=$(nproc)
gib=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
[ "$gib" -ge "$jobs" ] || jobs=$((gib > 0 ? gib : 1))
echo "Building build/$preset with $jobs jobs"
NINJA_STATUS=${NINJA_STATUS:-"[%f/%t, %es] "} exec cmake --build "build/$preset" -j "$jobs" ${@:+--target "$@"}
