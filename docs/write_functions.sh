#!/usr/bin/env bash
# Writes docs/functions.md anew, from the tables in common/functions/docs.
#
# usage: docs/write_functions.sh [BUILD_DIR]     default: build/release
set -euo pipefail
cd "$(dirname "$0")/.."
TIDEMILL_WRITE_DOCS=1 "${1:-build/release}/functions_tests" --gtest_filter='FunctionDocsTest.ThePageIsUpToDate'
