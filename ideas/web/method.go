package web

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// methodRoutes are the pages of the methods beside ideation, apart from the team's.
func (a *app) methodRoutes() map[string]handle {
	all := map[string]handle{}
	for _, part := range []map[string]handle{
		a.recruitingRoutes(), a.surveyRoutes(), a.testRoutes(), a.forumRoutes(), a.workshopRoutes(), a.missionRoutes(), a.methodTeamRoutes(),
	} {
		for pattern, h := range part {
			all[pattern] = h
		}
	}
	return all
}

// methodHandle is a handler of a page that belongs to a challenge.
type methodHandle func(v *visit, c *ideas.Challenge) error

// method runs a handler for a challenge that has the part. Forms are for members; so are pages that concern one. What
// the challenge's terms protect is shown once they are accepted.
func (a *app) method(has func(control.Challenge) bool, forMembers bool, h methodHandle) handle {
	return a.unprotected(has, forMembers, func(v *visit, c *ideas.Challenge) error {
		if v.r.Method == http.MethodPost && v.r.PostForm.Get("back") == "" {
			v.r.PostForm.Set("back", challengePath(c))
		}
		// The brand's team knows what it keeps in confidence.
		if !v.roles.May(ideas.MaySeeTeam) {
			if accepted, err := v.requireTerms(c.Spec.Terms); !accepted {
				return err
			}
		}
		return h(v, c)
	})
}

// unprotected is method without the terms.
func (a *app) unprotected(has func(control.Challenge) bool, forMembers bool, h methodHandle) handle {
	return func(v *visit) error {
		find := v.challenge
		if v.r.Method != http.MethodPost && !forMembers {
			find = v.challengeOrArchived // what was written stays to be read
		}
		c, ok, err := find()
		if !ok {
			return err
		}
		if !has(c.Spec) {
			return refuse(http.StatusNotFound, "find a part of challenge "+c.Name, nil)
		}
		if v.member == nil && (forMembers || v.r.Method == http.MethodPost) {
			back := challengePath(c)
			if v.r.Method == http.MethodGet {
				back = v.r.URL.RequestURI()
			}
			return v.askToSignIn(back)
		}
		return h(v, c)
	}
}

// What a challenge must have for a page to exist.
func hasRecruiting(c control.Challenge) bool  { return c.Recruiting != nil }
func hasSurvey(c control.Challenge) bool      { return c.Survey != nil }
func hasConceptTest(c control.Challenge) bool { return c.ConceptTest != nil }
func hasBetaTest(c control.Challenge) bool    { return c.BetaTest != nil }
func hasForum(c control.Challenge) bool       { return c.Forum != nil || c.Mission != nil }
func hasWorkshop(c control.Challenge) bool    { return c.Workshop != nil }
func hasMission(c control.Challenge) bool     { return c.Mission != nil }

// turnedAway tells a member why nothing came of a form, and leads on; handled is false for other errors.
func (v *visit) turnedAway(err error, path string) (handled bool, answer error) {
	switch {
	case errors.Is(err, ideas.ErrClosed):
		v.setFlash("flash.closed")
	case errors.Is(err, ideas.ErrFull):
		v.setFlash("flash.full")
	case v.barredText(err) != "":
		v.setFlash("flash.barred")
	default:
		return false, nil
	}
	return true, v.redirect(path)
}

// done leads on after a form: with the flash where it worked, with the reason where it was turned away.
func (v *visit) done(err error, flash, path, attempted string) error {
	if handled, answer := v.turnedAway(err, path); handled {
		return answer
	}
	if err != nil {
		return fmt.Errorf("%s: %w", attempted, err)
	}
	v.setFlash(flash)
	return v.redirect(path)
}

// methodPage is what pages below a challenge have.
type methodPage struct {
	page
	Heading string
	// Back leads to the challenge, Challenge is its title.
	Back, Challenge string
	// Wrong is the number of fields at fault.
	Wrong int
}

func (v *visit) methodPage(c *ideas.Challenge, path, heading string) methodPage {
	v.here = path
	p := methodPage{page: v.page(heading), Heading: heading, Back: challengePath(c), Challenge: v.local(c.Spec.Title)}
	p.Section, p.Hidden = "challenges", true
	return p
}

// pathNumber is a number of the address.
func (v *visit) pathNumber(name string) (int64, error) {
	id, err := strconv.ParseInt(v.r.PathValue(name), 10, 64)
	if err != nil || id <= 0 {
		return 0, refuse(http.StatusNotFound, "read "+name+" of the address", err)
	}
	return id, nil
}

// formNumber is a number that a form has, 0 where it has none.
func (v *visit) formNumber(name string) int64 {
	n, err := strconv.ParseInt(v.r.PostForm.Get(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// selectedFor tells whether a challenge that selects whom it lets take part has selected the visitor.
func (v *visit) selectedFor(c *ideas.Challenge) (bool, error) {
	if c.Spec.Recruiting == nil {
		return true, nil
	}
	if v.member == nil {
		return false, nil
	}
	has, err := v.app.cfg.Store.HasChallengeRole(v.r.Context(), c.ID, v.member.ID)
	if err != nil {
		return false, fmt.Errorf("read role: %w", err)
	}
	return has, nil
}

// allows tells whether the challenge takes something now.
func (v *visit) allows(c *ideas.Challenge, actions ...ideas.Action) bool {
	for _, action := range actions {
		if c.Allows(v.app.now(), action) {
			return true
		}
	}
	return false
}

func (v *visit) signInPath(path string) string {
	return "/sign-in?" + url.Values{"returnTo": {localPath(path)}}.Encode()
}

// dateTime in the community's time zone.
func (v *visit) dateTime(t time.Time) string { return v.lang.catalog.DateTime(t.In(v.site.location)) }

// obstacles that keep the visitor from taking part, in words.
func (v *visit) obstacles(c *ideas.Challenge) ([]string, error) {
	if v.member == nil || !c.Restricted() {
		return nil, nil
	}
	p, err := v.app.cfg.Store.Participant(v.r.Context(), v.member.ID, c)
	if err != nil {
		return nil, fmt.Errorf("read what eligibility asks for: %w", err)
	}
	var texts []string
	for _, o := range c.Obstacles(p) {
		texts = append(texts, v.obstacleText(o))
	}
	return texts, nil
}

// termsNeeded leads to the terms that a visitor has to accept before anything of the challenge is shown; empty for none.
func (v *visit) termsNeeded(c *ideas.Challenge) (string, error) {
	if len(v.site.TermsNamed(c.Spec.Terms...)) == 0 || v.roles.May(ideas.MaySeeTeam) {
		return "", nil
	}
	path := "/terms/acceptance?" + url.Values{"name": c.Spec.Terms, "returnTo": {challengePath(c)}}.Encode()
	if v.member == nil {
		return path, nil
	}
	missing, err := v.app.cfg.Store.AcceptedTerms(v.r.Context(), v.member.ID, c.Spec.Terms)
	if err != nil {
		return "", fmt.Errorf("look for accepted terms: %w", err)
	}
	if len(missing) == 0 {
		return "", nil
	}
	return path, nil
}

// methodBody shows what the challenge's type shows, after what keeps the visitor from taking part. Before its terms are
// accepted that is the call for applications alone.
func (a *app) methodBody(show challengeBody) challengeBody {
	return func(v *visit, c *ideas.Challenge) (template.HTML, error) {
		gate := struct {
			Obstacles []string
			Terms     string
			Recruit   *recruitPanel
		}{}
		var err error
		if gate.Obstacles, err = v.obstacles(c); err != nil {
			return "", err
		}
		if gate.Terms, err = v.termsNeeded(c); err != nil {
			return "", err
		}
		if gate.Terms != "" {
			if gate.Recruit, err = v.recruitPanel(c); err != nil {
				return "", err
			}
		}
		notice, err := v.part("method-gate", gate)
		if err != nil || gate.Terms != "" {
			return notice, err
		}
		body, err := show(v, c)
		return notice + body, err
	}
}
