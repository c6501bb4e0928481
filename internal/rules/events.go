package rules

import "slices"

// EventNames lists the events that rules and badges may be about.
func EventNames() []string {
	return []string{
		"idea.submitted", "idea.published", "idea.qualified", "idea.selected", "idea.launched", "idea.supported",
		"comment.added",
	}
}

// IsEvent tells whether there is an event of that name.
func IsEvent(name string) bool { return slices.Contains(EventNames(), name) }
