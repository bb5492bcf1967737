#!/usr/bin/env bash
# Step caches at the full size: seconds of a computed and of a reused step, of a section, and peak memory; and the same
# section with TeaCache in diffusers, eager, with the same synthesised weights. Needs a CUDA device with 40 GB or more,
# and a Python with torch, safetensors and diffusers (without diffusers its row stays empty).
#
#   bench/step-cache/run.sh [WORKER [OUTPUT_DIR]]
#
# Weights from a seed don't change from step to step as trained ones do, so what is reused is given: by SEQUENCE to
# TeaCache on both sides (the default is an example of what it does with the published model at 0.15: about half of the
# steps), and to FBCache and SimCache by a threshold at which they reuse whenever they may. MagCache's and the KV cache's
# sequences don't depend on what is computed.
#
# Prints each result as a line of JSON, and then tables; OUTPUT_DIR (or OUT) gets results.jsonl and tables.md.
#
# Environment: ROWS (some of: teacache diffusers off magcache fbcache simcache kv, in the order in which they are
# measured), BUDGET_SECS (what no time is left for is left out), SEQUENCE (a C for each computed step, an r for each that
# reuses), SHORT_STEPS (of the sections with other caches and without one, so that all fit into the time), RUNS (of whole
# sections), PYTHON, DEVICE, CONFIG (folder with config.json), SIZE, DTYPE (of diffusers, as torch names it), SEED, ARGS
# (more arguments for the worker).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
worker=$(realpath "${1:-$here/../../target/release/framepack-worker}") || exit
out=${2:-${OUT:-$(mktemp -d)}}
rows=${ROWS:-teacache diffusers off magcache fbcache simcache kv}
budget_secs=${BUDGET_SECS:-195}
sequence=${SEQUENCE:-CCCrCrCrCrCrCrCrCrCrCrCrC}
short_steps=${SHORT_STEPS:-7}
python=${PYTHON:-python3}
device=${DEVICE:-cuda:0}
config=$(realpath "${CONFIG:-$here/../full-size/transformer}")
size=${SIZE:-608x640}
seed=${SEED:-1}
runs=${RUNS:-1}
read -ra more <<<"${ARGS:-}"

case $sequence in
  *[!Cr]* | r* | *r | "")
    echo "SEQUENCE is $sequence: expected C and r, C first and last" >&2
    exit 2
    ;;
esac
for row in $rows; do
  case $row in
    teacache | diffusers | off | magcache | fbcache | simcache | kv) ;;
    *)
      echo "ROWS names $row: expected teacache, diffusers, off, magcache, fbcache, simcache or kv" >&2
      exit 2
      ;;
  esac
done
if [ "$rows" != diffusers ] && ! "$worker" bench section --help >/dev/null; then
  echo "$worker has no bench section: build a newer worker, or set ROWS=diffusers" >&2
  exit 2
fi
mkdir -p "$out"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. "$here/../reference/libtorch.sh"
reference=("$python" "$here/reference.py")
failed=0
: >"$out/results.jsonl"

record() { # ROW JSON
  printf '{"row": "%s", "result": %s}\n' "$1" "$2" | tee -a "$out/results.jsonl"
}

measure() { # ROW COMMAND…: records the JSON line that it prints, or the last line that it complained with
  local row=$1 left=$((budget_secs - SECONDS)) start=$SECONDS status=0
  shift
  if [ "$left" -lt 5 ]; then
    record "$row" '{"error": "no time was left"}'
    failed=1
    return
  fi
  timeout -k 5 "$left" "$@" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
  echo "$row: $((SECONDS - start)) s" >&2
  while IFS= read -r line; do
    case $line in "{"*"}") record "$row" "$line" ;; esac
  done <"$scratch/stdout"
  [ "$status" -eq 0 ] && return
  failed=1
  [ "$status" -ne 124 ] || echo "no time was left" >>"$scratch/stderr"
  record "$row" "{\"error\": $(tail -n 1 "$scratch/stderr" | "$python" -c \
    'import json, sys; print(json.dumps(sys.stdin.read().strip()))')}"
}

section() { # KIND STEPS ARGUMENT…
  local kind=$1 steps=$2
  shift 2
  measure "$kind" "$worker" bench section --model "random:$seed:$config" --device "$device" --size "$size" \
    --steps "$steps" --runs "$runs" --cache "$kind" --json "$@" "${more[@]}"
}

measure machine "${reference[@]}" describe --device "$device"
record machine "{\"size\": \"$size\", \"runs\": $runs}"
for row in $rows; do
  case $row in
    diffusers)
      measure diffusers "${reference[@]}" section --config "$config" --seed "$seed" --size "$size" \
        --sequence "$sequence" --device "$device" --dtype "${DTYPE:-bfloat16}" --runs "$runs"
      ;;
    teacache) section teacache "${#sequence}" --cache-computed "$sequence" ;;
    fbcache) section fbcache "$short_steps" --cache-threshold 1 ;;
    simcache) section simcache "$short_steps" --cache-threshold 0 ;;
    *) section "$row" "$short_steps" ;;
  esac
done
record machine "{\"wall s\": $SECONDS}"
"$python" "$here/table.py" "$out/results.jsonl" | tee "$out/tables.md"
exit "$failed"
