package rules

import "time"

// Account is what one member has, computed from events one after the other.
type Account struct {
	Points int64
	Badges map[string]bool
	// Progress counts the events that have met each badge's condition.
	Progress map[string]int64
	// Days is what each rule has given on each day.
	Days map[string]map[string]int64

	last  int64
	given map[int64]gift
}

// gift is what one event gave.
type gift struct {
	day      string
	entries  []Entry
	advanced []string
}

// NewAccount is that of somebody to whom nothing has happened.
func NewAccount() *Account {
	return &Account{
		Badges: map[string]bool{}, Progress: map[string]int64{}, Days: map[string]map[string]int64{}, given: map[int64]gift{},
	}
}

// Apply adds what an event gives. Events come in the order of their numbers; one that came before gives nothing.
func (a *Account) Apply(e *Engine, zone *time.Location, number int64, f Facts) Outcome {
	if number <= a.last {
		return Outcome{Points: a.Points, Level: e.Level(a.Points), Before: e.Level(a.Points)}
	}
	a.last = number
	f.Time = f.Time.In(zone)
	day := Day(f.Time, zone)
	if a.Days[day] == nil {
		a.Days[day] = map[string]int64{}
	}
	out := e.Apply(f, Standing{Points: a.Points, Today: a.Days[day], Progress: a.Progress, Badges: a.Badges})
	for _, entry := range out.Entries {
		a.Days[day][entry.Rule] += entry.Points
	}
	a.Points = out.Points
	for _, badge := range out.Advanced {
		a.Progress[badge]++
	}
	for _, badge := range out.Awarded {
		a.Badges[badge] = true
	}
	if len(out.Entries)+len(out.Advanced) > 0 {
		a.given[number] = gift{day, out.Entries, out.Advanced}
	}
	return out
}

// Reverse takes back what an earlier event gave, such as support that was withdrawn: its points, also from the caps of
// its day, and its part in a badge's count. Badges that were awarded stay. What was taken back is not taken twice.
func (a *Account) Reverse(number int64) {
	gift, known := a.given[number]
	if !known {
		return
	}
	delete(a.given, number)
	for _, entry := range gift.entries {
		a.Points -= entry.Points
		a.Days[gift.day][entry.Rule] -= entry.Points
	}
	for _, badge := range gift.advanced {
		a.Progress[badge]--
	}
}
