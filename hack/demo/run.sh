#!/usr/bin/env bash
# Runs the operator from source. It must reach the communities' Services: the local cluster's can be reached from
# this machine; for a cluster elsewhere run the operator inside it.
set -euo pipefail
cd "$(dirname "$0")/../.."
export KUBECONFIG="${KUBECONFIG:-${XDG_CACHE_HOME:-$HOME/.cache}/community-operator/cluster/kubeconfig}"
kubectl="$(hack/cluster/build.sh --path kubectl)"
"$kubectl" apply --server-side -k config/crd >/dev/null
"$kubectl" apply --server-side -k config/policies >/dev/null
if [[ "$("$kubectl" get deployments -A -l app.kubernetes.io/name=community-operator -o jsonpath='{.items[*].status.readyReplicas}')" =~ [1-9] ]]; then
  echo "An operator runs in this cluster already; stop it first: kubectl -n community-system scale deployment community-operator --replicas=0" >&2
  exit 1
fi
exec go run . --operator-namespace=community-system --metrics-bind-address=0 "$@"
