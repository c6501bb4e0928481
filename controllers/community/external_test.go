package community_test

import (
	"context"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/pgerror"
	"github.com/quaeso/community-operator/internal/postgres"
	"github.com/quaeso/community-operator/internal/testutil"
)

// realDatabase tells how a real database looks to an idea service.
func realDatabase(files map[string][]byte) control.Database {
	u, err := url.Parse(string(files[control.FileDatabaseURI]))
	if err != nil {
		return pgerror.Database(err)
	}
	q := u.Query()
	q.Del("sslrootcert") // a file of the pod
	u.RawQuery = q.Encode()
	if err := (&postgres.Server{}).Probe(context.Background(), u.String(), files[control.FileDatabaseCA]); err != nil {
		return pgerror.Database(err)
	}
	return control.Database{Ready: true, SchemaVersion: 1}
}

// A real PostgreSQL that refuses is understood: what is wrong is told apart, what was good stays in force, and a
// right Secret is taken into use by itself.
func TestExternalDatabaseRefusals(t *testing.T) {
	t.Parallel()
	plain := testutil.Postgres(t)
	secure := testutil.StartPostgres(t, testutil.PostgresOptions{TLS: true, RequireTLS: true})
	ca, err := os.ReadFile(secure.CA)
	if err != nil {
		t.Fatal(err)
	}
	foreignCA, _ := selfSigned(t)
	db, secureDB := plain.Database(t), secure.Database(t)
	stranger := plain.Database(t)
	tests := map[string]struct {
		uri    string
		ca     []byte
		reason string
		words  []string
	}{
		"wrong password":      {plain.URI(db.Role, "wr0ng-password", db.Name) + "?sslmode=disable", nil, v1alpha1.ReasonPasswordRefused, []string{"password authentication failed", db.Role}},
		"wrong database":      {plain.URI(db.Role, db.Password, "nowhere") + "?sslmode=disable", nil, v1alpha1.ReasonDatabaseMissing, []string{`"nowhere"`}},
		"no TLS there":        {db.URI() + "?sslmode=require", nil, v1alpha1.ReasonTLSRefused, []string{"does not offer TLS"}},
		"TLS required":        {secureDB.URI() + "?sslmode=disable", nil, v1alpha1.ReasonTLSRefused, []string{"TLS"}},
		"another authority":   {secureDB.URI() + "?sslmode=verify-full", foreignCA, v1alpha1.ReasonTLSRefused, []string{"not trusted"}},
		"nobody listens":      {"postgresql://brand:s3cret-word@127.0.0.1:" + closedPort(t) + "/brand?sslmode=disable", nil, v1alpha1.ReasonDatabaseUnreachable, []string{"connection refused"}},
		"unknown host":        {"postgresql://brand:s3cret-word@db.invalid/brand", nil, v1alpha1.ReasonDatabaseUnreachable, []string{"db.invalid"}},
		"somebody's database": {plain.URI(stranger.Role, stranger.Password, "postgres") + "?sslmode=disable", nil, v1alpha1.ReasonPermissionDenied, []string{"permission denied"}},
	}
	right := map[string][]byte{"uri": []byte(secureDB.URI() + "?sslmode=verify-full"), "ca.crt": ca}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared)
			w.serve = realDatabase
			w.startOperator(operatorOptions{databases: &postgres.Server{}})
			wrong := map[string][]byte{"uri": []byte(test.uri)}
			if test.ca != nil {
				wrong["ca.crt"] = test.ca
			}
			secret := &corev1.Secret{ObjectMeta: named(w.namespace, "database"), Data: wrong}
			w.create(secret)
			c := w.community("lumiere", external)
			w.waitStalled(c, test.reason, test.words...)
			w.waitCondition(c, v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, test.reason)
			if w.children("lumiere")["Deployment lumiere"] != nil {
				t.Error("pods were made that cannot work")
			}
			if u, _ := url.Parse(test.uri); u != nil {
				if password, _ := u.User.Password(); strings.Contains(asJSON(c.Status), password) {
					t.Error("the status gives the password away")
				}
			}
			change(w, secret, func(s *corev1.Secret) { s.Data = right })
			w.waitReady(c)
			before := w.outcome(c)
			change(w, secret, func(s *corev1.Secret) { s.Data = wrong })
			w.waitStalled(c, test.reason, test.words...)
			if diff := cmp.Diff(running(before), running(w.outcome(c))); diff != "" {
				t.Errorf("what runs changed (-before +after):\n%s", diff)
			}
			if !c.Status.Database.Ready {
				t.Error("the database in force is not called ready")
			}
			change(w, secret, func(s *corev1.Secret) { s.Data = right })
			w.waitReady(c)
		})
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// A database on a real shared server comes and goes with its Community.
func TestSharedDatabaseOnARealServer(t *testing.T) {
	t.Parallel()
	server := testutil.StartPostgres(t, testutil.PostgresOptions{})
	server.Exec(t, "postgres", "CREATE ROLE admin LOGIN CREATEDB CREATEROLE PASSWORD 'open-sesame'")
	w := newWorld(t, shared, sharedServer)
	w.serve = realDatabase
	w.startOperator(operatorOptions{databases: &postgres.Server{}})
	w.secret(w.operatorNamespace, "server", map[string]string{"uri": server.URI("admin", "open-sesame", "") + "?sslmode=disable"})
	c := w.community("lumiere", func(c *v1alpha1.Community) { c.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
	w.waitReady(c)
	// Somebody changes the role's password on the server: the operator puts it right, and does not wait long.
	server.Exec(t, "postgres", `ALTER ROLE "`+c.Status.Database.Name+`" PASSWORD 'changed'`)
	w.nudge(c)
	w.waitReady(c)
	w.delete(c)
	w.waitGone(c)
	if n := (&testutil.PostgresDatabase{Server: server, Name: "postgres"}).QueryInt(t,
		"SELECT count(*) FROM pg_database d FULL JOIN pg_roles r ON d.datname = r.rolname WHERE coalesce(d.datname, r.rolname) LIKE 'c\\_%'"); n != 0 {
		t.Errorf("%d databases or roles are left", n)
	}
	if err := w.client.Get(t.Context(), w.key("lumiere-db"), &corev1.Secret{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the password is left: %v", err)
	}
}
