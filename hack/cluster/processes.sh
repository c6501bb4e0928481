# Starts and stops the node's programs by recorded process id. Sourced, after instance.sh and progress.sh.
# Everything that the cluster starts lives below one control group named after the instance, pods included:
# that is how a stop finds what a crash left behind, without guessing by name.
# shellcheck shell=bash

# lock_instance lets one up, down or image load at a time work on an instance; a script that is called by
# another one shares its lock.
lock_instance() {
  mkdir -p "$(dirname "$LOCK_FILE")"
  if [[ "${COMMUNITY_LOCKED:-}" == "$CLUSTER_NAME" ]]; then return; fi
  exec 9>"$LOCK_FILE"
  flock 9
  export COMMUNITY_LOCKED="$CLUSTER_NAME"
}

# started_at gives a process's start time: with the id it names a process for good, an id alone is reused.
started_at() {
  local stat
  stat="$(cat "/proc/$1/stat" 2>/dev/null)" || return 1
  stat="${stat##*) }"
  # Field 3 of the file is the state; a zombie has ended.
  if [[ "${stat%% *}" == Z ]]; then return 1; fi
  cut -d' ' -f20 <<<"$stat"
}

# recorded_pid prints the id of a running program that we started, and fails if it is not running.
recorded_pid() {
  local pid start
  read -r pid start 2>/dev/null <"$RUN_DIR/$1.pid" || return 1
  if [[ -z "$start" || "$(started_at "$pid")" != "$start" ]]; then return 1; fi
  echo "$pid"
}

running() { recorded_pid "$1" >/dev/null; }

# start name where command...: "node" starts it in the node's network namespace, "host" outside.
start() {
  local name="$1" where="$2" log="$LOG_DIR/$1.log" enter=()
  shift 2
  if running "$name"; then return; fi
  if [[ "$where" == node ]]; then enter=(nsenter "--net=$NETNS_FILE"); fi
  if [[ -f "$log" ]]; then mv -f "$log" "$log.1"; fi
  (
    join_control_group
    # The lock must not live on in the programs that are started under it.
    exec setsid "${enter[@]}" "$@" </dev/null >"$log" 2>&1 9>&-
  ) &
  local pid=$!
  echo "$pid $(started_at "$pid")" >"$RUN_DIR/$name.pid"
}

# stop name [seconds]: asks, waits, insists.
stop() {
  local name="$1" limit="${2:-10}" pid deadline
  if pid="$(recorded_pid "$name")"; then
    kill -TERM "$pid" 2>/dev/null || true
    deadline=$((SECONDS + limit))
    while running "$name" && ((SECONDS < deadline)); do sleep 0.05; done
    if running "$name"; then kill -KILL "$pid" 2>/dev/null || true; fi
    while running "$name"; do sleep 0.02; done
  fi
  rm -f "$RUN_DIR/$name.pid"
}

# hierarchies lists the folders in which the instance's control group must exist: one with cgroup v2, many with v1.
hierarchies() {
  if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
    echo /sys/fs/cgroup
  else
    awk '$3 == "cgroup" {print $2}' /proc/mounts
  fi
}

create_control_group() {
  local root group
  while read -r root; do
    group="$root/$CLUSTER_NAME"
    mkdir -p "$group"
    if [[ -f "$group/cgroup.subtree_control" ]]; then
      enable_controllers "$root"
      enable_controllers "$group"
    fi
    # An empty cpuset takes no process.
    if [[ -f "$group/cpuset.cpus" && -f "$root/cpuset.mems" ]]; then
      cat "$root/cpuset.cpus" >"$group/cpuset.cpus"
      cat "$root/cpuset.mems" >"$group/cpuset.mems"
    fi
    mkdir -p "$group/programs"
    if [[ -f "$group/programs/cpuset.cpus" && -f "$root/cpuset.mems" ]]; then
      cat "$root/cpuset.cpus" >"$group/programs/cpuset.cpus"
      cat "$root/cpuset.mems" >"$group/programs/cpuset.mems"
    fi
  done < <(hierarchies)
}

# enable_controllers hands a cgroup v2 folder's controllers down to its children, those that can be.
enable_controllers() {
  local controller controllers
  read -ra controllers <"$1/cgroup.controllers"
  for controller in "${controllers[@]}"; do
    echo "+$controller" 2>/dev/null >"$1/cgroup.subtree_control" || true
  done
}

join_control_group() {
  local root
  while read -r root; do
    echo "$BASHPID" >"$root/$CLUSTER_NAME/programs/cgroup.procs"
  done < <(hierarchies)
}

# members lists every process below the instance's control group.
members() {
  local root
  while read -r root; do
    if [[ -d "$root/$CLUSTER_NAME" ]]; then
      find "$root/$CLUSTER_NAME" -name cgroup.procs -exec cat {} + 2>/dev/null || true
    fi
  done < <(hierarchies) | sort -un
}

# unrecorded_programs lists programs of ours that run without a record: a start of them again would find the
# ports and files taken. Shims are no programs of ours, they belong to containerd.
unrecorded_programs() {
  local recorded pid root
  recorded="$(cat "$RUN_DIR"/*.pid 2>/dev/null | cut -d' ' -f1)"
  read -r root < <(hierarchies)
  while read -r pid; do
    if [[ "$(readlink "/proc/$pid/exe")" != */containerd-shim-runc-v2 ]] && started_at "$pid" >/dev/null && ! grep -qx "$pid" <<<"$recorded"; then
      echo "$pid"
    fi
  done < <(cat "$root/$CLUSTER_NAME/programs/cgroup.procs" 2>/dev/null)
}

# kill_members ends what is left: pods, their shims, and programs whose record was lost.
kill_members() {
  local pids deadline=$((SECONDS + 15))
  while ((SECONDS < deadline)); do
    mapfile -t pids < <(members)
    if ((${#pids[@]} == 0)); then return; fi
    kill -KILL "${pids[@]}" 2>/dev/null || true
    sleep 0.05
  done
  fail "processes that do not end: ${pids[*]}"
}

# remove_control_group looks at every hierarchy: on machines with both versions the runtime makes folders in either.
remove_control_group() {
  local root
  while read -r root; do
    if [[ -d "$root/$CLUSTER_NAME" ]]; then
      find "$root/$CLUSTER_NAME" -depth -type d -exec rmdir {} + 2>/dev/null || true
    fi
  done < <(awk '$3 == "cgroup" || $3 == "cgroup2" {print $2}' /proc/mounts)
}
