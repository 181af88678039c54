#!/bin/sh
# The same models on RTen and on the real ONNX Runtime, side by side: results and times.
# Takes the library out of the PyPI package onnxruntime. Settings:
#   LECTERN_SHARED   folder with models/ and data/ (default: ../shared beside the repository); without it nothing is run
#   LECTERN_CACHE    folder where the package is kept (default: in the target folder)
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
shared=${LECTERN_SHARED:-$root/../shared}
target=${CARGO_TARGET_DIR:-$root/target}/onnxruntime
cache=${LECTERN_CACHE:-$target/package}
version=1.31.1

if [ ! -f "$shared/models/vits-tiny.onnx" ]; then
    echo "skipped: $shared/models is not there"
    exit 0
fi

library=$(find "$cache" -name 'libonnxruntime.so*' -type f 2>/dev/null | head -n 1)
if [ -z "$library" ]; then
    mkdir -p "$cache"
    python3 -m pip download --quiet --no-deps --dest "$cache" "onnxruntime==$version"
    python3 -m zipfile -e "$cache"/onnxruntime-*.whl "$cache/unpacked"
    library=$(find "$cache" -name 'libonnxruntime.so*' -type f | head -n 1)
fi
[ -n "$library" ] || { echo "the package has no libonnxruntime.so" >&2; exit 1; }

cd "$root"
CARGO_TARGET_DIR=$target cargo build --quiet --release -p lectern-neural --features onnxruntime --example side_by_side
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$target/release/examples/side_by_side" "$shared" "$out"
"$target/release/examples/side_by_side" "$shared" "$out" "$library"
