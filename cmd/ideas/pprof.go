//go:build pprof

package main

import (
	"log/slog"
	"net/http"
	_ "net/http/pprof" //nolint:gosec // in no image: only a build for profiling has it
	"os"
)

// A build with the tag pprof serves profiles where PPROF_LISTEN says.
func init() {
	if address := os.Getenv("PPROF_LISTEN"); address != "" {
		go func() { slog.Error("no profiles", "error", http.ListenAndServe(address, nil)) }() //nolint:gosec // for measurements only
	}
}
