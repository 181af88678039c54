#!/usr/bin/env bash
# Builds the page when it is missing or outdated, then the one static binary.
# Usage: packaging/static/build.sh [--target TRIPLE]     (default: this machine's)
# Environment: CARGO_TARGET_DIR, LECTERN_PROFILE (default release), SOURCE_DATE_EPOCH.
# The last line of the output is the binary's path.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() { printf 'error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2; exit 1; }
usage() { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

target=''
while [ $# -gt 0 ]; do
  case $1 in
    --target) [ $# -ge 2 ] || die '--target needs a value'; target=$2; shift 2 ;;
    -h|--help) usage; exit 0 ;;
    *) die "unknown option $1" 'see --help' ;;
  esac
done

case $(uname -m) in
  x86_64) own=x86_64-unknown-linux-gnu ;;
  aarch64|arm64) own=aarch64-unknown-linux-gnu ;;
  *) own=$(rustc -vV | sed -n 's/^host: //p') ;;
esac
target=${target:-$own}
case $target in
  x86_64-unknown-linux-gnu|aarch64-unknown-linux-gnu) ;;
  *) die "no static build for $target" 'x86_64-unknown-linux-gnu and aarch64-unknown-linux-gnu are supported' ;;
esac
profile=${LECTERN_PROFILE:-release}
target_dir=${CARGO_TARGET_DIR:-$PWD/target}

for tool in cargo cmake clang c++ node npm; do
  command -v "$tool" >/dev/null || die "$tool is missing" './install.sh gets what a build needs'
done

page() {
  local console=assets/console
  if [ -f $console/dist/index.html ]; then
    local newer
    newer=$(find $console assets/locales \( -name node_modules -o -name dist -o -name test-results \) -prune \
      -o -type f -newer $console/dist/index.html -print -quit)
    if [ -z "$newer" ]; then echo 'page: up to date'; return; fi
  fi
  echo 'page: building'
  (cd $console && { [ -d node_modules ] && [ ! package-lock.json -nt node_modules ] || npm ci --no-audit --no-fund; } \
    && npm run build)
  touch $console/dist/index.html
}

binary() {
  # The same sources give the same bytes in the same folder: no clock, no absolute source paths.
  if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.lock)
  fi
  export SOURCE_DATE_EPOCH
  local cargo_home=${CARGO_HOME:-$HOME/.cargo}
  # Random numbers by the system call: in an empty root folder there is no /dev/urandom, and static programs find
  # no library function at run time.
  export RUSTFLAGS="-C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\" --remap-path-prefix=$PWD=. --remap-path-prefix=$cargo_home=cargo"
  if [ "$target" != "$own" ]; then
    local triple=${target/-unknown/}
    local name=${target//-/_}
    export "CARGO_TARGET_${name^^}_LINKER=$triple-gcc" "CC_$name=$triple-gcc" "CXX_$name=$triple-g++"
  fi
  cargo build --locked --profile "$profile" --target "$target" --bin lectern
}

page
binary
file=$target_dir/$target/$profile/lectern
[ -x "$file" ] || die "the build ended without $file"
echo
printf 'size    %s bytes (%s)\n' "$(stat -c %s "$file")" "$(du -h "$file" | cut -f1)"
printf 'sha256  %s\n' "$(sha256sum "$file" | cut -d' ' -f1)"
printf '%s\n' "$file"
