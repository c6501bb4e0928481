package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

func (a *app) recruitingRoutes() map[string]handle {
	return map[string]handle{
		"GET /challenges/{name}/apply":                    a.method(hasRecruiting, true, a.showApply),
		"POST /challenges/{name}/apply":                   a.method(hasRecruiting, true, a.apply),
		"POST /challenges/{name}/apply/withdraw":          a.method(hasRecruiting, true, a.withdrawApplication),
		"GET /challenges/{name}/applications":             a.method(hasRecruiting, false, a.listCandidates),
		"POST /challenges/{name}/applications/{id}/vote":  a.method(hasRecruiting, true, a.voteApplication),
		"POST /challenges/{name}/applications/{id}/score": a.method(hasRecruiting, true, a.scoreApplication),
		"GET /challenges/{name}/draw.json":                a.unprotected(hasRecruiting, false, a.showDraw),
	}
}

// recruitPanel invites to apply, and tells applicants where they stand.
type recruitPanel struct {
	// Open tells that applications are taken; Selected that the visitor takes part.
	Open, Selected bool
	Places         int
	// How the selection is made, in words.
	How string
	// State of the visitor's application, empty for none; Reason is what they were told.
	State, StateName, Reason  string
	Apply, Withdraw           string
	Candidates, Draw, Promise string
}

// applicationTexts are the message keys of what an applicant is told.
var applicationTexts = map[ideas.ApplicationState]string{
	ideas.ApplicationSubmitted: "apply.state.submitted", ideas.ApplicationSelected: "apply.state.selected", ideas.ApplicationWaiting: "apply.state.waiting",
	ideas.ApplicationRefused: "apply.state.refused", ideas.ApplicationDropped: "apply.state.dropped_out", ideas.ApplicationWithdrawn: "apply.state.withdrawn",
}

// selectionTexts are the message keys of how a selection is made.
var selectionTexts = map[string]string{
	"": "apply.how.team", ideas.SelectionTeam: "apply.how.team", ideas.SelectionVote: "apply.how.vote", ideas.SelectionDraw: "apply.how.draw",
}

// recruitPanel is nil where a challenge selects nobody.
func (v *visit) recruitPanel(c *ideas.Challenge) (*recruitPanel, error) {
	call := c.Spec.Recruiting
	if call == nil {
		return nil, nil // no call, no panel
	}
	path := challengePath(c)
	p := &recruitPanel{
		Open: v.allows(c, ideas.ActionApply), Places: call.Places, How: v.t(selectionTexts[call.Selection]),
		Apply: path + "/apply", Withdraw: path + "/apply/withdraw",
	}
	switch call.Selection {
	case ideas.SelectionVote:
		p.Candidates = path + "/applications"
	case ideas.SelectionDraw:
		p.Draw = path + "/draw.json"
		draw, err := v.app.cfg.Store.PublishedDraw(v.r.Context(), c)
		if err == nil {
			p.Promise = draw.Commitment
		} else if !errors.Is(err, ideas.ErrNotFound) {
			return nil, fmt.Errorf("read draw: %w", err)
		}
	}
	if v.member == nil {
		return p, nil
	}
	mine, err := v.app.cfg.Store.MyApplication(v.r.Context(), c, v.member.ID)
	if errors.Is(err, ideas.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read application: %w", err)
	}
	p.State, p.Reason, p.Selected = string(mine.State), mine.Reason, mine.State == ideas.ApplicationSelected
	p.StateName = v.t(applicationTexts[mine.State])
	return p, nil
}

type applyPage struct {
	methodPage
	Action  string
	Fields  []formField
	Changes bool
	How     string
}

func (a *app) showApply(v *visit, c *ideas.Challenge) error {
	mine, err := a.cfg.Store.MyApplication(v.r.Context(), c, v.member.ID)
	if err != nil && !errors.Is(err, ideas.ErrNotFound) {
		return fmt.Errorf("read application: %w", err)
	}
	if !v.allows(c, ideas.ActionApply) {
		v.setFlash("flash.closed")
		return v.redirect(challengePath(c))
	}
	return a.renderApply(v, http.StatusOK, c, mine.Answers, nil, err == nil && mine.State == ideas.ApplicationSubmitted)
}

func (a *app) renderApply(v *visit, status int, c *ideas.Challenge, typed map[string][]string, wrong map[string]*ideas.FieldError, changes bool) error {
	p := applyPage{
		methodPage: v.methodPage(c, challengePath(c)+"/apply", v.t("apply.title")), Action: challengePath(c) + "/apply",
		Fields: v.formFields(c.Spec.Recruiting.Questions, typed, wrong), Changes: changes, How: v.t(selectionTexts[c.Spec.Recruiting.Selection]),
	}
	p.Wrong = len(wrong)
	return v.renderPrivate(status, "apply", p)
}

func (a *app) apply(v *visit, c *ideas.Challenge) error {
	typed := typedFields(c.Spec.Recruiting.Questions, v.r.PostForm)
	_, err := a.cfg.Store.Apply(v.r.Context(), c, v.member.ID, typed)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderApply(v, http.StatusUnprocessableEntity, c, typed, wrong, false)
	}
	return v.done(err, "flash.applied", challengePath(c), "apply")
}

func (a *app) withdrawApplication(v *visit, c *ideas.Challenge) error {
	err := a.cfg.Store.WithdrawApplication(v.r.Context(), c, v.member.ID)
	return v.done(err, "flash.application_withdrawn", challengePath(c), "withdraw application")
}

// candidatesPage is where the community votes for who takes part, and the jury scores.
type candidatesPage struct {
	methodPage
	Candidates []candidateView
	Juror      bool
	Voting     bool
	More       string
}

type candidateView struct {
	ID       int64
	Person   memberView
	Answers  []givenAnswer
	Votes    int
	Voted    bool
	Mine     bool
	State    string
	Selected bool
	// Vote is empty for who cannot be voted for: oneself, and who was decided on.
	Vote     string
	Score    string
	Criteria []criterionView
}

type givenAnswer struct{ Label, Text string }

type criterionView struct {
	Name, ID, Label, Value, Error string
	Maximum                       int
}

func (a *app) listCandidates(v *visit, c *ideas.Challenge) error {
	return a.renderCandidates(v, http.StatusOK, c, 0, nil)
}

func (a *app) renderCandidates(v *visit, status int, c *ideas.Challenge, scored int64, wrong map[string]*ideas.FieldError) error {
	if c.Spec.Recruiting.Selection != ideas.SelectionVote {
		return refuse(http.StatusNotFound, "find candidates of challenge "+c.Name, nil)
	}
	offset, err := strconv.ParseInt(v.r.URL.Query().Get("after"), 10, 64)
	if err != nil || offset < 0 || offset > 100_000 {
		offset = 0
	}
	const length = 24
	list, err := a.cfg.Store.ListApplications(v.r.Context(), v.viewer(), ideas.ApplicationQuery{Challenge: c.ID, ByVotes: true, After: offset, Limit: length + 1})
	if err != nil {
		return fmt.Errorf("list applications: %w", err)
	}
	path := challengePath(c) + "/applications"
	p := candidatesPage{methodPage: v.methodPage(c, path, v.t("candidates.title")), Voting: v.allows(c, ideas.ActionVote)}
	p.Wrong = len(wrong)
	p.Juror = v.member != nil && c.IsJuror(v.member.Email)
	if len(list) > length {
		list = list[:length]
		p.More = fmt.Sprintf("%s?after=%d", path, offset+length)
	}
	for _, application := range list {
		p.Candidates = append(p.Candidates, v.candidate(c, application, p.Juror, scored, wrong))
	}
	return v.render(status, "candidates", p)
}

// candidate as everybody sees them: without what they said to the team only.
func (v *visit) candidate(c *ideas.Challenge, application ideas.Application, juror bool, scored int64, wrong map[string]*ideas.FieldError) candidateView {
	path := fmt.Sprintf("%s/applications/%d", challengePath(c), application.ID)
	one := candidateView{
		ID: application.ID, Person: v.person(application.Member.ID, application.Member.Name), Votes: application.Votes, Voted: application.Voted,
		Mine: application.Member.ID == v.viewer(), Selected: application.State == ideas.ApplicationSelected, Score: path + "/score",
	}
	if !one.Mine && application.State == ideas.ApplicationSubmitted {
		one.Vote = path + "/vote"
	}
	for _, f := range c.Spec.Recruiting.Questions {
		if text := v.answerText(f, application.Answers[f.Name]); text != "" && !f.Private {
			one.Answers = append(one.Answers, givenAnswer{v.local(f.Label), text})
		}
	}
	if !juror || one.Mine || application.State != ideas.ApplicationSubmitted {
		return one
	}
	for _, criterion := range c.Spec.Jury.Criteria {
		view := criterionView{
			Name: ideas.InputName(criterion.Name), ID: fmt.Sprintf("score-%d-%s", application.ID, criterion.Name), Label: v.local(criterion.Label),
			Maximum: ideas.CriterionMaximum(criterion),
		}
		if n, ok := application.Points[criterion.Name]; ok {
			view.Value = strconv.Itoa(n)
		}
		if scored == application.ID {
			view.Value = cut(clean(v.r.PostForm.Get(view.Name)), 20)
			view.Error = v.fieldText(wrong[view.Name])
		}
		one.Criteria = append(one.Criteria, view)
	}
	return one
}

func (a *app) voteApplication(v *visit, c *ideas.Challenge) error {
	id, err := v.pathNumber("id")
	if err != nil {
		return err
	}
	vote := v.r.PostForm.Get("vote") == "true"
	_, err = a.cfg.Store.VoteApplication(v.r.Context(), c, id, v.member.ID, vote)
	flash := "flash.vote_counted"
	if !vote {
		flash = "flash.vote_withdrawn"
	}
	return v.done(err, flash, fmt.Sprintf("%s/applications#candidate-%d", challengePath(c), id), "vote for application")
}

func (a *app) scoreApplication(v *visit, c *ideas.Challenge) error {
	id, err := v.pathNumber("id")
	if err != nil {
		return err
	}
	points := map[string]int{}
	if c.Spec.Jury != nil {
		for _, criterion := range c.Spec.Jury.Criteria {
			if n, err := strconv.Atoi(clean(v.r.PostForm.Get(ideas.InputName(criterion.Name)))); err == nil {
				points[criterion.Name] = n
			}
		}
	}
	err = a.cfg.Store.ScoreApplication(v.r.Context(), c, id, *v.member, points)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderCandidates(v, http.StatusUnprocessableEntity, c, id, wrong)
	}
	return v.done(err, "flash.saved", fmt.Sprintf("%s/applications#candidate-%d", challengePath(c), id), "score application")
}

// showDraw publishes what it takes to recompute a draw.
func (a *app) showDraw(v *visit, c *ideas.Challenge) error {
	if c.Spec.Recruiting.Selection != ideas.SelectionDraw {
		return refuse(http.StatusNotFound, "find draw of challenge "+c.Name, nil)
	}
	draw, err := a.cfg.Store.PublishedDraw(v.r.Context(), c)
	if err != nil {
		return fmt.Errorf("read draw: %w", err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache")
	encoder := json.NewEncoder(v.w)
	encoder.SetIndent("", "  ")
	// A reader who has gone is no error of ours.
	_ = encoder.Encode(draw)
	return nil
}

func teamChallengePath(c *ideas.Challenge) string {
	return "/team/challenges/" + url.PathEscape(c.Name)
}

// applicationsPage is the team's side of a call.
type applicationsPage struct {
	teamPage
	Challenge, Back, Path string
	Tabs                  []tabView
	List                  []applicationView
	More                  string
	Places, Selected      int
	// CanClose tells that the selection may be closed, Open that applications still come.
	CanClose, Open bool
	How, Draw      string
	Close          string
	Wrong          int
	Problem        string
	Segments       []quotaView
}

type tabView struct {
	URL, Label string
	N          int
	Current    bool
}

type applicationView struct {
	candidateView
	Number    int64
	Created   moment
	StateName string
	Reason    string
	Decide    string
	Undecided bool
	Drop      string
}

// quotaView compares the seats of a segment with those taken.
type quotaView struct {
	Label        string
	Seats, Taken int
}

var applicationTabs = []ideas.ApplicationState{
	ideas.ApplicationSubmitted, ideas.ApplicationSelected, ideas.ApplicationWaiting, ideas.ApplicationRefused, ideas.ApplicationDropped,
}

var applicationTabTexts = map[ideas.ApplicationState]string{
	ideas.ApplicationSubmitted: "applications.submitted", ideas.ApplicationSelected: "applications.selected", ideas.ApplicationWaiting: "applications.waiting",
	ideas.ApplicationRefused: "applications.refused", ideas.ApplicationDropped: "applications.dropped_out",
}

func (a *app) showApplications(v *visit, c *ideas.Challenge) error {
	return a.renderApplications(v, http.StatusOK, c, "")
}

func (a *app) renderApplications(v *visit, status int, c *ideas.Challenge, problem string) error {
	ctx, path := v.r.Context(), teamChallengePath(c)+"/applications"
	v.here = path
	state := ideas.ApplicationState(v.r.URL.Query().Get("state"))
	if applicationTabTexts[state] == "" {
		state = ideas.ApplicationSubmitted
	}
	after, err := strconv.ParseInt(v.r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		after = 0
	}
	counts, err := a.cfg.Store.CountApplications(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("count applications: %w", err)
	}
	list, err := a.cfg.Store.ListApplications(ctx, v.viewer(), ideas.ApplicationQuery{Challenge: c.ID, State: state, After: after, Limit: ideas.MaxPage})
	if err != nil {
		return fmt.Errorf("list applications: %w", err)
	}
	open := v.allows(c, ideas.ActionApply)
	p := applicationsPage{
		teamPage: v.teamPage("methods", v.t("applications.title")), Challenge: v.local(c.Spec.Title), Back: challengePath(c), Path: path,
		Places: c.Spec.Recruiting.Places, Selected: counts[ideas.ApplicationSelected], Open: open, How: v.t(selectionTexts[c.Spec.Recruiting.Selection]),
		Close: teamChallengePath(c) + "/selection", CanClose: !open && counts[ideas.ApplicationSubmitted] > 0, Problem: problem,
	}
	if c.Spec.Recruiting.Selection == ideas.SelectionDraw {
		p.Draw = challengePath(c) + "/draw.json"
	}
	for _, s := range applicationTabs {
		p.Tabs = append(p.Tabs, tabView{URL: path + "?state=" + string(s), Label: v.t(applicationTabTexts[s]), N: counts[s], Current: s == state})
	}
	if p.Segments, err = v.quotaViews(c); err != nil {
		return err
	}
	for _, application := range list {
		one := applicationView{
			candidateView: v.candidate(c, application, false, 0, nil), Number: application.ID, Created: v.moment(application.CreatedAt),
			StateName: v.t(applicationTabTexts[application.State]), Reason: application.Reason, Decide: fmt.Sprintf("%s/%d", path, application.ID),
			Undecided: application.State == ideas.ApplicationSubmitted || application.State == ideas.ApplicationWaiting,
		}
		if application.State == ideas.ApplicationSelected {
			one.Drop = fmt.Sprintf("%s/%d/drop", path, application.ID)
		}
		one.Answers = nil
		for _, f := range c.Spec.Recruiting.Questions {
			if text := v.answerText(f, application.Answers[f.Name]); text != "" {
				one.Answers = append(one.Answers, givenAnswer{v.local(f.Label), text})
			}
		}
		p.List = append(p.List, one)
	}
	if len(list) == ideas.MaxPage {
		p.More = fmt.Sprintf("%s?state=%s&after=%d", path, state, list[len(list)-1].ID)
	}
	return v.renderPrivate(status, "applications", p)
}

// quotaViews compare the declared seats with those taken.
func (v *visit) quotaViews(c *ideas.Challenge) ([]quotaView, error) {
	call := c.Spec.Recruiting
	if len(call.Quotas) == 0 {
		return nil, nil
	}
	selected, err := v.app.cfg.Store.ListApplications(v.r.Context(), 0, ideas.ApplicationQuery{Challenge: c.ID, State: ideas.ApplicationSelected, Limit: ideas.MaxPage})
	if err != nil {
		return nil, fmt.Errorf("list selected: %w", err)
	}
	var views []quotaView
	for _, seat := range ideas.QuotaSeats(call.Places, call.Quotas) {
		one := quotaView{Label: seat.Attribute + ": " + seat.Value, Seats: seat.Seats}
		for _, f := range call.Questions {
			if f.Name == seat.Attribute {
				one.Label = v.t("announcements.segment", "Attribute", v.local(f.Label), "Value", v.optionText(f.Options, seat.Value))
			}
		}
		if v.site.House != nil {
			for _, attribute := range v.site.House.Attributes {
				if attribute.Name == seat.Attribute {
					one.Label = v.segmentText(seat.Attribute, seat.Value)
				}
			}
		}
		for _, application := range selected {
			for _, value := range application.Segments[seat.Attribute] {
				if value == seat.Value {
					one.Taken++
				}
			}
		}
		views = append(views, one)
	}
	return views, nil
}

func (a *app) decideApplication(v *visit, c *ideas.Challenge) error {
	id, err := v.pathNumber("id")
	if err != nil {
		return err
	}
	form := v.r.PostForm
	err = a.cfg.Store.DecideApplication(v.r.Context(), v.member.ID, c, id, ideas.ApplicationState(form.Get("state")), form.Get("reason"))
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderApplications(v, http.StatusUnprocessableEntity, c, v.t("applications.reason_missing"))
	}
	return v.done(err, "flash.saved", teamChallengePath(c)+"/applications", "decide on application")
}

func (a *app) closeSelection(v *visit, c *ideas.Challenge) error {
	err := a.cfg.Store.CloseSelection(v.r.Context(), v.member.ID, c, v.r.PostForm.Get("reason"))
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderApplications(v, http.StatusUnprocessableEntity, c, v.fieldText(wrong["reason"]))
	}
	return v.done(err, "flash.selection_closed", teamChallengePath(c)+"/applications?state=selected", "close selection")
}

func (a *app) dropSelected(v *visit, c *ideas.Challenge) error {
	id, err := v.pathNumber("id")
	if err != nil {
		return err
	}
	application, err := a.cfg.Store.GetApplication(v.r.Context(), c, v.member.ID, id)
	if err != nil {
		return fmt.Errorf("get application: %w", err)
	}
	err = a.cfg.Store.DropOut(v.r.Context(), v.member.ID, c, application.Member.ID, cut(clean(v.r.PostForm.Get("cause")), 200))
	return v.done(err, "flash.saved", teamChallengePath(c)+"/applications?state=selected", "drop member")
}
