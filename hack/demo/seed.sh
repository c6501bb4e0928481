#!/usr/bin/env bash
# Fills a community with a programme and what members and team have made of it, in French and English. Safe to run again.
# With DATABASE_URL it fills that database, for the service running alone; without it the demo's community in the cluster.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
. hack/demo/steps.sh

fill_database() {
  local file="${DECLARED:-$CACHE/seed-demo.yaml}" base="${BASE_URL:-http://localhost:8080}"
  mkdir -p "$(dirname "$file")"
  go run ./cmd/ideas seed --database-url="$DATABASE_URL" --declared="$file" --base-url="$base" --log-level=warn
  cat <<TEXT

Look at it:

  go run ./cmd/ideas --database-url="\$DATABASE_URL" --declared=$file

and open $base. To sign in, give it an SMTP server with --smtp-host; the team is lead@brand.example, workshop@brand.example,
host@brand.example and moderator@brand.example.
TEXT
}

if [[ -n "${DATABASE_URL:-}" ]]; then
  fill_database
else
  parse_arguments "$@"
  hack/cluster/build.sh kubectl
  fill_community
fi
