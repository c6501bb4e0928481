package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// maxSessions of ours that one server sees at a time: it has others to serve.
	maxSessions = 5
	// rememberDown is how long a server that did not answer is not asked again, so that the communities of one
	// dead server do not keep every worker of the operator waiting.
	rememberDown = 10 * time.Second
)

// gates holds a gate per server. Servers are few: they are those that classes name.
type gates struct {
	mutex sync.Mutex
	byKey map[string]*gate
}

// gate bounds the sessions on one server.
type gate struct {
	slots chan struct{}

	mutex sync.Mutex
	down  error
	since time.Time
}

func (g *gates) of(key string) *gate {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.byKey == nil {
		g.byKey = map[string]*gate{}
	}
	if g.byKey[key] == nil {
		g.byKey[key] = &gate{slots: make(chan struct{}, maxSessions)}
	}
	return g.byKey[key]
}

// enter waits for a slot. The caller must leave.
func (g *gate) enter(ctx context.Context) error {
	if err := g.recentFailure(); err != nil {
		return err
	}
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for one of %d connections of the operator to the server: %w", maxSessions, ctx.Err())
	}
	// The server may have gone down while others held the slots.
	if err := g.recentFailure(); err != nil {
		g.leave()
		return err
	}
	return nil
}

func (g *gate) leave() { <-g.slots }

func (g *gate) recentFailure() error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if time.Since(g.since) < rememberDown {
		return g.down
	}
	return nil
}

// connected records the outcome of a connection. Only silence counts as down: every other failure comes at
// once, holds nobody up, and may be due to one administrator's settings alone.
func (g *gate) connected(err error) {
	silent := err != nil && (pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded))
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.down, g.since = nil, time.Time{}
	if silent {
		g.down, g.since = err, time.Now()
	}
}
