package web_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// What becomes of a name: an object that was made anew takes up what was archived under it, with everything that was
// written; a contest that had opened is not begun anew under its name; and one in force is given up to nobody but whom
// names it as its former.
func TestNamesAndTheirObjects(t *testing.T) {
	ideation := func(uid string, generation int64) control.Object[control.Challenge] {
		o := ideation(uid, "light", generation)
		o.Spec.Phases[0].Start = "2027-05-01T09:00"
		return o
	}
	another := func(change func(*control.Object[control.Challenge])) func() control.Object[control.Challenge] {
		return func() control.Object[control.Challenge] {
			o := ideation("u2", 1)
			change(&o)
			return o
		}
	}
	for _, tc := range []struct {
		what     string
		archived bool
		next     func() control.Object[control.Challenge]
		// refused field, and what the message says; empty for a declaration that is accepted.
		refused, message string
	}{
		{"the same object again", true, func() control.Object[control.Challenge] { return ideation("u1", 8) }, "", ""},
		{"the same object in the same generation", true, func() control.Object[control.Challenge] { return ideation("u1", 7) }, "", ""},
		{"made anew under its name", true, another(func(*control.Object[control.Challenge]) {}), "", ""},
		{"made anew with another brief", true, another(func(o *control.Object[control.Challenge]) { o.Spec.Brief = map[string]string{"en": "Shine"} }), "", ""},
		{"made anew as another contest", true, another(func(o *control.Object[control.Challenge]) { o.Spec.Phases[0].Start = "2027-08-01T09:00" }), "spec.phases[0].start", "to begin anew, take another name"},
		{"made anew with another type", true, another(func(o *control.Object[control.Challenge]) {
			o.Spec.Type = control.TypeForum
			o.Spec.Forum = &control.Forum{}
		}), "spec.type", "to begin anew, take another name"},
		{"a second object of the name", false, another(func(*control.Object[control.Challenge]) {}), "name", "withdraw it first"},
		{"restored with another uid", false, another(func(o *control.Object[control.Challenge]) { o.Former = "u1" }), "", ""},
		{"restored with a lower generation", false, another(func(o *control.Object[control.Challenge]) { o.Former, o.Generation = "u1", 2 }), "", ""},
		{"restored, and changed where it is locked", false, another(func(o *control.Object[control.Challenge]) {
			o.Former, o.Spec.Ballot = "u1", &control.Ballot{Kind: control.BallotApproval}
		}), "spec.ballot", "put back"},
		{"one that names another former", false, another(func(o *control.Object[control.Challenge]) { o.Former = "u0" }), "name", "withdraw it first"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			c := openContract(t, nil)
			c.mustDeclare(ideation("u1", 7))
			author := c.member("author")
			idea := c.entry(author, "light", "A lamp for cyclists")
			if _, err := c.store.SetSupport(t.Context(), author.ID, idea.ID, true); err != nil {
				t.Fatal(err)
			}
			before := c.observeChallenge("u1")
			if tc.archived {
				if err := c.client.WithdrawChallenge(t.Context(), c.address, controlToken, "u1"); err != nil {
					t.Fatal(err)
				}
			}
			o := tc.next()
			answer := c.declare(o)
			if tc.refused != "" {
				if len(answer.Refusals) == 0 || answer.Refusals[0].Field != tc.refused || !strings.Contains(answer.Refusals[0].Message, tc.message) {
					t.Errorf("answered with %+v, want %s: …%s", answer.Refusals, tc.refused, tc.message)
				}
				if wasInForce := answer.InForce == before.InForce; wasInForce == tc.archived {
					t.Errorf("in force is %+v", answer.InForce)
				}
				return
			}
			want := before
			want.InForce = control.InForce{UID: o.UID, Generation: o.Generation, Digest: o.Digest()}
			if answer.InForce != want.InForce {
				t.Fatalf("answered with %+v", answer)
			}
			if diff := cmp.Diff(want, c.observeChallenge(o.UID)); diff != "" {
				t.Errorf("what was lived (-want +got):\n%s", diff)
			}
			if got := c.store.Programme(t.Context()).Challenge("light").UID; got != o.UID {
				t.Errorf("the replica serves %s", got)
			}
			if o.UID != "u1" {
				// The former object's end comes late, and ends nothing.
				if err := c.client.WithdrawChallenge(t.Context(), c.address, controlToken, "u1"); err != nil {
					t.Fatal(err)
				}
				c.observeChallenge(o.UID)
			}
		})
	}
}

// A withdrawal of a later generation is not undone by a declaration that was on its way.
func TestLateDeclarations(t *testing.T) {
	c := openContract(t, nil)
	c.mustDeclare(ideation("u1", "light", 7))
	if err := c.client.WithdrawChallenge(t.Context(), c.address, controlToken, "u1"); err != nil {
		t.Fatal(err)
	}
	if answer := c.declare(ideation("u1", "light", 6)); answer.InForce != (control.InForce{}) || len(answer.Refusals) != 0 {
		t.Errorf("a late declaration is answered with %+v", answer)
	}
	if _, err := c.client.ObserveChallenge(t.Context(), c.address, controlToken, "u1"); !errors.Is(err, control.ErrUnknownObject) {
		t.Errorf("after it: %v", err)
	}
}

// Whatever is repeated, wherever it arrives and however many arrive at once, the end is the same: one challenge, one policy
// and one set of points.
func TestRepeatedAndAtOnce(t *testing.T) {
	c := openContract(t, nil)
	_, second := c.replica()
	author := c.member("author")
	policy, challenge := stars("p1", 1), ideation("u1", "light", 1)
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			address := []string{c.address, second}[i%2]
			if _, err := c.client.DeclareRewardPolicy(t.Context(), address, controlToken, policy); err != nil {
				t.Error(err)
			}
			if answer, err := c.client.DeclareChallenge(t.Context(), address, controlToken, challenge); err != nil || answer.InForce.UID != "u1" {
				t.Errorf("declared on replica %d: %+v, %v", i%2, answer, err)
			}
		})
	}
	group.Wait()
	for range 2 {
		if _, err := c.store.SubmitIdea(t.Context(), author.ID, "", "A lamp for cyclists", "It shines."); err != nil {
			t.Fatal(err)
		}
	}
	issued := func(uid string) int64 {
		state, err := c.client.ObserveRewardPolicy(t.Context(), second, controlToken, uid)
		if err != nil {
			t.Fatal(err)
		}
		return state.PointsIssued
	}
	eventually(t, "the points are given", func() bool { return issued("p1") == 20 })
	// The policy is declared again, withdrawn, and made anew: what it gave stays, and nothing is given twice.
	successor := stars("p2", 1)
	for _, o := range []control.Object[control.RewardPolicy]{policy, stars("p1", 2), successor} {
		if o.UID == "p2" {
			if err := c.client.WithdrawRewardPolicy(t.Context(), c.address, controlToken, "p1"); err != nil {
				t.Fatal(err)
			}
			if n := c.db.QueryInt(t, "SELECT sum(points)::bigint FROM ideas.points_total WHERE kind = 'all'"); n != 20 {
				t.Errorf("after the withdrawal members have %d points, want 20", n)
			}
		}
		for range 2 {
			if answer := c.declarePolicy(o); answer.InForce.UID != o.UID || answer.InForce.Generation != o.Generation {
				t.Fatalf("declare %s: %+v", o.UID, answer)
			}
		}
	}
	// Events that a crash has left undispatched come once more.
	c.db.Exec(t, "UPDATE ideas.event SET dispatched = false")
	if _, err := c.store.SubmitIdea(t.Context(), author.ID, "", "A lamp for sailors", "It shines."); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the events are dispatched again", func() bool { return c.db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE NOT dispatched") == 0 })
	for query, want := range map[string]int64{
		"SELECT sum(points)::bigint FROM ideas.points_entry":                     30,
		"SELECT count(*) FROM ideas.challenge":                                   1,
		"SELECT count(*) FROM ideas.reward_policy WHERE in_force":                1,
		"SELECT sum(points)::bigint FROM ideas.points_total WHERE kind = 'all'":  30,
		"SELECT count(*) FROM ideas.reward_policy WHERE uid = 'p1' AND in_force": 0,
	} {
		if got := c.db.QueryInt(t, query); got != want {
			t.Errorf("%s gives %d, want %d", query, got, want)
		}
	}
	if got := issued("p2"); got != 30 {
		t.Errorf("the policy has issued %d points, want 30 with those of its former", got)
	}
}

// A service that dies between putting a declaration in force and answering has put it in force, once: the operator sees so,
// and declaring it again changes nothing.
func TestAcceptedWithoutAnAnswer(t *testing.T) {
	c := openContract(t, nil)
	o := ideation("u1", "light", 3)
	if _, _, err := c.store.DeclareChallenge(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	// Nobody has heard of it. Another replica answers from now on.
	_, c.address = c.replica()
	revision := c.db.QueryInt(t, "SELECT revision FROM ideas.programme")
	objects, err := c.client.Objects(t.Context(), c.address, controlToken)
	if err != nil || len(objects.Objects) != 1 || objects.Objects[0].InForce() != (control.InForce{UID: "u1", Generation: 3, Digest: o.Digest()}) {
		t.Errorf("the list tells of %+v, %v", objects, err)
	}
	c.mustDeclare(o)
	if got := c.db.QueryInt(t, "SELECT revision FROM ideas.programme"); got != revision {
		t.Errorf("declaring it again made revision %d of %d", got, revision)
	}
}

// Two hundred challenges are declared, listed and observed.
func TestManyChallenges(t *testing.T) {
	c := openContract(t, nil)
	const many = 200
	for i := range many {
		c.mustDeclare(ideation(fmt.Sprint("u", i), fmt.Sprintf("challenge-%03d", i), 1))
	}
	objects, err := c.client.Objects(t.Context(), c.address, controlToken)
	if err != nil || len(objects.Objects) != many || objects.Truncated || objects.Objects[many-1].Name != "challenge-199" {
		t.Errorf("%d objects, %v", len(objects.Objects), err)
	}
	if got := c.observeChallenge("u150"); got.Phase != control.PhaseOpen {
		t.Errorf("one of them is %+v", got)
	}
	var wrong *ideas.Challenge
	for _, one := range c.store.Programme(t.Context()).Challenges {
		if one.Name != fmt.Sprintf("challenge-%03d", one.ID-1) {
			wrong = one
		}
	}
	if wrong != nil {
		t.Errorf("challenge %d is named %s", wrong.ID, wrong.Name)
	}
}
