package ideas_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func TestAssignStimuli(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "c", "d", "e"}
	shown, first := map[string]int{}, map[string]int{}
	for range 1000 {
		picked := ideas.AssignStimuli(names, shown, 2, random)
		if len(picked) != 2 || picked[0] == picked[1] {
			t.Fatalf("picked %v", picked)
		}
		first[picked[0]]++
		for _, p := range picked {
			shown[p]++
		}
	}
	for _, n := range names {
		if shown[n] != 400 {
			t.Errorf("%s was shown to %d of 1000 members who see two of five", n, shown[n])
		}
		if first[n] < 150 || first[n] > 250 {
			t.Errorf("%s was first %d times of 1000", n, first[n])
		}
	}
	if all := ideas.AssignStimuli(names, shown, 0, random); len(all) != 5 {
		t.Errorf("without a bound %v are shown", all)
	}
}

func TestDiarySchedule(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour int) time.Time { return time.Date(2027, time.March, day, hour, 0, 0, 0, paris) }
	start := at(26, 9)
	for name, tc := range map[string]struct {
		days    int
		end     time.Time
		entries []time.Time
		now     time.Time
		want    string
	}{
		"begins due":                    {2, time.Time{}, nil, start, "1:due"},
		"done early":                    {2, time.Time{}, []time.Time{start}, at(26, 10), "1:done"},
		"just before it is missed":      {2, time.Time{}, nil, at(28, 9).Add(-time.Nanosecond), "1:due"},
		"missed, across the clock":      {2, time.Time{}, nil, at(28, 9), "1:missed 2:due"},
		"an entry counts for its slot":  {2, time.Time{}, []time.Time{at(28, 9)}, at(28, 10), "1:missed 2:done"},
		"two entries in one slot":       {2, time.Time{}, []time.Time{at(26, 9), at(27, 9)}, at(28, 10), "1:done 2:due"},
		"the end leaves nothing due":    {2, at(29, 9), nil, at(29, 9), "1:missed 2:missed"},
		"nothing is due after the end":  {2, at(28, 9), nil, at(31, 9), "1:missed"},
		"left to testers":               {0, time.Time{}, nil, at(31, 9), ""},
		"nothing before the kit's here": {2, time.Time{}, nil, start.Add(-time.Hour), ""},
	} {
		var got []string
		for _, s := range ideas.DiarySchedule(start, tc.days, tc.end, tc.entries, tc.now) {
			got = append(got, fmt.Sprintf("%d:%s", s.Number, s.State))
		}
		if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTimetable(t *testing.T) {
	sessions, err := ideas.ResolveSessions([]control.Session{{
		Name: "one", Start: "2027-03-01T18:00", End: "2027-03-01T19:00", Rounds: []control.Round{{Minutes: 20}, {Minutes: 15}},
	}}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range sessions[0].Timetable() {
		got = append(got, r.Start.Format("15:04")+"-"+r.End.Format("15:04"))
	}
	if diff := cmp.Diff("18:00-18:20 18:20-18:35", strings.Join(got, " ")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := ideas.ResolveSessions([]control.Session{{Start: "2027-03-01T18:00", End: "soon"}}, time.UTC); err == nil || !strings.HasPrefix(err.Error(), "sessions[0].end: ") {
		t.Errorf("a wrong end gives %v", err)
	}
}

// A calendar file has short lines, escaped text and nothing that a text could add.
func TestCalendar(t *testing.T) {
	file := ideas.Calendar{
		UID: "s1@brand.example", Title: "Été; lumière, et plus\nEND:VEVENT\r\nATTACH:x", Description: strings.Repeat("é", 200), URL: "https://a.example/\r\nX:y",
		Start: time.Date(2027, 3, 1, 18, 0, 0, 0, time.FixedZone("", 3600)), End: time.Date(2027, 3, 1, 19, 0, 0, 0, time.UTC), Stamp: time.Unix(0, 0),
	}.String()
	for _, line := range strings.Split(strings.TrimSuffix(file, "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d bytes: %q", len(line), line)
		}
		if strings.HasPrefix(line, "ATTACH") || strings.HasPrefix(line, "X:") {
			t.Errorf("a text has added the line %q", line)
		}
	}
	for _, want := range []string{"DTSTART:20270301T170000Z\r\n", "DTEND:20270301T190000Z\r\n", `SUMMARY:Été\; lumière\, et plus\nEND:VEVENT\nATTACH:x` + "\r\n"} {
		if !strings.Contains(file, want) {
			t.Errorf("the file lacks %q:\n%s", want, file)
		}
	}
	if strings.Count(file, "END:VEVENT\r\n") != 1 {
		t.Errorf("the event ends more than once:\n%s", file)
	}
}
