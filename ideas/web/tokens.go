package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

const tokensPath = "/profile/tokens"

// tokenRoutes are the pages for programs: a member's tokens, and what the API is.
func (a *app) tokenRoutes() map[string]handle {
	return map[string]handle{
		"GET " + tokensPath:              a.showTokens,
		"POST " + tokensPath:             a.makeToken,
		"POST " + tokensPath + "/revoke": a.revokeToken,
		"GET /api":                       a.showAPI,
	}
}

type tokensPage struct {
	page
	Tokens []tokenView
	// Made is the secret of the token just made; it is shown once.
	Made string
	Name field
	// Scopes to choose from, and what is wrong with the choice.
	Scopes      []scopeView
	ScopesError string
	Days        []dayView
	Full        bool
}

type tokenView struct {
	ID           int64
	Name, Hint   string
	Scopes       []string
	Expires      moment
	Used         *moment
	RevokeAction string
}

type scopeView struct {
	Name, Label, Hint string
	Chosen            bool
}

type dayView struct {
	Days   int
	Chosen bool
}

// tokenDays are the lifetimes to choose from.
var tokenDays = []int{7, 30, 90, ideas.MaxTokenDays}

// defaultTokenDays is long enough for a trial and short enough to be forgotten safely.
const defaultTokenDays = 30

func (v *visit) tokensPage(name field, scopes []ideas.Scope, days int) (tokensPage, error) {
	v.here = tokensPath
	p := tokensPage{page: v.page(v.t("tokens.title")), Name: name}
	p.Hidden, p.Section = true, "tokens"
	tokens, err := v.app.cfg.Store.ListTokens(v.r.Context(), v.member.ID)
	if err != nil {
		return p, fmt.Errorf("list tokens: %w", err)
	}
	p.Full = len(tokens) >= ideas.MaxTokens
	for _, t := range tokens {
		view := tokenView{ID: t.ID, Name: clean(t.Name), Hint: t.Hint, Expires: v.moment(t.ExpiresAt), RevokeAction: tokensPath + "/revoke"}
		for _, s := range t.Scopes {
			view.Scopes = append(view.Scopes, v.scopeText(s))
		}
		if !t.UsedAt.IsZero() {
			used := v.moment(t.UsedAt)
			view.Used = &used
		}
		p.Tokens = append(p.Tokens, view)
	}
	for _, s := range ideas.Scopes() {
		if s == ideas.ScopeTeam && !v.roles.May(ideas.MaySeeTeam) {
			continue
		}
		p.Scopes = append(p.Scopes, scopeView{string(s), v.scopeText(s), v.scopeHint(s), slices.Contains(scopes, s)})
	}
	for _, n := range tokenDays {
		p.Days = append(p.Days, dayView{n, n == days})
	}
	return p, nil
}

func (v *visit) scopeText(s ideas.Scope) string {
	switch s {
	case ideas.ScopeRead:
		return v.t("tokens.scope.read")
	case ideas.ScopeWrite:
		return v.t("tokens.scope.write")
	default:
		return v.t("tokens.scope.team")
	}
}

func (v *visit) scopeHint(s ideas.Scope) string {
	switch s {
	case ideas.ScopeRead:
		return v.t("tokens.scope.read.hint")
	case ideas.ScopeWrite:
		return v.t("tokens.scope.write.hint")
	default:
		return v.t("tokens.scope.team.hint")
	}
}

func (a *app) showTokens(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(tokensPath)
	}
	p, err := v.tokensPage(field{}, []ideas.Scope{ideas.ScopeRead}, defaultTokenDays)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "tokens", p)
}

// makeToken shows the token at once: a redirect would have to keep it somewhere.
func (a *app) makeToken(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(tokensPath)
	}
	form := v.r.PostForm
	name := field{Value: clean(form.Get("name"))}
	var scopes []ideas.Scope
	for _, s := range form["scope"] {
		scopes = append(scopes, ideas.Scope(s))
	}
	days, err := strconv.Atoi(form.Get("days"))
	if err != nil || !slices.Contains(tokenDays, days) {
		days = defaultTokenDays
	}
	if slices.Contains(scopes, ideas.ScopeTeam) && !v.roles.May(ideas.MaySeeTeam) {
		return refuse(http.StatusForbidden, "make a token for the team's side", nil)
	}
	_, secret, err := a.cfg.Store.IssueToken(v.r.Context(), v.member.ID, name.Value, scopes, days)
	wrong := fieldErrors(err)
	if err != nil && len(wrong) == 0 {
		return fmt.Errorf("issue token: %w", err)
	}
	status := http.StatusCreated
	if err != nil {
		status = http.StatusUnprocessableEntity
		name.Error = v.fieldText(wrong["name"])
		if e := wrong["name"]; e != nil && e.Code == "too_many" {
			name.Error = v.lang.catalog.Plural("tokens.full", ideas.MaxTokens)
		}
	} else {
		name, scopes, days = field{}, []ideas.Scope{ideas.ScopeRead}, defaultTokenDays
	}
	p, pageErr := v.tokensPage(name, scopes, days)
	if pageErr != nil {
		return pageErr
	}
	p.Made, p.ScopesError = secret, v.scopesError(wrong["scopes"])
	return v.renderPrivate(status, "tokens", p)
}

func (v *visit) scopesError(e *ideas.FieldError) string {
	if e == nil {
		return ""
	}
	return v.t("tokens.scopes.required")
}

func (a *app) revokeToken(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(tokensPath)
	}
	id, err := strconv.ParseInt(v.r.PostForm.Get("id"), 10, 64)
	if err != nil {
		return refuse(http.StatusNotFound, "read number of token", err)
	}
	err = a.cfg.Store.RevokeToken(v.r.Context(), v.member.ID, id)
	if err != nil && !errors.Is(err, ideas.ErrNotFound) {
		return fmt.Errorf("revoke token: %w", err)
	}
	// One that is gone already is revoked all the same.
	v.setFlash("flash.token_revoked")
	return v.redirect(tokensPath)
}
