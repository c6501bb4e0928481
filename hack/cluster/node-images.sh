# The images that the node itself needs, as tarballs keyed by version. Sourced, after instance.sh, progress.sh.
# shellcheck shell=bash

# Raised when the way an image is made changes, so that old tarballs are not taken.
readonly NODE_IMAGE_RECIPE=2
readonly NODE_IMAGES=(pause coredns local-path-provisioner busybox traefik)

node_image_version() {
  case "$1" in
    coredns) echo "$COREDNS_BUILD" ;;
    local-path-provisioner) echo "$LOCAL_PATH_PROVISIONER_VERSION" ;;
    traefik) echo "$TRAEFIK_BUILD" ;;
    busybox) echo "$DEBIAN_SUITE" ;;
    pause) echo 1 ;;
  esac
}

# Node images have plain version tags: their content only changes with the version or the recipe.
node_image() { echo "localhost/community/$1:$(node_image_version "$1")-$NODE_IMAGE_RECIPE"; }
node_image_file() { echo "$IMAGE_DIR/$1-$(node_image_version "$1")-$NODE_IMAGE_RECIPE.tar"; }

# with_images_locked runs a command while no other script works on the same tarballs; instances share them.
with_images_locked() {
  mkdir -p "$IMAGE_DIR"
  (
    flock 8
    "$@"
  ) 8>"$IMAGE_DIR/.lock"
}

# build_node_images makes the tarballs that are missing.
build_node_images() {
  local name
  for name in "${NODE_IMAGES[@]}"; do
    if [[ ! -s "$(node_image_file "$name")" ]]; then
      run_step "image $(node_image "$name")" "$CACHE_DIR/log/image-$name.log" build_node_image "$name"
    fi
  done
}

build_node_image() {
  local name="$1" program
  program="$BIN_DIR/$name-$(node_image_version "$name")/$name"
  local arguments=(-repository "localhost/community/$name" -tag "$(node_image_version "$name")-$NODE_IMAGE_RECIPE"
    -output "$(node_image_file "$name")")
  case "$name" in
    pause)
      program="$(build_small_program hack/images/pause)"
      arguments+=(-bare -user 65535:65535 -file "$program=/pause" -entrypoint /pause)
      ;;
    busybox)
      arguments+=(-user 0:0 -file /bin/busybox=/bin/busybox -command sh)
      local applet
      for applet in $(/bin/busybox --list); do
        if [[ "$applet" != busybox ]]; then arguments+=(-link "busybox=/bin/$applet"); fi
      done
      ;;
    *) arguments+=(-file "$program=/usr/local/bin/$name" -entrypoint "/usr/local/bin/$name") ;;
  esac
  "$(build_small_program hack/images/tarball)" "${arguments[@]}"
}

# build_small_program builds one of the repository's own little programs and prints where it is;
# the Go build cache makes that a matter of a moment.
build_small_program() {
  local folder="$1" output
  output="$BIN_DIR/own/$(basename "$folder")"
  (cd "$REPOSITORY_ROOT/$folder" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$output" .)
  echo "$output"
}

# import_images loads tarballs into the node; those whose reference is there already are skipped.
import_node_images() {
  local known name
  known="$(ctr_node images list -q 2>/dev/null)"
  for name in "${NODE_IMAGES[@]}"; do
    if ! grep -qxF "$(node_image "$name")" <<<"$known"; then
      ctr_node images import "$(node_image_file "$name")" >>"$LOG_DIR/images.log" 2>&1
    fi
  done
}

ctr_node() { "$CONTAINERD_BIN/ctr" --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@"; }
