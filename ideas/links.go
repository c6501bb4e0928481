package ideas

import (
	"slices"
	"strings"

	"github.com/quaeso/community-operator/internal/control"
)

// Link from a challenge to another that it continues or whose selected members it is for.
type Link struct {
	// Field of the declaration, "spec.origin".
	Field string
	// To is the other's name.
	To string
}

// LinksOf a declared challenge.
func LinksOf(c control.Challenge) []Link {
	var links []Link
	if c.Origin != "" {
		links = append(links, Link{"spec.origin", c.Origin})
	}
	if c.Eligibility != nil && c.Eligibility.SelectedIn != "" {
		links = append(links, Link{"spec.eligibility.selectedIn", c.Eligibility.SelectedIn})
	}
	return links
}

// Circles refuses the links of a challenge that lead back to it, given those of all by name: challenges in a circle would
// wait for each other.
func Circles(name string, links map[string][]Link) []control.Refusal {
	var refusals []control.Refusal
	for _, link := range links[name] {
		if way := wayTo(name, []string{link.To}, links, map[string]bool{}); way != nil {
			refusals = append(refusals, control.Refusal{
				Field:   link.Field,
				Message: "leads back to this challenge (" + strings.Join(append([]string{name}, way...), " → ") + "): leave one of these links out",
				Cause:   control.RefusedCircle,
			})
		}
	}
	return refusals
}

// wayTo a challenge, on from the last of a way; nil for none. What was met once is not gone to again.
func wayTo(name string, way []string, links map[string][]Link, met map[string]bool) []string {
	last := way[len(way)-1]
	if last == name {
		return way
	}
	met[last] = true
	for _, link := range links[last] {
		if met[link.To] {
			continue
		}
		if found := wayTo(name, append(slices.Clone(way), link.To), links, met); found != nil {
			return found
		}
	}
	return nil
}
