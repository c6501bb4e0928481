#!/usr/bin/env bash
# Stops the local cluster and leaves no process, mount or network behind. Its data stay for the next start;
# with --purge they go too (built programs and images stay in the cache).
set -euo pipefail
cd "$(dirname "$0")"
for part in instance progress machine processes network; do
  # shellcheck source=/dev/null
  . "./$part.sh"
done

main() {
  local purge=false
  case "${1:-}" in
    "") ;;
    --purge) purge=true ;;
    *) fail "usage: $0 [--purge]" ;;
  esac
  require_debian_root
  lock_instance
  # Should this run be interrupted, the next start must not build on programs that were asked to stop.
  mkdir -p "$RUN_DIR"
  touch "$RUN_DIR/stopping"
  # The kubelet first, or it restarts what we stop; the API server before etcd: one that has lost
  # etcd ignores the request to stop for a long time.
  local program
  for program in forward kubelet kube-proxy kube-scheduler kube-controller-manager; do stop "$program" 5; done
  # It would give its clients ten seconds; they are gone, and its state is safe with etcd.
  stop kube-apiserver 2
  stop etcd 10
  stop containerd 5
  kill_members
  unmount_all
  remove_control_group
  network_down
  remove_log_links
  rm -rf "$RUN_DIR"
  if $purge; then rm -rf "$STATE_DIR"; fi
  say "cluster \"$CLUSTER_NAME\" is down$($purge && echo " and forgotten")"
}

# unmount_all takes away the mounts below our folders, the deepest first.
unmount_all() {
  local mount
  while read -r mount; do
    umount "$mount" 2>/dev/null || umount -l "$mount" || true
  done < <(awk -v state="$STATE_DIR/" -v run="$RUN_DIR/" 'index($5, state) == 1 || index($5, run) == 1 {print $5}' /proc/self/mountinfo | sort -r)
}

# remove_log_links removes the links that the kubelet makes in a place of its own choice.
remove_log_links() {
  if [[ -d /var/log/containers ]]; then
    find /var/log/containers -maxdepth 1 -type l -lname "$STATE_DIR/*" -delete
    rmdir --ignore-fail-on-non-empty /var/log/containers
  fi
}

main "$@"
