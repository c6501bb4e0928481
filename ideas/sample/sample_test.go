package sample_test

import (
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/declared"
	"github.com/quaeso/community-operator/ideas/sample"
)

// TestProgrammeIsDeclared holds on every day that the sample can be declared, and names what the content asks of it.
func TestProgrammeIsDeclared(t *testing.T) {
	rules := declared.Rules{Locales: []string{"en", "fr"}}
	for _, day := range []string{"2026-11-22", "2027-03-28", "2028-02-29", "2027-10-31"} {
		now, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := sample.Programme("http://localhost:8080", now)
		if err != nil {
			t.Fatal(err)
		}
		file, err := rules.Read(raw)
		if err != nil {
			t.Errorf("on %s: %v", day, err)
			continue
		}
		challenges, themes := map[string]bool{"": true}, map[string]bool{"": true}
		for _, c := range file.Challenges {
			challenges[c.Name] = true
		}
		for _, theme := range file.Community.House.Themes {
			themes[theme.Name] = true
		}
		content := sample.Content(now)
		for _, idea := range content.Ideas {
			if !challenges[idea.Challenge] || !themes[idea.Theme] {
				t.Errorf("idea %s is in challenge %q with theme %q; one is not declared", idea.Key, idea.Challenge, idea.Theme)
			}
		}
		if len(content.Responses) == 0 || len(content.Topics) == 0 || len(content.Registrations) == 0 || len(content.Applications) == 0 {
			t.Error("a method has no content")
		}
	}
}

// TestLivesAreAllowed holds that each idea goes from state to state as the state machine lets it.
func TestLivesAreAllowed(t *testing.T) {
	now := time.Now()
	for _, idea := range sample.Content(now).Ideas {
		from, last := ideas.StateGathering, idea.CreatedAt
		for _, step := range idea.Steps {
			if _, err := ideas.CheckTransition(from, step.To, []ideas.Capacity{step.As}, ideas.Reason{Text: step.Reason}); err != nil {
				t.Errorf("idea %s: %v", idea.Key, err)
			}
			if step.At.Before(last) || step.At.After(now) {
				t.Errorf("idea %s becomes %s at %s, not after %s", idea.Key, step.To, step.At, last)
			}
			from, last = step.To, step.At
		}
		for i, c := range idea.Comments {
			if c.CreatedAt.Before(idea.CreatedAt) || c.CreatedAt.After(now) || c.Answers > i {
				t.Errorf("idea %s: comment %d is out of order", idea.Key, i+1)
			}
		}
	}
}
