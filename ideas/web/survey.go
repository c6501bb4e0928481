package web

import (
	"encoding/csv"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func (a *app) surveyRoutes() map[string]handle {
	return map[string]handle{
		"POST /challenges/{name}/survey":              a.method(hasSurvey, true, a.respond),
		"GET /challenges/{name}/concepts":             a.method(hasConceptTest, true, a.showConcept),
		"POST /challenges/{name}/concepts/{stimulus}": a.method(hasConceptTest, true, a.respondToConcept),
	}
}

// questionsForm is a form of questions.
type questionsForm struct {
	Action    string
	Wrong     int
	Questions []questionView
	Button    string
}

// surveyBody is a survey inside its challenge's page.
type surveyBody struct {
	// Open tells that it takes responses; Responded that this member has given one; Full that no more are taken.
	Open, Responded, Full, Anonymous bool
	// Closed says why nothing can be answered.
	Responses, Limit int
	Recruit          *recruitPanel
	SignIn           string
	Form             questionsForm
}

func (a *app) surveyBody(v *visit, c *ideas.Challenge, typed map[string][]string, wrong map[string]*ideas.FieldError) (template.HTML, error) {
	standing, err := a.cfg.Store.SurveyStanding(v.r.Context(), c, ideas.PartSurvey, v.viewer())
	if err != nil {
		return "", fmt.Errorf("read survey: %w", err)
	}
	survey := c.Spec.Survey
	b := surveyBody{
		Open: v.allows(c, ideas.ActionRespond), Responded: standing.Responded, Full: standing.Full, Anonymous: survey.Anonymous,
		Responses: standing.Responses, Limit: survey.Limit,
		Form: questionsForm{Action: challengePath(c) + "/survey", Wrong: len(wrong), Questions: v.questions(survey.Questions, typed, wrong), Button: v.t("survey.send")},
	}
	if b.Recruit, err = v.recruitPanel(c); err != nil {
		return "", err
	}
	if v.member == nil {
		b.SignIn = v.signInPath(challengePath(c))
	}
	return v.part("survey-body", b)
}

func (a *app) respond(v *visit, c *ideas.Challenge) error {
	typed := typedAnswers(c.Spec.Survey.Questions, v.r.PostForm)
	err := a.cfg.Store.Respond(v.r.Context(), c, ideas.PartSurvey, v.member.ID, typed)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		body, err := a.surveyBody(v, c, typed, wrong)
		if err != nil {
			return err
		}
		return a.renderChallenge(v, http.StatusUnprocessableEntity, c, body)
	}
	return v.done(err, "flash.responded", challengePath(c), "respond")
}

// conceptBody leads to the concepts.
type conceptBody struct {
	Open    bool
	Recruit *recruitPanel
	Number  int
	URL     string
}

func (a *app) conceptBody(v *visit, c *ideas.Challenge) (template.HTML, error) {
	b := conceptBody{Open: v.allows(c, ideas.ActionRespond), Number: len(c.Spec.ConceptTest.Stimuli), URL: challengePath(c) + "/concepts"}
	if n := c.Spec.ConceptTest.PerMember; n > 0 {
		b.Number = n
	}
	var err error
	if b.Recruit, err = v.recruitPanel(c); err != nil {
		return "", err
	}
	return v.part("concept-body", b)
}

// conceptPage shows one concept with its questions, or thanks for all.
type conceptPage struct {
	methodPage
	Number, Total int
	Stimulus      *stimulusView
	Form          questionsForm
}

type stimulusView struct {
	Title              string
	Text               template.HTML
	Image, ImageAlt    string
	Video, Link        string
	VideoHost, Website string
}

func (v *visit) stimulus(s control.Stimulus) *stimulusView {
	return &stimulusView{
		Title: v.local(s.Title), Text: v.app.markdown.html(v.local(s.Text), ideaHeading), Image: s.Image, ImageAlt: v.local(s.ImageAlt),
		Video: s.Video, VideoHost: hostOf(s.Video), Link: s.Link, Website: hostOf(s.Link),
	}
}

// hostOf an address, which people see before they follow it.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (a *app) showConcept(v *visit, c *ideas.Challenge) error {
	return a.renderConcept(v, http.StatusOK, c, nil, nil)
}

// renderConcept shows the first concept that the member has not answered.
func (a *app) renderConcept(v *visit, status int, c *ideas.Challenge, typed map[string][]string, wrong map[string]*ideas.FieldError) error {
	exposures, err := a.cfg.Store.Exposures(v.r.Context(), c, v.member.ID)
	if handled, answer := v.turnedAway(err, challengePath(c)); handled {
		return answer
	}
	if err != nil {
		return fmt.Errorf("read exposures: %w", err)
	}
	p := conceptPage{methodPage: v.methodPage(c, challengePath(c)+"/concepts", v.local(c.Spec.Title)), Total: len(exposures)}
	for i, e := range exposures {
		stimulus, ok := ideas.Stimulus(c.Spec.ConceptTest, e.Stimulus)
		if e.Answered || !ok {
			continue
		}
		p.Number, p.Stimulus, p.Wrong = i+1, v.stimulus(stimulus), len(wrong)
		p.Form = questionsForm{
			Action: challengePath(c) + "/concepts/" + url.PathEscape(e.Stimulus), Wrong: len(wrong),
			Questions: v.questions(c.Spec.ConceptTest.Questions, typed, wrong), Button: v.t("survey.next"),
		}
		if i == len(exposures)-1 {
			p.Form.Button = v.t("survey.send")
		}
		break
	}
	return v.renderPrivate(status, "concept", p)
}

func (a *app) respondToConcept(v *visit, c *ideas.Challenge) error {
	typed := typedAnswers(c.Spec.ConceptTest.Questions, v.r.PostForm)
	err := a.cfg.Store.Respond(v.r.Context(), c, ideas.PartOfStimulus(v.r.PathValue("stimulus")), v.member.ID, typed)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderConcept(v, http.StatusUnprocessableEntity, c, typed, wrong)
	}
	if handled, answer := v.turnedAway(err, challengePath(c)+"/concepts"); handled {
		return answer
	}
	if err != nil {
		return fmt.Errorf("respond to concept: %w", err)
	}
	return v.redirect(challengePath(c) + "/concepts")
}

// part of a challenge whose responses the team reads.
type surveyPart struct {
	part, title string
	questions   []control.Question
}

func (v *visit) surveyParts(c *ideas.Challenge) []surveyPart {
	var parts []surveyPart
	if s := c.Spec.Survey; s != nil {
		parts = append(parts, surveyPart{ideas.PartSurvey, v.local(c.Spec.Title), s.Questions})
	}
	if t := c.Spec.BetaTest; t != nil && t.FinalSurvey != nil {
		parts = append(parts, surveyPart{ideas.PartFinal, v.t("test.final"), t.FinalSurvey.Questions})
	}
	if t := c.Spec.ConceptTest; t != nil {
		for _, s := range t.Stimuli {
			parts = append(parts, surveyPart{ideas.PartOfStimulus(s.Name), v.local(s.Title), t.Questions})
		}
	}
	return parts
}

// resultsPage is what came of a challenge's surveys.
type resultsPage struct {
	teamPage
	Challenge, Back string
	Parts           []partResults
	// Comparison of concepts: a column for each question with a score.
	Columns    []string
	Comparison []comparedStimulus
	Small      int
	// Export is where responses are taken out; empty for who may not.
	Export string
}

type partResults struct {
	Title    string
	N        int
	Small    bool
	Part     string
	Results  []questionResult
	Segments []segmentScores
	Columns  []string
}

// segmentScores are the scores of one segment beside those of all.
type segmentScores struct {
	Name   string
	N      int
	Small  bool
	Scores []string
}

type comparedStimulus struct {
	Title    string
	Shown, N int
	Scores   []string
}

func (a *app) showResults(v *visit, c *ideas.Challenge) error {
	path := teamChallengePath(c) + "/results"
	v.here = path
	p := resultsPage{
		teamPage: v.teamPage("methods", v.t("results.title")), Challenge: v.local(c.Spec.Title), Back: challengePath(c), Small: ideas.SmallSample,
	}
	if v.roles.May(ideas.MayExport) {
		p.Export = path + ".csv"
	}
	shown, err := a.cfg.Store.StimuliShown(v.r.Context(), c.ID)
	if err != nil {
		return fmt.Errorf("read what was shown: %w", err)
	}
	var attributes []control.Attribute
	if v.site.House != nil {
		attributes = v.site.House.Attributes
	}
	for i, part := range v.surveyParts(c) {
		responses, err := a.cfg.Store.Responses(v.r.Context(), c, part.part)
		if err != nil {
			return fmt.Errorf("read responses: %w", err)
		}
		total, segments := ideas.TallySegments(part.questions, attributes, responses)
		one := partResults{
			Title: part.title, N: total.N, Small: total.N < ideas.SmallSample, Results: v.results(total),
			Part: part.part,
		}
		one.Columns, one.Segments = v.segmentScores(total, segments)
		p.Parts = append(p.Parts, one)
		if c.Spec.ConceptTest != nil && len(one.Segments) > 0 {
			p.Columns = one.Columns
			p.Comparison = append(p.Comparison, comparedStimulus{
				Title: part.title, Shown: shown[c.Spec.ConceptTest.Stimuli[i].Name], N: total.N, Scores: one.Segments[0].Scores,
			})
		}
	}
	return v.renderPrivate(http.StatusOK, "results", p)
}

// segmentScores are the scores of all in the first row, then those of each segment that anybody is in.
func (v *visit) segmentScores(total *ideas.Tally, segments []ideas.SegmentTally) (columns []string, rows []segmentScores) {
	row := func(name string, t *ideas.Tally) segmentScores {
		one := segmentScores{Name: name, N: t.N, Small: t.N < ideas.SmallSample}
		for i := range t.Results {
			switch t.Results[i].Question.Type {
			case ideas.QuestionNPS, ideas.QuestionScale, ideas.QuestionRating, ideas.QuestionNumber:
				text, _ := v.score(&t.Results[i])
				if text == "" {
					text = "–"
				}
				one.Scores = append(one.Scores, text)
			}
		}
		return one
	}
	for i := range total.Results {
		switch q := total.Results[i].Question; q.Type {
		case ideas.QuestionNPS, ideas.QuestionScale, ideas.QuestionRating, ideas.QuestionNumber:
			columns = append(columns, v.local(q.Label))
		}
	}
	if len(columns) == 0 {
		return nil, nil
	}
	rows = append(rows, row(v.t("results.all"), total))
	for _, s := range segments {
		if s.N > 0 {
			rows = append(rows, row(v.segmentText(s.Attribute, s.Value), s.Tally))
		}
	}
	return columns, rows
}

// exportResults writes a survey's responses as CSV. Without names: what was said is kept apart from who said it.
func (a *app) exportResults(v *visit, c *ideas.Challenge) error {
	for _, part := range v.surveyParts(c) {
		if part.part != v.r.PostForm.Get("part") {
			continue
		}
		responses, err := a.cfg.Store.ExportResponses(v.r.Context(), v.member.ID, c, part.part)
		if err != nil {
			return fmt.Errorf("export responses: %w", err)
		}
		var attributes []string
		if v.site.House != nil {
			for _, attribute := range v.site.House.Attributes {
				attributes = append(attributes, attribute.Name)
			}
		}
		h := v.w.Header()
		h.Set("Content-Type", "text/csv; charset=utf-8")
		h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.csv"`, c.Name))
		h.Set("Cache-Control", "no-store")
		// The mark makes spreadsheets read UTF-8. A reader who has gone is no error of ours.
		_, _ = v.w.Write([]byte("\ufeff"))
		_ = csv.NewWriter(v.w).WriteAll(ideas.Table(part.questions, attributes, responses))
		return nil
	}
	return refuse(http.StatusNotFound, "find part of challenge "+c.Name, nil)
}
