#!/usr/bin/env bash
# Whole jobs of the published sizes, with sections decoded beside the next one's sampling and without: the share of the
# sections' time in which the device sampled nothing, the seconds of decoding that nobody waited for, and whether the
# videos are the same, bit for bit. Needs a CUDA device with 80 GB. There is no reference: the original decodes while
# nothing else is done.
#
#   bench/overlap/run.sh [WORKER [OUTPUT_DIR]]
#
# Prints each result as a line of JSON, and then a table; OUTPUT_DIR (or OUT) gets results.jsonl.
#
# Environment: DEVICE, RUNS (of each, in turn), STEPS, SECS (the video's), CARD_GIB (as on a smaller card),
# CUDA_SCALE_LAUNCH_QUEUES (4x, as the daemon has it).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
worker=$(realpath "${1:-$here/../../target/release/framepack-worker}")
out=${2:-${OUT:-$(mktemp -d)}}
mkdir -p "$out"
: > "$out/results.jsonl"
export CUDA_SCALE_LAUNCH_QUEUES=${CUDA_SCALE_LAUNCH_QUEUES-4x} # as the daemon starts its workers
args=(--bundle "$here/../full-size" --tokenizers "$here/../../tests/fixtures/bundle" --random-seed 1
  --steps "${STEPS:-25}" --secs "${SECS:-3.6}" --device "${DEVICE:-cuda:0}" --json)
[ -z "${CARD_GIB:-}" ] || args+=(--card-gib "$CARD_GIB")

for _ in $(seq "${RUNS:-3}"); do
  for overlap in off auto; do
    "$worker" bench job --overlap "$overlap" "${args[@]}" | python3 -c '
import json, sys
print(json.dumps({"asked": sys.argv[1]} | json.load(sys.stdin)))' "$overlap" | tee -a "$out/results.jsonl"
  done
done

python3 - "$out/results.jsonl" <<'PY'
import json
import statistics
import sys

rows = [json.loads(line) for line in open(sys.argv[1])]


def median(asked, name, factor=1.0):
    values = [row[name] for row in rows if row["asked"] == asked and row[name] is not None]
    return f"{statistics.median(values) * factor:.2f}" if values else "-"


print("| median | vae.overlap: off | vae.overlap: auto |")
print("|---|---|---|")
for label, name, factor in [
    ("job, s", "job_secs", 1),
    ("nothing to do, % of the sections' time", "section_idle_share", 100),
    ("nothing to do or decoding alone, %", "section_not_sampling_share", 100),
    ("decoding that nobody waited for, s", "hidden_secs", 1),
    ("peak of the device, GiB", "measured_peak_bytes", 2**-30),
]:
    print(f"| {label} | {median('off', name, factor)} | {median('auto', name, factor)} |")
reasons = {(row["asked"], row["overlap"]["is_planned"], row["overlap"]["reason"]) for row in rows}
for asked, is_planned, reason in sorted(reasons):
    print(f"\nvae.overlap: {asked}: {'planned' if is_planned else 'not planned'}: {reason}")
tiles = {tuple(row["decoded_tiles"].values()) for row in rows}
print(f"\ntiles (all, reused): {sorted(tiles)}")
same = len({row["stream_sha256"] for row in rows}) == 1
print("\nvideos: " + ("all the same, bit for bit" if same else "NOT the same"))
sys.exit(0 if same else 1)
PY
