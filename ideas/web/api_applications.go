package web

import (
	"fmt"
	"net/http"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

func (a *app) apiApplicationRoutes() []apiRoute {
	const own, candidates, team = "/challenges/{name}/application", "/challenges/{name}/applications", "/team/challenges/{name}"
	return []apiRoute{
		{method: "GET", path: own, scope: ideas.ScopeRead, handle: (*apiCall).getApplication},
		{method: "PUT", path: own, scope: ideas.ScopeWrite, handle: (*apiCall).apply},
		{method: "DELETE", path: own, scope: ideas.ScopeWrite, handle: (*apiCall).withdrawApplication},
		{method: "GET", path: candidates, scope: ideas.ScopeRead, public: true, handle: (*apiCall).listCandidates},
		{method: "PUT", path: candidates + "/{id}/vote", scope: ideas.ScopeWrite, handle: func(c *apiCall) error { return c.voteApplication(true) }},
		{method: "DELETE", path: candidates + "/{id}/vote", scope: ideas.ScopeWrite, handle: func(c *apiCall) error { return c.voteApplication(false) }},
		{method: "GET", path: team + "/applications", scope: ideas.ScopeTeam, needs: ideas.MayDecide, handle: (*apiCall).listApplications},
		{method: "POST", path: team + "/applications/{id}/decision", scope: ideas.ScopeTeam, needs: ideas.MayDecide, handle: (*apiCall).decideApplication},
		{method: "POST", path: team + "/selection", scope: ideas.ScopeTeam, needs: ideas.MayDecide, handle: (*apiCall).closeSelection},
	}
}

// apiApplication is an application as its member, the team, or the community sees it.
type apiApplication struct {
	ID        int64                  `json:"id"`
	Member    apiAuthor              `json:"member"`
	Answers   ideas.Answers          `json:"answers"`
	State     ideas.ApplicationState `json:"state"`
	Votes     int                    `json:"votes"`
	CreatedAt time.Time              `json:"createdAt"`
	// Voted tells whether the caller has voted for it.
	Voted bool `json:"voted"`
	// Reason is what the applicant is told, and Place that in the waiting list: for the applicant and the team.
	Reason    string     `json:"reason,omitempty"`
	Place     int        `json:"place,omitempty"`
	DecidedAt *time.Time `json:"decidedAt,omitempty"`
	// Segments are the team's to see.
	Segments ideas.Segments `json:"segments,omitempty"`
}

// application shows all that its member and the team may know; segments only to the team.
func (c *apiCall) application(a ideas.Application, segments bool) apiApplication {
	out := apiApplication{
		ID: a.ID, Member: c.author(a.Member), Answers: a.Answers, State: a.State, Votes: a.Votes, CreatedAt: a.CreatedAt.UTC(), Voted: a.Voted,
		Reason: cleanText(a.Reason), Place: a.Place, DecidedAt: utc(a.DecidedAt),
	}
	if segments {
		out.Segments = a.Segments
	}
	if out.Answers == nil {
		out.Answers = ideas.Answers{}
	}
	return out
}

// candidate shows what everybody may know: no private answers, and nothing that only the applicant is told.
func (c *apiCall) candidate(challenge *ideas.Challenge, a ideas.Application) apiApplication {
	shown := ideas.Answers{}
	for _, f := range challenge.Spec.Recruiting.Questions {
		if !f.Private && len(a.Answers[f.Name]) > 0 {
			shown[f.Name] = a.Answers[f.Name]
		}
	}
	a.Answers, a.Reason, a.Place, a.DecidedAt = shown, "", 0, time.Time{}
	return c.application(a, false)
}

// recruiting is the challenge of the address, with a call for applications.
func (c *apiCall) recruiting() (*ideas.Challenge, error) {
	challenge, err := c.findChallenge()
	if err == nil && !hasRecruiting(challenge.Spec) {
		err = ideas.ErrNotFound
	}
	return challenge, err
}

func (c *apiCall) getApplication() error {
	challenge, err := c.recruiting()
	if err != nil {
		return err
	}
	mine, err := c.app.cfg.Store.MyApplication(c.ctx(), challenge, c.member.ID)
	if err != nil {
		return fmt.Errorf("read application: %w", err)
	}
	return c.send(http.StatusOK, c.application(mine, false))
}

// apply submits an application, or changes the one that was submitted.
func (c *apiCall) apply() error {
	challenge, err := c.recruiting()
	if err != nil {
		return err
	}
	var body struct {
		Answers ideas.Answers `json:"answers"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	mine, err := c.app.cfg.Store.Apply(c.ctx(), challenge, c.member.ID, body.Answers)
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	return c.send(http.StatusOK, c.application(mine, false))
}

func (c *apiCall) withdrawApplication() error {
	challenge, err := c.recruiting()
	if err != nil {
		return err
	}
	if err := c.app.cfg.Store.WithdrawApplication(c.ctx(), challenge, c.member.ID); err != nil {
		return fmt.Errorf("withdraw application: %w", err)
	}
	return c.send(http.StatusNoContent, nil)
}

// listCandidates is for calls whose applicants the community votes for; the most votes come first.
func (c *apiCall) listCandidates() error {
	challenge, err := c.recruiting()
	if err != nil {
		return err
	}
	if challenge.Spec.Recruiting.Selection != ideas.SelectionVote {
		return ideas.ErrNotFound
	}
	return c.sendApplications(ideas.ApplicationQuery{Challenge: challenge.ID, ByVotes: true}, func(a ideas.Application) apiApplication { return c.candidate(challenge, a) })
}

// sendApplications answers with a page. The cursor is an offset in the order of votes, else the last number.
func (c *apiCall) sendApplications(q ideas.ApplicationQuery, show func(ideas.Application) apiApplication) error {
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	if q.After, err = readIDCursor(c.r.URL.Query().Get("cursor")); err != nil {
		return err
	}
	limit = min(limit, ideas.MaxPage-1)
	q.Limit = limit + 1
	list, err := c.app.cfg.Store.ListApplications(c.ctx(), c.viewer(), q)
	if err != nil {
		return fmt.Errorf("list applications: %w", err)
	}
	next := ""
	if len(list) > limit {
		list = list[:limit]
		next = idCursor(list[limit-1].ID)
		if q.ByVotes {
			next = idCursor(q.After + int64(limit))
		}
	}
	items := make([]apiApplication, len(list))
	for n, a := range list {
		items[n] = show(a)
	}
	return sendList(c, items, next)
}

func (c *apiCall) voteApplication(vote bool) error {
	challenge, err := c.recruiting()
	if err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	if _, err := c.app.cfg.Store.VoteApplication(c.ctx(), challenge, id, c.member.ID, vote); err != nil {
		return fmt.Errorf("vote for application: %w", err)
	}
	a, err := c.app.cfg.Store.GetApplication(c.ctx(), challenge, c.member.ID, id)
	if err != nil {
		return fmt.Errorf("read application: %w", err)
	}
	return c.send(http.StatusOK, c.candidate(challenge, a))
}

func (c *apiCall) listApplications() error {
	challenge, err := c.recruiting()
	if err != nil {
		return err
	}
	state := ideas.ApplicationState(c.r.URL.Query().Get("state"))
	if state != "" && applicationTexts[state] == "" {
		return &ideas.FieldError{Field: "state", Code: "invalid"}
	}
	return c.sendApplications(ideas.ApplicationQuery{Challenge: challenge.ID, State: state}, func(a ideas.Application) apiApplication { return c.application(a, true) })
}

func (c *apiCall) decideApplication() error {
	challenge, err := c.recruiting()
	if err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	var body struct {
		State  ideas.ApplicationState `json:"state"`
		Reason string                 `json:"reason"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	switch body.State {
	case ideas.ApplicationSelected, ideas.ApplicationWaiting, ideas.ApplicationRefused:
	default:
		return &ideas.FieldError{Field: "state", Code: "invalid"}
	}
	if err := c.app.cfg.Store.DecideApplication(c.ctx(), c.member.ID, challenge, id, body.State, body.Reason); err != nil {
		return fmt.Errorf("decide on application: %w", err)
	}
	a, err := c.app.cfg.Store.GetApplication(c.ctx(), challenge, c.member.ID, id)
	if err != nil {
		return fmt.Errorf("read application: %w", err)
	}
	return c.send(http.StatusOK, c.application(a, true))
}

// closeSelection fills the places that are left, and answers with how many stand where.
func (c *apiCall) closeSelection() error {
	challenge, err := c.recruiting()
	if err != nil {
		return err
	}
	var body struct {
		Reason string `json:"reason"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	if err := c.app.cfg.Store.CloseSelection(c.ctx(), c.member.ID, challenge, body.Reason); err != nil {
		return fmt.Errorf("close selection: %w", err)
	}
	counts, err := c.app.cfg.Store.CountApplications(c.ctx(), challenge.ID)
	if err != nil {
		return fmt.Errorf("count applications: %w", err)
	}
	return c.send(http.StatusOK, counts)
}
