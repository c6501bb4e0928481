package declared

import (
	"fmt"
	"maps"
	"slices"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// checkHouse looks at the house rules.
func checkHouse(r *refusals, s control.Settings) {
	const field = "settings.house"
	h := s.House
	checkOneOf(r, field+".moderation.when", h.Moderation.When, "", control.ModerationAfter, control.ModerationBefore)
	checkOneOf(r, field+".signUp.policy", h.SignUp.Policy, "", control.SignUpOpen, control.SignUpInvitation, control.SignUpDomains)
	checkMembers(r, h)
	for _, role := range slices.Sorted(maps.Keys(h.Roles)) {
		if !slices.Contains(ideas.TeamRoles(), ideas.Role(role)) {
			r.add(field+".roles."+quotable(role), "is no role: must be one of %v", ideas.TeamRoles())
		}
		for i, address := range h.Roles[role] {
			if _, err := ideas.CleanEmail(address); err != nil {
				r.add(fmt.Sprintf("%s.roles.%s[%d]", field, quotable(role), i), "must be an e-mail address")
			}
		}
	}
}

func checkOneOf(r *refusals, field, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		r.add(field, "must be one of %q", slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" }))
	}
}
