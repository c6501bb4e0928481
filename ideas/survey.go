package ideas

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/quaeso/community-operator/internal/control"
)

// Types of questions.
const (
	QuestionText     = "text"
	QuestionSingle   = "single"
	QuestionMultiple = "multiple"
	QuestionScale    = "scale"
	QuestionRating   = "rating"
	QuestionRanking  = "ranking"
	QuestionNumber   = "number"
	QuestionMatrix   = "matrix"
	QuestionNPS      = "nps"
)

// MaxAnswer bounds an answer in words, in characters.
const MaxAnswer = 2_000

// Parts of a challenge that take responses.
const (
	PartSurvey = "survey"
	PartFinal  = "final"
	// partStimulus begins the part of a stimulus.
	partStimulus = "stimulus:"
)

// PartOfStimulus is where responses to a stimulus are kept.
func PartOfStimulus(name string) string { return partStimulus + name }

// Bounds of a question that is answered with a number on a scale; ok is false for other questions.
func Bounds(q control.Question) (low, high int, ok bool) {
	switch q.Type {
	case QuestionNPS:
		return 0, 10, true
	case QuestionRating:
		return 1, orDefault(q.Maximum, 5), true
	case QuestionScale:
		if q.Minimum == 0 && q.Maximum == 0 {
			return 1, 5, true
		}
		return q.Minimum, q.Maximum, true
	}
	return 0, 0, false
}

// Shown tells whether a question is asked, given the answers to earlier ones.
func Shown(q control.Question, answers Answers) bool {
	name, value, conditional := strings.Cut(q.ShowIf, "=")
	return !conditional || slices.Contains(answers[name], value)
}

// CleanResponse returns answers to a survey as they are stored, or the *FieldErrors of all questions at fault, joined.
// It takes what was typed by question; the rows of a matrix and the options of a ranking by "question.row".
func CleanResponse(questions []control.Question, typed map[string][]string) (Answers, error) {
	answers := Answers{}
	var wrong []error
	for _, q := range questions {
		if !Shown(q, answers) {
			continue
		}
		values, err := cleanAnswer(q, typed)
		if err == nil && q.Required && len(values) == 0 {
			err = &FieldError{Field: InputName(q.Name), Code: "required"}
		}
		if err != nil {
			wrong = append(wrong, err)
		} else if len(values) > 0 {
			answers[q.Name] = values
		}
	}
	return answers, errors.Join(wrong...)
}

func cleanAnswer(q control.Question, typed map[string][]string) ([]string, error) {
	input := InputName(q.Name)
	switch q.Type {
	case QuestionMultiple:
		return cleanChoices(input, false, q.Options, typed[q.Name])
	case QuestionMatrix:
		return cleanMatrix(q, typed)
	case QuestionRanking:
		return cleanRanking(q, typed)
	}
	raw := Answers(typed).One(q.Name)
	if strings.TrimSpace(raw) == "" {
		return nil, nil
	}
	value, err := "", error(nil)
	low, high, scale := Bounds(q)
	switch {
	case q.Type == QuestionSingle:
		value, err = cleanChoice(input, q.Options, cleanLine(raw))
	case scale:
		least, most := int64(low), int64(high)
		value, err = cleanNumber(input, cleanLine(raw), &least, &most)
	case q.Type == QuestionNumber:
		var least, most *int64
		if q.Minimum != 0 || q.Maximum != 0 {
			from, to := int64(q.Minimum), int64(q.Maximum)
			least, most = &from, &to
		}
		value, err = cleanNumber(input, cleanLine(raw), least, most)
	default:
		value, err = bounded(input, cleanText(raw), MaxAnswer)
	}
	if err != nil {
		return nil, err
	}
	return []string{value}, nil
}

// cleanMatrix wants an answer in every row, or in none.
func cleanMatrix(q control.Question, typed map[string][]string) ([]string, error) {
	var values []string
	for _, row := range q.Rows {
		option := Answers(typed).One(q.Name + "." + row.Name)
		if option == "" {
			continue
		}
		if _, err := cleanChoice(InputName(q.Name), q.Options, option); err != nil {
			return nil, err
		}
		values = append(values, row.Name+"="+option)
	}
	if len(values) > 0 && len(values) < len(q.Rows) {
		return nil, &FieldError{Field: InputName(q.Name), Code: "every_row"}
	}
	return values, nil
}

// cleanRanking wants a place for every option, each place once, or none at all. The answer is the options in order.
func cleanRanking(q control.Question, typed map[string][]string) ([]string, error) {
	ranked := make([]string, len(q.Options))
	given := 0
	for _, o := range q.Options {
		raw := Answers(typed).One(q.Name + "." + o.Name)
		if raw == "" {
			continue
		}
		given++
		if place, err := strconv.Atoi(raw); err == nil && place >= 1 && place <= len(ranked) && ranked[place-1] == "" {
			ranked[place-1] = o.Name
		}
	}
	if given == 0 {
		return nil, nil
	}
	if slices.Contains(ranked, "") {
		return nil, &FieldError{Field: InputName(q.Name), Code: "every_rank"}
	}
	return ranked, nil
}

// Count of one answer.
type Count struct {
	Name string
	N    int
}

// Result of one question.
type Result struct {
	Question control.Question
	// N is how many answered.
	N int
	// Counts by option, or by point of the scale.
	Counts []Count
	// Rows of a matrix with the counts of their options.
	Rows []RowResult
	// Mean of numbers; of a ranking, Places has the mean place of each option.
	Mean   float64
	Places []float64
	// Promoters, Passives and Detractors of a recommendation; NPS is from -100 to 100.
	Promoters, Passives, Detractors, NPS int
	// Texts are the last answers in words.
	Texts []string
}

// RowResult of a matrix.
type RowResult struct {
	Name   string
	Counts []Count
}

// maxTexts bounds the answers in words that a result shows; the export has all.
const maxTexts = 20

// Tally counts responses.
type Tally struct {
	// N is the number of responses.
	N       int
	Results []Result
	sums    []float64
}

// NewTally of no responses.
func NewTally(questions []control.Question) *Tally {
	t := &Tally{sums: make([]float64, len(questions))}
	for _, q := range questions {
		r := Result{Question: q}
		if low, high, ok := Bounds(q); ok {
			for n := low; n <= high; n++ {
				r.Counts = append(r.Counts, Count{Name: strconv.Itoa(n)})
			}
		} else if q.Type == QuestionMatrix {
			for _, row := range q.Rows {
				r.Rows = append(r.Rows, RowResult{Name: row.Name, Counts: countsOf(q.Options)})
			}
		} else {
			r.Counts = countsOf(q.Options)
		}
		if q.Type == QuestionRanking {
			r.Places = make([]float64, len(q.Options))
		}
		t.Results = append(t.Results, r)
	}
	return t
}

func countsOf(options []control.Option) []Count {
	counts := make([]Count, len(options))
	for i, o := range options {
		counts[i].Name = o.Name
	}
	return counts
}

// Add a response.
func (t *Tally) Add(answers Answers) {
	t.N++
	for i := range t.Results {
		r := &t.Results[i]
		values := answers[r.Question.Name]
		if len(values) == 0 {
			continue
		}
		r.N++
		switch r.Question.Type {
		case QuestionText:
			if r.Texts = append(r.Texts, values[0]); len(r.Texts) > maxTexts {
				r.Texts = r.Texts[1:]
			}
		case QuestionMatrix:
			r.addRows(values)
		case QuestionRanking:
			r.addRanking(values)
		default:
			t.sums[i] += r.addValues(values)
			r.Mean = t.sums[i] / float64(r.N)
		}
	}
}

// addValues counts chosen options and points of a scale, and returns the number that the answer is.
func (r *Result) addValues(values []string) float64 {
	for _, value := range values {
		if i := slices.IndexFunc(r.Counts, func(c Count) bool { return c.Name == value }); i >= 0 {
			r.Counts[i].N++
		}
	}
	n, err := strconv.ParseFloat(values[0], 64)
	if err != nil {
		return 0
	}
	if r.Question.Type == QuestionNPS {
		switch {
		case n >= 9:
			r.Promoters++
		case n >= 7:
			r.Passives++
		default:
			r.Detractors++
		}
		r.NPS = int(math.Round(100 * float64(r.Promoters-r.Detractors) / float64(r.N)))
	}
	return n
}

func (r *Result) addRows(values []string) {
	for _, value := range values {
		name, option, _ := strings.Cut(value, "=")
		for i := range r.Rows {
			if r.Rows[i].Name != name {
				continue
			}
			if j := slices.IndexFunc(r.Rows[i].Counts, func(c Count) bool { return c.Name == option }); j >= 0 {
				r.Rows[i].Counts[j].N++
			}
		}
	}
}

// addRanking counts who was put first, and the mean place.
func (r *Result) addRanking(values []string) {
	for i := range r.Counts {
		place := slices.Index(values, r.Counts[i].Name) + 1
		if place == 1 {
			r.Counts[i].N++
		}
		r.Places[i] += (float64(place) - r.Places[i]) / float64(r.N)
	}
}

// Score of a result that has one: the mean of numbers, the NPS of a recommendation.
func (r *Result) Score() (score float64, ok bool) {
	switch r.Question.Type {
	case QuestionNPS:
		return float64(r.NPS), r.N > 0
	case QuestionScale, QuestionRating, QuestionNumber:
		return r.Mean, r.N > 0
	}
	return 0, false
}

// SmallSample is the number of responses below which a result says that it is little to go by.
const SmallSample = 30

// Response to a survey, as results and exports read it. Member is nil in an anonymous survey and after erasure.
type Response struct {
	Member   *Author
	Answers  Answers
	Segments Segments
}

// SafeCell is a text as a spreadsheet shows it and does not compute it: what would begin a formula is quoted.
func SafeCell(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil && !strings.ContainsAny(text, "xX_") {
		return text
	}
	return "'" + text
}

// Table is a survey's responses as rows of cells, with a first row of headings; one column for each question, row of a
// matrix and segment.
func Table(questions []control.Question, attributes []string, responses []Response) [][]string {
	var head []string
	for _, q := range questions {
		if q.Type != QuestionMatrix {
			head = append(head, SafeCell(q.Name))
			continue
		}
		for _, row := range q.Rows {
			head = append(head, SafeCell(q.Name+"."+row.Name))
		}
	}
	for _, a := range attributes {
		head = append(head, SafeCell(a))
	}
	rows := [][]string{head}
	for _, r := range responses {
		row := make([]string, 0, len(head))
		for _, q := range questions {
			if q.Type != QuestionMatrix {
				row = append(row, SafeCell(strings.Join(r.Answers[q.Name], " | ")))
				continue
			}
			for _, line := range q.Rows {
				row = append(row, SafeCell(matrixCell(r.Answers[q.Name], line.Name)))
			}
		}
		for _, a := range attributes {
			row = append(row, SafeCell(strings.Join(r.Segments[a], " | ")))
		}
		rows = append(rows, row)
	}
	return rows
}

func matrixCell(values []string, row string) string {
	for _, value := range values {
		if name, option, _ := strings.Cut(value, "="); name == row {
			return option
		}
	}
	return ""
}
