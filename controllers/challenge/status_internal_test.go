package challenge

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
)

var noon = time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)

func scopeOf(spec v1alpha1.ChallengeSpec, house *v1alpha1.House) *scope {
	c := &v1alpha1.Challenge{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: spec}
	community := &v1alpha1.Community{Spec: v1alpha1.CommunitySpec{House: house}}
	return &scope{challenge: c, before: c.DeepCopy(), now: noon, done: ideaservice.Converged{Service: &ideaservice.Service{Community: community}}}
}

// What the service says becomes conditions that do not count for Ready.
func TestConditionsOfState(t *testing.T) {
	gap := func(percent int) *control.Representativeness {
		return &control.Representativeness{Attribute: "region", Value: "north", GapPercent: percent, ActualPercent: 50 + percent, QuotaPercent: 50}
	}
	contest := v1alpha1.ChallengeSpec{Type: v1alpha1.ChallengeContest}
	promising := v1alpha1.ChallengeSpec{AnswerWithinDays: 7}
	quotas := v1alpha1.ChallengeSpec{Quotas: []v1alpha1.Quota{{Attribute: "region", Value: "north", Percent: 50}}}
	for name, tc := range map[string]struct {
		spec   v1alpha1.ChallengeSpec
		house  *v1alpha1.House
		state  control.ChallengeState
		kind   string
		status metav1.ConditionStatus // empty for none
		reason string
		words  string
	}{
		"open":                          {state: control.ChallengeState{Phase: "open"}, kind: v1alpha1.ConditionOpen, status: metav1.ConditionTrue, reason: v1alpha1.ReasonOpen},
		"applications":                  {state: control.ChallengeState{Phase: "recruiting"}, kind: v1alpha1.ConditionOpen, status: metav1.ConditionTrue, reason: v1alpha1.ReasonOpen},
		"the jury's":                    {state: control.ChallengeState{Phase: "jury"}, kind: v1alpha1.ConditionOpen, status: metav1.ConditionFalse, reason: v1alpha1.ReasonTeamAtWork, words: "jury"},
		"paused":                        {state: control.ChallengeState{Phase: "paused"}, kind: v1alpha1.ConditionOpen, status: metav1.ConditionFalse, reason: v1alpha1.ReasonChallengePaused},
		"cancelled":                     {state: control.ChallengeState{Phase: "cancelled"}, kind: v1alpha1.ConditionOpen, status: metav1.ConditionFalse, reason: v1alpha1.ReasonCancelled},
		"a contest, undecided":          {spec: contest, kind: v1alpha1.ConditionDecided, status: metav1.ConditionFalse, reason: v1alpha1.ReasonUndecided},
		"a contest, decided":            {spec: contest, state: control.ChallengeState{DecidedAt: &noon}, kind: v1alpha1.ConditionDecided, status: metav1.ConditionTrue, reason: v1alpha1.ReasonDecided},
		"a forum is not decided":        {spec: v1alpha1.ChallengeSpec{Type: v1alpha1.ChallengeForum}, kind: v1alpha1.ConditionDecided},
		"no answer promised":            {kind: v1alpha1.ConditionAnswersOnTime},
		"promised, on time":             {spec: promising, kind: v1alpha1.ConditionAnswersOnTime, status: metav1.ConditionTrue, reason: v1alpha1.ReasonOnTime},
		"promised by the house":         {house: &v1alpha1.House{AnswerWithinDays: 7}, kind: v1alpha1.ConditionAnswersOnTime, status: metav1.ConditionTrue, reason: v1alpha1.ReasonOnTime},
		"promised, late":                {spec: promising, state: control.ChallengeState{LateAnswers: 4}, kind: v1alpha1.ConditionAnswersOnTime, status: metav1.ConditionFalse, reason: v1alpha1.ReasonAnswersLate, words: "4 ideas"},
		"no quotas":                     {kind: v1alpha1.ConditionRepresentative},
		"quotas, nobody has taken part": {spec: quotas, kind: v1alpha1.ConditionRepresentative, status: metav1.ConditionUnknown, reason: v1alpha1.ReasonNoParticipants},
		"within the quotas":             {spec: quotas, state: control.ChallengeState{Representativeness: gap(control.RepresentativeWithin)}, kind: v1alpha1.ConditionRepresentative, status: metav1.ConditionTrue, reason: v1alpha1.ReasonWithinQuotas},
		"too far from the quotas":       {spec: quotas, state: control.ChallengeState{Representativeness: gap(control.RepresentativeWithin + 1)}, kind: v1alpha1.ConditionRepresentative, status: metav1.ConditionFalse, reason: v1alpha1.ReasonGapTooWide, words: "region north is 56 %"},
	} {
		t.Run(name, func(t *testing.T) {
			s := scopeOf(tc.spec, tc.house)
			s.reportState(tc.state)
			got := meta.FindStatusCondition(s.challenge.Status.Conditions, tc.kind)
			switch {
			case tc.status == "" && got == nil:
			case tc.status == "" || got == nil:
				t.Errorf("got %+v, want %q", got, tc.status)
			case got.Status != tc.status || got.Reason != tc.reason || !strings.Contains(got.Message, tc.words) || got.ObservedGeneration != 3:
				t.Errorf("got %+v, want %s %s with %q", got, tc.status, tc.reason, tc.words)
			}
		})
	}
}

func TestClosesIn(t *testing.T) {
	for left, want := range map[time.Duration]struct {
		closes string
		again  time.Duration
	}{
		12*day + 5*time.Hour:        {"12d", 5*time.Hour + time.Second},
		day:                         {"1d", time.Second},
		23*time.Hour + time.Minute:  {"23h", time.Minute + time.Second},
		time.Hour:                   {"1h", time.Second},
		59 * time.Minute:            {"<1h", 0},
		-time.Minute:                {"<1h", 0},
		365*day + 30*time.Second:    {"365d", 31 * time.Second},
		5*time.Hour + 2*time.Second: {"5h", 3 * time.Second},
	} {
		s := scopeOf(v1alpha1.ChallengeSpec{}, nil)
		at := noon.Add(left)
		s.reportState(control.ChallengeState{Phase: "open", NextChange: &at})
		if got := s.challenge.Status.ClosesIn; got != want.closes {
			t.Errorf("%s before its end it closes in %q, want %q", left, got, want.closes)
		}
		next := metav1.NewTime(at)
		if got := untilShorter(&next, noon); want.again > 0 && got != want.again {
			t.Errorf("%s before its end closesIn is looked at again after %s, want %s", left, got, want.again)
		}
	}
	s := scopeOf(v1alpha1.ChallengeSpec{}, nil)
	s.challenge.Status.ClosesIn = "1h"
	s.reportState(control.ChallengeState{Phase: "closed"})
	if got := s.challenge.Status.ClosesIn; got != "" {
		t.Errorf("closed, it closes in %q", got)
	}
}

// What a service says is cut to what the API keeps: a status that is refused would never be written.
func TestStateIsBounded(t *testing.T) {
	long := strings.Repeat("é", 5000)
	var many []control.EntryState
	for i := range int64(500) {
		many = append(many, control.EntryState{Idea: i, Title: long, Rank: -1})
	}
	s := scopeOf(v1alpha1.ChallengeSpec{}, nil)
	s.reportState(control.ChallengeState{
		Phase: long, ResultSHA256: long, Leaders: many, Shortlist: many, Winners: many,
		Representativeness: &control.Representativeness{Attribute: long, Value: long, GapPercent: 1 << 40, ActualPercent: -5},
	})
	status := s.challenge.Status
	for what, tc := range map[string]struct{ got, most int }{
		"phase": {len([]rune(status.Phase)), 63}, "result": {len([]rune(status.ResultSHA256)), 64},
		"leaders": {len(status.Leaders), 5}, "shortlist": {len(status.Shortlist), 20}, "winners": {len(status.Winners), 100},
		"title": {len([]rune(status.Leaders[0].Title)), 200}, "attribute": {len([]rune(status.Representativeness.Attribute)), 63},
		"gap": {int(status.Representativeness.GapPercent), 100},
	} {
		if tc.got > tc.most {
			t.Errorf("%s is %d, at most %d may be kept", what, tc.got, tc.most)
		}
	}
	if status.Leaders[0].Rank != 0 || status.Representativeness.ActualPercent != 0 {
		t.Errorf("what cannot be is kept: %+v", status.Representativeness)
	}
}
