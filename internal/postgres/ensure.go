package postgres

import (
	"context"
	"fmt"
	"strings"
)

func (c *session) ensure(ctx context.Context, db Database) error {
	s, err := c.read(ctx, db)
	if err != nil {
		return err
	}
	if err := c.ensureRole(ctx, db, s); err != nil {
		return err
	}
	if err := c.ensureDatabase(ctx, db, s); err != nil {
		return err
	}
	if !s.role.exists {
		return nil // made with the password
	}
	return c.ensurePassword(ctx, db)
}

func (c *session) ensureRole(ctx context.Context, db Database, s state) error {
	if s.roleUpToDate(db) {
		return nil
	}
	name := quote(db.Name)
	attributes := fmt.Sprintf("LOGIN CONNECTION LIMIT %d", db.limit())
	var statements []string
	if s.role.exists {
		// Attributes that are right already are not named: naming some takes more rights than we may have.
		statements = append(statements, fmt.Sprintf("ALTER ROLE %s %s %s", name, attributes, strings.Join(s.role.excess, " ")))
	} else {
		verifier, err := scramVerifier(db.Password)
		if err != nil {
			return err
		}
		// Role and mark come to be together, or a crash between them would leave a role that nobody owns.
		statements = append(statements,
			fmt.Sprintf("CREATE ROLE %s %s PASSWORD %s", name, attributes, literal(verifier)),
			fmt.Sprintf("COMMENT ON ROLE %s IS %s", name, literal(mark(db.Owner))))
	}
	if !s.role.granted && !s.superuser {
		statements = append(statements, grantToAdmin(name, s.membershipOptions))
	}
	return c.together(ctx, "make the role", statements...)
}

// grantToAdmin makes the administrator a member of the role: only members may make it the owner of a database
// and act as that. PostgreSQL before 16 knows no options; there a member inherits by its own attribute.
func grantToAdmin(name string, options bool) string {
	grant := fmt.Sprintf("GRANT %s TO CURRENT_USER", name)
	if options {
		grant += " WITH INHERIT TRUE, SET TRUE"
	}
	return grant
}

func (c *session) ensureDatabase(ctx context.Context, db Database, s state) error {
	name := quote(db.Name)
	if !s.database.exists {
		// template0 is the template that nobody can have planted anything in.
		err := c.exec(ctx, "create the database",
			fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE template0 ENCODING 'UTF8'", name, name))
		if err != nil {
			return err
		}
	} else if s.databaseUpToDate(db) {
		return nil
	}
	var statements []string
	if s.database.exists && s.database.owner != db.Name {
		statements = append(statements, fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", name, name))
	}
	if !s.database.usable && s.database.exists {
		statements = append(statements, fmt.Sprintf("ALTER DATABASE %s ALLOW_CONNECTIONS true", name))
	}
	statements = append(statements,
		fmt.Sprintf("REVOKE ALL ON DATABASE %s FROM PUBLIC", name),
		fmt.Sprintf("COMMENT ON DATABASE %s IS %s", name, literal(mark(db.Owner))))
	return c.together(ctx, "set up the database", statements...)
}

func (c *session) ensurePassword(ctx context.Context, db Database) error {
	ok, err := c.signsIn(ctx, db)
	if err != nil || ok {
		return err
	}
	verifier, err := scramVerifier(db.Password)
	if err != nil {
		return err
	}
	return c.exec(ctx, "set the role's password", fmt.Sprintf("ALTER ROLE %s PASSWORD %s", quote(db.Name), literal(verifier)))
}
