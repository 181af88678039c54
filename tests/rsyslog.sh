#!/usr/bin/env bash
# Unpacks Debian's rsyslog, the server that src/syslog is tested against, and prints the folder it lies in.
# Nothing is installed and no service is started: the packages are only unpacked.
#
# Usage: tests/rsyslog.sh [--test]
#
# With --test, src/syslog is tested against it at once. Otherwise: RSYSLOG_DIR=$(tests/rsyslog.sh) cargo nextest run -p lectern-syslog
#
# Needs a Debian or Ubuntu machine with a package source (about 3 MB).
#
# Environment: CARGO_TARGET_DIR (the folder is rsyslog in it; target without it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=packaging/static/needs.sh
. packaging/static/needs.sh

case ${1:-} in
  ''|--test) ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; [ "$1" = --help ] || exit 2; exit 0 ;;
esac
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/rsyslog"
folder=$(cd "$target/rsyslog" && pwd)

# libraries_of PACKAGE…: the library packages that these ask for and the machine does not have.
libraries_of() {
  local library
  apt-cache depends --important "$@" | sed -n 's/^[ |]*\(Pre\)\{0,1\}Depends: \(lib[a-z0-9.+-]*\)$/\2/p' | sort -u |
    while read -r library; do
      dpkg-query -W -f '${Status}' "$library" 2>/dev/null | grep -q 'ok installed' || echo "$library"
    done
}

# unpack PACKAGE…: downloads into the cache and unpacks, those that were not yet.
unpack() {
  local package file
  for package in "$@"; do
    [ ! -e "$folder/debs/$package" ] || continue
    mkdir -p "$folder/debs/$package"
    (cd "$folder/debs/$package" && apt-get download -qq "$package") >&2 2>/dev/null || {
      rmdir "$folder/debs/$package"
      return 1
    }
    for file in "$folder/debs/$package"/*.deb; do dpkg-deb -x "$file" "$folder/root"; done
  done
}

# missing: the shared libraries that rsyslogd and the modules that are used still lack.
missing() {
  LD_LIBRARY_PATH=$libraries ldd "$folder/root/usr/sbin/rsyslogd" "$modules"/{imtcp,imudp,lmnsd_gtls}.so |
    sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p' | sort -u
}

if [ ! -e "$folder/.made" ]; then
  command -v dpkg-deb >/dev/null ||
    die 'this is not a Debian machine' 'run it on Debian or Ubuntu, or in a container of them'
  rm -rf "$folder/root" "$folder/debs"
  unpack rsyslog rsyslog-gnutls || {
    as_root apt-get update -qq >&2 || true
    unpack rsyslog rsyslog-gnutls ||
      die 'apt could not download rsyslog' 'the machine needs a package source; see apt-get download rsyslog'
  }
  modules=$(dirname "$(find "$folder/root" -name imtcp.so | head -1)")
  triplet=$(basename "$(dirname "$modules")")
  libraries=$folder/root/usr/lib/$triplet:$folder/root/lib/$triplet
  got=(rsyslog rsyslog-gnutls)
  for _ in 1 2 3 4 5; do
    [ -n "$(missing)" ] || break
    mapfile -t got < <(libraries_of "${got[@]}")
    [ ${#got[@]} -gt 0 ] || break
    unpack "${got[@]}" || die "apt could not download one of: ${got[*]}" 'renew the package lists: apt-get update'
  done
  [ -z "$(missing)" ] || die "rsyslog lacks libraries: $(missing | tr '\n' ' ')" 'install them, or rsyslog itself'
  cat >"$folder/rsyslogd" <<END
#!/bin/sh
LD_LIBRARY_PATH='$libraries' exec '$folder/root/usr/sbin/rsyslogd' -M '$modules' "\$@"
END
  chmod +x "$folder/rsyslogd"
  touch "$folder/.made"
fi

if [ "${1:-}" = --test ]; then
  RSYSLOG_DIR=$folder cargo nextest run -p lectern-syslog --locked
else
  echo "$folder"
fi
