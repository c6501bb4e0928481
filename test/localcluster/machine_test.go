//go:build e2e

package localcluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pretend makes a folder of commands that come before the machine's own.
func pretend(t *testing.T, commands map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, script := range commands {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/bash\n"+script+"\n"), 0o755); err != nil {
			t.Fatalf("write a command: %v", err)
		}
	}
	return folder
}

// only makes a folder that holds nothing but links to some of the machine's commands.
func only(t *testing.T, commands ...string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range commands {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("find %s: %v", name, err)
		}
		if err := os.Symlink(path, filepath.Join(folder, name)); err != nil {
			t.Fatalf("link %s: %v", name, err)
		}
	}
	return folder
}

// Where the local cluster cannot run, it says why and what to do instead, and starts nothing.
func TestMachinesThatCannotRunIt(t *testing.T) {
	path := os.Getenv("PATH")
	for name, c := range map[string]struct{ path, want string }{
		"another system": {pretend(t, map[string]string{"uname": "echo Darwin"}) + ":" + path, "this is Darwin"},
		"no Debian": {only(t, "bash", "env", "dirname", "awk", "find", "sort", "xargs", "cat", "sha256sum", "cksum", "cut", "uname", "id"),
			"found no apt-get"},
		"not root": {pretend(t, map[string]string{"id": "echo 1000"}) + ":" + path, "needs root"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, script := range []string{"hack/cluster/up.sh", "hack/cluster/down.sh"} {
				environment := []string{"PATH=" + c.path, "COMMUNITY_CLUSTER=nowhere"}
				stdout, said, err := run(t, time.Minute, environment, script)
				if err == nil {
					t.Fatalf("%s went on", script)
				}
				for _, want := range []string{c.want, "make demo KUBECONFIG="} {
					if !strings.Contains(said, want) {
						t.Errorf("%s does not say %q: %s", script, want, said)
					}
				}
				if stdout != "" {
					t.Errorf("%s printed a kubeconfig: %s", script, stdout)
				}
			}
		})
	}
}

// sourced runs a line of bash with the scripts' functions.
func sourced(t *testing.T, environment []string, line string) (string, error) {
	t.Helper()
	_, said, err := run(t, time.Minute, environment, "bash", "-euo", "pipefail", "-c",
		". hack/cluster/instance.sh; . hack/cluster/progress.sh; . hack/cluster/machine.sh; "+line)
	return said, err
}

// What is missing of the Debian packages is installed, after a refresh of lists that are too old, and said.
func TestMissingPackages(t *testing.T) {
	calls := filepath.Join(t.TempDir(), "calls")
	folder := pretend(t, map[string]string{
		"dpkg-query": `[[ "${*: -1}" == curl ]] && echo installed || exit 1`,
		"apt-get":    `echo "$*" >>"` + calls + `"; grep -q update "` + calls + `"`,
	})
	said, err := sourced(t, []string{"PATH=" + folder + ":" + os.Getenv("PATH"), "XDG_CACHE_HOME=" + t.TempDir()}, "ensure_packages curl iproute2")
	if err != nil {
		t.Fatalf("ensure packages: %v\n%s", err, said)
	}
	if want := "installing Debian packages: iproute2"; !strings.Contains(said, want) {
		t.Errorf("it does not say %q: %s", want, said)
	}
	asked, err := os.ReadFile(calls)
	if err != nil {
		t.Fatalf("read what apt-get was asked: %v", err)
	}
	install := "install -y --no-install-recommends iproute2\n"
	if want := install + "update\n" + install; string(asked) != want {
		t.Errorf("apt-get was asked\n%s, want\n%s", asked, want)
	}
}

// A step says what it does and how long it took; one that fails shows the end of its log.
func TestProgress(t *testing.T) {
	cache := []string{"XDG_CACHE_HOME=" + t.TempDir()}
	said, err := sourced(t, cache, `run_step "[2/3] compiling" "$CACHE_DIR/log/step" echo quiet`)
	if err != nil || !strings.HasPrefix(said, "[2/3] compiling … 00:0") || !strings.HasSuffix(said, "done\n") || strings.Contains(said, "quiet") {
		t.Errorf("a step that works says %q (%v)", said, err)
	}
	said, err = sourced(t, cache, `run_step "[3/3] linking" "$CACHE_DIR/log/step" bash -c "echo no space left; exit 3"`)
	if err == nil {
		t.Error("a step that fails is no failure")
	}
	for _, want := range []string{"no space left", "[3/3] linking failed; the whole log: "} {
		if !strings.Contains(said, want) {
			t.Errorf("a step that fails does not say %q: %s", want, said)
		}
	}
}
