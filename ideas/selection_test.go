package ideas_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func regions(percents ...int) []control.Quota {
	var quotas []control.Quota
	for i, p := range percents {
		quotas = append(quotas, control.Quota{Attribute: "region", Value: []string{"north", "south", "east"}[i], Percent: p})
	}
	return quotas
}

// candidates are numbered from 1, each with a region.
func candidates(regions ...string) []ideas.Candidate {
	var all []ideas.Candidate
	for i, r := range regions {
		c := ideas.Candidate{Application: int64(i + 1)}
		if r != "" {
			c.Segments = ideas.Segments{"region": {r}}
		}
		all = append(all, c)
	}
	return all
}

func numbers(list []ideas.Candidate) []int64 {
	all := []int64{}
	for _, c := range list {
		all = append(all, c.Application)
	}
	return all
}

func TestQuotaSeats(t *testing.T) {
	for name, tc := range map[string]struct {
		places int
		quotas []control.Quota
		want   []int
	}{
		"even":             {4, regions(50, 50), []int{2, 2}},
		"rest to the most": {4, regions(40, 60), []int{2, 2}},
		"thirds":           {10, regions(33, 33, 34), []int{3, 3, 4}},
		"part of all":      {10, regions(25), []int{3}},
		"one place":        {1, regions(60, 40), []int{1, 0}},
		"none":             {0, regions(60, 40), []int{0, 0}},
	} {
		var got []int
		sum := 0
		for _, s := range ideas.QuotaSeats(tc.places, tc.quotas) {
			got = append(got, s.Seats)
			sum += s.Seats
		}
		if diff := cmp.Diff(tc.want, got); diff != "" || sum > tc.places {
			t.Errorf("%s: %d seats of %d (-want +got):\n%s", name, sum, tc.places, diff)
		}
	}
}

func TestFillPlaces(t *testing.T) {
	for name, tc := range map[string]struct {
		candidates        []ideas.Candidate
		places            int
		quotas            []control.Quota
		selected, waiting []int64
	}{
		"in order":                 {candidates("north", "north", "south"), 2, nil, []int64{1, 2}, []int64{3}},
		"quota":                    {candidates("north", "north", "south"), 2, regions(50, 50), []int64{1, 3}, []int64{2}},
		"no empty place":           {candidates("north", "north", "north"), 2, regions(50, 50), []int64{1, 2}, []int64{3}},
		"others share the rest":    {candidates("", "west", "north"), 2, regions(50), []int64{1, 3}, []int64{2}},
		"fewer than places":        {candidates("north"), 3, regions(50, 50), []int64{1}, []int64{}},
		"nobody":                   {nil, 3, regions(50, 50), []int64{}, []int64{}},
		"full quotas leave nobody": {candidates("west", "north", "south"), 2, regions(50, 50), []int64{2, 3}, []int64{1}},
	} {
		selected, waiting := ideas.FillPlaces(tc.candidates, tc.places, tc.quotas)
		if diff := cmp.Diff([][]int64{tc.selected, tc.waiting}, [][]int64{numbers(selected), numbers(waiting)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestNextWaiting(t *testing.T) {
	waiting, selected := candidates("north", "south"), candidates("north")
	if next, ok := ideas.NextWaiting(waiting, selected, 2, regions(50, 50)); !ok || next.Application != 2 {
		t.Errorf("next is %d, want the one of the segment with a place", next.Application)
	}
	if next, ok := ideas.NextWaiting(waiting[:1], selected, 2, regions(50, 50)); !ok || next.Application != 1 {
		t.Errorf("next is %d, want the first rather than nobody", next.Application)
	}
	if _, ok := ideas.NextWaiting(nil, selected, 2, nil); ok {
		t.Error("somebody replaces although nobody waits")
	}
}

// Whoever has the published draw recomputes it, and notices each kind of cheating.
func TestDraw(t *testing.T) {
	draw := ideas.Draw{Challenge: "cabin", Places: 2, Quotas: regions(50, 50), Candidates: candidates("north", "north", "south", "south", "north")}
	promised := ideas.Commitment("seed")
	done := draw.Carry("seed")
	if !done.Verify(promised) {
		t.Fatal("an honest draw does not verify")
	}
	if len(done.Selected) != 2 || len(done.Waiting) != 3 {
		t.Fatalf("selected %v, waiting %v", done.Selected, done.Waiting)
	}
	// The order does not depend on the order in which applications are listed.
	turned := draw
	turned.Candidates = []ideas.Candidate{draw.Candidates[4], draw.Candidates[2], draw.Candidates[0], draw.Candidates[3], draw.Candidates[1]}
	if diff := cmp.Diff(done.Selected, turned.Carry("seed").Selected); diff != "" {
		t.Errorf("another order of listing draws others:\n%s", diff)
	}
	for name, cheat := range map[string]func(*ideas.Draw){
		"another seed":      func(d *ideas.Draw) { *d = d.Carry("better") },
		"a swapped winner":  func(d *ideas.Draw) { d.Selected = []int64{d.Waiting[0], d.Selected[1]} },
		"a left-out person": func(d *ideas.Draw) { d.Candidates = d.Candidates[1:] },
		"another challenge": func(d *ideas.Draw) { d.Challenge = "other2" },
	} {
		d := done
		cheat(&d)
		if d.Verify(promised) {
			t.Errorf("%s verifies", name)
		}
	}
}

// Over many draws everybody has about the same chance.
func TestDrawIsFair(t *testing.T) {
	won := map[int64]int{}
	for i := range 4000 {
		d := ideas.Draw{Challenge: "c", Places: 1, Candidates: candidates("", "", "", "")}.Carry(fmt.Sprint(i))
		won[d.Selected[0]]++
	}
	for n := int64(1); n <= 4; n++ {
		if won[n] < 880 || won[n] > 1120 {
			t.Errorf("application %d won %d of 4000 draws among four", n, won[n])
		}
	}
}

func TestRank(t *testing.T) {
	jury := &control.Jury{
		Members: []string{"j@brand.example"}, BallotPercent: 40,
		Criteria: []control.Criterion{{Name: "voice", Weight: 75}, {Name: "eye", Weight: 25, Maximum: 5}},
	}
	all := candidates("", "", "")
	standings := []ideas.RankedApplication{
		{Candidate: all[0], Votes: 100},
		{Candidate: all[1], Votes: 50, Points: []map[string]int{{"voice": 10, "eye": 5}, {"voice": 6, "eye": 5}}},
		{Candidate: all[2], Votes: 50, Points: []map[string]int{{"voice": 10, "eye": 5}}},
	}
	for name, tc := range map[string]struct {
		jury *control.Jury
		want string
	}{
		"jury and vote": {jury, "3:80 2:71 1:40 "},
		"vote alone":    {nil, "1:100 2:50 3:50 "},
	} {
		got := ""
		for _, s := range ideas.Rank(standings, tc.jury) {
			got += fmt.Sprintf("%d:%.0f ", s.Application, s.Score)
		}
		if got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
