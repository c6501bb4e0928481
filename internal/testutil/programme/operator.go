package programme

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/quaeso/community-operator/controllers/challenge"
	"github.com/quaeso/community-operator/controllers/community"
	"github.com/quaeso/community-operator/controllers/rewardpolicy"
	"github.com/quaeso/community-operator/internal/apply"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// interval is how often an operator under test looks at programmes.
const interval = time.Second

// Operator is one process of the operator under test, with the controllers of the programme.
type Operator struct {
	// Life counts what it changes.
	Life *Life
	// Manager runs its controllers.
	Manager manager.Manager
	Stop    func()
}

// Start starts an operator in the world's namespace, with the rights that are generated from the markers. After dieAfter
// changes, of API objects or in idea services, no call of it gets through any more, and the answer to the last one in an
// idea service is lost; 0 lets it live. It ends with the test, or earlier by Stop.
func (w *World) Start(dieAfter int) *Operator {
	w.Helper()
	life := &Life{dieAfter: dieAfter, dead: make(chan struct{}), last: time.Now()}
	cfg := rest.CopyConfig(w.platform.account)
	cfg.QPS = -1
	cfg.Wrap(life.wrap)
	mgr, err := ctrl.NewManager(cfg, manager.Options{
		Scheme: kubeapi.Scheme(), Cache: community.CacheOptions([]string{w.Namespace}), Client: community.ClientOptions(),
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		Controller:              config.Controller{ReconciliationTimeout: 2 * time.Minute, SkipNameValidation: ptr.To(true)},
		GracefulShutdownTimeout: ptr.To(20 * time.Second),
	})
	if err != nil {
		w.Fatalf("make the manager: %v", err)
	}
	front := httptest.NewServer(life.front(w.platform.ports))
	w.Cleanup(front.Close)
	if err := setUp(mgr, control.NewClient(strings.TrimPrefix(front.URL, "http://"))); err != nil {
		w.Fatal(err)
	}
	return w.run(mgr, life)
}

// setUp wires an operator as main does it.
func setUp(mgr manager.Manager, client *control.Client) error {
	finder := &ideaservice.Finder{Applier: &apply.Applier{Client: mgr.GetClient(), Live: mgr.GetAPIReader()}}
	programmes := ideaservice.NewProgrammes(finder, client, interval)
	converger := &ideaservice.Converger{Client: mgr.GetClient(), Finder: finder, Programmes: programmes}
	challenges := &challenge.Reconciler{
		Client: mgr.GetClient(), Events: mgr.GetEventRecorder("community-operator"), Control: client, Converger: converger, Clock: clock.RealClock{},
	}
	policies := &rewardpolicy.Reconciler{
		Client: mgr.GetClient(), Events: mgr.GetEventRecorder("community-operator"), Control: client, Converger: converger, Clock: clock.RealClock{},
	}
	return errors.Join(mgr.Add(programmes), challenges.SetupWithManager(mgr, 10), policies.SetupWithManager(mgr, 10))
}

func (w *World) run(mgr manager.Manager, life *Life) *Operator {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	o := &Operator{Life: life, Manager: mgr}
	o.Stop = sync.OnceFunc(func() {
		cancel()
		// One whose requests fail cannot end gracefully, which is no fault of its own.
		if err := <-ended; err != nil && !life.IsDead() {
			w.Errorf("the operator ended with: %v", err)
		}
	})
	w.Cleanup(o.Stop)
	return o
}

// Life records what an operator changes and can end between any two changes.
type Life struct {
	dieAfter int
	dead     chan struct{}

	mu      sync.Mutex
	changes []string
	last    time.Time
}

var errDead = errors.New("the operator under test is dead")

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// wrap cuts requests to the API server when the operator is dead.
func (l *Life) wrap(next http.RoundTripper) http.RoundTripper {
	return transport(func(req *http.Request) (*http.Response, error) {
		if l.IsDead() {
			return nil, errDead
		}
		response, err := next.RoundTrip(req)
		if req.Method != http.MethodGet && !strings.Contains(req.URL.Path, "/events") {
			l.record(req)
		}
		return response, err
	})
}

// front stands before the control ports.
func (l *Life) front(ports http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case l.IsDead():
			HangUp(w, r)
		case r.Method == http.MethodPut || r.Method == http.MethodDelete:
			answer := httptest.NewRecorder()
			ports.ServeHTTP(answer, r)
			if answer.Code == http.StatusBadGateway || l.record(r) {
				HangUp(w, r)
				return
			}
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		default:
			ports.ServeHTTP(w, r)
		}
	})
}

// record notes a change, and tells whether it was the last one.
func (l *Life) record(req *http.Request) (died bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = time.Now()
	l.changes = append(l.changes, req.Method+" "+req.URL.Path)
	if len(l.changes) == l.dieAfter {
		close(l.dead)
		return true
	}
	return false
}

// IsDead tells whether no call gets through any more.
func (l *Life) IsDead() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

// Changes returns the changes so far.
func (l *Life) Changes() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.changes...)
}

// QuietFor returns for how long nothing has been changed.
func (l *Life) QuietFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.last)
}

// Settle waits until nothing was changed for a while.
func (l *Life) Settle(w *World) {
	w.Helper()
	const quiet = 3 * time.Second
	w.Eventually("the operator should come to rest", func() error {
		if since := l.QuietFor(); since < quiet {
			return fmt.Errorf("it changed something %s ago", since)
		}
		return nil
	})
}

// WaitEnd waits until the operator is dead, or has nothing more to change.
func (l *Life) WaitEnd(w *World) {
	w.Helper()
	w.Eventually("the operator should die", func() error {
		if l.IsDead() || l.QuietFor() > 4*time.Second && len(l.Changes()) > 0 {
			return nil
		}
		return fmt.Errorf("it lives, and has changed %q", l.Changes())
	})
}
