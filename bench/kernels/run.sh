#!/usr/bin/env bash
# One forward of the full-size packed transformer with and without the engine's kernels beside diffusers' on the same weights,
# eager and compiled; where its time goes; and how far a cut of it is from f32. Needs a CUDA device with 40 GB or more, and a
# Python with torch, safetensors and diffusers.
#
#   bench/kernels/run.sh [WORKER [OUTPUT_DIR]]
#
# Prints each result as a line of JSON, and then tables; OUTPUT_DIR (or OUT) gets results.jsonl and results.md.
#
# Environment: PYTHON, DEVICE, RUNS (5), CASES (base, and any of wide,small,f1; all of them), WAYS of diffusers
# (eager,compiled; compiling takes half a minute a case), CARDS (8 6), SANITIZER (a compute-sanitizer to try the kernels under,
# or nothing).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
worker=$(realpath "${1:-$here/../../target/release/framepack-worker}") || exit
out=${2:-${OUT:-$(mktemp -d)}}
python=${PYTHON:-python3}
device=${DEVICE:-cuda:0}
runs=${RUNS:-5}
cases=${CASES:-base,wide,small,f1}
config=$(realpath "$here/../full-size/transformer")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
reference=("$python" "$here/reference.py")
. "$here/../reference/libtorch.sh"
mkdir -p "$out"
results=$out/results.jsonl
. "$here/../reference/measure.sh"

compare() { # NAME FILE FILE: records how far apart two results are
  measure "$1" "${reference[@]}" compare --found "$work/$2.safetensors" --expected "$work/$3.safetensors"
}

input() { # CASE SIZE TEXT_TOKENS ORDER
  "${reference[@]}" inputs --config "$config" --size "$2" --text-tokens "$3" --order "$4" --output "$work/$1.safetensors"
}
input base 608x640 60 backward
input wide 480x832 60 backward
input small 384x384 60 backward
input f1 608x640 512 forward
input cut 320x320 60 backward
"${reference[@]}" cut --config "$config" --output "$work/cut-model"

ours() { # NAME CASE RUNS OUTPUT OPTION…
  local name=$1 case=$2 runs=$3 output=$4
  shift 4
  measure "$name" "$worker" bench transformer --device "$device" --dtype bf16 --json --runs "$runs" \
    --model "random:1:$config" --inputs "$work/$case.safetensors" --output "$work/$output.safetensors" "$@"
}
ours warm base 1 warm --kernels off
ours "compiled anew" base 1 anew --kernel-folder "$work/kernels"
ours "from disk" base 1 disk --kernel-folder "$work/kernels"
ours without base 1 without --kernels off
for case in ${cases//,/ }; do
  for kernels in on off; do
    ours "$case, kernels $kernels" "$case" "$runs" "$case-$kernels" --kernels "$kernels" --profile --kernel-folder "$work/kernels"
  done
done
for card in ${CARDS:-8 6}; do
  ours "$card GiB" base "$runs" "card-$card" --card-gib "$card" --kernel-folder "$work/kernels"
  compare "$card GiB against unlimited" "card-$card" base-on
done

cut() { # OUTPUT OPTION…
  local output=$1
  shift
  "$worker" forward transformer --model "random:1:$work/cut-model" --inputs "$work/cut.safetensors" --device "$device" \
    --output "$work/$output.safetensors" "$@" 2>"$out/stderr" || { tail -n 3 "$out/stderr" >&2; failed=1; }
}
cut cut-f32 --dtype f32 --kernels off
for kernels in on off; do
  cut "cut-$kernels" --dtype bf16 --kernels "$kernels"
  compare "cut, kernels $kernels" "cut-$kernels" cut-f32
done
cut cut-streamed --dtype bf16 --resident-blocks 1
compare "cut, streamed against resident" cut-streamed cut-on

if [ -n "${WAYS=eager,compiled}" ]; then
  "${reference[@]}" measure --config "$work/cut-model" --cases cut --folder "$work" --ways eager --device "$device" --runs 1 \
    --save yes >"$out/stderr" 2>&1 || tail -n 3 "$out/stderr" >&2
  compare "cut, diffusers" cut.eager cut-f32
  measure diffusers "${reference[@]}" measure --config "$config" --cases "$cases" --folder "$work" --ways "$WAYS" \
    --device "$device" --runs "$runs" --save yes
  for case in ${cases//,/ }; do
    compare "$case, kernels off against diffusers" "$case-off" "$case.eager"
  done
fi

if [ -n "${SANITIZER-}" ]; then
  sanitize() { # TOOL OPTION…
    local tool=$1
    shift
    echo "$tool: $(timeout 100 "$SANITIZER" --tool "$tool" "$@" "$worker" doctor --device "$device" 2>&1 |
      sed -nE "s/^=+ //; s/.* Thread .* at ([A-Za-z_0-9]+).*/hazard in \1/p; /SUMMARY|kernels of/p" | sort -u | tr '\n' ' ')" |
      tee -a "$out/sanitizer"
  }
  sanitize memcheck --report-api-errors no
  sanitize racecheck
fi
"$python" "$here/table.py" "$results" | tee "$out/results.md"
exit "$failed"
