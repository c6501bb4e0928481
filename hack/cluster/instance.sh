# The names, folders and addresses of one cluster instance. Sourced by the scripts beside it.
# COMMUNITY_CLUSTER names the instance, so that a benchmark's cluster can stand beside the developer's.
# shellcheck shell=bash disable=SC2034

# A plain root shell does not always have the administrator's programs on its path.
PATH="$PATH:/usr/sbin:/sbin"
CLUSTER_SOURCE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
REPOSITORY_ROOT="$(cd "$CLUSTER_SOURCE/../.." && pwd)"
# shellcheck source=versions.env
. "$CLUSTER_SOURCE/versions.env"

CLUSTER_NAME="${COMMUNITY_CLUSTER:-community}"
if ! [[ "$CLUSTER_NAME" =~ ^[a-z][a-z0-9-]{0,30}$ ]]; then
  echo "COMMUNITY_CLUSTER=$CLUSTER_NAME: use lower-case letters, digits and dashes, at most 31" >&2
  exit 2
fi

CACHE_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/community-operator"
BIN_DIR="$CACHE_DIR/bin"
IMAGE_DIR="$CACHE_DIR/images"
if [[ "$CLUSTER_NAME" == community ]]; then
  STATE_DIR="$CACHE_DIR/cluster"
else
  STATE_DIR="$CACHE_DIR/cluster-$CLUSTER_NAME"
fi
LOG_DIR="$STATE_DIR/log"
PKI_DIR="$STATE_DIR/pki"
CONFIG_DIR="$STATE_DIR/config"
KUBECONFIG_FILE="$STATE_DIR/kubeconfig"
# Sockets need short paths, and what is in /run is rightly gone after a reboot.
RUN_DIR="/run/community-operator/$CLUSTER_NAME"
LOCK_FILE="/run/community-operator/$CLUSTER_NAME.lock"
CONTAINERD_SOCKET="$RUN_DIR/containerd.sock"

KUBERNETES_BIN="$BIN_DIR/kubernetes-$KUBERNETES_VERSION"
ETCD_BIN="$BIN_DIR/etcd-$ETCD_VERSION"
CONTAINERD_BIN="$BIN_DIR/containerd-$CONTAINERD_VERSION"
RUNC_BIN="$BIN_DIR/runc-$RUNC_VERSION"
KUBECTL="$KUBERNETES_BIN/kubectl"

# source_digest names the state of a component that has sources of our own, so that an edit builds it again.
source_digest() {
  find "$CLUSTER_SOURCE/$1" -type f | LC_ALL=C sort | xargs cat | sha256sum | cut -c1-8
}
COREDNS_BUILD="$COREDNS_VERSION-$(source_digest coredns)"
TRAEFIK_BUILD="$TRAEFIK_VERSION-$(source_digest traefik)"

NETNS="$CLUSTER_NAME"
NETNS_FILE="/run/netns/$NETNS"

# subnet_prefix gives the first two numbers of the instance's /16. Once chosen it is kept with the state,
# because certificates and stored objects carry the addresses.
subnet_prefix() {
  if [[ -s "$STATE_DIR/subnet" ]]; then
    cat "$STATE_DIR/subnet"
  elif [[ -n "${COMMUNITY_SUBNET:-}" ]]; then
    echo "$COMMUNITY_SUBNET"
  elif [[ "$CLUSTER_NAME" == community ]]; then
    echo 10.201
  else
    echo "10.$((202 + $(printf %s "$CLUSTER_NAME" | cksum | cut -d' ' -f1) % 48))"
  fi
}

SUBNET="$(subnet_prefix)"
if ! [[ "$SUBNET" =~ ^[0-9]{1,3}\.[0-9]{1,3}$ ]]; then
  echo "COMMUNITY_SUBNET=$SUBNET: give the first two numbers of a private /16, e.g. 10.201" >&2
  exit 2
fi
HOST_ADDRESS="$SUBNET.0.1"
NODE_ADDRESS="$SUBNET.0.2"
POD_CIDR="$SUBNET.64.0/18"
SERVICE_CIDR="$SUBNET.128.0/17"
KUBERNETES_SERVICE_ADDRESS="$SUBNET.128.1"
DNS_ADDRESS="$SUBNET.128.10"
# Link names are at most 15 characters, an instance's name may be longer.
HOST_LINK="cmty-${SUBNET/./-}"

# The forwarders on the loopback address make http://x.community.localhost:8080 open in a browser here.
# Only the default instance has them unasked: two clusters cannot share a port.
if [[ "$CLUSTER_NAME" == community ]]; then
  HTTP_PORT="${COMMUNITY_HTTP_PORT:-8080}"
  HTTPS_PORT="${COMMUNITY_HTTPS_PORT:-8443}"
else
  HTTP_PORT="${COMMUNITY_HTTP_PORT:-}"
  HTTPS_PORT="${COMMUNITY_HTTPS_PORT:-}"
fi
# How much the node's programs write to their logs: 0 (little) to 6.
LOG_LEVEL="${COMMUNITY_LOG_LEVEL:-1}"
