package ideas_test

import (
	"math"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func day(n int) time.Time { return time.Date(2027, 6, n, 0, 0, 0, 0, time.UTC) }

func TestStandingOf(t *testing.T) {
	up := control.Objective{Baseline: 100, Target: 200, Deadline: "2027-06-30"}
	down := control.Objective{Baseline: 50, Target: 20, Deadline: "2027-06-30"}
	for name, tc := range map[string]struct {
		objective control.Objective
		figures   []ideas.Figure
		today     int
		want      ideas.ObjectiveStanding
		projected float64
	}{
		"nothing known":       {up, nil, 10, ideas.ObjectiveUnknown, 0},
		"one day":             {up, []ideas.Figure{{Day: day(1), Value: 110}}, 10, ideas.ObjectiveUnknown, 0},
		"on track":            {up, []ideas.Figure{{Day: day(1), Value: 100}, {Day: day(11), Value: 140}}, 11, ideas.ObjectiveOnTrack, 216},
		"behind":              {up, []ideas.Figure{{Day: day(1), Value: 100}, {Day: day(11), Value: 120}}, 11, ideas.ObjectiveBehind, 158},
		"days without figure": {up, []ideas.Figure{{Day: day(1), Value: 100}, {Day: day(2), Value: 104}, {Day: day(11), Value: 140}}, 11, ideas.ObjectiveOnTrack, 216},
		"reached":             {up, []ideas.Figure{{Day: day(1), Value: 100}, {Day: day(11), Value: 200}}, 11, ideas.ObjectiveReached, 390},
		"missed":              {up, []ideas.Figure{{Day: day(1), Value: 100}, {Day: day(29), Value: 184}}, 40, ideas.ObjectiveMissed, 187},
		"downwards":           {down, []ideas.Figure{{Day: day(1), Value: 50}, {Day: day(11), Value: 39}}, 11, ideas.ObjectiveOnTrack, 18.1},
		"the wrong way":       {down, []ideas.Figure{{Day: day(1), Value: 50}, {Day: day(11), Value: 60}}, 11, ideas.ObjectiveBehind, 79},
	} {
		got, projection := ideas.StandingOf(tc.objective, tc.figures, day(1).AddDate(0, 0, tc.today-1))
		if got != tc.want || math.Abs(projection.Value-tc.projected) > 0.01 {
			t.Errorf("%s: %s %v, want %s %v", name, got, projection.Value, tc.want, tc.projected)
		}
	}
}

func TestShares(t *testing.T) {
	quotas := []control.Quota{
		{Attribute: "region", Value: "north", Percent: 50}, {Attribute: "region", Value: "south", Percent: 50},
		{Attribute: "age", Value: "old", Percent: 60}, {Attribute: "age", Value: "young", Percent: 40},
	}
	got := ideas.Shares(quotas, map[ideas.QuotaSegment]int64{{Attribute: "region", Value: "north"}: 80, {Attribute: "region", Value: "south"}: 20, {Attribute: "age", Value: "young"}: 10})
	want := []struct{ actual, weight float64 }{{0.8, 0.625}, {0.2, 2.5}, {0, 1}, {1, 0.4}}
	for i, w := range want {
		if math.Abs(got[i].Actual-w.actual) > 1e-9 || math.Abs(got[i].Weight-w.weight) > 1e-9 {
			t.Errorf("%v: %v and weight %v, want %v", got[i].QuotaSegment, got[i].Actual, got[i].Weight, w)
		}
	}
	// A few people do not stand for half of the customers.
	few := ideas.Shares(quotas[:2], map[ideas.QuotaSegment]int64{{Attribute: "region", Value: "north"}: 99, {Attribute: "region", Value: "south"}: 1})
	if few[1].Weight != ideas.MaxWeight {
		t.Errorf("the weight of one in a hundred is %v", few[1].Weight)
	}
}
