package rules

import "time"

// Account is what one member has, computed from events one after the other.
type Account struct {
	Points int64
	Badges map[string]bool

	last     int64
	progress map[string]int64
	today    map[string]map[string]int64
}

// NewAccount is that of somebody to whom nothing has happened.
func NewAccount() *Account {
	return &Account{Badges: map[string]bool{}, progress: map[string]int64{}, today: map[string]map[string]int64{}}
}

// Apply adds what an event gives. Events come in the order of their numbers; one that came before gives nothing.
func (a *Account) Apply(e *Engine, zone *time.Location, number int64, f Facts) Outcome {
	if number <= a.last {
		return Outcome{Points: a.Points, Level: e.Level(a.Points), Before: e.Level(a.Points)}
	}
	a.last = number
	f.Time = f.Time.In(zone)
	day := Day(f.Time, zone)
	if a.today[day] == nil {
		a.today[day] = map[string]int64{}
	}
	out := e.Apply(f, Standing{Points: a.Points, Today: a.today[day], Progress: a.progress, Badges: a.Badges})
	for _, entry := range out.Entries {
		a.today[day][entry.Rule] += entry.Points
	}
	a.Points = out.Points
	for _, badge := range out.Advanced {
		a.progress[badge]++
	}
	for _, badge := range out.Awarded {
		a.Badges[badge] = true
	}
	return out
}
