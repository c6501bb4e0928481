package declared

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// checkJury refuses a jury of nobody, weights that do not sum, and a jury that nothing comes to.
func checkJury(r *refusals, c control.Challenge, settings ideas.Settings) {
	const field = "spec.jury"
	phase := slices.ContainsFunc(c.Phases, func(p control.Phase) bool { return p.Name == control.PhaseJury })
	if c.Jury == nil {
		if phase {
			r.add(field, "is missing: there is a phase named jury")
		}
		return
	}
	j := *c.Jury
	if len(j.Members) == 0 || len(j.Members) > maxJurors {
		r.add(field+".members", "must be 1 to %d addresses: a jury of nobody decides nothing", maxJurors)
	}
	for i, address := range j.Members {
		at := fmt.Sprintf("%s.members[%d]", field, i)
		if _, err := ideas.CleanEmail(address); err != nil {
			r.add(at, "must be an e-mail address")
		}
		if slices.IndexFunc(j.Members, func(m string) bool { return strings.EqualFold(m, address) }) < i {
			r.add(at, "repeats an earlier address")
		}
	}
	checkBound(r, field+".scoresPerEntry", j.ScoresPerEntry, 0, max(len(j.Members), 0))
	checkBound(r, field+".ballotPercent", j.BallotPercent, 0, 100)
	checkCriteria(r, field+".criteria", j.Criteria, settings)
}

func checkCriteria(r *refusals, field string, criteria []control.Criterion, settings ideas.Settings) {
	if len(criteria) == 0 || len(criteria) > maxCriteria {
		r.add(field, "must be 1 to %d criteria", maxCriteria)
		return
	}
	seen, sum := names{}, 0
	for i, c := range criteria {
		at := fmt.Sprintf("%s[%d]", field, i)
		seen.check(r, at, c.Name)
		checkLabel(r, at+".label", c.Label, settings)
		checkBound(r, at+".weight", c.Weight, 1, 100)
		checkBound(r, at+".maximum", c.Maximum, 0, 1000)
		sum += c.Weight
	}
	if sum != 100 {
		r.add(field, "weights must sum to 100, not %d", sum)
	}
}
