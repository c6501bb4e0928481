package ideas_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func TestScreen(t *testing.T) {
	terms := []string{"Escroquerie", "bête noire", "🤬", ""}
	for name, tc := range map[string]struct {
		rules     control.Moderation
		challenge string
		level     int
		roles     ideas.Roles
		text      string
		want      string
	}{
		"default publishes":                   {text: "A lamp"},
		"before waits":                        {rules: control.Moderation{When: "before"}, text: "A lamp", want: "before"},
		"challenge asks for before":           {challenge: "before", text: "A lamp", want: "before"},
		"challenge asks for after":            {rules: control.Moderation{When: "before"}, challenge: "after", text: "A lamp"},
		"trusted level skips":                 {rules: control.Moderation{When: "before", TrustedLevel: 3}, level: 3, text: "A lamp"},
		"level below waits":                   {rules: control.Moderation{When: "before", TrustedLevel: 3}, level: 2, text: "A lamp", want: "before"},
		"no level is trusted unless declared": {rules: control.Moderation{When: "before"}, level: 9, text: "A lamp", want: "before"},
		"a moderator never waits":             {rules: control.Moderation{When: "before", BannedTerms: terms}, roles: ideas.Roles{ideas.RoleModerator}, text: "escroquerie"},
		"an implementer waits":                {rules: control.Moderation{When: "before"}, roles: ideas.Roles{ideas.RoleImplementer}, text: "x", want: "before"},
		"banned term":                         {rules: control.Moderation{BannedTerms: terms}, text: "Une escroquerie !", want: "terms"},
		"banned term of a trusted member":     {rules: control.Moderation{BannedTerms: terms, TrustedLevel: 1}, level: 5, text: "escroquerie", want: "terms"},
		"without case and accents":            {rules: control.Moderation{BannedTerms: terms}, text: "ÉSCRÖQUERIE", want: "terms"},
		"composed otherwise":                  {rules: control.Moderation{BannedTerms: terms}, text: "ma be\u0302te\u00a0\n noire", want: "terms"},
		"with invisible characters":           {rules: control.Moderation{BannedTerms: terms}, text: "escro\u200bque\u00adrie", want: "terms"},
		"with punctuation":                    {rules: control.Moderation{BannedTerms: terms}, text: "bête-noire", want: "terms"},
		"in full width":                       {rules: control.Moderation{BannedTerms: terms}, text: "ｅｓｃｒｏｑｕｅｒｉｅ", want: "terms"},
		"part of a word is another word":      {rules: control.Moderation{BannedTerms: []string{"con"}}, text: "une connexion"},
		"words of a phrase apart":             {rules: control.Moderation{BannedTerms: terms}, text: "une bête et une noire"},
		"an empty term finds nothing":         {rules: control.Moderation{BannedTerms: []string{"", " ", "🤬"}}, text: "A lamp"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ideas.Screen(tc.rules, tc.challenge, tc.level, tc.roles, "A title", tc.text)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("cause (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReasonIsCleaned(t *testing.T) {
	got, err := ideas.Reason{Code: ideas.ReasonUnclear, Text: "  Please\r\nsay\u202e more "}.Clean()
	if want := (ideas.Reason{Code: ideas.ReasonUnclear, Text: "Please\nsay more"}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for want, reason := range map[string]ideas.Reason{
		"code: invalid":    {Code: "because"},
		"reason: too_long": {Text: strings.Repeat("x", ideas.MaxReason+1)},
	} {
		field := (*ideas.FieldError)(nil)
		if _, err := reason.Clean(); !errors.As(err, &field) || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestCleanTags(t *testing.T) {
	for name, tc := range map[string]struct {
		raw  []string
		want string
		err  string
	}{
		"typed in one field":  {raw: []string{"#Vélo, city bike,  ,VÉLO"}, want: "vélo city-bike"},
		"each by itself":      {raw: []string{"a", "b", "a"}, want: "a b"},
		"hostile":             {raw: []string{`<script>"';--\`, "\u202etxt\x00"}, want: "script txt"},
		"nothing":             {raw: nil, want: ""},
		"too many":            {raw: []string{"a,b,c,d,e,f"}, err: "tags: too_many"},
		"too long":            {raw: []string{strings.Repeat("é", ideas.MaxTag+1)}, err: "tags: too_long"},
		"as long as possible": {raw: []string{strings.Repeat("é", ideas.MaxTag)}, want: strings.Repeat("é", ideas.MaxTag)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ideas.CleanTags(tc.raw)
			if tc.err != "" {
				if err == nil || err.Error() != tc.err {
					t.Errorf("error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil || strings.Join(got, " ") != tc.want {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}
