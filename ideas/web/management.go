package web

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// ManagementConfig is what the probes look at.
type ManagementConfig struct {
	// Database is the state of the connection.
	Database func() control.Database
	// Declared tells whether settings are in force.
	Declared func() bool
	// Stopping tells whether the service is going down, so that no new requests should come.
	Stopping func() bool
	// Metrics serves the metrics.
	Metrics http.Handler
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready bool `json:"ready"`
	// Missing says what the service waits for, each with its reason.
	Missing []string `json:"missing,omitempty"`
}

const (
	// mostWait bounds how long a prober may have its answer held back.
	mostWait = 10 * time.Second
	// lookEvery is the pause between looks at what a held answer waits for.
	lookEvery = 20 * time.Millisecond
)

// NewManagement makes the handler of /livez, /readyz and /metrics, for a port of its own.
//
// /readyz?wait=1s holds the answer of a service that is starting back until it is ready, for that long at most: a
// prober that looks every second would else learn of it up to a second late. Afterwards it is answered at once, so
// that a service that is not ready any more is found out without delay.
func NewManagement(cfg ManagementConfig) http.Handler {
	var started atomic.Bool
	mux := http.NewServeMux()
	// A process that answers is alive. A database that is away is no reason to restart it.
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answer := cfg.readiness()
		if wait, err := time.ParseDuration(r.URL.Query().Get("wait")); err == nil && !started.Load() {
			answer = cfg.awaitReady(r, min(wait, mostWait))
		}
		if answer.Ready {
			started.Store(true)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !answer.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(answer) // the prober may have gone
	})
	if cfg.Metrics != nil {
		mux.Handle("GET /metrics", cfg.Metrics)
	}
	return mux
}

// awaitReady returns once the service is ready or stops, the prober has gone, or the time is over.
func (cfg ManagementConfig) awaitReady(r *http.Request, wait time.Duration) readiness {
	over := time.After(wait)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		answer := cfg.readiness()
		if answer.Ready || cfg.Stopping() {
			return answer
		}
		select {
		case <-r.Context().Done():
			return answer
		case <-over:
			return answer
		case <-look.C:
		}
	}
}

func (cfg ManagementConfig) readiness() readiness {
	var missing []string
	if cfg.Stopping() {
		missing = append(missing, "the service is stopping")
	}
	if database := cfg.Database(); !database.Ready {
		missing = append(missing, "the database is not ready: "+database.Reason+": "+database.Message)
	}
	if !cfg.Declared() {
		missing = append(missing, "no declaration of the community is in force yet")
	}
	return readiness{Ready: len(missing) == 0, Missing: missing}
}
