#!/usr/bin/env bash
# Unit, schema, API-server and service tests with the race detector. They start a real API server, etcd and
# PostgreSQL themselves; what is missing for that on this machine is installed or built first.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=/dev/null
. hack/cluster/instance.sh
# shellcheck source=/dev/null
. hack/cluster/progress.sh
# shellcheck source=/dev/null
. hack/cluster/machine.sh
: "${HELM:?run it with: make test}" "${KUSTOMIZE:?run it with: make test}"
export HELM KUSTOMIZE

main() {
  prepare_postgres
  hack/cluster/build.sh etcd kube-apiserver kubectl
  # The definitions of other projects are read from their modules.
  go mod download
  # Several packages start an API server of their own: more of them at a time than cores only slow each other.
  go test -race -timeout 20m -p "$(nproc)" ./...
  # The clock of builds for tests, which the tests above must not have.
  go test -race -tags testclock -run TestClockIsSet ./cmd/ideas
  # Small modules of their own, which the one above does not reach.
  (cd hack/images && go test -race ./...)
}

prepare_postgres() {
  if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; then return; fi
  ensure_packages postgresql
}

main "$@"
