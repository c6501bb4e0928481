# What the scripts say while they work. Sourced.
# shellcheck shell=bash

PROGRESS_START="${PROGRESS_START:-$SECONDS}"

clock() { printf '%02d:%02d' $(($1 / 60)) $(($1 % 60)); }
say() { printf '%s\n' "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# run_step "[1/3] label" log command...: runs the command with its output in the log, and shows that time passes.
run_step() {
  local label="$1" log="$2" started=$SECONDS pid next=30
  shift 2
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    if [[ -t 2 ]]; then
      printf '\r%s … %s (total %s)' "$label" "$(clock $((SECONDS - started)))" "$(clock $((SECONDS - PROGRESS_START)))" >&2
    elif ((SECONDS - started >= next)); then
      say "$label … $(clock $((SECONDS - started))) (total $(clock $((SECONDS - PROGRESS_START))))"
      next=$((next + 30))
    fi
    sleep 0.2
  done
  if ! wait "$pid"; then
    if [[ -t 2 ]]; then printf '\n' >&2; fi
    show_log "$log"
    fail "$label failed; the whole log: $log"
  fi
  if [[ -t 2 ]]; then printf '\r' >&2; fi
  say "$label … $(clock $((SECONDS - started))) (total $(clock $((SECONDS - PROGRESS_START)))) done"
}

show_log() {
  if [[ -s "$1" ]]; then
    say "--- last lines of $1"
    tail -n 20 "$1" >&2
    say "---"
  fi
}
