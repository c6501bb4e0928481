package rules

import "time"

// Standing is where a member stands before an event.
type Standing struct {
	// Points in total.
	Points int64
	// Today is what each rule has given on the event's day, in the community's time zone.
	Today map[string]int64
	// Progress counts the events that have met each badge's condition.
	Progress map[string]int64
	// Badges that the member has.
	Badges map[string]bool
}

// Entry of the ledger: points by a rule.
type Entry struct {
	Rule   string
	Points int64
}

// Failure is a condition that could not be evaluated, and so does not hold.
type Failure struct {
	// Field of the policy.
	Field string
	Err   error
}

// Outcome of an event for a member.
type Outcome struct {
	Entries []Entry
	// Points in total after the event.
	Points int64
	// Level is the number of the one reached after the event, and Before that before; 0 for none.
	Level, Before int
	// Advanced are the badges whose condition the event has met and that the member did not have yet; Awarded are
	// those among them that the member gets now.
	Advanced, Awarded []string
	Failures          []Failure
}

// Day of an event in a time zone, as "2027-03-28". A day of 23 or 25 hours is one day like every other.
func Day(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }

// Wants tells whether any rule or badge is about an event, so that others need not be looked at.
func (e *Engine) Wants(event string) bool {
	for _, r := range e.policy.Rules {
		if r.Event == event {
			return true
		}
	}
	for _, b := range e.policy.Badges {
		if b.Event == event {
			return true
		}
	}
	return false
}

// Apply computes what an event gives a member. It changes nothing of what it is given, and the same facts and
// standing always give the same outcome.
func (e *Engine) Apply(f Facts, s Standing) Outcome {
	out := Outcome{Points: s.Points, Before: e.Level(s.Points)}
	f.Member.Points = s.Points
	before := scope{f, out.Before}
	for i, r := range e.policy.Rules {
		if r.Event != f.Event || !f.receives(r.To) {
			continue
		}
		points := int64(r.Points)
		if r.DailyCap > 0 {
			points = min(points, int64(r.DailyCap)-s.Today[r.Name])
		}
		if points <= 0 || !out.holds("rules", i, e.rules[i], before) {
			continue
		}
		out.Entries = append(out.Entries, Entry{Rule: r.Name, Points: points})
		out.Points += points
	}
	out.Level = e.Level(out.Points)
	f.Member.Points = out.Points
	after := scope{f, out.Level}
	for i, b := range e.policy.Badges {
		if b.Event != f.Event || !f.receives(b.To) || s.Badges[b.Name] || !out.holds("badges", i, e.badges[i], after) {
			continue
		}
		out.Advanced = append(out.Advanced, b.Name)
		if s.Progress[b.Name]+1 >= int64(max(b.Count, 1)) {
			out.Awarded = append(out.Awarded, b.Name)
		}
	}
	return out
}

func (o *Outcome) holds(list string, i int, c *condition, s scope) bool {
	ok, err := c.holds(s)
	if err != nil {
		o.Failures = append(o.Failures, Failure{Field: conditionField(list, i), Err: err})
	}
	return ok
}

// Level is the number of the highest one that a number of points reaches, 0 for none.
func (e *Engine) Level(points int64) int {
	level := 0
	for i, l := range e.policy.Levels {
		if points < int64(l.Points) {
			break
		}
		level = i + 1
	}
	return level
}
