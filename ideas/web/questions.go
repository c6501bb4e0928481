package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// questionView is one question as the template "questions" shows it.
type questionView struct {
	// Name of the input, which is its id too.
	Name, Label, Type string
	Required, Focus   bool
	Value, Error      string
	// Condition says, where the question depends on an answer, on which; ShowIf is the input and the value.
	Condition, ShowIf string
	// Options of a choice, or the points of a scale, whose ends are called Low and High.
	Options   []formOption
	Low, High string
	// Rows of a matrix.
	Rows []questionView
	// Ranks of a ranking: an option and its place, with the places to choose from.
	Ranks  []questionView
	Places []string
}

// questions are declared questions with what was typed and what is wrong with it.
func (v *visit) questions(questions []control.Question, typed map[string][]string, wrong map[string]*ideas.FieldError) []questionView {
	shown := make([]questionView, len(questions))
	focus := true
	for i, q := range questions {
		one := questionView{
			Name: ideas.InputName(q.Name), Label: v.local(q.Label), Type: q.Type, Required: q.Required,
			Value: ideas.Answers(typed).One(q.Name), Error: v.fieldText(wrong[ideas.InputName(q.Name)]),
			Low: v.local(q.LowLabel), High: v.local(q.HighLabel), Options: v.formOptions(q.Options, typed[q.Name]),
		}
		one.Focus = focus && one.Error != ""
		focus = focus && one.Error == ""
		if low, high, ok := ideas.Bounds(q); ok {
			one.Options = nil
			for n := low; n <= high; n++ {
				text := strconv.Itoa(n)
				one.Options = append(one.Options, formOption{Name: text, Label: text, Chosen: one.Value == text})
			}
			if q.Type == ideas.QuestionNPS && one.Low == "" {
				one.Low, one.High = v.t("survey.nps.low"), v.t("survey.nps.high")
			}
			one.Type = "scale"
		}
		v.addRows(&one, q, typed)
		v.addCondition(&one, q, questions[:i])
		shown[i] = one
	}
	return shown
}

func (v *visit) addRows(one *questionView, q control.Question, typed map[string][]string) {
	switch q.Type {
	case ideas.QuestionMatrix:
		for _, row := range q.Rows {
			one.Rows = append(one.Rows, questionView{
				Name: one.Name + "." + row.Name, Label: v.local(row.Label), Options: v.formOptions(q.Options, typed[q.Name+"."+row.Name]),
			})
		}
	case ideas.QuestionRanking:
		for i, o := range q.Options {
			one.Places = append(one.Places, strconv.Itoa(i+1))
			one.Ranks = append(one.Ranks, questionView{
				Name: one.Name + "." + o.Name, Label: v.local(o.Label), Value: ideas.Answers(typed).One(q.Name + "." + o.Name),
			})
		}
	}
}

func (v *visit) addCondition(one *questionView, q control.Question, earlier []control.Question) {
	name, value, ok := strings.Cut(q.ShowIf, "=")
	if !ok {
		return
	}
	i := slices.IndexFunc(earlier, func(e control.Question) bool { return e.Name == name })
	if i < 0 {
		return
	}
	one.ShowIf = ideas.InputName(name) + "=" + value
	one.Condition = v.t("survey.only_if", "Question", v.local(earlier[i].Label), "Answer", v.optionText(earlier[i].Options, value))
}

// typedAnswers are the values of a form's questions: by question, and by "question.row" for rows and ranks.
func typedAnswers(questions []control.Question, form url.Values) map[string][]string {
	typed := map[string][]string{}
	take := func(name string) {
		for _, value := range form[ideas.InputName(name)] {
			typed[name] = append(typed[name], cleanText(value))
		}
	}
	for _, q := range questions {
		take(q.Name)
		for _, list := range [][]control.Option{q.Rows, q.Options} {
			for _, o := range list {
				take(q.Name + "." + o.Name)
			}
		}
	}
	return typed
}

// questionResult is what came of one question.
type questionResult struct {
	Label, Type string
	N           int
	Bars        []barView
	// Score is the mean or the NPS, as people read it; empty where there is none.
	Score, ScoreName string
	Rows             []questionResult
	Texts            []string
}

// barView is one bar of a chart, made of the share that an answer has.
type barView struct {
	Label   string
	N       int
	Percent int
	// Note stands beside the bar, such as a mean place.
	Note string
}

func (v *visit) results(t *ideas.Tally) []questionResult {
	views := make([]questionResult, len(t.Results))
	for i := range t.Results {
		views[i] = v.result(&t.Results[i])
	}
	return views
}

func (v *visit) result(r *ideas.Result) questionResult {
	one := questionResult{Label: v.local(r.Question.Label), Type: r.Question.Type, N: r.N, Texts: r.Texts}
	one.Bars = v.bars(r.Question.Options, r.Counts, r.N)
	for i := range r.Places {
		if r.N > 0 {
			one.Bars[i].Note = v.t("survey.mean_place", "Place", v.decimal(r.Places[i]))
		}
	}
	for i, row := range r.Rows {
		one.Rows = append(one.Rows, questionResult{Label: v.local(r.Question.Rows[i].Label), Bars: v.bars(r.Question.Options, row.Counts, r.N)})
	}
	one.Score, one.ScoreName = v.score(r)
	return one
}

// score as people read it.
func (v *visit) score(r *ideas.Result) (text, name string) {
	score, ok := r.Score()
	switch {
	case !ok:
		return "", ""
	case r.Question.Type == ideas.QuestionNPS:
		return strconv.Itoa(int(score)), "NPS"
	}
	return v.decimal(score), v.t("survey.mean")
}

func (v *visit) bars(options []control.Option, counts []ideas.Count, n int) []barView {
	views := make([]barView, len(counts))
	for i, c := range counts {
		views[i] = barView{Label: v.optionText(options, c.Name), N: c.N}
		if n > 0 {
			views[i].Percent = (200*c.N + n) / (2 * n)
		}
	}
	return views
}

// decimal writes a number with one place, the way the language does.
func (v *visit) decimal(x float64) string {
	text := strconv.FormatFloat(x, 'f', 1, 64)
	if v.lang.catalog.Tag == "fr" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}
