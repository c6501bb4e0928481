package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// rewarded is a store with a policy in force, and what tests do with it.
type rewarded struct {
	*Store
	t  testing.TB
	db *testutil.PostgresDatabase
}

func (r rewarded) declare(generation int64, p control.RewardPolicy) {
	r.t.Helper()
	if _, _, err := r.DeclareRewardPolicy(r.t.Context(), control.Object[control.RewardPolicy]{UID: "p", Name: "community", Generation: generation, Spec: p}); err != nil {
		r.t.Fatal(err)
	}
}

// count runs a query on the store's own connections, which is quicker than opening one.
func (r rewarded) count(query string, args ...any) int64 {
	r.t.Helper()
	pool, err := r.Store.db()
	if err != nil {
		r.t.Fatal(err)
	}
	var n int64
	if err := pool.QueryRow(context.Background(), query, args...).Scan(&n); err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (r rewarded) member(name string) int64 {
	return r.count("INSERT INTO member (email, name, locale) VALUES ($1 || '@brand.example', $1, 'en') RETURNING id", name)
}

func (r rewarded) idea(author int64) int64 {
	return r.count("INSERT INTO idea (author_id, slug, title, body, state) VALUES ($1, 'tent', 'A tent', 'Light.', 'gathering') RETURNING id", author)
}

// happen records events and waits until they are dispatched.
func (r rewarded) happen(events ...ideas.Event) {
	r.t.Helper()
	if err := r.transact(r.t.Context(), "record", func(tx pgx.Tx) error { return r.recordEvents(r.t.Context(), tx, events...) }); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
}

func (r rewarded) settle() {
	r.t.Helper()
	for r.count("SELECT count(*) FROM event WHERE NOT dispatched") > 0 {
		if _, err := r.DispatchEvents(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
	if failed := r.count("SELECT count(*) FROM event WHERE attempts > 0"); failed > 0 {
		r.t.Fatalf("%d events could not be dispatched", failed)
	}
}

func (r rewarded) points(member int64) int64 {
	return r.count("SELECT coalesce(sum(points), 0) FROM points_total WHERE kind = 'all' AND member_id = $1", member)
}

func (r rewarded) level(member int64) int64 {
	return r.count("SELECT level FROM member WHERE id = $1", member)
}

func openRewarded(t *testing.T, p control.RewardPolicy) rewarded {
	t.Helper()
	s, db := openInside(t)
	r := rewarded{s, t, db}
	r.declare(1, p)
	return r
}

var title = map[string]string{"en": "x", "fr": "x"}

func TestPointsFollowEvents(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{
		Rules: []control.RewardRule{
			{Name: "published", Event: "idea.published", Points: 10, DailyCap: 15},
			{Name: "supported", Event: "idea.supported", Condition: "!event.self", Points: 2, To: "author"},
			{Name: "voted", Event: "idea.supported", Points: 1},
			{Name: "tenth", Event: "idea.supported", Condition: "idea.supporters == 10", Points: 50, To: "author"},
			{Name: "chosen", Event: "idea.selected", Points: 100},
			{Name: "named", Event: "member.mentioned", Points: 3, To: "subject"},
			{Name: "chosen-to-test", Event: "application.selected", Points: 1000},
			{Name: "rung", Event: "idea.rung_reached", Condition: "event.value == 2", Points: 10_000},
			{Name: "fails", Event: "comment.published", Condition: "1 / idea.comments == 1", Points: 1},
		},
		Levels: []control.Level{{Name: "a", Title: title, Points: 10}, {Name: "b", Title: title, Points: 110}},
		Badges: []control.Badge{{Name: "beloved", Title: title, Event: "idea.supported", Count: 3, To: "author"}},
	})
	author, fan, team := r.member("author"), r.member("fan"), r.member("team")
	idea := r.idea(author)
	for i, step := range []struct {
		name                        string
		event                       ideas.Event
		author, fan, team           int64
		level, badges, badgeNotices int64
	}{
		{"published by a moderator", ideas.Event{Kind: ideas.EventIdeaPublished, Actor: team, Idea: idea}, 10, 0, 0, 1, 0, 0},
		{"what is left of the cap", ideas.Event{Kind: ideas.EventIdeaPublished, Actor: author, Idea: idea}, 15, 0, 0, 1, 0, 0},
		{"the cap is used up", ideas.Event{Kind: ideas.EventIdeaPublished, Actor: author, Idea: idea}, 15, 0, 0, 1, 0, 0},
		{"support", ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: idea}, 17, 1, 0, 1, 0, 0},
		{"withdrawn", ideas.Event{Kind: ideas.EventIdeaUnsupported, Actor: fan, Idea: idea}, 15, 0, 0, 1, 0, 0},
		{"withdrawn again", ideas.Event{Kind: ideas.EventIdeaUnsupported, Actor: fan, Idea: idea}, 15, 0, 0, 1, 0, 0},
		{"given again", ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: idea}, 17, 1, 0, 1, 0, 0},
		{"the author's own", ideas.Event{Kind: ideas.EventIdeaSupported, Actor: author, Idea: idea}, 18, 1, 0, 1, 0, 0},
		{"the tenth", ideas.Event{Kind: ideas.EventIdeaSupported, Actor: team, Idea: idea}, 70, 1, 1, 1, 1, 1},
		{"selected by the team", ideas.Event{Kind: ideas.EventIdeaSelected, Actor: team, Idea: idea}, 170, 1, 1, 2, 1, 1},
		{"mentioned", ideas.Event{Kind: ideas.EventMentioned, Actor: author, Subject: fan}, 170, 4, 1, 2, 1, 1},
		{"selected to take part", ideas.Event{Kind: ideas.EventApplicationSelected, Actor: team, Subject: fan}, 170, 1004, 1, 2, 1, 1},
		{"the second rung", ideas.Event{Kind: ideas.EventRungReached, Idea: idea, Data: map[string]any{"rung": 2}}, 10_170, 1004, 1, 2, 1, 1},
		{"a condition that fails", ideas.Event{Kind: ideas.EventCommentPublished, Actor: fan, Idea: idea}, 10_170, 1004, 1, 2, 1, 1},
		{"somebody who is gone", ideas.Event{Kind: ideas.EventIdeaSupported, Actor: 999, Idea: idea}, 10_172, 1004, 1, 2, 1, 1},
		{"an idea that is gone", ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: 999}, 10_172, 1005, 1, 2, 1, 1},
	} {
		if step.event.Kind == ideas.EventIdeaSupported {
			supporters := map[string]int{"the tenth": 10}[step.name]
			r.count("WITH x AS (UPDATE tally SET supporters = $2 WHERE idea_id = $1 RETURNING 1) SELECT count(*) FROM x", idea, supporters)
		}
		r.happen(step.event)
		got := fmt.Sprint(r.points(author), r.points(fan), r.points(team), r.level(author),
			r.count("SELECT count(*) FROM badge_award WHERE member_id = $1", author),
			r.count("SELECT count(*) FROM event WHERE kind = 'badge.awarded' AND subject_id = $1 AND data->>'badge' = 'beloved'", author))
		if want := fmt.Sprint(step.author, step.fan, step.team, step.level, step.badges, step.badgeNotices); got != want {
			t.Errorf("step %d, %s: author, fan, team, level, badges, notices are %s, want %s", i, step.name, got, want)
		}
	}
	if got := r.count("SELECT count(*) FROM event WHERE kind = 'level.reached' AND subject_id = $1", author); got != 2 {
		t.Errorf("the author was told of %d levels, want 2", got)
	}
	entries, err := r.PointsEntries(t.Context(), fan, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range entries {
		told = append(told, fmt.Sprint(e.Rule, " ", e.Points, " ", e.Idea.Title))
	}
	want := []string{"voted 1 ", "chosen-to-test 1000 ", "named 3 ", "voted 1 A tent", "voted -1 A tent", "voted 1 A tent"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	state, err := r.ObserveRewardPolicy(t.Context(), "p")
	if err != nil || state.PointsIssued != r.points(author)+r.points(fan)+r.points(team) || state.Members != 3 || state.InForce.Generation != 1 {
		t.Errorf("the policy's state is %+v, %v", state, err)
	}
	older, err := r.PointsEntries(t.Context(), fan, entries[2].ID, 1)
	if err != nil || len(older) != 1 || older[0].ID != entries[3].ID {
		t.Errorf("the page after the third entry is %v, %v", older, err)
	}
}

// Each event sees the counts of its own moment, however many were dispatched together, and all authors are credited.
func TestPointsSeeTheirMoment(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{Rules: []control.RewardRule{
		{Name: "third", Event: "idea.supported", Condition: "idea.supporters == 3", Points: 50},
		{Name: "liked", Event: "idea.supported", Condition: "'camp' in idea.tags", Points: 1, To: "author"},
		{Name: "second", Event: "comment.published", Condition: "idea.comments == 2", Points: 7},
	}})
	author, second, invited := r.member("author"), r.member("second"), r.member("invited")
	idea := r.idea(author)
	r.count("WITH x AS (UPDATE idea SET tags = '{camp}' WHERE id = $1 RETURNING 1) SELECT count(*) FROM x", idea)
	r.count(`WITH x AS (INSERT INTO co_author (idea_id, member_id, state, invited_at) VALUES ($1, $2, 'accepted', now()), ($1, $3, 'invited', now()) RETURNING 1)
		SELECT count(*) FROM x`, idea, second, invited)
	var fans []int64
	var events []ideas.Event
	for i := range 5 {
		fans = append(fans, r.member(fmt.Sprint("fan", i)))
		events = append(events, ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fans[i], Idea: idea}, ideas.Event{Kind: ideas.EventCommentPublished, Actor: fans[i], Idea: idea})
	}
	r.count("WITH x AS (UPDATE tally SET supporters = 5, comments = 5 WHERE idea_id = $1 RETURNING 1) SELECT count(*) FROM x", idea)
	r.happen(events...)
	var got []int64
	for _, m := range append(fans, author, second, invited) {
		got = append(got, r.points(m))
	}
	if diff := cmp.Diff([]int64{0, 7, 50, 0, 0, 5, 5, 0}, got); diff != "" {
		t.Error(diff)
	}
}

// A batch counts its own events for caps, counts and levels, and what a batch takes back it may have given itself.
func TestPointsOfOneBatch(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{
		Rules:  []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 4, DailyCap: 10}},
		Badges: []control.Badge{{Name: "three", Title: title, Event: "idea.supported", Count: 3}},
		Levels: []control.Level{{Name: "a", Title: title, Points: 10}},
	})
	fan := r.member("fan")
	var events []ideas.Event
	for i := range int64(5) {
		idea := r.idea(fan)
		events = append(events, ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: idea})
		if i == 0 {
			events = append(events, ideas.Event{Kind: ideas.EventIdeaUnsupported, Actor: fan, Idea: idea})
		}
	}
	r.happen(events[:4]...)
	if points, badges := r.points(fan), r.count("SELECT count(*) FROM badge_award"); points != 8 || badges != 0 || r.level(fan) != 0 {
		t.Errorf("after two that count: %d points, %d badges, level %d", points, badges, r.level(fan))
	}
	r.happen(events[4:]...)
	if points, badges := r.points(fan), r.count("SELECT count(*) FROM badge_award"); points != 10 || badges != 1 || r.level(fan) != 1 {
		t.Errorf("after four that count: %d points, %d badges, level %d", points, badges, r.level(fan))
	}
	if steps := r.count("SELECT count(*) FROM badge_step"); steps != 0 {
		t.Errorf("%d steps are left of a badge that was awarded", steps)
	}
}

// Replicas may dispatch a withdrawal before the support that it withdraws, which then gives nothing.
func TestSupportAfterItsWithdrawal(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{
		Rules:  []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 4}},
		Badges: []control.Badge{{Name: "fan", Title: title, Event: "idea.supported"}},
	})
	fan, other := r.member("fan"), r.member("other")
	idea := r.idea(other)
	ctx := t.Context()
	err := r.transact(ctx, "support", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `INSERT INTO event (kind, actor_id, idea_id, dispatched) VALUES ('idea.supported', $1, $3, false), ('idea.supported', $2, $3, false),
			('idea.unsupported', $1, $3, true) RETURNING id`, fan, other, idea)
		if err == nil {
			_, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.settle()
	if got := fmt.Sprint(r.points(fan), r.points(other), r.count("SELECT count(*) FROM badge_award")); got != "0 4 1" {
		t.Errorf("points of who withdrew and of who did not, and badges, are %s, want 0 4 1", got)
	}
	r.happen(ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: idea})
	if got := r.points(fan); got != 4 {
		t.Errorf("support that was given again gives %d points", got)
	}
}

// Days and months are those of the community, and a challenge that names a policy follows that one.
func TestPointsByPolicyAndZone(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{Rules: []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 1}}})
	ctx := t.Context()
	if _, _, err := r.Declare(ctx, control.Declaration{UID: "c", Generation: 1, Settings: control.Settings{Locales: []string{"en"}, TimeZone: "Pacific/Auckland"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.DeclareRewardPolicy(ctx, control.Object[control.RewardPolicy]{UID: "q", Name: "contest", Generation: 5, Spec: control.RewardPolicy{
		Rules: []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 7, Condition: "challenge.name == 'summer'"}},
	}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.DeclareRewardPolicy(ctx, control.Object[control.RewardPolicy]{UID: "m", Name: "missing", Generation: 1}); err != nil {
		t.Fatal(err)
	}
	for name, policy := range map[string]string{"summer": "contest", "winter": "missing"} {
		if _, _, err := r.DeclareChallenge(ctx, control.Object[control.Challenge]{UID: name, Name: name, Generation: 1, Spec: control.Challenge{
			Type: control.TypeContest, Title: title, RewardPolicy: policy,
		}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.WithdrawRewardPolicy(ctx, "m"); err != nil {
		t.Fatal(err)
	}
	fan := r.member("fan")
	idea := r.idea(fan)
	summer, winter := r.Programme(ctx).Challenge("summer").ID, r.Programme(ctx).Challenge("winter").ID
	r.happen(ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: idea}, ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: idea, Challenge: summer},
		ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: idea, Challenge: winter})
	r.count(`WITH x AS (INSERT INTO event (kind, actor_id, idea_id, at) SELECT 'idea.supported', $1, $2, at
		FROM unnest('{2026-12-31T10:59:59Z,2026-12-31T11:00:00Z}'::timestamptz[]) at RETURNING 1) SELECT count(*) FROM x`, fan, idea)
	r.settle()
	for query, want := range map[string]int64{
		"SELECT sum(points) FROM points_total WHERE kind = 'all'":                                                  10,
		fmt.Sprintf("SELECT points FROM points_total WHERE kind = 'challenge' AND scope = %d", summer):             7,
		"SELECT points FROM points_total WHERE kind = 'month' AND scope = 202612":                                  1,
		"SELECT points FROM points_total WHERE kind = 'month' AND scope = 202701":                                  1,
		"SELECT policy_generation FROM points_entry WHERE policy_uid = 'q'":                                        5,
		"SELECT count(*) FROM points_entry WHERE policy_uid = 'p' AND policy_generation = 1":                       3,
		fmt.Sprintf("SELECT count(*) FROM points_total WHERE kind = 'challenge' AND scope IN (%d, %d)", winter, 0): 0,
	} {
		if got := r.count(query); got != want {
			t.Errorf("%s gives %d, want %d", query, got, want)
		}
	}
}

// Another policy brings all levels in line at once, and a withdrawn one takes them away; points stay.
func TestLevelsFollowPolicy(t *testing.T) {
	voted := []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 5}}
	r := openRewarded(t, control.RewardPolicy{Rules: voted, Levels: []control.Level{{Name: "a", Title: title, Points: 5}}})
	fan := r.member("fan")
	r.happen(ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: r.idea(fan)})
	for generation, tc := range []struct {
		levels []control.Level
		want   int64
	}{{[]control.Level{{Name: "a", Title: title, Points: 2}, {Name: "b", Title: title, Points: 5}, {Name: "c", Title: title, Points: 6}}, 2}, {nil, 0}, {[]control.Level{{Name: "a", Title: title, Points: 5}}, 1}} {
		r.declare(int64(generation)+2, control.RewardPolicy{Rules: voted, Levels: tc.levels})
		if got := r.level(fan); got != tc.want {
			t.Errorf("with levels %v the member has %d, want %d", tc.levels, got, tc.want)
		}
	}
	if err := r.WithdrawRewardPolicy(t.Context(), "p"); err != nil {
		t.Fatal(err)
	}
	if level, points := r.level(fan), r.points(fan); level != 0 || points != 5 {
		t.Errorf("without a policy the member has level %d and %d points", level, points)
	}
}

// The winners of a decided challenge are promised what the policy has for their ranks, once.
func TestAwardPrizes(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{Currency: "EUR", Prizes: []control.Prize{{FromRank: 1, Title: title, Amount: 101}, {FromRank: 1, ToRank: 2, Title: title}}})
	ctx := t.Context()
	if _, _, err := r.DeclareChallenge(ctx, control.Object[control.Challenge]{UID: "c", Name: "c", Generation: 1, Spec: control.Challenge{Type: control.TypeContest, Title: title}}); err != nil {
		t.Fatal(err)
	}
	challenge := r.Programme(ctx).Challenge("c").ID
	author, second, other := r.member("author"), r.member("second"), r.member("other")
	first, next := r.idea(author), r.idea(other)
	r.count("WITH x AS (INSERT INTO co_author (idea_id, member_id, state, invited_at) VALUES ($1, $2, 'accepted', now()) RETURNING 1) SELECT count(*) FROM x", first, second)
	for range 2 {
		err := r.transact(ctx, "award", func(tx pgx.Tx) error {
			return r.awardPrizes(ctx, tx, r.Programme(ctx), challenge, []ideas.Winner{{Idea: first, Rank: 1}, {Idea: next, Rank: 2}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	prizes, err := r.Prizes(ctx, 50)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range prizes {
		got = append(got, fmt.Sprint(p.Member.Name, " ", p.Rank, " ", p.Amount, p.Currency, " ", p.State))
	}
	want := []string{"author 1 51EUR promised", "second 1 50EUR promised", "author 1 0 promised", "second 1 0 promised", "other 2 0 promised"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if told := r.count("SELECT count(*) FROM event WHERE kind = 'prize.promised'"); told != 5 {
		t.Errorf("winners are told of %d prizes, want 5", told)
	}
}

// A contest whose policy was withdrawn gives the prizes that its members entered for, and no others are put in their place.
func TestPrizesOfAWithdrawnPolicy(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{Currency: "EUR", Prizes: []control.Prize{{FromRank: 1, Title: title, Amount: 1}}})
	ctx := t.Context()
	named := control.Object[control.RewardPolicy]{UID: "q", Name: "contest", Generation: 1, Spec: control.RewardPolicy{
		Currency: "EUR", Prizes: []control.Prize{{FromRank: 1, Title: title, Amount: 500}},
	}}
	if _, _, err := r.DeclareRewardPolicy(ctx, named); err != nil {
		t.Fatal(err)
	}
	_, _, err := r.DeclareChallenge(ctx, control.Object[control.Challenge]{UID: "c", Name: "c", Generation: 1, Spec: control.Challenge{
		Type: control.TypeContest, Title: title, RewardPolicy: "contest",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.WithdrawRewardPolicy(ctx, "q"); err != nil {
		t.Fatal(err)
	}
	lesser := named
	lesser.UID, lesser.Spec.Prizes = "q2", []control.Prize{{FromRank: 1, Title: title, Amount: 5}}
	var refused *ideas.RefusedError
	if _, _, err := r.DeclareRewardPolicy(ctx, lesser); !errors.As(err, &refused) || refused.Refusals[0].Field != "spec.prizes[0].amount" {
		t.Errorf("lesser prizes under the name of the withdrawn policy: %v", err)
	}
	idea := r.idea(r.member("author"))
	err = r.transact(ctx, "award", func(tx pgx.Tx) error {
		return r.awardPrizes(ctx, tx, r.Programme(ctx), r.Programme(ctx).Challenge("c").ID, []ideas.Winner{{Idea: idea, Rank: 1}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.count("SELECT sum(amount) FROM prize_award WHERE policy_uid = 'q'"); got != 500 {
		t.Errorf("the winner is promised %d, want 500", got)
	}
}

// The ledger takes rows and gives none back; erasure unlinks people and nothing else.
func TestLedgerIsAppendOnly(t *testing.T) {
	ctx := t.Context()
	r := openRewarded(t, control.RewardPolicy{Rules: []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 5}}})
	fan, other := r.member("fan"), r.member("other")
	r.happen(ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: r.idea(other)})
	for name, change := range map[string]string{
		"points":         "UPDATE points_entry SET points = 500",
		"another member": fmt.Sprintf("UPDATE points_entry SET member_id = %d", other),
		"unlinking more": "UPDATE points_entry SET member_id = NULL, points = 1",
		"removal":        "DELETE FROM points_entry",
		"all":            "TRUNCATE points_entry",
	} {
		err := r.transact(ctx, name, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, change); return err })
		if err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("the ledger let %s pass: %v", name, err)
		}
	}
	err := r.transact(ctx, "erase", func(tx pgx.Tx) error {
		_, err := r.eraseMember(ctx, tx, fan, ideas.ContributionsRemoved)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if entries, totals := r.count("SELECT count(*) FROM points_entry WHERE points = 5 AND member_id IS NULL AND actor_id IS NULL"),
		r.count("SELECT count(*) FROM points_total"); entries != 1 || totals != 0 {
		t.Errorf("after erasure there are %d unlinked entries and %d totals, want 1 and 0", entries, totals)
	}
	r.happen(ideas.Event{Kind: ideas.EventIdeaSupported, Actor: fan, Idea: r.idea(other)})
	if points := r.points(fan); points != 0 {
		t.Errorf("somebody who was erased got %d points", points)
	}
}

// No sequence of what members and the brand do breaks the ledger: a member's totals are the sums of the entries, nothing
// counts twice however often it is delivered, and support that was withdrawn leaves nothing.
func TestLedgerHolds(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{})
	generation := int64(1)
	policies := []control.RewardPolicy{
		{Rules: []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 1}, {Name: "liked", Event: "idea.supported", Points: 3, To: "author"}, {Name: "said", Event: "comment.published", Points: 2, DailyCap: 5}}},
		{Rules: []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 4}, {Name: "said", Event: "comment.published", Points: 5, DailyCap: 5}}, Levels: []control.Level{{Name: "a", Title: title, Points: 8}, {Name: "b", Title: title, Points: 20}}},
		{Badges: []control.Badge{{Name: "three", Title: title, Event: "idea.supported", Count: 3, To: "author"}}},
	}
	rapid.Check(t, func(rt *rapid.T) {
		var members, written []int64
		for i := range 3 {
			members = append(members, r.member(fmt.Sprintf("m%d.%d", generation, i)+fmt.Sprint(time.Now().UnixNano())))
		}
		for _, m := range members[:2] {
			written = append(written, r.idea(m))
		}
		first := r.count("SELECT coalesce(max(id), 0) FROM event")
		supports := map[[2]int64]bool{}
		erased := map[int64]bool{}
		actions := map[string]func(*rapid.T){
			"support": func(rt *rapid.T) {
				key := [2]int64{rapid.SampledFrom(members).Draw(rt, "member"), rapid.SampledFrom(written).Draw(rt, "idea")}
				if erased[key[0]] {
					return
				}
				kind := ideas.EventIdeaSupported
				if supports[key] {
					kind = ideas.EventIdeaUnsupported
				}
				supports[key] = !supports[key]
				r.record(ideas.Event{Kind: kind, Actor: key[0], Idea: key[1]})
			},
			"comment": func(rt *rapid.T) {
				r.record(ideas.Event{Kind: ideas.EventCommentPublished, Actor: rapid.SampledFrom(members).Draw(rt, "member"), Idea: rapid.SampledFrom(written).Draw(rt, "idea")})
			},
			"dispatch": func(*rapid.T) { r.settle() },
			"redeliver": func(*rapid.T) {
				r.count("WITH x AS (UPDATE event SET dispatched = false WHERE id > $1 RETURNING 1) SELECT count(*) FROM x", first)
			},
			"policy": func(rt *rapid.T) {
				r.settle()
				generation++
				r.declare(generation, rapid.SampledFrom(policies).Draw(rt, "policy"))
			},
			"list": func(rt *rapid.T) {
				if err := r.SetListed(t.Context(), rapid.SampledFrom(members).Draw(rt, "member"), rapid.Bool().Draw(rt, "listed")); err != nil {
					rt.Fatal(err)
				}
			},
			"erase": func(rt *rapid.T) {
				m := rapid.SampledFrom(members).Draw(rt, "member")
				r.settle()
				if rapid.IntRange(0, 3).Draw(rt, "really") > 0 {
					return
				}
				erased[m] = true
				ctx := context.Background()
				err := r.transact(ctx, "unlink", func(tx pgx.Tx) error {
					for _, table := range recognitionTables() {
						if _, err := table.erase(ctx, tx, m, false); err != nil {
							return err
						}
					}
					_, err := tx.Exec(ctx, "UPDATE member SET level = 0 WHERE id = $1", m)
					return err
				})
				if err != nil {
					rt.Fatal(err)
				}
			},
			"": func(rt *rapid.T) { r.consistent(rt) },
		}
		rt.Repeat(actions)
		r.settle()
		for key, is := range supports {
			if is {
				r.record(ideas.Event{Kind: ideas.EventIdeaUnsupported, Actor: key[0], Idea: key[1]})
			}
		}
		r.settle()
		r.consistent(rt)
		if left := r.count(`SELECT count(*) FROM (SELECT FROM points_entry WHERE event_id > $1 AND kind LIKE 'idea.%supported' AND member_id IS NOT NULL AND actor_id IS NOT NULL
			GROUP BY idea_id, actor_id, member_id HAVING sum(points) <> 0) x`, first); left > 0 {
			rt.Fatalf("%d supports that were withdrawn have left points", left)
		}
	})
}

func (r rewarded) record(events ...ideas.Event) {
	if err := r.transact(context.Background(), "record", func(tx pgx.Tx) error { return r.recordEvents(context.Background(), tx, events...) }); err != nil {
		r.t.Fatal(err)
	}
}

// consistent checks what always holds, in one query: it is asked after every action.
func (r rewarded) consistent(rt *rapid.T) {
	var queries []string
	for what, query := range map[string]string{
		"totals that are not the sum of their entries": `SELECT count(*) FROM
			(SELECT member_id, sum(points) AS n FROM points_entry WHERE member_id IS NOT NULL GROUP BY 1) e
			FULL JOIN (SELECT member_id, points AS n FROM points_total WHERE kind = 'all') t USING (member_id) WHERE e.n IS DISTINCT FROM t.n`,
		"months that are not the sum of their entries": `SELECT count(*) FROM
			(SELECT member_id, to_char(day, 'YYYYMM')::bigint AS scope, sum(points) AS n FROM points_entry WHERE member_id IS NOT NULL GROUP BY 1, 2) e
			FULL JOIN (SELECT member_id, scope, points AS n FROM points_total WHERE kind = 'month') t USING (member_id, scope) WHERE e.n IS DISTINCT FROM t.n`,
		"days above a cap of 5": `SELECT count(*) FROM (SELECT FROM points_entry WHERE rule = 'said' AND member_id IS NOT NULL
			GROUP BY member_id, day HAVING sum(points) > 5) x`,
		"events that count twice":                           `SELECT count(*) FROM (SELECT FROM points_entry WHERE member_id IS NOT NULL GROUP BY event_id, rule, member_id HAVING count(*) > 1) x`,
		"points issued that are not the sum of the entries": `SELECT abs((SELECT coalesce(sum(points), 0) FROM points_entry) - (SELECT coalesce(sum(points), 0) FROM policy_total))`,
		"negative totals":                                   `SELECT count(*) FROM points_total WHERE points < 0`,
		"totals listed otherwise than their member":         `SELECT count(*) FROM points_total t JOIN member m ON m.id = t.member_id WHERE m.listed <> t.listed`,
	} {
		queries = append(queries, fmt.Sprintf("SELECT '%s' AS what, (%s) AS n", what, query))
	}
	if n := r.count("SELECT coalesce(sum(n), 0)::bigint FROM (" + strings.Join(queries, " UNION ALL ") + ") x"); n == 0 {
		return
	}
	for _, query := range queries {
		if n := r.count("SELECT n FROM (" + query + ") x"); n > 0 {
			rt.Fatalf("%d rows: %s", n, query)
		}
	}
}
