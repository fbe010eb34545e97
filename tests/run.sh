#!/usr/bin/env bash
# Installs what is missing, builds the release tree (assertions are on in it) and runs the tests.
#
# usage: tests/run.sh [--full] [ctest arguments]
#   --full   also: address+undefined and thread sanitizers, clang with thread-safety analysis,
#            every header compiled alone, clang-tidy over everything, the long recovery runs
# Examples: tests/run.sh -L lint        tests/run.sh -R recovery -V
set -euo pipefail
cd "$(dirname "$0")/.."

full=false
if [ "${1:-}" = --full ]; then
  full=true
  shift
fi

groups=(build test)
if $full || [ -n "$(tests/lint/tidy.sh --list)" ]; then groups+=(full); fi
deploy/install_dependencies.sh "${groups[@]}"
deploy/build_tree.sh release
configuration=()
if $full; then
  deploy/build_tree.sh release all_verify_interface_header_sets
  for preset in asan tsan clang; do deploy/build_tree.sh "$preset"; done
  deploy/build_tree.sh fuzz fuzz_programs
  configuration=(-C full)
fi

# Tests that only a full run has are registered for the ctest configuration `full`.
exec ctest --test-dir build/release "${configuration[@]}" -j "$(nproc)" --output-on-failure "$@"
