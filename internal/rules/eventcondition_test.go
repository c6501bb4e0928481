package rules_test

import (
	"errors"
	"testing"

	"github.com/quaeso/community-operator/internal/rules"
)

func TestEventCondition(t *testing.T) {
	facts := rules.Facts{Event: "idea.supported", Idea: rules.IdeaFacts{State: "gathering", Supporters: 10}, Challenge: rules.ChallengeFacts{Name: "summer"}}
	for text, want := range map[string]struct{ holds, counts bool }{
		"supporters >= 10":                                    {true, true},
		"idea.supporters > 10":                                {false, true},
		"comments == 0 && challenge.name == \"summer\"":       {true, true},
		"idea.state in [\"selected\", \"launched\"]":          {false, false},
		"event.name.startsWith(\"idea.\") && event.hour < 24": {true, false},
		"1 / (idea.supporters - 10) > 0":                      {false, true},
	} {
		c, err := rules.CompileEventCondition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		// A failing evaluation does not hold; its error is for the log.
		if holds, _ := c.Holds(facts); holds != want.holds || c.Counts() != want.counts {
			t.Errorf("%s: holds %v, counts %v, want %v", text, holds, c.Counts(), want)
		}
	}
	for text, column := range map[string]int{
		"supporters >= \"10\"": 12, "supporters": 1, "suporters > 1": 1, "member.points > 1": 1, "supporters > 1 &&": 18, "{1: 2}[1] > supporters": 1,
	} {
		_, err := rules.CompileEventCondition(text)
		var wrong rules.Errors
		if !errors.As(err, &wrong) || wrong[0].Line != 1 || wrong[0].Column != column {
			t.Errorf("%s: %v, want a fault at 1:%d", text, err, column)
		}
	}
}
