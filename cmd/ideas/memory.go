package main

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// trimEvery is how long a service must be quiet before it gives memory back.
const trimEvery = 15 * time.Second

// memoryTrimmer gives the heap of a busy time back to the system once requests pause. The runtime would keep
// it for minutes; what a quiet community holds decides how many fit on a machine.
type memoryTrimmer struct {
	served atomic.Int64
}

// count notes requests.
func (t *memoryTrimmer) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.served.Add(1)
		next.ServeHTTP(w, r)
	})
}

// run trims until the context ends: first what the start has left behind, then after each busy time.
func (t *memoryTrimmer) run(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	var seen int64
	trimmed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		served := t.served.Load()
		quiet := served == seen
		if quiet && !trimmed {
			debug.FreeOSMemory()
			// Without it more stays resident, and nothing else.
			_ = releaseProgram()
		}
		trimmed, seen = quiet, served
	}
}
