#!/usr/bin/env bash
# Installs npm's oidc-provider, a certified OpenID provider, and lets src/oidc sign in at it.
#
# Usage: tests/oidc-provider.sh [--only-install]
#
# Needs Node 20.19 or newer and npm's registry (about 4 MB). The last line is the folder, for OIDC_PROVIDER_DIR.
#
# Environment: OIDC_PROVIDER_DIR (where it goes; target/oidc-provider without it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=packaging/static/needs.sh
. packaging/static/needs.sh

case ${1:-} in
  ''|--only-install) ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; [ "$1" = --help ] || exit 2; exit 0 ;;
esac
version=9.13.3
target=${CARGO_TARGET_DIR:-$PWD/target}
folder=${OIDC_PROVIDER_DIR:-$target/oidc-provider}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

if [ "$(cat "$folder/.installed" 2>/dev/null)" != "$version" ]; then
  need_node
  say "Installing oidc-provider $version from npm"
  rm -f "$folder/.installed"
  npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-save --loglevel=error \
    "oidc-provider@$version" || die 'oidc-provider could not be installed' 'the machine needs npm or a mirror of it'
  echo "$version" >"$folder/.installed"
fi
if [ "${1:-}" != --only-install ]; then
  OIDC_PROVIDER_DIR=$folder cargo nextest run -p lectern-oidc --locked -E 'test(peer)' --no-capture
fi
echo "$folder"
