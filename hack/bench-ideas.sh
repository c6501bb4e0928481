#!/usr/bin/env bash
# Measures the idea service with a large community on a local PostgreSQL; see docs/benchmarks.md. Arguments go to the
# benchmark: --report-only, --only=read,vote, --statements=FILE, --profiles=FOLDER, --hold.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=/dev/null
. hack/cluster/instance.sh
# shellcheck source=/dev/null
. hack/cluster/machine.sh

# Where there are more processors, the benchmark uses two of them.
readonly PROCESSORS=2

if ! compgen -G '/usr/lib/postgresql/*/bin/pgbench' >/dev/null; then
  ensure_packages postgresql
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tags=()
if [[ " $* " == *" --profiles"* ]]; then
  tags=(-tags=pprof)
fi
echo "building the idea service and the benchmark" >&2
CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" ${tags[@]+"${tags[@]}"} -o "$folder/ideas" ./cmd/ideas
go build -o "$folder/bench" ./test/bench/ideas

limit=()
if (($(nproc) > PROCESSORS)); then
  limit=(taskset -c "0-$((PROCESSORS - 1))")
fi
# An array of no elements is unset for older shells.
${limit[@]+"${limit[@]}"} "$folder/bench" --ideas="$folder/ideas" "$@"
