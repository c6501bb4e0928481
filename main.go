// Command community-operator runs the operator: it wires flags, manager and controllers, nothing else.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/controllers/challenge"
	"github.com/quaeso/community-operator/controllers/community"
	"github.com/quaeso/community-operator/controllers/communityclass"
	"github.com/quaeso/community-operator/controllers/rewardpolicy"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
	"github.com/quaeso/community-operator/internal/postgres"
	"github.com/quaeso/community-operator/internal/statusmetrics"
)

// version is set by the linker.
var version = "dev"

// options are the operator's flags.
type options struct {
	leaderElect        bool
	watchNamespaces    string
	metricsAddress     string
	probeAddress       string
	operatorNamespace  string
	logLevel           string
	maxConcurrent      int
	controlDialAddress string
	pprofAddress       string
	showVersion        bool
}

func parseFlags() options {
	var o options
	flag.BoolVar(&o.leaderElect, "leader-elect", false, "let one of several operators work at a time")
	flag.StringVar(&o.watchNamespaces, "watch-namespaces", "", "namespaces to work in, separated by commas; all when empty")
	flag.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "address of the metrics, served with TLS to authorised clients; 0 for none")
	flag.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	flag.StringVar(&o.operatorNamespace, "operator-namespace", os.Getenv("POD_NAMESPACE"), "namespace of the operator, and of the Secrets that classes name")
	flag.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	flag.IntVar(&o.maxConcurrent, "max-concurrent-reconciles", 50, "communities worked on at the same time; most of them wait for answers")
	flag.StringVar(&o.controlDialAddress, "control-dial-address", "", "host:port that every control call goes to instead of the community's Service; for benchmarks")
	flag.StringVar(&o.pprofAddress, "pprof-bind-address", "", "host:port of Go's profiles, which are not protected; none when empty")
	flag.BoolVar(&o.showVersion, "version", false, "print the version and exit")
	flag.Parse()
	return o
}

func main() {
	o := parseFlags()
	if o.showVersion {
		fmt.Println(version)
		return
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "community-operator:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return fmt.Errorf("--log-level must be debug, info, warn or error: %w", err)
	}
	if o.operatorNamespace == "" {
		return fmt.Errorf("--operator-namespace (or POD_NAMESPACE) must name the operator's namespace")
	}
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	limitGarbage()
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	// The API server's own flow control knows better than a limit in the client.
	cfg.QPS = -1
	scheme := newScheme()
	namespaces := watchedNamespaces(o.watchNamespaces)
	mgr, err := ctrl.NewManager(cfg, managerOptions(o, scheme, namespaces))
	if err != nil {
		return fmt.Errorf("make the manager: %w", err)
	}
	if err := setup(mgr, cfg, o, namespaces); err != nil {
		return err
	}
	ctrl.Log.Info("starting", "version", version, "watchNamespaces", o.watchNamespaces)
	return mgr.Start(ctrl.SetupSignalHandler())
}

// limitGarbage has garbage collected when the heap has grown by 30 %, not by 100 %, unless GOGC says otherwise.
// Nearly all of the heap is the cache, which changes little, so that this costs little time and saves a third of
// the memory.
func limitGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(30)
	}
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1alpha1.AddToScheme, gatewayv1.Install, cnpg.AddToScheme, certmanager.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	return scheme
}

func watchedNamespaces(list string) []string {
	var out []string
	for _, n := range strings.Split(list, ",") {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

func managerOptions(o options, scheme *runtime.Scheme, namespaces []string) manager.Options {
	return manager.Options{
		Scheme: scheme,
		Cache:  community.CacheOptions(namespaces),
		Client: community.ClientOptions(),
		Metrics: metricsserver.Options{
			BindAddress: o.metricsAddress, SecureServing: true, FilterProvider: filters.WithAuthenticationAndAuthorization,
		},
		HealthProbeBindAddress:        o.probeAddress,
		PprofBindAddress:              o.pprofAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              "community-operator.cocreation.quaeso.io",
		LeaderElectionNamespace:       o.operatorNamespace,
		LeaderElectionReleaseOnCancel: true,
		Controller:                    config.Controller{ReconciliationTimeout: 2 * time.Minute},
		GracefulShutdownTimeout:       ptr.To(20 * time.Second),
	}
}

func setup(mgr manager.Manager, cfg *rest.Config, o options, namespaces []string) error {
	versions, err := community.NewVersions(cfg, mgr, namespaces, o.operatorNamespace)
	if err != nil {
		return err
	}
	clientset, err := kubernetes.NewForConfigAndClient(cfg, mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("make the client for logs: %w", err)
	}
	controlClient := control.NewClient(o.controlDialAddress)
	finder := &ideaservice.Finder{Applier: &apply.Applier{Client: mgr.GetClient(), Live: mgr.GetAPIReader()}}
	programmes := ideaservice.NewProgrammes(finder, controlClient, 0)
	if err := mgr.Add(programmes); err != nil {
		return fmt.Errorf("add the programmes: %w", err)
	}
	communities := &community.Reconciler{
		Client:            mgr.GetClient(),
		Live:              mgr.GetAPIReader(),
		Versions:          versions,
		Logs:              clientset,
		Events:            mgr.GetEventRecorder("community-operator"),
		Control:           controlClient,
		Programmes:        programmes,
		Databases:         &postgres.Server{},
		OperatorNamespace: o.operatorNamespace,
		Clock:             clock.RealClock{},
	}
	if err := communities.SetupWithManager(mgr, versions, o.maxConcurrent); err != nil {
		return err
	}
	if err := (&communityclass.Reconciler{Client: mgr.GetClient()}).SetupWithManager(mgr); err != nil {
		return fmt.Errorf("set up the CommunityClass controller: %w", err)
	}
	converger := &ideaservice.Converger{Client: mgr.GetClient(), Finder: finder, Programmes: programmes}
	if err := setupProgramme(mgr, controlClient, converger, o.maxConcurrent); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add the readiness check: %w", err)
	}
	return nil
}

// setupProgramme adds the controllers of what a brand declares inside a community.
func setupProgramme(mgr manager.Manager, controlClient *control.Client, converger *ideaservice.Converger, maxConcurrent int) error {
	challenges := &challenge.Reconciler{
		Client: mgr.GetClient(), Events: mgr.GetEventRecorder("community-operator"), Control: controlClient,
		Converger: converger, Clock: clock.RealClock{},
	}
	if err := challenges.SetupWithManager(mgr, maxConcurrent); err != nil {
		return err
	}
	policies := &rewardpolicy.Reconciler{
		Client: mgr.GetClient(), Events: mgr.GetEventRecorder("community-operator"), Control: controlClient,
		Converger: converger, Clock: clock.RealClock{},
	}
	if err := policies.SetupWithManager(mgr, maxConcurrent); err != nil {
		return err
	}
	source := statusmetrics.Source{Reader: mgr.GetClient(), Elected: mgr.Elected()}
	for _, collector := range []prometheus.Collector{community.Metrics(source), challenge.Metrics(source), rewardpolicy.Metrics(source)} {
		if err := metrics.Registry.Register(collector); err != nil {
			return fmt.Errorf("register the metrics of the programme: %w", err)
		}
	}
	return nil
}
