package communityclass_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/controllers/community"
	"github.com/quaeso/community-operator/controllers/communityclass"
	"github.com/quaeso/community-operator/internal/testutil"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// Classes belong to a whole cluster, so the tests of this package come one after the other.

// world is the cluster with an operator at work.
type world struct {
	t         *testing.T
	api       *kubeapi.Server
	namespace string

	mu     sync.Mutex
	writes []string
	last   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	w := &world{t: t, api: kubeapi.Shared(t)}
	w.namespace = w.api.Namespace(t)
	return w
}

// account has the rights that are generated from the markers, and no others.
func (w *world) account() *rest.Config {
	w.t.Helper()
	root, err := kubeapi.Root()
	if err != nil {
		w.t.Fatal(err)
	}
	objects, err := kubeapi.ReadObjects(filepath.Join(root, "config", "rbac"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range objects {
		if o.GetKind() == "ClusterRole" && o.GetName() == "community-operator" {
			if err := w.api.Client.Create(w.t.Context(), o); err != nil && !apierrors.IsAlreadyExists(err) {
				w.t.Fatal(err)
			}
		}
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "operator-under-test"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "community-operator"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "operators-under-test"}},
	}
	if err := w.api.Client.Create(w.t.Context(), binding); err != nil && !apierrors.IsAlreadyExists(err) {
		w.t.Fatal(err)
	}
	return w.api.User(w.t, "operator", "operators-under-test")
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// startOperator starts the class controller with the options of main.
func (w *world) startOperator() (stop func()) {
	w.t.Helper()
	w.mu.Lock()
	w.last = time.Now()
	w.mu.Unlock()
	cfg := w.account()
	cfg.QPS = -1
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return transport(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet {
				w.mu.Lock()
				w.writes, w.last = append(w.writes, r.Method+" "+r.URL.Path), time.Now()
				w.mu.Unlock()
			}
			return next.RoundTrip(r)
		})
	})
	mgr, err := ctrl.NewManager(cfg, manager.Options{
		Scheme: kubeapi.Scheme(), Cache: community.CacheOptions(nil), Client: community.ClientOptions(),
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := (&communityclass.Reconciler{Client: mgr.GetClient()}).SetupWithManager(mgr); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("the operator ended with: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return stop
}

func (w *world) written() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.writes)
}

// settle waits until nothing was written for longer than the operator gathers changes.
func (w *world) settle() {
	w.t.Helper()
	w.eventually("the operator should come to rest", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if since := time.Since(w.last); since < 5*time.Second {
			return fmt.Errorf("it wrote %s ago", since)
		}
		return nil
	})
}

func (w *world) eventually(what string, check func() error) {
	w.t.Helper()
	limit, tick := time.After(90*time.Second), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-limit:
			w.t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}

// class makes a class, which goes with the test.
func (w *world) class(name string, changes ...func(*v1alpha1.CommunityClass)) *v1alpha1.CommunityClass {
	w.t.Helper()
	c := testutil.CommunityClass(name, func(c *v1alpha1.CommunityClass) { c.UID = "" })
	for _, change := range changes {
		change(c)
	}
	if err := w.api.Client.Create(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		w.change(c, func() { c.Finalizers = nil })
		_ = w.api.Client.Delete(context.Background(), c)
	})
	return c
}

// community makes a Community, which goes with the test.
func (w *world) community(name, class string) *v1alpha1.Community {
	w.t.Helper()
	c := testutil.Community(name, func(c *v1alpha1.Community) { c.UID, c.Namespace, c.Spec.ClassName = "", w.namespace, class })
	if err := w.api.Client.Create(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.api.Client.Delete(context.Background(), c) })
	return c
}

// change changes an object, if it is still there.
func (w *world) change(o client.Object, how func()) {
	w.t.Helper()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if err := w.api.Client.Get(context.Background(), client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		how()
		return w.api.Client.Update(context.Background(), o)
	})
	if client.IgnoreNotFound(err) != nil {
		w.t.Fatal(err)
	}
}

func (w *world) delete(o client.Object) {
	w.t.Helper()
	if err := w.api.Client.Delete(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

// wait waits until a class counts so many communities and is Ready or not, for a reason.
func (w *world) wait(c *v1alpha1.CommunityClass, communities int32, ready metav1.ConditionStatus, reason string, words ...string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("class %s should count %d and be Ready %s (%s)", c.Name, communities, ready, reason), func() error {
		if err := w.api.Client.Get(context.Background(), client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		have := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
		if have == nil || have.Status != ready || have.Reason != reason || c.Status.Communities != communities || c.Status.ObservedGeneration != c.Generation {
			return fmt.Errorf("its status is %+v", c.Status)
		}
		for _, word := range words {
			if !strings.Contains(have.Message, word) {
				return fmt.Errorf("the message %q lacks %q", have.Message, word)
			}
		}
		return nil
	})
}

func (w *world) waitGone(o client.Object) {
	w.t.Helper()
	w.eventually(o.GetName()+" should go", func() error {
		err := w.api.Client.Get(context.Background(), client.ObjectKeyFromObject(o), o)
		if err == nil {
			return errors.New("it is still there")
		}
		return client.IgnoreNotFound(err)
	})
}

func (w *world) kstatus(c *v1alpha1.CommunityClass) status.Status {
	w.t.Helper()
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c)
	if err != nil {
		w.t.Fatal(err)
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: raw})
	if err != nil {
		w.t.Fatal(err)
	}
	return result.Status
}

// Many communities are counted with few writes, and then with none.
func TestCountsManyCommunities(t *testing.T) {
	w := newWorld(t)
	stop := w.startOperator()
	c := w.class("many")
	w.wait(c, 0, metav1.ConditionTrue, v1alpha1.ReasonReady)
	if got := w.kstatus(c); got != status.CurrentStatus {
		t.Errorf("kstatus is %s", got)
	}
	for i := range 50 {
		w.community(fmt.Sprintf("brand%d", i), "many")
	}
	w.wait(c, 50, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.settle()
	if writes := w.written(); len(writes) > 8 {
		t.Errorf("50 communities took %d writes: %q", len(writes), writes)
	}
	before := w.written()
	metav1.SetMetaDataAnnotation(&c.ObjectMeta, "note", "x")
	w.change(c, func() { metav1.SetMetaDataAnnotation(&c.ObjectMeta, "note", "y") })
	stop()
	w.startOperator()
	w.settle()
	if diff := cmp.Diff(before, w.written()); diff != "" {
		t.Errorf("a restart writes (-want +got):\n%s", diff)
	}
}

// A class stays while communities use it, says so, and goes by itself with the last one.
func TestClassInUseStays(t *testing.T) {
	w := newWorld(t)
	w.startOperator()
	c := w.class("used")
	var users []*v1alpha1.Community
	for i := range 7 {
		users = append(users, w.community(fmt.Sprintf("user%d", i), "used"))
	}
	w.wait(c, 7, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.delete(c)
	w.wait(c, 7, metav1.ConditionFalse, v1alpha1.ReasonInUse, w.namespace+"/user0", "and 2 more")
	if !meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionStalled) {
		t.Error("nobody is told to act")
	}
	if got := w.kstatus(c); got != status.TerminatingStatus {
		t.Errorf("kstatus is %s", got)
	}
	for _, user := range users[:6] {
		w.delete(user)
	}
	w.wait(c, 1, metav1.ConditionFalse, v1alpha1.ReasonInUse, w.namespace+"/user6")
	other := w.class("other")
	w.change(users[6], func() { users[6].Spec.ClassName = "other" })
	w.waitGone(c)
	w.wait(other, 1, metav1.ConditionTrue, v1alpha1.ReasonReady)
}

// A class that nobody uses goes at once.
func TestUnusedClassGoes(t *testing.T) {
	w := newWorld(t)
	w.startOperator()
	c := w.class("unused")
	w.wait(c, 0, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.delete(c)
	w.waitGone(c)
}

// Communities that name no class use the one that they were resolved to, also when that is the default no more.
func TestResolvedCommunitiesCount(t *testing.T) {
	w := newWorld(t)
	w.startOperator()
	c := w.class("default", func(c *v1alpha1.CommunityClass) { c.Spec.Default = true })
	user := w.community("user", "")
	user.Status.Resolved = &v1alpha1.ResolvedSettings{ClassName: "default"}
	if err := w.api.Client.Status().Update(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	w.wait(c, 1, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.change(c, func() { c.Spec.Default = false })
	w.delete(c)
	w.wait(c, 1, metav1.ConditionFalse, v1alpha1.ReasonInUse, "/user")
	// It runs on the old class until it was resolved anew.
	w.change(user, func() { user.Spec.ClassName = "elsewhere" })
	w.settle()
	w.wait(c, 1, metav1.ConditionFalse, v1alpha1.ReasonInUse, "/user")
	user.Status.Resolved.ClassName = "elsewhere"
	if err := w.api.Client.Status().Update(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	w.waitGone(c)
}

// Two default classes are a mistake of both, until one mark is gone.
func TestSeveralDefaults(t *testing.T) {
	w := newWorld(t)
	w.startOperator()
	isDefault := func(c *v1alpha1.CommunityClass) { c.Spec.Default = true }
	first, second, third := w.class("first", isDefault), w.class("second"), w.class("third")
	for _, c := range []*v1alpha1.CommunityClass{first, second, third} {
		w.wait(c, 0, metav1.ConditionTrue, v1alpha1.ReasonReady)
	}
	w.change(second, func() { second.Spec.Default = true })
	w.wait(first, 0, metav1.ConditionFalse, v1alpha1.ReasonSeveralDefaultClasses, "first, second")
	w.wait(second, 0, metav1.ConditionFalse, v1alpha1.ReasonSeveralDefaultClasses, "leave one mark")
	w.wait(third, 0, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.change(first, func() { first.Spec.Default = false })
	w.wait(first, 0, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.wait(second, 0, metav1.ConditionTrue, v1alpha1.ReasonReady)
	// A class that is deleted is no default any more.
	w.change(third, func() { third.Spec.Default = true })
	w.wait(second, 0, metav1.ConditionFalse, v1alpha1.ReasonSeveralDefaultClasses)
	w.delete(third)
	w.wait(second, 0, metav1.ConditionTrue, v1alpha1.ReasonReady)
}

// A finalizer of somebody else is left alone.
func TestForeignFinalizer(t *testing.T) {
	w := newWorld(t)
	w.startOperator()
	c := w.class("shared", func(c *v1alpha1.CommunityClass) { c.Finalizers = []string{"example.com/audit"} })
	w.wait(c, 0, metav1.ConditionTrue, v1alpha1.ReasonReady)
	if diff := cmp.Diff([]string{"example.com/audit", v1alpha1.FinalizerClass}, c.Finalizers); diff != "" {
		t.Errorf("finalizers (-want +got):\n%s", diff)
	}
	w.delete(c)
	w.eventually("our finalizer should go", func() error {
		err := w.api.Client.Get(context.Background(), client.ObjectKeyFromObject(c), c)
		if diff := cmp.Diff([]string{"example.com/audit"}, c.Finalizers); diff != "" {
			return errors.New(diff)
		}
		return err
	})
}
