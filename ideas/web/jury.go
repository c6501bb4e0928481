package web

import (
	"errors"
	"fmt"
	"html/template"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

// juryRoutes are the pages of jurors and of who decides.
func (a *app) juryRoutes() map[string]handle {
	return map[string]handle{
		"GET /challenges/{name}/jury":                   a.showJury,
		"GET /challenges/{name}/jury/{entry}":           a.showJuryEntry,
		"POST /challenges/{name}/jury/{entry}":          a.scoreEntry,
		"POST /challenges/{name}/jury/{entry}/conflict": a.declareConflict,

		"GET /team/challenges":                         a.team(ideas.MaySeeTeam, a.teamChallenges),
		"GET /team/challenges/{name}":                  a.team(ideas.MaySeeTeam, a.teamChallenge),
		"POST /team/challenges/{name}/entries/{entry}": a.team(ideas.MayDecide, a.moveEntry),
		"POST /team/challenges/{name}/decision":        a.team(ideas.MayDecide, a.decide),
	}
}

// juryOf finds the challenge of the address and its jury's work, for a juror.
func (v *visit) juryOf() (c *ideas.Challenge, state ideas.JuryState, ok bool, err error) {
	if v.member == nil {
		return nil, state, false, v.askToSignIn(v.r.URL.RequestURI())
	}
	if c, ok, err = v.challenge(); !ok {
		return nil, state, false, err
	}
	state, err = v.app.cfg.Store.Jury(v.r.Context(), v.member.ID, c)
	if err != nil {
		return nil, state, false, fmt.Errorf("read the jury's work: %w", err)
	}
	return c, state, true, nil
}

type juryPage struct {
	page
	Path, Challenge string
	Criteria        []juryCriterion
	Entries         []juryEntryView
	Done, All       int
	Closed          string
}

type juryCriterion struct {
	Label           string
	Weight, Maximum int
}

type juryEntryView struct {
	URL, Title string
	Done       bool
	Conflict   bool
}

// showJury lists the entries that a juror scores.
func (a *app) showJury(v *visit) error {
	c, state, ok, err := v.juryOf()
	if !ok {
		return err
	}
	v.here = challengePath(c) + "/jury"
	p := juryPage{page: v.page(v.t("jury.title")), Path: challengePath(c), Challenge: v.local(c.Spec.Title), Criteria: v.criteria(c)}
	p.Section, p.Hidden = "challenges", true
	p.Closed = v.barredText(c.BarJury(a.now()))
	seat := c.Seat(v.member.Email)
	for _, e := range state.Entries {
		view := juryEntryView{
			URL: juryPath(c, e.ID), Title: clean(e.Title), Conflict: slices.Contains(state.Conflicts[e.ID], seat),
			Done: len(scoresOf(state, e.ID, seat)) == len(c.Spec.Jury.Criteria),
		}
		if p.Entries = append(p.Entries, view); !view.Conflict {
			p.All++
		}
		if view.Done {
			p.Done++
		}
	}
	return v.renderPrivate(http.StatusOK, "jury", p)
}

func juryPath(c *ideas.Challenge, entry int64) string {
	return challengePath(c) + "/jury/" + strconv.FormatInt(entry, 10)
}

func (v *visit) criteria(c *ideas.Challenge) []juryCriterion {
	var all []juryCriterion
	for _, criterion := range c.Spec.Jury.Criteria {
		all = append(all, juryCriterion{v.local(criterion.Label), criterion.Weight, ideas.MaximumOf(criterion)})
	}
	return all
}

// scoresOf are the scores that a seat has given an entry, by criterion.
func scoresOf(state ideas.JuryState, entry int64, seat int) map[string]int {
	given := map[string]int{}
	for _, s := range state.Scores {
		if s.Entry == entry && s.Seat == seat {
			given[s.Criterion] = s.Score
		}
	}
	return given
}

type juryEntryPage struct {
	page
	Path, Back, Challenge string
	Heading               string
	Body                  template.HTML
	Answers               []answerView
	Author                memberView
	Scores                []scoreField
	Conflict              bool
	Reason                field
	Wrong                 int
	Closed                string
}

type scoreField struct {
	field
	Name, Label     string
	Weight, Maximum int
}

// showJuryEntry shows one entry to its juror.
func (a *app) showJuryEntry(v *visit) error {
	c, state, ok, err := v.juryOf()
	if !ok {
		return err
	}
	id, e, err := v.juryEntry(state)
	if err != nil {
		return err
	}
	typed := map[string]string{}
	for name, score := range scoresOf(state, id, c.Seat(v.member.Email)) {
		typed[name] = strconv.Itoa(score)
	}
	return v.renderPrivate(http.StatusOK, "jury-entry", v.juryEntryPage(c, state, e, typed, nil))
}

func (v *visit) juryEntry(state ideas.JuryState) (int64, ideas.Entry, error) {
	id, err := strconv.ParseInt(v.r.PathValue("entry"), 10, 64)
	i := slices.IndexFunc(state.Entries, func(e ideas.Entry) bool { return e.ID == id })
	if err != nil || i < 0 {
		return 0, ideas.Entry{}, refuse(http.StatusNotFound, "find an entry of the jury", err)
	}
	return id, state.Entries[i], nil
}

func (v *visit) juryEntryPage(c *ideas.Challenge, state ideas.JuryState, e ideas.Entry, typed map[string]string, wrong map[string]*ideas.FieldError) juryEntryPage {
	v.here = juryPath(c, e.ID)
	p := juryEntryPage{
		page: v.page(clean(e.Title)), Path: juryPath(c, e.ID), Back: challengePath(c) + "/jury", Challenge: v.local(c.Spec.Title), Heading: clean(e.Title),
		Body: v.app.markdown.html(e.Body, ideaHeading), Author: v.person(e.Author.ID, e.Author.Name), Wrong: len(wrong),
		Conflict: slices.Contains(state.Conflicts[e.ID], c.Seat(v.member.Email)), Closed: v.barredText(c.BarJury(v.app.now())),
	}
	p.Section, p.Hidden = "challenges", true
	p.Answers = v.contestEntry(c, e).Answers
	for _, criterion := range c.Spec.Jury.Criteria {
		p.Scores = append(p.Scores, scoreField{
			field: field{Value: typed[criterion.Name], Error: v.scoreFault(wrong["score-"+criterion.Name])}, Name: "score-" + criterion.Name,
			Label: v.local(criterion.Label), Weight: criterion.Weight, Maximum: ideas.MaximumOf(criterion),
		})
	}
	return p
}

func (v *visit) scoreFault(e *ideas.FieldError) string {
	if e != nil && e.Code == "too_large" {
		return v.t("jury.score.bounds", "Maximum", e.Limit)
	}
	return v.fieldText(e)
}

// scoreEntry keeps a juror's scores and goes on to the next entry.
func (a *app) scoreEntry(v *visit) error {
	c, state, ok, err := v.juryOf()
	if !ok {
		return err
	}
	id, e, err := v.juryEntry(state)
	if err != nil {
		return err
	}
	typed, scores := map[string]string{}, map[string]int{}
	for _, criterion := range c.Spec.Jury.Criteria {
		raw := clean(v.r.PostForm.Get("score-" + criterion.Name))
		typed[criterion.Name] = raw
		if n, err := strconv.Atoi(raw); err == nil {
			scores[criterion.Name] = n
		} else if raw != "" {
			scores[criterion.Name] = -1
		}
	}
	err = a.cfg.Store.Score(v.r.Context(), v.member.ID, c, id, scores)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return v.renderPrivate(http.StatusUnprocessableEntity, "jury-entry", v.juryEntryPage(c, state, e, typed, wrong))
	}
	if text := v.barredText(err); text != "" {
		p := v.juryEntryPage(c, state, e, typed, nil)
		p.Closed = text
		return v.renderPrivate(http.StatusForbidden, "jury-entry", p)
	}
	if err != nil {
		return fmt.Errorf("keep the scores: %w", err)
	}
	v.setFlash("flash.saved")
	return v.redirect(challengePath(c) + "/jury")
}

// declareConflict takes the juror off an entry, or back on it.
func (a *app) declareConflict(v *visit) error {
	c, state, ok, err := v.juryOf()
	if !ok {
		return err
	}
	id, e, err := v.juryEntry(state)
	if err != nil {
		return err
	}
	conflict := v.r.PostForm.Get("conflict") == "true"
	err = a.cfg.Store.DeclareConflict(v.r.Context(), v.member.ID, c, id, conflict, cleanText(v.r.PostForm.Get("reason")))
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p := v.juryEntryPage(c, state, e, nil, wrong)
		p.Reason = field{cleanText(v.r.PostForm.Get("reason")), v.fieldText(wrong["reason"])}
		return v.renderPrivate(http.StatusUnprocessableEntity, "jury-entry", p)
	}
	if err != nil {
		return fmt.Errorf("declare a conflict of interest: %w", err)
	}
	v.setFlash("flash.saved")
	return v.redirect(challengePath(c) + "/jury")
}

type teamChallengesPage struct {
	teamPage
	Challenges []teamChallengeRow
}

type teamChallengeRow struct {
	challengeCard
	Totals ideas.ChallengeTotals
}

// teamChallenges lists all challenges with what members did in them.
func (a *app) teamChallenges(v *visit) error {
	v.here = "/team/challenges"
	p := teamChallengesPage{teamPage: v.teamPage("challenges", v.t("challenges.title"))}
	list, err := v.visibleChallenges()
	if err != nil {
		return err
	}
	var ids []int64
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	totals, err := a.cfg.Store.ChallengeTotals(v.r.Context(), ids)
	if err != nil {
		return fmt.Errorf("read totals: %w", err)
	}
	for _, c := range list {
		row := teamChallengeRow{v.challengeCard(c), totals[c.ID]}
		row.URL = "/team/challenges/" + url.PathEscape(c.Name)
		p.Challenges = append(p.Challenges, row)
	}
	return v.renderPrivate(http.StatusOK, "team-challenges", p)
}

type teamChallengePage struct {
	teamPage
	Path, Page string
	Status     challengeCard
	Totals     ideas.ChallengeTotals
	Entries    []teamEntry
	// Shortlist tells that only what is shortlisted is shown, for the jury's part.
	Criteria []juryCriterion
	Jurors   []jurorView
	// MayDecide shows the form; Closed says why there is none yet.
	MayDecide    bool
	Closed       string
	Reason, Ties field
	Wrong        []string
	Places       int
	Outcome      *outcomeView
}

// teamEntry is one entry as who decides sees it.
type teamEntry struct {
	ID          int64
	URL, Title  string
	Author      memberView
	State       string
	Shortlisted bool
	Refusable   bool
	Score       string
	// Final, Jury and Ballot are the verdict from 0 to 100; empty where there is none.
	Final, Jury, Ballot string
	Scores, Assigned    int
	Rank                int
	Tied                bool
	Chosen              string
	Reason              field
}

type jurorView struct {
	Name      string
	Done, All int
}

// teamChallenge shows how a challenge stands to the team, and to who decides what can be done.
func (a *app) teamChallenge(v *visit) error {
	c := v.programme().Challenge(v.r.PathValue("name"))
	if c == nil {
		return refuse(http.StatusNotFound, "find challenge", nil)
	}
	p, err := v.teamChallengePage(c)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "team-challenge", p)
}

func (v *visit) teamChallengePage(c *ideas.Challenge) (teamChallengePage, error) {
	v.here = teamChallengePath(c)
	p := teamChallengePage{
		teamPage: v.teamPage("challenges", v.local(c.Spec.Title)), Path: v.here, Page: challengePath(c), Status: v.challengeCard(c),
		MayDecide: v.roles.May(ideas.MayDecide) && takesEntries(c), Places: c.Spec.Winners,
	}
	p.Closed = v.barredText(c.BarDecision(v.app.now()))
	totals, err := v.app.cfg.Store.ChallengeTotals(v.r.Context(), []int64{c.ID})
	if err != nil {
		return p, fmt.Errorf("read totals: %w", err)
	}
	p.Totals = totals[c.ID]
	if !takesEntries(c) {
		return p, nil
	}
	if p.Outcome, err = v.outcomeView(c); err != nil {
		return p, err
	}
	if c.Spec.Jury != nil && v.roles.May(ideas.MayDecide) {
		if err := v.addJury(c, &p); err != nil {
			return p, err
		}
	}
	if len(p.Entries) > 0 {
		return p, nil
	}
	order := c.EntryOrders(v.app.now())[0]
	found, err := v.app.cfg.Store.ListEntries(v.r.Context(), v.viewer(), c, ideas.EntryQuery{Order: order, Seed: v.entrySeed(c), Limit: ideas.MaxPage})
	if err != nil {
		return p, fmt.Errorf("list entries: %w", err)
	}
	for _, e := range found.Entries {
		p.Entries = append(p.Entries, v.teamEntry(c, e))
	}
	return p, nil
}

func (v *visit) teamEntry(c *ideas.Challenge, e ideas.Entry) teamEntry {
	view := teamEntry{
		ID: e.ID, URL: ideaPath(e.Idea), Title: clean(e.Title), Author: v.person(e.Author.ID, e.Author.Name), State: v.stateText(e.State),
		Shortlisted: e.State == ideas.StateShortlisted, Rank: e.Rank, Score: v.contestEntry(c, e).Score,
	}
	switch e.State { //nolint:exhaustive // the others are decided
	case ideas.StateGathering, ideas.StateQualified, ideas.StateUnderReview, ideas.StateShortlisted:
		view.Refusable = c.DecidedAt.IsZero()
	}
	return view
}

// addJury shows how complete the jury's work is, and the ranking that follows from it so far.
func (v *visit) addJury(c *ideas.Challenge, p *teamChallengePage) error {
	state, err := v.app.cfg.Store.Jury(v.r.Context(), v.member.ID, c)
	if err != nil {
		return fmt.Errorf("read the jury's work: %w", err)
	}
	p.Criteria = v.criteria(c)
	p.Jurors = v.jurors(c, state)
	byID := map[int64]ideas.Entry{}
	for _, e := range state.Entries {
		byID[e.ID] = e
	}
	verdicts := ideas.Verdicts(*c.Spec.Jury, ideas.RulesOf(c.Ballot()), state.Placings, state.Conflicts, state.Scores)
	for _, verdict := range verdicts {
		e, ok := byID[verdict.Entry]
		if !ok {
			continue
		}
		view := v.teamEntry(c, e)
		view.Final, view.Jury, view.Ballot = v.outOf100(verdict.Final), v.outOf100(verdict.Jury), v.outOf100(verdict.Ballot)
		view.Scores, view.Assigned, view.Rank, view.Tied = verdict.Scores, verdict.Assigned, verdict.Rank, ideas.Tied(verdicts, verdict.Rank)
		p.Entries = append(p.Entries, view)
	}
	return nil
}

// outOf100 writes a part of a verdict with two digits.
func (v *visit) outOf100(share *big.Rat) string {
	hundredths, _ := new(big.Rat).Mul(share, big.NewRat(100, 1)).Float64()
	return v.lang.catalog.Decimal(int64(math.Round(hundredths)), 2)
}

func (v *visit) jurors(c *ideas.Challenge, state ideas.JuryState) []jurorView {
	jurors := make([]jurorView, len(state.Jurors))
	for seat, who := range state.Jurors {
		jurors[seat].Name = clean(who.Name)
		if who.Name == "" {
			jurors[seat].Name = v.t("jury.absent")
		}
	}
	for _, e := range state.Entries {
		for _, seat := range ideas.AssignedSeats(*c.Spec.Jury, e.ID, state.Conflicts[e.ID]) {
			jurors[seat].All++
			if len(scoresOf(state, e.ID, seat)) == len(c.Spec.Jury.Criteria) {
				jurors[seat].Done++
			}
		}
	}
	return jurors
}

// moveEntry shortlists an entry, takes it off the shortlist or refuses it, with a public reason.
func (a *app) moveEntry(v *visit) error {
	c := v.programme().Challenge(v.r.PathValue("name"))
	id, err := strconv.ParseInt(v.r.PathValue("entry"), 10, 64)
	if c == nil || err != nil {
		return refuse(http.StatusNotFound, "find an entry", err)
	}
	if e, of, err := a.cfg.Store.EntryOf(v.r.Context(), v.member.ID, id); err != nil || of.ID != c.ID {
		return refuse(http.StatusNotFound, "find an entry", err)
	} else if !c.DecidedAt.IsZero() && e.State != ideas.StateUnderReview {
		return refuse(http.StatusForbidden, "move an entry of a decided challenge", nil)
	}
	to := map[string]ideas.State{
		"shortlist": ideas.StateShortlisted, "review": ideas.StateUnderReview, "refuse": ideas.StateNotSelected,
	}[v.r.PostForm.Get("to")]
	_, err = a.cfg.Store.MoveIdea(v.r.Context(), v.member.ID, id, to, ideas.Reason{Text: cleanText(v.r.PostForm.Get("reason"))})
	var step *ideas.TransitionError
	switch {
	case len(fieldErrors(err)) > 0:
		v.setFlash("flash.reason_missing")
	case errors.As(err, &step):
		v.setFlash("flash.not_possible")
	case err != nil:
		return fmt.Errorf("move an entry: %w", err)
	default:
		v.setFlash("flash.saved")
	}
	return v.redirect(teamChallengePath(c) + fmt.Sprintf("#entry-%d", id))
}

// maxDecided bounds the winners that a form names.
const maxDecided = 100

// decide ends a challenge with its winners, or shows the form again with what is wrong.
func (a *app) decide(v *visit) error {
	c := v.programme().Challenge(v.r.PathValue("name"))
	if c == nil || !takesEntries(c) {
		return refuse(http.StatusNotFound, "find challenge", nil)
	}
	p, err := v.teamChallengePage(c)
	if err != nil {
		return err
	}
	form := v.r.PostForm
	var winners []ideas.Decided
	for i, e := range p.Entries {
		p.Entries[i].Chosen, p.Entries[i].Reason.Value = clean(form.Get(fmt.Sprintf("rank-%d", e.ID))), cleanText(form.Get(fmt.Sprintf("reason-%d", e.ID)))
		if p.Entries[i].Chosen == "" || len(winners) == maxDecided {
			continue
		}
		rank, err := strconv.Atoi(p.Entries[i].Chosen)
		if err != nil {
			rank = 0
		}
		winners = append(winners, ideas.Decided{Entry: e.ID, Rank: rank, Reason: p.Entries[i].Reason.Value})
	}
	p.Reason.Value, p.Ties.Value = cleanText(form.Get("reason")), cleanText(form.Get("ties"))
	err = a.cfg.Store.Decide(v.r.Context(), v.member.ID, c, winners, p.Reason.Value, p.Ties.Value)
	if text := v.barredText(err); text != "" {
		p.Wrong = []string{text}
		return v.renderPrivate(http.StatusForbidden, "team-challenge", p)
	}
	if wrong := fieldErrors(err); len(wrong) > 0 {
		v.markDecision(&p, wrong)
		return v.renderPrivate(http.StatusUnprocessableEntity, "team-challenge", p)
	}
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	v.setFlash("flash.decided")
	return v.redirect(challengePath(c))
}

// markDecision says at each field what is wrong with it.
func (v *visit) markDecision(p *teamChallengePage, wrong map[string]*ideas.FieldError) {
	p.Reason.Error = v.fieldText(wrong["reason"])
	if wrong["ties"] != nil {
		p.Ties.Error = v.t("decision.ties.required")
	}
	if e := wrong["winners"]; e != nil {
		switch e.Code {
		case "required":
			p.Wrong = append(p.Wrong, v.t("decision.winners.required"))
		case "too_many":
			p.Wrong = append(p.Wrong, v.lang.catalog.Plural("decision.winners.too_many", int64(e.Limit)))
		default:
			p.Wrong = append(p.Wrong, v.t("decision.winners.ranks"))
		}
	}
	for i, e := range p.Entries {
		p.Entries[i].Reason.Error = v.fieldText(wrong[fmt.Sprintf("reason-%d", e.ID)])
	}
	if len(p.Wrong) == 0 {
		p.Wrong = append(p.Wrong, v.lang.catalog.Plural("form.errors", int64(len(wrong))))
	}
}
