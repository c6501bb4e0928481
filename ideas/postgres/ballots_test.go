package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// contest is a challenge of 1 to 31 March 2027: entries, then votes, then a jury where one is given.
func contest(ballot *control.Ballot, change ...func(*control.Challenge)) control.Challenge {
	c := control.Challenge{Type: control.TypeContest, Ballot: ballot, Phases: []control.Phase{
		{Name: control.PhaseOpen, Start: "2027-03-01T09:00", End: "2027-03-10T09:00"},
		{Name: control.PhaseVoting, Start: "2027-03-10T09:00", End: "2027-03-20T09:00"},
	}}
	for _, f := range change {
		f(&c)
	}
	return c
}

// toVote and afterVote are moments of a contest.
var (
	toVote    = time.Date(2027, time.March, 12, 12, 0, 0, 0, time.UTC)
	afterVote = time.Date(2027, time.March, 20, 9, 0, 0, 0, time.UTC)
)

// enter submits entries of an author while the challenge takes them.
func (s *clocked) enter(c *ideas.Challenge, author ideas.Member, n int) []int64 {
	s.t.Helper()
	var ids []int64
	for i := range n {
		idea, err := s.SubmitEntry(s.t.Context(), author.ID, c, "", ideas.Content{Title: fmt.Sprintf("Entry %d", i+1), Body: "A text."}, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		ids = append(ids, idea.ID)
	}
	return ids
}

// carryOut lets dates have their consequences until the condition holds: a job of the store may be at the same challenge.
func (s *clocked) carryOut(until func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		if err := s.CarryOut(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		if until() {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("the dates have not had the consequences that the test waits for")
		}
	}
}

// write runs a statement as whoever can reach the database.
func (s *clocked) write(query string, args ...any) error {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.db.Server.AdminURI(s.db.Name))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(s.t.Context(), query, args...)
	return err
}

func (s *clocked) stateOf(id int64) ideas.State {
	s.t.Helper()
	own, err := s.OpenIdea(s.t.Context(), 0, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return own.State
}

func (s *clocked) latest(name string) *ideas.Challenge {
	return s.Programme(s.t.Context()).Challenge(name)
}

// barred is the code of the error that bars somebody, "" for none.
func barred(err error) string {
	var b *ideas.BarredError
	if errors.As(err, &b) {
		return b.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// Every ballot as members meet it: what counts, what is refused, and what is left of the allowance.
func TestBallots(t *testing.T) {
	type step struct {
		member, entry int
		points        int // -99 withdraws
		wait          time.Duration
		want          string
	}
	const withdraw = -99
	for name, tc := range map[string]struct {
		ballot control.Ballot
		steps  []step
		want   []string // votes and points of each of the three entries
		used   int      // of the first member at the end
	}{
		"hidden support": {
			control.Ballot{Kind: control.BallotSupport, Hidden: true},
			[]step{{0, 0, 1, 0, ""}, {0, 0, 1, 0, ""}, {1, 0, 1, 0, ""}, {0, 1, 1, 0, ""}, {0, 1, withdraw, 0, ""}, {1, 2, 2, 0, "points"}}, []string{"2/2", "0/0", "0/0"}, 1,
		},
		"two a day, by the days of the community": {
			control.Ballot{Kind: control.BallotPerDay, PerDay: 2},
			// It is noon in UTC. Eleven hours later it is midnight in Paris.
			[]step{{0, 0, 1, 0, ""}, {0, 0, 1, 0, ""}, {0, 1, 1, 0, ""}, {0, 2, 1, 0, "spent"}, {0, 2, 1, 11*time.Hour - time.Second, "spent"}, {0, 2, 1, time.Second, ""}, {0, 0, 1, 0, ""}, {0, 1, 1, 0, "spent"}},
			[]string{"2/2", "1/1", "1/1"}, 2,
		},
		"scores": {
			control.Ballot{Kind: control.BallotScore, Maximum: 5},
			[]step{{0, 0, 3, 0, ""}, {0, 0, 5, 0, ""}, {1, 0, 4, 0, ""}, {1, 1, 0, 0, ""}, {1, 2, 6, 0, "points"}, {1, 2, -1, 0, "points"}, {0, 2, 2, 0, ""}, {0, 2, withdraw, 0, ""}},
			[]string{"2/9", "1/0", "0/0"}, 1,
		},
		"a budget with refund": {
			control.Ballot{Kind: control.BallotBudget, Budget: 5, MaxPerIdea: 3},
			[]step{{0, 0, 3, 0, ""}, {0, 1, 3, 0, "spent"}, {0, 1, 2, 0, ""}, {0, 0, 1, 0, ""}, {0, 2, 3, 0, "spent"}, {0, 1, withdraw, 0, ""}, {0, 2, 3, 0, ""}, {1, 0, 4, 0, "points"}},
			[]string{"1/1", "0/0", "1/3"}, 4,
		},
		"approvals": {
			control.Ballot{Kind: control.BallotApproval, Approvals: 2},
			[]step{{0, 0, 1, 0, ""}, {0, 1, 1, 0, ""}, {0, 2, 1, 0, "spent"}, {0, 1, withdraw, 0, ""}, {0, 2, 1, 0, ""}, {1, 2, 1, 0, ""}}, []string{"1/1", "0/0", "2/2"}, 2,
		},
		"until the last second": {
			control.Ballot{Kind: control.BallotApproval},
			[]step{{0, 0, 1, 7*24*time.Hour + 20*time.Hour - time.Second, ""}, {0, 1, 1, time.Second, "closed"}, {0, 0, withdraw, 0, "closed"}}, []string{"1/1", "0/0", "0/0"}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openClocked(t)
			declare(t, s.Store, 1, control.House{})
			c := s.declare("contest", contest(&tc.ballot))
			people := s.crowd(3, "")
			entries := s.enter(c, people[2], 3)
			s.set(toVote)
			for i, step := range tc.steps {
				s.pass(step.wait)
				points := &step.points
				if step.points == withdraw {
					points = nil
				}
				if got := barred(s.Vote(t.Context(), people[step.member].ID, entries[step.entry], points)); got != step.want {
					t.Errorf("step %d: %q, want %q", i, got, step.want)
				}
			}
			own, err := s.OwnBallot(t.Context(), people[0].ID, c)
			if err != nil || own.Used != tc.used {
				t.Errorf("%d used, want %d (%v)", own.Used, tc.used, err)
			}
			var got []string
			for _, id := range entries {
				got = append(got, fmt.Sprintf("%d/%d", s.count("SELECT votes FROM ideas.tally WHERE idea_id = $1", id), s.count("SELECT points FROM ideas.tally WHERE idea_id = $1", id)))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("votes/points (-want +got):\n%s", diff)
			}
		})
	}
}

// Three hundred members vote at once, each three times for the same entry, and each tries to spend twice as much as they
// have: the counters are exact, and nobody has spent more.
func TestThreeHundredBallotsAtOnce(t *testing.T) {
	s := openClocked(t)
	c := s.declare("contest", contest(&control.Ballot{Kind: control.BallotBudget, Budget: 4, MaxPerIdea: 4}))
	people := s.crowd(300, "")
	entries := s.enter(c, people[0], 2)
	s.set(toVote)
	ended := together(people, func(m ideas.Member) error {
		var group sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			group.Go(func() { points := 4; errs[i] = s.Vote(context.Background(), m.ID, entries[i%2], &points) })
		}
		group.Wait()
		spent := 0
		for _, err := range errs {
			if barred(err) == ideas.BarredSpent {
				spent++
			} else if err != nil {
				return err
			}
		}
		if spent != 2 { // the two for the entry that came second
			return fmt.Errorf("%d of four were refused", spent)
		}
		return nil
	})
	if diff := cmp.Diff(map[string]int{"done": 300}, ended); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	if got := s.count("SELECT sum(votes) FROM ideas.tally"); got != 300 {
		t.Errorf("%d votes, want 300", got)
	}
	if got := s.count("SELECT sum(points) FROM ideas.tally"); got != 1200 {
		t.Errorf("%d points, want 1200", got)
	}
	if got := s.count("SELECT count(*) FROM ideas.ballot_voter WHERE used <> 4"); got != 0 {
		t.Errorf("%d voters have not spent exactly what they have", got)
	}
	totals, err := s.ChallengeTotals(t.Context(), []int64{c.ID})
	if want := (ideas.ChallengeTotals{Ideas: 2, Votes: 300, Participants: 300}); err != nil || totals[c.ID] != want {
		t.Errorf("totals %+v, want %+v (%v)", totals[c.ID], want, err)
	}
}

// Whatever members do, the counters are what a recount of the votes gives, and no rule of the ballot is broken.
func TestCountersEqualARecount(t *testing.T) {
	s := openClocked(t)
	declare(t, s.Store, 1, control.House{})
	people := s.crowd(4, "")
	kinds := []control.Ballot{
		{Kind: control.BallotSupport, Hidden: true}, {Kind: control.BallotPerDay, PerDay: 2}, {Kind: control.BallotScore, Minimum: -1, Maximum: 3},
		{Kind: control.BallotBudget, Budget: 6, MaxPerIdea: 4}, {Kind: control.BallotApproval, Approvals: 2},
	}
	var entries [][]int64
	var challenges []*ideas.Challenge
	for i := range kinds {
		c := s.declare(fmt.Sprintf("contest-%d", i), contest(&kinds[i]))
		challenges, entries = append(challenges, c), append(entries, s.enter(c, people[0], 3))
	}
	s.set(toVote)
	rapid.Check(t, func(r *rapid.T) {
		k := rapid.IntRange(0, len(kinds)-1).Draw(r, "ballot")
		entry := rapid.SampledFrom(entries[k]).Draw(r, "entry")
		who := rapid.SampledFrom(people).Draw(r, "member")
		switch rapid.IntRange(0, 9).Draw(r, "what") {
		case 0:
			s.set(toVote.Add(time.Duration(rapid.IntRange(0, 90).Draw(r, "hours")) * time.Hour))
		case 1: // hidden by a moderator and shown again
			for _, state := range []string{"hidden", "gathering"} {
				s.db.Exec(t, fmt.Sprintf("SET search_path = ideas; UPDATE idea SET state = '%s' WHERE id = %d", state, entry))
			}
		case 2:
			if err := s.Vote(t.Context(), who.ID, entry, nil); err != nil {
				r.Fatal(err)
			}
		default:
			points := rapid.IntRange(-2, 5).Draw(r, "points")
			if code := barred(s.Vote(t.Context(), who.ID, entry, &points)); code != "" && code != ideas.BarredSpent && code != ideas.BarredPoints {
				r.Fatal(code)
			}
		}
		s.recount(r, kinds[k], challenges[k])
	})
}

// recount compares counters with the votes themselves.
func (s *clocked) recount(r *rapid.T, ballot control.Ballot, c *ideas.Challenge) {
	for what, query := range map[string]string{
		"votes or points": `SELECT count(*) FROM ideas.tally t WHERE t.challenge_id = $1 AND (t.votes, t.points) IS DISTINCT FROM
			(SELECT (count(*)::integer, coalesce(sum(points), 0)::bigint) FROM ideas.ballot_vote v WHERE v.idea_id = t.idea_id)`,
		"spent": `SELECT count(*) FROM ideas.ballot_voter u WHERE u.challenge_id = $1 AND u.used IS DISTINCT FROM
			(SELECT coalesce(sum(CASE WHEN b.counts_points THEN v.points ELSE 1 END), 0) FROM ideas.ballot_vote v JOIN ideas.ballot b USING (challenge_id)
				WHERE v.challenge_id = u.challenge_id AND v.member_id = u.member_id AND v.day = u.day)`,
		"the challenge's total": `SELECT coalesce((SELECT sum(n) FROM ideas.challenge_total WHERE challenge_id = $1 AND kind = 'votes'), 0)
			- (SELECT count(*) FROM ideas.ballot_vote WHERE challenge_id = $1)`,
		"the ideas": `SELECT (SELECT sum(n) FROM ideas.challenge_total WHERE challenge_id = $1 AND kind = 'ideas')
			- (SELECT count(*) FROM ideas.idea WHERE challenge_id = $1 AND visible)`,
		"participants": `SELECT (SELECT sum(n) FROM ideas.challenge_total WHERE challenge_id = $1 AND kind = 'participants')
			- (SELECT count(*) FROM ideas.participant WHERE challenge_id = $1)`,
	} {
		if n := s.count(query, c.ID); n != 0 {
			r.Fatalf("%s of %s: %d counters differ from a recount", what, ballot.Kind, n)
		}
	}
}

// Support of entries keeps the challenge's dates, and its eligibility.
func TestSupportInChallenges(t *testing.T) {
	s := openClocked(t)
	people := s.crowd(2, "")
	c := s.declare("contest", contest(nil))
	strict := s.declare("strict", contest(nil, func(c *control.Challenge) { c.Eligibility = &control.Eligibility{Level: 2} }))
	scored := s.declare("scored", contest(&control.Ballot{Kind: control.BallotScore, Maximum: 5}))
	s.db.Exec(t, fmt.Sprintf("UPDATE ideas.member SET level = 2 WHERE id = %d", people[0].ID))
	entry, strictEntry, scoredEntry := s.enter(c, people[0], 1)[0], s.enter(strict, people[0], 1)[0], s.enter(scored, people[0], 1)[0]
	outside := submit(t, s.Store, people[0], "Outside of challenges")
	for _, tc := range []struct {
		name   string
		at     time.Time
		member int
		idea   int64
		want   string
	}{
		{"before the vote", methodsNow, 1, entry, "phase"},
		{"outside at any time", methodsNow, 1, outside.ID, ""},
		{"while the vote is open", toVote, 1, entry, ""},
		{"once more", toVote, 1, entry, ""},
		{"not eligible", toVote, 1, strictEntry, "eligibility"},
		{"eligible", toVote, 0, strictEntry, ""},
		{"where scores are asked for", toVote, 1, scoredEntry, ideas.ErrNotFound.Error()},
		{"after the vote", afterVote, 0, entry, "closed"},
	} {
		s.set(tc.at)
		_, err := s.SetSupport(t.Context(), people[tc.member].ID, tc.idea, true)
		if got := barred(err); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	if _, err := s.SetSupport(t.Context(), people[1].ID, entry, false); barred(err) != "closed" {
		t.Errorf("withdrawing after the vote: %v", err)
	}
	if got := s.count("SELECT supporters FROM ideas.tally WHERE idea_id = $1", entry); got != 1 {
		t.Errorf("%d supporters, want 1", got)
	}
}

// What is hidden until the close is nowhere to be had before it, and everywhere after.
func TestHiddenCounts(t *testing.T) {
	s := openClocked(t)
	people := s.crowd(4, "")
	c := s.declare("contest", contest(&control.Ballot{Kind: control.BallotSupport, Hidden: true, RandomOrder: true}))
	entries := s.enter(c, people[0], 3)
	s.set(toVote)
	one := 1
	for _, m := range people[1:] {
		if err := s.Vote(t.Context(), m.ID, entries[1], &one); err != nil {
			t.Fatal(err)
		}
	}
	look := func() (seen string) {
		page, err := s.ListEntries(t.Context(), people[1].ID, c, ideas.EntryQuery{Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			seen += fmt.Sprintf(" %d:%d/%d/%d", e.ID, e.Votes, e.Points, e.Supporters)
		}
		entry, _, err := s.EntryOf(t.Context(), people[1].ID, entries[1])
		if err != nil {
			t.Fatal(err)
		}
		idea, err := s.GetIdea(t.Context(), 0, entries[1])
		if err != nil {
			t.Fatal(err)
		}
		return seen + fmt.Sprintf(" entry %d/%d idea %d own %v", entry.Votes, entry.Points, idea.Supporters, *entry.Own)
	}
	before := look()
	for _, leak := range []string{"3/", "/3", "idea 3"} {
		if bytes.Contains([]byte(before), []byte(leak)) {
			t.Errorf("before the close one sees %s", before)
		}
	}
	for _, order := range []ideas.EntryOrder{ideas.EntriesTop, ideas.EntriesNewest} {
		if _, err := s.ListEntries(t.Context(), 0, c, ideas.EntryQuery{Order: order}); err == nil {
			t.Errorf("the order %s can be asked for", order)
		}
	}
	if n := s.count("SELECT count(*) FROM ideas.event WHERE kind = 'ballot.cast' AND idea_id IS NOT NULL"); n != 0 {
		t.Errorf("%d events tell what was voted for", n)
	}
	top, err := s.ListIdeas(t.Context(), 0, ideas.Query{Order: ideas.OrderTop})
	if err != nil || top.Ideas[0].ID != entries[2] {
		t.Errorf("the list of all ideas ranks by a hidden vote: %v %v", top.Ideas, err)
	}
	s.set(afterVote)
	if after := look(); !bytes.Contains([]byte(after), []byte("3/3")) {
		t.Errorf("after the close one sees %s", after)
	}
}

// Each viewer has an order of their own that stays the same from page to page; all orders hold all entries.
func TestRandomOrder(t *testing.T) {
	s := openClocked(t)
	people := s.crowd(1, "")
	c := s.declare("contest", contest(&control.Ballot{Kind: control.BallotApproval, RandomOrder: true}))
	entries := s.enter(c, people[0], 12)
	s.set(toVote)
	read := func(seed int64, limit int) []int64 {
		var ids []int64
		for after := ""; ; {
			page, err := s.ListEntries(t.Context(), 0, c, ideas.EntryQuery{Seed: seed, Limit: limit, After: after})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Entries {
				ids = append(ids, e.ID)
			}
			if after = page.Next; after == "" {
				return ids
			}
		}
	}
	first := map[int64]bool{}
	for seed := range int64(20) {
		order := read(seed, 5)
		if diff := cmp.Diff(order, read(seed, 50)); diff != "" {
			t.Errorf("the order changes with the page:\n%s", diff)
		}
		if len(order) != len(entries) {
			t.Errorf("%d entries, want %d", len(order), len(entries))
		}
		first[order[0]] = true
	}
	if len(first) < 4 {
		t.Errorf("among twenty viewers %d entries come first", len(first))
	}
}

// An entry's own days of votes are over while those of others go on.
func TestDaysPerEntry(t *testing.T) {
	s := openClocked(t)
	declare(t, s.Store, 1, control.House{})
	people := s.crowd(2, "")
	c := s.declare("weekly", control.Challenge{Type: control.TypeContest, Ballot: &control.Ballot{Kind: control.BallotScore, Maximum: 5, DaysPerEntry: 7},
		Phases: []control.Phase{{Name: control.PhaseOpen, Start: "2027-03-01T00:00"}}})
	s.set(time.Date(2027, time.March, 25, 12, 0, 0, 0, time.UTC)) // 13:00 in Paris; on the 28th clocks are set forward
	early := s.enter(c, people[0], 1)[0]
	s.pass(24 * time.Hour)
	late := s.enter(c, people[0], 1)[0]
	four := 4
	for _, tc := range []struct {
		at          time.Time
		early, late string
	}{
		{time.Date(2027, time.April, 1, 10, 59, 59, 0, time.UTC), "", ""},
		{time.Date(2027, time.April, 1, 11, 0, 0, 0, time.UTC), "entry", ""}, // 13:00 in Paris again
		{time.Date(2027, time.April, 2, 11, 0, 0, 0, time.UTC), "entry", "entry"},
	} {
		s.set(tc.at)
		if got := barred(s.Vote(t.Context(), people[1].ID, early, &four)); got != tc.early {
			t.Errorf("%s, early entry: %q, want %q", tc.at, got, tc.early)
		}
		if got := barred(s.Vote(t.Context(), people[1].ID, late, &four)); got != tc.late {
			t.Errorf("%s, late entry: %q, want %q", tc.at, got, tc.late)
		}
	}
}

// The close publishes what was voted, under pseudonyms that nobody can make again, and draws up the shortlist.
func TestCloseOfAVote(t *testing.T) {
	for name, ballot := range map[string]*control.Ballot{
		"support": nil, "hidden scores": {Kind: control.BallotScore, Maximum: 5, Hidden: true, Shortlist: 1}, "by day": {Kind: control.BallotPerDay, Shortlist: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := openClocked(t)
			declare(t, s.Store, 1, control.House{})
			c := s.declare("contest", contest(ballot))
			people := s.crowd(5, "")
			entries := s.enter(c, people[0], 3)
			s.set(toVote)
			pseudonyms := map[string]bool{}
			for i, m := range people {
				own, err := s.OwnBallot(t.Context(), m.ID, c)
				if err != nil || own.Pseudonym == "" {
					t.Fatalf("pseudonym %q, %v", own.Pseudonym, err)
				}
				pseudonyms[own.Pseudonym] = true
				points := 1 + i%2
				if ballot == nil {
					_, err = s.SetSupport(t.Context(), m.ID, entries[i%2], true)
				} else {
					if ballot.Kind == control.BallotPerDay {
						points = 1
					}
					err = s.Vote(t.Context(), m.ID, entries[i%2], &points)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			s.set(afterVote.Add(time.Hour))
			s.carryOut(func() bool { _, err := s.Result(t.Context(), c); return err == nil })
			result, err := s.Result(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			var file bytes.Buffer
			if err := s.WriteResult(t.Context(), c, &file); err != nil {
				t.Fatal(err)
			}
			verified, err := ideas.VerifyResult(bytes.NewReader(file.Bytes()))
			if err != nil {
				t.Fatalf("%v\n%s", err, file.String())
			}
			if verified.SHA256 != result.SHA256 || verified.Voters != 5 || int64(file.Len()) != result.Bytes || len(verified.Ranked) != 3 {
				t.Errorf("verified %+v of %+v", verified, result)
			}
			for pseudonym := range pseudonyms {
				if !bytes.Contains(file.Bytes(), []byte(pseudonym)) {
					t.Errorf("the ballot of %s is not in the file", pseudonym)
				}
			}
			if own, err := s.OwnBallot(t.Context(), people[0].ID, c); err != nil || own.Pseudonym != "" {
				t.Errorf("after the close the pseudonym is still to be had: %q, %v", own.Pseudonym, err)
			}
			if n := s.count("SELECT count(*) FROM ideas.ballot WHERE key IS NOT NULL"); n != 0 {
				t.Error("the key of the pseudonyms is still there")
			}
			wantStates := map[bool]ideas.State{true: ideas.StateShortlisted, false: ideas.StateGathering}
			for i, id := range entries {
				shortlisted := ballot != nil && id == verified.Ranked[0].Entry
				if got := s.stateOf(id); got != wantStates[shortlisted] {
					t.Errorf("entry %d is %s", i, got)
				}
			}
			// Whoever writes to the database directly finds the vote closed too.
			if ballot != nil {
				err := s.write(`INSERT INTO ideas.ballot_vote (challenge_id, idea_id, member_id, day, points, cast_at)
					VALUES ($1, $2, $3, '2027-03-25', 1, now())`, c.ID, entries[2], people[0].ID)
				if err == nil {
					t.Error("a vote after the close was taken")
				}
			}
		})
	}
}
