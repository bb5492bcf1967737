#!/usr/bin/env bash
# What one listing of the jobs folder takes: with many files in it that are no jobs, and with as many job files that
# wait for room in the queue. It should stay below 100 ms.
# usage: bench/spool/run.sh [FILES]
set -euo pipefail

cd "$(dirname "$0")/../.."
files=${1:-50000}
bin=$PWD/target/release
root=$(mktemp -d "${TMPDIR:-/tmp}/framepack-spool.XXXXXX")
mkdir "$root/jobs" "$root/bundle"
# No worker that renders: the queue stays full.
printf '#!/bin/sh\nsleep 3600\n' > "$root/worker"
chmod +x "$root/worker"
cat > "$root/framepackd.yaml" <<YAML
paths: {jobs: jobs, state: state, outputs: outputs, socket: framepackd.sock}
models: {bundle: bundle}
worker: {devices: cpu, program: '$root/worker'}
queue: {max_jobs: 1}
spool: {scan_secs: 1, wait_inputs_secs: 0}
YAML
"$bin/framepackd" --config "$root/framepackd.yaml" 2> "$root/log" &
daemon=$!
stop() { kill -KILL "$daemon" 2>/dev/null || true; wait "$daemon" 2>/dev/null || true; rm -rf "$root"; }
trap stop EXIT

ctl() { "$bin/framepackctl" --socket "$root/framepackd.sock" "$@"; }
figure() { ctl metrics | awk -v name="$1" '$1 == name { print $2 }'; }
until ctl ping > "$root/ping" 2>&1; do sleep 0.1; done

# The median of ten listings.
listings() {
  for _ in $(seq 10); do
    ctl folder scan > "$root/scan"
    figure framepackd_spool_scan_seconds
  done | sort -n | awk -v what="$1" 'NR == 5 { printf "%-40s %6.1f ms\n", what, 1000 * $1 }'
}

listings "an empty folder"
seq "$files" | sed "s|.*|$root/jobs/&.png|" | xargs touch
listings "$files pictures"

find "$root/jobs" -maxdepth 1 -name '*.png' -delete
echo "a photo" > "$root/jobs/photo.png"
mkdir "$root/new"
for n in $(seq "$files"); do
  printf 'api: framepack/v1\nstart: {image: photo.png}\nprompt: "prompt %d"\n' "$n" > "$root/new/$n.yaml"
done
find "$root/new" -name '*.yaml' -exec mv -t "$root/jobs" {} +
until [ "$(figure 'framepackd_spool_files{state="left"}')" -ge $((files - 1)) ]; do sleep 1; done
listings "$files job files, and no room"
