#!/usr/bin/env bash
# Installs scim2-tester, which checks servers of SCIM 2.0 for compliance, and lets it check an appliance.
#
# Usage: tests/scim.sh [--only-install]
#
# Starts the program on a temporary folder, makes an administrator and a key, and runs tests/scim_check.py. With
# --only-install the last line is the Python to be given as SCIM_PYTHON to: cargo nextest run -p lectern-scim
#
# Needs Python 3.10 or newer and PyPI or a mirror of it (about 5 MB).
#
# Environment: CARGO_TARGET_DIR (the packages go to scim-venv in it; target without it); LECTERN_BINARY (a finished
# program; built for debugging without it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=packaging/static/needs.sh
. packaging/static/needs.sh

case ${1:-} in
  ''|--only-install) ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; [ "$1" = --help ] || exit 2; exit 0 ;;
esac
target=${CARGO_TARGET_DIR:-$PWD/target}
version=0.5.2
venv=$target/scim-venv
python=$venv/bin/python

if [ "$(cat "$venv/.installed" 2>/dev/null)" != "$version" ]; then
  say "Installing scim2-tester $version from PyPI"
  python3 -m venv "$venv" || die 'Python cannot make a virtual environment' 'apt-get install python3-venv'
  "$venv/bin/pip" install --quiet --disable-pip-version-check "scim2-tester[httpx2]==$version" ||
    die 'the package scim2-tester could not be installed' 'the machine needs PyPI or a mirror of it'
  echo "$version" >"$venv/.installed"
fi
if [ "${1:-}" = --only-install ]; then
  echo "$python"
  exit 0
fi

binary=${LECTERN_BINARY:-}
if [ -z "$binary" ]; then
  cargo build --locked
  binary=$target/debug/lectern
fi
folder=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT
unset LECTERN_DATA LECTERN_CONFIG LECTERN_TENANT LECTERN_URL LECTERN_KEY
echo 'a lectern stands still' | "$binary" user add ada@example.org --name Ada --role owner --data "$folder" >/dev/null
key=$("$binary" key create scim --data "$folder" | tail -1)
[ -n "$key" ] || die 'the program made no key' "$binary key create scim --data $folder"
"$binary" serve --data "$folder" --listen 127.0.0.1:0 --insecure-http >"$folder/out" 2>"$folder/err" &
server=$!
url=
for _ in $(seq 120); do
  url=$(sed -n 's/.*is running: \(http[^ ]*\).*/\1/p' "$folder/out")
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.5
done
[ -n "$url" ] || { cat "$folder/err"; die 'the program did not start' 'see the lines above'; }
"$python" tests/scim_check.py "${url%/}/api/v1/scim/v2" "$key"
