package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rules"
	"github.com/quaeso/community-operator/internal/testutil"
)

// operated is what the operator has of a community: the control port of a service on a real database, whose clock the
// test sets.
type operated struct {
	*testing.T
	store   *postgres.Store
	db      *testutil.PostgresDatabase
	client  *control.Client
	address string

	mutex sync.Mutex
	now   time.Time
}

// openContract starts a service whose community has been declared with house rules. It is noon on 1 June 2027 in Paris.
func openContract(t *testing.T, house *control.House) *operated {
	t.Helper()
	c := &operated{T: t, db: migrated(t), client: control.NewClient(""), now: time.Date(2027, 6, 1, 10, 0, 0, 0, time.UTC)}
	c.store, c.address = c.replica()
	d := valid()
	d.Settings.House = house
	if answer, err := c.client.Declare(t.Context(), c.address, controlToken, d); err != nil || answer.InForce.Digest != d.Settings.Digest() {
		t.Fatalf("declare the community: %+v, %v", answer, err)
	}
	return c
}

// replica starts one more service on the same database.
func (c *operated) replica() (*postgres.Store, string) {
	c.Helper()
	store := run(c, c.db.URI(), nil, func(config *postgres.Config) { config.Clock = c.clock })
	server := httptest.NewServer(web.NewControl(web.ControlConfig{
		Declarations: store, Settings: store, Clock: c.clock, Token: func() (string, error) { return controlToken, nil },
		Locales: []string{"en", "fr"}, Version: "v1.2.3", Logger: slog.New(slog.DiscardHandler),
	}))
	c.Cleanup(server.Close)
	return store, strings.TrimPrefix(server.URL, "http://")
}

func (c *operated) clock() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

func (c *operated) at(local string) {
	c.Helper()
	now, err := time.ParseInLocation(control.LocalTimeLayout, local, mustLoad(c, "Europe/Paris"))
	if err != nil {
		c.Fatal(err)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = now
}

func mustLoad(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func (c *operated) member(name string) ideas.Member {
	c.Helper()
	session, err := c.store.SignInWith(c.Context(), ideas.Identity{
		Issuer: "https://issuer.example", Subject: name, Name: name, Locale: "en", Email: name + "@members.example", EmailVerified: true,
	})
	if err != nil {
		c.Fatal(err)
	}
	m, err := c.store.Authenticate(c.Context(), session)
	if err != nil {
		c.Fatal(err)
	}
	return m
}

// says notes what a member says of themselves.
func (c *operated) says(m ideas.Member, attribute, value string) {
	c.Helper()
	c.db.Exec(c, fmt.Sprintf(`WITH c AS (INSERT INTO ideas.consent (member_id, attribute, locale, text, text_hash, given_at)
		VALUES (%d, '%s', 'en', '', '', now()) RETURNING id) INSERT INTO ideas.attribute (member_id, name, value, consent_id) SELECT %[1]d, '%[2]s', '%[3]s', id FROM c`, m.ID, attribute, value))
}

func (c *operated) declare(o control.Object[control.Challenge]) control.Answer {
	c.Helper()
	answer, err := c.client.DeclareChallenge(c.Context(), c.address, controlToken, o)
	if err != nil {
		c.Fatal(err)
	}
	return answer
}

func (c *operated) mustDeclare(o control.Object[control.Challenge]) {
	c.Helper()
	if answer := c.declare(o); answer.InForce != (control.InForce{UID: o.UID, Generation: o.Generation, Digest: o.Digest()}) {
		c.Fatalf("declare %s: %+v", o.Name, answer)
	}
}

func (c *operated) entry(m ideas.Member, challenge, title string) ideas.Idea {
	c.Helper()
	idea, err := c.store.SubmitEntry(c.Context(), m.ID, c.store.Programme(c.Context()).Challenge(challenge), "", ideas.Content{Title: title, Body: "The text of " + title}, nil)
	if err != nil {
		c.Fatal(err)
	}
	return idea
}

func (c *operated) observeChallenge(uid string) control.ChallengeState {
	c.Helper()
	state, err := c.client.ObserveChallenge(c.Context(), c.address, controlToken, uid)
	if err != nil {
		c.Fatal(err)
	}
	return state
}

// quotaHouse are house rules with a quota by region.
func quotaHouse() *control.House {
	label := map[string]string{"fr": "Nom", "en": "Name"}
	return &control.House{
		Attributes: []control.Attribute{{Name: "region", Label: label, Options: []control.Option{{Name: "north", Label: label}, {Name: "south", Label: label}}}},
		Quotas:     []control.Quota{{Attribute: "region", Value: "north", Percent: 50}, {Attribute: "region", Value: "south", Percent: 50}},
		Objectives: []control.Objective{
			{Name: "growth", Title: label, Metric: "members", Baseline: 0, Target: 3, Deadline: "2027-12-31"},
			{Name: "joy", Title: label, Metric: "satisfaction", Baseline: 50, Target: 60, Deadline: "2027-12-31"},
			{Name: "votes", Title: label, Metric: "votes", Baseline: 0, Target: 1000, Deadline: "2027-05-31"},
			{Name: "made", Title: label, Metric: "launched", Baseline: 0, Target: 1, Deadline: "2027-12-31"},
		},
		AnswerWithinDays: 10,
	}
}

// How a community stands comes back: its counts, its objectives, who takes part, and what is late.
func TestCommunityIsObserved(t *testing.T) {
	c := openContract(t, quotaHouse())
	observe := func() control.CommunityState {
		state, err := c.client.Observe(t.Context(), c.address, controlToken)
		if err != nil || state.Community == nil {
			t.Fatalf("observed %+v, %v", state, err)
		}
		return *state.Community
	}
	number := func(n int64) *int64 { return &n }
	want := control.CommunityState{Objectives: []control.ObjectiveState{
		{Name: "growth", Metric: "members", Current: number(0), Target: 3, Deadline: "2027-12-31", Standing: control.ObjectiveUnknown},
		{Name: "joy", Metric: "satisfaction", Baseline: 50, Target: 60, Deadline: "2027-12-31", Standing: control.ObjectiveUnknown},
		{Name: "votes", Metric: "votes", Current: number(0), Target: 1000, Deadline: "2027-05-31", Standing: control.ObjectiveMissed},
		{Name: "made", Metric: "launched", Current: number(0), Target: 1, Deadline: "2027-12-31", Standing: control.ObjectiveUnknown},
	}}
	if diff := cmp.Diff(want, observe()); diff != "" {
		t.Errorf("an empty community (-want +got):\n%s", diff)
	}
	var last ideas.Idea
	for i, region := range []string{"north", "north", "north", "south"} {
		m := c.member(fmt.Sprintf("m%d", i))
		c.says(m, "region", region)
		idea, err := c.store.SubmitIdea(t.Context(), m.ID, "", "A lamp for cyclists", "It shines.")
		if err != nil {
			t.Fatal(err)
		}
		last = idea
	}
	c.db.Exec(t, fmt.Sprintf("INSERT INTO ideas.answer_due (idea_id, due_at, responsible) VALUES (%d, '2027-06-01T09:59:59Z', 'lead')", last.ID))
	if _, err := c.store.SetSupport(t.Context(), last.Author.ID, last.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := c.store.EnterValue(t.Context(), last.Author.ID, "joy", c.clock(), 61); err != nil {
		t.Fatal(err)
	}
	want.Members, want.Ideas, want.Votes, want.LateAnswers = 4, 4, 1, 1
	want.Objectives[0].Current, want.Objectives[0].Standing = number(4), control.ObjectiveReached
	want.Objectives[1].Current, want.Objectives[1].Standing = number(61), control.ObjectiveReached
	want.Objectives[2].Current = number(1)
	want.Representativeness = &control.Representativeness{Attribute: "region", Value: "north", ActualPercent: 75, QuotaPercent: 50, GapPercent: 25}
	var got control.CommunityState
	eventually(t, "the segments are counted", func() bool { got = observe(); return got.Representativeness != nil })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a community (-want +got):\n%s", diff)
	}
}

// eventually waits for what the service does in its own time.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !yes(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// How a challenge stands comes back: its phase and the next one, who takes part, and what is late.
func TestChallengeIsObserved(t *testing.T) {
	c := openContract(t, quotaHouse())
	o := ideation("u1", "light", 1)
	o.Spec.Phases = []control.Phase{
		{Name: control.PhaseOpen, Start: "2027-05-01T09:00", End: "2027-06-10T09:00"}, {Name: control.PhaseVoting, Start: "2027-06-10T09:00", End: "2027-06-20T09:00"},
	}
	o.Spec.Quotas = []control.Quota{{Attribute: "region", Value: "north", Percent: 30}, {Attribute: "region", Value: "south", Percent: 70}}
	c.mustDeclare(o)
	north, south := c.member("north"), c.member("south")
	c.says(north, "region", "north")
	c.says(south, "region", "south")
	first := c.entry(north, "light", "A lamp for cyclists")
	c.entry(south, "light", "A lamp for sailors")
	c.db.Exec(t, fmt.Sprintf("INSERT INTO ideas.answer_due (idea_id, due_at, responsible) VALUES (%d, '2027-06-01T09:59:59Z', 'lead')", first.ID))
	change := time.Date(2027, 6, 10, 7, 0, 0, 0, time.UTC)
	want := control.ChallengeState{
		InForce: control.InForce{UID: "u1", Generation: 1, Digest: o.Digest()}, Phase: control.PhaseOpen, NextChange: &change,
		Ideas: 2, Participants: 2, LateAnswers: 1,
		Representativeness: &control.Representativeness{Attribute: "region", Value: "north", ActualPercent: 50, QuotaPercent: 30, GapPercent: 20},
	}
	var got control.ChallengeState
	eventually(t, "the segments are counted", func() bool { got = c.observeChallenge("u1"); return got.Representativeness != nil })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a challenge (-want +got):\n%s", diff)
	}
	c.at("2027-06-12T09:00")
	if got := c.observeChallenge("u1"); got.Phase != control.PhaseVoting || got.NextChange.Day() != 20 {
		t.Errorf("after its phase it is in %s until %s", got.Phase, got.NextChange)
	}
	if _, err := c.client.ObserveChallenge(t.Context(), c.address, controlToken, "u2"); !errors.Is(err, control.ErrUnknownObject) {
		t.Errorf("a challenge that nobody declared: %v", err)
	}
}

// An object that was restored under another UID takes up what was lived, and nothing else does.
func TestFormerObjectsAreTakenUp(t *testing.T) {
	c := openContract(t, nil)
	c.mustDeclare(ideation("u1", "light", 7))
	id := c.db.QueryInt(t, "SELECT id FROM ideas.challenge WHERE uid = 'u1'")
	changed := ideation("u2", "light", 1)
	changed.Spec.Ballot, changed.Former = &control.Ballot{Kind: control.BallotApproval}, "u1"
	foreign, other, restored := ideation("u2", "light", 1), ideation("u2", "night", 1), ideation("u2", "light", 1)
	foreign.Former, other.Former, restored.Former = "u9", "u1", "u1"
	for _, step := range []struct {
		what    string
		o       control.Object[control.Challenge]
		refused string
	}{
		{"with what is locked", changed, "spec.ballot"},
		{"of an object that is not there", foreign, "name"},
		{"under another name", other, ""},
	} {
		answer, err := c.client.DeclareChallenge(t.Context(), c.address, controlToken, step.o)
		if err != nil {
			t.Fatal(err)
		}
		if refused := len(answer.Refusals) > 0; refused != (step.refused != "") || refused && answer.Refusals[0].Field != step.refused {
			t.Errorf("%s: %+v", step.what, answer)
		}
	}
	restored.UID = "u3"
	c.mustDeclare(restored)
	c.mustDeclare(restored)
	if got := c.db.QueryInt(t, "SELECT id FROM ideas.challenge WHERE uid = 'u3'"); got != id {
		t.Errorf("the restored challenge is %d, the former was %d", got, id)
	}
	policy := control.Object[control.RewardPolicy]{UID: "p1", Name: "stars", Generation: 4}
	successor := control.Object[control.RewardPolicy]{UID: "p2", Name: "stars", Generation: 1, Former: "p1"}
	for _, o := range []control.Object[control.RewardPolicy]{policy, successor, successor} {
		answer, err := c.client.DeclareRewardPolicy(t.Context(), c.address, controlToken, o)
		if err != nil || answer.InForce.UID != o.UID {
			t.Errorf("declare %s: %+v, %v", o.UID, answer, err)
		}
	}
}

// The list tells of everything that was ever declared, and where it stands.
func TestObjectsAreListed(t *testing.T) {
	c := openContract(t, nil)
	list := func() control.Objects {
		objects, err := c.client.Objects(t.Context(), c.address, controlToken)
		if err != nil {
			t.Fatal(err)
		}
		return objects
	}
	if diff := cmp.Diff(control.Objects{Objects: []control.KnownObject{}}, list()); diff != "" {
		t.Errorf("an empty community (-want +got):\n%s", diff)
	}
	light, night, sound := ideation("u1", "light", 4), ideation("u2", "night", 1), ideation("u3", "sound", 2)
	for _, o := range []control.Object[control.Challenge]{light, night, sound} {
		c.mustDeclare(o)
	}
	policy := control.Object[control.RewardPolicy]{UID: "p1", Name: "stars", Generation: 1}
	for policy.Generation = range int64(3) {
		policy.Generation++
		if _, err := c.client.DeclareRewardPolicy(t.Context(), c.address, controlToken, policy); err != nil {
			t.Fatal(err)
		}
	}
	for i, uid := range []string{"u2", "u2", "u3", "u9"} {
		c.at(fmt.Sprintf("2027-06-%02dT12:00", i+1))
		if err := c.client.WithdrawChallenge(t.Context(), c.address, controlToken, uid); err != nil {
			t.Fatal(err)
		}
	}
	known := func(kind string, uid, name string, generation int64, digest string, archived bool) control.KnownObject {
		return control.KnownObject{Kind: kind, UID: uid, Name: name, Generation: generation, Digest: digest, Archived: archived}
	}
	want := []control.KnownObject{
		known(control.KindChallenge, "u1", "light", 4, light.Digest(), false), known(control.KindRewardPolicy, "p1", "stars", 3, policy.Digest(), false),
		known(control.KindChallenge, "u3", "sound", 2, sound.Digest(), true), known(control.KindChallenge, "u2", "night", 1, night.Digest(), true),
	}
	before := list()
	if diff := cmp.Diff(want, before.Objects); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	c.db.Exec(t, "INSERT INTO ideas.event (kind, dispatched) VALUES ('idea.submitted', true)")
	if after := list(); after.Happened <= before.Happened {
		t.Errorf("something happened, and the list tells of %d after %d", after.Happened, before.Happened)
	}
	if err := c.client.WithdrawRewardPolicy(t.Context(), c.address, controlToken, "p1"); err != nil {
		t.Fatal(err)
	}
	if last := list().Objects[1]; !last.Archived || last.UID != "p1" && last.UID != "u3" {
		t.Errorf("after its withdrawal the policy is %+v", list().Objects)
	}
	c.db.Exec(t, `INSERT INTO ideas.challenge (uid, name, generation, digest, spec, archived_at) SELECT 'old' || i, 'old' || i, 1, '', '{}', '2020-01-01' FROM generate_series(1, 600) i`)
	if many := list(); len(many.Objects) != 501 || !many.Truncated || many.Objects[0].UID != "u1" {
		t.Errorf("%d objects, truncated %t; want the one in force and 500 archived", len(many.Objects), many.Truncated)
	}
}

// A changed policy is priced over the contract; nothing is written.
func TestPricingOverTheContract(t *testing.T) {
	c := openContract(t, nil)
	policy := control.Object[control.RewardPolicy]{UID: "p1", Name: "stars", Generation: 1, Spec: control.RewardPolicy{
		Rules:  []control.RewardRule{{Name: "idea", Event: "idea.published", Points: 10}},
		Levels: []control.Level{{Name: "bronze", Title: map[string]string{"fr": "Bronze", "en": "Bronze"}, Points: 30}},
	}}
	m := c.member("author")
	for range 2 {
		if _, err := c.store.SubmitIdea(t.Context(), m.ID, "", "A lamp for cyclists", "It shines."); err != nil {
			t.Fatal(err)
		}
	}
	price := func() control.PricingAnswer {
		answer, err := c.client.PriceRewardPolicy(t.Context(), c.address, controlToken, policy)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	policy.Spec.Rules[0].Points = 20
	want := &control.Pricing{Members: 1, PointsAfter: 40, Risen: 1, Levels: []control.LevelPrice{{Before: 1}, {Level: 1, Name: "bronze", After: 1}}}
	if diff := cmp.Diff(want, price().Pricing); diff != "" {
		t.Errorf("pricing (-want +got):\n%s", diff)
	}
	policy.Spec.Rules[0].Condition = "idea.supporters >"
	if answer := price(); answer.Pricing != nil || len(answer.Refusals) != 1 || answer.Refusals[0].Field != "spec.rules[0].condition" || !strings.Contains(answer.Refusals[0].Message, "line 1") {
		t.Errorf("a policy at fault is answered with %+v", answer)
	}
	if n := c.db.QueryInt(t, "SELECT (SELECT count(*) FROM ideas.reward_policy) + (SELECT count(*) FROM ideas.points_entry)"); n != 0 {
		t.Errorf("pricing has written %d rows", n)
	}
}

// The proofs of erased members are listed in pages, can be verified, and carried out again.
func TestErasuresOverTheContract(t *testing.T) {
	c := openContract(t, nil)
	const erased = ideas.MaxPage + 3
	c.db.Exec(t, fmt.Sprintf(`INSERT INTO ideas.member (email, name, locale, created_at) SELECT 'm' || i || '@x.example', 'm', 'en', '2027-01-01' FROM generate_series(1, %d) i`, erased))
	proofs := make([]control.Erasure, erased)
	for i := range proofs {
		record := fmt.Sprintf(`{"at":"2027-05-01T00:00:00Z","contributions":"keep","member":%d}`, i+1)
		sum := sha256.Sum256([]byte(record))
		proofs[i] = control.Erasure{Member: int64(i + 1), DoneAt: time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC), Record: []byte(record), SHA256: hex.EncodeToString(sum[:])}
	}
	for _, want := range []int{erased, 0} {
		if done, err := c.client.EraseAgain(t.Context(), c.address, controlToken, proofs); err != nil || done.Erased != want {
			t.Fatalf("erased %d again, %v; want %d", done.Erased, err, want)
		}
	}
	var got []control.Erasure
	pages := 0
	for after, more := int64(0), true; more; pages++ {
		page, err := c.client.Erasures(t.Context(), c.address, controlToken, after)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page.Erasures...)
		after, more = page.Next, page.Next != 0
	}
	for i := range got {
		sum := sha256.Sum256(got[i].Record)
		if got[i].SHA256 != hex.EncodeToString(sum[:]) {
			t.Fatalf("proof %s has another hash", got[i].Record)
		}
		got[i].ID = 0
	}
	if diff := cmp.Diff(proofs, got); pages != 2 || diff != "" {
		t.Errorf("%d pages, want 2 (-want +got):\n%s", pages, diff)
	}
	if left := c.db.QueryInt(t, "SELECT count(*) FROM ideas.member WHERE email IS NOT NULL"); left != 0 {
		t.Errorf("%d members are left", left)
	}
}

// The clock is set where the service was built for tests, and nowhere else.
func TestClockOverTheContract(t *testing.T) {
	var ahead time.Duration
	noon := time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
	config := web.ControlConfig{
		Declarations: &declarations{}, Token: func() (string, error) { return controlToken, nil }, Logger: slog.New(slog.DiscardHandler),
		Clock: func() time.Time { return noon.Add(ahead) },
	}
	serve := func() string {
		server := httptest.NewServer(web.NewControl(config))
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	client := control.NewClient("")
	if _, err := client.SetClock(t.Context(), serve(), controlToken, time.Hour); !errors.Is(err, control.ErrContract) {
		t.Errorf("a clock that nobody sets: %v", err)
	}
	config.SetClock = func(d time.Duration) error {
		if d < ahead {
			return errors.New("must not go back")
		}
		ahead = d
		return nil
	}
	address := serve()
	got, err := client.SetClock(t.Context(), address, controlToken, 36*time.Hour)
	if diff := cmp.Diff(control.Clock{Ahead: "36h0m0s", Now: noon.Add(36 * time.Hour)}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := client.SetClock(t.Context(), address, controlToken, time.Hour); err == nil {
		t.Error("the clock goes back")
	}
	if _, err := client.SetClock(t.Context(), address, "wrong", 48*time.Hour); !errors.Is(err, control.ErrUnauthorized) || ahead != 36*time.Hour {
		t.Errorf("without the token the clock is set to %s: %v", ahead, err)
	}
}

// slowPricing prices until its test ends.
type slowPricing struct {
	declarations
	begun   chan struct{}
	release chan error
}

func (s *slowPricing) PriceRewardPolicy(ctx context.Context, _ string, _ control.RewardPolicy) (rules.Pricing, error) {
	if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > control.PricingTimeout {
		return rules.Pricing{}, errors.New("there is no end to the pricing")
	}
	s.begun <- struct{}{}
	return rules.Pricing{}, <-s.release
}

// Pricing reads everything that has happened, so that only one is under way, and for a minute at most.
func TestOnePricingAtATime(t *testing.T) {
	slow := &slowPricing{begun: make(chan struct{}), release: make(chan error)}
	settings := &declaration{}
	server := httptest.NewServer(web.NewControl(web.ControlConfig{
		Declarations: slow, Settings: settings, Token: func() (string, error) { return controlToken, nil }, Logger: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(server.Close)
	address, client := strings.TrimPrefix(server.URL, "http://"), control.NewClient("")
	answered := make(chan error, 1)
	price := func() {
		_, err := client.PriceRewardPolicy(t.Context(), address, controlToken, stars("p1", 1))
		answered <- err
	}
	go price()
	<-slow.begun
	if _, err := client.PriceRewardPolicy(t.Context(), address, controlToken, stars("p1", 1)); !errors.Is(err, control.ErrBusy) {
		t.Errorf("a second pricing: %v", err)
	}
	slow.release <- nil
	if err := <-answered; err != nil {
		t.Errorf("the first pricing: %v", err)
	}
	go price()
	<-slow.begun
	slow.release <- fmt.Errorf("price: %w: %w", ideas.ErrUnavailable, context.DeadlineExceeded)
	if err := <-answered; !errors.Is(err, control.ErrTooLong) {
		t.Errorf("a pricing that takes too long: %v", err)
	}
}
