# Sourced: records results as lines of JSON in "$results". A command that fails sets "failed", and the end of what it said is
# shown; "$out" has the whole of it.
: >"$results"
failed=0

measure() { # NAME COMMAND…: records the JSON lines that it prints
  local name=$1
  shift
  "$@" 2>"$out/stderr" | sed -n "s/^{/{\"name\": \"$name\", /p" | tee -a "$results"
  if [ "${PIPESTATUS[0]}" -ne 0 ]; then
    tail -n 3 "$out/stderr" >&2
    failed=1
  fi
}
