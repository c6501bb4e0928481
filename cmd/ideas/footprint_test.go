package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quaeso/community-operator/internal/testutil"
)

// What decides how many communities fit on a machine, and how soon a new one opens.
const (
	mostIdleKiB  = 25 << 10
	longestStart = 100 * time.Millisecond
)

// TestFootprint builds the program as its image has it, and measures start and idle memory.
func TestFootprint(t *testing.T) {
	program := filepath.Join(t.TempDir(), "ideas")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	db := testutil.Postgres(t).Database(t)
	args := []string{"seed", "--database-url=" + db.URI()}
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("seed: %v\n%s", err, out)
	}

	// The best of several starts: the machine may be busy with something else.
	best := time.Hour
	for range 8 {
		took, stop, _, _ := launch(t, program, db.URI())
		stop()
		best = min(best, took)
	}
	t.Logf("from process start to ready: %s", best)
	if best > longestStart {
		t.Errorf("ready %s after the start at best, want %s at most", best, longestStart)
	}

	_, stop, pid, pages := launch(t, program, db.URI())
	defer stop()
	for i := range 300 {
		path := []string{"/", "/ideas", "/ideas?order=top", "/sign-in", "/theme.css"}[i%5]
		response, err := http.Get("http://" + pages + path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	busy, idle := residentKiB(t, pid), 0
	eventually(t, 5*trimEvery, fmt.Sprintf("at most %d KiB resident", mostIdleKiB), func() bool {
		idle = residentKiB(t, pid)
		return idle <= mostIdleKiB
	})
	t.Logf("resident: %d KiB after 300 requests, %d KiB idle", busy, idle)
}

// launch starts the program and waits until it is ready, which it tells by the time it took.
func launch(t *testing.T, program, uri string) (took time.Duration, stop func(), pid int, pages string) {
	t.Helper()
	pages, management := freeAddress(t), freeAddress(t)
	command := exec.Command(program, "--database-url="+uri, "--listen="+pages, "--management-listen="+management, "--log-level=error")
	// No connection is kept: the probe must not wait for one that was refused.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	began := time.Now()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			t.Errorf("the program ended with: %v", err)
		}
	}
	for {
		response, err := client.Get("http://" + management + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return time.Since(began), stop, command.Process.Pid, pages
			}
		}
		if time.Since(began) > 30*time.Second {
			stop()
			t.Fatal("not ready within 30 s")
		}
		time.Sleep(time.Millisecond)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func residentKiB(t *testing.T, pid int) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		var n int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &n); err == nil {
			return n
		}
	}
	t.Fatal("no VmRSS in the process's status")
	return 0
}
