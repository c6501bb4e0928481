package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func TestLeaderboard(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{Rules: []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 5}}})
	ctx := t.Context()
	idea := r.idea(r.member("author"))
	var fans []int64
	for i := range 4 {
		fans = append(fans, r.member(fmt.Sprint("fan", i)))
	}
	for i, votes := range []int{2, 1, 1, 0} {
		for range votes {
			r.happen(ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fans[i], Idea: idea})
		}
	}
	show := func(viewer int64) string {
		t.Helper()
		top, err := r.Leaderboard(ctx, ideas.Board{}, viewer)
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for _, row := range append(top.Rows, top.Own) {
			rows = append(rows, fmt.Sprint(row.Rank, " ", row.Member.Name, " ", row.Points))
		}
		return strings.Join(rows, ", ")
	}
	for _, step := range []struct {
		hide   int
		viewer int64
		want   string
	}{
		{-1, fans[2], "1 fan0 10, 2 fan1 5, 2 fan2 5, 2 fan2 5"},
		{-1, fans[3], "1 fan0 10, 2 fan1 5, 2 fan2 5, 0  0"},
		{-1, 0, "1 fan0 10, 2 fan1 5, 2 fan2 5, 0  0"},
		{0, fans[1], "1 fan1 5, 1 fan2 5, 1 fan1 5"},
		{1, fans[1], "1 fan2 5, 0  0"},
	} {
		if step.hide >= 0 {
			if err := r.SetListed(ctx, fans[step.hide], false); err != nil {
				t.Fatal(err)
			}
		}
		if got := show(step.viewer); got != step.want {
			t.Errorf("the board shows %q, want %q", got, step.want)
		}
	}
	// Points that come later do not bring somebody back who does not want to be named.
	r.happen(ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fans[0], Idea: idea})
	if got, want := show(0), "1 fan2 5, 0  0"; got != want {
		t.Errorf("the board shows %q, want %q", got, want)
	}
	if _, err := r.Leaderboard(ctx, ideas.Board{Month: "2027-13"}, 0); err == nil {
		t.Error("a thirteenth month has a board")
	}
}

// With 100,000 members the top of a board is read from its index, and nothing is sorted.
func TestLeaderboardIsRead(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{})
	ctx := t.Context()
	r.db.Exec(t, `INSERT INTO ideas.member (email, name, locale) SELECT 'm' || n || '@brand.example', 'm' || n, 'en' FROM generate_series(1, 100000) n`,
		`INSERT INTO ideas.points_total (kind, scope, member_id, points, listed) SELECT 'all', 0, id, 1 + id % 5000, id % 10 > 0 FROM ideas.member`,
		"ANALYZE ideas.points_total", "ANALYZE ideas.member")
	pool, err := r.Store.db()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		query string
		args  []any
	}{
		"top":  {boardQuery, []any{"all", 0, ideas.BoardRows}},
		"own":  {ownPlaceQuery, []any{"all", 0, 5_000, ideas.MaxRank - 1}},
		"last": {ownPlaceQuery, []any{"all", 0, 1, ideas.MaxRank - 1}},
	} {
		rows, err := pool.Query(ctx, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "+tc.query, tc.args...)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		if strings.Contains(plan, "Seq Scan on points_total") || !strings.Contains(plan, "points_total_board") {
			t.Errorf("%s does not follow the board's index:\n%s", name, plan)
		}
	}
	top, err := r.Leaderboard(ctx, ideas.Board{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{ideas.BoardRows, 1, 0}, []int{len(top.Rows), top.Rows[0].Rank, top.Own.Rank}); diff != "" {
		t.Errorf("rows, first rank, and the rank of somebody beyond the last that is counted: %s", diff)
	}
}
