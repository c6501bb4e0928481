# Certificates, configuration files and start of the node's programs. Sourced, after the files beside it.
# shellcheck shell=bash

kubeadm_config() {
  cat <<EOF_KUBEADM
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: $NODE_ADDRESS
  bindPort: 6443
nodeRegistration:
  name: $CLUSTER_NAME
  criSocket: unix://$CONTAINERD_SOCKET
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: $CLUSTER_NAME
kubernetesVersion: $KUBERNETES_VERSION
certificatesDir: $PKI_DIR
# A cluster on a developer's machine is started rarely enough to outlive the usual year.
certificateValidityPeriod: 87600h0m0s
caCertificateValidityPeriod: 87600h0m0s
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: $NODE_ADDRESS:6443
apiServer:
  certSANs: [localhost, 127.0.0.1, $NODE_ADDRESS, $CLUSTER_NAME]
etcd:
  external:
    endpoints: [http://127.0.0.1:2379]
networking:
  serviceSubnet: $SERVICE_CIDR
  podSubnet: $POD_CIDR
  dnsDomain: cluster.local
EOF_KUBEADM
}

# create_identity makes every certificate and kubeconfig once; they are kept with the state.
create_identity() {
  if [[ -e "$PKI_DIR/complete" ]]; then return; fi
  rm -rf "$PKI_DIR"
  mkdir -p "$PKI_DIR" "$CONFIG_DIR"
  echo "$SUBNET" >"$STATE_DIR/subnet"
  kubeadm_config >"$CONFIG_DIR/kubeadm.yaml"
  local kubeadm=("$KUBERNETES_BIN/kubeadm") user
  "${kubeadm[@]}" init phase certs all --config "$CONFIG_DIR/kubeadm.yaml" >>"$LOG_DIR/kubeadm.log" 2>&1
  for user in super-admin controller-manager scheduler kubelet; do
    "${kubeadm[@]}" init phase kubeconfig "$user" --config "$CONFIG_DIR/kubeadm.yaml" --kubeconfig-dir "$PKI_DIR" >>"$LOG_DIR/kubeadm.log" 2>&1
  done
  "${kubeadm[@]}" kubeconfig user --client-name system:kube-proxy --config "$CONFIG_DIR/kubeadm.yaml" >"$PKI_DIR/kube-proxy.conf" 2>>"$LOG_DIR/kubeadm.log"
  create_wildcard_certificate
  touch "$PKI_DIR/complete"
}

# create_wildcard_certificate signs *.community.localhost with the cluster's own authority.
create_wildcard_certificate() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=*.community.localhost" \
    -keyout "$PKI_DIR/wildcard.key" -out "$PKI_DIR/wildcard.csr" 2>>"$LOG_DIR/kubeadm.log"
  openssl x509 -req -in "$PKI_DIR/wildcard.csr" -CA "$PKI_DIR/ca.crt" -CAkey "$PKI_DIR/ca.key" -CAcreateserial -days 3650 \
    -extfile <(printf '%s\n' "subjectAltName=DNS:*.community.localhost,DNS:community.localhost" "extendedKeyUsage=serverAuth") \
    -out "$PKI_DIR/wildcard.crt" 2>>"$LOG_DIR/kubeadm.log"
}

write_configuration() {
  mkdir -p "$CONFIG_DIR/cni"
  containerd_config >"$CONFIG_DIR/containerd.toml"
  cni_config >"$CONFIG_DIR/cni/10-$CLUSTER_NAME.conflist"
  kubelet_config >"$CONFIG_DIR/kubelet.yaml"
  kube_proxy_config >"$CONFIG_DIR/kube-proxy.yaml"
}

containerd_config() {
  cat <<EOF_CONTAINERD
version = 4
root = '$STATE_DIR/containerd'
state = '$RUN_DIR/containerd'
imports = []
# Each of these would look for a device, a service or a program that a node like this does not use.
disabled_plugins = [
  'io.containerd.nri.v1.nri', 'io.containerd.snapshotter.v1.blockfile', 'io.containerd.snapshotter.v1.erofs',
  'io.containerd.differ.v1.erofs', 'io.containerd.mount-handler.v1.erofs', 'io.containerd.image-verifier.v1.bindir',
  'io.containerd.internal.v1.opt', 'io.containerd.tracing.processor.v1.otlp', 'io.containerd.internal.v1.tracing']

[plugins.'io.containerd.server.v1.grpc']
  address = '$CONTAINERD_SOCKET'
[plugins.'io.containerd.server.v1.ttrpc']
  address = '$CONTAINERD_SOCKET.ttrpc'
[plugins.'io.containerd.shim.v1.manager']
  socket_dir = '$RUN_DIR/s'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '$(node_image pause)'
[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE (a container, a small VM) no process may be made less likely to be killed than we are.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['/usr/lib/cni']
    conf_dir = '$CONFIG_DIR/cni'
    use_internal_loopback = true
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    runtime_path = '$CONTAINERD_BIN/containerd-shim-runc-v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = '$RUNC_BIN/runc'
      Root = '$RUN_DIR/runc'
      SystemdCgroup = false
EOF_CONTAINERD
}

# cni_config: each pod gets a link of its own and all its traffic is routed, so service addresses work
# between any two pods without the kernel's bridge filter module, which not every machine has.
cni_config() {
  cat <<EOF_CNI
{
  "cniVersion": "1.0.0",
  "name": "$CLUSTER_NAME",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": false,
      "ipam": {
        "type": "host-local",
        "dataDir": "$RUN_DIR/addresses",
        "ranges": [[{"subnet": "$POD_CIDR"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
EOF_CNI
}

kubelet_config() {
  cat <<EOF_KUBELET
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_ADDRESS
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $PKI_DIR/ca.crt}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$CONTAINERD_SOCKET
cgroupDriver: cgroupfs
cgroupRoot: /$CLUSTER_NAME
# Old container hosts still have cgroup v1.
failCgroupV1: false
failSwapOn: false
clusterDomain: cluster.local
clusterDNS: [$DNS_ADDRESS]
# Nothing is reachable behind the node: its pods take no name server from the host.
resolvConf: ""
podLogsDir: $STATE_DIR/pods-log
maxPods: 250
serializeImagePulls: false
# Images come from tarballs and cannot be pulled again: never collect them, whatever the disk says.
imageGCHighThresholdPercent: 100
imageMinimumGCAge: 100000h
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
oomScoreAdj: 0
shutdownGracePeriod: 0s
registerNode: true
nodeStatusReportFrequency: 1m
volumePluginDir: $STATE_DIR/kubelet-plugins
logging: {verbosity: $LOG_LEVEL}
EOF_KUBELET
}

kube_proxy_config() {
  cat <<EOF_PROXY
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: $PKI_DIR/kube-proxy.conf}
hostnameOverride: $CLUSTER_NAME
clusterCIDR: $POD_CIDR
bindAddress: 0.0.0.0
metricsBindAddress: 127.0.0.1:10249
healthzBindAddress: 127.0.0.1:10256
# These limits belong to the whole machine and cannot be written from a network namespace.
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {minSyncPeriod: 100ms}
logging: {verbosity: $LOG_LEVEL}
EOF_PROXY
}

start_etcd() {
  start etcd node "$ETCD_BIN/etcd" --name "$CLUSTER_NAME" --data-dir "$STATE_DIR/etcd" \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster "$CLUSTER_NAME=http://127.0.0.1:2380" \
    --unsafe-no-fsync --auto-compaction-retention 10m --quota-backend-bytes 4294967296 --log-level warn
}

start_apiserver() {
  start kube-apiserver node "$KUBERNETES_BIN/kube-apiserver" \
    --advertise-address "$NODE_ADDRESS" --secure-port 6443 --etcd-servers http://127.0.0.1:2379 \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
    --client-ca-file "$PKI_DIR/ca.crt" --tls-cert-file "$PKI_DIR/apiserver.crt" --tls-private-key-file "$PKI_DIR/apiserver.key" \
    --kubelet-client-certificate "$PKI_DIR/apiserver-kubelet-client.crt" \
    --kubelet-client-key "$PKI_DIR/apiserver-kubelet-client.key" --kubelet-preferred-address-types InternalIP \
    --proxy-client-cert-file "$PKI_DIR/front-proxy-client.crt" --proxy-client-key-file "$PKI_DIR/front-proxy-client.key" \
    --requestheader-client-ca-file "$PKI_DIR/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$PKI_DIR/sa.pub" --service-account-signing-key-file "$PKI_DIR/sa.key" \
    --service-cluster-ip-range "$SERVICE_CIDR" --profiling=false --v "$LOG_LEVEL"
}

start_controllers() {
  start kube-controller-manager node "$KUBERNETES_BIN/kube-controller-manager" \
    --kubeconfig "$PKI_DIR/controller-manager.conf" --authentication-kubeconfig "$PKI_DIR/controller-manager.conf" \
    --authorization-kubeconfig "$PKI_DIR/controller-manager.conf" --bind-address 127.0.0.1 --leader-elect=false \
    --root-ca-file "$PKI_DIR/ca.crt" --service-account-private-key-file "$PKI_DIR/sa.key" --use-service-account-credentials \
    --cluster-signing-cert-file "$PKI_DIR/ca.crt" --cluster-signing-key-file "$PKI_DIR/ca.key" \
    --cluster-name "$CLUSTER_NAME" --profiling=false --v "$LOG_LEVEL"
  start kube-scheduler node "$KUBERNETES_BIN/kube-scheduler" \
    --kubeconfig "$PKI_DIR/scheduler.conf" --authentication-kubeconfig "$PKI_DIR/scheduler.conf" \
    --authorization-kubeconfig "$PKI_DIR/scheduler.conf" --bind-address 127.0.0.1 --leader-elect=false \
    --profiling=false --v "$LOG_LEVEL"
}

start_containerd() {
  if running containerd; then return; fi
  # A socket file outlives its listener, and would be taken for a runtime that is there.
  rm -f "$CONTAINERD_SOCKET" "$CONTAINERD_SOCKET.ttrpc"
  # The shim looks for runc on the PATH before it reads where it is.
  start containerd node env "PATH=$RUNC_BIN:$PATH" "$CONTAINERD_BIN/containerd" --config "$CONFIG_DIR/containerd.toml" --log-level warn
}

start_kubelet() {
  start kubelet node "$KUBERNETES_BIN/kubelet" --config "$CONFIG_DIR/kubelet.yaml" --kubeconfig "$PKI_DIR/kubelet.conf" \
    --root-dir "$STATE_DIR/kubelet" --hostname-override "$CLUSTER_NAME" --node-ip "$NODE_ADDRESS"
}

start_kube_proxy() {
  start kube-proxy node "$KUBERNETES_BIN/kube-proxy" --config "$CONFIG_DIR/kube-proxy.yaml"
}

start_forward() {
  local pairs=()
  if [[ -n "$HTTP_PORT" ]]; then pairs+=("$HTTP_PORT=$NODE_ADDRESS:80"); fi
  if [[ -n "$HTTPS_PORT" ]]; then pairs+=("$HTTPS_PORT=$NODE_ADDRESS:443"); fi
  if ((${#pairs[@]} == 0)); then return; fi
  start forward host "$BIN_DIR/own/forward" "${pairs[@]}"
}

apiserver_answers() { curl -fsSk --max-time 2 "https://$NODE_ADDRESS:6443/readyz" >/dev/null 2>&1; }
containerd_answers() { timeout 2 "$CONTAINERD_BIN/ctr" --address "$CONTAINERD_SOCKET" version >/dev/null 2>&1; }
kubelet_answers() { nsenter "--net=$NETNS_FILE" curl -fsS --max-time 2 http://127.0.0.1:10248/healthz >/dev/null 2>&1; }

# node_is_ready asks for a Ready that the kubelet reported since it started: after a restart the stored
# object still tells the state before.
node_is_ready() {
  local since beat
  running kubelet || return 1
  kubelet_answers || return 1
  since="$(stat -c %Y "$RUN_DIR/kubelet.pid")"
  read -r beat < <("$KUBECTL" --kubeconfig "$KUBECONFIG_FILE" get node "$CLUSTER_NAME" --ignore-not-found \
    -o 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status}/{.lastHeartbeatTime}{end}' 2>/dev/null) || true
  [[ "$beat" == True/* ]] && (($(date -d "${beat#True/}" +%s) >= since))
}

# wait_for what component seconds command...: on failure shows the component's last words.
wait_for() {
  local what="$1" component="$2" limit="$3" started=$SECONDS
  shift 3
  until "$@"; do
    if ((SECONDS - started >= limit)) || { [[ -n "$component" ]] && ! running "$component"; }; then
      # The program may have answered and ended between the two looks.
      if "$@"; then return; fi
      if [[ -n "$component" ]]; then show_log "$LOG_DIR/$component.log"; fi
      fail "$what did not happen within $((SECONDS - started)) s. Look at $LOG_DIR/${component:-*}.log; hack/cluster/down.sh, then up.sh starts afresh, down.sh --purge forgets the state"
    fi
    sleep 0.1
  done
}
