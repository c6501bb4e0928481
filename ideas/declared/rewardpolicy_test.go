package declared_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func TestCheckRewardPolicy(t *testing.T) {
	both := map[string]string{"en": "A cup", "fr": "Une coupe"}
	for name, tc := range map[string]struct {
		spec control.RewardPolicy
		want []string
	}{
		"good": {control.RewardPolicy{
			Rules:  []control.RewardRule{{Name: "published", Event: "idea.published", Points: 10, Condition: "idea.theme == 'camp'", To: "author"}},
			Levels: []control.Level{{Name: "maker", Title: both, Points: 50}}, Badges: []control.Badge{{Name: "first", Title: both, Event: "idea.published"}},
			Prizes: []control.Prize{{FromRank: 1, Title: both, Amount: 50_000}}, Currency: "EUR",
			RevenueShare: &control.RevenueShare{BasisPoints: 100, Base: "netSales"},
		}, nil},
		"an expression, with its place": {
			control.RewardPolicy{Rules: []control.RewardRule{{Name: "r", Event: "idea.published", Points: 1, Condition: "true &&\nidea.likes > 3"}}},
			[]string{"spec.rules[0].condition: line 2, column 1: there is no idea.likes"},
		},
		"no event of the service": {
			control.RewardPolicy{Rules: []control.RewardRule{{Name: "r", Event: "idea.liked", Points: 1}}}, []string{`spec.rules[0].event: "idea.liked" is no event`},
		},
		"a title that is missing in a language": {
			control.RewardPolicy{Badges: []control.Badge{{Name: "b", Event: "idea.published", Title: map[string]string{"en": "x"}}}},
			[]string{"spec.badges[0].title.fr: is missing"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := control.Object[control.RewardPolicy]{UID: "u", Name: "n", Generation: 1, Spec: tc.spec}
			var got []string
			for i, r := range rules.CheckRewardPolicy(o, ideas.Settings{Locales: []string{"en", "fr"}}) {
				line := r.Field + ": " + r.Message
				if i < len(tc.want) && strings.HasPrefix(line, tc.want[i]) {
					line = tc.want[i]
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
