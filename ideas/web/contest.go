package web

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// contestRoutes are the pages of contests and calls for ideas.
func (a *app) contestRoutes() map[string]handle {
	return map[string]handle{
		"GET /challenges/{name}/enter":        a.newEntry,
		"POST /challenges/{name}/entries":     a.submitEntry,
		"POST /challenges/{name}/votes":       a.castVote,
		"GET /challenges/{name}/result.jsonl": a.downloadResult,
	}
}

// contestLength is the number of entries on a page.
const contestLength = 24

// contestBody is what the page of a contest or a call for ideas shows below its brief.
type contestBody struct {
	Path string
	// Part says how the visitor takes part, or why they cannot.
	Part   partView
	Ballot ballotView
	// Entries, and Orders to choose from; More leads to the next page.
	Entries []contestEntry
	Orders  []orderLink
	More    string
	Totals  ideas.ChallengeTotals
	Ladder  []rungView
	// Exclusive says when rights return to authors; empty where they do not by the clock.
	Exclusive string
	Outcome   *outcomeView
	Result    *resultView
	Origin    *challengeLink
	// Jury leads a juror to the entries that wait for a score.
	Jury string
	// Recruit is nil where the challenge selects nobody.
	Recruit *recruitPanel
}

type challengeLink struct{ URL, Title string }

// partView says how somebody takes part.
type partView struct {
	// Enter leads to the form; empty where there is no entering now.
	Enter  string
	SignIn string
	// Obstacles in words, and Closed that says why it is too early or too late.
	Obstacles []string
	Closed    string
}

// ballotView says how votes are given, and what the visitor has left.
type ballotView struct {
	// Open tells that votes count now.
	Open bool
	// Rules in words.
	Rules, Hidden string
	// Left of the allowance in words; empty where there is no bound.
	Left      string
	Pseudonym string
	// OutOfBand marks a part that htmx puts into its place beside the answer proper.
	OutOfBand bool
}

// rungView is one rung of the ladder as the page explains it.
type rungView struct{ Text, Within string }

// contestEntry is one entry in a list.
type contestEntry struct {
	card
	Path    string
	Vote    *voteView
	Ballot  *entryBallot
	Answers []answerView
	// Score in words, where it may be known.
	Score       string
	State       string
	Shortlisted bool
	Credit      *challengeLink
	CreditName  string
	Climb       *climbView
}

// answerView is an answer to a field of the form: words, or a file.
type answerView struct {
	Label, Text string
	// Private answers are shown to the author and the team.
	Private bool
	File    *fileView
}

// entryBallot is how one entry is voted for in a ballot.
type entryBallot struct {
	ID     int64
	Action string
	Back   string
	Title  string
	Kind   string
	// Own is what the visitor gave, "" for nothing; Given tells whether they gave anything.
	Own   string
	Given bool
	// Choices of a short scale; a long one has a field from Minimum to Maximum.
	Choices          []scoreChoice
	Minimum, Maximum int
	SignIn           string
	SignedIn         bool
}

type scoreChoice struct {
	Points int
	Chosen bool
}

// climbView is where an entry stands on the ladder.
type climbView struct {
	Supporters, Goal int
	Rung, Rungs      int
	Until            string
	Done, Expired    bool
}

type outcomeView struct {
	When         moment
	Reason, Ties string
	Winners      []winnerView
}

type winnerView struct {
	Rank     int
	RankText string
	URL      string
	Title    string
	Author   memberView
	Reason   string
}

type resultView struct {
	URL, SHA256 string
	Closed      moment
	Voters      int
	Name        string
}

// showContest makes the body of a contest's page.
func (a *app) showContest(v *visit, c *ideas.Challenge) (template.HTML, error) {
	body := contestBody{Path: challengePath(c)}
	var err error
	if body.Part, err = v.partView(c); err != nil {
		return "", err
	}
	if body.Ballot, err = v.ballotView(c); err != nil {
		return "", err
	}
	totals, err := a.cfg.Store.ChallengeTotals(v.r.Context(), []int64{c.ID})
	if err != nil {
		return "", fmt.Errorf("read totals: %w", err)
	}
	body.Totals = totals[c.ID]
	if body.Outcome, err = v.outcomeView(c); err != nil {
		return "", err
	}
	if body.Result, err = v.resultView(c); err != nil {
		return "", err
	}
	if days := c.Spec.ExclusiveDays; days > 0 {
		body.Exclusive = v.lang.catalog.Plural("part.exclusive", int64(days))
	}
	for _, r := range c.Spec.Ladder {
		body.Ladder = append(body.Ladder, v.rungView(r))
	}
	if origin := v.programme().Challenge(c.Spec.Origin); origin != nil {
		body.Origin = &challengeLink{challengePath(origin), v.local(origin.Spec.Title)}
	}
	if v.member != nil && c.Seat(v.member.Email) >= 0 && c.BarJury(a.now()) == nil {
		body.Jury = challengePath(c) + "/jury"
	}
	if body.Recruit, err = v.recruitPanel(c); err != nil {
		return "", err
	}
	if err := a.listEntries(v, c, &body); err != nil {
		return "", err
	}
	return v.part("contest", body)
}

func (v *visit) rungView(r control.Rung) rungView {
	view := rungView{Text: v.lang.catalog.Plural("ladder.supporters", int64(r.Supporters))}
	if r.Percent > 0 {
		view.Text = v.t("ladder.share", "Supporters", view.Text, "Percent", r.Percent)
	}
	if r.Days > 0 {
		view.Within = v.lang.catalog.Plural("ladder.within", int64(r.Days))
	}
	return view
}

// listEntries reads the page of entries that the address asks for.
func (a *app) listEntries(v *visit, c *ideas.Challenge, body *contestBody) error {
	asked := v.r.URL.Query()
	orders := c.EntryOrders(a.now())
	q := ideas.EntryQuery{Order: orders[0], Seed: v.entrySeed(c), After: asked.Get("after"), Limit: contestLength}
	for _, o := range orders {
		if asked.Get("order") == string(o) {
			q.Order = o
		}
	}
	found, err := a.cfg.Store.ListEntries(v.r.Context(), v.viewer(), c, q)
	if err != nil {
		return fmt.Errorf("list entries: %w", err)
	}
	v.here = entriesPath(c, q.Order, q.After)
	var seen []int64
	for _, e := range found.Entries {
		body.Entries = append(body.Entries, v.contestEntry(c, e))
		seen = append(seen, e.ID)
	}
	a.cfg.Store.Saw(v.viewer(), c, seen...)
	if found.Next != "" {
		body.More = entriesPath(c, q.Order, found.Next)
	}
	if len(orders) > 1 {
		for _, o := range orders {
			body.Orders = append(body.Orders, orderLink{v.t(entryOrderKeys[o]), entriesPath(c, o, "") + "#entries", o == q.Order})
		}
	}
	return nil
}

var entryOrderKeys = map[ideas.EntryOrder]string{ideas.EntriesTop: "entries.top", ideas.EntriesNewest: "entries.newest"}

func entriesPath(c *ideas.Challenge, order ideas.EntryOrder, after string) string {
	query := url.Values{}
	if order != "" {
		query.Set("order", string(order))
	}
	if after != "" {
		query.Set("after", after)
	}
	return challengePath(c) + "?" + query.Encode()
}

// entrySeed makes the order of entries a visitor's own: of a member for good, of others for an hour.
func (v *visit) entrySeed(c *ideas.Challenge) int64 {
	h := fnv.New64a()
	who := v.viewer()
	if who == 0 {
		who = -v.app.now().Unix() / 3600
	}
	// Writing to a hash cannot fail.
	_, _ = h.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(c.ID)), uint64(who))) //nolint:gosec // the bits, not the number
	return int64(h.Sum64() >> 1)
}

func (v *visit) contestEntry(c *ideas.Challenge, e ideas.Entry) contestEntry {
	view := contestEntry{card: v.cards([]ideas.Idea{e.Idea})[0], Path: challengePath(c), Shortlisted: e.Shortlisted && e.State == ideas.StateShortlisted}
	if e.State != ideas.StateGathering {
		view.State = v.stateText(e.State)
	}
	for _, f := range c.Spec.Form {
		if text := v.answerText(f, e.Answers[f.Name]); text != "" {
			view.Answers = append(view.Answers, answerView{Label: v.local(f.Label), Text: text, Private: f.Private})
		}
		for _, file := range e.Files {
			if file.Field == f.Name {
				shown := v.fileView(file)
				shown.Alt = v.t("entry.file_alt", "Label", v.local(f.Label), "Title", clean(e.Title))
				view.Answers = append(view.Answers, answerView{Label: v.local(f.Label), Private: f.Private, File: &shown})
			}
		}
	}
	if e.Origin != nil {
		view.Credit, view.CreditName = &challengeLink{ideaPath(*e.Origin), clean(e.Origin.Title)}, e.Origin.Author.Name
	}
	open := v.entryOpen(c, e)
	if c.Plain() {
		if open {
			vote := v.vote(e.Idea, false)
			view.Vote = &vote
		}
		view.Score = v.lang.catalog.Plural("ladder.supporters", int64(e.Supporters))
		view.Climb = v.climbView(c, e)
		return view
	}
	if open {
		view.Ballot = v.entryBallot(c, e)
	}
	if !c.CountsHidden(v.app.now()) {
		view.Score = v.scoreText(c, e)
	}
	return view
}

// entryOpen tells whether an entry takes votes now.
func (v *visit) entryOpen(c *ideas.Challenge, e ideas.Entry) bool {
	now := v.app.now()
	switch e.State { //nolint:exhaustive // the others take none
	case ideas.StateGathering, ideas.StateQualified, ideas.StateUnderReview, ideas.StateShortlisted:
		return c.Allows(now, ideas.ActionVote) && (e.VotesUntil.IsZero() || now.Before(e.VotesUntil))
	}
	return false
}

func (v *visit) scoreText(c *ideas.Challenge, e ideas.Entry) string {
	votes := v.lang.catalog.Plural("ballot.votes", int64(e.Votes))
	switch c.Ballot().Kind {
	case control.BallotScore:
		if e.Votes == 0 {
			return votes
		}
		mean := ideas.Placing{Votes: e.Votes, Points: e.Points}.Mean()
		whole, part := v.lang.catalog.Number(int64(mean/100)), fmt.Sprintf("%02d", max(mean, -mean)%100)
		return v.t("ballot.mean", "Mean", v.t("number.decimal", "Whole", whole, "Part", part), "Votes", votes)
	case control.BallotBudget:
		return v.lang.catalog.Plural("ballot.points", e.Points)
	}
	return votes
}

func (v *visit) climbView(c *ideas.Challenge, e ideas.Entry) *climbView {
	if len(c.Spec.Ladder) == 0 || e.State == ideas.StateNotSelected {
		return nil
	}
	view := &climbView{Supporters: e.Supporters, Rung: e.Rung, Rungs: len(c.Spec.Ladder), Expired: e.State == ideas.StateExpired}
	if e.Rung >= len(c.Spec.Ladder) {
		view.Done = true
		return view
	}
	view.Goal = c.Spec.Ladder[e.Rung].Supporters
	view.Supporters = min(view.Supporters, view.Goal)
	if now := v.app.now(); e.Deadline.After(now) {
		view.Until = v.t("challenge.until", "Duration", v.duration(e.Deadline.Sub(now)))
	}
	return view
}

// longScale is a scale that is a field rather than a row of buttons.
const longScale = 10

func (v *visit) entryBallot(c *ideas.Challenge, e ideas.Entry) *entryBallot {
	rules := ideas.RulesOf(c.Ballot())
	b := &entryBallot{
		ID: e.ID, Action: challengePath(c) + "/votes", Back: localPath(v.here), Title: clean(e.Title), Kind: rules.Kind,
		Minimum: rules.Minimum, Maximum: rules.Maximum, SignedIn: v.member != nil, Given: e.Own != nil,
	}
	if b.Given {
		b.Own = strconv.Itoa(*e.Own)
	}
	if rules.Maximum-rules.Minimum <= longScale && rules.Maximum > rules.Minimum {
		for points := rules.Minimum; points <= rules.Maximum; points++ {
			b.Choices = append(b.Choices, scoreChoice{points, b.Given && *e.Own == points})
		}
	}
	return b
}

// partView says how the visitor enters the challenge, or what keeps them from it.
func (v *visit) partView(c *ideas.Challenge) (partView, error) {
	var part partView
	if err := c.Bar(v.app.now(), ideas.ActionSubmit); err != nil {
		part.Closed = v.barredText(err)
		return part, nil
	}
	if v.member == nil {
		part.SignIn = "/sign-in?" + url.Values{"returnTo": {challengePath(c) + "/enter"}}.Encode()
		return part, nil
	}
	p, err := v.app.cfg.Store.Participant(v.r.Context(), v.member.ID, c)
	if err != nil {
		return part, fmt.Errorf("read what eligibility asks for: %w", err)
	}
	for _, o := range c.EntryObstacles(p) {
		if o.Code == ideas.ObstacleTerms {
			continue // the form asks for them
		}
		part.Obstacles = append(part.Obstacles, v.obstacleText(o))
	}
	if len(part.Obstacles) == 0 {
		part.Enter = challengePath(c) + "/enter"
	}
	return part, nil
}

// obstacleText says in the reader's language what keeps somebody from taking part.
func (v *visit) obstacleText(o ideas.Obstacle) string {
	switch o.Code {
	case ideas.ObstacleAge:
		return v.lang.catalog.Plural("obstacle.age", int64(o.Number))
	case ideas.ObstacleAgeGiven:
		return v.lang.catalog.Plural("obstacle.age_given", int64(o.Number))
	case ideas.ObstacleLevel:
		return v.t("obstacle.level", "Level", o.Number)
	case ideas.ObstacleAttribute:
		label, values := v.attributeText(o.Name, o.Values)
		return v.t("obstacle.attribute", "Attribute", label, "Values", v.list(values))
	case ideas.ObstacleRole:
		return v.t("obstacle.role", "Roles", v.list(o.Values))
	case ideas.ObstacleSelected:
		title := o.Name
		if c := v.programme().Challenge(o.Name); c != nil {
			title = v.local(c.Spec.Title)
		}
		return v.t("obstacle.selected", "Challenge", title)
	case ideas.ObstacleEntries:
		return v.lang.catalog.Plural("obstacle.entries", int64(o.Number))
	}
	return v.t("obstacle.terms")
}

// attributeText is the label of a profile's attribute and of some of its values.
func (v *visit) attributeText(name string, values []string) (string, []string) {
	if v.site.House == nil {
		return name, values
	}
	for _, a := range v.site.House.Attributes {
		if a.Name == name {
			texts := make([]string, len(values))
			for i, value := range values {
				texts[i] = v.optionText(a.Options, value)
			}
			return v.local(a.Label), texts
		}
	}
	return name, values
}

// barredKeys are the message keys of why something is not possible now.
var barredKeys = map[string]string{
	ideas.BarredPhase: "barred.phase", ideas.BarredClosed: "barred.closed", ideas.BarredPaused: "barred.paused", ideas.BarredCancelled: "barred.cancelled",
	ideas.BarredEligibility: "barred.eligibility", ideas.BarredEntry: "barred.entry", ideas.BarredSpent: "barred.spent",
	ideas.BarredPoints: "barred.points", ideas.BarredConflict: "barred.conflict", ideas.BarredSeat: "barred.seat",
}

// barredText says why something is not possible now; empty for any other error.
func (v *visit) barredText(err error) string {
	var barred *ideas.BarredError
	if !errors.As(err, &barred) {
		return ""
	}
	text := v.t(barredKeys[barred.Code])
	for _, o := range barred.Obstacles {
		text += " " + v.obstacleText(o)
	}
	return text
}

// ballotView explains the vote.
func (v *visit) ballotView(c *ideas.Challenge) (ballotView, error) {
	now := v.app.now()
	b, rules := c.Ballot(), ideas.RulesOf(c.Ballot())
	view := ballotView{Open: c.Allows(now, ideas.ActionVote)}
	if !view.Open {
		return view, nil
	}
	plural := v.lang.catalog.Plural
	switch b.Kind {
	case control.BallotPerDay:
		view.Rules = plural("ballot.rules.per_day", int64(rules.Allowance))
	case control.BallotScore:
		view.Rules = v.t("ballot.rules.score", "Minimum", rules.Minimum, "Maximum", rules.Maximum)
	case control.BallotBudget:
		view.Rules = plural("ballot.rules.budget", int64(rules.Allowance), "PerIdea", plural("ballot.points", int64(rules.Maximum)))
	case control.BallotApproval:
		if view.Rules = v.t("ballot.rules.approval"); rules.Allowance > 0 {
			view.Rules = plural("ballot.rules.approvals", int64(rules.Allowance))
		}
	default:
		view.Rules = v.t("ballot.rules.support")
	}
	if b.Hidden {
		view.Hidden = v.t("ballot.hidden")
	}
	if v.member == nil || c.Plain() {
		return view, nil
	}
	own, err := v.app.cfg.Store.OwnBallot(v.r.Context(), v.member.ID, c)
	if err != nil {
		return view, fmt.Errorf("read own ballot: %w", err)
	}
	view.Pseudonym = own.Pseudonym
	if left := int64(rules.Allowance - own.Used); rules.Allowance > 0 {
		switch {
		case rules.CountsPoints:
			view.Left = plural("ballot.left.points", left)
		case rules.ByDay:
			view.Left = plural("ballot.left.today", left)
		default:
			view.Left = plural("ballot.left.votes", left)
		}
	}
	return view, nil
}

func (v *visit) outcomeView(c *ideas.Challenge) (*outcomeView, error) {
	if c.DecidedAt.IsZero() {
		return nil, nil // nothing to show is no error
	}
	outcome, err := v.app.cfg.Store.OutcomeOf(v.r.Context(), c)
	if errors.Is(err, ideas.ErrNotFound) {
		return nil, nil // as above
	}
	if err != nil {
		return nil, fmt.Errorf("read the decision: %w", err)
	}
	view := &outcomeView{When: v.moment(outcome.At), Reason: outcome.Reason, Ties: outcome.Ties}
	for _, w := range outcome.Winners {
		idea, err := v.app.cfg.Store.GetIdea(v.r.Context(), v.viewer(), w.Entry)
		if errors.Is(err, ideas.ErrNotFound) {
			continue // hidden or erased since
		}
		if err != nil {
			return nil, fmt.Errorf("read a winner: %w", err)
		}
		view.Winners = append(view.Winners, winnerView{
			Rank: w.Rank, RankText: v.lang.catalog.Plural("winner.rank", int64(w.Rank)), URL: ideaPath(idea), Title: clean(idea.Title),
			Author: v.person(idea.Author.ID, idea.Author.Name), Reason: w.Reason,
		})
	}
	return view, nil
}

func (v *visit) resultView(c *ideas.Challenge) (*resultView, error) {
	if !c.VoteClosed(v.app.now()) {
		return nil, nil // nothing to show is no error
	}
	r, err := v.app.cfg.Store.Result(v.r.Context(), c)
	if errors.Is(err, ideas.ErrNotFound) {
		return nil, nil // as above
	}
	if err != nil {
		return nil, fmt.Errorf("read the result: %w", err)
	}
	return &resultView{URL: challengePath(c) + "/result.jsonl", SHA256: r.SHA256, Closed: v.moment(r.ClosedAt), Voters: r.Voters, Name: c.Name}, nil
}

// downloadResult sends the published result as a file.
func (a *app) downloadResult(v *visit) error {
	c, ok, err := v.challenge()
	if !ok {
		return err
	}
	r, err := a.cfg.Store.Result(v.r.Context(), c)
	if err != nil {
		return fmt.Errorf("read the result: %w", err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Content-Disposition", `attachment; filename="`+c.Name+`-result.jsonl"`)
	h.Set("Content-Length", strconv.FormatInt(r.Bytes, 10))
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"`+r.SHA256+`"`)
	if v.r.Method == http.MethodHead {
		return nil
	}
	return a.cfg.Store.WriteResult(v.r.Context(), c, v.w)
}

// castVote gives an entry a vote in a ballot other than plain support.
func (a *app) castVote(v *visit) error {
	c, ok, err := v.challenge()
	if !ok {
		return err
	}
	back := localPath(v.r.PostForm.Get("back"))
	if !strings.HasPrefix(back, challengePath(c)) && !strings.HasPrefix(back, "/ideas/") {
		back = challengePath(c)
	}
	id, err := strconv.ParseInt(v.r.PostForm.Get("entry"), 10, 64)
	if err != nil || id <= 0 {
		return refuse(http.StatusNotFound, "read the entry voted for", err)
	}
	if v.member == nil {
		return v.askToSignIn(back)
	}
	if accepted, err := v.requireTerms(c.Spec.Terms); !accepted {
		return err
	}
	var points *int
	if raw := v.r.PostForm.Get("points"); raw != "" && v.r.PostForm.Get("withdraw") == "" {
		n, err := strconv.Atoi(raw)
		if err != nil {
			n = math.MaxInt32 // out of any bounds
		}
		points = &n
	}
	err = a.cfg.Store.Vote(v.r.Context(), v.member.ID, id, points)
	var barred *ideas.BarredError
	switch {
	case errors.As(err, &barred):
		return v.votedInVain(barred, back, fmt.Sprintf("entry-%d", id))
	case err != nil:
		return fmt.Errorf("vote: %w", err)
	}
	if v.r.Header.Get("HX-Request") == "" {
		return v.redirect(back + fmt.Sprintf("#entry-%d", id))
	}
	return a.renderVoted(v, id, back)
}

// votedInVain tells why a vote does not count.
func (v *visit) votedInVain(barred *ideas.BarredError, back, id string) error {
	v.setFlash(barredFlashes[barred.Code])
	return v.redirect(back + "#" + id)
}

// barredFlashes are barredKeys for the page that somebody comes back to.
var barredFlashes = map[string]string{
	ideas.BarredPhase: "flash.barred.phase", ideas.BarredClosed: "flash.barred.closed", ideas.BarredPaused: "flash.barred.paused",
	ideas.BarredCancelled: "flash.barred.cancelled", ideas.BarredEligibility: "flash.barred.eligibility",
	ideas.BarredEntry: "flash.barred.entry", ideas.BarredSpent: "flash.barred.spent", ideas.BarredPoints: "flash.barred.points",
}

// renderVoted shows the vote anew, and beside it what is left.
func (a *app) renderVoted(v *visit, id int64, back string) error {
	e, c, err := a.cfg.Store.EntryOf(v.r.Context(), v.member.ID, id)
	if err != nil {
		return fmt.Errorf("read the entry: %w", err)
	}
	v.here = back
	ballot, err := v.ballotView(c)
	if err != nil {
		return err
	}
	ballot.OutOfBand = true
	return v.render(http.StatusOK, "voted", struct {
		Entry  *entryBallot
		Ballot ballotView
	}{v.entryBallot(c, e), ballot})
}

// entryPage is the form of an entry.
type entryPage struct {
	page
	Path, Challenge string
	Key             string
	Idea, Body      field
	Fields          []formField
	// Files tells that the form takes some.
	Files bool
	Wrong int
	// Barred says why nothing can be entered, with the input kept.
	Barred    string
	SignedOut bool
	Until     string
}

func (v *visit) entryPage(c *ideas.Challenge) entryPage {
	v.here = challengePath(c) + "/enter"
	p := entryPage{page: v.page(v.t("entry.title")), Path: challengePath(c), Challenge: v.local(c.Spec.Title)}
	p.Section, p.Hidden, p.Files = "challenges", true, len(fileInputs(c.Spec.Form)) > 0
	if end, ok := c.SubmitEnd(); ok {
		if now := v.app.now(); end.After(now) {
			p.Until = v.t("challenge.until", "Duration", v.duration(end.Sub(now)))
		}
	}
	return p
}

// newEntry shows the form, or why there is none.
func (a *app) newEntry(v *visit) error {
	c, ok, err := v.challenge()
	if !ok {
		return err
	}
	if !takesEntries(c) {
		return refuse(http.StatusNotFound, "find the form of challenge "+c.Name, nil)
	}
	if v.member == nil {
		return v.askToSignIn(v.r.URL.RequestURI())
	}
	if accepted, err := v.requireTerms(c.Spec.Terms); !accepted {
		return err
	}
	part, err := v.partView(c)
	if err != nil {
		return err
	}
	if part.Enter == "" {
		return v.redirect(challengePath(c) + "#part")
	}
	p := v.entryPage(c)
	p.Key = rand.Text()
	p.Fields = v.formFields(c.Spec.Form, nil, nil)
	return v.renderPrivate(http.StatusOK, "enter", p)
}

func takesEntries(c *ideas.Challenge) bool {
	return c.Spec.Type == control.TypeContest || c.Spec.Type == control.TypeIdeation || c.Spec.Type == control.TypeMission
}

// submitEntry enters an idea, or shows the form again with what is wrong and all that was typed.
func (a *app) submitEntry(v *visit) error {
	c, ok, err := v.challenge()
	if !ok {
		return err
	}
	if !takesEntries(c) {
		return refuse(http.StatusNotFound, "find the form of challenge "+c.Name, nil)
	}
	files, wrongFiles, done, err := a.entryFiles(v, c)
	if err != nil {
		return err
	}
	defer done()
	form := v.r.PostForm
	typed := typedFields(c.Spec.Form, form)
	p := v.entryPage(c)
	p.Key, p.Idea.Value, p.Body.Value = formKey(v.r), clean(form.Get("title")), cleanText(form.Get("body"))
	if v.member == nil {
		p.SignedOut, p.Fields = true, v.formFields(c.Spec.Form, typed, nil)
		return v.renderPrivate(http.StatusUnauthorized, "enter", p)
	}
	content := ideas.Content{Title: p.Idea.Value, Body: p.Body.Value}
	var idea ideas.Idea
	if len(wrongFiles) == 0 {
		idea, err = a.cfg.Store.SubmitEntry(v.r.Context(), v.member.ID, c, p.Key, content, typed, files...)
	} else {
		_, contentErr := content.Clean(false)
		_, err = ideas.CleanForm(c.Spec.Form, typed)
		err = errors.Join(contentErr, err)
	}
	if text := v.barredText(err); text != "" {
		p.Barred, p.Fields = text, v.formFields(c.Spec.Form, typed, nil)
		return v.renderPrivate(http.StatusForbidden, "enter", p)
	}
	if wrong := fieldErrors(err); len(wrong)+len(wrongFiles) > 0 {
		for name := range wrongFiles {
			delete(wrong, name)
		}
		p.Wrong, p.Fields = len(wrong)+len(wrongFiles), v.formFields(c.Spec.Form, typed, wrong)
		for i := range p.Fields {
			if problem := wrongFiles[p.Fields[i].Name]; problem != "" {
				p.Fields[i].Error = problem
			}
		}
		p.Idea.Error, p.Body.Error = v.fieldText(wrong["title"]), v.fieldText(wrong["body"])
		return v.renderPrivate(http.StatusUnprocessableEntity, "enter", p)
	}
	if err != nil {
		return fmt.Errorf("submit entry: %w", err)
	}
	if idea.State == ideas.StatePending {
		v.setFlash("flash.entry.pending")
		return v.redirect(challengePath(c))
	}
	v.setFlash("flash.entered")
	return v.redirect(ideaPath(idea))
}

// entryFiles reads the files of a form that takes some, and with them its texts. What is wrong with a file is told by the
// input's name. done lets the next request read files.
func (a *app) entryFiles(v *visit, c *ideas.Challenge) (files []ideas.FormFile, wrong map[string]string, done func(), err error) {
	inputs := fileInputs(c.Spec.Form)
	if len(inputs) == 0 || !strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, nil, func() {}, nil
	}
	if done, err = a.mayUpload(v.r.Context()); err != nil {
		return nil, nil, nil, err
	}
	form, err := readUploads(v.w, v.r, inputs...)
	if err != nil {
		done()
		return nil, nil, nil, err
	}
	v.r.PostForm, wrong = form.values, map[string]string{}
	for _, f := range c.Spec.Form {
		input := ideas.InputName(f.Name)
		u, sent := form.files[input]
		if f.Type != ideas.FieldFile || !sent {
			continue
		}
		file, content, problem := v.cleanUpload(u)
		if problem != "" {
			wrong[input] = problem
			continue
		}
		file.Field = f.Name
		files = append(files, ideas.FormFile{Attachment: file, Content: content})
	}
	return files, wrong, done, nil
}

// fileInputs are the names of the inputs of a form that take a file.
func fileInputs(fields []control.FormField) []string {
	var names []string
	for _, f := range fields {
		if f.Type == ideas.FieldFile {
			names = append(names, ideas.InputName(f.Name))
		}
	}
	return names
}

// ideaEntry is what an idea's own page shows of its challenge.
type ideaEntry struct {
	contestEntry
	Challenge challengeLink
	Status    string
	Ballot    *ballotView
	Mine      *entryBallot
	// Won is the rank in words, with its public reason.
	Won, WonReason string
	// Released tells that the rights are the author's again, Exclusive the author when they will be.
	Released  bool
	Exclusive string
}

// ideaEntry is nil for an idea outside of challenges, and where its challenge is in force no more.
func (v *visit) ideaEntry(idea ideas.Idea) (*ideaEntry, error) {
	if idea.Challenge == 0 {
		return nil, nil // nothing to show is no error
	}
	e, c, err := v.app.cfg.Store.EntryOf(v.r.Context(), v.viewer(), idea.ID)
	if errors.Is(err, ideas.ErrNotFound) {
		return nil, nil // as above
	}
	if err != nil {
		return nil, fmt.Errorf("read the entry: %w", err)
	}
	v.app.cfg.Store.Saw(v.viewer(), c, e.ID)
	card := v.challengeCard(c)
	entry := &ideaEntry{contestEntry: v.contestEntry(c, e), Challenge: challengeLink{card.URL, card.Title}, Status: card.Status, Released: e.Released}
	entry.Mine = entry.contestEntry.Ballot
	if entry.Mine != nil {
		ballot, err := v.ballotView(c)
		if err != nil {
			return nil, err
		}
		entry.Ballot = &ballot
	}
	if e.Rank > 0 {
		entry.Won, entry.WonReason = v.lang.catalog.Plural("winner.rank", int64(e.Rank)), e.WonReason
	}
	at, returns := c.ReleaseAt(v.site.location)
	if returns && !e.Released && e.State == ideas.StateNotSelected && v.viewer() == idea.Author.ID {
		entry.Exclusive = v.t("entry.exclusive", "Brand", v.site.text(v.site.Name, v.lang), "Date", v.lang.catalog.Date(at))
	}
	return entry, nil
}
