# The node's network namespace and its link to the host. Sourced, after instance.sh and progress.sh.
# Node address, pods, services and packet filter rules live inside; the host only gets one link and two routes.
# shellcheck shell=bash

readonly LINK_OWNER="community-operator/$CLUSTER_NAME"

# owns_link tells whether the host's link is ours: another instance with the same subnet would have the same name.
owns_link() { [[ "$(cat "/sys/class/net/$HOST_LINK/ifalias" 2>/dev/null)" == "$LINK_OWNER" ]]; }

network_is_whole() {
  [[ -e "$NETNS_FILE" ]] && owns_link &&
    nsenter "--net=$NETNS_FILE" ip -4 address show dev eth0 2>/dev/null | grep -qF "$NODE_ADDRESS/"
}

# refuse_foreign_network stops before two clusters, or a cluster and a VPN, share addresses.
refuse_foreign_network() {
  local own="" route
  if owns_link; then own="$HOST_LINK"; fi
  route="$(ip -4 route show table main | awk -v net="$SUBNET." -v own="$own" \
    'index($1, net) == 1 && (own == "" || index($0 " ", "dev " own " ") == 0) {print; exit}')"
  if [[ -n "$route" ]]; then
    fail "the addresses $SUBNET.0.0/16 are in use on this machine (route \"$route\"). Choose others: COMMUNITY_SUBNET=10.77 $0"
  fi
  if [[ -e "$NETNS_FILE" && ! -e "$RUN_DIR/owner" && -z "$own" ]]; then
    fail "a network namespace \"$NETNS\" exists that this script did not make. Choose another name: COMMUNITY_CLUSTER=other $0"
  fi
}

network_up() {
  if network_is_whole; then return; fi
  network_down
  ip netns add "$NETNS"
  ip link add "$HOST_LINK" type veth peer name eth0 netns "$NETNS"
  ip link set "$HOST_LINK" alias "$LINK_OWNER"
  ip address add "$HOST_ADDRESS/24" dev "$HOST_LINK"
  ip link set "$HOST_LINK" up
  nsenter "--net=$NETNS_FILE" bash -euo pipefail <<SETUP
ip link set lo up
ip address add $NODE_ADDRESS/24 dev eth0
ip link set eth0 up
ip route add default via $HOST_ADDRESS
echo 1 >/proc/sys/net/ipv4/ip_forward
SETUP
  # With these a program on the host (make run, a test) reaches pods and services by address.
  ip route add "$POD_CIDR" via "$NODE_ADDRESS"
  ip route add "$SERVICE_CIDR" via "$NODE_ADDRESS"
}

network_down() {
  if owns_link; then ip link delete "$HOST_LINK"; fi
  if [[ -e "$NETNS_FILE" ]]; then
    ip netns delete "$NETNS" 2>/dev/null || { umount -l "$NETNS_FILE" 2>/dev/null || true; rm -f "$NETNS_FILE"; }
  fi
}

# in_node_network tells whether a process is in the namespace that now bears the name: after
# "ip netns delete" the old namespace lives on, nameless, as long as its processes do.
in_node_network() {
  [[ -e "$NETNS_FILE" && "$(stat -Lc %i "/proc/$1/ns/net" 2>/dev/null)" == "$(stat -Lc %i "$NETNS_FILE")" ]]
}
