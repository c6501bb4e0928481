package ideas

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// Programme is what the brand declares beside its settings: challenges and reward policies. It is never changed once
// made; a new declaration makes a new one.
type Programme struct {
	// Revision changes whenever anything declared does.
	Revision int64
	// Challenges that are not archived, the newest first.
	Challenges []*Challenge
	// Policies that are not archived.
	Policies []*RewardPolicy
	// Concealed are the visibilities of challenges, archived ones too, that not everybody may see.
	Concealed map[int64]string
}

// RewardPolicy in force.
type RewardPolicy struct {
	UID, Name  string
	Generation int64
	Spec       control.RewardPolicy
}

// Challenge as declared, with what the service makes of it.
type Challenge struct {
	ID         int64
	UID, Name  string
	Generation int64
	Spec       control.Challenge
	// Phases with their moments, in order.
	Phases     []Phase
	DeclaredAt time.Time
	// DecidedAt is zero until the winners are decided.
	DecidedAt time.Time
	// ArchivedAt is zero while the challenge is in force.
	ArchivedAt time.Time
}

// Phase of a challenge with its moments; a zero End means no end.
type Phase struct {
	control.Phase
	Start, End time.Time
}

// Names of phases that are not declared: they follow from the clock and from decisions.
const (
	PhaseScheduled = "scheduled"
	PhaseBetween   = "between"
	PhaseDecided   = "decided"
	PhaseClosed    = "closed"
	PhasePaused    = "paused"
	PhaseCancelled = "cancelled"
	// PhaseArchived is that of a challenge whose declaration was withdrawn.
	PhaseArchived = "archived"
)

// ResolvePhases turns declared phases into moments of a time zone. An absent end is the next phase's start. The error
// names the phase at fault.
func ResolvePhases(declared []control.Phase, zone *time.Location) ([]Phase, error) {
	phases := make([]Phase, len(declared))
	for i, d := range declared {
		start, err := control.ParseLocalTime(d.Start, zone)
		if err != nil {
			return nil, fmt.Errorf("phases[%d].start: %w", i, err)
		}
		phases[i] = Phase{Phase: d, Start: start}
		if d.End == "" {
			continue
		}
		if phases[i].End, err = control.ParseLocalTime(d.End, zone); err != nil {
			return nil, fmt.Errorf("phases[%d].end: %w", i, err)
		}
	}
	for i := range phases[:max(len(phases)-1, 0)] {
		if phases[i].End.IsZero() {
			phases[i].End = phases[i+1].Start
		}
	}
	return phases, nil
}

// PhaseAt is the phase that a moment falls in, by the service's clock; ok is false between phases, before the first
// and after the last.
func (c *Challenge) PhaseAt(now time.Time) (Phase, bool) {
	for _, p := range c.Phases {
		if !now.Before(p.Start) && (p.End.IsZero() || now.Before(p.End)) {
			return p, true
		}
	}
	return Phase{}, false
}

// PhaseName is the name of the phase at a moment, one of the declared or of the others.
func (c *Challenge) PhaseName(now time.Time) string {
	switch {
	case !c.ArchivedAt.IsZero():
		return PhaseArchived
	case len(c.Spec.Cancelled) > 0:
		return PhaseCancelled
	case len(c.Spec.Paused) > 0:
		return PhasePaused
	}
	p, ok := c.PhaseAt(now)
	goesOn := ok && afterDecision(p.Name)
	switch {
	case !c.DecidedAt.IsZero() && !goesOn:
		return PhaseDecided
	case len(c.Phases) == 0:
		return control.PhaseOpen
	case ok:
		return p.Name
	case now.Before(c.Phases[0].Start):
		return PhaseScheduled
	case now.Before(c.Phases[len(c.Phases)-1].Start):
		return PhaseBetween
	}
	return PhaseClosed
}

// NextChange is the first moment after now at which the phase changes; ok is false when none does.
func (c *Challenge) NextChange(now time.Time) (time.Time, bool) {
	var next time.Time
	if !c.ArchivedAt.IsZero() {
		return next, false
	}
	for _, p := range c.Phases {
		if !c.DecidedAt.IsZero() && !afterDecision(p.Name) {
			continue // what was left of it ended with the decision
		}
		for _, t := range []time.Time{p.Start, p.End} {
			if t.After(now) && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next, !next.IsZero()
}

// Challenge of a name; nil where none is in force.
func (p *Programme) Challenge(name string) *Challenge {
	i := slices.IndexFunc(p.Challenges, func(c *Challenge) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return p.Challenges[i]
}

// ChallengeOf a declaration; nil where it is not the one in force.
func (p *Programme) ChallengeOf(d control.InForce) *Challenge {
	i := slices.IndexFunc(p.Challenges, func(c *Challenge) bool { return c.UID == d.UID && c.Generation == d.Generation })
	if i < 0 {
		return nil
	}
	return p.Challenges[i]
}

// ChallengeByID is nil where none is in force.
func (p *Programme) ChallengeByID(id int64) *Challenge {
	i := slices.IndexFunc(p.Challenges, func(c *Challenge) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return p.Challenges[i]
}

// ProgrammeSource gives the programme in force. It is cheap (memory) and follows a declaration accepted by any replica
// within two seconds; never nil.
type ProgrammeSource interface {
	Programme(ctx context.Context) *Programme
}
