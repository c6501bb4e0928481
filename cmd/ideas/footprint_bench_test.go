package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// BenchmarkFootprint builds the program as its image has it, and measures its start with the schema in place and
// its memory, busy and idle. It fails where a requirement is missed. Run it with: make bench-idle.
func BenchmarkFootprint(b *testing.B) {
	program := filepath.Join(b.TempDir(), "ideas")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	db := testutil.Postgres(b).Database(b)
	if out, err := exec.CommandContext(b.Context(), program, "seed", "--database-url="+db.URI()).CombinedOutput(); err != nil {
		b.Fatalf("seed: %v\n%s", err, out)
	}
	for b.Loop() {
		measureStart(b, program, db.URI())
		measureMemory(b, program, db.URI())
	}
}

func measureStart(b *testing.B, program, uri string) {
	const starts = 15
	took := make([]time.Duration, starts)
	for i := range took {
		var stop func()
		took[i], stop, _, _ = launch(b, program, uri)
		stop()
	}
	slices.Sort(took)
	median := took[starts/2]
	b.ReportMetric(float64(median.Milliseconds()), "ms-to-ready(median)")
	b.ReportMetric(float64(took[starts-1].Milliseconds()), "ms-to-ready(worst)")
	if median > longestStart {
		b.Errorf("ready %s after the start, want %s at most", median, longestStart)
	}
}

func measureMemory(b *testing.B, program, uri string) {
	_, stop, pid, pages := launch(b, program, uri)
	defer stop()
	for i := range 300 {
		path := []string{"/", "/ideas", "/ideas?order=top", "/sign-in", "/theme.css"}[i%5]
		response, err := http.Get("http://" + pages + path)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	busy, idle := residentKiB(b, pid), 0
	for end := time.Now().Add(5 * trimEvery); time.Now().Before(end); time.Sleep(time.Second) {
		if idle = residentKiB(b, pid); idle <= mostIdleKiB {
			break
		}
	}
	b.ReportMetric(float64(busy)/1024, "MiB-busy")
	b.ReportMetric(float64(idle)/1024, "MiB-idle")
	if idle > mostIdleKiB {
		b.Errorf("%d KiB resident when idle, want %d at most", idle, mostIdleKiB)
	}
}

// launch starts the program and waits until it is ready, which it tells by the time it took.
func launch(t testing.TB, program, uri string) (took time.Duration, stop func(), pid int, pages string) {
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

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func residentKiB(t testing.TB, pid int) int {
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
