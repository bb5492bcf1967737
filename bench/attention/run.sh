#!/usr/bin/env bash
# One forward of the full-size (13B) packed transformer in each mode of attention, with weights from a seed: seconds,
# peak memory, the backend that was used and why. Needs a CUDA device; on one with less than 40 GB the blocks are
# streamed. Python 3 prints the table and needs no packages.
#
#   bench/attention/run.sh [WORKER [OUTPUT_DIR]]
#
# OUTPUT_DIR (or OUT) gets results.jsonl and table.md.
#
# Environment: MODES (some of: auto off standard aggressive), DEVICE, CONFIG (folder with config.json), SIZE, RUNS, SEED,
# INPUTS (a file of arguments as for `forward transformer`; otherwise random ones), LIMIT_SECS (for each mode), PYTHON
# (one with torch, on whose libtorch the worker runs; otherwise its own), ARGS (more arguments for the worker, for instance
# `--flash-sdp off` or `--card-gib 12`).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
worker=$(realpath "${1:-$here/../../target/release/framepack-worker}")
out=${2:-${OUT:-$(mktemp -d)}}
modes=${MODES:-auto standard aggressive off}
device=${DEVICE:-cuda:0}
config=$(realpath "${CONFIG:-$here/../full-size/transformer}")
if [ -n "${INPUTS:-}" ]; then
  inputs=(--inputs "$(realpath "$INPUTS")")
else
  inputs=(--size "${SIZE:-608x640}")
fi
read -ra more <<<"${ARGS:-}"

mkdir -p "$out"
if [ -n "${PYTHON:-}" ]; then
  python=$PYTHON
  . "$here/../reference/libtorch.sh"
fi
failed=0
: >"$out/results.jsonl"
for mode in $modes; do
  result=$(timeout -k 5 "${LIMIT_SECS:-300}" "$worker" bench transformer --model "random:${SEED:-1}:$config" \
    "${inputs[@]}" --attention "$mode" --runs "${RUNS:-3}" --device "$device" --json "${more[@]}")
  status=$?
  if [ "$status" -eq 0 ]; then
    printf '{"mode": "%s", "result": %s}\n' "$mode" "$result" >>"$out/results.jsonl"
  else
    echo "$mode: FAILED with $status" >&2
    failed=1
  fi
done
python3 "$here/table.py" "$out/results.jsonl" | tee "$out/table.md"
exit "$failed"
