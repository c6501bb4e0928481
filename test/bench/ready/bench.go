package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
	"github.com/quaeso/community-operator/test/bench/report"
)

const (
	// label marks what the benchmark made.
	label = "cocreation.quaeso.io/bench-ready"
	// communityName of every measured Community, and of the databases that stand alone.
	communityName = "measured"
	fieldOwner    = client.FieldOwner("bench-ready")
)

// bench measures on one cluster.
type bench struct {
	options options
	client  client.WithWatch
}

func newBench(config *rest.Config, o options) (*bench, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("make a scheme: %w", err)
		}
	}
	config.QPS = -1
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &bench{options: o, client: c}, nil
}

// measure compares both sides of one database kind. Runs alternate, and every other pair starts with the other
// side, so that a machine that becomes slower or faster touches both alike.
func (b *bench) measure(ctx context.Context, r *report.Report, kind v1alpha1.DatabaseKind) error {
	class := b.class(kind)
	if err := b.apply(ctx, class); err != nil {
		return err
	}
	byItself := b.databaseByItself
	if kind == v1alpha1.DatabaseShared {
		server, err := b.startServer(ctx)
		if err != nil {
			return err
		}
		byItself = server.databaseByItself
	}
	var databases, communities, inside []time.Duration
	for pair := range b.options.runs {
		for i := range 2 {
			if (pair+i)%2 == 0 {
				took, err := byItself(ctx, class)
				if err != nil {
					return err
				}
				databases = append(databases, took)
				progress("%s: the database by itself took a connection after %.2f s", kind, took.Seconds())
				continue
			}
			ready, database, err := b.community(ctx, class)
			if err != nil {
				return err
			}
			communities, inside = append(communities, ready), append(inside, database)
			progress("%s: the Community was Ready after %.2f s, its database took a connection after %.2f s",
				kind, ready.Seconds(), database.Seconds())
		}
	}
	ratio := middle(communities).Seconds() / middle(databases).Seconds()
	r.Note(fmt.Sprintf("%s: the database by itself (median of %d)", kind, b.options.runs), "%.2f s", middle(databases).Seconds())
	r.Note(fmt.Sprintf("%s: the Community (median of %d)", kind, b.options.runs), "%.2f s", middle(communities).Seconds())
	if kind == v1alpha1.DatabaseShared {
		r.Note("shared: ratio (a database on a running server against a pod)", "%.1f", ratio)
	} else {
		r.AtMost(fmt.Sprintf("%s: ratio", kind), ratio, maxRatio, "")
		r.Detail("%s: within the Community, the database took a connection after %.2f s (median).", kind, middle(inside).Seconds())
	}
	r.Detail("%s: by itself %s; Community %s.", kind, seconds(databases), seconds(communities))
	return nil
}

func middle(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}

func seconds(d []time.Duration) string {
	var out []string
	for _, v := range d {
		out = append(out, fmt.Sprintf("%.2f", v.Seconds()))
	}
	return strings.Join(out, ", ") + " s"
}

// class is the CommunityClass of a database kind.
func (b *bench) class(kind v1alpha1.DatabaseKind) *v1alpha1.CommunityClass {
	namespace, name, _ := strings.Cut(b.options.gateway, "/")
	return testutil.CommunityClass("bench-ready-"+strings.ToLower(string(kind)), func(c *v1alpha1.CommunityClass) {
		c.UID, c.Generation = "", 0
		c.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "CommunityClass"}
		c.Labels = map[string]string{label: ""}
		c.Spec.Routing.Gateway = &v1alpha1.GatewayReference{Namespace: namespace, Name: name}
		c.Spec.Routing.ApexDomain = "bench.example"
		c.Spec.IdeaService.Image = b.options.ideasImage
		c.Spec.Database = v1alpha1.ClassDatabase{Kind: kind}
		switch kind {
		case v1alpha1.DatabaseStandalone:
			c.Spec.Database.Standalone = &v1alpha1.StandaloneDatabaseSettings{Image: b.options.postgresImage}
		case v1alpha1.DatabaseShared:
			c.Spec.Database.Shared = &v1alpha1.SharedDatabaseSettings{AdminSecretName: adminSecret}
		}
	})
}

// community applies a Community and returns how long it took until it was Ready, and until its database took a
// connection.
func (b *bench) community(ctx context.Context, class *v1alpha1.CommunityClass) (ready, database time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.options.timeout)
	defer cancel()
	namespace, err := b.namespace(ctx)
	if err != nil {
		return 0, 0, err
	}
	c := testutil.Community(communityName, func(c *v1alpha1.Community) {
		c.UID, c.Generation, c.Namespace, c.Spec.ClassName = "", 0, namespace, class.Name
		c.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community"}
	})
	// The watch starts first, so that nothing is missed; it begins with the state of now.
	events, err := b.client.Watch(ctx, &v1alpha1.CommunityList{}, client.InNamespace(namespace))
	if err != nil {
		return 0, 0, fmt.Errorf("watch Communities: %w", err)
	}
	defer events.Stop()
	start := time.Now()
	connected := make(chan connection, 1)
	go func() { connected <- b.connectCommunity(ctx, class, namespace) }()
	if err := b.apply(ctx, c); err != nil {
		return 0, 0, err
	}
	stages, err := waitReady(ctx, events)
	if err != nil {
		return 0, 0, err
	}
	ready = time.Since(start)
	progress("%s", stages.since(start))
	first := <-connected
	if first.err != nil {
		return 0, 0, first.err
	}
	return ready, first.at.Sub(start), b.remove(ctx, namespace)
}

// stages are when each condition of a Community was first seen to be true.
type stages map[string]time.Time

func (s stages) since(start time.Time) string {
	var out []string
	for _, kind := range slices.SortedFunc(maps.Keys(s), func(a, b string) int { return s[a].Compare(s[b]) }) {
		out = append(out, fmt.Sprintf("%s %.2f s", kind, s[kind].Sub(start).Seconds()))
	}
	return strings.Join(out, ", ")
}

func waitReady(ctx context.Context, events watch.Interface) (stages, error) {
	seen := stages{}
	var message string
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the Community: %w: %s", ctx.Err(), message)
		case e, open := <-events.ResultChan():
			c, ok := e.Object.(*v1alpha1.Community)
			if !open || !ok {
				return nil, errors.New("wait for the Community: the watch ended")
			}
			for _, condition := range c.Status.Conditions {
				if condition.Status == metav1.ConditionTrue && seen[condition.Type].IsZero() {
					seen[condition.Type] = time.Now()
				}
			}
			ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
			if ready != nil && ready.Status == metav1.ConditionTrue {
				return seen, nil
			}
			if ready != nil {
				message = ready.Message
			}
		}
	}
}

// connectCommunity connects to the database of a Community, once its password is known.
func (b *bench) connectCommunity(ctx context.Context, class *v1alpha1.CommunityClass, namespace string) connection {
	if class.Spec.Database.Kind == v1alpha1.DatabaseShared {
		return connection{at: time.Now()}
	}
	secrets, err := b.client.Watch(ctx, &corev1.SecretList{}, client.InNamespace(namespace))
	if err != nil {
		return connection{err: fmt.Errorf("watch Secrets: %w", err)}
	}
	defer secrets.Stop()
	for e := range secrets.ResultChan() {
		secret, ok := e.Object.(*corev1.Secret)
		if ok && secret.Name == stack.DatabaseName(communityName) {
			return b.connect(ctx, class.Spec.Database.Kind, namespace, string(secret.Data[corev1.BasicAuthPasswordKey]))
		}
	}
	return connection{err: fmt.Errorf("wait for the database's Secret: %w", ctx.Err())}
}

// namespace makes one, as strict as the operator's pods need it.
func (b *bench) namespace(ctx context.Context) (string, error) {
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "bench-ready-",
		Labels:       map[string]string{label: "", "pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if err := b.client.Create(ctx, n); err != nil {
		return "", fmt.Errorf("make a namespace: %w", err)
	}
	return n.Name, nil
}

// remove deletes a namespace and waits until it is gone, so that no run works beside the end of another.
func (b *bench) remove(ctx context.Context, namespace string) error {
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := b.client.Delete(ctx, n); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete namespace %s: %w", namespace, err)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := b.client.Get(ctx, client.ObjectKeyFromObject(n), n)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("wait for namespace %s to go: %w", namespace, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for namespace %s to go: %w", namespace, ctx.Err())
		case <-tick.C:
		}
	}
}

// sweep deletes what the benchmark made.
func (b *bench) sweep(ctx context.Context) {
	mine := client.MatchingLabels{label: ""}
	namespaces := &corev1.NamespaceList{}
	if err := b.client.List(ctx, namespaces, mine); err != nil {
		progress("cannot list what is left: %v", err)
	}
	for _, n := range namespaces.Items {
		if err := b.remove(ctx, n.Name); err != nil {
			progress("%v", err)
		}
	}
	if err := b.client.DeleteAllOf(ctx, &v1alpha1.CommunityClass{}, mine); err != nil {
		progress("cannot delete the classes: %v", err)
	}
	if err := b.client.DeleteAllOf(ctx, &corev1.Secret{}, mine, client.InNamespace(b.options.operatorNamespace)); err != nil {
		progress("cannot delete the shared server's Secret: %v", err)
	}
}

// apply applies an object as kubectl apply --server-side does.
func (b *bench) apply(ctx context.Context, o any) error {
	content, err := plain(o)
	if err != nil {
		return err
	}
	delete(content, "status")
	u := &unstructured.Unstructured{Object: content}
	if err := b.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), fieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("apply %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	return nil
}

// plain is an object as JSON has it.
func plain(o any) (map[string]any, error) {
	raw, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("marshal %T: %w", o, err)
	}
	var content map[string]any
	if err := json.Unmarshal(raw, &content); err != nil {
		return nil, fmt.Errorf("unmarshal %T: %w", o, err)
	}
	return content, nil
}

func randomPassword() string { return rand.Text() }
