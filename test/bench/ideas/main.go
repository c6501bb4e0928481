// Command ideas measures the idea service: the real program as a process of its own, against a real PostgreSQL
// that holds a large community, everything on the same processors.
//
// docs/benchmarks.md says what is measured and what is required.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/quaeso/community-operator/test/bench/report"
)

// What is required.
const (
	mostIdle      = 25.0  // MiB
	mostBusy      = 120.0 // MiB
	longestStart  = 100.0 // ms
	longestMedian = 30.0  // ms
	longestP99    = 100.0 // ms
	leastRatio    = 0.5   // of the rate of pgbench
	// mostBlocks bounds what one statement of a page touches, in blocks of 8 KiB: the votes alone fill ten times as many.
	// A search looks at the ideas that it finds, however few have votes.
	mostBlocks       = 1000.0
	mostSearchBlocks = 4000.0
)

// options are the program's flags.
type options struct {
	program    string
	only       string
	readers    int
	duration   time.Duration
	rounds     int
	profiles   string
	log        string
	serverLog  string
	reportOnly bool
	hold       bool
	data       string
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.program, "ideas", "", "the idea service's program")
	flag.StringVar(&o.only, "only", "start,idle,read,vote,crowd", "what to measure, separated by commas")
	flag.IntVar(&o.readers, "readers", 50, "readers at once, and voters")
	flag.DurationVar(&o.duration, "duration", 6*time.Second, "how long each page, and each round of votes, is asked for")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of votes, each by pgbench and through HTTP")
	flag.StringVar(&o.profiles, "profiles", "", "folder for processor profiles of the service, whose program must be built with the tag pprof")
	flag.StringVar(&o.log, "ideas-log", os.DevNull, "file for the service's log")
	flag.StringVar(&o.serverLog, "statements", "", "file for the cost of every statement of every page")
	flag.BoolVar(&o.reportOnly, "report-only", false, "end well although a requirement is missed")
	flag.BoolVar(&o.hold, "hold", false, "afterwards keep database and service running until an interrupt, to look into them")
	flag.StringVar(&o.data, "data", "", "folder with a loaded database of an earlier schema, for a quick look: the service migrates it")
	flag.Parse()
	return o
}

var errMissed = errors.New("a requirement is missed")

func main() {
	o := parseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-ideas:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.program == "" {
		return errors.New("--ideas must name the idea service's program")
	}
	parts := strings.FieldsFunc(o.only, func(r rune) bool { return r == ',' })
	measures := map[string]func(context.Context) error{}
	b := &bench{options: o, report: &report.Report{}}
	for name, measure := range map[string]func(context.Context) error{
		"start": b.measureStart, "idle": b.measureIdle, "read": b.measureReading, "vote": b.measureVotes, "crowd": b.measureCrowd,
	} {
		measures[name] = measure
	}
	for _, part := range parts {
		if measures[part] == nil {
			return fmt.Errorf("--only: %q is not one of start, idle, read, vote and crowd", part)
		}
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer b.end()
	// In this order, whatever the flag's: the memory after the others' load counts too.
	for _, part := range []string{"start", "idle", "read", "vote", "crowd"} {
		if !slices.Contains(parts, part) {
			continue
		}
		if err := measures[part](ctx); err != nil {
			return err
		}
	}
	if err := b.reportMemory(); err != nil {
		return err
	}
	if err := b.reportQuietness(); err != nil {
		return err
	}
	fmt.Println()
	if err := b.report.Print(os.Stdout); err != nil {
		return err
	}
	if o.hold {
		if err := b.hold(ctx); err != nil {
			return err
		}
	}
	if b.report.Missed() && !o.reportOnly {
		return errMissed
	}
	return nil
}

// cacheFolder is where the loaded database is kept from run to run.
func cacheFolder() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache: %w", err)
	}
	folder := filepath.Join(base, "community-operator", "bench-ideas")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("make the cache: %w", err)
	}
	return folder, nil
}

// progress tells on standard error what the benchmark does; the report alone goes to standard output.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
