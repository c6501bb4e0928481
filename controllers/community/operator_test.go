package community_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/quaeso/community-operator/controllers/community"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

// operator is one process of the operator under test.
type operator struct {
	// api records what it asked of the API server.
	api  *recorder
	stop func()
}

// operatorOptions differ between tests.
type operatorOptions struct {
	// wholeCluster watches every namespace, as the operator does by default; else only the world's own.
	wholeCluster bool
	// namespaces watched beside the world's own.
	namespaces []string
	// dieAfter is the number of writes after which no request gets through any more; 0 for none.
	dieAfter int
	// databases stands for the shared and external servers; the world's own when nil.
	databases community.DatabaseServer
	// podLogs answers requests for the logs of pods; there are none when nil.
	podLogs kubernetes.Interface
}

// startOperator starts an operator wired as main does it. It ends with the test, or earlier by stop.
func (w *world) startOperator(options operatorOptions) *operator {
	w.t.Helper()
	api := &recorder{dieAfter: options.dieAfter, dead: make(chan struct{}), last: time.Now()}
	cfg := rest.CopyConfig(w.account)
	cfg.QPS = -1
	cfg.Wrap(api.wrap)
	var namespaces []string
	if !options.wholeCluster {
		namespaces = append([]string{w.namespace}, options.namespaces...)
	}
	mgr, err := ctrl.NewManager(cfg, manager.Options{
		Scheme:                  scheme,
		Cache:                   community.CacheOptions(namespaces),
		Client:                  community.ClientOptions(),
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		Controller:              config.Controller{ReconciliationTimeout: 2 * time.Minute, SkipNameValidation: ptr.To(true)},
		GracefulShutdownTimeout: ptr.To(20 * time.Second),
	})
	if err != nil {
		w.t.Fatalf("make the manager: %v", err)
	}
	if err := w.setUp(mgr, cfg, namespaces, options); err != nil {
		w.t.Fatal(err)
	}
	return w.run(mgr, api)
}

func (w *world) setUp(mgr manager.Manager, cfg *rest.Config, namespaces []string, options operatorOptions) error {
	versions, err := community.NewVersions(cfg, mgr, namespaces, w.operatorNamespace)
	if err != nil {
		return err
	}
	podLogs := options.podLogs
	if podLogs == nil {
		if podLogs, err = kubernetes.NewForConfigAndClient(cfg, mgr.GetHTTPClient()); err != nil {
			return fmt.Errorf("make the client for logs: %w", err)
		}
	}
	databases := options.databases
	if databases == nil {
		databases = w.databases
	}
	controlClient := control.NewClient(w.cluster.controlAddress)
	finder := &ideaservice.Finder{Applier: &apply.Applier{Client: mgr.GetClient(), Live: mgr.GetAPIReader()}}
	programmes := ideaservice.NewProgrammes(finder, controlClient, time.Second)
	if err := mgr.Add(programmes); err != nil {
		return fmt.Errorf("add the programmes: %w", err)
	}
	reconciler := &community.Reconciler{
		Client:            mgr.GetClient(),
		Live:              mgr.GetAPIReader(),
		Versions:          versions,
		Logs:              podLogs,
		Events:            mgr.GetEventRecorder("community-operator"),
		Control:           controlClient,
		Programmes:        programmes,
		Databases:         databases,
		OperatorNamespace: w.operatorNamespace,
		Clock:             clock.RealClock{},
	}
	return reconciler.SetupWithManager(mgr, versions, 10)
}

func (w *world) run(mgr manager.Manager, api *recorder) *operator {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	o := &operator{api: api}
	o.stop = sync.OnceFunc(func() {
		cancel()
		// One whose requests fail cannot end gracefully, which is no fault of its own.
		if err := <-ended; err != nil && !api.isDead() {
			w.t.Errorf("the operator ended with: %v", err)
		}
	})
	w.t.Cleanup(o.stop)
	return o
}

// request is one that an operator sent.
type request struct {
	method, path string
}

// recorder is a transport that records writes and can cut the connection after some of them.
type recorder struct {
	dieAfter int
	// dead is closed when no request gets through any more.
	dead chan struct{}

	mu     sync.Mutex
	writes []request
	events int
	last   time.Time
	// texts counts the readings of ConfigMaps.
	texts int
}

var errDead = errors.New("the operator under test is dead")

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func (r *recorder) wrap(next http.RoundTripper) http.RoundTripper {
	return transport(func(req *http.Request) (*http.Response, error) {
		if r.isDead() {
			return nil, errDead
		}
		if req.Method == http.MethodGet {
			if strings.Contains(req.URL.Path, "/configmaps/") {
				r.mu.Lock()
				r.texts++
				r.mu.Unlock()
			}
			return next.RoundTrip(req)
		}
		if strings.Contains(req.URL.Path, "/events") {
			r.mu.Lock()
			r.events, r.last = r.events+1, time.Now()
			r.mu.Unlock()
			return next.RoundTrip(req)
		}
		response, err := next.RoundTrip(req)
		r.record(req)
		return response, err
	})
}

// record notes a write, and lets the operator die after its last one.
func (r *recorder) record(req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = time.Now()
	r.writes = append(r.writes, request{method: req.Method, path: req.URL.Path})
	if len(r.writes) == r.dieAfter {
		close(r.dead)
	}
}

func (r *recorder) isDead() bool {
	select {
	case <-r.dead:
		return true
	default:
		return false
	}
}

// written returns the writes so far, and the number of events sent.
func (r *recorder) written() (writes []request, events int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.writes...), r.events
}

// settle waits until nothing was written for a while.
func (r *recorder) settle(t testing.TB) {
	t.Helper()
	const quiet = 3 * time.Second
	eventually(t, "the operator should come to rest", func() error {
		if since := r.quietFor(); since < quiet {
			return fmt.Errorf("it wrote %s ago", since)
		}
		return nil
	})
}

// quietFor returns for how long nothing has been written.
func (r *recorder) quietFor() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.last)
}

// silence checks that an operator writes nothing while something else goes on.
func (r *recorder) silence(t testing.TB, during func()) {
	t.Helper()
	before, eventsBefore := r.written()
	during()
	after, eventsAfter := r.written()
	for _, w := range after[len(before):] {
		t.Errorf("the operator wrote: %s %s", w.method, w.path)
	}
	if eventsAfter != eventsBefore {
		t.Errorf("the operator sent %d events", eventsAfter-eventsBefore)
	}
}

// ignoreMissing passes over objects that are gone.
func ignoreMissing(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// checkOrder checks that the first write of one kind came before the first of another.
func checkOrder(t testing.TB, o *operator, firstMethod, firstPath, thenMethod, thenPath string) {
	t.Helper()
	writes, _ := o.api.written()
	first, then := -1, -1
	for i, w := range writes {
		if w.method == firstMethod && strings.HasSuffix(w.path, firstPath) && first < 0 {
			first = i
		}
		if w.method == thenMethod && strings.HasSuffix(w.path, thenPath) && then < 0 {
			then = i
		}
	}
	if first < 0 || then < 0 || first > then {
		t.Errorf("%s %s came as write %d, %s %s as write %d", firstMethod, firstPath, first, thenMethod, thenPath, then)
	}
}
