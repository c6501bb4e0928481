package ideas

import (
	"slices"

	"github.com/quaeso/community-operator/internal/control"
)

// Participant is what a challenge's eligibility looks at of a member.
type Participant struct {
	Member int64
	// Age in years, 0 where the member has not said.
	Age   int
	Level int
	// Attributes that the member has given, with consent.
	Attributes map[string][]string
	// Roles of the member: the brand's, and those that challenges gave.
	Roles []string
	// SelectedIn are the names of challenges that selected or rewarded the member.
	SelectedIn []string
	// Entries of the member in the challenge, apart from withdrawn ones.
	Entries int
	// AcceptedTerms tells that the challenge's terms, in their versions of now, are accepted.
	AcceptedTerms bool
}

// Obstacle is one reason for which somebody may not take part. Pages say it in the reader's language.
type Obstacle struct {
	// Code is one of the Obstacle constants.
	Code string
	// Name is the attribute, role or challenge that is meant.
	Name string
	// Values that the attribute must have one of.
	Values []string
	// Number is the age, level or number of entries.
	Number int
}

// Codes of obstacles.
const (
	ObstacleAge       = "age"
	ObstacleAgeGiven  = "ageGiven"
	ObstacleLevel     = "level"
	ObstacleAttribute = "attribute"
	ObstacleRole      = "role"
	ObstacleSelected  = "selectedIn"
	ObstacleEntries   = "entries"
	ObstacleTerms     = "terms"
)

// Obstacles are the reasons for which somebody may not take part in a challenge at all; none means eligible. The number
// of entries and the terms are no part of it.
func (c *Challenge) Obstacles(p Participant) []Obstacle {
	e := c.Spec.Eligibility
	if e == nil {
		return nil
	}
	var all []Obstacle
	switch {
	case e.MinimumAge > 0 && p.Age == 0:
		all = append(all, Obstacle{Code: ObstacleAgeGiven, Number: e.MinimumAge})
	case p.Age < e.MinimumAge:
		all = append(all, Obstacle{Code: ObstacleAge, Number: e.MinimumAge})
	}
	if p.Level < e.Level {
		all = append(all, Obstacle{Code: ObstacleLevel, Number: e.Level})
	}
	for _, name := range sortedKeys(e.Attributes) {
		if !intersects(e.Attributes[name], p.Attributes[name]) {
			all = append(all, Obstacle{Code: ObstacleAttribute, Name: name, Values: e.Attributes[name]})
		}
	}
	if len(e.Roles) > 0 && !intersects(e.Roles, p.Roles) {
		all = append(all, Obstacle{Code: ObstacleRole, Values: e.Roles})
	}
	if e.SelectedIn != "" && !slices.Contains(p.SelectedIn, e.SelectedIn) {
		all = append(all, Obstacle{Code: ObstacleSelected, Name: e.SelectedIn})
	}
	return all
}

// EntryObstacles are those of Obstacles and those that concern one more entry.
func (c *Challenge) EntryObstacles(p Participant) []Obstacle {
	all := c.Obstacles(p)
	if e := c.Spec.Eligibility; e != nil && e.EntriesPerMember > 0 && p.Entries >= e.EntriesPerMember {
		all = append(all, Obstacle{Code: ObstacleEntries, Number: e.EntriesPerMember})
	}
	if len(c.Spec.Terms) > 0 && !p.AcceptedTerms {
		all = append(all, Obstacle{Code: ObstacleTerms})
	}
	return all
}

// Restricted tells whether taking part depends on who somebody is, beyond being a member.
func (c *Challenge) Restricted() bool {
	e := c.Spec.Eligibility
	return e != nil && (e.MinimumAge > 0 || e.Level > 0 || len(e.Attributes) > 0 || len(e.Roles) > 0 || e.SelectedIn != "")
}

// Ballot of the challenge, plain support where none is declared.
func (c *Challenge) Ballot() control.Ballot {
	if c.Spec.Ballot == nil {
		return control.Ballot{Kind: control.BallotSupport}
	}
	return *c.Spec.Ballot
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
