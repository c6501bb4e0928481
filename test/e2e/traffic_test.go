//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// traffic is a loop of requests by several clients. It counts, and remembers what went wrong.
type traffic struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex
	requests int
	failures []string
}

// Clients of a loop, each asking every interval: 50 requests a second together.
const (
	trafficClients  = 10
	trafficInterval = 200 * time.Millisecond
)

// startTraffic asks for a page again and again: half of the clients keep their connection, the others make a
// new one each time.
func (w *world) startTraffic(address string) *traffic {
	w.Helper()
	ctx, cancel := context.WithCancel(w.ctx)
	l := &traffic{stop: cancel}
	for i := range trafficClients {
		client := &http.Client{
			Timeout:   10 * time.Second,
			Transport: &http.Transport{DialContext: throughNode, DisableKeepAlives: i%2 == 0},
		}
		l.done.Go(func() { l.ask(ctx, client, address) })
	}
	w.Cleanup(cancel)
	return l
}

func (l *traffic) ask(ctx context.Context, client *http.Client, address string) {
	tick := time.NewTicker(trafficInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			failure := askOnce(client, address)
			l.mu.Lock()
			l.requests++
			if failure != "" {
				l.failures = append(l.failures, time.Now().Format("15:04:05.000 ")+failure)
			}
			l.mu.Unlock()
		}
	}
}

// askOnce has no context of the loop: a request that is under way when the loop ends must not count as failed.
func askOnce(client *http.Client, address string) string {
	res, err := client.Get(address)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err.Error()
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Sprintf("status %d", res.StatusCode)
	}
	return ""
}

// enoughRequests are two seconds of the loop: what follows a change shows up in them.
const enoughRequests = 100

// end stops the loop, not before two seconds are seen, and fails the test when a request failed.
func (l *traffic) end(w *world, during string) {
	w.Helper()
	already := l.count()
	w.eventually(30*time.Second, "the loop has made its requests", func() error {
		if n := l.count() - already; n < enoughRequests {
			return fmt.Errorf("%d of %d", n, enoughRequests)
		}
		return nil
	})
	l.stop()
	l.done.Wait()
	w.Logf("%d requests, %d failed, during: %s", l.requests, len(l.failures), during)
	for _, f := range l.failures[:min(len(l.failures), 10)] {
		w.Errorf("during %s: %s", during, f)
	}
}

func (l *traffic) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests
}
