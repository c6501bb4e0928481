//go:build e2e

// Package localcluster tries what hack/ does on a machine: the local cluster's start, repair and stop, what is said
// where it cannot run, and the demo.
package localcluster

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// instance is a cluster of its own beside the developer's.
const instance = "lifecycle"

// upTime is ample for one start of a built cluster on a loaded machine.
const upTime = 5 * time.Minute

func root(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	if err != nil {
		t.Fatalf("find the repository: %v", err)
	}
	return path
}

// run runs a command from the repository's root, and returns what it printed.
func run(t *testing.T, limit time.Duration, environment []string, name string, arguments ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = root(t)
	command.Env = append(slices.DeleteFunc(os.Environ(), ofThisRun), environment...)
	var out, told strings.Builder
	command.Stdout, command.Stderr = &out, &told
	err = command.Run()
	return strings.TrimSpace(out.String()), told.String(), err
}

// ofThisRun names what a user's shell does not have: KUBECONFIG would have the demo use a cluster that is there, and
// make's own variables belong to the make that runs the tests.
func ofThisRun(variable string) bool {
	return strings.HasPrefix(variable, "KUBECONFIG=") || strings.HasPrefix(variable, "MAKE") || strings.HasPrefix(variable, "MFLAGS=")
}

// succeed is run for a command that must not fail.
func succeed(t *testing.T, limit time.Duration, environment []string, name string, arguments ...string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, err := run(t, limit, environment, name, arguments...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, stderr)
	}
	return stdout, stderr
}

// A machine's cluster starts, is repaired after its programs or all of its processes were killed, stops without a
// trace, and starts again with what was in it.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	environment := []string{"COMMUNITY_CLUSTER=" + instance, "COMMUNITY_HTTP_PORT=", "COMMUNITY_HTTPS_PORT=", "COMMUNITY_LOCKED="}
	t.Cleanup(func() {
		command := exec.Command("hack/cluster/down.sh", "--purge") // t.Context has ended
		command.Dir = root(t)
		command.Env = append(os.Environ(), environment...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("take the cluster away: %v\n%s", err, out)
		}
	})
	kubectl, _ := succeed(t, time.Minute, environment, "hack/cluster/build.sh", "--path", "kubectl")
	kubeconfig, said := succeed(t, upTime, environment, "hack/cluster/up.sh")
	for _, want := range []string{"node Ready after", "is up after", "export KUBECONFIG=" + kubeconfig} {
		if !strings.Contains(said, want) {
			t.Errorf("the start does not say %q:\n%s", want, said)
		}
	}
	ask := func(arguments ...string) string {
		t.Helper()
		out, _ := succeed(t, time.Minute, nil, kubectl, append([]string{"--kubeconfig", kubeconfig}, arguments...)...)
		return out
	}
	ask("wait", "--for=condition=Ready", "node", "--all", "--timeout=30s")
	ask("-n", "default", "create", "configmap", "kept", "--from-literal=word=kept")
	word := func() string {
		return ask("-n", "default", "get", "configmap", "kept", "-o", "jsonpath={.data.word}")
	}

	before := programs(t)
	if _, said = succeed(t, upTime, environment, "hack/cluster/up.sh"); strings.Contains(said, "node Ready after") || !strings.Contains(said, "is up") {
		t.Errorf("a start of what runs did something:\n%s", said)
	}
	if after := programs(t); after["kubelet"] != before["kubelet"] || after["etcd"] != before["etcd"] {
		t.Errorf("a start of what runs replaced programs: %v, before %v", after, before)
	}

	for _, killed := range [][]string{{"etcd", "kubelet"}, {"containerd", "kube-apiserver"}} {
		for _, name := range killed {
			kill(t, before[name])
		}
		succeed(t, upTime, environment, "hack/cluster/up.sh")
		if got := word(); got != "kept" {
			t.Errorf("after %v were killed, the configmap says %q", killed, got)
		}
		before = programs(t)
	}

	processes := members(t)
	if len(processes) < 10 {
		t.Fatalf("the cluster has the processes %v only", processes)
	}
	for _, pid := range processes {
		kill(t, pid)
	}
	succeed(t, upTime, environment, "hack/cluster/up.sh")
	ask("wait", "--for=condition=Ready", "node", "--all", "--timeout=30s")
	if got := word(); got != "kept" {
		t.Errorf("after everything was killed, the configmap says %q", got)
	}

	state := filepath.Dir(kubeconfig)
	succeed(t, upTime, environment, "hack/cluster/down.sh")
	checkNothingIsLeft(t, state)
	if _, err := os.Stat(filepath.Join(state, "etcd")); err != nil {
		t.Errorf("the state went with the stop: %v", err)
	}
	succeed(t, upTime, environment, "hack/cluster/down.sh", "--purge")
	if _, err := os.Stat(state); !os.IsNotExist(err) {
		t.Errorf("the state stayed although it was purged: %v", err)
	}
}

// programs are the recorded process ids of the node's programs.
func programs(t *testing.T) map[string]int {
	t.Helper()
	records, err := filepath.Glob("/run/community-operator/" + instance + "/*.pid")
	if err != nil || len(records) == 0 {
		t.Fatalf("no programs are recorded: %v", err)
	}
	found := map[string]int{}
	for _, record := range records {
		text, err := os.ReadFile(record)
		if err != nil {
			t.Fatalf("read the record of a program: %v", err)
		}
		id, _, _ := strings.Cut(string(text), " ")
		pid, err := strconv.Atoi(id)
		if err != nil {
			t.Fatalf("%s holds %q", record, text)
		}
		found[strings.TrimSuffix(filepath.Base(record), ".pid")] = pid
	}
	return found
}

// members are all processes of the cluster, pods included: those in its control group, of either version.
func members(t *testing.T) []int {
	t.Helper()
	unique := map[int]bool{}
	for _, base := range []string{"/sys/fs/cgroup/" + instance, "/sys/fs/cgroup/memory/" + instance} {
		err := filepath.WalkDir(base, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.Name() != "cgroup.procs" {
				return nil // a group may go while we look
			}
			text, _ := os.ReadFile(path)
			for id := range strings.FieldsSeq(string(text)) {
				if pid, err := strconv.Atoi(id); err == nil {
					unique[pid] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("look for processes below %s: %v", base, err)
		}
	}
	var found []int
	for pid := range unique {
		found = append(found, pid)
	}
	return found
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if pid <= 1 {
		t.Fatalf("there is no process %d to kill", pid)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		t.Fatalf("kill %d: %v", pid, err)
	}
}

func checkNothingIsLeft(t *testing.T, state string) {
	t.Helper()
	if left := members(t); len(left) > 0 {
		t.Errorf("the stop left the processes %v", left)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatalf("read the mounts: %v", err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, state+"/") || strings.Contains(line, "/run/community-operator/"+instance+"/") {
			t.Errorf("the stop left the mount %s", line)
		}
	}
	namespaces, _ := succeed(t, time.Minute, nil, "ip", "netns", "list")
	for line := range strings.Lines(namespaces) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); name == instance {
			t.Error("the stop left the network namespace")
		}
	}
	links, _ := succeed(t, time.Minute, nil, "ip", "-details", "link")
	if strings.Contains(links, "community-operator/"+instance) {
		t.Errorf("the stop left its link:\n%s", links)
	}
}
