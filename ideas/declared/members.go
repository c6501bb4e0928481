package declared

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/quaeso/community-operator/internal/control"
)

// maxAge is the highest age that the house rules may ask for.
const maxAge = 21

var keyPattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]{0,62}$`)

// termsKinds are the kinds of terms that the service has names for.
var termsKinds = []string{"participation", "assignment", "licence", "creativeCommons", "nonDisclosure"}

// checkMembers looks at what the house rules say of members: who joins, what they agree to and what they say of themselves.
func checkMembers(r *refusals, h *control.House) {
	const field = "settings.house"
	for _, age := range []struct {
		name  string
		years int
	}{{"minimumAge", h.SignUp.MinimumAge}, {"guardianBelow", h.SignUp.GuardianBelow}} {
		if age.years < 0 || age.years > maxAge {
			r.add(field+".signUp."+age.name, "must be an age from 0 (none) to %d", maxAge)
		}
	}
	if h.SignUp.Policy == control.SignUpDomains && len(h.SignUp.Domains) == 0 {
		r.add(field+".signUp.domains", "is empty: the policy domains admits those of a mail domain, such as school.example")
	}
	for i, domain := range h.SignUp.Domains {
		if len(domain) > 253 || !hostnamePattern.MatchString(domain) {
			r.add(fmt.Sprintf("%s.signUp.domains[%d]", field, i), "must be a mail domain in lower case such as school.example")
		}
	}
	var names []string
	for i, a := range h.Attributes {
		at := fmt.Sprintf("%s.attributes[%d]", field, i)
		if !keyPattern.MatchString(a.Name) {
			r.add(at+".name", "must be a letter followed by up to 62 letters, digits, - or _, such as ageBand")
		} else if slices.Contains(names, a.Name) {
			r.add(at+".name", "repeats an earlier attribute's")
		}
		names = append(names, a.Name)
	}
	for i, t := range h.Terms {
		at := fmt.Sprintf("%s.terms[%d]", field, i)
		if !keyPattern.MatchString(t.Name) {
			r.add(at+".name", "must be a letter followed by up to 62 letters, digits, - or _, such as community")
		}
		checkOneOf(r, at+".kind", t.Kind, termsKinds...)
		if len(t.Text) == 0 {
			r.add(at+".text", "is empty: members accept a text in at least one language")
		}
	}
	if h.Retention.InactiveMemberDays != 0 && h.Retention.InactiveMemberDays < 60 {
		r.add(field+".retention.inactiveMemberDays", "must be 0 (never) or 60 and more: an erasure is announced a month before")
	}
}
