#!/usr/bin/env bash
# The journeys on a real cluster: brings up cluster, CloudNativePG, images, operator and browser, and runs test/e2e.
# Safe to run again; what the tests make they remove. RUN=… selects tests, as go test -run does.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=/dev/null
. hack/cluster/instance.sh
# shellcheck source=/dev/null
. hack/cluster/progress.sh
# shellcheck source=/dev/null
. hack/cluster/machine.sh

readonly OPERATOR_NAMESPACE=community-system
readonly LOG="$CACHE_DIR/log/e2e.log"
# Journeys mostly wait for pods: more of them than cores run at a time.
readonly PARALLEL=6

main() {
  : "${HELM:?run it with: make e2e}"
  local KUBECONFIG images started=$SECONDS
  KUBECONFIG="$(hack/cluster/up.sh)"
  export KUBECONFIG
  hack/cluster/cnpg.sh >/dev/null
  images="$(hack/cluster/images.sh)"
  # shellcheck disable=SC2086,SC2163
  export $images
  prepare_browser
  run_step "installing the operator with its Helm chart" "$CACHE_DIR/log/e2e-helm.log" install_operator
  say "prepared after $((SECONDS - started)) s; the journeys' whole log: $LOG"
  run_journeys
  run_service_journeys
  run_machine_journeys
}

# install_operator starts from the chart's defaults, so that nothing of a demo's choices is tested instead.
install_operator() {
  "$HELM" upgrade --install community-operator charts/community-operator --namespace "$OPERATOR_NAMESPACE" --create-namespace \
    --reset-values --wait --timeout 3m --set "image.repository=${OPERATOR_IMAGE%:*},image.tag=${OPERATOR_IMAGE##*:}"
}

prepare_browser() {
  ensure_packages chromium fonts-dejavu-core
  # Node.js may come from somewhere else than Debian, whose packages would clash with it.
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then ensure_packages nodejs npm; fi
  local modules=test/browser/node_modules lock
  lock="$(sha256sum test/browser/package-lock.json | cut -d' ' -f1)"
  if [[ "$(cat "$modules/.lock" 2>/dev/null || true)" == "$lock" ]]; then return; fi
  run_step "npm packages of test/browser" "$CACHE_DIR/log/e2e-npm.log" npm --prefix test/browser ci --no-audit --no-fund --ignore-scripts
  echo "$lock" >"$modules/.lock"
}

run_journeys() {
  export E2E_KUBECTL="$KUBECTL" E2E_HELM="$HELM" E2E_OPERATOR_NAMESPACE="$OPERATOR_NAMESPACE"
  export E2E_IDEAS_IMAGE="$IDEAS_IMAGE" E2E_POSTGRES_IMAGE="$POSTGRES_IMAGE" E2E_MAIL_IMAGE="$MAIL_IMAGE"
  local arguments=(-tags e2e -count=1 -timeout 40m -parallel "$PARALLEL" -v)
  if [[ -n "${RUN:-}" ]]; then arguments+=(-run "$RUN"); fi
  mkdir -p "$(dirname "$LOG")"
  if go test "${arguments[@]}" ./test/e2e/... 2>&1 | tee "$LOG" |
    grep --line-buffered -E '^ *--- |^(PASS|FAIL|ok|panic:|e2e:)|requests,' >&2; then
    tail -n 2 "$LOG"
    return
  fi
  say "--- the journeys' log"
  grep -vE '^=== ' "$LOG" >&2 || true
  what_is_there
  tail -n 3 "$LOG"
  exit 1
}

# run_service_journeys walks through the idea service by itself, in Chromium: every method and initiative. Pictures of
# what was seen are kept in JOURNEY_SCREENSHOTS.
run_service_journeys() {
  if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! command -v initdb >/dev/null; then ensure_packages postgresql; fi
  export JOURNEY_SCREENSHOTS="${JOURNEY_SCREENSHOTS:-$PWD/test/journeys/screenshots}"
  rm -rf "$JOURNEY_SCREENSHOTS"
  local arguments=(-tags e2e -count=1 -timeout 20m -parallel 2 -v)
  if [[ -n "${RUN:-}" ]]; then arguments+=(-run "$RUN"); fi
  go test "${arguments[@]}" ./test/journeys/... 2>&1 | tee "$CACHE_DIR/log/service-journeys.log" | grep --line-buffered -vE '^=== ' >&2
  say "pictures of the pages: $JOURNEY_SCREENSHOTS"
}

# run_machine_journeys starts, breaks and stops a cluster of its own, and runs the demo in the one that is there.
run_machine_journeys() {
  local arguments=(-tags e2e -count=1 -timeout 20m -v)
  if [[ -n "${RUN:-}" ]]; then arguments+=(-run "$RUN"); fi
  go test "${arguments[@]}" ./test/localcluster/... 2>&1 | tee "$CACHE_DIR/log/machine-journeys.log" | grep --line-buffered -vE '^=== ' >&2
}

# what_is_there tells about the cluster as the journeys left it. Each test has told about its own namespace.
what_is_there() {
  local ask
  say "--- the cluster"
  for ask in "get communities,communityclasses -A -o wide" "get pods -A -o wide" \
    "get events.events.k8s.io -A --field-selector type=Warning" \
    "-n $OPERATOR_NAMESPACE logs deployment/community-operator --tail 60"; do
    say "\$ kubectl $ask"
    # shellcheck disable=SC2086
    "$KUBECTL" $ask 2>&1 | tail -n 60 >&2 || true
  done
}

main "$@"
