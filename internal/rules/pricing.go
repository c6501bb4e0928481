package rules

// Pricing tells what a policy would change, had it been in force from the first event on.
type Pricing struct {
	// Members who took part in any event.
	Members int64 `json:"members"`
	// PointsBefore are those that the ledger has, PointsAfter those that the policy would have given.
	PointsBefore int64 `json:"pointsBefore"`
	PointsAfter  int64 `json:"pointsAfter"`
	// Risen and Fallen count the members whose level would be a higher or a lower one.
	Risen  int64 `json:"risen"`
	Fallen int64 `json:"fallen"`
	// Levels by their number, from that of no level, as far as either policy has them.
	Levels []LevelPrice `json:"levels"`
	// Badges of the new policy.
	Badges []BadgePrice `json:"badges,omitempty"`
	// Failures counts conditions that could not be evaluated, by their field; they did not hold.
	Failures map[string]int64 `json:"failures,omitempty"`
}

// LevelPrice is how many members have a level, and would have it.
type LevelPrice struct {
	// Level is its number, 0 for none; Name is that in the new policy, else in the one in force.
	Level  int    `json:"level"`
	Name   string `json:"name,omitempty"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

// BadgePrice is how many members have a badge, and would have got it by the past events.
type BadgePrice struct {
	Name   string `json:"name"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

// Pricer adds up a pricing, member by member, so that its memory does not grow with their number.
type Pricer struct {
	before, after *Engine
	pricing       Pricing
	badges        map[string]int
}

// NewPricer compares a policy with the one in force; before is nil where there is none.
func NewPricer(before, after *Engine) *Pricer {
	p := &Pricer{before: before, after: after, badges: map[string]int{}}
	p.pricing.Levels = make([]LevelPrice, 1+len(after.policy.Levels))
	if before != nil {
		p.pricing.Levels = make([]LevelPrice, 1+max(len(after.policy.Levels), len(before.policy.Levels)))
		for i, l := range before.policy.Levels {
			p.pricing.Levels[i+1].Name = l.Name
		}
	}
	for i, l := range after.policy.Levels {
		p.pricing.Levels[i+1].Name = l.Name
	}
	for i := range p.pricing.Levels {
		p.pricing.Levels[i].Level = i
	}
	for i, b := range after.policy.Badges {
		p.badges[b.Name] = i
		p.pricing.Badges = append(p.pricing.Badges, BadgePrice{Name: b.Name})
	}
	return p
}

// Failed notes what an outcome could not evaluate.
func (p *Pricer) Failed(failures []Failure) {
	for _, f := range failures {
		if p.pricing.Failures == nil {
			p.pricing.Failures = map[string]int64{}
		}
		p.pricing.Failures[f.Field]++
	}
}

// Held tells how many members have a badge by the ledger.
func (p *Pricer) Held(badge string, members int64) {
	if i, known := p.badges[badge]; known {
		p.pricing.Badges[i].Before = members
	}
}

// Add counts a member: the points of the ledger, and the account of the past events by the new policy.
func (p *Pricer) Add(points int64, account *Account) {
	p.pricing.Members++
	p.pricing.PointsBefore += points
	p.pricing.PointsAfter += account.Points
	before := 0
	if p.before != nil {
		before = p.before.Level(points)
	}
	after := p.after.Level(account.Points)
	p.pricing.Levels[before].Before++
	p.pricing.Levels[after].After++
	switch {
	case after > before:
		p.pricing.Risen++
	case after < before:
		p.pricing.Fallen++
	}
	for name := range account.Badges {
		if i, known := p.badges[name]; known {
			p.pricing.Badges[i].After++
		}
	}
}

// Pricing is the sum of what was added.
func (p *Pricer) Pricing() Pricing { return p.pricing }
