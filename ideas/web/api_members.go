package web

import (
	"fmt"
	"net/http"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

func (a *app) apiMemberRoutes() []apiRoute {
	return []apiRoute{
		{method: "GET", path: "/me", scope: ideas.ScopeRead, handle: (*apiCall).me},
		// Only with a token, so that reading many of them is somebody's.
		{method: "GET", path: "/members/{id}", scope: ideas.ScopeRead, handle: (*apiCall).getMember},
	}
}

type apiMember struct {
	ID       int64     `json:"id"`
	Name     string    `json:"name"`
	Level    int       `json:"level"`
	JoinedAt time.Time `json:"joinedAt"`
}

func (c *apiCall) memberOf(m ideas.Member) apiMember {
	return apiMember{m.ID, c.author(ideas.Author{ID: m.ID, Name: m.Name}).Name, m.Level, m.CreatedAt.UTC()}
}

func (c *apiCall) me() error {
	type apiToken struct {
		Name      string        `json:"name"`
		Scopes    []ideas.Scope `json:"scopes"`
		ExpiresAt time.Time     `json:"expiresAt"`
	}
	roles := c.roles
	if roles == nil {
		roles = ideas.Roles{}
	}
	return c.send(http.StatusOK, struct {
		apiMember
		Email  string      `json:"email,omitempty"`
		Locale string      `json:"locale"`
		Roles  ideas.Roles `json:"roles"`
		Token  apiToken    `json:"token"`
	}{c.memberOf(*c.member), c.member.Email, c.member.Locale, roles, apiToken{c.token.Name, c.token.Scopes, c.token.ExpiresAt.UTC()}})
}

func (c *apiCall) getMember() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	m, err := c.app.cfg.Store.PublicMember(c.ctx(), id)
	if err != nil {
		return fmt.Errorf("read member: %w", err)
	}
	return c.send(http.StatusOK, c.memberOf(m))
}
