package postgres

// Placeholder by the lead so that callers compile: the engineer of this room replaces this file with the real
// Ensure, Drop and Probe (same signatures) and deletes it.

import (
	"context"
	"errors"
)

func (s *Server) Ensure(ctx context.Context, admin Admin, db Database) error { return errors.New("pending") }
func (s *Server) Drop(ctx context.Context, admin Admin, db Database) error   { return errors.New("pending") }
func (s *Server) Probe(ctx context.Context, uri string, caPEM []byte) error  { return nil }
