#!/usr/bin/env bash
# From a fresh clone on Debian 12 to the first result: installs what is missing, builds the release
# tree, runs the streaming word count of conf/examples and says what to type next. Safe to repeat.
#
# usage: deploy/quickstart.sh
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(uname -m)" != x86_64 ]; then
  echo "quickstart: only x86_64 is supported, this is $(uname -m)" >&2
  exit 1
fi
began=$SECONDS

echo "== 1/3 dependencies"
deploy/install_dependencies.sh build

echo "== 2/3 build (the first time takes minutes)"
deploy/build_tree.sh release tidemill

echo "== 3/3 tidemill run conf/examples/word_count.yaml"
build/release/tidemill run conf/examples/word_count.yaml

cat <<END

Done in $((SECONDS - began)) s. Each table above is one micro-batch: one new text file, and the counts so far.
Next, from this directory:

  build/release/tidemill run conf/examples/user_log_count.yaml        # JSON logs > count per user > JSON files
  cat out/user_log_count/part-00000.json

  nc -lk 9999                                                         # in a second terminal: type lines
  build/release/tidemill run conf/examples/socket_word_count.yaml     # Ctrl-C ends it

  build/release/tidemill explain conf/examples/word_count.yaml        # the plans
  tests/run.sh                                                        # the test suite
END
