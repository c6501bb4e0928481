#!/usr/bin/env bash
# Starts the local cluster, or brings a half-stopped one back; does nothing when all is well.
# Prints the kubeconfig's path on standard output and what it does on standard error.
set -euo pipefail
cd "$(dirname "$0")"
for part in instance progress machine processes network node-images node addons; do
  # shellcheck source=/dev/null
  . "./$part.sh"
done

main() {
  require_debian_root
  lock_instance
  mkdir -p "$LOG_DIR" "$RUN_DIR"
  if all_is_well; then
    report "is up"
    return
  fi
  prepare
  if [[ -z "$(members)" ]]; then
    start_everything 120
  else
    repair
  fi
  report "is up after $((SECONDS - PROGRESS_START)) s"
}

# repair starts what is missing beside what still runs. A program that runs but does not answer is only
# found out by waiting: then everything is stopped and started.
repair() {
  local status=0
  set +e
  (
    set -e
    start_everything 25
  )
  status=$?
  set -e
  if ((status != 0)); then
    say "repairing did not help: stopping everything and starting again"
    stop_everything
    start_everything 120
  fi
}

stop_everything() {
  "$CLUSTER_SOURCE/down.sh"
  mkdir -p "$RUN_DIR"
  echo "$STATE_DIR" >"$RUN_DIR/owner"
}

readonly PROGRAMS=(etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy)

all_is_well() {
  local program pid
  if [[ -e "$RUN_DIR/stopping" ]]; then return 1; fi
  for program in "${PROGRAMS[@]}"; do
    pid="$(recorded_pid "$program")" && in_node_network "$pid" || return 1
  done
  if [[ -n "$HTTP_PORT$HTTPS_PORT" ]] && ! running forward; then return 1; fi
  network_is_whole && apiserver_answers && containerd_answers && node_is_ready && gateway_is_programmed && traefik_answers && dns_answers &&
    addons_are_current
}

prepare() {
  refuse_foreign_owner
  refuse_foreign_network
  refuse_taken_ports
  ensure_packages iproute2 util-linux nftables iptables conntrack containernetworking-plugins curl openssl busybox-static ca-certificates procps kmod mount
  "$CLUSTER_SOURCE/build.sh"
  with_images_locked build_node_images
  build_small_program hack/cluster/forward >/dev/null
  if ! leftovers_are_usable; then
    say "a former run ended badly: stopping what is left of it"
    stop_everything
  fi
  echo "$STATE_DIR" >"$RUN_DIR/owner"
}

refuse_foreign_owner() {
  local owner
  owner="$(cat "$RUN_DIR/owner" 2>/dev/null || true)"
  if [[ -n "$owner" && "$owner" != "$STATE_DIR" && -n "$(members)" ]]; then
    fail "another cluster named \"$CLUSTER_NAME\" runs on this machine, with its state in $owner. Stop it, or choose another name: COMMUNITY_CLUSTER=other $0"
  fi
}

refuse_taken_ports() {
  local port variable
  if running forward; then return; fi
  for variable in HTTP_PORT HTTPS_PORT; do
    port="${!variable}"
    if [[ -n "$port" ]] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      fail "port $port of this machine is in use. Choose another: COMMUNITY_$variable=$((port + 10)) $0"
    fi
  done
}

# leftovers_are_usable: programs that still run can stay only in the network that now bears the node's name,
# and pods only if the containerd that knows them is still there or can find them again.
leftovers_are_usable() {
  local program pid
  if [[ -e "$RUN_DIR/stopping" ]]; then return 1; fi
  if [[ -z "$(members)" ]]; then
    # After a reboot or a crash of everything: mounts and sockets may be left, processes are not.
    [[ ! -e "$RUN_DIR/containerd" && ! -e "$NETNS_FILE" ]]
    return
  fi
  for program in "${PROGRAMS[@]}"; do
    if pid="$(recorded_pid "$program")" && ! in_node_network "$pid"; then return 1; fi
  done
  network_is_whole && [[ -z "$(unrecorded_programs)" ]]
}

# start_everything seconds: how long each part may take to answer.
start_everything() {
  local limit="$1"
  load_kernel_modules
  create_control_group
  network_up
  write_configuration
  create_identity
  start_etcd
  start_apiserver
  start_containerd
  import_node_images_when_ready "$limit" &
  local imports=$!
  wait_for "an answer of the API server" kube-apiserver "$limit" apiserver_answers
  install -m 0600 "$PKI_DIR/super-admin.conf" "$KUBECONFIG_FILE"
  start_controllers
  wait "$imports" || fail "importing the node's images failed; see $LOG_DIR/images.log and $LOG_DIR/containerd.log"
  start_kubelet
  start_kube_proxy
  start_forward
  apply_addons
  wait_for "a Ready node" kubelet "$limit" node_is_ready
  say "node Ready after $((SECONDS - PROGRESS_START)) s"
  wait_for "a programmed Gateway" "" "$limit" gateway_is_programmed
  wait_for "an answer of Traefik" "" "$limit" traefik_answers
  wait_for "an answer of CoreDNS" "" "$limit" dns_answers
}

import_node_images_when_ready() {
  wait_for "an answer of containerd" containerd "$1" containerd_answers
  import_node_images
}

load_kernel_modules() {
  local module
  # Built into some kernels, modules in others.
  for module in overlay veth nf_tables nft_nat nft_masq; do modprobe -q "$module" 2>/dev/null || true; done
}

report() {
  say "cluster \"$CLUSTER_NAME\" $1: API https://$NODE_ADDRESS:6443, HTTP $NODE_ADDRESS:80${HTTP_PORT:+ and 127.0.0.1:$HTTP_PORT}, HTTPS $NODE_ADDRESS:443${HTTPS_PORT:+ and 127.0.0.1:$HTTPS_PORT}"
  say "export KUBECONFIG=$KUBECONFIG_FILE"
  echo "$KUBECONFIG_FILE"
}

main "$@"
