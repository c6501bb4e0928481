#!/usr/bin/env bash
# Measures, on the local cluster, how long a Community takes to be Ready against its database alone; see
# docs/benchmarks.md. Arguments go to the benchmark: --kinds=standalone --runs=3 --report-only.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=/dev/null
. hack/cluster/instance.sh
# shellcheck source=/dev/null
. hack/cluster/progress.sh

readonly OPERATOR_NAMESPACE=community-system

main() {
  : "${HELM:?run it with: make bench-ready}"
  local images folder
  KUBECONFIG="$(hack/cluster/up.sh)"
  export KUBECONFIG
  hack/cluster/cnpg.sh >/dev/null
  images="$(hack/cluster/images.sh operator ideas postgres)"
  # shellcheck disable=SC2086,SC2163
  export $images
  run_step "installing the operator with its Helm chart" "$CACHE_DIR/log/bench-helm.log" install_operator
  folder=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" EXIT
  go build -o "$folder/bench" ./test/bench/ready
  "$folder/bench" --ideas-image="$IDEAS_IMAGE" --postgres-image="$POSTGRES_IMAGE" \
    --operator-namespace="$OPERATOR_NAMESPACE" "$@"
}

install_operator() {
  "$HELM" upgrade --install community-operator charts/community-operator --namespace "$OPERATOR_NAMESPACE" --create-namespace \
    --reset-values --wait --timeout 3m --set "image.repository=${OPERATOR_IMAGE%:*},image.tag=${OPERATOR_IMAGE##*:}"
}

main "$@"
