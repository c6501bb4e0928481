# What runs inside the cluster from the start: DNS, storage, Traefik, and the CRDs. Sourced.
# shellcheck shell=bash

kubectl() { "$KUBECTL" --kubeconfig "$KUBECONFIG_FILE" "$@"; }

# render fills a manifest's @NAMES@.
render() {
  sed -e "s|@COREDNS_IMAGE@|$(node_image coredns)|" \
    -e "s|@LOCAL_PATH_PROVISIONER_IMAGE@|$(node_image local-path-provisioner)|" \
    -e "s|@BUSYBOX_IMAGE@|$(node_image busybox)|" \
    -e "s|@TRAEFIK_IMAGE@|$(node_image traefik)|" \
    -e "s|@TRAEFIK_LOG_LEVEL@|${COMMUNITY_TRAEFIK_LOG_LEVEL:-ERROR}|" \
    -e "s|@DNS_ADDRESS@|$DNS_ADDRESS|" -e "s|@NODE_ADDRESS@|$NODE_ADDRESS|" \
    -e "s|@VOLUME_DIR@|$STATE_DIR/volumes|" \
    -e "s|@WILDCARD_CERTIFICATE@|$(base64 -w0 "$PKI_DIR/wildcard.crt")|" \
    -e "s|@WILDCARD_KEY@|$(base64 -w0 "$PKI_DIR/wildcard.key")|" \
    "$CLUSTER_SOURCE/manifests/$1.yaml"
}

crd_files() {
  local file
  for file in "$BIN_DIR/gateway-api-$GATEWAY_API_VERSION"/*.yaml "$BIN_DIR/cert-manager-$CERT_MANAGER_VERSION"/*.yaml; do
    printf -- '-f %s ' "$file"
  done
}

addons_digest() {
  {
    cat "$BIN_DIR/gateway-api-$GATEWAY_API_VERSION"/*.yaml "$BIN_DIR/cert-manager-$CERT_MANAGER_VERSION"/*.yaml
    for manifest in kubelet-access coredns storage traefik gateway; do render "$manifest"; done
  } | sha256sum | cut -c1-32
}

addons_are_current() {
  [[ "$(kubectl -n kube-system get configmap addons --ignore-not-found -o 'jsonpath={.data.digest}')" == "$(addons_digest)" ]]
}

# apply_addons brings the cluster's own objects to what this checkout says. The digest of what was last
# applied is kept in the cluster, where it shares the fate of the objects.
apply_addons() {
  if addons_are_current; then return; fi
  {
    for manifest in kubelet-access coredns storage traefik; do render "$manifest"; echo ---; done
  } | kubectl_apply -f -
  # shellcheck disable=SC2046
  kubectl_apply $(crd_files)
  kubectl wait --for condition=Established --timeout 30s crd/gateways.gateway.networking.k8s.io crd/gatewayclasses.gateway.networking.k8s.io >>"$LOG_DIR/addons.log"
  render gateway | kubectl_apply -f -
  kubectl -n kube-system create configmap addons --from-literal "digest=$(addons_digest)" --dry-run=client -o yaml | kubectl_apply -f -
}

kubectl_apply() {
  kubectl apply --server-side --force-conflicts --field-manager local-cluster "$@" >>"$LOG_DIR/addons.log" 2>&1 || {
    show_log "$LOG_DIR/addons.log"
    fail "the cluster refused one of its own objects; see above"
  }
}

gateway_is_programmed() {
  [[ "$(kubectl -n traefik get gateway traefik -o 'jsonpath={.status.conditions[?(@.type=="Programmed")].status}' 2>/dev/null)" == True ]]
}

# traefik_answers: a 404 is an answer, it has no route for this name.
traefik_answers() {
  local code
  code="$(curl -s -o /dev/null -w '%{http_code}' --max-time 1 "http://$NODE_ADDRESS/")" || return 1
  [[ "$code" != 000 ]]
}

# dns_answers asks as a program on the host would, through the service's address.
dns_answers() { timeout 1 /bin/busybox nslookup -type=a kubernetes.default.svc.cluster.local "$DNS_ADDRESS" >/dev/null 2>&1; }
