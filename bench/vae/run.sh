#!/usr/bin/env bash
# Decodes on cards of every size with the full-size VAE, in every way of the worker and beside it by diffusers, with the
# same synthesised weights: peak memory, planned and measured, and seconds. Needs a CUDA device with 40 GB or more, and
# a Python with torch, safetensors and diffusers (without diffusers its rows stay empty). A smaller card is a large one
# of which an allocation leaves only so much.
#
#   bench/vae/run.sh [WORKER [OUTPUT_DIR]]
#
# Prints each result as a line of JSON, and then tables; OUTPUT_DIR (or OUT) gets results.jsonl and tables.md.
#
# Environment: CARDS (GiB, and whole), ROWS (some of: reference auto quality diffusers, and numbers of latent frames a
# chunk; for every card the first of them, then the next), BUDGET_SECS (what no time is left for is left out), PYTHON,
# DEVICE, MODEL (folder or random:SEED:CONFIGDIR), SIZE, LATENT_FRAMES, DTYPE (f16, bf16, f32), RUNS.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
worker=$(realpath "${1:-$here/../../target/release/framepack-worker}") || exit
out=${2:-${OUT:-$(mktemp -d)}}
cards=${CARDS:-whole 24 16 8 6}
rows=${ROWS:-reference 1 auto quality diffusers 8 4 2 6 3 5 7}
budget_secs=${BUDGET_SECS:-360}
python=${PYTHON:-python3}
device=${DEVICE:-cuda:0}
model=${MODEL:-random:1:$(realpath "$here/../full-size/vae")}
dtype=${DTYPE:-f16}
sizes=(--size "${SIZE:-608x640}" --latent-frames "${LATENT_FRAMES:-9}" --device "$device" --runs "${RUNS:-1}")
case $dtype in
  f16) torch_dtype=float16 ;;
  bf16) torch_dtype=bfloat16 ;;
  f32) torch_dtype=float32 ;;
  *)
    echo "DTYPE is $dtype: expected f16, bf16 or f32" >&2
    exit 2
    ;;
esac

needs_flags=
for row in $rows; do
  case $row in
    reference | diffusers) ;;
    auto | quality | [1-8]) needs_flags=1 ;;
    *)
      echo "ROWS names $row: expected reference, auto, quality, diffusers or 1 to 8" >&2
      exit 2
      ;;
  esac
done
if [ -n "$needs_flags" ] && ! "$worker" bench vae-decode --help | grep -q -- --vae-chunk; then
  echo "$worker: bench vae-decode doesn't know --vae-chunk: build a newer worker, or set ROWS='reference diffusers'" >&2
  exit 2
fi
mkdir -p "$out"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. "$here/../reference/libtorch.sh"
reference=("$python" "$here/../reference/autoencoder.py")
failed=0
: >"$out/results.jsonl"

record() { # CARD ROW JSON
  printf '{"card": "%s", "row": "%s", "result": %s}\n' "$1" "$2" "$3" | tee -a "$out/results.jsonl"
}

measure() { # CARD ROW COMMAND…: records the JSON lines that it prints, or the last line that it complained with
  local card=$1 row=$2 left=$((budget_secs - SECONDS)) status=0
  shift 2
  if [ "$left" -lt 5 ]; then
    record "$card" "$row" '{"error": "no time was left"}'
    failed=1
    return
  fi
  timeout -k 5 "$left" "$@" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
  while IFS= read -r line; do
    case $line in "{"*"}") record "$card" "$row" "$line" ;; esac
  done <"$scratch/stdout"
  [ "$status" -eq 0 ] && return
  failed=1
  [ "$status" -ne 124 ] || echo "no time was left" >>"$scratch/stderr"
  record "$card" "$row" "{\"error\": $(tail -n 1 "$scratch/stderr" | "$python" -c \
    'import json, sys; print(json.dumps(sys.stdin.read().strip()))')}"
}

decode() { # CARD ROW
  local card=$1 row=$2 limit=() flags=()
  [ "$card" = whole ] || limit=(--card-gib "$card")
  case $row in
    diffusers)
      # One pass needs more than a small card has.
      local ways=framewise,tiled
      [ "$card" != whole ] || ways+=,whole
      measure "$card" "$row" "${reference[@]}" bench --model "$model" "${sizes[@]}" --dtype "$torch_dtype" \
        --ways "$ways" "${limit[@]}"
      return
      ;;
    reference) ;;
    quality) flags=(--vae-quality on) ;;
    *) flags=(--vae-chunk "$row") ;;
  esac
  measure "$card" "$row" "$worker" bench vae-decode --model "$model" "${sizes[@]}" --dtype "$dtype" --json \
    "${limit[@]}" "${flags[@]}"
}

measure machine machine "${reference[@]}" describe --device "$device"
record machine machine "{\"size\": \"${SIZE:-608x640}\", \"latent_frames\": ${LATENT_FRAMES:-9}, \"dtype\": \"$dtype\"}"
for row in $rows; do
  for card in $cards; do
    decode "$card" "$row"
  done
done
record machine machine "{\"wall_secs\": $SECONDS}"
"$python" "$here/table.py" "$out/results.jsonl" | tee "$out/tables.md"
exit "$failed"
