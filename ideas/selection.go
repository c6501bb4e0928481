package ideas

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/quaeso/community-operator/internal/control"
)

// Ways of selecting applicants.
const (
	SelectionTeam = "team"
	SelectionVote = "vote"
	SelectionDraw = "draw"
)

// Segments are the attributes of somebody, or of a response, that quotas and results ask for.
type Segments map[string][]string

// Seats of one segment.
type Seats struct {
	Attribute, Value string
	Seats            int
}

// QuotaSeats turns percentages into places: for each attribute the values' shares rounded down, and what is left over
// to those with the largest rest.
func QuotaSeats(places int, quotas []control.Quota) []Seats {
	all := make([]Seats, len(quotas))
	for i, q := range quotas {
		all[i] = Seats{q.Attribute, q.Value, places * q.Percent / 100}
	}
	for _, attribute := range quotaAttributes(quotas) {
		var of []int
		percent, given := 0, 0
		for i, q := range quotas {
			if q.Attribute == attribute {
				of, percent, given = append(of, i), percent+q.Percent, given+all[i].Seats
			}
		}
		slices.SortStableFunc(of, func(a, b int) int {
			return cmp.Compare(places*quotas[b].Percent%100, places*quotas[a].Percent%100)
		})
		for _, i := range of[:min(len(of), (places*percent+99)/100-given)] {
			all[i].Seats++
		}
	}
	return all
}

func quotaAttributes(quotas []control.Quota) []string {
	var names []string
	for _, q := range quotas {
		if !slices.Contains(names, q.Attribute) {
			names = append(names, q.Attribute)
		}
	}
	return names
}

// Candidate of a selection.
type Candidate struct {
	Application int64    `json:"application"`
	Segments    Segments `json:"segments,omitempty"`
}

// seating counts the places that segments have taken.
type seating struct {
	places int
	seats  []Seats
	// taken by attribute and value; those of values without a quota are together, under the empty one.
	taken map[[2]string]int
}

func newSeating(places int, quotas []control.Quota) *seating {
	return &seating{places: places, seats: QuotaSeats(places, quotas), taken: map[[2]string]int{}}
}

// value under which a candidate counts for an attribute, and the places that it has.
func (s *seating) value(attribute string, c Candidate) (value string, seats int) {
	rest := s.places
	for _, seat := range s.seats {
		if seat.Attribute != attribute {
			continue
		}
		if slices.Contains(c.Segments[attribute], seat.Value) {
			return seat.Value, seat.Seats
		}
		rest -= seat.Seats
	}
	return "", rest
}

func (s *seating) attributes() []string {
	var names []string
	for _, seat := range s.seats {
		if !slices.Contains(names, seat.Attribute) {
			names = append(names, seat.Attribute)
		}
	}
	return names
}

// fits tells whether no quota of the candidate's segments is full.
func (s *seating) fits(c Candidate) bool {
	for _, attribute := range s.attributes() {
		if value, seats := s.value(attribute, c); s.taken[[2]string{attribute, value}] >= seats {
			return false
		}
	}
	return true
}

func (s *seating) take(c Candidate) {
	for _, attribute := range s.attributes() {
		value, _ := s.value(attribute, c)
		s.taken[[2]string{attribute, value}]++
	}
}

// FillPlaces goes through candidates in their order and takes those whose segments have places left. Places that
// remain go to the first of the others, rather than to nobody. Who waits keeps the order.
func FillPlaces(ordered []Candidate, places int, quotas []control.Quota) (selected, waiting []Candidate) {
	s := newSeating(places, quotas)
	taken := make([]bool, len(ordered))
	for i, c := range ordered {
		if len(selected) < places && s.fits(c) {
			s.take(c)
			selected, taken[i] = append(selected, c), true
		}
	}
	for i, c := range ordered {
		switch {
		case taken[i]:
		case len(selected) < places:
			selected = append(selected, c)
		default:
			waiting = append(waiting, c)
		}
	}
	return selected, waiting
}

// NextWaiting is who replaces somebody that dropped out: the first who waits whose segments have a place beside those
// selected, else the first. ok is false where nobody waits.
func NextWaiting(waiting, selected []Candidate, places int, quotas []control.Quota) (next Candidate, ok bool) {
	if len(waiting) == 0 {
		return Candidate{}, false
	}
	s := newSeating(places, quotas)
	for _, c := range selected {
		s.take(c)
	}
	for _, c := range waiting {
		if s.fits(c) {
			return c, true
		}
	}
	return waiting[0], true
}

// Commitment is what is published of a draw's seed before there are applications.
func Commitment(seed string) string {
	sum := sha256.Sum256([]byte(seed))
	return hex.EncodeToString(sum[:])
}

// DrawOrder puts candidates in the order of the SHA-256 of "SEED:CHALLENGE:APPLICATION", which anybody can recompute.
func DrawOrder(seed, challenge string, candidates []Candidate) []Candidate {
	ticket := func(c Candidate) string {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s:%s:%d", seed, challenge, c.Application))
		return hex.EncodeToString(sum[:])
	}
	ordered := slices.Clone(candidates)
	slices.SortFunc(ordered, func(a, b Candidate) int { return cmp.Compare(ticket(a), ticket(b)) })
	return ordered
}

// Draw is what is published of a verifiable draw.
type Draw struct {
	Challenge string `json:"challenge"`
	// Commitment is the SHA-256 of the seed, known before the first application.
	Commitment string `json:"commitment"`
	// Seed is empty until the draw.
	Seed       string          `json:"seed,omitempty"`
	Places     int             `json:"places"`
	Quotas     []control.Quota `json:"quotas,omitempty"`
	Candidates []Candidate     `json:"candidates,omitempty"`
	// Selected and Waiting are numbers of applications, in the order of the draw.
	Selected []int64 `json:"selected,omitempty"`
	Waiting  []int64 `json:"waiting,omitempty"`
}

// Carry out the draw: the order follows from seed and candidates, the outcome from order, places and quotas.
func (d Draw) Carry(seed string) Draw {
	d.Seed, d.Commitment = seed, Commitment(seed)
	selected, waiting := FillPlaces(DrawOrder(seed, d.Challenge, d.Candidates), d.Places, d.Quotas)
	d.Selected, d.Waiting = applicationsOf(selected), applicationsOf(waiting)
	return d
}

// Verify tells whether what is published is what follows from the seed, and the seed the one that was promised.
func (d Draw) Verify(promised string) bool {
	again := d.Carry(d.Seed)
	return Commitment(d.Seed) == promised && d.Commitment == promised &&
		slices.Equal(again.Selected, d.Selected) && slices.Equal(again.Waiting, d.Waiting)
}

func applicationsOf(candidates []Candidate) []int64 {
	var all []int64
	for _, c := range candidates {
		all = append(all, c.Application)
	}
	return all
}

// RankedApplication of a candidate whom community and jury select.
type RankedApplication struct {
	Candidate
	Votes int
	// Points that each juror has given, by criterion.
	Points []map[string]int
	// Score is from 0 to 100, set by Rank.
	Score float64
	// Jury is the jury's part of it, from 0 to 100; 0 where nobody has scored.
	Jury float64
}

// Rank puts candidates in the order of their score: the community's share of it follows the votes of whoever has most,
// the rest the jury's weighted mean. Without a jury the votes alone count. Equal ones stand in the order of applying.
func Rank(standings []RankedApplication, jury *control.Jury) []RankedApplication {
	ballot, most := 100, 0
	if jury != nil && len(jury.Members) > 0 {
		ballot = jury.BallotPercent
	}
	ranked := slices.Clone(standings)
	for _, s := range ranked {
		most = max(most, s.Votes)
	}
	for i := range ranked {
		s := &ranked[i]
		if jury != nil {
			s.Jury = juryPercent(jury.Criteria, s.Points)
		}
		if most > 0 {
			s.Score = float64(ballot) * float64(s.Votes) / float64(most)
		}
		s.Score += float64(100-ballot) * s.Jury / 100
	}
	slices.SortStableFunc(ranked, func(a, b RankedApplication) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Application, b.Application))
	})
	return ranked
}

// CriterionMaximum is the highest score of a criterion.
func CriterionMaximum(c control.Criterion) int { return orDefault(c.Maximum, 10) }

func juryPercent(criteria []control.Criterion, points []map[string]int) float64 {
	if len(points) == 0 {
		return 0
	}
	sum, weights := 0.0, 0
	for _, c := range criteria {
		weights += c.Weight
		for _, p := range points {
			sum += float64(c.Weight) * float64(p[c.Name]) / float64(CriterionMaximum(c))
		}
	}
	if weights == 0 {
		return 0
	}
	return 100 * sum / float64(weights) / float64(len(points))
}
