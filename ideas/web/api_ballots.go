package web

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func (a *app) apiBallotRoutes() []apiRoute {
	return []apiRoute{
		{method: "GET", path: "/challenges/{name}/entries", scope: ideas.ScopeRead, public: true, handle: (*apiCall).listEntries},
		{method: "POST", path: "/challenges/{name}/entries", scope: ideas.ScopeWrite, handle: (*apiCall).createEntry},
		{method: "GET", path: "/challenges/{name}/ballot", scope: ideas.ScopeRead, public: true, handle: (*apiCall).getBallot},
		{method: "GET", path: "/challenges/{name}/ballot/votes", scope: ideas.ScopeRead, handle: (*apiCall).listVotes},
		{method: "GET", path: "/challenges/{name}/results", scope: ideas.ScopeRead, public: true, handle: (*apiCall).getResults},
		{method: "PUT", path: "/ideas/{id}/vote", scope: ideas.ScopeWrite, handle: (*apiCall).castVote},
		{method: "DELETE", path: "/ideas/{id}/vote", scope: ideas.ScopeWrite, handle: (*apiCall).withdrawVote},
	}
}

// findChallenge of the address that the caller may see.
func (c *apiCall) findChallenge() (*ideas.Challenge, error) {
	challenge := c.app.programme(c.ctx()).Challenge(c.r.PathValue("name"))
	if challenge == nil {
		return nil, ideas.ErrNotFound
	}
	may, err := c.maySee(challenge)
	if err == nil && !may {
		err = ideas.ErrNotFound
	}
	return challenge, err
}

// apiEntry is an idea in a challenge.
type apiEntry struct {
	Idea    apiIdea       `json:"idea"`
	Answers ideas.Answers `json:"answers,omitempty"`
	// Votes and Points of the ballot; absent while they are hidden, and where votes are plain support.
	Votes  *int   `json:"votes,omitempty"`
	Points *int64 `json:"points,omitempty"`
	// Own is what the caller gave; absent for nothing.
	Own        *int       `json:"own,omitempty"`
	VotesUntil *time.Time `json:"votesUntil,omitempty"`
	// Rung is the number of rungs of a ladder that it has reached, Deadline that of the next.
	Rung        int        `json:"rung,omitempty"`
	Deadline    *time.Time `json:"deadline,omitempty"`
	Shortlisted bool       `json:"shortlisted,omitempty"`
	// Rank among the winners, with the public Reason.
	Rank   int    `json:"rank,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Origin is the idea of an earlier challenge that it continues.
	Origin int64 `json:"origin,omitempty"`
}

// utc is a moment for an answer; nil for the zero time.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (c *apiCall) entry(challenge *ideas.Challenge, e ideas.Entry) apiEntry {
	out := apiEntry{
		Idea: c.idea(e.Idea), Answers: e.Answers, Own: e.Own, VotesUntil: utc(e.VotesUntil), Rung: e.Rung, Deadline: utc(e.Deadline),
		Shortlisted: e.Shortlisted, Rank: e.Rank, Reason: cleanText(e.WonReason),
	}
	// What the team sees is for tokens of its scope.
	if c.member != nil && e.Author.ID != c.member.ID && !c.token.May(ideas.ScopeTeam) {
		out.Answers = challenge.PublicAnswers(e.Answers)
	}
	switch {
	case challenge.Plain():
		if one := 1; e.Supported {
			out.Own = &one
		}
	case !challenge.CountsHidden(c.app.now()):
		out.Votes, out.Points = &e.Votes, &e.Points
	}
	if e.Origin != nil {
		out.Origin = e.Origin.ID
	}
	return out
}

func (c *apiCall) listEntries() error {
	challenge, err := c.findChallenge()
	if err != nil {
		return err
	}
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	asked := c.r.URL.Query()
	// The random order is a member's own, and one for all strangers.
	q := ideas.EntryQuery{
		Order: ideas.EntryOrder(asked.Get("order")), Seed: challenge.ID<<32 + c.viewer(), After: asked.Get("cursor"), Limit: limit,
		Shortlisted: asked.Get("shortlisted") == "true",
	}
	page, err := c.app.cfg.Store.ListEntries(c.ctx(), c.viewer(), challenge, q)
	if err != nil {
		return fmt.Errorf("list entries: %w", renamed(err, "after", "cursor"))
	}
	items := make([]apiEntry, len(page.Entries))
	for n, e := range page.Entries {
		items[n] = c.entry(challenge, e)
	}
	return sendList(c, items, page.Next)
}

func (c *apiCall) createEntry() error {
	challenge, err := c.findChallenge()
	if err != nil {
		return err
	}
	if !takesEntries(challenge) {
		return ideas.ErrNotFound
	}
	var body struct {
		Title   string        `json:"title"`
		Body    string        `json:"body"`
		Theme   string        `json:"theme"`
		Tags    []string      `json:"tags"`
		Answers ideas.Answers `json:"answers"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	content := ideas.Content{Title: body.Title, Body: body.Body, Theme: body.Theme, Tags: body.Tags}
	i, err := c.app.cfg.Store.SubmitEntry(c.ctx(), c.member.ID, challenge, c.key, content, body.Answers)
	if err != nil {
		return fmt.Errorf("submit an entry: %w", err)
	}
	c.w.Header().Set("Location", fmt.Sprintf("%s%s/ideas/%d", c.site.BaseURL, apiPath, i.ID))
	return c.send(http.StatusCreated, c.idea(i))
}

// apiBallot is how votes are given, and the caller's part.
type apiBallot struct {
	Kind    string `json:"kind"`
	Minimum int    `json:"minimum"`
	Maximum int    `json:"maximum"`
	// Allowance is absent where there is no bound.
	Allowance    int  `json:"allowance,omitempty"`
	CountsPoints bool `json:"countsPoints"`
	ByDay        bool `json:"byDay"`
	Open         bool `json:"open"`
	Hidden       bool `json:"hidden"`
	// Used of the allowance, and the caller's Pseudonym in the result; absent without a token.
	Used      *int   `json:"used,omitempty"`
	Pseudonym string `json:"pseudonym,omitempty"`
}

// ballotOf the challenge of the address; ideas.ErrNotFound for one without.
func (c *apiCall) ballotOf() (*ideas.Challenge, error) {
	challenge, err := c.findChallenge()
	if err == nil && challenge.Spec.Type != control.TypeIdeation && challenge.Spec.Type != control.TypeContest {
		err = ideas.ErrNotFound
	}
	return challenge, err
}

func (c *apiCall) getBallot() error {
	challenge, err := c.ballotOf()
	if err != nil {
		return err
	}
	rules, now := ideas.RulesOf(challenge.Ballot()), c.app.now()
	out := apiBallot{
		Kind: rules.Kind, Minimum: rules.Minimum, Maximum: rules.Maximum, Allowance: rules.Allowance, CountsPoints: rules.CountsPoints, ByDay: rules.ByDay,
		Open: challenge.Allows(now, ideas.ActionVote), Hidden: challenge.CountsHidden(now),
	}
	if c.member != nil {
		own, err := c.app.cfg.Store.OwnBallot(c.ctx(), c.member.ID, challenge)
		if err != nil {
			return fmt.Errorf("read a member's ballot: %w", err)
		}
		out.Used, out.Pseudonym = &own.Used, own.Pseudonym
	}
	return c.send(http.StatusOK, out)
}

func (c *apiCall) listVotes() error {
	challenge, err := c.ballotOf()
	if err != nil {
		return err
	}
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	votes, next, err := c.app.cfg.Store.OwnVotes(c.ctx(), c.member.ID, challenge, c.r.URL.Query().Get("cursor"), limit)
	if err != nil {
		return fmt.Errorf("list a member's votes: %w", err)
	}
	type apiVote struct {
		Idea   int64     `json:"idea"`
		Day    string    `json:"day,omitempty"`
		Points int       `json:"points"`
		At     time.Time `json:"at"`
	}
	items := make([]apiVote, len(votes))
	for n, v := range votes {
		items[n] = apiVote{v.Idea, v.Day, v.Points, v.At.UTC()}
	}
	return sendList(c, items, next)
}

// votedEntry is the entry of the address that the caller may see.
func (c *apiCall) votedEntry(id int64) (ideas.Entry, *ideas.Challenge, error) {
	if _, err := c.app.cfg.Store.GetIdea(c.ctx(), c.member.ID, id); err != nil {
		return ideas.Entry{}, nil, fmt.Errorf("get idea: %w", err)
	}
	e, challenge, err := c.app.cfg.Store.EntryOf(c.ctx(), c.member.ID, id)
	if err != nil {
		return e, nil, fmt.Errorf("read the entry: %w", err)
	}
	return e, challenge, nil
}

// castVote gives an entry points, or other points than before: 1 where the body is empty.
func (c *apiCall) castVote() error {
	body := struct {
		Points *int `json:"points"`
	}{}
	if c.r.ContentLength != 0 {
		if err := c.decode(&body); err != nil {
			return err
		}
	}
	one := 1
	if body.Points == nil {
		body.Points = &one
	}
	return c.vote(body.Points)
}

func (c *apiCall) withdrawVote() error { return c.vote(nil) }

// vote answers with the entry as it is afterwards.
func (c *apiCall) vote(points *int) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	_, challenge, err := c.votedEntry(id)
	if err != nil {
		return err
	}
	switch {
	case !challenge.Plain():
		err = c.app.cfg.Store.Vote(c.ctx(), c.member.ID, id, points)
	case points != nil && *points != 1:
		err = &ideas.BarredError{Action: ideas.ActionVote, Code: ideas.BarredPoints, Limit: 1}
	default:
		_, err = c.app.cfg.Store.SetSupport(c.ctx(), c.member.ID, id, points != nil)
	}
	if err != nil {
		return fmt.Errorf("vote: %w", err)
	}
	e, challenge, err := c.votedEntry(id)
	if err != nil {
		return err
	}
	return c.send(http.StatusOK, c.entry(challenge, e))
}

// apiResults are what came of a challenge: how the vote ended, and what was decided.
type apiResults struct {
	Vote    *apiVoteResult `json:"vote,omitempty"`
	Outcome *apiOutcome    `json:"outcome,omitempty"`
}

type apiVoteResult struct {
	ClosedAt time.Time `json:"closedAt"`
	// URL of the file from which anybody recomputes the ranking, and its hash.
	URL    string `json:"url"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Voters int    `json:"voters"`
}

type apiOutcome struct {
	DecidedAt time.Time   `json:"decidedAt"`
	Reason    string      `json:"reason"`
	Ties      string      `json:"ties,omitempty"`
	Winners   []apiWinner `json:"winners"`
}

type apiWinner struct {
	Idea   int64  `json:"idea"`
	Rank   int    `json:"rank"`
	Reason string `json:"reason"`
}

func (c *apiCall) getResults() error {
	challenge, err := c.findChallenge()
	if err != nil {
		return err
	}
	return c.sendResults(challenge)
}

func (c *apiCall) sendResults(challenge *ideas.Challenge) error {
	var out apiResults
	if challenge.VoteClosed(c.app.now()) {
		result, err := c.app.cfg.Store.Result(c.ctx(), challenge)
		if err != nil && !errors.Is(err, ideas.ErrNotFound) {
			return fmt.Errorf("read the result: %w", err)
		}
		if err == nil {
			out.Vote = &apiVoteResult{
				result.ClosedAt.UTC(), c.site.BaseURL + challengePath(challenge) + "/result.jsonl", result.SHA256, result.Bytes, result.Voters,
			}
		}
	}
	outcome, err := c.app.cfg.Store.OutcomeOf(c.ctx(), challenge)
	if err != nil && !errors.Is(err, ideas.ErrNotFound) {
		return fmt.Errorf("read the outcome: %w", err)
	}
	if err == nil {
		out.Outcome = &apiOutcome{DecidedAt: outcome.At.UTC(), Reason: cleanText(outcome.Reason), Ties: cleanText(outcome.Ties), Winners: []apiWinner{}}
		for _, w := range outcome.Winners {
			out.Outcome.Winners = append(out.Outcome.Winners, apiWinner{w.Entry, w.Rank, cleanText(w.Reason)})
		}
	}
	return c.send(http.StatusOK, out)
}
