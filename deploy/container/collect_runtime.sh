#!/usr/bin/env bash
# Copies a program and the shared libraries that a plain Debian does not have into a directory that can be
# laid over its root: usr/bin, usr/lib/tidemill, the loader's configuration, the time zones.
#
# usage: deploy/container/collect_runtime.sh PROGRAM DIRECTORY
set -euo pipefail
program=${1:?usage: collect_runtime.sh PROGRAM DIRECTORY}
target=${2:?usage: collect_runtime.sh PROGRAM DIRECTORY}

# Belong to the C library, which must fit the loader of the image.
base='/(ld-linux[^/]*|lib(c|m|dl|rt|pthread|resolv|util|nsl)\.so[^/]*)$'

mkdir -p "$target/usr/bin" "$target/usr/lib/tidemill" "$target/etc/ld.so.conf.d" "$target/usr/share"
install -m 755 "$program" "$target/usr/bin/tidemill"
linked=$(ldd "$program")
if grep 'not found' <<<"$linked" >&2; then exit 1; fi
awk '$2 == "=>" {print $3}' <<<"$linked" | { grep -Ev "$base" || true; } | sort -u |
  while read -r library; do install -m 644 "$library" "$target/usr/lib/tidemill/"; done
echo /usr/lib/tidemill >"$target/etc/ld.so.conf.d/tidemill.conf"
cp -r /usr/share/zoneinfo "$target/usr/share/"
echo "Collected $(find "$target/usr/lib/tidemill" -type f | wc -l) libraries, $(du -sm "$target" | cut -f1) MB"
