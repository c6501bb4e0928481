// Command fleet measures the operator with many Communities: it starts a bare API server (etcd and
// kube-apiserver, no controllers, no nodes), runs the real operator beside it as a process of its own, plays
// the parts of nodes, volumes, Gateway and idea services, and counts what the operator asks of the API server.
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
	"runtime"
	"syscall"
	"time"

	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/go-logr/logr"

	"github.com/quaeso/community-operator/test/bench/report"
)

// options are the program's flags.
type options struct {
	operator     string
	operatorArgs string
	communities  int
	challenges   int
	timeout      time.Duration
	quiet        time.Duration
	secrets      int
	rounds       int
	others       int
	broken       int
	reportOnly   bool
	hold         bool
	profiles     string
	keepLogs     string
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.operator, "operator", "", "the operator's binary")
	flag.StringVar(&o.operatorArgs, "operator-args", "", "more flags of the operator, separated by spaces")
	flag.IntVar(&o.communities, "communities", 1000, "Communities of the fleet")
	flag.IntVar(&o.challenges, "challenges", 5, "Challenges of each Community; 0 leaves this part out")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long the fleet may take to be Ready before the benchmark gives up")
	flag.DurationVar(&o.quiet, "quiet", 5*time.Minute, "length of the window in which nothing may be written")
	flag.IntVar(&o.secrets, "secrets", 300, "foreign Secrets of 1 MB; 0 leaves this part out")
	flag.IntVar(&o.rounds, "rounds", 5, "pairs of rounds with and without broken Communities; 0 leaves this part out")
	flag.IntVar(&o.others, "others", 60, "healthy Communities in each round")
	flag.IntVar(&o.broken, "broken", 20, "broken Communities in each round that has them")
	flag.BoolVar(&o.reportOnly, "report-only", false, "end well although a requirement is missed")
	flag.BoolVar(&o.hold, "hold", false, "stop when all are Ready and leave everything running until an interrupt, to look around")
	flag.StringVar(&o.profiles, "profiles", "", "folder for CPU and heap profiles of the operator; the CPU profile costs some speed")
	flag.StringVar(&o.keepLogs, "operator-log", os.DevNull, "file for the operator's log")
	flag.Parse()
	return o
}

// The kernel kills the operator with the thread that started it, which must live as long as the program.
func init() { runtime.LockOSThread() }

var errMissed = errors.New("a requirement is missed")

func main() {
	o := parseFlags()
	ctrllog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-fleet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	r := &report.Report{}
	parts := []func(context.Context, *report.Report) error{
		b.measureStart, b.measureChallenges, b.measureQuiet, b.measureRestart, b.measureForeignSecrets, b.measureBroken,
	}
	if o.hold {
		parts = []func(context.Context, *report.Report) error{b.measureStart, b.measureChallenges, b.hold}
	}
	for _, part := range parts {
		if err := part(ctx, r); err != nil {
			return err
		}
	}
	fmt.Println()
	if err := r.Print(os.Stdout); err != nil {
		return err
	}
	if r.Missed() && !o.reportOnly {
		return errMissed
	}
	return nil
}

// progress tells on standard error what the benchmark does; the report alone goes to standard output.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
