package postgres

import (
	"context"
	"fmt"
)

// endSessions ends those sessions of the role, and in the database, that we may end. Others, such as a
// superuser's, show in the error of DROP DATABASE.
const endSessions = `
SELECT count(pg_terminate_backend(a.pid))
FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
WHERE (a.datname = $1 OR a.usename = $1) AND a.pid <> pg_backend_pid()
  AND ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
       OR NOT r.rolsuper AND (pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))`

func (c *session) drop(ctx context.Context, db Database) error {
	s, err := c.read(ctx, db)
	if err != nil {
		return err
	}
	name := quote(db.Name)
	if s.role.exists {
		if !s.role.granted {
			if err := c.exec(ctx, "join the role", grantToAdmin(name, s.membershipOptions)); err != nil {
				return err
			}
		}
		// A client that reconnects as soon as it is thrown out would win against the drop for ever.
		if err := c.exec(ctx, "lock the role out", fmt.Sprintf("ALTER ROLE %s NOLOGIN", name)); err != nil {
			return err
		}
	}
	if _, err := c.conn.Exec(ctx, endSessions, db.Name); err != nil {
		return fmt.Errorf("end the sessions: %w", err)
	}
	if s.database.exists {
		if err := c.exec(ctx, "drop the database", fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); err != nil {
			return err
		}
	}
	if !s.role.exists {
		return nil
	}
	// What the role made in the administrator's own database, if it could, would keep it from going.
	return c.together(ctx, "drop the role",
		fmt.Sprintf("DROP OWNED BY %s", name), fmt.Sprintf("DROP ROLE %s", name))
}
