#!/usr/bin/env bash
# Runs clang-tidy with .clang-tidy over the C++ sources that changed, or over all of them.
#
# usage: tests/lint/tidy.sh [--list] [--all | FILE...]
#   --list  print the sources instead of checking them
# Changed = against origin/main where there is one, else against HEAD; files not yet added count.
# A tree of its own (build/tidy: clang, no precompiled headers) gives the compile commands.
set -euo pipefail
cd "$(dirname "$0")/../.."

list_only=false
if [ "${1:-}" = --list ]; then
  list_only=true
  shift
fi
if [ "${1:-}" = --all ]; then
  mapfile -t sources < <(git ls-files '*.cc')
elif [ $# -gt 0 ]; then
  sources=("$@")
else
  base=$(git merge-base origin/main HEAD 2>/dev/null || echo HEAD)
  mapfile -t sources < <({ git diff --name-only --diff-filter=d "$base" -- '*.cc'; git ls-files -o --exclude-standard -- '*.cc'; } 2>/dev/null | sort -u)
fi
if $list_only; then
  [ ${#sources[@]} -eq 0 ] || printf '%s\n' "${sources[@]}"
  exit 0
fi
if [ ${#sources[@]} -eq 0 ]; then
  echo "no C++ source has changed"
  exit 0
fi

if [ ! -f build/tidy/build.ninja ]; then
  cmake --preset clang -B build/tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
fi
cmake --build build/tidy --target tidemill_proto tidemill_services >/dev/null
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-14 -p build/tidy --quiet --warnings-as-errors='*'
