package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/cnpg"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil"
)

const (
	// owner is the name of role and database on a server of a community's own.
	owner = "ideas"
	// connectEvery is the pause between two tries of a connection.
	connectEvery = 20 * time.Millisecond
	// adminSecret of the shared server, in the operator's namespace.
	adminSecret = "bench-ready-server"
)

// connection is when a database first took one.
type connection struct {
	at  time.Time
	err error
}

// databaseByItself applies the objects of a community's database, and nothing else, and returns how long it took
// until it took a connection.
func (b *bench) databaseByItself(ctx context.Context, class *v1alpha1.CommunityClass) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, b.options.timeout)
	defer cancel()
	namespace, err := b.namespace(ctx)
	if err != nil {
		return 0, err
	}
	took, _, err := b.startDatabase(ctx, class, namespace)
	if err != nil {
		return 0, err
	}
	return took, b.remove(ctx, namespace)
}

func (b *bench) startDatabase(ctx context.Context, class *v1alpha1.CommunityClass, namespace string) (time.Duration, string, error) {
	c := testutil.Community(communityName, func(c *v1alpha1.Community) { c.Namespace = namespace })
	plan, err := stack.Resolve(c, class)
	if err != nil {
		return 0, "", fmt.Errorf("plan a database: %w", err)
	}
	plan.Database.Password = randomPassword()
	objects, err := databaseAlone(plan)
	if err != nil {
		return 0, "", err
	}
	start := time.Now()
	for _, o := range objects {
		if err := b.apply(ctx, o); err != nil {
			return 0, "", err
		}
	}
	first := b.connect(ctx, class.Spec.Database.Kind, namespace, plan.Database.Password)
	return first.at.Sub(start), plan.Database.Password, first.err
}

// databaseAlone describes a database with what its pod needs, owned by nobody and of no interest to the operator.
func databaseAlone(plan stack.Plan) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	add := func(desired runtime.ApplyConfiguration, wanted func(*unstructured.Unstructured) bool) error {
		content, err := plain(desired)
		if err != nil {
			return err
		}
		o := &unstructured.Unstructured{Object: content}
		o.SetOwnerReferences(nil)
		labels := o.GetLabels()
		delete(labels, v1alpha1.LabelManagedBy)
		o.SetLabels(labels)
		if wanted(o) {
			out = append(out, o)
		}
		return nil
	}
	for _, desired := range stack.Objects(plan) {
		if err := add(desired, func(o *unstructured.Unstructured) bool { return o.GetKind() == "ServiceAccount" }); err != nil {
			return nil, err
		}
	}
	for _, desired := range stack.DatabaseObjects(plan) {
		if err := add(desired, func(*unstructured.Unstructured) bool { return true }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// connect waits for the database's pod and tries to connect until it can.
func (b *bench) connect(ctx context.Context, kind v1alpha1.DatabaseKind, namespace, password string) connection {
	selector := client.MatchingLabels(stack.SelectorLabels(communityName, v1alpha1.ComponentDatabase))
	if kind == v1alpha1.DatabaseCloudNativePG {
		// Not the job that makes the database.
		selector = client.MatchingLabels{cnpg.LabelCluster: stack.DatabaseName(communityName), "cnpg.io/podRole": "instance"}
	}
	pods, err := b.client.Watch(ctx, &corev1.PodList{}, client.InNamespace(namespace), selector)
	if err != nil {
		return connection{err: fmt.Errorf("watch the database's pod: %w", err)}
	}
	defer pods.Stop()
	for e := range pods.ResultChan() {
		if pod, ok := e.Object.(*corev1.Pod); ok && pod.Status.PodIP != "" {
			return connectTo(ctx, databaseURI(pod.Status.PodIP, owner, password, owner))
		}
	}
	return connection{err: fmt.Errorf("wait for the database's pod: %w", context.Cause(ctx))}
}

func databaseURI(host, user, password, database string) string {
	u := url.URL{
		Scheme: "postgresql", User: url.UserPassword(user, password), Host: net.JoinHostPort(host, strconv.Itoa(stack.PortPostgres)),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

func connectTo(ctx context.Context, uri string) connection {
	config, err := pgx.ParseConfig(uri)
	if err != nil {
		return connection{err: errors.New("parse the database's address")}
	}
	config.ConnectTimeout = time.Second
	for {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			at := time.Now()
			return connection{at: at, err: conn.Close(ctx)}
		}
		select {
		case <-ctx.Done():
			return connection{err: fmt.Errorf("connect to the database: %w", err)}
		case <-time.After(connectEvery):
		}
	}
}

// server is a PostgreSQL that communities share.
type server struct {
	bench *bench
	admin *pgx.Conn
	made  int
}

// startServer starts a shared server and gives the operator its administrator's connection.
func (b *bench) startServer(ctx context.Context) (*server, error) {
	progress("shared: starting the server")
	namespace, err := b.namespace(ctx)
	if err != nil {
		return nil, err
	}
	class := b.class(v1alpha1.DatabaseStandalone)
	// Its users come from everywhere.
	class.Spec.Isolation = &v1alpha1.ClassIsolation{NetworkPolicies: "Disabled"}
	_, password, err := b.startDatabase(ctx, class, namespace)
	if err != nil {
		return nil, err
	}
	service := &corev1.Service{}
	if err := b.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: stack.DatabaseName(communityName)}, service); err != nil {
		return nil, fmt.Errorf("find the shared server: %w", err)
	}
	address := service.Spec.ClusterIP
	secret := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: b.options.operatorNamespace, Name: adminSecret, Labels: map[string]string{label: ""},
		},
		Data: map[string][]byte{"uri": []byte(databaseURI(address, owner, password, owner))},
	}
	if err := b.apply(ctx, secret); err != nil {
		return nil, err
	}
	if err := connectTo(ctx, databaseURI(address, owner, password, owner)).err; err != nil {
		return nil, err
	}
	admin, err := pgx.Connect(ctx, databaseURI(address, owner, password, owner))
	if err != nil {
		return nil, fmt.Errorf("connect to the shared server: %w", err)
	}
	return &server{bench: b, admin: admin}, nil
}

// databaseByItself makes a role and a database on the server, and connects.
func (s *server) databaseByItself(ctx context.Context, _ *v1alpha1.CommunityClass) (time.Duration, error) {
	s.made++
	name, password := "by_itself_"+strconv.Itoa(s.made), randomPassword()
	start := time.Now()
	for _, statement := range []string{
		"CREATE ROLE " + name + " LOGIN PASSWORD '" + password + "'",
		"CREATE DATABASE " + name + " OWNER " + name,
	} {
		if _, err := s.admin.Exec(ctx, statement); err != nil {
			return 0, fmt.Errorf("make a database on the shared server: %w", err)
		}
	}
	config := s.admin.Config()
	first := connectTo(ctx, databaseURI(config.Host, name, password, name))
	return first.at.Sub(start), first.err
}
