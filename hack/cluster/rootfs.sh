# The root file system of the PostgreSQL images, from Debian packages. Sourced.
# shellcheck shell=bash

# Raised when the content changes other than by the suite or the version.
readonly ROOTFS_RECIPE=2
POSTGRES_ROOTFS="$IMAGE_DIR/postgres-$POSTGRES_MAJOR-$DEBIAN_SUITE-rootfs-$ROOTFS_RECIPE.tar"

ensure_postgres_rootfs() {
  if [[ -s "$POSTGRES_ROOTFS" && -s "$POSTGRES_ROOTFS.version" ]]; then return; fi
  ensure_packages mmdebstrap
  mkdir -p "$IMAGE_DIR"
  run_step "PostgreSQL $POSTGRES_MAJOR from Debian packages" "$CACHE_DIR/log/postgres-rootfs.log" build_postgres_rootfs
}

# build_postgres_rootfs keeps what the server needs to run. Left out: the just-in-time compiler (a third of the
# size, of no use to short queries), Perl, the package tools and everything that is only read by people.
build_postgres_rootfs() {
  local partial="$POSTGRES_ROOTFS.partial.tar"
  SOURCE_DATE_EPOCH=1 mmdebstrap --variant=minbase --include="postgresql-$POSTGRES_MAJOR,libnss-wrapper,tzdata" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --aptopt='Apt::Install-Recommends "false"' \
    --customize-hook="chroot \"\$1\" dpkg-query -W -f '\${source:Upstream-Version}' postgresql-$POSTGRES_MAJOR >'$POSTGRES_ROOTFS.version'" \
    --customize-hook="'$CLUSTER_SOURCE/slim-rootfs.sh' \"\$1\" $POSTGRES_MAJOR" \
    "$DEBIAN_SUITE" "$partial"
  mv "$partial" "$POSTGRES_ROOTFS"
}

postgres_version() { cat "$POSTGRES_ROOTFS.version"; }
