package ideas_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
)

// stateMachine is the whole of it, written out: a line for each state with the states that it leads to and who may lead
// there (author, moderator, decider, implementer, service); "!" asks for a public reason. Every state but erased leads to
// erased, by the service.
const stateMachine = `
draft: pending=a gathering=a
pending: changes_requested=m! rejected=m! gathering=m merged=md withdrawn=a
changes_requested: pending=a rejected=m! withdrawn=a
rejected: pending=m
gathering: pending=a qualified=ds under_review=ds shortlisted=ds! selected=ds! not_selected=ds! expired=s merged=md withdrawn=a hidden=m!
qualified: under_review=ds shortlisted=ds! selected=ds! not_selected=ds! merged=md withdrawn=a hidden=m!
under_review: shortlisted=ds! selected=ds! not_selected=ds! hidden=m!
shortlisted: under_review=d! selected=ds! not_selected=ds! hidden=m!
selected: not_selected=d! planned=di hidden=m!
not_selected: under_review=d! hidden=m!
planned: not_selected=d! in_development=di hidden=m!
in_development: not_selected=d! planned=di! testing=di launched=di hidden=m!
testing: not_selected=d! in_development=di! launched=di hidden=m!
launched: hidden=m!
expired: pending=a gathering=a merged=md withdrawn=a hidden=m!
merged: pending=md gathering=md qualified=md expired=md
withdrawn:
hidden: gathering=m qualified=m under_review=m shortlisted=m selected=m not_selected=m planned=m in_development=m testing=m launched=m expired=m
erased:
`

var capacities = map[string]ideas.Capacity{
	"a": ideas.AsAuthor, "m": ideas.AsModerator, "d": ideas.AsDecider, "i": ideas.AsImplementer, "s": ideas.AsService,
}

// TestStateMachine asks for every pair of states, in every capacity, with and without a reason.
func TestStateMachine(t *testing.T) {
	want := map[[2]ideas.State]string{}
	for line := range strings.SplitSeq(strings.TrimSpace(stateMachine), "\n") {
		from, rest, _ := strings.Cut(line, ":")
		for _, step := range strings.Fields(rest) {
			to, by, _ := strings.Cut(step, "=")
			want[[2]ideas.State{ideas.State(from), ideas.State(to)}] = by
		}
		if from != "erased" {
			want[[2]ideas.State{ideas.State(from), ideas.StateErased}] = "s"
		}
	}
	for _, from := range ideas.States() {
		for _, to := range ideas.States() {
			by, known := want[[2]ideas.State{from, to}]
			for letter, capacity := range capacities {
				allowed := strings.Contains(by, letter)
				as, err := ideas.CheckTransition(from, to, []ideas.Capacity{capacity}, ideas.Reason{Text: "Because."})
				step := (*ideas.TransitionError)(nil)
				switch {
				case !known && !errors.As(err, &step):
					t.Errorf("%s to %s as %s: error %v, want that nobody may", from, to, capacity, err)
				case known && !allowed && !errors.Is(err, ideas.ErrForbidden):
					t.Errorf("%s to %s as %s: error %v, want that others may", from, to, capacity, err)
				case known && allowed && (err != nil || as != capacity):
					t.Errorf("%s to %s as %s: refused with %v", from, to, capacity, err)
				}
				if !allowed {
					continue
				}
				for _, empty := range []ideas.Reason{{}, {Code: ideas.ReasonOther}} {
					_, err = ideas.CheckTransition(from, to, []ideas.Capacity{capacity}, empty)
					field := (*ideas.FieldError)(nil)
					if refused := errors.As(err, &field) && field.Field == "reason"; refused != strings.Contains(by, "!") {
						t.Errorf("%s to %s as %s with the reason %+v: error %v", from, to, capacity, empty, err)
					}
				}
			}
		}
	}
}

func TestNextStates(t *testing.T) {
	for name, tc := range map[string]struct {
		from  ideas.State
		roles ideas.Roles
		own   bool
		want  string
	}{
		"author's draft":            {ideas.StateDraft, nil, true, "pending gathering"},
		"somebody's draft":          {ideas.StateDraft, nil, false, ""},
		"moderator, pending":        {ideas.StatePending, ideas.Roles{ideas.RoleModerator}, false, "changes_requested! rejected! gathering merged"},
		"implementer, selected":     {ideas.StateSelected, ideas.Roles{ideas.RoleImplementer}, false, "planned"},
		"lead, testing":             {ideas.StateTesting, ideas.Roles{ideas.RoleLead}, false, "not_selected! in_development! launched hidden!"},
		"lead, hidden":              {ideas.StateHidden, ideas.Roles{ideas.RoleLead}, false, ""},
		"follow-up may only look":   {ideas.StateQualified, ideas.Roles{ideas.RoleFollowUp}, false, ""},
		"author, while it gathers":  {ideas.StateGathering, nil, true, "pending withdrawn"},
		"author, when it is chosen": {ideas.StateSelected, nil, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, next := range ideas.NextStates(tc.from, ideas.CapacitiesOf(tc.roles, tc.own)) {
				mark := ""
				if next.Explained {
					mark = "!"
				}
				got = append(got, fmt.Sprint(next.State)+mark)
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("next states (-want +got):\n%s", diff)
			}
		})
	}
}

// Whoever sees an idea's state can rely on these.
func TestStatesAreConsistent(t *testing.T) {
	for _, s := range ideas.States() {
		if s.Published() && slices.Contains([]ideas.State{
			ideas.StateDraft, ideas.StatePending, ideas.StateChangesRequested, ideas.StateRejected, ideas.StateMerged,
			ideas.StateWithdrawn, ideas.StateHidden, ideas.StateErased,
		}, s) {
			t.Errorf("%s is published", s)
		}
		if s.Published() && len(ideas.NextStates(s, []ideas.Capacity{ideas.AsModerator})) == 0 {
			t.Errorf("a moderator cannot hide an idea that is %s", s)
		}
	}
}
