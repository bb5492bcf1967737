#!/usr/bin/env bash
# The full-size VAE with and without the engine's kernels beside diffusers' on the same weights: eager, compiled and tiled.
# Needs a CUDA device with 40 GB or more, and a Python with torch, safetensors and diffusers.
#
#   bench/vae/kernels.sh [WORKER [OUTPUT_DIR]]
#
# Prints each result as a line of JSON, and then a table; OUTPUT_DIR (or OUT) gets kernels.jsonl and kernels.md.
#
# Environment: PYTHON, DEVICE, RUNS (5), SIZE, LATENT_FRAMES (18), WAYS of diffusers (framewise,tiled,compiled,encode;
# compiling takes minutes), CARD (GiB of the small card).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
worker=$(realpath "${1:-$here/../../target/release/framepack-worker}") || exit
out=${2:-${OUT:-$(mktemp -d)}}
python=${PYTHON:-python3}
device=${DEVICE:-cuda:0}
runs=${RUNS:-5}
card=${CARD:-8}
size=${SIZE:-608x640}
latent_frames=${LATENT_FRAMES:-18}
model=random:1:$(realpath "$here/../full-size/vae")
. "$here/../reference/libtorch.sh"
mkdir -p "$out"
results=$out/kernels.jsonl
. "$here/../reference/measure.sh"

reference=("$python" "$here/../reference/autoencoder.py")
decode=("$worker" bench vae-decode --model "$model" --size "$size" --latent-frames "$latent_frames" --device "$device"
  --runs "$runs" --json)
for kernels in on off; do
  measure "whole, kernels $kernels" "${decode[@]}" --kernels "$kernels" --tiles time
  measure "card, kernels $kernels" "${decode[@]}" --kernels "$kernels" --card-gib "$card"
  measure "encode, kernels $kernels" "$worker" bench vae-encode --model "$model" --size "$size" --device "$device" \
    --runs "$runs" --json --kernels "$kernels"
done
for kernels in on off; do
  measure "card, quality, kernels $kernels" "${decode[@]}" --kernels "$kernels" --card-gib "$card" --vae-quality on
  measure "whole, quality, kernels $kernels" "${decode[@]}" --kernels "$kernels" --card-gib 140 --vae-quality on
  measure "card, chunk 4, kernels $kernels" "${decode[@]}" --kernels "$kernels" --card-gib "$card" --vae-chunk 4
  measure "24 GiB, kernels $kernels" "${decode[@]}" --kernels "$kernels" --card-gib 24
done
measure diffusers "${reference[@]}" bench --model "$model" --size "$size" --latent-frames "$latent_frames" \
  --device "$device" --dtype float16 --runs "$runs" --ways "${WAYS:-framewise,tiled,encode,compiled}"
"$python" "$here/kernels.py" "$results" | tee "$out/kernels.md"
exit "$failed"
