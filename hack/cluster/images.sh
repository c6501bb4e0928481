#!/usr/bin/env bash
# Builds the project's images without Docker and loads them into the local cluster.
#   images.sh                    all: operator, ideas, mail, postgres
#   images.sh operator ideas     only these
#   images.sh ideas-testclock    the idea service with a clock that tests can set; never one of all
#   images.sh --no-load ...      only the tarballs (in the cache), for another cluster to import
# Prints NAME_IMAGE=reference lines. A reference carries the digest of its content, so that a
# rebuilt program is a new image and pods take it without any pull policy tricks.
set -euo pipefail
cd "$(dirname "$0")"
for part in instance progress machine processes node-images rootfs; do
  # shellcheck source=/dev/null
  . "./$part.sh"
done

# How many older builds of an image are kept: running pods may still need them for a restart.
readonly KEEP_BUILDS=3

main() {
  local load=true wanted=() image
  for argument in "$@"; do
    case "$argument" in
      --no-load) load=false ;;
      operator | ideas | ideas-testclock | mail | postgres) wanted+=("$argument") ;;
      *) fail "unknown image \"$argument\": choose from operator, ideas, ideas-testclock, mail, postgres" ;;
    esac
  done
  if ((${#wanted[@]} == 0)); then wanted=(operator ideas mail postgres); fi
  require_go
  if $load; then require_running_cluster; fi
  for image in "${wanted[@]}"; do with_images_locked make_image "$image" "$load"; done
}

require_running_cluster() {
  require_debian_root
  if ! running containerd; then fail "the cluster \"$CLUSTER_NAME\" is not up: run make cluster first"; fi
}

make_image() {
  local image="$1" load="$2" reference tarball="$IMAGE_DIR/$1.tar"
  if [[ "$image" == postgres ]]; then ensure_postgres_rootfs; fi
  run_step "image localhost/community/$image" "$CACHE_DIR/log/image-$image.log" build_image "$image" "$tarball"
  reference="$(cat "$tarball.reference")"
  if $load; then
    load_image "$reference" "$tarball"
    prune_images "$image" "$reference"
  fi
  image="${image//-/_}"
  echo "${image^^}_IMAGE=$reference"
}

build_image() {
  local image="$1" tarball="$2" program
  local title description
  local arguments=(-repository "localhost/community/$image" -output "$tarball")
  case "$image" in
    operator)
      program="$(build_program operator .)"
      description="Runs community stacks for brands on Kubernetes"
      arguments+=(-tag 'dev-{digest}' -file "$program=/manager" -entrypoint /manager)
      ;;
    ideas | ideas-testclock)
      program="$(build_ideas "$image")"
      description="One brand's co-creation service"
      arguments+=(-tag 'dev-{digest}' -file "$program=/ideas" -entrypoint /ideas)
      ;;
    mail)
      program="$(build_small_program hack/images/mail)"
      description="Catches the demo's mail and shows it"
      arguments+=(-tag 'dev-{digest}' -file "$program=/mail" -entrypoint /mail)
      ;;
    postgres)
      program="$(build_small_program hack/images/postgres)"
      description="PostgreSQL for one community"
      # INT asks the server to stop without waiting for its clients; TERM would wait for them.
      arguments+=(-tag "$POSTGRES_MAJOR-{digest}" -rootfs "$POSTGRES_ROOTFS" -file "$program=/usr/local/bin/postgres-entrypoint"
        -entrypoint /usr/local/bin/postgres-entrypoint -user 999:999 -stop-signal SIGINT
        -env PGDATA=/var/lib/postgresql/data/pgdata -env LANG=C.UTF-8 -label "org.postgresql.version=$(postgres_version)")
      ;;
  esac
  title="community-$image"
  "$(build_small_program hack/images/tarball)" "${arguments[@]}" \
    -label "org.opencontainers.image.title=$title" -label "org.opencontainers.image.description=$description" \
    -label org.opencontainers.image.source=https://github.com/quaeso/community-operator \
    -label org.opencontainers.image.licenses=Apache-2.0 >"$tarball.reference"
}

# build_program builds one of the product's programs. Nothing of the moment goes in (no time, no commit):
# the same source gives the same image.
build_program() {
  local output="$BIN_DIR/own/$1"
  (cd "$REPOSITORY_ROOT" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false go build -trimpath -ldflags "-s -w" -o "$output" "${@:2}")
  echo "$output"
}

# build_ideas builds the idea service; only under its own name with a clock that can be set.
build_ideas() {
  case "$1" in
    ideas) build_program ideas ./cmd/ideas ;;
    ideas-testclock) build_program ideas-testclock -tags testclock ./cmd/ideas ;;
  esac
}

load_image() {
  local reference="$1" tarball="$2"
  if ctr_node images list -q 2>/dev/null | grep -xF "$reference" >/dev/null; then return; fi
  run_step "loading $reference" "$LOG_DIR/load-image.log" ctr_node images import "$tarball"
  remember_image "$reference"
}

# remember_image lists the builds in the order in which they were loaded.
remember_image() {
  grep -vxF "$1" "$STATE_DIR/images" 2>/dev/null >"$STATE_DIR/images.new" || true
  echo "$1" >>"$STATE_DIR/images.new"
  mv "$STATE_DIR/images.new" "$STATE_DIR/images"
}

prune_images() {
  local image="$1" current="$2" old
  while read -r old; do
    if [[ "$old" != "$current" ]]; then
      ctr_node images remove "$old" >/dev/null 2>&1 || true
      sed -i "\|^$old\$|d" "$STATE_DIR/images"
    fi
  done < <(grep "^localhost/community/$image:" "$STATE_DIR/images" 2>/dev/null | head -n "-$KEEP_BUILDS" || true)
}

main "$@"
