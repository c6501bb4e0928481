package community_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/pgerror"
	"github.com/quaeso/community-operator/internal/postgres"
)

// databases stands for PostgreSQL servers outside the cluster, where a test is not about PostgreSQL itself.
type databases struct {
	mu sync.Mutex
	// passwords of the databases that exist, by host/database.
	passwords map[string]string
	// down is the answer to everything; nil while the servers run.
	down error
	// calls are the names of what was asked for, with database and owner.
	calls []string
}

func newDatabases() *databases { return &databases{passwords: map[string]string{}} }

// Ensure implements community.DatabaseServer.
func (d *databases) Ensure(_ context.Context, admin postgres.Admin, db postgres.Database) error {
	return d.do("ensure", admin, db, func(key string) { d.passwords[key] = db.Password })
}

// Drop implements community.DatabaseServer.
func (d *databases) Drop(_ context.Context, admin postgres.Admin, db postgres.Database) error {
	return d.do("drop", admin, db, func(key string) { delete(d.passwords, key) })
}

// Probe implements community.DatabaseServer.
func (d *databases) Probe(_ context.Context, uri string, _ []byte) error {
	d.mu.Lock()
	d.calls = append(d.calls, "probe")
	d.mu.Unlock()
	return d.connect(uri)
}

func (d *databases) do(what string, admin postgres.Admin, db postgres.Database, how func(key string)) error {
	u, err := url.Parse(admin.URI)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, fmt.Sprintf("%s %s of %s as %s", what, db.Name, db.Owner, u.User.Username()))
	if d.down != nil {
		return d.down
	}
	how(u.Hostname() + "/" + db.Name)
	return nil
}

// connect tells whether a connection would be accepted.
func (d *databases) connect(uri string) error {
	u, err := url.Parse(uri)
	if err != nil {
		return err
	}
	password, _ := u.User.Password()
	d.mu.Lock()
	defer d.mu.Unlock()
	have, exists := d.passwords[u.Hostname()+u.Path]
	switch {
	case d.down != nil:
		return d.down
	case !exists:
		return &pgconn.PgError{Code: "3D000", Message: "database does not exist"}
	case have != password:
		return &pgconn.PgError{Code: "28P01", Message: "password authentication failed"}
	}
	return nil
}

// serve tells how a connection looks to the idea service.
func (d *databases) serve(uri string) control.Database {
	if err := d.connect(uri); err != nil {
		return pgerror.Database(err)
	}
	return control.Database{Ready: true, SchemaVersion: 3}
}

func (d *databases) setDown(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = err
}

// allow makes a database that lets a password in.
func (d *databases) allow(host, database, password string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passwords[host+"/"+database] = password
}

// asked returns the calls of a kind.
func (d *databases) asked(what string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, c := range d.calls {
		if strings.HasPrefix(c, what) {
			out = append(out, c)
		}
	}
	return out
}
