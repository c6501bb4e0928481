#!/usr/bin/env bash
# Writes the API reference from the types' comments and markers.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${CRD_REF_DOCS:?}"

mkdir -p docs/reference
"$CRD_REF_DOCS" --config=hack/crd-ref-docs.yaml --source-path=./api/v1alpha1 --renderer=markdown \
  --log-level=ERROR --output-path=docs/reference/cocreation.quaeso.io.md >&2
