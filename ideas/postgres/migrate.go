package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the advisory lock that replicas take in turn to migrate: "ideas" in ASCII.
const migrationLock int64 = 0x6964656173

// A migration may rebuild a table, and waits for the replica that migrates already.
const (
	migrationStatementTimeout = 30 * time.Minute
	migrationLockTimeout      = time.Minute
)

// migrationError marks failures of the schema.
type migrationError struct{ err error }

func (e *migrationError) Error() string { return "prepare the schema: " + e.err.Error() }

func (e *migrationError) Unwrap() error { return e.err }

// ensureSchema brings the schema up to date and returns its version. A current one costs two small queries. A
// newer one, of a later release, is used as it is: releases only add to what their predecessor reads.
func ensureSchema(ctx context.Context, conn *pgx.Conn, config *pgx.ConnConfig, log *slog.Logger) (int64, error) {
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return 0, &migrationError{err}
	}
	wanted, err := latestMigration()
	if err != nil {
		return 0, &migrationError{err}
	}
	if version >= wanted {
		return version, nil
	}
	started := time.Now()
	if err := migrate(ctx, config); err != nil {
		return 0, &migrationError{err}
	}
	if version, err = schemaVersion(ctx, conn); err != nil {
		return 0, &migrationError{err}
	}
	log.Info("schema migrated", "version", version, "duration", time.Since(started))
	return version, nil
}

// schemaVersion is 0 where there is no schema. It refuses a schema that somebody else made: they could have
// planted anything in it.
func schemaVersion(ctx context.Context, conn *pgx.Conn) (int64, error) {
	var searchPath string
	var exists, trusted, versioned bool
	err := conn.QueryRow(ctx, `SELECT current_setting('search_path'), n.oid IS NOT NULL,
			coalesce(pg_has_role(current_user, n.nspowner, 'MEMBER') OR o.rolsuper, false),
			to_regclass($1 || '.goose_db_version') IS NOT NULL
		FROM (SELECT) AS one LEFT JOIN pg_namespace n ON n.nspname = $1 LEFT JOIN pg_roles o ON o.oid = n.nspowner`,
		Schema).Scan(&searchPath, &exists, &trusted, &versioned)
	if err != nil {
		return 0, fmt.Errorf("look for the schema: %w", err)
	}
	if searchPath != Schema+", pg_temp" {
		return 0, fmt.Errorf("the session's search_path is %q in spite of our request: "+
			"connect to the server itself, or to a pooler that passes startup parameters on", searchPath)
	}
	if exists && !trusted {
		return 0, fmt.Errorf("schema %s belongs to another role: make this role its owner (ALTER SCHEMA %s OWNER TO ...)",
			Schema, Schema)
	}
	if !versioned {
		return 0, nil
	}
	var version int64
	err = conn.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM "+Schema+".goose_db_version WHERE is_applied").Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	return version, nil
}

// latestMigration is the highest number of a migration file.
func latestMigration() (int64, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return 0, fmt.Errorf("list migrations: %w", err)
	}
	var latest int64
	for _, file := range files {
		number, _, _ := strings.Cut(path.Base(file), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the number of migration %s: %w", file, err)
		}
		latest = max(latest, version)
	}
	return latest, nil
}

// migrate applies what is missing, while other replicas wait.
func migrate(ctx context.Context, config *pgx.ConnConfig) (err error) {
	config = config.Copy()
	config.RuntimeParams["statement_timeout"] = milliseconds(migrationStatementTimeout)
	config.RuntimeParams["lock_timeout"] = milliseconds(migrationLockTimeout)
	// The lock is ours rather than goose's: goose looks for its version table before it locks.
	holder, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer closeConn(holder) // which frees the lock
	if _, err := holder.Exec(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return fmt.Errorf("wait for other replicas that migrate: %w", err)
	}
	if err := createSchema(ctx, holder); err != nil {
		return err
	}
	// First the queue's tables: the schema's version, written last, stands for both.
	if err := migrateJobs(ctx, config); err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return fmt.Errorf("open migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(Schema+".goose_db_version"), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("apply migrations: %w", err)
	}
	return nil
}

// createSchema looks first: creating it only if it does not exist needs a right that an existing schema's owner
// may not have.
func createSchema(ctx context.Context, conn *pgx.Conn) error {
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", Schema).Scan(&exists); err != nil {
		return fmt.Errorf("look for the schema: %w", err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE SCHEMA "+Schema); err != nil {
		return fmt.Errorf("create schema %s: %w", Schema, err)
	}
	return nil
}
