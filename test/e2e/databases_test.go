//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
)

// TestCloudNativePG walks the main path with a database that CloudNativePG runs.
func TestCloudNativePG(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "cnpg", withCloudNativePG)
	c := w.ready(w.community("lumiere"))
	wantDatabase(w, c, v1alpha1.DatabaseCloudNativePG, "lumiere-db")
	title, _ := w.mainPath(c.Status.URL)
	wantIdea(w, title, func(sql string) (string, error) {
		return psql(w.ctx, w.namespace, "lumiere-db-1", "postgres", "postgres", "ideas", sql)
	})
}

func withCloudNativePG(class *v1alpha1.CommunityClass) {
	class.Spec.Database = v1alpha1.ClassDatabase{Kind: v1alpha1.DatabaseCloudNativePG}
}

// TestSharedDatabase walks the main path with a database of its own on a server that others use too. The
// server's administrator may create databases and roles and nothing more, as managed servers have it.
func TestSharedDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "shared")
	server := startPostgres(w.ctx, t, w.namespace, "server")
	useShared(w, server)
	c := w.ready(w.community("lumiere"))
	name := stack.SharedName(w.namespace, "lumiere")
	wantDatabase(w, c, v1alpha1.DatabaseShared, name)
	title, _ := w.mainPath(c.Status.URL)
	wantIdea(w, title, func(sql string) (string, error) { return server.query(w.ctx, t, name, sql), nil })

	other := w.ready(w.community("velo"))
	got := server.query(w.ctx, t, "postgres", fmt.Sprintf(
		"SELECT has_database_privilege('%s', '%s', 'CONNECT')", other.Status.Database.Name, name))
	if got != "f" {
		t.Errorf("the role of another community may connect to database %s", name)
	}
}

// useShared points the world's class at a shared server, with an administrator's Secret in the operator's
// namespace.
func useShared(w *world, server *postgres) {
	w.Helper()
	const password = "e2e-admin-51c9e0"
	server.query(w.ctx, w.T, "postgres", "CREATE ROLE admin LOGIN CREATEDB CREATEROLE PASSWORD '"+password+"'")
	admin := secret(cluster.operatorNamespace, w.namespace+"-admin", map[string]string{"uri": server.uri("admin", password, "postgres")})
	w.createAll(admin)
	w.Cleanup(func() {
		// The test's own context has ended by now.
		if err := cluster.client.Delete(context.Background(), admin); err != nil {
			w.Errorf("delete the administrator's Secret: %v", err)
		}
	})
	change(w, w.class, func(class *v1alpha1.CommunityClass) {
		class.Spec.Database = v1alpha1.ClassDatabase{
			Kind: v1alpha1.DatabaseShared, Shared: &v1alpha1.SharedDatabaseSettings{AdminSecretName: admin.Name},
		}
	})
}

// TestExternalDatabase walks the main path with a database that the brand team brings.
func TestExternalDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "external")
	server := startPostgres(w.ctx, t, w.namespace, "server")
	w.createAll(external(w, server, "own-database"))
	c := w.ready(w.community("lumiere", withExternal("own-database")))
	wantDatabase(w, c, v1alpha1.DatabaseExternal, "")
	title, _ := w.mainPath(c.Status.URL)
	wantIdea(w, title, func(sql string) (string, error) { return server.query(w.ctx, t, "brand", sql), nil })

	objects, err := kubectl(w.ctx, "", "get", "statefulsets,pvc,clusters.postgresql.cnpg.io", "-n", w.namespace, "-o", "name")
	if err != nil || strings.TrimSpace(objects) != "" {
		t.Errorf("beside an external database the operator made %q (%v)", objects, err)
	}
}

const brandPassword = "e2e-brand-9d41fa"

// external makes a role and a database on the server, and returns the Secret that names them.
func external(w *world, server *postgres, secretName string) *corev1.Secret {
	w.Helper()
	server.query(w.ctx, w.T, "postgres", "CREATE ROLE brand LOGIN PASSWORD '"+brandPassword+"'")
	server.query(w.ctx, w.T, "postgres", "CREATE DATABASE brand OWNER brand")
	return secret(w.namespace, secretName, map[string]string{"uri": server.uri("brand", brandPassword, "brand")})
}

func withExternal(secretName string) func(*v1alpha1.Community) {
	return func(c *v1alpha1.Community) {
		c.Spec.Database = &v1alpha1.CommunityDatabase{External: &v1alpha1.ExternalDatabase{SecretName: secretName}}
	}
}

func wantDatabase(w *world, c *v1alpha1.Community, kind v1alpha1.DatabaseKind, name string) {
	w.Helper()
	d := c.Status.Database
	if d == nil || d.Kind != kind || d.Name != name || !d.Ready || d.SchemaVersion == 0 {
		w.Errorf("status.database is %+v, want %s %q, ready and with a schema", d, kind, name)
	}
}

// wantIdea asks PostgreSQL itself for the idea with its supporter and comment.
func wantIdea(w *world, title string, ask func(sql string) (string, error)) {
	w.Helper()
	got, err := ask(sqlCountIdea(w.T, title))
	if err != nil {
		w.Fatalf("ask PostgreSQL for the idea: %v", err)
	}
	if got != "1" {
		w.Fatalf("PostgreSQL has %s ideas %q with a supporter and a comment, want 1", got, title)
	}
}
