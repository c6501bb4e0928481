#!/usr/bin/env bash
# Fails when "make generate" would change a file. A copy is generated, so that a check changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly GENERATED=(api config charts docs/reference internal/cnpg internal/certmanager)

copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null | tar -cf - -T - | tar -xf - -C "$copy"
(cd "$copy" && git init -q && make generate >/dev/null)

stale=0
for path in "${GENERATED[@]}"; do
  diff -r "$path" "$copy/$path" >&2 || stale=1
done
if ((stale)); then
  echo "generated files are not up to date (left: this checkout, right: as generated); run: make generate" >&2
  exit 1
fi
