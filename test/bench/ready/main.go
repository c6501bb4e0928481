// Command ready measures, on a real cluster with the operator installed, how long it takes from applying a
// Community until it is Ready, against what a database of the same kind needs by itself until it takes a
// connection: the same objects, without operator and idea service.
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
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/clientcmd"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/test/bench/report"
)

// maxRatio of the times with and without everything around the database.
const maxRatio = 1.3

// options are the program's flags.
type options struct {
	kinds             string
	runs              int
	challenges        int
	ideasImage        string
	postgresImage     string
	operatorNamespace string
	gateway           string
	timeout           time.Duration
	reportOnly        bool
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.kinds, "kinds", "standalone,cloudNativePG,shared", "database kinds to measure, separated by commas")
	flag.IntVar(&o.runs, "runs", 5, "runs of each side, alternating")
	flag.IntVar(&o.challenges, "challenges", 0, "measure how soon so many Challenges are visible, and nothing else")
	flag.StringVar(&o.ideasImage, "ideas-image", "", "image of the idea service")
	flag.StringVar(&o.postgresImage, "postgres-image", "", "image of standalone databases")
	flag.StringVar(&o.operatorNamespace, "operator-namespace", "community-system", "namespace of the operator")
	flag.StringVar(&o.gateway, "gateway", "traefik/traefik", "Gateway that routes, as namespace/name")
	flag.DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long one run may take")
	flag.BoolVar(&o.reportOnly, "report-only", false, "end well although a requirement is missed")
	flag.Parse()
	return o
}

var errMissed = errors.New("a requirement is missed")

func main() {
	o := parseFlags()
	ctrllog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-ready:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.ideasImage == "" || o.postgresImage == "" {
		return errors.New("--ideas-image and --postgres-image must name images that the cluster has or can pull")
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	b, err := newBench(config, o)
	if err != nil {
		return err
	}
	// What was made goes, also after an interrupt.
	defer b.sweep(context.WithoutCancel(ctx))
	r := &report.Report{}
	if o.challenges > 0 {
		o.kinds = ""
		if err := b.measureChallenges(ctx, r); err != nil {
			return err
		}
	}
	for name := range strings.FieldsFuncSeq(o.kinds, func(c rune) bool { return c == ',' }) {
		kind := v1alpha1.DatabaseKind(name)
		if !slices.Contains([]v1alpha1.DatabaseKind{v1alpha1.DatabaseStandalone, v1alpha1.DatabaseCloudNativePG, v1alpha1.DatabaseShared}, kind) {
			return fmt.Errorf("--kinds: %q is not one of standalone, cloudNativePG and shared", name)
		}
		if err := b.measure(ctx, r, kind); err != nil {
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
