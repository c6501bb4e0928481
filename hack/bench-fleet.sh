#!/usr/bin/env bash
# Measures the operator with 1,000 Communities on a bare API server; see docs/benchmarks.md. Arguments go to the
# benchmark: --report-only, --quiet=30s, --operator-args=…; COMMUNITIES=100 makes a smaller fleet.
set -euo pipefail
cd "$(dirname "$0")/.."

# Where there are more processors, the benchmark uses two of them.
readonly PROCESSORS=2

hack/cluster/build.sh etcd kube-apiserver kubectl
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "building the operator and the benchmark" >&2
CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o "$folder/operator" .
go build -o "$folder/bench" ./test/bench/fleet

limit=()
if (($(nproc) > PROCESSORS)); then
  limit=(taskset -c "0-$((PROCESSORS - 1))")
fi
# An array of no elements is unset for older shells.
${limit[@]+"${limit[@]}"} "$folder/bench" --operator="$folder/operator" --communities="${COMMUNITIES:-1000}" "$@"
