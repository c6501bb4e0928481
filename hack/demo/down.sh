#!/usr/bin/env bash
# Removes what demo.sh made, data included. The cluster stays.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
. hack/demo/steps.sh

parse_arguments "$@"
step "Removing the demo"
kubectl delete namespace "$DEMO_NAMESPACE" --ignore-not-found --wait
kubectl kustomize config/samples/demo | kubectl delete --ignore-not-found --wait -f -
"$HELM" uninstall community-operator --namespace "$OPERATOR_NAMESPACE" --ignore-not-found --wait
