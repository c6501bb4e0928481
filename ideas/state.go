package ideas

import (
	"errors"
	"fmt"
	"slices"
)

// Capacity is what somebody acts as when they move an idea from one state to another.
type Capacity string

// Capacities.
const (
	// AsAuthor is the author, or somebody whom the author has invited to write along.
	AsAuthor Capacity = "author"
	// AsModerator decides what is published.
	AsModerator Capacity = "moderator"
	// AsDecider decides what the brand takes up.
	AsDecider Capacity = "decider"
	// AsImplementer brings what was selected to its launch.
	AsImplementer Capacity = "implementer"
	// AsService is the service itself: clocks, thresholds, ballots and juries.
	AsService Capacity = "service"
)

// CapacitiesOf somebody with roles, who is or is not among the idea's authors.
func CapacitiesOf(roles Roles, isAuthor bool) []Capacity {
	var all []Capacity
	if isAuthor {
		all = append(all, AsAuthor)
	}
	for _, c := range []struct {
		permission Permission
		capacity   Capacity
	}{{MayModerate, AsModerator}, {MayDecide, AsDecider}, {MayImplement, AsImplementer}} {
		if roles.May(c.permission) {
			all = append(all, c.capacity)
		}
	}
	return all
}

// ErrForbidden is returned for an action that somebody may not take on what they may see.
var ErrForbidden = errors.New("not allowed")

// TransitionError tells that an idea cannot go from one state to another, by anybody or by who asked.
type TransitionError struct{ From, To State }

// Error implements error.
func (e *TransitionError) Error() string {
	return fmt.Sprintf("an idea cannot go from %s to %s so", e.From, e.To)
}

// transition is one row of the state machine.
type transition struct {
	by []Capacity
	// explained asks for a public reason.
	explained bool
}

// Groups of states that share transitions.
var (
	gatheringStates   = []State{StateGathering, StateQualified}
	reviewedStates    = []State{StateUnderReview, StateShortlisted}
	implementedStates = []State{StatePlanned, StateDevelopment, StateTesting, StateLaunched}
	publishedStates   = slices.Concat(gatheringStates, reviewedStates, []State{StateSelected, StateNotSelected, StateExpired}, implementedStates)
)

// machine holds every transition that is allowed. Whatever refuses or selects carries a public reason.
var machine = buildMachine()

func buildMachine() map[State]map[State]transition {
	m := map[State]map[State]transition{}
	allow := func(from []State, to State, explained bool, by ...Capacity) {
		for _, f := range from {
			if m[f] == nil {
				m[f] = map[State]transition{}
			}
			m[f][to] = transition{by: by, explained: explained}
		}
	}
	one := func(s ...State) []State { return s }

	// Towards publication. Which of the two an author's submission leads to, the house rules say.
	allow(one(StateDraft), StatePending, false, AsAuthor)
	allow(one(StateDraft, StateExpired), StateGathering, false, AsAuthor)
	allow(one(StateChangesRequested), StatePending, false, AsAuthor)
	allow(one(StatePending), StateGathering, false, AsModerator)
	allow(one(StatePending), StateChangesRequested, true, AsModerator)
	allow(one(StatePending, StateChangesRequested), StateRejected, true, AsModerator)
	allow(one(StateRejected), StatePending, false, AsModerator)

	// An edit that the house rules want to see first takes an idea out of sight.
	allow(one(StateGathering, StateExpired), StatePending, false, AsAuthor)

	// Support, review, decision.
	allow(one(StateGathering), StateQualified, false, AsService, AsDecider)
	allow(one(StateGathering), StateExpired, false, AsService)
	allow(gatheringStates, StateUnderReview, false, AsService, AsDecider)
	allow(one(StateGathering, StateQualified, StateUnderReview), StateShortlisted, true, AsService, AsDecider)
	allow(slices.Concat(gatheringStates, reviewedStates), StateSelected, true, AsService, AsDecider)
	allow(slices.Concat(gatheringStates, reviewedStates), StateNotSelected, true, AsService, AsDecider)
	allow(one(StateNotSelected, StateShortlisted), StateUnderReview, true, AsDecider)

	// Towards the launch, with steps back that are explained.
	allow(one(StateSelected), StatePlanned, false, AsImplementer, AsDecider)
	allow(one(StatePlanned), StateDevelopment, false, AsImplementer, AsDecider)
	allow(one(StateDevelopment), StateTesting, false, AsImplementer, AsDecider)
	allow(one(StateDevelopment, StateTesting), StateLaunched, false, AsImplementer, AsDecider)
	allow(one(StateDevelopment), StatePlanned, true, AsImplementer, AsDecider)
	allow(one(StateTesting), StateDevelopment, true, AsImplementer, AsDecider)
	allow(one(StateSelected, StatePlanned, StateDevelopment, StateTesting), StateNotSelected, true, AsDecider)

	// Out of sight, and back to what it was.
	allow(one(StatePending, StateChangesRequested, StateGathering, StateQualified, StateExpired), StateWithdrawn, false, AsAuthor)
	allow(publishedStates, StateHidden, true, AsModerator)
	allow(one(StatePending, StateGathering, StateQualified, StateExpired), StateMerged, false, AsModerator, AsDecider)
	for _, former := range publishedStates {
		allow(one(StateHidden), former, false, AsModerator)
	}
	for _, former := range one(StatePending, StateGathering, StateQualified, StateExpired) {
		allow(one(StateMerged), former, false, AsModerator, AsDecider)
	}
	for _, s := range States() {
		if s != StateErased {
			allow(one(s), StateErased, false, AsService)
		}
	}
	return m
}

// States are all of them, in the order of an idea's life.
func States() []State {
	return []State{
		StateDraft, StatePending, StateChangesRequested, StateRejected, StateGathering, StateQualified, StateUnderReview,
		StateShortlisted, StateSelected, StateNotSelected, StatePlanned, StateDevelopment, StateTesting, StateLaunched,
		StateExpired, StateMerged, StateWithdrawn, StateHidden, StateErased,
	}
}

// Published tells whether an idea in the state is seen by everybody who may see its challenge.
func (s State) Published() bool { return slices.Contains(publishedStates, s) }

// Editable tells whether an idea's authors may change it: not while it waits for a moderator, and not any more once the
// brand looks at what members have supported.
func (s State) Editable() bool {
	return slices.Contains([]State{StateDraft, StateChangesRequested, StateGathering, StateExpired}, s)
}

// CheckTransition tells whether somebody with the capacities may move an idea from one state to another with the
// reason, and in which capacity. Hidden and merged ideas go back to the state that they came from, which the caller
// knows. Errors: *TransitionError where nobody may, ErrForbidden where others may, *FieldError where the reason is missing.
func CheckTransition(from, to State, as []Capacity, reason Reason) (Capacity, error) {
	row, known := machine[from][to]
	if !known {
		return "", &TransitionError{From: from, To: to}
	}
	for _, capacity := range as {
		if !slices.Contains(row.by, capacity) {
			continue
		}
		if err := reason.Check(row.explained); err != nil {
			return "", err
		}
		return capacity, nil
	}
	return "", fmt.Errorf("move an idea from %s to %s as %v: %w", from, to, as, ErrForbidden)
}

// NextState is a state that an idea can go to.
type NextState struct {
	State State
	// Explained tells that a public reason is needed.
	Explained bool
}

// NextStates are those that somebody with the capacities may move an idea to, in the order of an idea's life. Going back
// from hidden or merged is not among them: it is another action.
func NextStates(from State, as []Capacity) []NextState {
	if from == StateHidden || from == StateMerged {
		return nil
	}
	var next []NextState
	for _, to := range States() {
		row, known := machine[from][to]
		if known && slices.ContainsFunc(row.by, func(c Capacity) bool { return slices.Contains(as, c) }) {
			next = append(next, NextState{to, row.explained})
		}
	}
	return next
}
