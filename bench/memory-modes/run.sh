#!/usr/bin/env bash
# The full-size packed transformer on cards of every size, here and in diffusers, with the same synthesised weights:
# seconds, peak memory, whether streaming changes a bit, and the way from the page cache to the first forward.
# Needs a CUDA device with 40 GB or more, 128 GB of host memory, 30 GB of disk, and a Python with torch, safetensors,
# diffusers and accelerate. A smaller card is a large one of which an allocation leaves only so much.
#
#   bench/memory-modes/run.sh [WORKER [OUTPUT_DIR]]
#
# OUTPUT_DIR (or OUT) gets results.jsonl, to which runs append, and tables.md.
#
# Environment: PARTS (some of: unlimited modes offloaded cold large job vae), BUDGET_SECS (for all parts; what no time
# is left for is left out), SCRATCH (a folder for tensors and the checkpoint), PYTHON, DEVICE, CONFIG (folder with
# config.json), SIZE, TEXT_TOKENS, RUNS, SEED, JOB_ARGS and VAE_ARGS (instead of those
# parts' own: full-size models made from the seed, three sections of five steps).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
worker=$(realpath "${1:-$here/../../target/release/framepack-worker}")
out=${2:-${OUT:-$(mktemp -d)}}
parts=${PARTS:-unlimited modes offloaded cold large job vae}
budget_secs=${BUDGET_SECS:-520}
python=${PYTHON:-python3}
device=${DEVICE:-cuda:0}
config=$(realpath "${CONFIG:-$here/../full-size/transformer}")
seed=${SEED:-1}
runs=${RUNS:-3}
full_size=$(realpath "$here/../full-size")
tokenizers=$(realpath "$here/../../tests/fixtures/bundle")
job_args=(--bundle "$full_size" --random-seed "$seed" --tokenizers "$tokenizers" --steps 5 --secs 3.6)
[ -z "${JOB_ARGS:-}" ] || read -ra job_args <<<"$JOB_ARGS"
vae_args=(--model "random:$seed:$full_size/vae")
[ -z "${VAE_ARGS:-}" ] || read -ra vae_args <<<"$VAE_ARGS"

mkdir -p "$out"
if [ -n "${SCRATCH:-}" ]; then
  scratch=$SCRATCH
  mkdir -p "$scratch"
else
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
fi
. "$here/../reference/libtorch.sh"
failed=0

record() { # NAME JSON
  printf '{"part": "%s", "result": %s}\n' "$1" "$2" >>"$out/results.jsonl"
}

part() { # NAME LIMIT_SECS COMMAND…: records the JSON lines that it prints; after a failure the others go on
  local name=$1 limit=$2 left=$((budget_secs - SECONDS)) start=$SECONDS status=0
  shift 2
  [ "$limit" -lt "$left" ] || limit=$left
  if [ "$limit" -lt 5 ]; then
    echo "$name: left out, no time is left" >&2
    failed=1
    return 1
  fi
  record "$name" null # what an earlier run said no longer counts
  timeout -k 5 "$limit" "$@" >"$scratch/stdout" || status=$?
  while IFS= read -r line; do
    case $line in "{"*"}") record "$name" "$line" ;; esac
  done <"$scratch/stdout"
  record "$name" "{\"exit_status\": $status, \"wall_secs\": $((SECONDS - start))}"
  if [ "$status" -eq 0 ]; then
    echo "$name: $((SECONDS - start)) s" >&2
  else
    echo "$name: FAILED with $status after $((SECONDS - start)) s of at most $limit" >&2
    failed=1
    return 1
  fi
}

ours() { # NAME LIMIT_SECS MODEL RUNS ARGUMENT…: the transformer in the worker
  local name=$1 limit=$2 model=$3 runs=$4
  shift 4
  part "$name" "$limit" "$worker" bench transformer --model "random:$seed:$model" \
    --inputs "$scratch/inputs.safetensors" --output "$scratch/$name.safetensors" --runs "$runs" \
    --device "$device" --dtype bf16 --json "$@" || return
  record "$name" "{\"sample_sha256\": \"$(sha256sum <"$scratch/$name.safetensors" | cut -c-64)\"}"
}

reference() { # NAME LIMIT_SECS COMMAND ARGUMENT…
  local name=$1 limit=$2
  shift 2
  part "$name" "$limit" "$python" "$here/reference.py" "$@"
}
of_model=(--config "$config" --scratch "$scratch" --seed "$seed" --device "$device")

reference machine 120 prepare "${of_model[@]}" --size "${SIZE:-608x640}" --text-tokens "${TEXT_TOKENS:-60}" || exit 1

for group in $parts; do
  case $group in
    unlimited)
      ours unlimited 110 "$config" "$runs"
      reference resident 90 resident "${of_model[@]}" --runs "$runs"
      ours cut 40 "$scratch/cut" 1
      reference difference 30 compare --scratch "$scratch"
      ;;
    modes)
      for gib in 24 16 8 12 6; do
        ours "card-$gib" 80 "$config" "$runs" --card-gib "$gib"
      done
      # NaN in every slot whose block is through: a transfer out of order would be in the result.
      ours card-8-poisoned 80 "$config" 1 --card-gib 8 --poison-slots
      ;;
    offloaded) reference offloaded 120 offloaded "${of_model[@]}" --runs "$runs" --card-gib 8 ;;
    cold)
      if reference checkpoint 100 checkpoint "${of_model[@]}"; then
        cat "$scratch"/checkpoint/*.safetensors >/dev/null
        reference from-pretrained 60 from-pretrained --scratch "$scratch" --device "$device"
        part load 60 "$worker" bench load --model "$scratch/checkpoint" --device "$device" --json
      fi
      rm -rf "$scratch/checkpoint"
      ;;
    # Little of it is page-locked: the rest passes through two page-locked buffers.
    large) ours large 180 "$scratch/large" 1 --card-gib 16 --host-budget-gib 2 ;;
    job)
      part job 120 "$worker" bench job --device "$device" --json "${job_args[@]}"
      part job-8 120 "$worker" bench job --card-gib 8 --device "$device" --json "${job_args[@]}"
      ;;
    vae)
      part vae-decode 60 "$worker" bench vae-decode --device "$device" --json "${vae_args[@]}"
      part vae-decode-8 60 "$worker" bench vae-decode --card-gib 8 --device "$device" --json "${vae_args[@]}"
      ;;
    *)
      echo "PARTS names $group, which is no part" >&2
      failed=1
      ;;
  esac
done

# At the end, because a virtual machine may get its memory as it uses it.
record machine "{\"host_bytes\": $(awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)}"
"$python" "$here/table.py" "$out/results.jsonl" | tee "$out/tables.md"
exit "$failed"
