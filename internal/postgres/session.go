package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// operationTimeout bounds one operation: the server's own timeouts end its statements before.
const operationTimeout = 90 * time.Second

// session is an administrator's connection that holds the lock on one database's name.
type session struct {
	conn   *pgx.Conn
	config *pgx.ConnConfig
}

func (s *Server) session(ctx context.Context, admin Admin, db Database, do func(context.Context, *session) error) error {
	if err := db.validate(); err != nil {
		return err
	}
	config, err := parse(admin.URI, admin.CA)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	gate := s.gates.of(net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))))
	if err := gate.enter(ctx); err != nil {
		return err
	}
	defer gate.leave()
	conn, err := dial(ctx, config)
	gate.connected(err)
	if err != nil {
		return err
	}
	defer hangUp(conn) // which frees the lock
	// Two operators, of which one believes that it still leads, must not work on the same name at a time.
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", markPrefix+db.Name); err != nil {
		return fmt.Errorf("wait for another session that works on it: %w", err)
	}
	return do(ctx, &session{conn: conn, config: config})
}

// exec runs one statement; what says in an error what was attempted.
func (c *session) exec(ctx context.Context, what, statement string) error {
	if _, err := c.conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// together runs statements in one transaction.
func (c *session) together(ctx context.Context, what string, statements ...string) error {
	err := pgx.BeginFunc(ctx, c.conn, func(tx pgx.Tx) error {
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err // wrapped below
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// signsIn tells whether the server lets the role in with the password. It is the only way to find out: a
// password cannot be read back.
func (c *session) signsIn(ctx context.Context, db Database) (bool, error) {
	config := c.config.Copy()
	config.User, config.Password, config.Database = db.Name, db.Password, db.Name
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		hangUp(conn)
		return true, nil
	}
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return false, fmt.Errorf("try to sign in as the role: %w", err)
	}
	// Every other answer comes after the password was accepted, such as that of a full connection limit.
	refused := answer.Code == codeInvalidPassword || answer.Code == codeInvalidAuthorization
	return !refused, nil
}

// SQLSTATE codes, see the appendix "PostgreSQL Error Codes" of its manual.
const (
	codeInvalidAuthorization = "28000"
	codeInvalidPassword      = "28P01"
)
