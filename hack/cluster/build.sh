#!/usr/bin/env bash
# Builds the local cluster's programs from source into the cache, keyed by version; what is there is kept.
#   build.sh                               all that a cluster needs
#   build.sh etcd kube-apiserver kubectl   only these (what the tests of the API need)
#   build.sh cloudnative-pg                the CloudNativePG operator, on demand
#   build.sh --path kubectl                prints where a program is, without building
set -euo pipefail
cd "$(dirname "$0")"
for part in instance progress machine; do
  # shellcheck source=/dev/null
  . "./$part.sh"
done

readonly KUBERNETES_PROGRAMS=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubeadm kubectl)
readonly CLUSTER_COMPONENTS=("${KUBERNETES_PROGRAMS[@]}" etcd containerd runc coredns local-path-provisioner traefik gateway-api cert-manager)

main() {
  if [[ "${1:-}" == --path ]]; then
    program_path "${2:?usage: build.sh --path component}"
    return
  fi
  local wanted=("$@") missing=() component
  if ((${#wanted[@]} == 0)); then wanted=("${CLUSTER_COMPONENTS[@]}"); fi
  for component in "${wanted[@]}"; do
    if ! is_built "$component"; then missing+=("$component"); fi
  done
  if ((${#missing[@]} == 0)); then return; fi
  require_go
  mkdir -p "$BIN_DIR"
  # Two builds at once would compile the same packages twice.
  exec 8>"$BIN_DIR/.lock"
  flock 8
  build_missing "${missing[@]}"
}

build_missing() {
  local steps=() step component number=0
  mapfile -t steps < <(plan "$@")
  for step in "${steps[@]}"; do
    number=$((number + 1))
    # Another run may have built it while this one waited.
    if all_built "$step"; then continue; fi
    component="${step%% *}"
    prepare_for "$component"
    run_step "[$number/${#steps[@]}] $step $(version_of "$component")" "$CACHE_DIR/log/build-$component.log" build "$step"
  done
}

# plan prints one build a line. Kubernetes' programs share most of their packages: after the largest one
# the others need little more than linking, which two of them can do at a time.
plan() {
  local component together=()
  for component in "$@"; do
    if is_kubernetes "$component" && [[ "$component" != kube-apiserver ]]; then
      together+=("$component")
    else
      echo "$component"
    fi
  done
  if ((${#together[@]} > 0)); then echo "${together[*]}"; fi
}

all_built() {
  local component
  for component in $1; do
    if ! is_built "$component"; then return 1; fi
  done
}

version_of() {
  case "$1" in
    etcd) echo "$ETCD_VERSION" ;;
    containerd) echo "$CONTAINERD_VERSION" ;;
    runc) echo "$RUNC_VERSION" ;;
    coredns) echo "$COREDNS_VERSION" ;;
    local-path-provisioner) echo "$LOCAL_PATH_PROVISIONER_VERSION" ;;
    traefik) echo "$TRAEFIK_VERSION" ;;
    cloudnative-pg) echo "$CLOUDNATIVE_PG_VERSION" ;;
    gateway-api) echo "$GATEWAY_API_VERSION" ;;
    cert-manager) echo "$CERT_MANAGER_VERSION" ;;
    *) if is_kubernetes "$1"; then echo "$KUBERNETES_VERSION"; else fail "unknown component \"$1\""; fi ;;
  esac
}

is_kubernetes() { [[ " ${KUBERNETES_PROGRAMS[*]} " == *" $1 "* ]]; }

folder_of() {
  case "$1" in
    coredns) echo "$BIN_DIR/coredns-$COREDNS_BUILD" ;;
    traefik) echo "$BIN_DIR/traefik-$TRAEFIK_BUILD" ;;
    *) if is_kubernetes "$1"; then echo "$KUBERNETES_BIN"; else echo "$BIN_DIR/$1-$(version_of "$1")"; fi ;;
  esac
}

# program_path is the file that appears last when a component is built.
program_path() {
  case "$1" in
    gateway-api | cert-manager) folder_of "$1" ;;
    *) echo "$(folder_of "$1")/$1" ;;
  esac
}

is_built() {
  version_of "$1" >/dev/null
  [[ -e "$(program_path "$1")" ]]
}

# prepare_for installs what a build needs besides Go.
prepare_for() {
  if [[ "$1" == runc ]]; then
    require_debian_root
    ensure_packages gcc libc6-dev libseccomp-dev pkg-config
  fi
}

# build takes one line of the plan.
build() {
  local component package
  read -r component _ <<<"$1"
  case "$component" in
    etcd) go_build etcd etcd=go.etcd.io/etcd/server/v3 ;;
    containerd)
      package=github.com/containerd/containerd/v2/cmd
      # Left out: storage drivers and tracing that a small node does not use.
      GO_TAGS=no_btrfs,no_zfs,no_devmapper,no_aufs,no_tracing go_build containerd \
        "ctr=$package/ctr" "containerd-shim-runc-v2=$package/containerd-shim-runc-v2" "containerd=$package/containerd"
      ;;
    # Without seccomp every pod that asks for the default profile would be refused; it needs libseccomp, so cgo.
    runc) CGO=1 GO_TAGS=seccomp go_build runc runc=github.com/opencontainers/runc ;;
    coredns) go_build coredns coredns=. ;;
    local-path-provisioner) go_build local-path-provisioner local-path-provisioner=github.com/rancher/local-path-provisioner ;;
    cloudnative-pg) go_build cloudnative-pg cloudnative-pg=github.com/cloudnative-pg/cloudnative-pg/cmd/manager ;;
    traefik) build_traefik ;;
    gateway-api) copy_crds gateway-api sigs.k8s.io/gateway-api config/crd/standard ;;
    cert-manager) copy_crds cert-manager github.com/cert-manager/cert-manager deploy/crds ;;
    *) build_kubernetes "$1" ;;
  esac
}

build_kubernetes() {
  local program packages=() temporary
  require_same_version kubernetes
  for program in $1; do packages+=("k8s.io/kubernetes/cmd/$program"); done
  mkdir -p "$KUBERNETES_BIN"
  temporary="$(mktemp -d "$BIN_DIR/.build.XXXXXX")"
  (cd "$CLUSTER_SOURCE/kubernetes" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false go build -trimpath \
    -ldflags "-s -w $(kubernetes_version_flags)" -o "$temporary/" "${packages[@]}")
  for program in $1; do mv -f "$temporary/$program" "$KUBERNETES_BIN/$program"; done
  rmdir "$temporary"
}

# go_build folder program=package...: builds into a temporary folder first, so that a program that is there is whole.
go_build() {
  local folder="$1" target temporary pair
  shift
  require_same_version "$folder"
  target="$(folder_of "$folder")"
  mkdir -p "$target"
  temporary="$(mktemp -d "$BIN_DIR/.build.XXXXXX")"
  for pair in "$@"; do
    (cd "$CLUSTER_SOURCE/$folder" && CGO_ENABLED="${CGO:-0}" GOFLAGS=-buildvcs=false go build -trimpath -tags "${GO_TAGS:-}" \
      -ldflags "-s -w" ${GO_MODFILE:+-modfile="$GO_MODFILE"} -o "$temporary/${pair%%=*}" "${pair#*=}")
  done
  for pair in "$@"; do mv -f "$temporary/${pair%%=*}" "$target/${pair%%=*}"; done
  rmdir "$temporary"
}

# require_same_version keeps versions.env and the folder's go.mod from drifting apart.
require_same_version() {
  local folder="$1" version
  case "$folder" in
    kubernetes) version="$KUBERNETES_VERSION" ;;
    *) version="$(version_of "$folder")" ;;
  esac
  grep -qE "[ /]$folder(/[a-z0-9]+)* ${version//./\\.}( |\$)|etcd/server/v3 ${version//./\\.}( |\$)" "$CLUSTER_SOURCE/$folder/go.mod" || {
    echo "versions.env says $folder $version, $folder/go.mod requires another version: run \"go get\" there" >&2
    return 1
  }
}

kubernetes_version_flags() {
  local major="${KUBERNETES_VERSION#v}" minor
  major="${major%%.*}"
  minor="${KUBERNETES_VERSION#v*.}"
  minor="${minor%%.*}"
  printf -- '-X k8s.io/component-base/version.gitVersion=%s -X k8s.io/component-base/version.gitMajor=%s -X k8s.io/component-base/version.gitMinor=%s -X k8s.io/client-go/pkg/version.gitVersion=%s' \
    "$KUBERNETES_VERSION" "$major" "$minor" "$KUBERNETES_VERSION"
}

# copy_crds takes manifests out of a module's zip.
copy_crds() {
  local component="$1" source target temporary
  source="$(cd "$(mktemp -d)" && go mod download -json "$2@$(version_of "$component")" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')"
  target="$(folder_of "$component")"
  temporary="$(mktemp -d "$BIN_DIR/.build.XXXXXX")"
  install -m 0644 "$source/$3"/*.yaml "$temporary/"
  rm -rf "$target"
  mv "$temporary" "$target"
  chmod 0755 "$target"
}

# build_traefik leaves out what only other platforms need and what takes most of the time to compile: the DNS
# services of its ACME client, and the provider for Amazon ECS. Go does not overlay files of downloaded
# modules, so the two modules are copied and the files replaced in the copies.
build_traefik() {
  local sources="$CACHE_DIR/src/traefik-$TRAEFIK_VERSION"
  rm -rf "$sources"
  mkdir -p "$sources"
  (cd "$CLUSTER_SOURCE/traefik" && go mod download github.com/go-acme/lego/v4 github.com/traefik/traefik/v3)
  copy_module github.com/go-acme/lego/v4 "$sources/lego"
  copy_module github.com/traefik/traefik/v3 "$sources/traefik"
  install -m 0644 "$CLUSTER_SOURCE/traefik/dns_providers.go.txt" "$sources/lego/providers/dns/zz_gen_dns_providers.go"
  rm -f "$sources/traefik/pkg/provider/ecs"/*.go
  install -m 0644 "$CLUSTER_SOURCE/traefik/ecs.go.txt" "$sources/traefik/pkg/provider/ecs/ecs.go"
  cp "$CLUSTER_SOURCE/traefik/go.mod" "$CLUSTER_SOURCE/traefik/go.sum" "$sources/"
  (cd "$CLUSTER_SOURCE/traefik" && go mod edit \
    -replace "github.com/go-acme/lego/v4=$sources/lego" -replace "github.com/traefik/traefik/v3=$sources/traefik" "$sources/go.mod")
  GO_MODFILE="$sources/go.mod" go_build traefik traefik=github.com/traefik/traefik/v3/cmd/traefik
  rm -rf "$sources"
}

copy_module() {
  local source
  source="$(cd "$CLUSTER_SOURCE/traefik" && go list -m -f '{{.Dir}}' "$1")"
  cp -r "$source" "$2"
  chmod -R u+w "$2"
}

main "$@"
