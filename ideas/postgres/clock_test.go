package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// After a downtime of weeks every phase is carried out in order and once, however many replicas do it at once.
func TestPhasesAreCarriedOut(t *testing.T) {
	s := openClocked(t)
	declare(t, s.Store, 1, control.House{})
	c := s.declare("contest", contest(nil, func(c *control.Challenge) {
		c.Phases = append(c.Phases, control.Phase{Name: control.PhaseJury, Start: "2027-03-28T03:00"})
	}))
	s.set(time.Date(2027, time.April, 1, 0, 0, 0, 0, time.UTC))
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			if err := s.CarryOut(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	s.carryOut(func() bool { return s.count("SELECT count(*) FROM ideas.challenge WHERE phase = 'jury'") == 1 })
	for range 3 {
		if err := s.CarryOut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := "scheduled>open open>voting voting>between between>jury"
	n := s.count(`SELECT count(*) FROM (SELECT string_agg(data->>'from' || '>' || (data->>'to'), ' ' ORDER BY id) AS all_of_them
		FROM ideas.event WHERE kind = 'challenge.phase' AND challenge_id = $1) e WHERE all_of_them = $2`, c.ID, want)
	if n != 1 {
		t.Errorf("the events are not %s: there are %d", want, s.count("SELECT count(*) FROM ideas.event WHERE kind = 'challenge.phase'"))
	}
	if got := s.count("SELECT count(*) FROM ideas.ballot_result"); got != 1 {
		t.Errorf("%d results", got)
	}
}

// A pause stops everything with a notice, and its end goes on where the clock is.
func TestPauseAndCancellation(t *testing.T) {
	s := openClocked(t)
	people := s.crowd(2, "")
	spec := contest(nil)
	c := s.declare("contest", spec)
	entry := s.enter(c, people[0], 1)[0]
	s.set(toVote)
	s.carryOut(func() bool { return s.count("SELECT count(*) FROM ideas.challenge WHERE phase = 'voting'") == 1 })
	spec.Paused = map[string]string{"en": "Back on Monday."}
	s.declare("contest", spec)
	if _, err := s.SetSupport(t.Context(), people[1].ID, entry, true); barred(err) != ideas.BarredPaused {
		t.Errorf("a vote in the pause: %v", err)
	}
	s.carryOut(func() bool { return s.count("SELECT count(*) FROM ideas.challenge WHERE phase = 'paused'") == 1 })
	spec.Paused = nil
	s.declare("contest", spec)
	if _, err := s.SetSupport(t.Context(), people[1].ID, entry, true); err != nil {
		t.Errorf("a vote after the pause: %v", err)
	}
	s.carryOut(func() bool { return s.count("SELECT count(*) FROM ideas.challenge WHERE phase = 'voting'") == 1 })
	spec.Cancelled = map[string]string{"en": "No longer needed."}
	s.declare("contest", spec)
	s.set(afterVote)
	s.carryOut(func() bool { return s.count("SELECT count(*) FROM ideas.challenge WHERE phase = 'cancelled'") == 1 })
	if got := s.count("SELECT count(*) FROM ideas.ballot_result"); got != 0 {
		t.Error("a cancelled challenge has published a result")
	}
	if got := s.count(`SELECT count(*) FROM ideas.event WHERE kind = 'challenge.phase' AND data->>'to' IN ('paused', 'cancelled')`); got != 2 {
		t.Errorf("%d notices of pause and cancellation, want 2", got)
	}
}

// An idea climbs in time or expires at its deadline by the community's clocks, and begins again at zero.
func TestLadderOfAChallenge(t *testing.T) {
	s := openClocked(t)
	declare(t, s.Store, 1, control.House{AnswerWithinDays: 10})
	people := s.crowd(4, "")
	c := s.declare("ladder", control.Challenge{Type: control.TypeIdeation, Ladder: []control.Rung{{Supporters: 1, Days: 60}, {Supporters: 3, Days: 182}},
		ReviewBatches: []string{"2027-04-01", "2027-12-01"}})
	ids := s.enter(c, people[0], 2)
	climbs, expires := ids[0], ids[1]
	support := func(id int64, members ...ideas.Member) {
		t.Helper()
		for _, m := range members {
			if _, err := s.SetSupport(t.Context(), m.ID, id, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	entry := func(id int64) ideas.Entry {
		t.Helper()
		e, _, err := s.EntryOf(t.Context(), 0, id)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	s.carryOut(func() bool { return !entry(expires).Deadline.IsZero() })
	if got, want := entry(expires).Deadline, time.Date(2027, time.April, 30, 11, 0, 0, 0, time.UTC); !got.Equal(want) { // 13:00 in Paris, an hour earlier than in winter
		t.Errorf("the deadline is %s, want %s", got.UTC(), want)
	}
	support(climbs, people[1])
	s.carryOut(func() bool { return entry(climbs).Rung == 1 })
	support(climbs, people[2], people[3])
	s.pass(20 * 24 * time.Hour)
	s.carryOut(func() bool { return s.stateOf(climbs) == ideas.StateQualified })
	s.set(time.Date(2027, time.March, 31, 21, 59, 59, 0, time.UTC))
	if err := s.CarryOut(t.Context()); err != nil || s.stateOf(climbs) != ideas.StateQualified {
		t.Errorf("a second before the batch it is %s (%v)", s.stateOf(climbs), err)
	}
	s.set(time.Date(2027, time.March, 31, 22, 0, 0, 0, time.UTC)) // midnight in Paris
	s.carryOut(func() bool { return s.stateOf(climbs) == ideas.StateUnderReview })
	s.set(time.Date(2027, time.April, 30, 10, 59, 59, 0, time.UTC))
	if err := s.CarryOut(t.Context()); err != nil || s.stateOf(expires) != ideas.StateGathering {
		t.Errorf("a second before its deadline it is %s (%v)", s.stateOf(expires), err)
	}
	s.set(time.Date(2027, time.April, 30, 11, 0, 0, 0, time.UTC))
	s.carryOut(func() bool { return s.stateOf(expires) == ideas.StateExpired })
	if _, err := s.ResubmitIdea(t.Context(), people[0].ID, expires); err != nil {
		t.Fatal(err)
	}
	s.carryOut(func() bool { return !entry(expires).Deadline.IsZero() })
	if got := entry(expires); got.Rung != 0 || got.Supporters != 0 || got.State != ideas.StateGathering {
		t.Errorf("submitted again it is on rung %d with %d supporters, %s", got.Rung, got.Supporters, got.State)
	}
	if got := s.count("SELECT count(*) FROM ideas.event WHERE kind = 'idea.rung_reached'"); got != 2 {
		t.Errorf("%d rungs were told, want 2", got)
	}
}

// Where a share of those who have seen an idea is asked for, readers are counted once.
func TestShareOfReaders(t *testing.T) {
	s := openClocked(t)
	people := s.crowd(5, "")
	c := s.declare("share", control.Challenge{Type: control.TypeIdeation, Ladder: []control.Rung{{Supporters: 1, Percent: 50}}})
	id := s.enter(c, people[0], 1)[0]
	seen := func(members ...ideas.Member) {
		for _, m := range members {
			s.Saw(m.ID, c, id)
			s.Saw(m.ID, c, id)
		}
		if err := s.WriteViews(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.carryOut(func() bool { return s.count("SELECT count(*) FROM ideas.entry WHERE rung_since IS NOT NULL") == 1 })
	seen(people[1:]...)
	seen(people[1:]...)
	if got := s.count("SELECT seen FROM ideas.entry"); got != 4 {
		t.Fatalf("%d have seen it, want 4", got)
	}
	for i, want := range []ideas.State{ideas.StateGathering, ideas.StateUnderReview} {
		if _, err := s.SetSupport(t.Context(), people[i+1].ID, id, true); err != nil {
			t.Fatal(err)
		}
		if want == ideas.StateGathering {
			if err := s.CarryOut(t.Context()); err != nil {
				t.Fatal(err)
			}
		} else {
			s.carryOut(func() bool { return s.stateOf(id) == want })
		}
		if got := s.stateOf(id); got != want {
			t.Errorf("with %d of four it is %s, want %s", i+1, got, want)
		}
	}
}

// juried is a contest with a jury of two after the vote.
func juried(change ...func(*control.Challenge)) control.Challenge {
	return contest(&control.Ballot{Kind: control.BallotApproval, Shortlist: 2}, append([]func(*control.Challenge){func(c *control.Challenge) {
		c.Phases = append(c.Phases, control.Phase{Name: control.PhaseJury, Start: "2027-03-20T09:00", End: "2027-03-30T09:00"})
		c.Jury = &control.Jury{Members: []string{"First@brand.example", "second@brand.example"}, BallotPercent: 20, Criteria: []control.Criterion{
			{Name: "beauty", Weight: 60}, {Name: "use", Weight: 40, Maximum: 5},
		}}
		c.Winners, c.ExclusiveDays = 2, 90
	}}, change...)...)
}

// A contest to its end: shortlist, jury with a conflict of interest, decision with ranks and reasons, rights returned.
func TestAContestToItsEnd(t *testing.T) {
	s := openClocked(t)
	declareTeam(t, s.Store, 1, control.House{})
	ctx := t.Context()
	c := s.declare("contest", juried())
	next := s.declare("prototypes", control.Challenge{Type: control.TypeIdeation, Origin: "contest", Phases: []control.Phase{{Name: control.PhaseOpen, Start: "2027-04-15T00:00"}}})
	lead, first, second, author := member(t, s.Store, "Lead"), member(t, s.Store, "first"), member(t, s.Store, "second"), member(t, s.Store, "Author")
	entries := s.enter(c, author, 3)
	s.set(toVote)
	one := 1
	for _, v := range []struct {
		who   ideas.Member
		entry int64
	}{{first, entries[0]}, {second, entries[0]}, {first, entries[1]}} {
		if err := s.Vote(ctx, v.who.ID, v.entry, &one); err != nil {
			t.Fatal(err)
		}
	}
	scores := map[string]int{"beauty": 8, "use": 5}
	if err := s.Score(ctx, first.ID, c, entries[0], scores); barred(err) != ideas.BarredPhase {
		t.Errorf("scoring before the jury's phase: %v", err)
	}
	winners := []ideas.Decided{{Entry: entries[1], Rank: 1, Reason: "The brightest."}}
	if err := s.Decide(ctx, lead.ID, c, winners, "All in all.", ""); barred(err) != ideas.BarredPhase {
		t.Errorf("deciding before the vote is over: %v", err)
	}
	s.set(afterVote)
	s.carryOut(func() bool { return s.stateOf(entries[1]) == ideas.StateShortlisted })
	if got := s.stateOf(entries[2]); got != ideas.StateGathering {
		t.Errorf("without a vote it is %s", got)
	}
	// The jury. Nobody but jurors scores, nobody sees another's scores, and who has a conflict is out.
	for name, tc := range map[string]struct {
		who    ideas.Member
		entry  int64
		scores map[string]int
		want   string
	}{
		"no juror":               {author, entries[0], scores, ideas.ErrNotFound.Error()},
		"not shortlisted":        {first, entries[2], scores, "entry"},
		"a criterion is missing": {first, entries[0], map[string]int{"beauty": 8}, "score-use: required"},
		"beyond the scale":       {first, entries[0], map[string]int{"beauty": 8, "use": 6}, "score-use: too_large"},
		"right":                  {first, entries[0], scores, ""},
	} {
		if got := barred(s.Score(ctx, tc.who.ID, c, tc.entry, tc.scores)); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	if state, err := s.Jury(ctx, second.ID, c); err != nil || len(state.Scores) != 0 || len(state.Entries) != 2 {
		t.Errorf("the second juror sees %d scores of %d entries (%v)", len(state.Scores), len(state.Entries), err)
	}
	s.is(ideas.ErrNotFound, func() error { _, err := s.Jury(ctx, author.ID, c); return err }())
	if err := s.DeclareConflict(ctx, first.ID, c, entries[0], true, "My cousin."); err != nil {
		t.Fatal(err)
	}
	if err := s.Score(ctx, first.ID, c, entries[0], scores); barred(err) != ideas.BarredConflict {
		t.Errorf("scoring with a conflict: %v", err)
	}
	if got := s.count("SELECT count(*) FROM ideas.jury_score"); got != 0 {
		t.Error("scores of a juror with a conflict are kept")
	}
	if err := s.write("INSERT INTO ideas.jury_score (idea_id, juror_id, criterion, score, scored_at) VALUES ($1, $2, 'beauty', 9, now())", entries[0], first.ID); err == nil {
		t.Error("the database takes a score of a juror with a conflict")
	}
	for _, entry := range entries[:2] {
		if err := s.Score(ctx, second.ID, c, entry, scores); err != nil {
			t.Fatal(err)
		}
	}
	// The decision.
	s.is(ideas.ErrForbidden, s.Decide(ctx, second.ID, c, winners, "All in all.", ""))
	for name, tc := range map[string]struct {
		winners []ideas.Decided
		reason  string
		want    string
	}{
		"without a reason":        {winners, "", "reason: required"},
		"a winner without reason": {[]ideas.Decided{{Entry: entries[1], Rank: 1}}, "x", fmt.Sprintf("reason-%d: required", entries[1])},
		"of another challenge":    {[]ideas.Decided{{Entry: submit(t, s.Store, author, "Outside").ID, Rank: 1, Reason: "x"}}, "x", ideas.ErrNotFound.Error()},
	} {
		if got := barred(s.Decide(ctx, lead.ID, c, tc.winners, tc.reason, "x")); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	winners = append(winners, ideas.Decided{Entry: entries[0], Rank: 2, Reason: "Close."})
	if err := s.Decide(ctx, lead.ID, c, winners, "All in all.", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Decide(ctx, lead.ID, s.latest("contest"), winners, "Again.", ""); barred(err) != ideas.BarredClosed {
		t.Errorf("deciding again: %v", err)
	}
	s.carryOut(func() bool { return s.stateOf(entries[2]) == ideas.StateNotSelected })
	outcome, err := s.OutcomeOf(ctx, s.latest("contest"))
	if diff := cmp.Diff(winners, outcome.Winners); err != nil || diff != "" || outcome.Reason != "All in all." {
		t.Errorf("outcome %+v, %v\n%s", outcome, err, diff)
	}
	if got := s.latest("contest").PhaseName(*s.now.Load()); got != ideas.PhaseDecided {
		t.Errorf("the phase is %s", got)
	}
	n := s.count(`SELECT count(*) FROM ideas.event WHERE kind = 'challenge.decided' AND data->'ranks' @> jsonb_build_array(jsonb_build_object('idea', $1::bigint, 'rank', 1))`, entries[1])
	if n != 1 {
		t.Errorf("%d events tell of the decision with its ranks", n)
	}
	// The programme goes on with the winners, to the credit of who thought of them.
	s.set(time.Date(2027, time.April, 15, 12, 0, 0, 0, time.UTC))
	s.carryOut(func() bool { return s.count("SELECT count(*) FROM ideas.entry WHERE challenge_id = $1", next.ID) == 2 })
	page, err := s.ListEntries(ctx, 0, s.latest("prototypes"), ideas.EntryQuery{})
	if err != nil || len(page.Entries) != 2 || page.Entries[0].Origin == nil || page.Entries[0].Author.ID != author.ID {
		t.Errorf("what continues: %+v, %v", page.Entries, err)
	}
	if err := s.CarryOut(ctx); err != nil || s.count("SELECT count(*) FROM ideas.entry WHERE challenge_id = $1", next.ID) != 2 {
		t.Error("the winners come along twice")
	}
	// Ninety days after the end the rights of the others return.
	s.set(time.Date(2027, time.June, 28, 6, 59, 59, 0, time.UTC)) // nine o'clock in Paris, ninety days later, is at 7
	if err := s.CarryOut(ctx); err != nil || s.count("SELECT count(*) FROM ideas.entry WHERE released_at IS NOT NULL") != 0 {
		t.Error("the rights have returned too early")
	}
	s.pass(time.Second)
	s.carryOut(func() bool {
		return s.count("SELECT count(*) FROM ideas.event WHERE kind = 'idea.rights_returned'") == 1
	})
	if e, _, err := s.EntryOf(ctx, 0, entries[2]); err != nil || !e.Released {
		t.Errorf("the entry that was not selected is not its author's again: %v", err)
	}
}

// A tie is decided with a reason.
func TestTieAsksForAReason(t *testing.T) {
	s := openClocked(t)
	declareTeam(t, s.Store, 1, control.House{})
	c := s.declare("contest", contest(nil))
	lead, author := member(t, s.Store, "Lead"), member(t, s.Store, "Author")
	entries := s.enter(c, author, 2)
	s.set(afterVote)
	winner := []ideas.Decided{{Entry: entries[0], Rank: 1, Reason: "It is."}}
	var field *ideas.FieldError
	if err := s.Decide(t.Context(), lead.ID, c, winner, "So.", ""); !errors.As(err, &field) || field.Field != "ties" {
		t.Errorf("one of two that stand equal wins without a reason: %v", err)
	}
	if err := s.Decide(t.Context(), lead.ID, c, winner, "So.", "The older one."); err != nil {
		t.Error(err)
	}
}

// What decides a contest is locked once it is open, with the field's name and what to do; the rest may change.
func TestLocks(t *testing.T) {
	s := openClocked(t)
	s.set(time.Date(2027, time.February, 1, 0, 0, 0, 0, time.UTC))
	spec := juried()
	s.declare("contest", spec)
	spec.Winners = 3
	s.declare("contest", spec) // before it opens everything may change
	s.set(toVote)
	for name, tc := range map[string]struct {
		change func(*control.Challenge)
		want   string
	}{
		"eligibility": {func(c *control.Challenge) { c.Eligibility = &control.Eligibility{Level: 1} }, "spec.eligibility"},
		"ballot":      {func(c *control.Challenge) { c.Ballot = &control.Ballot{Kind: control.BallotSupport} }, "spec.ballot.kind"},
		"form":        {func(c *control.Challenge) { c.Form = []control.FormField{{Name: "x"}} }, "spec.form"},
		"jury":        {func(c *control.Challenge) { c.Jury = nil }, "spec.jury"},
		"winners":     {func(c *control.Challenge) { c.Winners = 1 }, "spec.winners"},
		"terms":       {func(c *control.Challenge) { c.Terms = []string{"nda"} }, "spec.terms"},
		"prizes":      {func(c *control.Challenge) { c.RewardPolicy = "other" }, "spec.rewardPolicy"},
		"weight of a criterion": {func(c *control.Challenge) {
			jury := *c.Jury
			jury.Criteria = slices.Clone(jury.Criteria)
			jury.Criteria[0].Weight++
			c.Jury = &jury
		}, "spec.jury.criteria[0].weight"},
		"type":                {func(c *control.Challenge) { c.Type = control.TypeIdeation }, "spec.type"},
		"end of a past phase": {func(c *control.Challenge) { c.Phases[0].End = "2027-03-09T09:00" }, "spec.phases[0].end"},
		"start of this phase": {func(c *control.Challenge) { c.Phases[1].Start = "2027-03-11T09:00" }, "spec.phases[1].start"},
		"this phase left out": {func(c *control.Challenge) { c.Phases = c.Phases[:1] }, "spec.phases"},
		"more time to vote": {func(c *control.Challenge) {
			c.Phases[1].End, c.Phases[2].Start = "2027-03-22T09:00", "2027-03-22T09:00"
		}, ""},
		"another title": {func(c *control.Challenge) { c.Title = map[string]string{"en": "Another"} }, ""},
		"a pause":       {func(c *control.Challenge) { c.Paused = map[string]string{"en": "Later."} }, ""},
		"nothing":       {func(c *control.Challenge) { c.Form = []control.FormField{} }, ""},
	} {
		next := juried()
		next.Winners = 3
		next.Title = map[string]string{"en": "contest"}
		tc.change(&next)
		before := s.count("SELECT generation FROM ideas.challenge")
		_, _, err := s.DeclareChallenge(t.Context(), control.Object[control.Challenge]{UID: "uid-contest", Name: "contest", Generation: before + 1, Spec: next})
		var locked *ideas.RefusedError
		got := ""
		if errors.As(err, &locked) {
			got = locked.Refusals[0].Field
			if !strings.Contains(locked.Refusals[0].Message, "put back") && !strings.Contains(locked.Refusals[0].Message, "declare another") {
				t.Errorf("%s: the refusal does not say what to do: %s", name, locked.Refusals[0].Message)
			}
		} else if err != nil {
			t.Error(err)
		}
		if got != tc.want {
			t.Errorf("%s: refused %q, want %q", name, got, tc.want)
		}
		if after := s.count("SELECT generation FROM ideas.challenge"); (after == before) != (tc.want != "") {
			t.Errorf("%s: generation %d after %d", name, after, before)
		}
	}
}

// The operator observes counts, leaders, shortlist and winners, and nothing of a hidden vote before its close.
func TestObserveAContest(t *testing.T) {
	s := openClocked(t)
	declareTeam(t, s.Store, 1, control.House{})
	c := s.declare("contest", contest(&control.Ballot{Kind: control.BallotScore, Maximum: 5, Hidden: true, Shortlist: 1}))
	lead, author := member(t, s.Store, "Lead"), member(t, s.Store, "Author")
	entries := s.enter(c, author, 2)
	s.set(toVote)
	four := 4
	if err := s.Vote(t.Context(), author.ID, entries[0], &four); err != nil {
		t.Fatal(err)
	}
	observe := func() control.ChallengeState {
		state, err := s.ObserveChallenge(t.Context(), "uid-contest")
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	if got := observe(); got.Ideas != 2 || got.Votes != 1 || got.Participants != 1 || got.Leaders != nil || got.Phase != control.PhaseVoting {
		t.Errorf("before the close: %+v", got)
	}
	s.set(afterVote)
	s.carryOut(func() bool { return observe().ResultSHA256 != "" })
	if err := s.Decide(t.Context(), lead.ID, s.latest("contest"), []ideas.Decided{{Entry: entries[0], Rank: 1, Reason: "Bright."}}, "So.", ""); err != nil {
		t.Fatal(err)
	}
	entry := control.EntryState{Idea: entries[0], Title: "Entry 1", Votes: 1, Points: 4, Rank: 1}
	got := observe()
	for name, list := range map[string][]control.EntryState{"leaders": got.Leaders, "shortlist": got.Shortlist, "winners": got.Winners} {
		if diff := cmp.Diff([]control.EntryState{entry}, list); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got.DecidedAt == nil || got.Phase != ideas.PhaseDecided {
		t.Errorf("after the decision: %+v", got)
	}
}

// Support that comes after a deadline, before the service has looked, is none for that rung: it is dated by the clock
// that deadlines are of.
func TestLateSupportDoesNotClimb(t *testing.T) {
	s := openClocked(t)
	declare(t, s.Store, 1, control.House{})
	people := s.crowd(2, "")
	c := s.declare("ladder", control.Challenge{Type: control.TypeIdeation, Ladder: []control.Rung{{Supporters: 1, Days: 30}}})
	entry := s.enter(c, people[0], 1)[0]
	s.carryOut(func() bool { return s.count("SELECT count(*) FROM ideas.entry WHERE deadline IS NOT NULL") == 1 })
	s.pass(31 * 24 * time.Hour)
	// The service may have looked in between: then it is refused.
	if _, err := s.SetSupport(t.Context(), people[1].ID, entry, true); err != nil && barred(err) != ideas.BarredEntry {
		t.Fatal(err)
	}
	s.carryOut(func() bool { return s.stateOf(entry) != ideas.StateGathering })
	if got := s.stateOf(entry); got != ideas.StateExpired {
		t.Errorf("supported after its deadline it is %s", got)
	}
}

// Challenges cannot continue each other in a circle, whatever way their declarations come and however many come at once.
func TestCirclesOfOriginAreRefused(t *testing.T) {
	s := openClocked(t)
	object := func(uid, name, origin string, generation int64) control.Object[control.Challenge] {
		return control.Object[control.Challenge]{UID: uid, Name: name, Generation: generation, Spec: control.Challenge{Type: control.TypeIdeation, Origin: origin}}
	}
	for _, step := range []struct {
		name    string
		o       control.Object[control.Challenge]
		refused bool
	}{
		{"itself", object("1", "a", "a", 1), true},
		{"one to come", object("1", "a", "b", 1), true},
		{"none", object("3", "c", "", 1), false},
		{"one that is there", object("2", "b", "c", 1), false},
		{"one that has come", object("1", "a", "b", 1), false},
		{"a later generation that closes a circle of three", object("3", "c", "a", 2), true},
		{"one that nobody continues", object("4", "d", "a", 1), false},
	} {
		_, _, err := s.DeclareChallenge(t.Context(), step.o)
		var locked *ideas.RefusedError
		if refused := errors.As(err, &locked); refused != step.refused || err != nil && !refused || refused && locked.Refusals[0].Field != "spec.origin" {
			t.Errorf("%s: %v", step.name, err)
		}
	}
	for i := range 8 {
		if _, _, err := s.DeclareChallenge(t.Context(), object(fmt.Sprint("x", i), fmt.Sprint("x", i), "", 1)); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			_, _, err := s.DeclareChallenge(t.Context(), object(fmt.Sprint("x", i), fmt.Sprint("x", i), fmt.Sprint("x", (i+1)%8), 2))
			if err != nil && !errors.As(err, new(*ideas.RefusedError)) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := s.count("SELECT count(*) FROM ideas.challenge WHERE name LIKE 'x%' AND generation = 2"); got != 7 {
		t.Errorf("%d of 8 challenges that continue each other were accepted at once, want 7", got)
	}
}
