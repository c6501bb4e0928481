package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

func (a *app) apiChallengeRoutes() []apiRoute {
	return []apiRoute{
		{method: "GET", path: "/challenges", scope: ideas.ScopeRead, public: true, handle: (*apiCall).listChallenges},
		{method: "GET", path: "/challenges/{name}", scope: ideas.ScopeRead, public: true, handle: (*apiCall).getChallenge},
	}
}

// programme in force; empty where there is none.
func (a *app) programme(ctx context.Context) *ideas.Programme {
	if a.cfg.Programme == nil {
		return &ideas.Programme{}
	}
	return a.cfg.Programme.Programme(ctx)
}

type apiChallenge struct {
	Name  string            `json:"name"`
	Type  string            `json:"type"`
	Title map[string]string `json:"title"`
	Brief map[string]string `json:"brief,omitempty"`
	Theme string            `json:"theme,omitempty"`
	Phase string            `json:"phase"`
	// NextChange is the moment of the next phase; absent when none follows.
	NextChange *time.Time `json:"nextChange,omitempty"`
	Phases     []apiPhase `json:"phases"`
}

type apiPhase struct {
	Name  string     `json:"name"`
	Start time.Time  `json:"start"`
	End   *time.Time `json:"end,omitempty"`
}

// maySee tells whether a challenge may be shown. Those for eligible members only are the pages' to show, where terms are
// accepted first.
func (c *apiCall) maySee(challenge *ideas.Challenge) bool {
	switch challenge.Spec.Visibility {
	case "", ideas.VisiblePublic:
		return true
	case ideas.VisibleMembers:
		return c.member != nil
	default:
		return c.roles.May(ideas.MaySeeTeam)
	}
}

func (c *apiCall) challenge(challenge *ideas.Challenge) apiChallenge {
	now := c.app.now()
	out := apiChallenge{
		Name: challenge.Name, Type: challenge.Spec.Type, Title: challenge.Spec.Title,
		Theme: challenge.Spec.Theme, Phase: challenge.PhaseName(now), Phases: []apiPhase{},
	}
	// What is under terms is shown on the page, where they are accepted.
	if len(challenge.Spec.Terms) == 0 || c.roles.May(ideas.MaySeeTeam) {
		out.Brief = challenge.Spec.Brief
	}
	if next, ok := challenge.NextChange(now); ok {
		next = next.UTC()
		out.NextChange = &next
	}
	for _, p := range challenge.Phases {
		phase := apiPhase{Name: p.Name, Start: p.Start.UTC()}
		if !p.End.IsZero() {
			end := p.End.UTC()
			phase.End = &end
		}
		out.Phases = append(out.Phases, phase)
	}
	return out
}

func (c *apiCall) listChallenges() error {
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	after, err := readIDCursor(c.r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	items, next := []apiChallenge{}, ""
	var last int64
	// The newest come first: the cursor is the last one shown.
	for _, challenge := range c.app.programme(c.ctx()).Challenges {
		if after > 0 && challenge.ID >= after || !c.maySee(challenge) {
			continue
		}
		if len(items) == limit {
			next = idCursor(last)
			break
		}
		items, last = append(items, c.challenge(challenge)), challenge.ID
	}
	return sendList(c, slices.Clip(items), next)
}

func (c *apiCall) getChallenge() error {
	challenge := c.app.programme(c.ctx()).Challenge(c.r.PathValue("name"))
	if challenge == nil || !c.maySee(challenge) {
		return ideas.ErrNotFound
	}
	return c.send(http.StatusOK, c.challenge(challenge))
}
