package ideas

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/quaeso/community-operator/internal/control"
)

// AssignStimuli picks what a member is shown and in which order: those that fewest have been shown, by chance among
// equals, in random order. perMember 0 means all.
func AssignStimuli(names []string, shown map[string]int, perMember int, random *rand.Rand) []string {
	picked := slices.Clone(names)
	random.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	if perMember > 0 && perMember < len(picked) {
		slices.SortStableFunc(picked, func(a, b string) int { return cmp.Compare(shown[a], shown[b]) })
		picked = picked[:perMember]
		random.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	}
	return picked
}

// Stimulus of a name; ok is false where there is none.
func Stimulus(t *control.ConceptTest, name string) (control.Stimulus, bool) {
	i := slices.IndexFunc(t.Stimuli, func(s control.Stimulus) bool { return s.Name == name })
	if i < 0 {
		return control.Stimulus{}, false
	}
	return t.Stimuli[i], true
}

// Exposure is one stimulus that a member is shown.
type Exposure struct {
	Stimulus string
	// Answered tells that the member has responded.
	Answered bool
}

// StimulusScores compare a stimulus in all responses and in each segment.
type StimulusScores struct {
	Stimulus string
	// Shown is to how many members it was assigned.
	Shown int
	Total *Tally
	// Segments in the order of the declared attributes and their values.
	Segments []SegmentTally
}

// SegmentTally is a tally of the responses of one segment.
type SegmentTally struct {
	Attribute, Value string
	*Tally
}

// TallySegments counts responses in all, and by each value that the attributes offer.
func TallySegments(questions []control.Question, attributes []control.Attribute, responses []Response) (*Tally, []SegmentTally) {
	total := NewTally(questions)
	var segments []SegmentTally
	for _, a := range attributes {
		for _, o := range a.Options {
			segments = append(segments, SegmentTally{a.Name, o.Name, NewTally(questions)})
		}
	}
	for _, r := range responses {
		total.Add(r.Answers)
		for _, s := range segments {
			if slices.Contains(r.Segments[s.Attribute], s.Value) {
				s.Add(r.Answers)
			}
		}
	}
	return total, segments
}
