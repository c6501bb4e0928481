# The steps of the demo; demo.sh and down.sh source this file.
# shellcheck shell=bash

readonly OPERATOR_NAMESPACE=community-system
readonly DEMO_NAMESPACE=atelier
readonly DEMO_COMMUNITY=horizon
readonly CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/community-operator"
readonly DEMO_START=$SECONDS
# Ports of "kubectl port-forward" on this machine; 8080 is the local cluster's.
readonly FORWARD_PORT=8090 INBOX_PORT=8091
given_kubeconfig=""

step() { printf '\n\033[1m▸ %s\033[0m\n' "$1" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

parse_arguments() {
  while (($#)); do
    case "$1" in
      --kubeconfig) given_kubeconfig="$2"; shift 2 ;;
      *) fail "unknown argument $1" ;;
    esac
  done
  export KUBECONFIG="${given_kubeconfig:-$CACHE/cluster/kubeconfig}"
}

# kubectl is the cluster's own build; with somebody else's cluster, the machine's where there is one.
kubectl() {
  local own
  own="$(hack/cluster/build.sh --path kubectl)"
  if [[ -n "$given_kubeconfig" ]] && type -P kubectl >/dev/null; then command kubectl "$@"; else "$own" "$@"; fi
}

# require_images asks for images that an existing cluster can pull; there is no registry to push to here.
require_images() {
  local missing=()
  for name in OPERATOR_IMAGE IDEAS_IMAGE; do
    [[ -n "${!name:-}" ]] || missing+=("$name")
  done
  POSTGRES_IMAGE="${POSTGRES_IMAGE:-postgres:17}"
  MAIL_IMAGE="${MAIL_IMAGE:-axllent/mailpit}"
  ((${#missing[@]} == 0)) || fail "For an existing cluster, say which images it can pull:
  make demo KUBECONFIG=$given_kubeconfig OPERATOR_IMAGE=registry.example/operator:tag IDEAS_IMAGE=registry.example/ideas:tag
Not set: ${missing[*]}. docs/how-to/try-on-your-cluster.md says how to make them and how they get there."
  type -P kubectl >/dev/null || hack/cluster/build.sh kubectl
  kubectl version >/dev/null || fail "The cluster of $given_kubeconfig does not answer."
}

# choose_route finds out how requests come into an existing cluster: GATEWAY=namespace/name or INGRESS_CLASS=name say
# it; else it is the first Gateway, or the ingress class that is the default or the only one.
choose_route() {
  GATEWAY="${GATEWAY:-}" INGRESS_CLASS="${INGRESS_CLASS:-}"
  if [[ -z "$GATEWAY$INGRESS_CLASS" ]]; then
    GATEWAY="$(kubectl get gateways.gateway.networking.k8s.io -A 2>/dev/null \
      -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name}{"\n"}{end}' | head -n 1 || true)"
  fi
  if [[ -z "$GATEWAY$INGRESS_CLASS" ]]; then
    INGRESS_CLASS="$(kubectl get ingressclasses \
      -o jsonpath='{range .items[*]}{.metadata.annotations.ingressclass\.kubernetes\.io/is-default-class} {.metadata.name}{"\n"}{end}' |
      awk '$1 == "true" {chosen = $2} {last = $NF; n++} END {print chosen != "" ? chosen : n == 1 ? last : ""}')"
  fi
  [[ -n "$GATEWAY$INGRESS_CLASS" ]] || fail "The cluster has no Gateway and no ingress class to choose: install one, or say which to use:
  make demo KUBECONFIG=$given_kubeconfig GATEWAY=namespace/name …   or   INGRESS_CLASS=name …"
}

# class_routing prints the class's routing on an existing cluster. Its address leads to this machine, to
# "kubectl port-forward", unless DOMAIN names one that leads to the cluster.
class_routing() {
  local rest
  rest="\"apexDomain\": \"${DOMAIN:-community.localhost}\""
  [[ -n "${DOMAIN:-}" ]] || rest+=", \"publicPort\": $FORWARD_PORT"
  if [[ -n "$GATEWAY" ]]; then
    echo "{\"kind\": \"gateway\", \"gateway\": {\"namespace\": \"${GATEWAY%%/*}\", \"name\": \"${GATEWAY#*/}\"}, $rest}"
  else
    echo "{\"kind\": \"ingress\", \"ingress\": {\"className\": \"$INGRESS_CLASS\"}, $rest}"
  fi
}

# demo_objects prints what the demo creates. On an existing cluster the inbox, which is open to everybody, gets no
# route.
demo_objects() {
  if [[ -z "$given_kubeconfig" ]]; then
    kubectl kustomize config/samples/demo
    return
  fi
  local folder
  folder="$(mktemp -d)"
  cp -r config/samples/demo "$folder/demo"
  cat >"$folder/kustomization.yaml" <<YAML
resources: [demo]
patches:
  - target: {kind: CommunityClass}
    patch: |
      - {op: replace, path: /spec/routing, value: $(class_routing)}
  - patch: |
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: mail, namespace: community-mail}
      \$patch: delete
YAML
  kubectl kustomize "$folder"
  rm -r "$folder"
}

install_operator() {
  "$HELM" upgrade --install community-operator charts/community-operator \
    --namespace "$OPERATOR_NAMESPACE" --create-namespace --wait --timeout 3m --take-ownership --force-conflicts \
    --set image.repository="${OPERATOR_IMAGE%:*}" --set image.tag="${OPERATOR_IMAGE##*:}" >/dev/null
}

create_community() {
  demo_objects |
    sed -e "s|\bIDEAS_IMAGE\b|$IDEAS_IMAGE|" -e "s|\bPOSTGRES_IMAGE\b|$POSTGRES_IMAGE|" -e "s|\bMAIL_IMAGE\b|$MAIL_IMAGE|" |
    kubectl apply --server-side --force-conflicts --field-manager=demo -f - >/dev/null
}

# wait_until_ready prints the community's own words whenever they change.
wait_until_ready() {
  local message last="" deadline=$((SECONDS + 300))
  until kubectl -n "$DEMO_NAMESPACE" wait community/"$DEMO_COMMUNITY" --for=condition=Ready --timeout=1s >/dev/null 2>&1; do
    message="$(kubectl -n "$DEMO_NAMESPACE" get community "$DEMO_COMMUNITY" \
      -o jsonpath='{.status.conditions[?(@.type=="Ready")].message}' 2>/dev/null || true)"
    if [[ -n "$message" && "$message" != "$last" ]]; then
      printf '  %3d s  %s\n' $((SECONDS - DEMO_START)) "$message" >&2
      last="$message"
    fi
    ((SECONDS < deadline)) || fail "The community is not Ready after 5 minutes. Look at: kubectl -n $DEMO_NAMESPACE describe community $DEMO_COMMUNITY"
  done
  printf '  %3d s  Ready\n' $((SECONDS - DEMO_START)) >&2
}

# wait_until_open waits for the page itself: the proxy may take a moment longer than the operator can see.
wait_until_open() {
  local url deadline=$((SECONDS + 60))
  [[ -z "$given_kubeconfig" ]] || return 0 # the address may not lead to this machine
  url="$(kubectl -n "$DEMO_NAMESPACE" get community "$DEMO_COMMUNITY" -o jsonpath='{.status.url}')"
  until curl --silent --fail --max-time 5 --output /dev/null "$url"; do
    ((SECONDS < deadline)) || fail "The community is Ready, but $url does not open. Look at: kubectl -n traefik logs deployment/traefik"
  done
}

fill_community() {
  kubectl -n "$DEMO_NAMESPACE" exec deploy/"$DEMO_COMMUNITY" -- /ideas seed --credentials-dir=/etc/community/credentials --log-level=warn >&2
}

# how_to_open says how the demo is opened in a browser on this machine.
how_to_open() {
  local url
  url="$(kubectl -n "$DEMO_NAMESPACE" get community "$DEMO_COMMUNITY" -o jsonpath='{.status.url}')"
  if [[ -z "$given_kubeconfig" ]]; then
    cat <<TEXT
  $(printf '%-44s' "$url")open it in a browser on this machine
  http://mail.community.localhost:8080        the inbox: every mail ends up here
TEXT
    return
  fi
  if [[ -z "${DOMAIN:-}" ]]; then
    echo "  kubectl -n $DEMO_NAMESPACE port-forward service/$DEMO_COMMUNITY $FORWARD_PORT:80    leave it running, and open"
    echo "  $url"
  else
    echo "  $url    once *.$DOMAIN leads to the cluster"
  fi
  cat <<TEXT

  kubectl -n community-mail port-forward service/mail $INBOX_PORT:80    likewise, for the inbox: every mail ends up here
  http://localhost:$INBOX_PORT
TEXT
}

print_what_next() {
  local path="" stop
  if [[ -z "$given_kubeconfig" ]] || ! type -P kubectl >/dev/null; then
    path=$'\n'"  export PATH=$(dirname "$(hack/cluster/build.sh --path kubectl)"):\$PATH"
  fi
  stop="make demo-down (the demo) or make cluster-down (the cluster)"
  [[ -z "$given_kubeconfig" ]] || stop="make demo-down KUBECONFIG=$given_kubeconfig"
  cat <<TEXT

The community is open after $((SECONDS - DEMO_START)) s:

$(how_to_open)

Sign in: choose "Sign in", enter any address, and open the link in the inbox.

Try next:

  export KUBECONFIG=$KUBECONFIG$path
  kubectl get cocreation -A
  kubectl -n $DEMO_NAMESPACE describe community $DEMO_COMMUNITY
  kubectl -n $DEMO_NAMESPACE scale community/$DEMO_COMMUNITY --replicas=3
  kubectl -n $DEMO_NAMESPACE patch community $DEMO_COMMUNITY --type=merge -p '{"spec":{"brand":{"colors":{"primary":"#7a1fa2"}}}}'
  kubectl -n $DEMO_NAMESPACE delete community $DEMO_COMMUNITY    # its data stays; apply it again and it is back

Stop: $stop.
TEXT
}
