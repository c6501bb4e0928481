package web

import (
	"context"
	"fmt"
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

// maySee tells whether the caller may know of a challenge.
func (c *apiCall) maySee(challenge *ideas.Challenge) (bool, error) {
	may, err := c.app.cfg.Store.MaySeeChallenge(c.ctx(), c.viewer(), challenge)
	if err != nil {
		return false, fmt.Errorf("look who may see the challenge: %w", err)
	}
	return may, nil
}

// maySeeBrief tells whether the caller has accepted what the brief is shown under.
func (c *apiCall) maySeeBrief(challenge *ideas.Challenge) (bool, error) {
	switch {
	case len(challenge.Spec.Terms) == 0 || c.roles.May(ideas.MaySeeTeam):
		return true, nil
	case c.member == nil, len(c.site.TermsNamed(challenge.Spec.Terms...)) < len(challenge.Spec.Terms):
		return false, nil
	}
	p, err := c.app.cfg.Store.Participant(c.ctx(), c.member.ID, challenge)
	if err != nil {
		return false, fmt.Errorf("look for accepted terms: %w", err)
	}
	return p.AcceptedTerms, nil
}

func (c *apiCall) challenge(challenge *ideas.Challenge) (apiChallenge, error) {
	now := c.app.now()
	out := apiChallenge{
		Name: challenge.Name, Type: challenge.Spec.Type, Title: challenge.Spec.Title,
		Theme: challenge.Spec.Theme, Phase: challenge.PhaseName(now), Phases: []apiPhase{},
	}
	// Terms are accepted on the page.
	if shown, err := c.maySeeBrief(challenge); err != nil {
		return out, err
	} else if shown {
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
	return out, nil
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
		if after > 0 && challenge.ID >= after {
			continue
		}
		if may, err := c.maySee(challenge); err != nil {
			return err
		} else if !may {
			continue
		}
		if len(items) == limit {
			next = idCursor(last)
			break
		}
		item, err := c.challenge(challenge)
		if err != nil {
			return err
		}
		items, last = append(items, item), challenge.ID
	}
	return sendList(c, slices.Clip(items), next)
}

func (c *apiCall) getChallenge() error {
	challenge, err := c.findChallenge()
	if err != nil {
		return err
	}
	out, err := c.challenge(challenge)
	if err != nil {
		return err
	}
	return c.send(http.StatusOK, out)
}
