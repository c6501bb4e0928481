# The steps of the demo; demo.sh and down.sh source this file.
# shellcheck shell=bash

readonly OPERATOR_NAMESPACE=community-system
readonly DEMO_NAMESPACE=atelier
readonly DEMO_COMMUNITY=horizon
readonly CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/community-operator"
readonly DEMO_START=$SECONDS
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

kubectl() { "$(hack/cluster/build.sh --path kubectl)" "$@"; }

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
Not set: ${missing[*]}. hack/cluster/images.sh --no-load makes the images as tarballs that any registry client can push."
  hack/cluster/build.sh kubectl
}

install_operator() {
  "$HELM" upgrade --install community-operator charts/community-operator \
    --namespace "$OPERATOR_NAMESPACE" --create-namespace --wait --timeout 3m --take-ownership --force-conflicts \
    --set image.repository="${OPERATOR_IMAGE%:*}" --set image.tag="${OPERATOR_IMAGE##*:}" >/dev/null
}

create_community() {
  kubectl kustomize config/samples/demo |
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

print_what_next() {
  local url
  url="$(kubectl -n "$DEMO_NAMESPACE" get community "$DEMO_COMMUNITY" -o jsonpath='{.status.url}')"
  cat <<TEXT

The community is open after $((SECONDS - DEMO_START)) s:

  $(printf '%-44s' "$url")open it in a browser on this machine
  http://mail.community.localhost:8080        the inbox: every mail ends up here

Sign in: choose "Sign in", enter any address, and open the link in the inbox.

Try next:

  export KUBECONFIG=$KUBECONFIG
  export PATH=$(dirname "$(hack/cluster/build.sh --path kubectl)"):\$PATH
  kubectl get cocreation -A
  kubectl -n $DEMO_NAMESPACE describe community $DEMO_COMMUNITY
  kubectl -n $DEMO_NAMESPACE scale community/$DEMO_COMMUNITY --replicas=3
  kubectl -n $DEMO_NAMESPACE patch community $DEMO_COMMUNITY --type=merge -p '{"spec":{"brand":{"colors":{"primary":"#7a1fa2"}}}}'
  kubectl -n $DEMO_NAMESPACE delete community $DEMO_COMMUNITY    # its data stays; apply it again and it is back

Stop: make demo-down (the demo) or make cluster-down (the cluster).
TEXT
}
