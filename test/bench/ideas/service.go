package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// service is a process of the idea service.
type service struct {
	cmd               *exec.Cmd
	pages, management string
	profile           string
	ready             time.Duration
	ended             chan struct{}
}

// startService starts the program on the database and waits until it is ready.
func (b *bench) startService(ctx context.Context, database string) (*service, error) {
	addresses, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	s := &service{pages: addresses[0], management: addresses[1], profile: addresses[2], ended: make(chan struct{})}
	log, err := os.OpenFile(b.options.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the service's log: %w", err)
	}
	defer log.Close()
	// As behind the cluster's proxy, so that limits by address see many members and not one machine.
	s.cmd = exec.Command(b.options.program, "--database-url="+database, "--listen="+s.pages, "--management-listen="+s.management,
		"--behind-proxy", "--log-level=warn")
	s.cmd.Env = append(os.Environ(), "PPROF_LISTEN="+s.profile)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	// Nothing may stay behind when the benchmark is killed.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the service: %w", err)
	}
	go func() {
		_ = s.cmd.Wait() // its end is what counts
		close(s.ended)
	}()
	if err := s.waitReady(ctx, began); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func freeAddresses(n int) ([]string, error) {
	addresses := make([]string, n)
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close()
		addresses[i] = l.Addr().String()
	}
	return addresses, nil
}

func (s *service) waitReady(ctx context.Context, began time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	// No connection is kept: the probe must not wait for one that was refused.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.management+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("ask whether the service is ready: %w", err)
		}
		response, err := client.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				s.ready = time.Since(began)
				return nil
			}
		}
		select {
		case <-s.ended:
			return fmt.Errorf("wait for the service: it ended; see --ideas-log")
		case <-ctx.Done():
			return fmt.Errorf("wait for the service: %w", ctx.Err())
		case <-time.After(time.Millisecond): // a process that announces itself in no other way
		}
	}
}

// stop ends the service as a rollout does.
func (s *service) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// memory is what the process has resident, in MiB: now, and at most since it started.
func (s *service) memory() (now, peak float64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read the service's memory: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(f[1], 64) // other lines hold other things
		switch f[0] {
		case "VmRSS:":
			now = kib / 1024
		case "VmHWM:":
			peak = kib / 1024
		}
	}
	return now, peak, nil
}

// get asks for a page as a member's browser does, and returns what it shows.
func (s *service) get(ctx context.Context, member int64, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.pages+path, nil)
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", path, err)
	}
	for name, value := range browserHeaders(member) {
		if name != "Accept-Encoding" {
			request.Header.Set(name, value)
		}
	}
	response, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(request)
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask for %s: %s", path, response.Status)
	}
	return string(body), nil
}

// startProfile saves a processor profile of the time until the function it returns is called.
func (b *bench) startProfile(s *service, name string, length time.Duration) func() {
	if b.options.profiles == "" {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		response, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%.0f", s.profile, length.Seconds()))
		if err != nil {
			progress("cannot get a profile, is the program built with the tag pprof? %v", err)
			return
		}
		defer response.Body.Close()
		f, err := os.Create(filepath.Join(b.options.profiles, name+".pprof"))
		if err != nil {
			progress("cannot save a profile: %v", err)
			return
		}
		defer f.Close()
		if _, err := io.Copy(f, response.Body); err != nil {
			progress("cannot save a profile: %v", err)
		}
	}()
	return func() { <-done }
}
