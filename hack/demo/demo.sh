#!/usr/bin/env bash
# From nothing to a running community: cluster, images, operator, class, brand, content. Safe to run again.
# With --kubeconfig FILE it uses that cluster instead of making one; docs/how-to/try-on-your-cluster.md says how.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
. hack/demo/steps.sh

main() {
  parse_arguments "$@"
  if [[ -z "$given_kubeconfig" ]]; then
    step "Starting a Kubernetes cluster on this machine"
    hack/cluster/up.sh >/dev/null
    step "Building and loading the images"
    eval "$(hack/cluster/images.sh operator ideas postgres mail)"
  else
    require_images
    choose_route
  fi
  step "Installing the operator with its Helm chart"
  install_operator
  step "Creating a class, a mail catcher and the community \"Atelier Horizon\""
  create_community
  step "Waiting until the community is Ready"
  wait_until_ready
  wait_until_open
  step "Filling it with ideas"
  fill_community
  print_what_next
}

main "$@"
