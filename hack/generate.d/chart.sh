#!/usr/bin/env bash
# Copies what is generated elsewhere into the Helm chart, whose templates read it.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly FILES=charts/community-operator/files

rm -rf "$FILES"
mkdir -p "$FILES/crds" "$FILES/policies"
cp config/crd/*_*.yaml "$FILES/crds/"
find config/policies -name '*.yaml' ! -name kustomization.yaml -exec cp {} "$FILES/policies/" \;
cp config/rbac/role.yaml "$FILES/role.yaml"
