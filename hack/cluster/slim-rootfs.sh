#!/usr/bin/env bash
# Prepares a fresh Debian root file system with PostgreSQL for use as an image: users, folders, and away with
# what a server never opens. Called by rootfs.sh with the folder and PostgreSQL's major version.
set -euo pipefail

root="${1:?root folder}" major="${2:?PostgreSQL major version}"
[[ -d "$root/usr/lib/postgresql/$major" ]]

cd "$root"
rm -rf usr/lib/*-linux-gnu/libLLVM-* usr/lib/*-linux-gnu/libz3.so* \
  "usr/lib/postgresql/$major/lib/llvmjit.so" "usr/lib/postgresql/$major/lib/llvmjit_types.bc" "usr/lib/postgresql/$major/lib/bitcode" \
  usr/lib/*-linux-gnu/perl usr/lib/*-linux-gnu/libperl.so* usr/share/perl usr/share/perl5 usr/bin/perl5* \
  usr/share/i18n usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/lintian usr/share/bash-completion \
  var/lib/apt var/cache/apt var/cache/debconf var/lib/postgresql var/log/* var/backups/* \
  usr/lib/apt usr/bin/apt* usr/lib/*-linux-gnu/libapt-*

# CloudNativePG runs the server as 26, as on Red Hat; the well-known official image as 999.
sed -i '/^postgres:/d; /^[^:]*:[^:]*:\(26\|999\):/d' etc/passwd etc/group
printf 'postgres:x:26:26:PostgreSQL:/var/lib/postgresql:/bin/bash\npostgres999:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/bash\n' >>etc/passwd
printf 'postgres:x:26:\npostgres999:x:999:\n' >>etc/group
# Any user id may be given to the pod: the folders that are no volumes are open to all.
install -d -m 1777 var/lib/postgresql var/lib/postgresql/data run/postgresql
# On the PATH without a version, for people in a shell and for the operator's own programs.
for program in "usr/lib/postgresql/$major/bin"/*; do
  ln -sf "/$program" "usr/local/bin/$(basename "$program")"
done
