# What the machine must be and have. Sourced, after instance.sh and progress.sh.
# shellcheck shell=bash

readonly OTHER_CLUSTER_HINT="Use an existing Kubernetes cluster instead: make demo KUBECONFIG=/path/to/kubeconfig"

require_debian_root() {
  if [[ "$(uname -s)" != Linux ]]; then
    fail "the local cluster runs on Linux (Debian or Ubuntu), this is $(uname -s). $OTHER_CLUSTER_HINT"
  fi
  if ! command -v apt-get >/dev/null; then
    fail "the local cluster installs what it needs from Debian packages and found no apt-get. $OTHER_CLUSTER_HINT"
  fi
  if [[ "$(id -u)" != 0 ]]; then
    fail "the local cluster needs root (network namespace, containers); run it with sudo. $OTHER_CLUSTER_HINT"
  fi
}

require_go() {
  if ! command -v go >/dev/null; then
    fail "no go on the PATH: install Go $(awk '$1 == "go" {print $2; exit}' "$CLUSTER_SOURCE/kubernetes/go.mod") or newer"
  fi
}

# ensure_packages installs what is missing of the named Debian packages, and says so.
ensure_packages() {
  local missing=() package
  for package in "$@"; do
    if ! dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
      missing+=("$package")
    fi
  done
  if ((${#missing[@]} == 0)); then return; fi
  run_step "installing Debian packages: ${missing[*]}" "$CACHE_DIR/log/packages.log" install_packages "${missing[@]}"
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  # The package lists may be old or absent: refresh them only when the first try fails.
  apt-get install -y --no-install-recommends "$@" || {
    apt-get update
    apt-get install -y --no-install-recommends "$@"
  }
}
