package main

import (
	"context"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A service that is quiet for a while gives memory back.
const (
	lookEvery = 5 * time.Second
	// quietLooks in a row found no request.
	quietLooks = 3
)

// Garbage that may gather before it is collected, in percent of what is in use. A busy service should not spend its time
// on collecting; a quiet or a starting one should stay small, and leave few holes.
const (
	busyGarbage  = 200
	quietGarbage = 25
)

// allowGarbage sets it, unless GOGC says otherwise.
func allowGarbage(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// memoryTrimmer gives the heap of a busy time back to the system once requests pause. The runtime would keep
// it for minutes; what a quiet community holds decides how many fit on a machine.
type memoryTrimmer struct {
	served atomic.Int64
	// busy tells that garbage may gather.
	busy atomic.Bool
}

// count notes requests.
func (t *memoryTrimmer) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.served.Add(1)
		if !t.busy.Load() && t.busy.CompareAndSwap(false, true) {
			allowGarbage(busyGarbage)
		}
		next.ServeHTTP(w, r)
	})
}

// run trims until the context ends: first what the start has left behind, then after each busy time.
func (t *memoryTrimmer) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var seen int64
	quiet := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		served := t.served.Load()
		if quiet++; served != seen {
			quiet, seen = 0, served
		}
		if quiet == quietLooks {
			allowGarbage(quietGarbage)
			t.busy.Store(false)
			// Twice: what is kept for the next request is let go by the second time.
			runtime.GC()
			debug.FreeOSMemory()
		}
		if quiet >= quietLooks {
			// Each time anew: what runs in the background needs little of the program, but much of it in the course of time.
			// Without it more stays resident, and nothing else.
			_ = releaseProgram()
		}
	}
}
