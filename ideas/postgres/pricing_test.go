package postgres

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rules"
)

// A changed policy is priced on what has happened, and nothing is written.
func TestPriceRewardPolicy(t *testing.T) {
	r := openRewarded(t, control.RewardPolicy{
		Rules:  []control.RewardRule{{Name: "voted", Event: "idea.supported", Points: 1}},
		Levels: []control.Level{{Name: "a", Title: title, Points: 2}, {Name: "b", Title: title, Points: 9}},
		Badges: []control.Badge{{Name: "fan", Title: title, Event: "idea.supported", Count: 2}},
	})
	author, fan := r.member("author"), r.member("fan")
	first, second := r.idea(author), r.idea(author)
	support := func(kind ideas.EventKind, idea int64, change int) {
		r.count("WITH x AS (UPDATE tally SET supporters = supporters + $2 WHERE idea_id = $1 RETURNING 1) SELECT count(*) FROM x", idea, change)
		r.happen(ideas.Event{Kind: kind, Actor: fan, Idea: idea})
	}
	support(ideas.EventIdeaSupported, first, 1)
	support(ideas.EventIdeaSupported, second, 1)
	support(ideas.EventIdeaUnsupported, second, -1)
	support(ideas.EventIdeaSupported, second, 1)
	r.happen(ideas.Event{Kind: ideas.EventIdeaSelected, Actor: fan, Idea: first})
	rows := r.count("SELECT count(*) FROM points_entry")
	got, err := r.PriceRewardPolicy(t.Context(), "community", control.RewardPolicy{
		Rules: []control.RewardRule{
			{Name: "voted", Event: "idea.supported", Points: 1, DailyCap: 1},
			{Name: "liked", Event: "idea.supported", Points: 5, To: "author", Condition: "idea.supporters == 1"},
			{Name: "chosen", Event: "idea.selected", Points: 10},
		},
		Levels: []control.Level{{Name: "a", Title: title, Points: 2}, {Name: "c", Title: title, Points: 15}},
		Badges: []control.Badge{{Name: "fan", Title: title, Event: "idea.supported", Count: 3}, {Name: "chosen", Title: title, Event: "idea.selected"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := rules.Pricing{
		Members: 2, PointsBefore: 2, PointsAfter: 21, Risen: 1, Fallen: 1,
		Levels: []rules.LevelPrice{{Before: 1, After: 1}, {Level: 1, Name: "a", Before: 1}, {Level: 2, Name: "c", After: 1}},
		Badges: []rules.BadgePrice{{Name: "fan", Before: 1}, {Name: "chosen", After: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if now := r.count("SELECT count(*) FROM points_entry"); now != rows || r.level(author) != 0 {
		t.Error("pricing has written something")
	}
	_, err = r.PriceRewardPolicy(t.Context(), "community", control.RewardPolicy{Rules: []control.RewardRule{{Name: "x", Event: "idea.supported", Points: 1, Condition: "1"}}})
	if faults := (rules.Errors)(nil); !errors.As(err, &faults) {
		t.Errorf("a policy at fault is priced: %v", err)
	}
}

// Pricing the policy in force finds what the ledger has, whatever has happened.
func TestPricingAgreesWithLedger(t *testing.T) {
	policy := control.RewardPolicy{
		Rules: []control.RewardRule{
			{Name: "voted", Event: "idea.supported", Points: 2, DailyCap: 5}, {Name: "liked", Event: "idea.supported", Points: 3, To: "author", Condition: "!event.self && idea.supporters > 1"},
			{Name: "said", Event: "comment.published", Points: 1, Condition: "idea.comments < 4"}, {Name: "published", Event: "idea.published", Points: 7},
		},
		Levels: []control.Level{{Name: "a", Title: title, Points: 6}, {Name: "b", Title: title, Points: 12}},
		Badges: []control.Badge{{Name: "liked", Title: title, Event: "idea.supported", Count: 2, To: "author", Condition: "idea.supporters > 1"}},
	}
	r := openRewarded(t, policy)
	var members, written []int64
	for i := range 4 {
		members = append(members, r.member(fmt.Sprint("m", i)))
		written = append(written, r.idea(members[i/2]))
	}
	// While events are recorded, nobody recognises: batches then wait in the order in which they were claimed.
	pool, err := r.Store.db()
	if err != nil {
		t.Fatal(err)
	}
	holder, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Release()
	hold := func(call string) {
		if _, err := holder.Exec(t.Context(), "SELECT "+call+"($1)", recognitionLock); err != nil {
			t.Fatal(err)
		}
	}
	settle := func() {
		hold("pg_advisory_unlock")
		r.settle()
		hold("pg_advisory_lock")
	}
	hold("pg_advisory_lock")
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 12).Draw(rt, "events") {
			member, idea := rapid.SampledFrom(members).Draw(rt, "member"), rapid.SampledFrom(written).Draw(rt, "idea")
			switch rapid.SampledFrom([]string{"support", "comment", "publish", "dispatch"}).Draw(rt, "what") {
			case "support":
				// The page's own way: it records the event and counts in one transaction.
				supports := r.count("SELECT count(*) FROM support WHERE idea_id = $1 AND member_id = $2", idea, member) == 0
				if _, err := r.SetSupport(t.Context(), member, idea, supports); err != nil {
					rt.Fatal(err)
				}
			case "comment":
				err := r.transact(t.Context(), "comment", func(tx pgx.Tx) error {
					if _, err := tx.Exec(t.Context(), "UPDATE tally SET comments = comments + 1 WHERE idea_id = $1", idea); err != nil {
						return err
					}
					return r.recordEvents(t.Context(), tx, ideas.Event{Kind: ideas.EventCommentPublished, Actor: member, Idea: idea})
				})
				if err != nil {
					rt.Fatal(err)
				}
			case "publish":
				r.record(ideas.Event{Kind: ideas.EventIdeaPublished, Actor: member, Idea: idea})
			case "dispatch":
				settle()
			}
		}
		settle()
		got, err := r.PriceRewardPolicy(t.Context(), "community", policy)
		if err != nil {
			rt.Fatal(err)
		}
		if got.PointsBefore != got.PointsAfter || got.Risen+got.Fallen != 0 || got.Badges[0].Before != got.Badges[0].After {
			rt.Fatalf("the ledger and the pricing of the same policy differ: %+v", got)
		}
	})
}
