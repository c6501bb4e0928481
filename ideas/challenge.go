package ideas

import (
	"slices"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// Action is something that members do in a challenge while a phase allows it.
type Action string

// Actions that a phase may allow.
const (
	ActionSubmit  Action = "submit"
	ActionEdit    Action = "edit"
	ActionVote    Action = "vote"
	ActionComment Action = "comment"
	ActionApply   Action = "apply"
	ActionRespond Action = "respond"
	// ActionScore is a juror's, ActionDecide the lead's; no phase declares them.
	ActionScore  Action = "score"
	ActionDecide Action = "decide"
)

// Actions in the order in which a page names them.
func Actions() []Action {
	return []Action{ActionApply, ActionSubmit, ActionEdit, ActionVote, ActionRespond, ActionComment}
}

// Values of a challenge's visibility.
const (
	VisiblePublic   = "public"
	VisibleMembers  = "members"
	VisibleEligible = "eligible"
)

// Allows tells whether the phase at a moment lets members do something. A challenge that is paused or cancelled lets
// them do nothing, and so does one that is archived.
func (c *Challenge) Allows(now time.Time, a Action) bool {
	if len(c.Spec.Paused) > 0 || len(c.Spec.Cancelled) > 0 || !c.ArchivedAt.IsZero() {
		return false
	}
	if !c.DecidedAt.IsZero() && a != ActionComment {
		return false
	}
	if len(c.Phases) == 0 {
		return c.uses(a)
	}
	p, ok := c.PhaseAt(now)
	return ok && c.phaseAllows(p.Phase, a)
}

// uses tells whether a challenge's type knows the action at all.
func (c *Challenge) uses(a Action) bool {
	switch c.Spec.Type {
	case control.TypeIdeation, control.TypeContest:
		return a != ActionRespond && (a != ActionApply || c.Spec.Recruiting != nil)
	case control.TypeForum:
		return a == ActionSubmit || a == ActionEdit || a == ActionComment
	}
	return a != ActionVote || c.Spec.Recruiting != nil
}

// phaseAllows is what a phase declares, else what it is for.
func (c *Challenge) phaseAllows(p control.Phase, a Action) bool {
	if p.Allows != nil {
		return slices.Contains(p.Allows, string(a))
	}
	if !c.uses(a) {
		return false
	}
	switch p.Name {
	case control.PhaseRecruiting:
		// A public vote on who takes part has no phase of its own.
		return a == ActionApply || a == ActionVote && c.Spec.Type != control.TypeIdeation && c.Spec.Type != control.TypeContest
	case control.PhaseOpen:
		// Where no phase is for voting, people vote on what they read.
		return a != ActionApply && (a != ActionVote || !c.has(control.PhaseVoting))
	case control.PhaseVoting:
		return a == ActionVote || a == ActionComment
	}
	return a == ActionComment
}

func (c *Challenge) has(phase string) bool {
	return slices.ContainsFunc(c.Phases, func(p Phase) bool { return p.Name == phase })
}

// EverAllows tells whether any phase lets members do something.
func (c *Challenge) EverAllows(a Action) bool {
	if len(c.Phases) == 0 {
		return c.uses(a)
	}
	return slices.ContainsFunc(c.Phases, func(p Phase) bool { return c.phaseAllows(p.Phase, a) })
}

// VoteEnd is the moment at which the last phase that allows votes ends; ok is false where votes never close by the clock.
func (c *Challenge) VoteEnd() (end time.Time, ok bool) {
	for _, p := range slices.Backward(c.Phases) {
		if c.phaseAllows(p.Phase, ActionVote) {
			return p.End, !p.End.IsZero()
		}
	}
	return time.Time{}, false
}

// VoteClosed tells whether the vote has ended for good. A pause keeps it open, without letting anybody vote.
func (c *Challenge) VoteClosed(now time.Time) bool {
	if !c.DecidedAt.IsZero() || len(c.Spec.Cancelled) > 0 {
		return true
	}
	end, ok := c.VoteEnd()
	return ok && !now.Before(end)
}

// SubmitEnd is the moment at which the last phase that takes entries ends.
func (c *Challenge) SubmitEnd() (end time.Time, ok bool) {
	for _, p := range slices.Backward(c.Phases) {
		if c.phaseAllows(p.Phase, ActionSubmit) {
			return p.End, !p.End.IsZero()
		}
	}
	return time.Time{}, false
}

// Opened tells whether the challenge's first phase has begun, from when on what decides it is locked.
func (c *Challenge) Opened(now time.Time) bool {
	return len(c.Phases) == 0 || !now.Before(c.Phases[0].Start)
}

// End is the end of the last phase; ok is false where there is none.
func (c *Challenge) End() (end time.Time, ok bool) {
	if len(c.Phases) == 0 {
		return time.Time{}, false
	}
	end = c.Phases[len(c.Phases)-1].End
	return end, !end.IsZero()
}

// ReleaseAt is the moment at which the rights in what was not selected return to its authors, known once the challenge
// is decided; ok is false where they do not return by the clock.
func (c *Challenge) ReleaseAt(zone *time.Location) (at time.Time, ok bool) {
	if c.Spec.ExclusiveDays == 0 || c.DecidedAt.IsZero() {
		return time.Time{}, false
	}
	end, ok := c.End()
	if !ok || end.Before(c.DecidedAt) {
		end = c.DecidedAt
	}
	return end.In(zone).AddDate(0, 0, c.Spec.ExclusiveDays), true
}

// Stage is where a challenge stands for somebody who looks for one to take part in.
type Stage string

// Stages of challenges, in the order in which a list has them.
const (
	StageOpen     Stage = "open"
	StageUpcoming Stage = "upcoming"
	StagePast     Stage = "past"
)

// StageAt a moment. What still goes on after the entries, voting and jury, counts as open.
func (c *Challenge) StageAt(now time.Time) Stage {
	switch c.PhaseName(now) {
	case PhaseScheduled:
		return StageUpcoming
	case PhaseDecided, PhaseClosed, PhaseCancelled, PhaseArchived, control.PhaseRewarding, control.PhaseImplementing:
		return StagePast
	}
	return StageOpen
}

// Transition of a challenge from one phase to the next.
type Transition struct {
	From, To string
	// At is the moment at which the phase began by the clock, and not when the service noticed.
	At time.Time
}

// Transitions are what the clock has brought about between two moments, in order: what began after since and not after
// now. from is the phase at since.
func (c *Challenge) Transitions(from string, since, now time.Time) []Transition {
	var all []Transition
	add := func(to string, at time.Time) {
		if at.IsZero() || at.After(now) || !at.After(since) {
			return
		}
		if !c.DecidedAt.IsZero() && !at.Before(c.DecidedAt) && !afterDecision(to) {
			to = PhaseDecided
		}
		if to == from {
			return
		}
		all = append(all, Transition{From: from, To: to, At: at})
		from = to
	}
	for i, p := range c.Phases {
		add(p.Name, p.Start)
		switch {
		case i == len(c.Phases)-1:
			add(PhaseClosed, p.End)
		case p.End.Before(c.Phases[i+1].Start):
			add(PhaseBetween, p.End)
		}
	}
	return all
}

// afterDecision tells whether a phase goes on after the winners are known.
func afterDecision(phase string) bool {
	return phase == control.PhaseRewarding || phase == control.PhaseImplementing
}
