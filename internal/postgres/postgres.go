// Package postgres gives communities a database and a role on a PostgreSQL server that they share. It works
// as an administrator that needs no superuser: CREATEDB and CREATEROLE are enough.
//
// What it makes it marks with a comment, and it touches nothing that lacks the mark. The clear password never
// reaches the server: it is set as a SCRAM verifier that is computed here.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Server is where databases live. The zero value is ready for use; it serves any number of administrators.
type Server struct {
	gates gates
}

// Admin is the connection of a role that may create databases and roles.
type Admin struct {
	// URI is a PostgreSQL connection URI. Of its parameters only those of queryParameters are taken: others
	// could read the operator's files.
	URI string
	// CA holds PEM certificates that the server is verified against where sslmode asks for verification;
	// those of the system when empty.
	CA []byte
}

// Database is a community's database together with the role that owns it.
type Database struct {
	// Name of the database and of its role.
	Name string
	// Owner is whom both belong to, such as namespace/name of a Community. What was kept for the same owner
	// is taken into use again.
	Owner string
	// Password of the role.
	Password string
	// ConnectionLimit of the role; 0 for none.
	ConnectionLimit int32
}

// Observation is what a server holds of a Database.
type Observation struct {
	// RoleExists and DatabaseExists tell what is there.
	RoleExists, DatabaseExists bool
	// UpToDate tells that Ensure would change nothing, the password aside, which cannot be read.
	UpToDate bool
}

// ForeignError says that a role or a database stands at a name that is needed, and is not the owner's.
type ForeignError struct {
	// Kind is "role" or "database", Name its name.
	Kind, Name string
	// Mark is the comment found on it; it may be empty.
	Mark string
	// Owner it was wanted for.
	Owner string
}

// Error implements error.
func (e *ForeignError) Error() string {
	has := "has no mark of this operator"
	if other, ok := strings.CutPrefix(e.Mark, markPrefix); ok {
		has = fmt.Sprintf("belongs to %q", other)
	}
	return fmt.Sprintf("the %s %q on the shared server %s; rename or drop it, or, if it is the data of %s, "+
		"mark it with: COMMENT ON %s %s IS %s", e.Kind, e.Name, has, e.Owner,
		strings.ToUpper(e.Kind), quote(e.Name), literal(mark(e.Owner)))
}

// markPrefix starts the comment on everything that the operator made; the owner follows.
const markPrefix = "community-operator: "

func mark(owner string) string { return markPrefix + owner }

// maxName is where PostgreSQL would cut a name off, and find another object by it next time.
const maxName = 63

func (d Database) validate() error {
	switch {
	case d.Name == "" || len(d.Name) > maxName:
		return fmt.Errorf("the name of a database must have 1 to %d bytes", maxName)
	case strings.ContainsRune(d.Name, 0) || !utf8.ValidString(d.Name):
		return errors.New("the name of a database must be valid UTF-8 without null characters")
	case d.Owner == "" || strings.ContainsRune(d.Owner, 0) || !utf8.ValidString(d.Owner):
		return errors.New("a database must have an owner, in valid UTF-8 without null characters")
	case d.ConnectionLimit < 0:
		return errors.New("the connection limit of a database must not be negative")
	}
	return nil
}

// Observe tells what the server holds. It fails with a *ForeignError where that is not the owner's.
func (s *Server) Observe(ctx context.Context, admin Admin, db Database) (Observation, error) {
	var observed Observation
	err := s.session(ctx, admin, db, func(ctx context.Context, c *session) error {
		state, err := c.read(ctx, db)
		if err != nil {
			return err
		}
		observed = Observation{
			RoleExists: state.role.exists, DatabaseExists: state.database.exists, UpToDate: state.upToDate(db),
		}
		return nil
	})
	if err != nil {
		return Observation{}, fmt.Errorf("observe database %s: %w", db.Name, err)
	}
	return observed, nil
}

// Ensure brings role and database into their described state: the role can sign in with the password and has
// no rights beyond its database, and nobody else may connect to that. Nothing is written where nothing differs.
func (s *Server) Ensure(ctx context.Context, admin Admin, db Database) error {
	if err := s.session(ctx, admin, db, func(ctx context.Context, c *session) error { return c.ensure(ctx, db) }); err != nil {
		return fmt.Errorf("ensure database %s: %w", db.Name, err)
	}
	return nil
}

// Drop drops the database with everything in it, ends its connections, and drops the role. What is gone
// already is no error; what is not the owner's is a *ForeignError.
func (s *Server) Drop(ctx context.Context, admin Admin, db Database) error {
	if err := s.session(ctx, admin, db, func(ctx context.Context, c *session) error { return c.drop(ctx, db) }); err != nil {
		return fmt.Errorf("drop database %s: %w", db.Name, err)
	}
	return nil
}
