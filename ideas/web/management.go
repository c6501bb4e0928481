package web

import (
	"encoding/json"
	"net/http"

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

// NewManagement makes the handler of /livez, /readyz and /metrics, for a port of its own.
func NewManagement(cfg ManagementConfig) http.Handler {
	mux := http.NewServeMux()
	// A process that answers is alive. A database that is away is no reason to restart it.
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		answer := cfg.readiness()
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
