#!/usr/bin/env bash
# Installs the Debian 12 packages that Tidemill needs; does nothing, quickly, when none is missing.
#
# usage: deploy/install_dependencies.sh [build] [test] [full] [--list]
#   build   to build the program and its unit tests (the default)
#   test    what the default test suite needs beyond that
#   full    what tests/run.sh --full needs beyond that
#   --list  print the names instead of installing
set -euo pipefail

build_packages=(
  # tools
  g++ cmake ninja-build ccache mold pkg-config git
  python3 python3-pip ca-certificates   # pip fetches the Arrow C++ libraries when CMake configures
  protobuf-compiler protobuf-compiler-grpc
  # libraries, each with its use in README.md, "Dependencies"
  libprotobuf-dev libgrpc++-dev libboost-dev prometheus-cpp-dev librocksdb-dev libspdlog-dev libfmt-dev libyaml-cpp-dev libcli11-dev
  libsimdjson-dev libre2-dev libssl-dev libxxhash-dev libutf8proc-dev tzdata
  libgtest-dev libgmock-dev libbenchmark-dev
)
test_packages=(clang-format-14 gzip bzip2 zstd)
full_packages=(clang-14 clang-tidy-14 libclang-rt-14-dev)

wanted=()
list_only=false
for group in "${@:-build}"; do
  case $group in
    build) wanted+=("${build_packages[@]}") ;;
    test) wanted+=("${test_packages[@]}") ;;
    full) wanted+=("${full_packages[@]}") ;;
    --list) list_only=true ;;
    *) echo "usage: $0 [build] [test] [full] [--list]" >&2; exit 2 ;;
  esac
done
[ ${#wanted[@]} -gt 0 ] || wanted=("${build_packages[@]}")

if $list_only; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi

if ! command -v dpkg-query >/dev/null; then
  echo "$0: no dpkg here; this script is for Debian 12, install the like of: ${wanted[*]}" >&2
  exit 1
fi
present=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null | awk '$1 == "ii" {print $2}' || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qx -- "$package" <<<"$present" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "$0: not root and no sudo; install as root: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -q "${missing[@]}"
