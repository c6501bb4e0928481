package declared

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Bounds of what decides a contest.
const (
	maxPoints     = 1_000_000
	maxScore      = 100
	maxRungs      = 20
	maxSupporters = 100_000_000
	maxDays       = 3650
	maxWinners    = 100
	maxJurors     = 50
	maxCriteria   = 20
	maxBatches    = 100
	maxBrief      = 100_000
	maxNotice     = 2_000
)

// checkContest looks at what decides a challenge: who may take part, how votes count, and what follows from them.
func checkContest(r *refusals, o control.Object[control.Challenge], settings ideas.Settings) {
	c := o.Spec
	checkBrief(r, "spec.brief", c.Brief, maxBrief)
	checkBrief(r, "spec.paused", c.Paused, maxNotice)
	checkBrief(r, "spec.cancelled", c.Cancelled, maxNotice)
	checkOneOf(r, "spec.visibility", c.Visibility, "", ideas.VisiblePublic, ideas.VisibleMembers, ideas.VisibleEligible)
	checkOneOf(r, "spec.moderation", c.Moderation, "", control.ModerationBefore, control.ModerationAfter)
	checkReferences(r, o, settings)
	checkAllows(r, c.Phases)
	checkEligibility(r, c, settings)
	votes := c.Type == control.TypeIdeation || c.Type == control.TypeContest
	for _, part := range []struct {
		field    string
		declared bool
	}{
		{"ballot", c.Ballot != nil}, {"ladder", len(c.Ladder) > 0}, {"jury", c.Jury != nil && c.Recruiting == nil}, {"winners", c.Winners != 0},
		{"reviewBatches", len(c.ReviewBatches) > 0},
	} {
		if part.declared && !votes {
			r.add("spec."+part.field, "belongs to a challenge of type ideation or contest, not %s", quotable(c.Type))
		}
	}
	if c.Ballot != nil {
		checkBallot(r, *c.Ballot)
	}
	checkLadder(r, c)
	if votes {
		checkVotes(r, c)
	}
	checkJury(r, c, settings)
	checkBound(r, "spec.winners", c.Winners, 0, maxWinners)
	checkBound(r, "spec.exclusiveDays", c.ExclusiveDays, 0, maxDays)
	checkBound(r, "spec.answerWithinDays", c.AnswerWithinDays, 0, maxDays)
	checkBatches(r, c)
}

func checkBound(r *refusals, field string, n, least, most int) {
	if n < least || n > most {
		r.add(field, "must be from %d to %d, not %d", least, most, n)
	}
}

func checkBrief(r *refusals, field string, texts map[string]string, longest int) {
	for _, locale := range slices.Sorted(maps.Keys(texts)) {
		if n := len(texts[locale]); n > longest {
			r.add(field+"."+quotable(locale), "must be %d bytes at most, not %d", longest, n)
		}
	}
}

// checkReferences looks at what is named elsewhere. Other challenges may be declared later, so only what can never be
// right is refused of them.
func checkReferences(r *refusals, o control.Object[control.Challenge], settings ideas.Settings) {
	c := o.Spec
	house := control.House{}
	if settings.House != nil {
		house = *settings.House
	}
	if c.Theme != "" && !slices.ContainsFunc(house.Themes, func(t control.Theme) bool { return t.Name == c.Theme }) {
		r.await("spec.theme", control.Reference{Kind: control.KindTheme, Name: c.Theme}, "%s is no theme of the house rules: declare it there, or name one of them", quotable(c.Theme))
	}
	for i, name := range c.Terms {
		if !slices.ContainsFunc(house.Terms, func(t control.Terms) bool { return t.Name == name }) {
			r.await(fmt.Sprintf("spec.terms[%d]", i), control.Reference{Kind: control.KindTerms, Name: name}, "%s names no terms of the house rules: declare them there first", quotable(name))
		}
	}
	for _, link := range ideas.LinksOf(c) {
		if link.To == o.Name {
			r.add(link.Field, "must be another challenge than this one")
		}
	}
	if c.Responsible != "" && !slices.Contains(ideas.TeamRoles(), ideas.Role(c.Responsible)) {
		r.add("spec.responsible", "must be one of the roles %v", ideas.TeamRoles())
	}
}

func checkAllows(r *refusals, phases []control.Phase) {
	for i, p := range phases {
		for j, action := range p.Allows {
			if !slices.Contains(ideas.Actions(), ideas.Action(action)) {
				r.add(fmt.Sprintf("spec.phases[%d].allows[%d]", i, j), "must be one of %v", ideas.Actions())
			}
		}
	}
}

func checkEligibility(r *refusals, c control.Challenge, settings ideas.Settings) {
	e := c.Eligibility
	if e == nil {
		return
	}
	checkBound(r, "spec.eligibility.minimumAge", e.MinimumAge, 0, 120)
	checkBound(r, "spec.eligibility.level", e.Level, 0, 100)
	checkBound(r, "spec.eligibility.entriesPerMember", e.EntriesPerMember, 0, maxPoints)
	for _, name := range slices.Sorted(maps.Keys(e.Attributes)) {
		values := e.Attributes[name]
		field := "spec.eligibility.attributes." + quotable(name)
		if len(values) == 0 {
			r.add(field, "must be one value or more: nobody has none of none")
		}
		attributes := []control.Attribute{}
		if settings.House != nil {
			attributes = settings.House.Attributes
		}
		i := slices.IndexFunc(attributes, func(a control.Attribute) bool { return a.Name == name })
		if i < 0 {
			r.await(field, control.Reference{Kind: control.KindAttribute, Name: name}, "is no attribute of the house rules: declare it there first")
			continue
		}
		options := attributes[i].Options
		for _, value := range values {
			if len(options) > 0 && !slices.ContainsFunc(options, func(o control.Option) bool { return o.Name == value }) {
				r.add(field, "%s is no option of the attribute", quotable(value))
			}
		}
	}
}

func checkBallot(r *refusals, b control.Ballot) {
	const field = "spec.ballot"
	checkOneOf(r, field+".kind", b.Kind, control.BallotSupport, control.BallotPerDay, control.BallotScore, control.BallotBudget, control.BallotApproval)
	for _, bound := range []struct {
		name, kind string
		n          int
	}{
		{"perDay", control.BallotPerDay, b.PerDay}, {"budget", control.BallotBudget, b.Budget}, {"maxPerIdea", control.BallotBudget, b.MaxPerIdea},
		{"approvals", control.BallotApproval, b.Approvals},
	} {
		if bound.n != 0 && bound.kind != b.Kind {
			r.add(field+"."+bound.name, "belongs to a ballot of kind %s, not %s", bound.kind, quotable(b.Kind))
		}
		checkBound(r, field+"."+bound.name, bound.n, 0, maxPoints)
	}
	switch {
	case b.Kind == control.BallotScore && b.Minimum >= b.Maximum:
		r.add(field+".maximum", "must be more than the minimum %d: a scale such as 0 to 5", b.Minimum)
	case b.Kind == control.BallotScore && (b.Minimum < -maxScore || b.Maximum > maxScore):
		r.add(field+".maximum", "must be a scale between %d and %d", -maxScore, maxScore)
	case b.Kind != control.BallotScore && (b.Minimum != 0 || b.Maximum != 0):
		r.add(field+".minimum", "and maximum belong to a ballot of kind score, not %s", quotable(b.Kind))
	}
	if b.Kind == control.BallotBudget && b.Budget < 1 {
		r.add(field+".budget", "is missing: how many points each member spreads, such as 10")
	}
	if b.MaxPerIdea > b.Budget {
		r.add(field+".maxPerIdea", "must not be more than the budget %d", b.Budget)
	}
	checkBound(r, field+".daysPerEntry", b.DaysPerEntry, 0, maxDays)
	checkBound(r, field+".shortlist", b.Shortlist, 0, 500)
}

// checkLadder refuses a ladder that cannot be climbed: one rung must ask for more than the one before.
func checkLadder(r *refusals, c control.Challenge) {
	if len(c.Ladder) > maxRungs {
		r.add("spec.ladder", "must be %d rungs at most", maxRungs)
	}
	for i, rung := range c.Ladder {
		field := fmt.Sprintf("spec.ladder[%d]", i)
		checkBound(r, field+".supporters", rung.Supporters, 1, maxSupporters)
		checkBound(r, field+".percent", rung.Percent, 0, 100)
		checkBound(r, field+".days", rung.Days, 0, maxDays)
		if i > 0 && rung.Supporters <= c.Ladder[i-1].Supporters {
			r.add(field+".supporters", "must be more than the %d of the rung before", c.Ladder[i-1].Supporters)
		}
	}
	if b := c.Ballot; len(c.Ladder) > 0 && b != nil && (b.Kind != control.BallotSupport || b.Hidden) {
		r.add("spec.ballot", "must be plain support that is not hidden where there is a ladder: its rungs count supporters")
	}
}

// checkVotes refuses a ladder or a ballot in a challenge whose phases let nobody vote.
func checkVotes(r *refusals, c control.Challenge) {
	challenge := ideas.Challenge{Spec: c}
	for _, p := range c.Phases {
		challenge.Phases = append(challenge.Phases, ideas.Phase{Phase: p})
	}
	const missing = "needs a phase that lets members vote: a phase named open or voting does, unless its allows leaves vote out"
	switch {
	case challenge.EverAllows(ideas.ActionVote):
	case len(c.Ladder) > 0:
		r.add("spec.ladder", missing)
	case c.Ballot != nil:
		r.add("spec.ballot", missing)
	}
}

// checkBatches asks for days that can be read, and for a ladder: what nothing qualifies is never reviewed.
func checkBatches(r *refusals, c control.Challenge) {
	if len(c.ReviewBatches) > maxBatches {
		r.add("spec.reviewBatches", "must be %d days at most", maxBatches)
	}
	if len(c.ReviewBatches) > 0 && len(c.Ladder) == 0 {
		r.add("spec.reviewBatches", "needs a ladder: it is what ideas qualify by")
	}
	for i, day := range c.ReviewBatches {
		field := fmt.Sprintf("spec.reviewBatches[%d]", i)
		if _, err := time.Parse(control.DateLayout, day); err != nil {
			r.add(field, "must be a day such as 2027-01-31")
		} else if i > 0 && day <= c.ReviewBatches[i-1] {
			r.add(field, "must be after the day before, %s", c.ReviewBatches[i-1])
		}
	}
}

// checkCircles refuses challenges that wait for each other in a circle.
func checkCircles(r *refusals, challenges []Named[control.Challenge]) {
	links := map[string][]ideas.Link{}
	for _, c := range challenges {
		links[c.Name] = ideas.LinksOf(c.Spec)
	}
	for i, c := range challenges {
		for _, circle := range ideas.Circles(c.Name, links) {
			r.add(fmt.Sprintf("challenges[%d].%s", i, circle.Field), "%s", circle.Message)
		}
	}
}
