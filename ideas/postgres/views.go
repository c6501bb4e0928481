package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Views are gathered and written together: reading a page should not wait for a write.
const (
	viewsKept  = 2000
	viewsAfter = 2 * time.Second
)

// view of an entry by a member.
type view struct{ idea, member int64 }

// views that wait to be written. Those of a process that dies are lost: they count who has seen an idea, and whoever
// comes again is counted then.
type views struct {
	mutex   sync.Mutex
	waiting map[view]bool
	// written keeps what is known to the database, so that reading again costs nothing.
	written map[view]bool
}

// Saw implements ideas.ChallengeStore.
func (s *Store) Saw(member int64, c *ideas.Challenge, entries ...int64) {
	asked := slices.ContainsFunc(c.Spec.Ladder, func(r control.Rung) bool { return r.Percent > 0 })
	if member == 0 || !asked {
		return
	}
	s.views.mutex.Lock()
	defer s.views.mutex.Unlock()
	first := len(s.views.waiting) == 0
	for _, entry := range entries {
		v := view{entry, member}
		if !s.views.written[v] && len(s.views.waiting) < viewsKept {
			if s.views.waiting == nil {
				s.views.waiting = map[view]bool{}
			}
			s.views.waiting[v] = true
		}
	}
	if first && len(s.views.waiting) > 0 {
		time.AfterFunc(viewsAfter, func() {
			ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
			defer cancel()
			if err := s.WriteViews(ctx); err != nil {
				s.log.Debug("views not written", "error", err)
			}
		})
	}
}

// WriteViews writes the views that wait.
func (s *Store) WriteViews(ctx context.Context) error {
	s.views.mutex.Lock()
	waiting := s.views.waiting
	s.views.waiting = nil
	if len(s.views.written) > 10*viewsKept || s.views.written == nil {
		s.views.written = map[view]bool{}
	}
	for v := range waiting {
		s.views.written[v] = true
	}
	s.views.mutex.Unlock()
	if len(waiting) == 0 {
		return nil
	}
	pool, err := s.db()
	if err != nil {
		return err
	}
	var seen, members []int64
	for v := range waiting {
		seen, members = append(seen, v.idea), append(members, v.member)
	}
	_, err = pool.Exec(ctx, `INSERT INTO idea_view (idea_id, member_id) SELECT v.idea, v.member FROM unnest($1::bigint[], $2::bigint[]) AS v (idea, member)
		JOIN entry e ON e.idea_id = v.idea ORDER BY 1, 2 ON CONFLICT DO NOTHING`, seen, members)
	return s.wrapped("write views", err)
}
