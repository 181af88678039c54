#!/usr/bin/env bash
# Unpacks Debian's slapd, the directory server that src/ldap is tested against, and prints the folder it lies in.
# Nothing is installed and no service is started: the packages are only unpacked.
#
# Usage: tests/slapd.sh [--test]
#
# With --test, src/ldap is tested against it at once. Otherwise: SLAPD_DIR=$(tests/slapd.sh) cargo nextest run -p lectern-ldap
#
# Needs a Debian or Ubuntu machine with a package source (about 5 MB).
#
# Environment: CARGO_TARGET_DIR (the folder is slapd in it; target without it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=packaging/static/needs.sh
. packaging/static/needs.sh

case ${1:-} in
  ''|--test) ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; [ "$1" = --help ] || exit 2; exit 0 ;;
esac
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/slapd"
folder=$(cd "$target/slapd" && pwd)

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

# missing: the shared libraries that slapd and its database still lack.
missing() {
  LD_LIBRARY_PATH=$libraries ldd "$folder/root/usr/sbin/slapd" "$folder"/root/usr/lib/ldap/back_mdb*.so* |
    sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p' | sort -u
}

# wrap TOOL: a command that runs one of slapd's tools with the unpacked libraries.
wrap() {
  cat >"$folder/$1" <<END
#!/bin/sh
LD_LIBRARY_PATH='$libraries' exec '$folder/root/usr/sbin/$1' "\$@"
END
  chmod +x "$folder/$1"
}

if [ ! -e "$folder/.made" ]; then
  command -v dpkg-deb >/dev/null ||
    die 'this is not a Debian machine' 'run it on Debian or Ubuntu, or in a container of them'
  rm -rf "$folder/root" "$folder/debs"
  unpack slapd || {
    as_root apt-get update -qq >&2 || true
    unpack slapd || die 'apt could not download slapd' 'the machine needs a package source; see apt-get download slapd'
  }
  triplet=$(basename "$(dirname "$(find "$folder/root/usr/lib" -name 'libslapi*' | head -1)")")
  libraries=$folder/root/usr/lib/$triplet:$folder/root/lib/$triplet
  got=(slapd)
  for _ in 1 2 3 4 5; do
    [ -n "$(missing)" ] || break
    mapfile -t got < <(libraries_of "${got[@]}")
    [ ${#got[@]} -gt 0 ] || break
    unpack "${got[@]}" || die "apt could not download one of: ${got[*]}" 'renew the package lists: apt-get update'
  done
  [ -z "$(missing)" ] || die "slapd lacks libraries: $(missing | tr '\n' ' ')" 'install them, or slapd itself'
  wrap slapd
  wrap slapadd
  ln -sfn root/usr/lib/ldap "$folder/modules"
  ln -sfn root/etc/ldap/schema "$folder/schema"
  touch "$folder/.made"
fi

if [ "${1:-}" = --test ]; then
  SLAPD_DIR=$folder cargo nextest run -p lectern-ldap --locked
else
  echo "$folder"
fi
