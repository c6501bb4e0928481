package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/pgerror"
)

// Pace of the connection's upkeep.
const (
	// retryFast is the pause between attempts in the first minute of an outage: a database that has just
	// been made should be found at once.
	retryFast = 200 * time.Millisecond
	// retrySlow is the pause afterwards.
	retrySlow = 2 * time.Second
	fastPhase = time.Minute
	// pollEvery bounds how late a declaration is noticed when its notification gets lost, and how late
	// a dead connection or a changed URI is.
	pollEvery = time.Second
	// cleanEvery is the pause between removals of what has expired.
	cleanEvery = 10 * time.Minute
)

// errURIChanged ends a watch over a connection whose URI is no longer the one in force.
var errURIChanged = errors.New("the connection URI has changed")

// Run keeps the store connected until the context ends: it connects, migrates, follows declarations, and
// starts over when the connection is lost. Database tells how it stands.
func (s *Store) Run(ctx context.Context) {
	defer s.closePool()
	outage := time.Now()
	for ctx.Err() == nil {
		wasReady, err := s.connectAndWatch(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errURIChanged) {
			continue
		}
		if wasReady {
			outage = time.Now()
		}
		s.report(failure(err))
		pause := retryFast
		if time.Since(outage) > fastPhase {
			pause = retrySlow
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Database is the connection's state in the words of the control contract.
func (s *Store) Database() control.Database {
	s.stateMutex.Lock()
	defer s.stateMutex.Unlock()
	return s.state
}

// WaitReady waits until the database is ready. The error of a context that ends first says why it was not.
func (s *Store) WaitReady(ctx context.Context) error {
	for {
		s.stateMutex.Lock()
		state, changed := s.state, s.stateChanged
		s.stateMutex.Unlock()
		if state.Ready {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the database: %w: %s: %s", ctx.Err(), state.Reason, state.Message)
		case <-changed:
		}
	}
}

// failure describes an error; that of a migration has a reason of its own, unless something else is to blame.
func failure(err error) control.Database {
	state := pgerror.Database(err)
	if migration := (*migrationError)(nil); errors.As(err, &migration) && state.Reason == control.ReasonDatabaseUnreachable &&
		!isConnectionFailure(err) {
		state.Reason = control.ReasonMigrationFailed
	}
	return state
}

func (s *Store) report(state control.Database) {
	s.stateMutex.Lock()
	defer s.stateMutex.Unlock()
	if state == s.state {
		return
	}
	if state.Ready {
		s.log.Info("database ready", "schemaVersion", state.SchemaVersion)
	} else {
		s.log.Warn("database not ready", "reason", state.Reason, "message", state.Message)
	}
	s.state = state
	close(s.stateChanged)
	s.stateChanged = make(chan struct{})
}

// connectAndWatch makes one connection, brings the schema up to date, publishes a pool, and stays with the
// connection until something ends it.
func (s *Store) connectAndWatch(ctx context.Context) (wasReady bool, err error) {
	uri, config, err := s.poolConfig()
	if err != nil {
		return false, err
	}
	conn, err := connect(ctx, config.ConnConfig)
	if err != nil {
		return false, err
	}
	defer closeConn(conn)
	version, err := ensureSchema(ctx, conn, config.ConnConfig, s.log)
	if err != nil {
		return false, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+declarationChannel); err != nil {
		return false, fmt.Errorf("listen for declarations: %w", err)
	}
	if err := s.refresh(ctx, conn); err != nil {
		return false, err
	}
	if err := s.publishPool(ctx, config); err != nil {
		return false, err
	}
	stop, err := s.work(ctx)
	if err != nil {
		return false, err
	}
	defer stop()
	s.report(control.Database{Ready: true, SchemaVersion: version})
	return true, s.watch(ctx, conn, uri, version)
}

// work runs what is done in the background while there is a connection: jobs, and the dispatching of events.
func (s *Store) work(ctx context.Context) (stop func(), err error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	stopJobs, err := s.runJobs(ctx, pool)
	if err != nil {
		return nil, err
	}
	dispatching, stopDispatching := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); s.dispatchEvents(dispatching) }()
	return func() {
		stopDispatching()
		<-done
		stopJobs()
	}, nil
}

func (s *Store) poolConfig() (string, *pgxpool.Config, error) {
	uri, err := s.config.URI()
	if err != nil {
		return "", nil, fmt.Errorf("read the connection URI: %w", err)
	}
	config, err := pgxpool.ParseConfig(uri)
	if err != nil {
		return "", nil, fmt.Errorf("parse the connection URI: %w", err)
	}
	pinSession(config.ConnConfig)
	// Many requests at once open many connections at once, which takes a busy server a while.
	config.ConnConfig.ConnectTimeout = 2 * connectTimeout
	config.MaxConns = s.config.MaxConns
	// Many communities may share a server: a quiet one keeps no connection but the listening one.
	config.MinConns, config.MinIdleConns = 0, 0
	config.MaxConnIdleTime = 30 * time.Second
	config.MaxConnLifetime = 30 * time.Minute
	config.MaxConnLifetimeJitter = 5 * time.Minute
	return uri, config, nil
}

// pinSession sets what every session of ours works by, whatever the URI, the role or the database say.
func pinSession(config *pgx.ConnConfig) {
	for name, value := range map[string]string{
		// pg_catalog comes first because it is not named, pg_temp last because it is; public is not there.
		"search_path":                         Schema + ", pg_temp",
		"application_name":                    "ideas",
		"timezone":                            "UTC",
		"statement_timeout":                   milliseconds(statementTimeout),
		"lock_timeout":                        milliseconds(lockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleTransaction),
		// Statements are short and disks are fast at random reads; compiling a statement costs more than it saves.
		"random_page_cost": "1.1",
		"jit":              "off",
		// Many members ask at once: a query that takes several processors takes them from the others.
		"max_parallel_workers_per_gather": "0",
		// Declarations are acknowledged to the operator, and supports to members: they must be on disk.
		"synchronous_commit": "on",
	} {
		config.RuntimeParams[name] = value
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return conn, nil
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // the connection may be dead already
}

// publishPool makes a pool for the URI in force and retires the former. It connects lazily.
func (s *Store) publishPool(ctx context.Context, config *pgxpool.Config) error {
	if former := s.pool.Load(); former != nil && former.Config().ConnString() == config.ConnString() {
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("make the connection pool: %w", err)
	}
	if former := s.pool.Swap(pool); former != nil {
		go former.Close() // waits for queries under way
	}
	return nil
}

func (s *Store) closePool() {
	if pool := s.pool.Swap(nil); pool != nil {
		pool.Close()
	}
}

// watch follows declarations until the connection fails or another URI is in force.
func (s *Store) watch(ctx context.Context, conn *pgx.Conn, uri string, version int64) error {
	nextClean := time.Now().Add(cleanEvery / 10)
	for {
		if err := waitNotification(ctx, conn); err != nil {
			return fmt.Errorf("wait for declarations: %w", err)
		}
		if err := s.refresh(ctx, conn); err != nil {
			return err
		}
		if err := s.checkURI(ctx, uri, version); err != nil {
			return err
		}
		if time.Now().After(nextClean) {
			nextClean = time.Now().Add(cleanEvery)
			if err := removeExpired(ctx, conn); err != nil {
				s.log.Warn("removal of what has expired failed", "error", err)
			}
		}
	}
}

// waitNotification returns after a notification, or after a while without one.
func waitNotification(ctx context.Context, conn *pgx.Conn) error {
	wait, cancel := context.WithTimeout(ctx, pollEvery)
	defer cancel()
	_, err := conn.WaitForNotification(wait)
	if err != nil && (ctx.Err() != nil || wait.Err() == nil || conn.IsClosed()) {
		return err
	}
	return nil
}

// checkURI takes up a changed URI once it works. Until then the former stays in use, and the state says why
// the new one is not.
func (s *Store) checkURI(ctx context.Context, inUse string, version int64) error {
	ready := control.Database{Ready: true, SchemaVersion: version}
	uri, config, err := s.poolConfig()
	if err == nil && uri == inUse {
		s.report(ready)
		return nil
	}
	if err == nil {
		var conn *pgx.Conn
		if conn, err = connect(ctx, config.ConnConfig); err == nil {
			closeConn(conn)
			return errURIChanged
		}
	}
	_, message := pgerror.Classify(err)
	ready.Message = "the changed connection URI does not work, the former stays in use: " + message
	s.report(ready)
	return nil
}
