# Sourced by install.sh and tests/run.sh: brings what a build needs, and only what is missing.
# shellcheck shell=bash

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }
die() {
  printf 'error: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "root is needed for: $*" 'run this as root, or install sudo'
  fi
}

# need_apt PACKAGE…: installs those that are not there.
need_apt() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian machine: make sure that these are there: $*"
    return
  fi
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing ${missing[*]}"
  as_root apt-get update -qq || echo 'the package lists could not be renewed; going on with the old ones'
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt could not install: ${missing[*]}" 'see the lines above; the machine needs a package source'
}

# at_least HAVE WANT: compares versions.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -1)" = "$2" ]; }

need_build_tools() {
  need_apt ca-certificates curl g++ make cmake clang libclang-dev pkg-config libssl-dev binutils \
    libpocketsphinx-dev libsphinxbase-dev pocketsphinx-en-us
}

need_rust() {
  local want
  want=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
  fi
  if ! command -v cargo >/dev/null; then
    say 'Installing Rust (rustup, for this user)'
    if apt-cache show rustup >/dev/null 2>&1; then
      need_apt rustup
      rustup default stable
    else
      curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --no-modify-path
    fi
    PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
  fi
  local have
  have=$(rustc --version | cut -d' ' -f2)
  at_least "$have" "$want" || die "Rust $have is too old, $want is needed" 'rustup update stable'
}

need_node() {
  local have='' offered
  have=$(node --version 2>/dev/null | tr -d v) || true
  if [ -z "$have" ]; then
    offered=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/.*Candidate: \([0-9.]*\).*/\1/p') || true
    if [ -n "$offered" ] && at_least "$offered" 20.19; then
      need_apt nodejs npm
      have=$(node --version | tr -d v)
    fi
  fi
  if [ -z "$have" ] || ! at_least "$have" 20.19; then
    die "Node ${have:-is missing; version} 20.19 or newer builds the page" \
      'Debian 13 and Ubuntu 25.04 bring it (apt-get install nodejs npm); for older systems see nodejs.org/en/download'
  fi
  command -v npm >/dev/null || need_apt npm
}
