package main

import (
	"context"
	"net/http"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// trimEvery is how long a service must be quiet before it gives memory back.
const trimEvery = 15 * time.Second

// allowGarbage lets the heap grow to three times what is in use, not to twice, before it is collected, unless GOGC says
// otherwise: little is in use, and a busy service should not spend its time on collecting. What a busy time leaves goes
// when the service is quiet.
func allowGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}

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
