#!/usr/bin/env bash
# Writes every generated file. "make generate" calls it with the tools it needs.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CONTROLLER_GEN:?}" "${CRD_REF_DOCS:?}"

"$CONTROLLER_GEN" object:headerFile=hack/boilerplate/boilerplate.go.txt \
  paths=./api/... paths=./internal/cnpg/... paths=./internal/certmanager/...
"$CONTROLLER_GEN" applyconfiguration:headerFile=hack/boilerplate/boilerplate.go.txt paths=./api/...
"$CONTROLLER_GEN" crd paths=./api/... output:crd:dir=config/crd
"$CONTROLLER_GEN" rbac:roleName=community-operator paths=./controllers/... output:rbac:dir=config/rbac
for step in hack/generate.d/*.sh; do
  "$step"
done
