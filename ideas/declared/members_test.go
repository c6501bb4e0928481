package declared_test

import (
	"strings"
	"testing"
)

// What the house rules say of members is refused with the field and what would be right.
func TestHouseRulesOfMembers(t *testing.T) {
	for house, want := range map[string]string{
		"signUp: {minimumAge: 13, guardianBelow: 15}":                          "",
		"signUp: {minimumAge: -1}":                                             "signUp.minimumAge: must be an age",
		"signUp: {guardianBelow: 99}":                                          "signUp.guardianBelow: must be an age",
		"signUp: {policy: domains}":                                            "signUp.domains: is empty",
		"signUp: {policy: domains, domains: [school.example]}":                 "",
		"signUp: {policy: domains, domains: ['@school.example']}":              "signUp.domains[0]: must be a mail domain",
		"attributes: [{name: region}, {name: region}]":                         "attributes[1].name: repeats",
		"attributes: [{name: '<b>'}]":                                          "attributes[0].name: must be a letter",
		"terms: [{name: community, kind: participation, text: {en: Be kind}}]": "",
		"terms: [{name: community, kind: surprise, text: {en: Be kind}}]":      "terms[0].kind: must be one of",
		"terms: [{name: community, kind: participation}]":                      "terms[0].text: is empty",
		"retention: {inactiveMemberDays: 30}":                                  "inactiveMemberDays: must be 0",
	} {
		_, err := rules.Read([]byte(strings.Replace(community, "moderation: {when: before}", house, 1)))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: refused: %v", house, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", house, err, want)
		}
	}
}
