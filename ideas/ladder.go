package ideas

import (
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// Climb is where an idea stands on a ladder.
type Climb struct {
	// Rung is the number of rungs reached, and Since when the last of them was, or the publication.
	Rung  int
	Since time.Time
	// Deadline of the next rung; zero for none.
	Deadline time.Time
	// Done tells that the last rung is reached, Expired that the next was not in time.
	Done, Expired bool
}

// Support is what a ladder looks at of an idea.
type Support struct {
	Supporters int
	// Seen is the number of members who have seen the idea.
	Seen int
}

// Share of the supporters among the members who have seen the idea, in whole percent. Whoever supports an idea has seen it.
func (s Support) Share() int {
	seen := max(s.Seen, s.Supporters)
	if seen == 0 {
		return 0
	}
	return s.Supporters * 100 / seen
}

// Reaches tells whether the support is enough for a rung.
func (s Support) Reaches(r control.Rung) bool {
	return s.Supporters >= r.Supporters && s.Share() >= r.Percent
}

// DeadlineOf a rung that is climbed to from a moment: so many days later at the same time by the community's clocks.
func DeadlineOf(r control.Rung, since time.Time, zone *time.Location) time.Time {
	if r.Days == 0 {
		return time.Time{}
	}
	return since.In(zone).AddDate(0, 0, r.Days)
}

// NextRung is where an idea goes from where it stands, with the support that it has by now. Support that it had before
// the deadline counts however late the service looks; what came after does not, and the caller leaves it out.
func NextRung(ladder []control.Rung, at Climb, support Support, now time.Time, zone *time.Location) Climb {
	late := !at.Deadline.IsZero() && !now.Before(at.Deadline)
	for at.Rung < len(ladder) && support.Reaches(ladder[at.Rung]) {
		reached := now
		if late {
			reached = at.Deadline
		}
		at.Rung, at.Since, at.Deadline = at.Rung+1, reached, time.Time{}
		if at.Rung < len(ladder) {
			at.Deadline = DeadlineOf(ladder[at.Rung], reached, zone)
		}
		late = !at.Deadline.IsZero() && !now.Before(at.Deadline)
	}
	at.Done = at.Rung >= len(ladder)
	at.Expired = !at.Done && late
	return at
}
