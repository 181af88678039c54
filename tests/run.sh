#!/usr/bin/env bash
# Gets what the tests need and runs them, in order; ends with one line "N passed, N failed".
#
# Usage: tests/run.sh [STEP…]      without a step: all of them
#   fmt       formatting                    clippy   lints, warnings are errors
#   unit      unit and integration tests    deny     licences, bans and sources
#   page      the page: types, lint, tests  build    the static release binary
#   static    it stands alone               e2e      the page in a browser, against the binary
#   scripts   the shell scripts         peers    models here and on the real ONNX Runtime
#
# Environment: CARGO_TARGET_DIR; LECTERN_CACHE (a folder outside the clone that may be kept between
# runs); LECTERN_BINARY (a finished binary for static and e2e).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
# shellcheck source=packaging/static/needs.sh
. packaging/static/needs.sh

all=(scripts fmt page deny clippy unit peers build static e2e)
steps=("$@")
case ${1:-} in -h|--help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' tests/run.sh; exit 0 ;; esac
[ ${#steps[@]} -gt 0 ] || steps=("${all[@]}")
for step in "${steps[@]}"; do
  case " ${all[*]} " in *" $step "*) ;; *) die "there is no step $step" "steps: ${all[*]}" ;; esac
done

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
if [ -n "${LECTERN_CACHE:-}" ]; then
  mkdir -p "$LECTERN_CACHE"
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$LECTERN_CACHE/target}
  export npm_config_cache=${npm_config_cache:-$LECTERN_CACHE/npm}
fi
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never} RUST_BACKTRACE=${RUST_BACKTRACE:-1}

passed=0
failed=0
summary=()

# has_step NAME…: is one of them asked for?
has_step() {
  local name
  for name in "$@"; do case " ${steps[*]} " in *" $name "*) return 0 ;; esac; done
  return 1
}

need_tool() { # need_tool COMMAND CRATE
  command -v "$1" >/dev/null || { say "Installing $2"; cargo install --locked "$2" || die "$2 could not be installed"; }
}

needs() {
  has_step scripts && need_apt shellcheck
  if has_step fmt clippy unit peers deny build; then
    need_build_tools
    need_rust
    has_step fmt && { cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt; }
    has_step clippy && { cargo clippy --version >/dev/null 2>&1 || rustup component add clippy; }
    has_step unit && need_tool cargo-nextest cargo-nextest
    has_step unit peers && need_python
    has_step unit && whisper_fixture
    has_step unit && python_packages WYOMING_PYTHON wyoming-venv wyoming 'wyoming>=1.7,<2'
    has_step unit && python_packages OAUTH_PYTHON oauth-venv authlib,requests 'authlib>=1.6,<2' 'requests>=2,<3'
    has_step unit && sign_in_peers
    has_step unit && record_and_provisioning_peers
    has_step deny && need_tool cargo-deny cargo-deny
  fi
  if has_step page build e2e; then need_node; fi
  has_step e2e && need_apt chromium
  has_step static && need_apt binutils python3
  if has_step page e2e; then page_packages || die 'npm ci failed' 'see the lines above'; fi
  return 0
}

need_python() {
  need_apt python3
  python3 -c 'import venv, ensurepip' 2>/dev/null || need_apt python3-venv python3-pip
}

# The small Whisper that src/hearing is compared with transformers on; without it those tests skip themselves.
whisper_fixture() {
  export LECTERN_WHISPER_FIXTURE=${LECTERN_WHISPER_FIXTURE:-${CARGO_TARGET_DIR:-$PWD/target}/whisper-fixture}
  tests/whisper.sh --only-make || die 'the Whisper fixture could not be made' 'see the lines above'
}

# python_packages VARIABLE FOLDER MODULES PACKAGE…: a Python with packages that tests talk to as peers, in VARIABLE;
# without it those tests skip themselves.
python_packages() {
  local variable=$1 venv=${CARGO_TARGET_DIR:-$PWD/target}/$2 modules=$3
  shift 3
  [ -z "${!variable:-}" ] || return 0
  if ! "$venv/bin/python" -c "import $modules" 2>/dev/null; then
    say "Installing $* from PyPI"
    python3 -m venv "$venv" || die 'Python cannot make a virtual environment' 'apt-get install python3-venv'
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" ||
      die "$* could not be installed" 'the machine needs PyPI or a mirror of it'
  fi
  export "$variable=$venv/bin/python"
}

# The servers that signing in is tested against; without them those tests skip themselves.
sign_in_peers() {
  SLAPD_DIR=${SLAPD_DIR:-$(tests/slapd.sh | tail -1)} || die 'slapd could not be unpacked' 'see the lines above'
  OIDC_PROVIDER_DIR=${OIDC_PROVIDER_DIR:-$(tests/oidc-provider.sh --only-install | tail -1)} ||
    die 'oidc-provider could not be installed' 'see the lines above'
  export SLAPD_DIR OIDC_PROVIDER_DIR
}

# Where the record is sent to, and who makes people: without them those tests skip themselves.
record_and_provisioning_peers() {
  RSYSLOG_DIR=${RSYSLOG_DIR:-$(tests/rsyslog.sh | tail -1)} || die 'rsyslog could not be unpacked' 'see the lines above'
  SCIM_PYTHON=${SCIM_PYTHON:-$(tests/scim.sh --only-install | tail -1)} ||
    die 'scim2-tester could not be installed' 'see the lines above'
  export RSYSLOG_DIR SCIM_PYTHON
}

page_packages() {
  local console=assets/console
  [ -d $console/node_modules ] && [ ! $console/package-lock.json -nt $console/node_modules ] && return
  say 'npm ci'
  (cd $console && npm ci --no-audit --no-fund && touch node_modules)
}

# The steps. Each prints; `count` finds out how many tests ran.
step_scripts() { shellcheck -x install.sh tests/*.sh models/*.sh packaging/static/*.sh .ci/run; }
step_fmt() { cargo fmt --all --check; }
step_clippy() { cargo clippy --workspace --all-targets --locked -- -D warnings; }
step_unit() { cargo nextest run --workspace --locked --no-fail-fast; }
step_peers() { tests/onnxruntime.sh; }
step_deny() { cargo fetch --locked && cargo deny --offline check licenses bans sources && has_no_openssl; }
# Build scripts aside, the program has no TLS but rustls.
has_no_openssl() { ! cargo tree --locked --offline --edges normal --prefix none | grep -E '^(openssl|native-tls)'; }
step_page() {
  (cd assets/console && npm run check && npm run lint && npm test)
}
step_build() {
  packaging/static/build.sh | tee "$logs/binary"
  [ -x "$(tail -1 "$logs/binary")" ]
}
step_static() { packaging/static/check.sh "$(binary)"; }
step_e2e() {
  local file
  file=$(binary) && (cd assets/console && LECTERN_BINARY=$file npm run test:e2e)
}

binary() {
  if [ -n "${LECTERN_BINARY:-}" ]; then readlink -f "$LECTERN_BINARY"; return; fi
  readlink -f "${CARGO_TARGET_DIR:-target}/$(uname -m)-unknown-linux-gnu/release/lectern"
}

# count LOG WORD: the number before WORD in the log's last line that sums up a test run.
count() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" |
    grep -E '(^[[:space:]]*Summary .*tests? run:|^[[:space:]]*Tests  |^([a-z0-9]+: )?[0-9]+ passed, [0-9]+ failed)' |
    tail -1 | grep -oE "[0-9]+ $2" | head -1 | cut -d' ' -f1
}

run_step() {
  local name=$1 log=$logs/$1 start=$SECONDS good bad
  say "== $name"
  "step_$name" 2>&1 | tee "$log"
  local code=${PIPESTATUS[0]}
  good=$(count "$log" passed)
  bad=$(count "$log" failed)
  # A step that counts nothing itself is one test; one that breaks off has failed, whatever it counted.
  [ -n "$good" ] || { if [ "$code" = 0 ]; then good=1; else good=0; fi; }
  bad=${bad:-0}
  if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  summary+=("$(printf '%-8s %5d passed %4d failed %6d s' "$name" "$good" "$bad" $((SECONDS - start)))")
  [ "$bad" = 0 ]
}

needs
for step in "${steps[@]}"; do
  if ! run_step "$step" && [ "$step" = build ]; then
    echo 'without a binary the steps after this one cannot run'
    break
  fi
done
say '== Summary'
printf '%s\n' "${summary[@]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
