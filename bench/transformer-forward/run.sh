#!/usr/bin/env bash
# One forward of the full-size packed transformer, here and in diffusers, with the same synthesised weights:
# seconds, peak memory, and how far the results are apart. Needs a CUDA device with 40 GB or more; a Python with
# torch, safetensors and diffusers (without diffusers the reference's row stays empty).
#
#   bench/transformer-forward/run.sh [WORKER [OUTPUT_DIR]]
#
# Environment: PYTHON, DEVICE, CONFIG (folder with config.json), SIZE, SMALL_SIZE, TEXT_TOKENS, RUNS, SEED.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
worker=$(realpath "${1:-$here/../../target/release/framepack-worker}")
out=${2:-$(mktemp -d)}
python=${PYTHON:-python3}
device=${DEVICE:-cuda:0}
config=${CONFIG:-$here/../full-size/transformer}
size=${SIZE:-608x640}
small_size=${SMALL_SIZE:-320x320}
text_tokens=${TEXT_TOKENS:-60}
runs=${RUNS:-3}
seed=${SEED:-1}
reference=("$python" "$here/reference.py")
mkdir -p "$out"

. "$here/../reference/libtorch.sh"

step() { # LABEL COMMAND…: reports a failure and goes on, so that the table shows what there is
  local label=$1 start=$SECONDS
  shift
  if "$@"; then
    echo "$label: $((SECONDS - start)) s" >&2
  else
    echo "$label: FAILED" >&2
    failed=1
  fi
}
failed=0

echo "$("$python" -c 'import torch; print(torch.__version__)') on ${device}" >&2
"${reference[@]}" inputs --config "$config" --size "$size" --text-tokens "$text_tokens" --seed "$seed" \
  --output "$out/inputs.safetensors" || exit 1
"${reference[@]}" shrink --config "$config" --output "$out/small" || exit 1
"${reference[@]}" inputs --config "$config" --size "$small_size" --text-tokens "$text_tokens" --seed "$seed" \
  --output "$out/small-inputs.safetensors" || exit 1

ours() {
  "$worker" bench transformer --model "random:$seed:$config" --inputs "$out/inputs.safetensors" --runs "$runs" \
    --device "$device" --dtype bf16 --json --output "$out/ours.safetensors" >"$out/ours.json"
}
theirs() {
  "${reference[@]}" measure --config "$config" --seed "$seed" --inputs "$out/inputs.safetensors" --runs "$runs" \
    --device "$device" --output "$out/reference.safetensors" >"$out/reference.json"
}
small() { # DEVICE DTYPE OUTPUT
  "$worker" forward transformer --model "random:$seed:$out/small" --inputs "$out/small-inputs.safetensors" \
    --device "$1" --dtype "$2" --output "$3"
}

step "full size, framepackd" ours
step "full size, diffusers" theirs
step "1+1 blocks, bf16 on $device" small "$device" bf16 "$out/small-device.safetensors"
step "1+1 blocks, f32 on the CPU" small cpu f32 "$out/small-cpu.safetensors"

"${reference[@]}" table --output "$out"
exit "$failed"
