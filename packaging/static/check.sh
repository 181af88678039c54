#!/usr/bin/env bash
# Shows that the binary stands alone: nothing to load, small, and it starts in an empty root folder.
# Usage: packaging/static/check.sh BINARY
# Needs root for chroot, or user namespaces (`unshare -r`). Ends with "N passed, N failed".
set -uo pipefail

binary=${1:?usage: check.sh BINARY}
binary=$(readlink -f "$binary") || exit 2
limit=$((110 * 1000 * 1000))
passed=0
failed=0
root=$(mktemp -d)
server=''

cleanup() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; fi
  rm -rf "$root"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ok() { passed=$((passed + 1)); printf 'ok    %s\n' "$1"; }
bad() { failed=$((failed + 1)); printf 'FAIL  %s\n' "$1"; }
check() { local name=$1; shift; if "$@"; then ok "$name"; else bad "$name"; fi; }

if [ "$(id -u)" = 0 ]; then
  inside=(chroot "$root")
elif unshare -r true 2>/dev/null; then
  inside=(unshare -r chroot "$root")
else
  echo 'error: neither root nor user namespaces: the empty root folder cannot be tried' >&2
  exit 2
fi

loads_nothing() { ! ldd "$binary" 2>/dev/null | grep -q '=>'; }
has_no_interpreter() { ! readelf -lW "$binary" | grep -q INTERP; }
needs_no_library() { ! readelf -dW "$binary" 2>/dev/null | grep -q NEEDED; }
is_small() { [ "$(stat -c %s "$binary")" -lt $limit ]; }
prints_version() { "${inside[@]}" /lectern --version | grep -q '^lectern '; }

speaks() {
  "${inside[@]}" /lectern speak 'One file, nothing else.' --data /data -o /out.wav || return
  [ "$(head -c 4 "$root/out.wav")" = RIFF ] && [ "$(stat -c %s "$root/out.wav")" -gt 40000 ]
}

hears() {
  local text
  text=$("${inside[@]}" /lectern transcribe /out.wav --data /data --json) || return
  # How much of eSpeak's voice a recogniser understands is not the question here.
  [[ $text == *'"text":"'[A-Za-z]*'pocketsphinx'* ]] || { echo "heard: $text"; return 1; }
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# answer PORT PATH: what the server says, without curl, which a fresh machine may lack.
answer() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$2" >&3
    timeout 10 cat <&3
  ) 2>/dev/null | tr -d '\0'
}

is_healthy() {
  local said
  said=$(answer "$1" /healthz)
  [[ $said == HTTP/1.1\ 200* ]]
}

serves() {
  local port
  port=$(free_port) || return
  "${inside[@]}" /lectern serve --data /data --insecure-http --listen "127.0.0.1:$port" >"$root/log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    if is_healthy "$port" || ! kill -0 "$server" 2>/dev/null; then break; fi
    sleep 0.1
  done
  if ! is_healthy "$port"; then
    echo '--- log'; cat "$root/log"; echo '---'
    return 1
  fi
  local page
  page=$(answer "$port" /)
  [[ ${page,,} == *'<!doctype html'* ]] || { echo 'no page at /'; return 1; }
}

stops() {
  [ -n "$server" ] || return
  kill -TERM "$server" 2>/dev/null || { server=''; return 1; }
  local code=0
  wait "$server" || code=$?
  server=''
  [ "$code" = 0 ] || { echo "ended with code $code"; tail -5 "$root/log"; return 1; }
}

check 'ldd finds nothing' loads_nothing
check 'no interpreter' has_no_interpreter
check 'no needed library' needs_no_library
check "below $limit bytes ($(stat -c %s "$binary"))" is_small
cp "$binary" "$root/lectern"
mkdir "$root/data"
check 'runs in an empty root folder' prints_version
check 'speaks there' speaks
check 'hears there that somebody spoke' hears
check 'serves there: /healthz and the page' serves
check 'SIGTERM ends it with code 0' stops
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
