package ideas_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func options(names ...string) []control.Option {
	var all []control.Option
	for _, n := range names {
		all = append(all, control.Option{Name: n, Label: map[string]string{"en": n}})
	}
	return all
}

func TestCleanResponse(t *testing.T) {
	for name, tc := range map[string]struct {
		question control.Question
		typed    map[string][]string
		want     []string
		wrong    string
	}{
		"text":              {control.Question{Type: "text"}, map[string][]string{"q": {" a\r\nb "}}, []string{"a\nb"}, ""},
		"text too long":     {control.Question{Type: "text"}, map[string][]string{"q": {strings.Repeat("a", 2001)}}, nil, "form.q: too_long"},
		"text missing":      {control.Question{Type: "text", Required: true}, nil, nil, "form.q: required"},
		"single":            {control.Question{Type: "single", Options: options("a", "b")}, map[string][]string{"q": {"b"}}, []string{"b"}, ""},
		"single foreign":    {control.Question{Type: "single", Options: options("a", "b")}, map[string][]string{"q": {"c"}}, nil, "form.q: choice"},
		"multiple":          {control.Question{Type: "multiple", Options: options("a", "b", "c")}, map[string][]string{"q": {"c", "a"}}, []string{"a", "c"}, ""},
		"scale by default":  {control.Question{Type: "scale"}, map[string][]string{"q": {"5"}}, []string{"5"}, ""},
		"scale beyond":      {control.Question{Type: "scale"}, map[string][]string{"q": {"6"}}, nil, "form.q: too_large"},
		"scale below zero":  {control.Question{Type: "scale", Minimum: -2, Maximum: 2}, map[string][]string{"q": {"-2"}}, []string{"-2"}, ""},
		"rating":            {control.Question{Type: "rating", Maximum: 10}, map[string][]string{"q": {"10"}}, []string{"10"}, ""},
		"rating of nothing": {control.Question{Type: "rating"}, map[string][]string{"q": {"0"}}, nil, "form.q: too_small"},
		"recommendation":    {control.Question{Type: "nps"}, map[string][]string{"q": {"0"}}, []string{"0"}, ""},
		"recommended 11":    {control.Question{Type: "nps"}, map[string][]string{"q": {"11"}}, nil, "form.q: too_large"},
		"number unbounded":  {control.Question{Type: "number"}, map[string][]string{"q": {"123456"}}, []string{"123456"}, ""},
		"number bounded":    {control.Question{Type: "number", Minimum: 1, Maximum: 9}, map[string][]string{"q": {"10"}}, nil, "form.q: too_large"},
		"ranking": {
			control.Question{Type: "ranking", Options: options("a", "b", "c")},
			map[string][]string{"q.a": {"3"}, "q.b": {"1"}, "q.c": {"2"}}, []string{"b", "c", "a"}, "",
		},
		"ranking with a tie": {
			control.Question{Type: "ranking", Options: options("a", "b")},
			map[string][]string{"q.a": {"1"}, "q.b": {"1"}}, nil, "form.q: every_rank",
		},
		"ranking with a gap": {
			control.Question{Type: "ranking", Options: options("a", "b")}, map[string][]string{"q.a": {"1"}}, nil, "form.q: every_rank",
		},
		"no ranking": {control.Question{Type: "ranking", Options: options("a", "b")}, nil, nil, ""},
		"matrix": {
			control.Question{Type: "matrix", Options: options("good", "bad"), Rows: options("seat", "food")},
			map[string][]string{"q.seat": {"good"}, "q.food": {"bad"}}, []string{"seat=good", "food=bad"}, "",
		},
		"matrix with a gap": {
			control.Question{Type: "matrix", Options: options("good", "bad"), Rows: options("seat", "food")},
			map[string][]string{"q.seat": {"good"}}, nil, "form.q: every_row",
		},
		"matrix foreign": {
			control.Question{Type: "matrix", Options: options("good"), Rows: options("seat")},
			map[string][]string{"q.seat": {"=x"}}, nil, "form.q: choice",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.question.Name = "q"
			got, err := ideas.CleanResponse([]control.Question{tc.question}, tc.typed)
			want := ideas.Answers{}
			if tc.want != nil {
				want["q"] = tc.want
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			if wrong := strings.Join(wrongFields(err), ", "); wrong != tc.wrong {
				t.Errorf("wrong is %q, want %q", wrong, tc.wrong)
			}
		})
	}
}

// A question that is not asked is neither required nor kept, nor what depends on it in turn.
func TestShowIf(t *testing.T) {
	questions := []control.Question{
		{Name: "flew", Type: "single", Options: options("yes", "no")},
		{Name: "class", Type: "single", Options: options("first", "other"), ShowIf: "flew=yes", Required: true},
		{Name: "why", Type: "text", ShowIf: "class=first", Required: true},
	}
	for name, tc := range map[string]struct {
		typed map[string][]string
		want  ideas.Answers
		wrong string
	}{
		"asked":     {map[string][]string{"flew": {"yes"}, "class": {"first"}, "why": {"room"}}, ideas.Answers{"flew": {"yes"}, "class": {"first"}, "why": {"room"}}, ""},
		"required":  {map[string][]string{"flew": {"yes"}}, ideas.Answers{"flew": {"yes"}}, "form.class: required"},
		"not asked": {map[string][]string{"flew": {"no"}, "class": {"first"}, "why": {"room"}}, ideas.Answers{"flew": {"no"}}, ""},
	} {
		got, err := ideas.CleanResponse(questions, tc.typed)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if wrong := strings.Join(wrongFields(err), ", "); wrong != tc.wrong {
			t.Errorf("%s: wrong is %q, want %q", name, wrong, tc.wrong)
		}
	}
}

func TestTally(t *testing.T) {
	questions := []control.Question{
		{Name: "nps", Type: "nps"}, {Name: "rank", Type: "ranking", Options: options("a", "b")}, {Name: "score", Type: "rating"},
		{Name: "grid", Type: "matrix", Options: options("good", "bad"), Rows: options("seat")}, {Name: "many", Type: "multiple", Options: options("x", "y")},
		{Name: "words", Type: "text"},
	}
	tally := ideas.NewTally(questions)
	for _, a := range []ideas.Answers{
		{"nps": {"10"}, "rank": {"a", "b"}, "score": {"5"}, "grid": {"seat=good"}, "many": {"x", "y"}, "words": {"one"}},
		{"nps": {"9"}, "rank": {"b", "a"}, "score": {"4"}, "grid": {"seat=bad"}, "many": {"x"}},
		{"nps": {"6"}, "rank": {"a", "b"}, "score": {"3"}, "grid": {"seat=good"}},
		{"nps": {"7"}},
	} {
		tally.Add(a)
	}
	r := tally.Results
	if tally.N != 4 || r[0].NPS != 25 || r[0].Promoters != 2 || r[0].Detractors != 1 || r[0].Passives != 1 {
		t.Errorf("recommendation: %d responses, %+v", tally.N, r[0])
	}
	if diff := cmp.Diff([]ideas.Count{{Name: "a", N: 2}, {Name: "b", N: 1}}, r[1].Counts); diff != "" || r[1].Places[0] < 1.33 || r[1].Places[0] > 1.34 {
		t.Errorf("ranking: places %v (-want +got):\n%s", r[1].Places, diff)
	}
	if r[2].Mean != 4 || r[2].N != 3 || r[2].Counts[4].N != 1 {
		t.Errorf("rating: %+v", r[2])
	}
	if diff := cmp.Diff([]ideas.Count{{Name: "good", N: 2}, {Name: "bad", N: 1}}, r[3].Rows[0].Counts); diff != "" {
		t.Errorf("matrix (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]ideas.Count{{Name: "x", N: 2}, {Name: "y", N: 1}}, r[4].Counts); diff != "" {
		t.Errorf("multiple (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"one"}, r[5].Texts); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}

// What a spreadsheet would compute is quoted; numbers stay numbers.
func TestSafeCell(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+33 1": "'+33 1", "-2": "-2", "-x": "'-x", "@sum": "'@sum", "\tx": "'\tx", "a=b": "a=b", "": "", "+5": "+5",
		"=HYPERLINK(\"x\")": "'=HYPERLINK(\"x\")", "-1+cmd|' /C calc'!A0": "'-1+cmd|' /C calc'!A0", "\r=1": "'\r=1", "-0x1p-2": "'-0x1p-2",
	} {
		if got := ideas.SafeCell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	questions := []control.Question{
		{Name: "words", Type: "text"}, {Name: "grid", Type: "matrix", Options: options("good"), Rows: options("seat", "food")},
	}
	got := ideas.Table(questions, []string{"region"}, []ideas.Response{
		{Answers: ideas.Answers{"words": {"=1"}, "grid": {"food=good"}}, Segments: ideas.Segments{"region": {"north"}}},
	})
	want := [][]string{{"words", "grid.seat", "grid.food", "region"}, {"'=1", "", "good", "north"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
