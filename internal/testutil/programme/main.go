package programme

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// parallel tests wait for intervals, not for a processor, so many may run at a time.
const parallel = 12

// Main runs the tests of a package. OPERATOR_LOG names a file for what operators log.
func Main(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	log := io.Discard
	if path := os.Getenv("OPERATOR_LOG"); path != "" {
		file, err := os.Create(filepath.Clean(path))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		log = file
	}
	logger := logr.FromSlogHandler(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	os.Exit(m.Run())
}
