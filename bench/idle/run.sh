#!/usr/bin/env bash
# What an idle framepackd takes: resident memory, and processor time over a while without jobs.
# The worker is a process of its own and is not counted. The daemon is started twice: what making a new store takes of
# memory is gone with the first one.
# With --fake-nvml the daemon finds a stand-in for NVIDIA's management library that takes 20 MiB when it is loaded, as the
# real one does; on a GPU host it finds the real one without that.
# usage: bench/idle/run.sh [--fake-nvml] [SECONDS]
set -euo pipefail

cd "$(dirname "$0")/../.."
fake_nvml=
if [ "${1:-}" = --fake-nvml ]; then fake_nvml=1; shift; fi
secs=${1:-60}
bin=$PWD/target/release
root=$(mktemp -d "${TMPDIR:-/tmp}/framepack-idle.XXXXXX")
mkdir "$root/jobs"
cat > "$root/framepackd.yaml" <<YAML
paths: {jobs: jobs, state: state, outputs: outputs, socket: framepackd.sock}
models: {bundle: '$PWD/models/demo'}
worker: {devices: cpu}
YAML
if [ -n "$fake_nvml" ]; then
  mkdir "$root/nvml"
  cc -O1 -DBALLAST_MIB=20 -shared -fPIC -o "$root/nvml/libnvidia-ml.so.1" tests/daemon/fake_nvml.c
  export LD_LIBRARY_PATH="$root/nvml" FAKE_NVML_FOREIGN="$root/foreign"
fi
start() {
  "$bin/framepackd" --config "$root/framepackd.yaml" 2> "$root/log" &
  daemon=$!
  for _ in $(seq 600); do
    "$bin/framepackctl" --socket "$root/framepackd.sock" ping 2>/dev/null | grep -q idle && break
    sleep 0.1
  done
}
stop() { kill -TERM "$daemon" 2>/dev/null || true; wait "$daemon" 2>/dev/null || true; }
trap 'stop; rm -rf "$root"' EXIT

start
stop
start
ticks() { awk '{ print $14 + $15 }' "/proc/$daemon/stat"; }
field() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$daemon/status"; }

if grep -q nvidia-ml "/proc/$daemon/maps"; then echo "NVIDIA's library is loaded"; fi
before=$(ticks)
sleep "$secs"
after=$(ticks)
echo "resident memory      $(field VmRSS) KiB, of it $(field RssAnon) KiB its own and $(field RssFile) KiB of files"
echo "threads              $(field Threads)"
awk -v used=$((after - before)) -v hz="$(getconf CLK_TCK)" -v secs="$secs" \
  'BEGIN { printf "processor time       %.2f s in %d s: %.2f %%\n", used / hz, secs, 100 * used / hz / secs }'
