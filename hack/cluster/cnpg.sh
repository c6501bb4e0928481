#!/usr/bin/env bash
# Installs the CloudNativePG operator into the local cluster, with a PostgreSQL image made from Debian packages.
# Prints CNPG_POSTGRES_IMAGE=reference; a Cluster that names no image gets the same one. Rerun: no harm.
set -euo pipefail
cd "$(dirname "$0")"
for part in instance progress machine processes node-images rootfs node addons; do
  # shellcheck source=/dev/null
  . "./$part.sh"
done

readonly OPERATOR_REPOSITORY=localhost/community/cloudnative-pg
# CloudNativePG reads the major version from the tag.
readonly POSTGRES_REPOSITORY=localhost/community/postgresql

main() {
  require_debian_root
  if ! running containerd; then fail "the cluster \"$CLUSTER_NAME\" is not up: run make cluster first"; fi
  "$CLUSTER_SOURCE/build.sh" cloudnative-pg
  local operator postgres
  operator="$(with_images_locked make_image cloudnative-pg build_operator_image)"
  postgres="$(with_images_locked make_image postgresql build_postgres_image)"
  install_operator "$operator" "$postgres"
  echo "CNPG_POSTGRES_IMAGE=$postgres"
}

# make_image name function: builds the image, loads it and prints its reference.
make_image() {
  local tarball="$IMAGE_DIR/$1.tar" reference
  if [[ "$1" == postgresql ]]; then ensure_postgres_rootfs; fi
  run_step "image localhost/community/$1" "$CACHE_DIR/log/image-$1.log" "$2" "$tarball"
  reference="$(cat "$tarball.reference")"
  if ! ctr_node images list -q 2>/dev/null | grep -xF "$reference" >/dev/null; then
    run_step "loading $reference" "$LOG_DIR/load-image.log" ctr_node images import "$tarball"
  fi
  echo "$reference"
}

build_operator_image() {
  local program="$BIN_DIR/cloudnative-pg-$CLOUDNATIVE_PG_VERSION/cloudnative-pg"
  # The operator looks for itself below /operator, by architecture, to put into its instances.
  "$(build_small_program hack/images/tarball)" -repository "$OPERATOR_REPOSITORY" -tag "${CLOUDNATIVE_PG_VERSION#v}-{digest}" \
    -output "$1" -file "$program=/operator/manager_$(go env GOARCH)" -link "operator/manager_$(go env GOARCH)=/manager" \
    -entrypoint /manager >"$1.reference"
}

build_postgres_image() {
  "$(build_small_program hack/images/tarball)" -repository "$POSTGRES_REPOSITORY" -tag "$(postgres_version)-{digest}" \
    -output "$1" -rootfs "$POSTGRES_ROOTFS" -user 26:26 -env LANG=C.UTF-8 >"$1.reference"
}

install_operator() {
  local manifest="$CONFIG_DIR/cloudnative-pg.yaml"
  release_manifest "$1" "$2" >"$manifest"
  run_step "CloudNativePG objects" "$LOG_DIR/cnpg-apply.log" kubectl apply --server-side --force-conflicts --field-manager local-cluster -f "$manifest"
  run_step "CloudNativePG operator" "$LOG_DIR/cnpg-rollout.log" kubectl -n cnpg-system rollout status deployment/cnpg-controller-manager --timeout 120s
  wait_for "an answer of CloudNativePG's webhook" "" 60 webhook_answers
}

# release_manifest is the project's own, with our images and without its policy to pull always.
release_manifest() {
  local source
  source="$(cd "$CLUSTER_SOURCE/cloudnative-pg" && go list -m -f '{{.Dir}}' github.com/cloudnative-pg/cloudnative-pg)"
  sed -e "s|ghcr.io/cloudnative-pg/cloudnative-pg:${CLOUDNATIVE_PG_VERSION#v}|$1|" \
    -e 's|^\( *\)imagePullPolicy: Always$|\1imagePullPolicy: IfNotPresent|' \
    -e "s|^\( *\)- name: OPERATOR_NAMESPACE\$|\1- name: POSTGRES_IMAGE_NAME\n\1  value: $2\n&|" \
    "$source/releases/cnpg-${CLOUDNATIVE_PG_VERSION#v}.yaml"
}

webhook_answers() {
  kubectl create --dry-run=server -f - >/dev/null 2>&1 <<'PROBE'
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata:
  name: webhook-probe
  namespace: cnpg-system
spec:
  instances: 1
  storage:
    size: 1Gi
PROBE
}

main "$@"
