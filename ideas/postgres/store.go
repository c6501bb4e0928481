// Package postgres keeps a community's lived state in PostgreSQL: the store of the domain, its migrations, and
// the declaration that the operator made last. PostgreSQL 14 or later is needed, without any extension.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Schema holds everything of ours. Objects that others plant in public are never looked at.
const Schema = "ideas"

// Limits of a session, so that neither a slow query nor a lost client holds locks for long.
const (
	connectTimeout   = 5 * time.Second
	statementTimeout = 10 * time.Second
	lockTimeout      = 5 * time.Second
	idleTransaction  = 15 * time.Second
)

// Config of a store.
type Config struct {
	// URI returns the connection URI. It is asked before every connection attempt and every second or so,
	// so that a rotated password is taken up without a restart.
	URI func() (string, error)
	// MaxConns bounds the pool; one more connection listens for declarations. 8 when zero.
	MaxConns int32
	// MailEnabled tells whether sign-in links can be mailed; nil means never.
	MailEnabled func() bool
	// Fallback are the settings without an operator. A store that has them takes no declarations.
	Fallback *ideas.Settings
	// Jobs of the adapters: mails, webhooks.
	Jobs []Jobs
	// Clock tells the time by which phases begin and end; time.Now when nil.
	Clock func() time.Time
	// TestOnly starts the job queue without the pauses that spread the work of many replicas.
	TestOnly bool
	// Logger receives changes of the connection's state; slog.Default when nil.
	Logger *slog.Logger
}

// Store implements ideas.Store, ideas.SignIn and ideas.SettingsSource. It is usable from the start; until Run
// has connected, its methods return ideas.ErrUnavailable.
type Store struct {
	config Config
	log    *slog.Logger
	pool   atomic.Pointer[pgxpool.Pool]
	// mailWake has an item when a mail waits to be sent.
	mailWake chan struct{}
	readings readings
	// eventWake has an item when an event may wait to be dispatched.
	eventWake chan struct{}
	// views wait to be written.
	views views
	// extraConsumers are those of tests.
	extraConsumers []consumer
	// conditions of webhooks.
	conditions conditions
	visits     visits
	segments   segmentCounts
	awaiting   awaiting
	queue      atomic.Pointer[river.Client[pgx.Tx]]
	engines    engines

	// refreshing makes reading and adopting a declaration one step, so that an older one, read earlier,
	// never replaces a newer one.
	refreshing sync.Mutex
	declared   atomic.Pointer[declared]
	programme  atomic.Pointer[ideas.Programme]
	required   atomic.Pointer[requirements]
	// programmeRead and programmeZone say what the programme in memory was made of; refreshing guards them.
	programmeRead bool
	programmeZone string

	stateMutex   sync.Mutex
	state        control.Database
	stateChanged chan struct{}
}

var (
	_ ideas.Store          = (*Store)(nil)
	_ ideas.SignIn         = (*Store)(nil)
	_ ideas.SettingsSource = (*Store)(nil)

	_ ideas.ProgrammeSource = (*Store)(nil)
)

// New makes a store that connects when Run is called.
func New(config Config) *Store {
	if config.MaxConns == 0 {
		config.MaxConns = 8
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Clock == nil {
		config.Clock = time.Now
	}
	s := &Store{
		config: config, log: config.Logger, mailWake: make(chan struct{}, 1), eventWake: make(chan struct{}, 1),
		stateChanged: make(chan struct{}),
		state:        control.Database{Reason: control.ReasonDatabaseStarting, Message: "connecting for the first time"},
	}
	s.programme.Store(&ideas.Programme{})
	return s
}

// Stat returns the pool's counters; nil before the first connection.
func (s *Store) Stat() *pgxpool.Stat {
	if pool := s.pool.Load(); pool != nil {
		return pool.Stat()
	}
	return nil
}

// querier is what a pool and a transaction have in common.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (s *Store) db() (*pgxpool.Pool, error) {
	if pool := s.pool.Load(); pool != nil {
		return pool, nil
	}
	return nil, ideas.ErrUnavailable
}

func (s *Store) transact(ctx context.Context, attempt string, run func(tx pgx.Tx) error) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	if err := pgx.BeginFunc(ctx, pool, run); err != nil {
		return s.failed(attempt, err)
	}
	return nil
}

// SQLSTATE codes that mean something to the domain.
const (
	codeForeignKey = "23503"
	codeUnique     = "23505"
)

func isUniqueViolation(err error) bool {
	answer := (*pgconn.PgError)(nil)
	return errors.As(err, &answer) && answer.Code == codeUnique
}

// unavailableCodes begin the codes of a server that goes down, starts or cancels what takes too long, that lacks
// resources, or whose connection fails.
var unavailableCodes = []string{"57", "55P03", "53", "08"}

// ownErrors of the domain pass as they are.
var ownErrors = []error{
	ideas.ErrNotFound, ideas.ErrUnavailable, ideas.ErrLinkSpent, ideas.ErrTooMany, ideas.ErrNameTaken, ideas.ErrNotInvited,
	ideas.ErrRestricted, ideas.ErrGuardianMissing, ideas.ErrNotJoined, ideas.ErrTooYoung, ideas.ErrForbidden,
	ideas.ErrKeyReused, ideas.ErrUnderWay, ideas.ErrClosed, ideas.ErrFull, ideas.ErrChanged,
}

// failed says what was attempted, and translates what the domain has an error for.
func (s *Store) failed(attempt string, err error) error {
	field, step := (*ideas.FieldError)(nil), (*ideas.TransitionError)(nil)
	barred, refused := (*ideas.BarredError)(nil), (*ideas.RefusedError)(nil)
	for _, own := range ownErrors {
		if errors.Is(err, own) {
			return err
		}
	}
	answer := (*pgconn.PgError)(nil)
	switch {
	case errors.As(err, &answer) && memberErrors[answer.Code] != nil:
		return memberErrors[answer.Code]
	case errors.As(err, &field), errors.As(err, &step), errors.As(err, &barred), errors.As(err, &refused):
		return err
	case errors.Is(err, pgx.ErrNoRows):
		return ideas.ErrNotFound
	case errors.As(err, &answer) && answer.Code == codeForeignKey:
		// The member or idea that a row belongs to is gone, or never was.
		return ideas.ErrNotFound
	case isConnectionFailure(err):
		return fmt.Errorf("%s: %w: %w", attempt, ideas.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", attempt, err)
}

func isConnectionFailure(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false // whoever asked has gone
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if answer := (*pgconn.PgError)(nil); errors.As(err, &answer) {
		for _, class := range unavailableCodes {
			if strings.HasPrefix(answer.Code, class) {
				return true
			}
		}
		return false
	}
	connect, network := (*pgconn.ConnectError)(nil), net.Error(nil)
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, pgconn.ErrConnClosed) || pgconn.SafeToRetry(err)
}
