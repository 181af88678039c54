#!/usr/bin/env bash
# Builds Lectern from this folder and installs it; gets the build tools that are missing.
#
# Usage:
#   ./install.sh [--prefix DIR]      build, install DIR/lectern
#                                    (default: /usr/local/bin as root, else ~/.local/bin)
#   ./install.sh --service           the same, and run it as a systemd service (as root)
#   ./install.sh --demo [--detach] [--listen ADDR:PORT]
#                                    build, start on the sample documents with data in ./.demo
#   ./install.sh --uninstall         remove the program and the service; data stays
#   ./install.sh --help
#
# Environment: LECTERN_BINARY names a finished binary to use instead of building one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here"
# shellcheck source=packaging/static/needs.sh
. packaging/static/needs.sh

unit=/etc/systemd/system/lectern.service
mode=install
prefix=''
listen=127.0.0.1:8080
detach=no

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$here/install.sh"; }

while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -ge 2 ] || die '--prefix needs a folder'; prefix=$2; shift ;;
    --listen) [ $# -ge 2 ] || die '--listen needs ADDR:PORT'; listen=$2; shift ;;
    --demo) mode=demo ;;
    --detach) detach=yes ;;
    --service) mode=service ;;
    --uninstall) mode=uninstall ;;
    -h|--help) usage; exit 0 ;;
    *) die "unknown option $1" './install.sh --help' ;;
  esac
  shift
done
if [ -z "$prefix" ]; then
  if [ "$(id -u)" = 0 ]; then prefix=/usr/local/bin; else prefix=$HOME/.local/bin; fi
fi

build() {
  if [ -n "${LECTERN_BINARY:-}" ]; then
    binary=$(readlink -f "$LECTERN_BINARY")
    [ -x "$binary" ] || die "LECTERN_BINARY=$LECTERN_BINARY is no program"
    return
  fi
  need_build_tools
  need_node
  need_rust
  say 'Building (about ten minutes the first time)'
  local log
  log=$(mktemp)
  packaging/static/build.sh | tee "$log"
  binary=$(tail -1 "$log")
  rm -f "$log"
  [ -x "$binary" ] || die 'the build gave no binary' 'see the lines above'
}

install_binary() {
  local target=$prefix/lectern
  mkdir -p "$prefix" 2>/dev/null || as_root mkdir -p "$prefix"
  # A new file under the old name: a running server keeps the one it has.
  if [ -w "$prefix" ]; then
    install -m 755 "$binary" "$target.new" && mv -f "$target.new" "$target"
  else
    as_root install -m 755 "$binary" "$target.new" && as_root mv -f "$target.new" "$target"
  fi
  say "Installed $target ($("$target" --version))"
  case :$PATH: in *":$prefix:"*) ;; *) echo "hint: $prefix is not in PATH" ;; esac
}

install_service() {
  [ -d /run/systemd/system ] || die 'this machine does not run systemd' "start it yourself: $prefix/lectern serve --data DIR"
  getent passwd lectern >/dev/null ||
    as_root useradd --system --home-dir /var/lib/lectern --shell /usr/sbin/nologin lectern
  sed "s|/usr/local/bin/lectern|$prefix/lectern|" packaging/systemd/lectern.service | as_root tee $unit >/dev/null
  as_root systemctl daemon-reload
  as_root systemctl enable lectern.service
  as_root systemctl restart lectern.service
  say 'Running as a service'
  echo 'address and setup code:  journalctl -u lectern'
  echo 'stop it:                 systemctl stop lectern'
}

uninstall() {
  if [ -f $unit ]; then
    as_root systemctl disable --now lectern.service || true
    as_root rm -f $unit
    as_root systemctl daemon-reload || true
  fi
  if [ -e "$prefix/lectern" ]; then
    if [ -w "$prefix" ]; then rm -f "$prefix/lectern"; else as_root rm -f "$prefix/lectern"; fi
    say "Removed $prefix/lectern"
  else
    echo "nothing at $prefix/lectern"
  fi
  [ ! -d /var/lib/lectern ] || echo 'the data stays in /var/lib/lectern'
}

# A request without curl's help: is somebody answering there?
healthy() {
  local scheme=$1
  curl --silent --insecure --max-time 2 --output /dev/null --fail "$scheme://$listen/healthz"
}

# Bundles that lie in models/ make search and speech better; without one it works too.
import_bundles() {
  local data=$1 bundle found=no
  for bundle in models/*.lectern-model; do
    [ -e "$bundle" ] || continue
    found=yes
    say "Importing $bundle"
    "$binary" models import --data "$data" "$bundle" || echo 'hint: the demo goes on without it'
  done
  [ $found = yes ] ||
    echo 'hint: models/make-minilm.sh makes a bundle for search by meaning (docs/models.md); start the demo again after it'
}

demo() {
  local data=$here/.demo scheme=http plain=(--insecure-http) log server
  # Plain HTTP is fine on this machine itself, nowhere else.
  case $listen in 127.*|localhost:*|'[::1]':*) ;; *) scheme=https plain=() ;; esac
  [ -d assets/samples ] || die 'assets/samples is missing' 'run this in a whole clone'
  if healthy $scheme; then die "something already answers at $listen" 'stop it, or give another --listen 127.0.0.1:PORT'; fi
  mkdir -p "$data"
  log=$data/server.log
  say 'Starting'
  if [ $detach = yes ]; then
    setsid nohup "$binary" serve --data "$data" --listen "$listen" "${plain[@]}" >"$log" 2>&1 </dev/null &
  else
    "$binary" serve --data "$data" --listen "$listen" "${plain[@]}" >"$log" 2>&1 &
  fi
  server=$!
  trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; exit 1' ERR
  trap 'echo; echo stopping; kill $server 2>/dev/null; wait $server 2>/dev/null; exit 0' INT TERM
  local tries=0
  until healthy $scheme; do
    tries=$((tries + 1))
    if ! kill -0 $server 2>/dev/null || [ $tries -gt 150 ]; then
      cat "$log" >&2
      kill $server 2>/dev/null || true
      die 'the server did not start' "its words are above and in $log"
    fi
    sleep 0.2
  done
  say 'Reading the sample documents'
  "$binary" ingest --data "$data" --wait assets/samples
  import_bundles "$data"
  say "Lectern is running: $scheme://$listen/"
  grep -i 'setup' "$log" || echo 'It is set up already: sign in with the account made before.'
  echo "Data and log: $data (remove the folder to begin again)"
  if [ $detach = yes ]; then
    echo "Stop it with: kill $server"
    trap - ERR INT TERM
    disown
    return
  fi
  echo 'Ctrl-C stops it.'
  wait $server
}

case $mode in
  install) build; install_binary; echo "Start it: lectern serve --data DIR" ;;
  service) build; install_binary; install_service ;;
  uninstall) uninstall ;;
  demo) build; demo ;;
esac
