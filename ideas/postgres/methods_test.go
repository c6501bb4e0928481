package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// clocked is a store whose clock a test sets.
type clocked struct {
	*postgres.Store
	t   *testing.T
	db  *testutil.PostgresDatabase
	now atomic.Pointer[time.Time]
}

// methodsNow is when the tests of methods begin.
var methodsNow = time.Date(2027, time.March, 1, 12, 0, 0, 0, time.UTC)

func openClocked(t *testing.T) *clocked {
	t.Helper()
	s := &clocked{t: t, db: migrated(t)}
	s.set(methodsNow)
	config := configFor(s.db)
	config.Clock = func() time.Time { return *s.now.Load() }
	s.Store = open(t, config)
	return s
}

func (s *clocked) set(now time.Time) { s.now.Store(&now) }

func (s *clocked) pass(d time.Duration) { s.set(s.now.Load().Add(d)) }

// declare puts a challenge in force.
func (s *clocked) declare(name string, spec control.Challenge) *ideas.Challenge {
	s.t.Helper()
	spec.Title = map[string]string{"en": name}
	generation := int64(1)
	if c := s.Programme(s.t.Context()).Challenge(name); c != nil {
		generation = c.Generation + 1
	}
	_, _, err := s.DeclareChallenge(s.t.Context(), control.Object[control.Challenge]{UID: "uid-" + name, Name: name, Generation: generation, Spec: spec})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.Programme(s.t.Context()).Challenge(name)
}

// crowd signs people in, each with an attribute where one is given.
func (s *clocked) crowd(n int, attribute string, values ...string) []ideas.Member {
	s.t.Helper()
	people := make([]ideas.Member, n)
	for i := range people {
		people[i] = member(s.t, s.Store, fmt.Sprintf("m%d", i))
		if attribute == "" {
			continue
		}
		s.db.Exec(s.t, fmt.Sprintf(`WITH c AS (INSERT INTO ideas.consent (member_id, attribute, locale, text, text_hash, given_at)
			VALUES (%d, '%s', 'en', 'x', 'x', now()) RETURNING id)
			INSERT INTO ideas.attribute (member_id, name, value, consent_id) SELECT %[1]d, '%[2]s', '%[3]s', id FROM c`, people[i].ID, attribute, values[i%len(values)]))
	}
	return people
}

func (s *clocked) count(query string, args ...any) int64 { return s.db.QueryInt(s.t, query, args...) }

func (s *clocked) is(want error, err error) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Errorf("got %v, want %v", err, want)
	}
}

// together runs something for everybody at once and counts how it ended.
func together(people []ideas.Member, run func(ideas.Member) error) map[string]int {
	var mutex sync.Mutex
	var group sync.WaitGroup
	ended := map[string]int{}
	for _, m := range people {
		group.Go(func() {
			text := "done"
			if err := run(m); err != nil {
				text = err.Error()
			}
			mutex.Lock()
			defer mutex.Unlock()
			ended[text]++
		})
	}
	group.Wait()
	return ended
}

// calls has a call for applications that ends in a week.
func calls(typ string, call control.Recruiting) control.Challenge {
	c := control.Challenge{Type: typ, Recruiting: &call, Phases: []control.Phase{
		{Name: control.PhaseRecruiting, Start: "2027-03-01T00:00", End: "2027-03-08T00:00"}, {Name: control.PhaseOpen, Start: "2027-03-08T00:00"},
	}}
	if typ == control.TypeBetaTest {
		c.BetaTest = &control.BetaTest{DiaryDays: 2, DropOutDays: 5, Kit: map[string]string{"en": "A stove"}, FinalSurvey: &control.Survey{Questions: []control.Question{{Name: "buy", Type: ideas.QuestionScale}}}}
	}
	if typ == control.TypeMission {
		c.Mission = &control.Mission{Role: "hunter", Tasks: []control.Task{{Name: "fly", Due: "2027-03-20T00:00"}}, PostsUnmoderated: true}
	}
	return c
}

const week = 7 * 24 * time.Hour

func TestApplications(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	people := s.crowd(5, "region", "north", "south")
	c := s.declare("call", calls(control.TypeMission, control.Recruiting{
		Places: 2, Quotas: []control.Quota{{Attribute: "region", Value: "north", Percent: 50}},
		Questions: []control.FormField{{Name: "why", Type: ideas.FieldText, Required: true}},
	}))
	_, err := s.Apply(ctx, c, people[0].ID, nil)
	if field := (*ideas.FieldError)(nil); !errors.As(err, &field) || field.Field != "form.why" {
		t.Errorf("an application without an answer gives %v", err)
	}
	var applications []ideas.Application
	for _, m := range people {
		a, err := s.Apply(ctx, c, m.ID, map[string][]string{"why": {"Because"}})
		if err != nil {
			t.Fatal(err)
		}
		applications = append(applications, a)
	}
	again, err := s.Apply(ctx, c, people[0].ID, map[string][]string{"why": {"I mean it"}})
	if err != nil || again.ID != applications[0].ID || again.Answers.One("why") != "I mean it" {
		t.Errorf("a changed application: %+v, %v", again, err)
	}
	if diff := cmp.Diff(ideas.Segments{"region": {"north"}}, again.Segments); diff != "" {
		t.Errorf("segments (-want +got):\n%s", diff)
	}
	if n := s.count("SELECT count(*) FROM ideas.event WHERE kind = 'application.submitted'"); n != 5 {
		t.Errorf("%d events of 5 applications", n)
	}
	s.is(ideas.ErrClosed, s.CloseSelection(ctx, 0, c, ""))
	s.pass(week)
	_, err = s.Apply(ctx, c, people[0].ID, map[string][]string{"why": {"late"}})
	s.is(ideas.ErrClosed, err)

	// The team decides on one by one, within the places.
	decide := func(i int, state ideas.ApplicationState, reason string) error {
		return s.DecideApplication(ctx, people[4].ID, c, applications[i].ID, state, reason)
	}
	for i := range 2 {
		if err := decide(i, ideas.ApplicationSelected, ""); err != nil {
			t.Fatal(err)
		}
	}
	s.is(ideas.ErrFull, decide(2, ideas.ApplicationSelected, ""))
	s.is(ideas.ErrClosed, decide(0, ideas.ApplicationRefused, "no"))
	if field := (*ideas.FieldError)(nil); !errors.As(decide(2, ideas.ApplicationRefused, " "), &field) || field.Code != "required" {
		t.Error("a refusal without a text is taken")
	}
	if err := decide(2, ideas.ApplicationRefused, "Thank you; others fly more often."); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseSelection(ctx, people[4].ID, c, "You may still move up."); err != nil {
		t.Fatal(err)
	}
	if n := s.count("SELECT count(*) FROM ideas.challenge_role WHERE role = 'hunter'"); n != 2 {
		t.Errorf("%d members have the role", n)
	}
	// Whoever drops out is replaced by the next whose segment has a place: north gives way to north.
	if err := s.DropOut(ctx, people[4].ID, c, people[0].ID, "moved away"); err != nil {
		t.Fatal(err)
	}
	states := map[string]ideas.ApplicationState{}
	for _, m := range people {
		a, err := s.MyApplication(ctx, c, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		states[m.Name] = a.State
	}
	want := map[string]ideas.ApplicationState{
		"m0": ideas.ApplicationDropped, "m1": ideas.ApplicationSelected, "m2": ideas.ApplicationRefused, "m3": ideas.ApplicationWaiting, "m4": ideas.ApplicationSelected,
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	s.is(ideas.ErrNotFound, s.DropOut(ctx, 0, c, people[0].ID, "again"))
	if has, err := s.HasChallengeRole(ctx, c.ID, people[0].ID); err != nil || has {
		t.Errorf("who dropped out still has the role: %v, %v", has, err)
	}
}

// However many decide at once, no more are selected than there are places.
func TestSelectionInParallel(t *testing.T) {
	s := openClocked(t)
	people := s.crowd(12, "")
	c := s.declare("call", calls(control.TypeMission, control.Recruiting{Places: 3}))
	ended := together(people, func(m ideas.Member) error {
		a, err := s.Apply(t.Context(), c, m.ID, nil)
		if err != nil {
			return err
		}
		return s.DecideApplication(t.Context(), people[0].ID, c, a.ID, ideas.ApplicationSelected, "")
	})
	if diff := cmp.Diff(map[string]int{"done": 3, "full": 9}, ended); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSelectionByVoteAndJury(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	people := s.crowd(6, "")
	spec := calls(control.TypeMission, control.Recruiting{Places: 1, Selection: ideas.SelectionVote})
	spec.Jury = &control.Jury{Members: []string{"m5@brand.example"}, BallotPercent: 50, Criteria: []control.Criterion{{Name: "voice", Weight: 100}}}
	c := s.declare("call", spec)
	var applications []ideas.Application
	for _, m := range people[:3] {
		a, err := s.Apply(ctx, c, m.ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		applications = append(applications, a)
	}
	ended := together(append(people[1:], people[1:]...), func(m ideas.Member) error {
		_, err := s.VoteApplication(ctx, c, applications[0].ID, m.ID, true)
		return err
	})
	if diff := cmp.Diff(map[string]int{"done": 10}, ended); diff != "" {
		t.Errorf("votes (-want +got):\n%s", diff)
	}
	if votes, err := s.VoteApplication(ctx, c, applications[0].ID, people[0].ID, true); err != nil || votes != 5 {
		t.Errorf("a vote for oneself counts: %d votes, %v", votes, err)
	}
	if votes, err := s.VoteApplication(ctx, c, applications[0].ID, people[3].ID, false); err != nil || votes != 4 {
		t.Errorf("a vote taken back leaves %d, %v", votes, err)
	}
	s.is(ideas.ErrNotFound, s.ScoreApplication(ctx, c, applications[1].ID, people[4], map[string]int{"voice": 9}))
	if field := (*ideas.FieldError)(nil); !errors.As(s.ScoreApplication(ctx, c, applications[1].ID, people[5], map[string]int{"voice": 11}), &field) {
		t.Error("a score beyond the criterion's is taken")
	}
	for i, points := range []int{1, 10} {
		if err := s.ScoreApplication(ctx, c, applications[i].ID, people[5], map[string]int{"voice": points}); err != nil {
			t.Fatal(err)
		}
	}
	ranked, err := s.RankApplications(ctx, c)
	if err != nil || len(ranked) != 3 || ranked[0].Application != applications[0].ID || ranked[0].Score != 55 || ranked[1].Score != 50 {
		t.Fatalf("ranked %+v, %v", ranked, err)
	}
	s.pass(week)
	if err := s.CloseSelection(ctx, people[4].ID, c, ""); err != nil {
		t.Fatal(err)
	}
	if a, err := s.MyApplication(ctx, c, people[0].ID); err != nil || a.State != ideas.ApplicationSelected {
		t.Errorf("the first of the ranking is %s, %v", a.State, err)
	}
	if a, err := s.MyApplication(ctx, c, people[1].ID); err != nil || a.State != ideas.ApplicationWaiting || a.Place != 1 {
		t.Errorf("the second is %+v, %v", a, err)
	}
}

// The seed is promised with the first application, and what is published afterwards verifies against it.
func TestSelectionByDraw(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	people := s.crowd(6, "region", "north", "south")
	c := s.declare("call", calls(control.TypeMission, control.Recruiting{
		Places: 2, Selection: ideas.SelectionDraw, Quotas: []control.Quota{{Attribute: "region", Value: "north", Percent: 50}, {Attribute: "region", Value: "south", Percent: 50}},
	}))
	if _, err := s.Apply(ctx, c, people[0].ID, nil); err != nil {
		t.Fatal(err)
	}
	promise, err := s.PublishedDraw(ctx, c)
	if err != nil || promise.Commitment == "" || promise.Seed != "" {
		t.Fatalf("before the draw: %+v, %v", promise, err)
	}
	for _, m := range people[1:] {
		if _, err := s.Apply(ctx, c, m.ID, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.pass(week)
	if err := s.CloseSelection(ctx, people[0].ID, c, ""); err != nil {
		t.Fatal(err)
	}
	draw, err := s.PublishedDraw(ctx, c)
	if err != nil || !draw.Verify(promise.Commitment) || len(draw.Selected) != 2 || len(draw.Candidates) != 6 {
		t.Errorf("the draw does not verify: %+v, %v", draw, err)
	}
	s.is(ideas.ErrClosed, s.CloseSelection(ctx, people[0].ID, c, ""))
	if n := s.count("SELECT count(DISTINCT a.segments) FROM ideas.application a WHERE state = 'selected'"); n != 2 {
		t.Errorf("the selected are of %d regions, want 2", n)
	}
}

func survey(anonymous bool, limit int, quotas ...control.Quota) control.Challenge {
	return control.Challenge{Type: control.TypeSurvey, Quotas: quotas, Survey: &control.Survey{
		Anonymous: anonymous, Limit: limit, Questions: []control.Question{{Name: "nps", Type: ideas.QuestionNPS, Required: true}},
	}}
}

var nine = map[string][]string{"nps": {"9"}}

// Limit, quotas and one response each hold however many respond at once.
func TestResponsesInParallel(t *testing.T) {
	s := openClocked(t)
	people := s.crowd(40, "region", "north", "south")
	c := s.declare("survey", survey(false, 20, control.Quota{Attribute: "region", Value: "north", Percent: 25}))
	twice := append(append([]ideas.Member{}, people...), people...)
	ended := together(twice, func(m ideas.Member) error { return s.Respond(t.Context(), c, ideas.PartSurvey, m.ID, nine) })
	if ended["done"] != 20 {
		t.Errorf("%v", ended)
	}
	if n := s.count("SELECT count(*) FROM ideas.survey_response"); n != 20 {
		t.Errorf("%d responses of 20", n)
	}
	if n := s.count("SELECT count(*) FROM ideas.survey_response WHERE segments->'region' ? 'north'"); n != 5 {
		t.Errorf("%d responses from the north, whose quota is 5", n)
	}
	if n := s.count("SELECT count(*) FROM ideas.event WHERE kind = 'survey.responded'"); n != 20 {
		t.Errorf("%d events", n)
	}
	standing, err := s.SurveyStanding(t.Context(), c, ideas.PartSurvey, 0)
	if err != nil || !standing.Full || standing.Responses != 20 {
		t.Errorf("the survey stands at %+v, %v", standing, err)
	}
}

// Nothing leads from an anonymous response to who gave it: no member, no time, no common transaction, no order.
func TestAnonymousResponses(t *testing.T) {
	s := openClocked(t)
	people := s.crowd(20, "")
	c := s.declare("survey", survey(true, 0))
	for i, m := range people {
		if err := s.Respond(t.Context(), c, ideas.PartSurvey, m.ID, map[string][]string{"nps": {fmt.Sprint(i % 11)}}); err != nil {
			t.Fatal(err)
		}
	}
	s.is(ideas.ErrClosed, s.Respond(t.Context(), c, ideas.PartSurvey, people[0].ID, nine))
	if n := s.count("SELECT count(*) FROM ideas.survey_response WHERE member_id IS NULL AND responded_at IS NULL AND NOT fresh"); n != 20 {
		t.Errorf("%d of 20 responses are without member, time and place", n)
	}
	if n := s.count(`SELECT count(*) FROM ideas.survey_response r JOIN ideas.survey_participation p ON p.xmin = r.xmin
		WHERE (SELECT count(*) FROM ideas.survey_response x WHERE x.xmin = r.xmin) = 1`); n != 0 {
		t.Errorf("the transaction tells of %d responses who gave them", n)
	}
	responses, err := s.Responses(t.Context(), c, ideas.PartSurvey)
	if err != nil || len(responses) != 20 || responses[0].Member != nil {
		t.Fatalf("%d responses, %v", len(responses), err)
	}
	inOrder := true
	for i, r := range responses {
		inOrder = inOrder && r.Answers.One("nps") == fmt.Sprint(i%11)
	}
	if inOrder {
		t.Error("responses come in the order of responding")
	}
}

// A response outside the dates, to a part that does not exist, or with a wrong answer is not taken.
func TestResponsesThatAreRefused(t *testing.T) {
	s := openClocked(t)
	m := s.crowd(1, "")[0]
	spec := survey(false, 0)
	spec.Phases = []control.Phase{{Name: control.PhaseOpen, Start: "2027-03-02T00:00", End: "2027-03-03T00:00"}}
	c := s.declare("survey", spec)
	respond := func(part string, typed map[string][]string) error {
		return s.Respond(t.Context(), c, part, m.ID, typed)
	}
	s.is(ideas.ErrClosed, respond(ideas.PartSurvey, nine))
	s.pass(24 * time.Hour)
	s.is(ideas.ErrNotFound, respond(ideas.PartFinal, nine))
	if field := (*ideas.FieldError)(nil); !errors.As(respond(ideas.PartSurvey, nil), &field) {
		t.Error("a response without the required answer is taken")
	}
	s.pass(12*time.Hour - time.Second)
	if err := respond(ideas.PartSurvey, nine); err != nil {
		t.Errorf("a second before the end: %v", err)
	}
	s.pass(time.Second)
	s.is(ideas.ErrClosed, s.Respond(t.Context(), c, ideas.PartSurvey, member(t, s.Store, "late").ID, nine))
}

// Members who come at once are shown each stimulus as often, each always the same ones.
func TestConceptTest(t *testing.T) {
	s := openClocked(t)
	people := s.crowd(12, "")
	c := s.declare("concepts", control.Challenge{Type: control.TypeConceptTest, ConceptTest: &control.ConceptTest{
		PerMember: 2, Stimuli: []control.Stimulus{{Name: "a"}, {Name: "b"}, {Name: "c"}}, Questions: []control.Question{{Name: "like", Type: ideas.QuestionRating, Required: true}},
	}})
	twice := append(append([]ideas.Member{}, people...), people...)
	if diff := cmp.Diff(map[string]int{"done": 24}, together(twice, func(m ideas.Member) error { _, err := s.Exposures(t.Context(), c, m.ID); return err })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	shown, err := s.StimuliShown(t.Context(), c.ID)
	if diff := cmp.Diff(map[string]int{"a": 8, "b": 8, "c": 8}, shown); err != nil || diff != "" {
		t.Errorf("shown %v (-want +got):\n%s", err, diff)
	}
	mine, err := s.Exposures(t.Context(), c, people[0].ID)
	if err != nil || len(mine) != 2 {
		t.Fatalf("%v, %v", mine, err)
	}
	hidden := "abc"
	for _, e := range mine {
		for i := range hidden {
			if hidden[i:i+1] == e.Stimulus {
				hidden = hidden[:i] + hidden[i+1:]
				break
			}
		}
	}
	like := map[string][]string{"like": {"4"}}
	s.is(ideas.ErrNotFound, s.Respond(t.Context(), c, ideas.PartOfStimulus(hidden), people[0].ID, like))
	if err := s.Respond(t.Context(), c, ideas.PartOfStimulus(mine[0].Stimulus), people[0].ID, like); err != nil {
		t.Fatal(err)
	}
	again, err := s.Exposures(t.Context(), c, people[0].ID)
	if err != nil || again[0].Stimulus != mine[0].Stimulus || !again[0].Answered || again[1].Answered {
		t.Errorf("afterwards %v, %v", again, err)
	}
}

func TestBetaTest(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	people := s.crowd(4, "")
	c := s.declare("stove", calls(control.TypeBetaTest, control.Recruiting{Places: 2, Selection: ideas.SelectionVote}))
	for _, m := range people[:3] {
		if _, err := s.Apply(ctx, c, m.ID, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.pass(week)
	lead, one, two, three := people[3].ID, people[0].ID, people[1].ID, people[2].ID
	if err := s.CloseSelection(ctx, lead, c, ""); err != nil {
		t.Fatal(err)
	}
	s.is(ideas.ErrNotFound, s.AddDiary(ctx, c, three, "", 3, "I wait"))
	for _, tester := range []int64{one, two} {
		if err := errors.Join(s.SetKit(ctx, lead, c, tester, ideas.KitSent, "TRACK 1"), s.SetKit(ctx, tester, c, tester, ideas.KitReceived, "")); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := s.AddDiary(ctx, c, one, "k", 4, "It burns."); err != nil {
			t.Fatal(err)
		}
	}
	if field := (*ideas.FieldError)(nil); !errors.As(s.AddDiary(ctx, c, one, "", 6, "x"), &field) || field.Field != "mood" {
		t.Error("a mood beyond the scale is taken")
	}
	bug, err := s.ReportBug(ctx, c, one, "k", "Leaks", "1. Open", ideas.SeverityBlocker)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.ReportBug(ctx, c, two, "", "Gas smells", "1. Smell", ideas.SeverityMajor)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AnswerBug(ctx, lead, c, other.ID, ideas.BugAnswer{Status: ideas.BugDuplicate, DuplicateOf: bug.ID, Answer: "Same leak."}); err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]ideas.BugAnswer{
		"of itself": {Status: ideas.BugDuplicate, DuplicateOf: bug.ID}, "in a circle": {Status: ideas.BugDuplicate, DuplicateOf: other.ID}, "no status": {Status: "odd"},
	} {
		if field := (*ideas.FieldError)(nil); !errors.As(s.AnswerBug(ctx, lead, c, bug.ID, answer), &field) {
			t.Errorf("a duplicate %s is taken", name)
		}
	}
	bugs, err := s.Bugs(ctx, c.ID, 0, 0, 10)
	if err != nil || len(bugs) != 2 || bugs[1].Duplicates != 1 || bugs[0].DuplicateOf != bug.ID {
		t.Errorf("bugs %+v, %v", bugs, err)
	}
	s.is(ideas.ErrNotFound, s.Respond(ctx, c, ideas.PartFinal, three, map[string][]string{"buy": {"5"}}))
	if err := s.Respond(ctx, c, ideas.PartFinal, one, map[string][]string{"buy": {"5"}}); err != nil {
		t.Fatal(err)
	}
	// Two is silent for too long and gives way to three; one has done everything.
	s.pass(5 * 24 * time.Hour)
	if n, err := s.DropSilentTesters(ctx); err != nil || n != 0 {
		t.Errorf("%d dropped just in time, %v", n, err)
	}
	s.pass(time.Second)
	for want := range []int{1, 0} {
		if n, err := s.DropSilentTesters(ctx); err != nil || n != 1-want {
			t.Errorf("%d dropped, %v", n, err)
		}
	}
	testers, err := s.Testers(ctx, c)
	if err != nil || len(testers) != 3 {
		t.Fatalf("%+v, %v", testers, err)
	}
	if got := testers[0]; got.Member.ID != one || got.Entries != 1 || got.Bugs != 1 || !got.Final || got.Kit != ideas.KitReceived || got.Tracking != "TRACK 1" {
		t.Errorf("the first tester is %+v", got)
	}
	if testers[1].Member.ID != three || testers[1].Kit != ideas.KitToSend || testers[2].Member.ID != two || testers[2].DroppedAt.IsZero() {
		t.Errorf("the others are %+v", testers[1:])
	}
	s.is(ideas.ErrNotFound, s.AddDiary(ctx, c, two, "", 3, "Back again"))
	if n := s.count("SELECT count(*) FROM ideas.event WHERE kind = 'test.diary'"); n != 1 {
		t.Errorf("%d diary events", n)
	}
}

func TestForum(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	people := append(s.crowd(2, ""), member(t, s.Store, "Moderator"))
	declareTeam(t, s.Store, 1, control.House{})
	c := s.declare("forum", control.Challenge{Type: control.TypeForum, Forum: &control.Forum{}})
	var topics []ideas.Topic
	for i := range 5 {
		topic, err := s.AddTopic(ctx, c, people[0].ID, fmt.Sprint("k", i), "", fmt.Sprint("Topic ", i), "Text")
		if err != nil {
			t.Fatal(err)
		}
		topics = append(topics, topic)
		s.pass(time.Minute)
	}
	if again, err := s.AddTopic(ctx, c, people[0].ID, "k0", "", "Topic 0", "Text"); err != nil || again.ID != topics[0].ID {
		t.Errorf("a topic sent twice: %+v, %v", again, err)
	}
	if field := (*ideas.FieldError)(nil); func() bool {
		_, err := s.AddTopic(ctx, c, people[0].ID, "", "odd", "T", "B")
		return !errors.As(err, &field)
	}() {
		t.Error("a theme that nobody declared is taken")
	}
	// Replies stand below what they answer, three levels deep; beyond that beside it.
	parent, depths := int64(0), []int{}
	for i := range 5 {
		reply, err := s.AddReply(ctx, c, topics[1].ID, parent, people[1].ID, "", fmt.Sprint("Reply ", i))
		if err != nil {
			t.Fatal(err)
		}
		parent, depths = reply.ID, append(depths, reply.Depth)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 3, 3}, depths); diff != "" {
		t.Errorf("depths (-want +got):\n%s", diff)
	}
	first, err := s.AddReply(ctx, c, topics[1].ID, 0, people[1].ID, "k", "Second thread")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.AddReply(ctx, c, topics[1].ID, 0, people[1].ID, "k", "Second thread"); err != nil || again.ID != first.ID {
		t.Errorf("a reply sent twice: %+v, %v", again, err)
	}
	var read []string
	after := ""
	for {
		page, err := s.ListReplies(ctx, people[1].ID, topics[1].ID, after, 4)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Replies {
			read = append(read, r.Body)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"Reply 0", "Reply 1", "Reply 2", "Reply 3", "Reply 4", "Second thread"}, read); diff != "" {
		t.Errorf("thread (-want +got):\n%s", diff)
	}
	yes, hidden := true, ideas.TopicHidden
	if err := errors.Join(
		s.ModerateTopic(ctx, people[2].ID, c, topics[0].ID, ideas.TopicChange{Pinned: &yes, Locked: &yes}),
		s.ModerateTopic(ctx, people[2].ID, c, topics[4].ID, ideas.TopicChange{State: &hidden, Reason: ideas.Reason{Text: "Off topic"}}),
		s.HideReply(ctx, people[2].ID, c, topics[1].ID, first.ID, true, ideas.Reason{Text: "Rude"}),
	); err != nil {
		t.Fatal(err)
	}
	s.is(ideas.ErrForbidden, s.ModerateTopic(ctx, people[0].ID, c, topics[0].ID, ideas.TopicChange{Pinned: &yes}))
	s.is(ideas.ErrForbidden, s.HideReply(ctx, people[0].ID, c, topics[1].ID, first.ID, true, ideas.Reason{Text: "Mine"}))
	_, err = s.AddReply(ctx, c, topics[0].ID, 0, people[1].ID, "", "Locked?")
	s.is(ideas.ErrClosed, err)
	_, err = s.AddReply(ctx, c, topics[4].ID, 0, people[1].ID, "", "Hidden?")
	s.is(ideas.ErrNotFound, err)
	// Pinned first, then by activity, the hidden one left out; pages join without gap or repetition.
	var order []string
	after = ""
	for {
		page, err := s.ListTopics(ctx, ideas.TopicQuery{Challenge: c.ID, After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range page.Topics {
			order = append(order, fmt.Sprint(topic.Title, " ", topic.Replies))
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"Topic 0 0", "Topic 1 5", "Topic 3 0", "Topic 2 0"}, order); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	_, err = s.GetTopic(ctx, people[1].ID, false, topics[4].ID)
	s.is(ideas.ErrNotFound, err)
	if own, err := s.GetTopic(ctx, people[0].ID, false, topics[4].ID); err != nil || own.Reason.Text != "Off topic" {
		t.Errorf("the author sees %+v, %v", own, err)
	}
	if n := s.count("SELECT count(*) FROM ideas.audit WHERE subject = 'topic'"); n != 3 {
		t.Errorf("%d entries in the audit log", n)
	}
}

func workshop(capacity int) control.Challenge {
	return control.Challenge{Type: control.TypeWorkshop, Workshop: &control.Workshop{Sessions: []control.Session{{
		Name: "one", Start: "2027-03-10T18:00", End: "2027-03-10T19:00", Capacity: capacity, Link: "https://meet.brand.example/1",
	}}}}
}

// No session is overbooked, and nobody who waits is overtaken.
func TestRegistrationsInParallel(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	people := s.crowd(30, "")
	c := s.declare("workshop", workshop(7))
	twice := append(append([]ideas.Member{}, people...), people...)
	if diff := cmp.Diff(map[string]int{"done": 60}, together(twice, func(m ideas.Member) error { _, err := s.Register(ctx, c, "one", m.ID); return err })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	taken := func() int64 {
		return s.count("SELECT count(*) FROM ideas.workshop_registration WHERE state = 'registered'")
	}
	if taken() != 7 || s.count("SELECT taken FROM ideas.workshop_session") != 7 {
		t.Errorf("%d of 7 places are taken", taken())
	}
	list, err := s.Registrations(ctx, c.ID, "one")
	if err != nil || len(list) != 30 || list[7].Place != 1 || list[29].Place != 23 {
		t.Fatalf("%+v, %v", list, err)
	}
	// Half of those with a place leave while others come: the first who wait move up.
	late := make([]ideas.Member, 5)
	for i := range late {
		late[i] = member(t, s.Store, fmt.Sprint("late", i))
	}
	leaving := map[int64]bool{}
	for _, r := range list[:3] {
		leaving[r.Member.ID] = true
	}
	var both []ideas.Member
	both = append(both, late...)
	for _, m := range people {
		if leaving[m.ID] {
			both = append(both, m)
		}
	}
	if diff := cmp.Diff(map[string]int{"done": 8}, together(both, func(m ideas.Member) error {
		if leaving[m.ID] {
			return s.Unregister(ctx, c, "one", m.ID)
		}
		_, err := s.Register(ctx, c, "one", m.ID)
		return err
	})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	after, err := s.Registrations(ctx, c.ID, "one")
	if err != nil || taken() != 7 {
		t.Fatalf("%d of 7 places are taken, %v", taken(), err)
	}
	var want, got []int64
	for _, r := range list[3:10] {
		want = append(want, r.Member.ID)
	}
	for _, r := range after[:7] {
		got = append(got, r.Member.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("those with a place (-want +got):\n%s", diff)
	}
	if n := s.count("SELECT count(*) FROM ideas.event WHERE kind = 'workshop.movedUp'"); n != 3 {
		t.Errorf("%d notices of moving up", n)
	}
	// A lower capacity takes no place away, a higher one goes to who waits.
	c = s.declare("workshop", workshop(2))
	if state, err := s.Register(ctx, c, "one", list[0].Member.ID); err != nil || state != ideas.Waiting || taken() != 7 {
		t.Errorf("with a lowered capacity: %s, %v, %d taken", state, err, taken())
	}
	c = s.declare("workshop", workshop(9))
	if state, err := s.Register(ctx, c, "one", list[1].Member.ID); err != nil || state != ideas.Waiting || taken() != 9 {
		t.Errorf("with a raised capacity: %s, %v, %d taken", state, err, taken())
	}
	s.set(time.Date(2027, 3, 10, 18, 0, 0, 0, time.UTC))
	_, err = s.Register(ctx, c, "one", list[2].Member.ID)
	s.is(ideas.ErrClosed, err)
	// What came out is an idea with credit to those who took part.
	host := member(t, s.Store, "host")
	idea, err := s.AddOutcome(ctx, host.ID, c, "one", "k", "A knot for gloves", "Text")
	if err != nil {
		t.Fatal(err)
	}
	if n := s.count("SELECT count(*) FROM ideas.co_author WHERE idea_id = $1 AND state = 'accepted'", idea.ID); n != 9 {
		t.Errorf("%d of 9 have credit", n)
	}
	if outcomes, err := s.Outcomes(ctx, 0, c.ID, "one"); err != nil || len(outcomes) != 1 || outcomes[0].ID != idea.ID {
		t.Errorf("outcomes %+v, %v", outcomes, err)
	}
}

func TestMission(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	people := s.crowd(3, "")
	hunter, reader, lead := people[0].ID, people[1].ID, people[2].ID
	c := s.declare("hunters", calls(control.TypeMission, control.Recruiting{Places: 1, Selection: ideas.SelectionVote}))
	if _, err := s.Apply(ctx, c, hunter, nil); err != nil {
		t.Fatal(err)
	}
	s.pass(week)
	if err := s.CloseSelection(ctx, lead, c, ""); err != nil {
		t.Fatal(err)
	}
	s.is(ideas.ErrNotFound, s.SubmitResult(ctx, c, "fly", reader, "I was not asked", ""))
	s.is(ideas.ErrNotFound, s.SubmitResult(ctx, c, "swim", hunter, "x", ""))
	if field := (*ideas.FieldError)(nil); !errors.As(s.SubmitResult(ctx, c, "fly", hunter, "Flown", "javascript:x"), &field) {
		t.Error("a link that is none is taken")
	}
	if err := s.SubmitResult(ctx, c, "fly", hunter, "Flown", "https://brand.example/p"); err != nil {
		t.Fatal(err)
	}
	if err := s.DecideResult(ctx, lead, c, "fly", hunter, ideas.ResultRedo, "Which seat?"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SubmitResult(ctx, c, "fly", hunter, "Seat 1A", ""), s.DecideResult(ctx, lead, c, "fly", hunter, ideas.ResultAccepted, "")); err != nil {
		t.Fatal(err)
	}
	s.is(ideas.ErrClosed, s.SubmitResult(ctx, c, "fly", hunter, "Once more", ""))
	post, err := s.AddTopic(ctx, c, hunter, "", "", "The lounge", "Quiet.")
	if err != nil || post.State != ideas.TopicVisible {
		t.Errorf("a post of a mission without moderation: %+v, %v", post, err)
	}
	_, err = s.AddTopic(ctx, c, reader, "", "", "Me too", "x")
	s.is(ideas.ErrNotFound, err)
	if _, err := s.AddReply(ctx, c, post.ID, 0, reader, "", "Nice"); err != nil {
		t.Errorf("a reader's reply: %v", err)
	}
	idea := submit(t, s.Store, people[1], "Quiet lounges")
	if err := s.LinkIdea(ctx, lead, c, idea.ID, true); err != nil {
		t.Fatal(err)
	}
	if field := (*ideas.FieldError)(nil); !errors.As(s.LinkIdea(ctx, lead, c, 9999, true), &field) {
		t.Error("an idea that does not exist is linked")
	}
	progress, err := s.MissionProgress(ctx, c)
	if err != nil || len(progress.Members) != 1 || len(progress.Results) != 1 || progress.Results[0].State != ideas.ResultAccepted || progress.Posts != 1 ||
		progress.Ideas[ideas.StateGathering] != 1 {
		t.Errorf("progress %+v, %v", progress, err)
	}
	s.set(time.Date(2027, 3, 20, 0, 0, 0, 0, time.UTC))
	s.is(ideas.ErrClosed, s.SubmitResult(ctx, c, "fly", hunter, "Late", ""))
}

// Of somebody erased nothing is left that they said of themselves to take part, nobody waits for them, and the next has
// their place.
func TestEraseWhatSomebodyTookPartIn(t *testing.T) {
	s := openClocked(t)
	ctx := t.Context()
	people := s.crowd(2, "")
	gone, next := people[0].ID, people[1].ID
	call := s.declare("call", calls(control.TypeMission, control.Recruiting{Places: 1, Questions: []control.FormField{{Name: "why", Type: ideas.FieldText}}}))
	if _, err := s.Apply(ctx, call, gone, map[string][]string{"why": {"My secret"}}); err != nil {
		t.Fatal(err)
	}
	w, q, f := s.declare("workshop", workshop(1)), s.declare("survey", survey(false, 0)), s.declare("forum", control.Challenge{Type: control.TypeForum, Forum: &control.Forum{}})
	for _, m := range people {
		if _, err := s.Register(ctx, w, "one", m.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Respond(ctx, q, ideas.PartSurvey, gone, nine); err != nil {
		t.Fatal(err)
	}
	topic, err := s.AddTopic(ctx, f, gone, "", "", "Mine", "My text")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestErasure(ctx, gone, ideas.ContributionsRemoved); err != nil {
		t.Fatal(err)
	}
	_, token, err := s.ErasureRecipient(ctx, s.count("SELECT max(id) FROM ideas.erasure"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ConfirmErasure(ctx, token); err != nil {
		t.Fatal(err)
	}
	for table, column := range map[string]string{
		"application": "member_id", "survey_participation": "member_id", "survey_response": "member_id", "workshop_registration": "member_id",
	} {
		if n := s.count(fmt.Sprintf("SELECT count(*) FROM ideas.%s WHERE %s = %d", table, column, gone)); n != 0 {
			t.Errorf("%s still has %d rows", table, n)
		}
	}
	if n := s.count("SELECT count(*) FROM ideas.survey_response"); n != 1 {
		t.Errorf("%d responses are left of 1", n)
	}
	if places, err := s.SessionPlaces(ctx, w, next); err != nil || places["one"].Mine != ideas.Registered {
		t.Errorf("who waited has %+v, %v", places, err)
	}
	if _, err := s.GetTopic(ctx, next, false, topic.ID); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("the removed topic is there: %v", err)
	}
}
