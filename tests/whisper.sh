#!/usr/bin/env bash
# Makes the small Whisper that src/hearing is compared with transformers on, and runs that comparison.
#
# Usage: tests/whisper.sh [--only-make]
#
# Needs Python 3.9 or newer with venv, and PyPI for numpy and onnx (about 40 MB). What transformers said of the model
# lies in src/hearing/fixtures/whisper.json; models/make-whisper-expected.py remakes that.
#
# Environment: LECTERN_WHISPER_FIXTURE (where the model goes; target/whisper-fixture without it);
# LECTERN_SHARED (speech clips; without them a made-up sound is used alone); PYTHON.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=packaging/static/needs.sh
. packaging/static/needs.sh

case ${1:-} in
  ''|--only-make) ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; [ "$1" = --help ] || exit 2; exit 0 ;;
esac
folder=${LECTERN_WHISPER_FIXTURE:-$PWD/target/whisper-fixture}
python=${PYTHON:-python3}
script=models/make-whisper-fixture.py
mkdir -p "$folder"

stamp=$(sha256sum "$script" | cut -d' ' -f1)
if [ "$(cat "$folder/.made" 2>/dev/null)" != "$stamp" ]; then
  if ! "$python" -c 'import numpy, onnx' 2>/dev/null; then
    say 'Installing numpy and onnx from PyPI'
    "$python" -m venv "$folder/.venv" || die 'Python cannot make a virtual environment' 'apt-get install python3-venv'
    "$folder/.venv/bin/pip" install --quiet --disable-pip-version-check 'numpy<3' 'onnx>=1.17,<2' ||
      die 'numpy and onnx could not be installed' 'the machine needs PyPI or a mirror of it'
    python=$folder/.venv/bin/python
  fi
  rm -f "$folder/.made"
  "$python" "$script" "$folder"
  echo "$stamp" >"$folder/.made"
fi
[ "${1:-}" != --only-make ] || exit 0
export LECTERN_WHISPER_FIXTURE=$folder
cargo nextest run -p lectern-hearing --locked -E 'test(whisper)' --no-capture
