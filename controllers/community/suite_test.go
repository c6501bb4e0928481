package community_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/certmanager"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// parallel tests wait for each other's intervals, not for a processor, so many may run at a time.
const parallel = 24

// logs holds what every operator of this process logged.
var logs lockedBuffer

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	logger := logr.FromSlogHandler(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	code := m.Run()
	if path := os.Getenv("OPERATOR_LOG"); path != "" {
		if err := os.WriteFile(filepath.Clean(path), logs.Bytes(), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	// Only now has everything been said that could give a secret away.
	if leaks := findLeaks(); len(leaks) > 0 {
		for _, leak := range leaks {
			fmt.Fprintln(os.Stderr, "--- FAIL: a secret was given away:", leak)
		}
		code = max(code, 1)
	}
	os.Exit(code)
}

// lockedBuffer may be written by several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// Bytes returns a copy of what was written so far.
func (b *lockedBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buf.Bytes())
}

// scheme is that of the operator.
var scheme = func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1alpha1.AddToScheme, gatewayv1.Install, cnpg.AddToScheme, certmanager.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	return scheme
}()

// platform is an API server with everything around it that tests share: the simulated nodes and controllers of
// a cluster, an operator's account with the rights that are generated from the markers, and what was seen.
type platform struct {
	server  *kubeapi.Server
	client  client.WithWatch
	account *rest.Config
	cluster *cluster
}

// shared is the platform that tests share.
var shared = sync.OnceValues(func() (*platform, error) { return newPlatform(kubeapi.Options{APIServer: addresses}) })

// bare is the platform of tests that need a whole cluster for themselves. CloudNativePG is not installed.
var bare = sync.OnceValues(func() (*platform, error) {
	return newPlatform(kubeapi.Options{APIServer: addresses, Without: []kubeapi.API{kubeapi.CloudNativePG}})
})

// addresses of Services: the usual range of envtest is too small for all tests.
var addresses = map[string]string{"service-cluster-ip-range": "10.96.0.0/16"}

func newPlatform(options kubeapi.Options) (*platform, error) {
	server, err := kubeapi.Run(options)
	if err != nil {
		return nil, err
	}
	p := &platform{server: server}
	if p.client, err = client.NewWithWatch(server.Config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if p.account, err = server.OperatorAccount(); err != nil {
		return nil, err
	}
	if p.cluster, err = startCluster(server.Config); err != nil {
		return nil, err
	}
	return p, watchForSecrets(p.client)
}

// eventually waits until a check passes.
func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	if err := poll(t.Context(), 90*time.Second, check); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// poll repeats a check until it passes or the time is over; then it returns the check's last error.
func poll(ctx context.Context, limit time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
