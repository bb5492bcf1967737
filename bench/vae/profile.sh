#!/usr/bin/env bash
# Milliseconds of each part of the full-size decoder, with and without the engine's kernels: one piece of five latent
# frames, kernel by kernel. Needs a CUDA device and NVIDIA's ncu in PATH.
#
#   bench/vae/profile.sh [WORKER]
#
# Environment: PYTHON, DEVICE, SIZE, LATENT_FRAMES, DTYPE, KERNELS (off on).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
worker=$(realpath "${1:-$here/../../target/release/framepack-worker}") || exit
python=${PYTHON:-python3}
. "$here/../reference/libtorch.sh"
decode=("$worker" bench vae-decode --model "random:1:$(realpath "$here/../full-size/vae")" --tiles time --runs 1
  --size "${SIZE:-608x640}" --latent-frames "${LATENT_FRAMES:-5}" --device "${DEVICE:-cuda:0}" --dtype "${DTYPE:-f16}")
for kernels in ${KERNELS:-off on}; do
  # Weights are synthesised first; the decode for warming up has the same kernels as the measured one.
  ncu --csv --metrics gpu__time_duration.sum --clock-control none "${decode[@]}" --kernels "$kernels" |
    "$python" "$here/profile.py" "$kernels" || exit
done
