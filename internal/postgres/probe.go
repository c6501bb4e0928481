package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// probeTimeout bounds a probe, a hostile server included.
const probeTimeout = 10 * time.Second

// serviceSchema is the schema that the idea service makes for itself in its database.
const serviceSchema = "ideas"

// Probe tells why a database cannot be used by the idea service: it connects, runs a statement, and tries,
// without a trace, whether the role may make the service's schema. Package pgerror puts the error into words.
func (s *Server) Probe(ctx context.Context, uri string, caPEM []byte) error {
	config, err := parse(uri, caPEM)
	if err != nil {
		return fmt.Errorf("probe a database: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := dial(ctx, config)
	if err != nil {
		return fmt.Errorf("probe a database: %w", err)
	}
	defer hangUp(conn)
	var has bool
	if err := conn.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", serviceSchema).Scan(&has); err != nil {
		return fmt.Errorf("probe a database: %w", err)
	}
	if has {
		return nil
	}
	if err := tryToCreate(ctx, conn); err != nil {
		return fmt.Errorf("probe a database: make a schema in it: %w", err)
	}
	return nil
}

// errUndo ends a transaction that is not meant to stay.
var errUndo = errors.New("undo")

func tryToCreate(ctx context.Context, conn *pgx.Conn) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+quote(serviceSchema)); err != nil {
			return err // wrapped by the caller
		}
		return errUndo
	})
	if errors.Is(err, errUndo) {
		return nil
	}
	return err // wrapped by the caller
}
