package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// operator is the operator's process.
type operator struct {
	cmd     *exec.Cmd
	started time.Time
	ended   chan struct{}
}

// Addresses of the operator's process; the benchmark has the machine to itself.
const (
	probeAddress = "127.0.0.1:18081"
	pprofAddress = "127.0.0.1:18082"
)

func (b *bench) startOperator(ctx context.Context) (*operator, error) {
	args := []string{
		"--operator-namespace=" + operatorNamespace,
		"--leader-elect",
		"--metrics-bind-address=0",
		"--health-probe-bind-address=" + probeAddress,
		"--control-dial-address=" + b.services.address(),
	}
	if b.options.profiles != "" {
		args = append(args, "--pprof-bind-address="+pprofAddress)
	}
	args = append(args, strings.Fields(b.options.operatorArgs)...)
	log, err := os.OpenFile(b.options.keepLogs, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the operator's log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(b.options.operator, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+b.cluster.kubeconfig)
	cmd.Stdout, cmd.Stderr = log, log
	// Nothing may stay behind when the benchmark is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	o := &operator{cmd: cmd, started: time.Now(), ended: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the operator: %w", err)
	}
	go func() {
		_ = cmd.Wait() // its end is what counts
		close(o.ended)
	}()
	return o, o.waitUntilHealthy(ctx)
}

func (o *operator) waitUntilHealthy(ctx context.Context) error {
	return until(ctx, time.Minute, "the operator to answer its probe", func() (bool, error) {
		if o.hasEnded() {
			return false, errEnded
		}
		resp, err := http.Get("http://" + probeAddress + "/readyz")
		if err != nil {
			return false, nil
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
}

// stop ends the operator as a rollout does.
func (o *operator) stop(ctx context.Context) error {
	if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("end the operator: %w", err)
	}
	return until(ctx, 30*time.Second, "the operator to end", func() (bool, error) { return o.hasEnded(), nil })
}

var errEnded = errors.New("the operator ended by itself; see --operator-log")

func (o *operator) hasEnded() bool {
	select {
	case <-o.ended:
		return true
	default:
		return false
	}
}

// whileRunning is until, but gives up when the operator ends.
func (b *bench) whileRunning(ctx context.Context, limit time.Duration, what string, done func() (bool, error)) error {
	return until(ctx, limit, what, func() (bool, error) {
		if b.operator.hasEnded() {
			return false, errEnded
		}
		return done()
	})
}

// memory is what a process has resident, in MiB: now, and at most since it started.
type memory struct{ now, peak float64 }

func (o *operator) memory() (memory, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.cmd.Process.Pid))
	if err != nil {
		return memory{}, fmt.Errorf("read the operator's memory: %w", err)
	}
	var m memory
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(f[1], 64) // other lines hold other things
		switch f[0] {
		case "VmRSS:":
			m.now = kib / 1024
		case "VmHWM:":
			m.peak = kib / 1024
		}
	}
	return m, nil
}

// times is how much of the processors was used, in seconds, by whom.
type times struct {
	at                                    time.Time
	operator, apiserver, etcd, bench, all float64
}

// ticks a second in /proc; Linux has fixed it for user space.
const ticks = 100

func (b *bench) times() times {
	t := times{at: time.Now()}
	self := os.Getpid()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // the process has ended
		}
		// The name, in parentheses, may hold spaces.
		open, end := bytes.IndexByte(raw, '('), bytes.LastIndexByte(raw, ')')
		f := strings.Fields(string(raw[end+1:]))
		pid, _ := strconv.Atoi(string(bytes.TrimSpace(raw[:open])))
		used := (atof(f[11]) + atof(f[12])) / ticks
		switch name := string(raw[open+1 : end]); {
		case pid == self:
			t.bench = used
		case f[1] != strconv.Itoa(self):
		case pid == b.operator.cmd.Process.Pid:
			t.operator = used
		case name == "kube-apiserver":
			t.apiserver = used
		case name == "etcd":
			t.etcd = used
		}
	}
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	for i, f := range strings.Fields(first)[1:] {
		if i != 3 && i != 4 && i < 8 { // idle, iowait; guests are counted in user
			t.all += atof(f) / ticks
		}
	}
	return t
}

func atof(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64) // the kernel writes numbers
	return v
}

// since describes what was used since an earlier time, and how much of it by strangers to the benchmark.
func (t times) since(before times) string {
	elapsed := t.at.Sub(before.at).Seconds()
	ours := t.operator - before.operator + t.apiserver - before.apiserver + t.etcd - before.etcd + t.bench - before.bench
	return fmt.Sprintf("operator %.0f s, API server %.0f s, etcd %.0f s, benchmark %.0f s, other programs %.0f s, in %.0f s",
		t.operator-before.operator, t.apiserver-before.apiserver, t.etcd-before.etcd, t.bench-before.bench,
		t.all-before.all-ours, elapsed)
}

// profile saves a profile of the operator, when profiles are wanted.
func (b *bench) profile(ctx context.Context, kind, name string) {
	if b.options.profiles == "" {
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+pprofAddress+"/debug/pprof/"+kind, nil)
	if err != nil {
		progress("cannot ask for profile %s: %v", name, err)
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		progress("cannot get profile %s: %v", name, err)
		return
	}
	defer resp.Body.Close()
	f, err := os.Create(filepath.Join(b.options.profiles, name))
	if err != nil {
		progress("cannot save profile %s: %v", name, err)
		return
	}
	defer f.Close()
	if _, err := f.ReadFrom(resp.Body); err != nil {
		progress("cannot save profile %s: %v", name, err)
	}
}

// until polls: what is waited for is seen in other processes only.
func until(ctx context.Context, limit time.Duration, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
