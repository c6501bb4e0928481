package rules

// Pricing tells what a policy would change, had it been in force from the first event on.
type Pricing struct {
	// Members who took part in any event.
	Members int64 `json:"members"`
	// PointsBefore are those that the ledger has, PointsAfter those that the policy would have given.
	PointsBefore int64 `json:"pointsBefore"`
	PointsAfter  int64 `json:"pointsAfter"`
	// Risen and Fallen count the members whose level would be another, by its place in the list.
	Risen  int64 `json:"risen"`
	Fallen int64 `json:"fallen"`
	// Levels of both policies, those of the new one first.
	Levels []LevelPrice `json:"levels,omitempty"`
	// Badges of the new policy.
	Badges []BadgePrice `json:"badges,omitempty"`
	// Failures counts conditions that could not be evaluated, by their field; they did not hold.
	Failures map[string]int64 `json:"failures,omitempty"`
}

// LevelPrice is how many members have a level, and would have it. The empty name is that of no level.
type LevelPrice struct {
	Name   string `json:"name"`
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
	levels        map[string]int
	badges        map[string]int
}

// NewPricer compares a policy with the one in force; before is nil where there is none.
func NewPricer(before, after *Engine) *Pricer {
	p := &Pricer{before: before, after: after, levels: map[string]int{}, badges: map[string]int{}}
	p.level("")
	for _, e := range []*Engine{after, before} {
		if e != nil {
			for _, l := range e.policy.Levels {
				p.level(l.Name)
			}
		}
	}
	for i, b := range after.policy.Badges {
		p.badges[b.Name] = i
		p.pricing.Badges = append(p.pricing.Badges, BadgePrice{Name: b.Name})
	}
	return p
}

func (p *Pricer) level(name string) *LevelPrice {
	i, known := p.levels[name]
	if !known {
		i = len(p.pricing.Levels)
		p.levels[name] = i
		p.pricing.Levels = append(p.pricing.Levels, LevelPrice{Name: name})
	}
	return &p.pricing.Levels[i]
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

// Add counts a member: the points and badges of the ledger, and the account of the past events by the new policy.
func (p *Pricer) Add(points int64, badges []string, account *Account) {
	p.pricing.Members++
	p.pricing.PointsBefore += points
	p.pricing.PointsAfter += account.Points
	before := ""
	if p.before != nil {
		before = p.before.Level(points)
	}
	after := p.after.Level(account.Points)
	p.level(before).Before++
	p.level(after).After++
	switch was, is := place(p.before, before), place(p.after, after); {
	case is > was:
		p.pricing.Risen++
	case is < was:
		p.pricing.Fallen++
	}
	for _, name := range badges {
		if i, known := p.badges[name]; known {
			p.pricing.Badges[i].Before++
		}
	}
	for name := range account.Badges {
		if i, known := p.badges[name]; known {
			p.pricing.Badges[i].After++
		}
	}
}

// place of a level in its policy, 0 for none.
func place(e *Engine, name string) int {
	if e != nil {
		for i, l := range e.policy.Levels {
			if l.Name == name {
				return i + 1
			}
		}
	}
	return 0
}

// Pricing is the sum of what was added.
func (p *Pricer) Pricing() Pricing { return p.pricing }
