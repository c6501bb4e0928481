package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Events and notices are kept for 400 days, the audit log as long as the house rules say; what waits stays.
func TestHistoryIsBounded(t *testing.T) {
	s := openClocked(t)
	declare(t, s.Store, 1, control.House{Retention: control.Retention{AuditDays: 30}})
	m := member(t, s.Store, "ada")
	idea := submit(t, s.Store, m, "A lamp")
	dispatch(t, s.Store, s.db)
	now := s.now.Load().UTC()
	row := func(values string, ages ...int) {
		for _, days := range ages {
			at := "'" + now.Add(-time.Duration(days)*24*time.Hour).Format(time.RFC3339) + "'::timestamptz"
			s.db.Exec(t, "INSERT INTO ideas."+fmt.Sprintf(values, at))
		}
	}
	s.db.Exec(t, "DELETE FROM ideas.notice", "DELETE FROM ideas.event")
	row("event (kind, at, dispatched) VALUES ('test.old', %s, true)", 500, 401, 399, 1)
	row("event (kind, at, dispatched, attempts) VALUES ('test.waits', %s, false, 1)", 500)
	row(fmt.Sprintf("notice (member_id, event_id, kind, created_at, listed, mail) SELECT %d, max(id), 'status', %%s, true, 'off' FROM ideas.event", m.ID), 399)
	s.db.Exec(t, fmt.Sprintf("INSERT INTO ideas.event (kind, at, dispatched) SELECT 'test.many', '%s'::timestamptz, true FROM generate_series(1, 6000)", now.Add(-1000*24*time.Hour).Format(time.RFC3339)))
	row("audit (at, action, subject) VALUES (%s, 'idea.hide', 'idea')", 31, 29)
	// The store's own job may be at it too, and each leaves to the other what it has begun.
	eventually(t, time.Minute, "what is old is gone", func() bool {
		if err := s.KeepHistory(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s.count("SELECT count(*) FROM ideas.event WHERE kind IN ('test.old', 'test.many')") <= 2 && s.count("SELECT count(*) FROM ideas.audit WHERE action = 'idea.hide'") <= 1
	})
	for query, want := range map[string]int64{
		"SELECT count(*) FROM ideas.event WHERE kind = 'test.old'":            2,
		"SELECT count(*) FROM ideas.event WHERE kind = 'test.many'":           0,
		"SELECT count(*) FROM ideas.audit WHERE action = 'idea.hide'":         1,
		"SELECT count(*) FROM ideas.notice":                                   1,
		fmt.Sprintf("SELECT count(*) FROM ideas.idea WHERE id = %d", idea.ID): 1,
	} {
		if got := s.count(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	// A notice whose event is gone is shown all the same.
	s.db.Exec(t, "DELETE FROM ideas.event")
	list, err := s.Notices(t.Context(), m.ID, 0, 10)
	if err != nil || len(list) != 1 || list[0].Event.Kind != ideas.EventKind("") {
		t.Errorf("notices %+v, error %v", list, err)
	}
}
