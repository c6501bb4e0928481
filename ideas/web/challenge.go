package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// challengeRoutes are the pages of challenges.
func (a *app) challengeRoutes() map[string]handle {
	return map[string]handle{
		"GET /challenges":        a.listChallenges,
		"GET /challenges/{name}": a.showChallenge,
	}
}

// challengeBody makes the part of a challenge's page that belongs to its type.
type challengeBody func(v *visit, c *ideas.Challenge) (template.HTML, error)

// challengeBodies by type. A type without one shows its brief and its phases.
func (a *app) challengeBodies() map[string]challengeBody {
	survey := func(v *visit, c *ideas.Challenge) (template.HTML, error) { return a.surveyBody(v, c, nil, nil) }
	mission := func(v *visit, c *ideas.Challenge) (template.HTML, error) { return a.missionBody(v, c, "", nil) }
	return map[string]challengeBody{
		control.TypeIdeation: a.showContest, control.TypeContest: a.showContest,
		control.TypeSurvey: a.methodBody(survey), control.TypeConceptTest: a.methodBody(a.conceptBody), control.TypeBetaTest: a.methodBody(a.testBody),
		control.TypeForum: a.methodBody(a.forumBody), control.TypeWorkshop: a.methodBody(a.workshopBody), control.TypeMission: a.methodBody(mission),
	}
}

// part renders a template that stands inside a page.
func (v *visit) part(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	if err := v.app.templates[v.lang.catalog.Tag].ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("render %s: %w", name, err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // html/template has escaped it
}

// challengePage is the frame of every challenge: what it is about, its phases, and what its type shows.
type challengePage struct {
	page
	Challenge challengeCard
	Heading   string
	Brief     template.HTML
	Timeline  []phaseStep
	TimeZone  string
	// Notice says why the challenge is paused or cancelled, or that it is archived.
	Notice string
	// Body belongs to the type.
	Body template.HTML
	// Follow is nil for who is not signed in.
	Follow *followView
}

// challengeCard is a challenge in a list.
type challengeCard struct {
	Name, URL, Title string
	// Type and TypeText: "contest" and what people call it.
	Type, TypeText string
	Theme          string
	Excerpt        string
	// Phase by its name, and Status as people read it.
	Phase, Status string
	Stage         ideas.Stage
	// Until says how long the phase goes on, or when the next begins; empty where nothing changes by itself.
	Until   string
	UntilAt moment
}

// phaseStep is one phase of the timeline.
type phaseStep struct {
	// Text is the phase's name, Does what happens in it.
	Text, Does    string
	Start, End    string
	MachineStart  string
	Current, Past bool
}

// programme in force.
func (v *visit) programme() *ideas.Programme { return v.app.programme(v.r.Context()) }

// challenge of the address that the visitor may see. Whoever is not signed in is asked to where only members may see it;
// ok is false once an answer has been sent.
func (v *visit) challenge() (c *ideas.Challenge, ok bool, err error) {
	c = v.programme().Challenge(v.r.PathValue("name"))
	if c == nil {
		return nil, false, refuse(http.StatusNotFound, "find challenge", nil)
	}
	return v.seen(c)
}

// challengeOrArchived is challenge, and the archived one of the name where none is in force.
func (v *visit) challengeOrArchived() (c *ideas.Challenge, ok bool, err error) {
	if v.programme().Challenge(v.r.PathValue("name")) != nil {
		return v.challenge()
	}
	c, err = v.app.cfg.Store.ArchivedChallenge(v.r.Context(), v.r.PathValue("name"))
	switch {
	case errors.Is(err, ideas.ErrNotFound):
		return nil, false, refuse(http.StatusNotFound, "find challenge", nil)
	case err != nil:
		return nil, false, fmt.Errorf("find archived challenge: %w", err)
	case c.Spec.Visibility == ideas.VisibleEligible && !v.roles.May(ideas.MaySeeTeam):
		// Nobody is eligible any more.
		return nil, false, refuse(http.StatusNotFound, "find challenge", nil)
	}
	return v.seen(c)
}

// seen is a challenge if the visitor may see it.
func (v *visit) seen(c *ideas.Challenge) (*ideas.Challenge, bool, error) {
	if v.member == nil && c.Spec.Visibility != "" && c.Spec.Visibility != ideas.VisiblePublic {
		return nil, false, v.askToSignIn(v.r.URL.RequestURI())
	}
	may, err := v.app.cfg.Store.MaySeeChallenge(v.r.Context(), v.viewer(), c)
	if err != nil {
		return nil, false, fmt.Errorf("look who may see the challenge: %w", err)
	}
	if !may {
		return nil, false, refuse(http.StatusNotFound, "find challenge", nil)
	}
	return c, true, nil
}

// listChallenges shows what is open, what comes, and what has been.
func (a *app) listChallenges(v *visit) error {
	v.here = "/challenges"
	p := challengesPage{page: v.page(v.t("challenges.title"))}
	p.Section = "challenges"
	list, err := v.visibleChallenges()
	if err != nil {
		return err
	}
	for _, c := range list {
		card := v.challengeCard(c)
		switch card.Stage {
		case ideas.StageOpen:
			p.Open = append(p.Open, card)
		case ideas.StageUpcoming:
			p.Upcoming = append(p.Upcoming, card)
		default:
			p.Past = append(p.Past, card)
		}
	}
	return v.render(http.StatusOK, "challenges", p)
}

type challengesPage struct {
	page
	Open, Upcoming, Past []challengeCard
}

// maxChallenges bounds the challenges of a page.
const maxChallenges = 200

// visibleChallenges are those that the visitor may know of: what is open first, what closes first before others, then
// what comes, and what has been with the latest first.
func (v *visit) visibleChallenges() ([]*ideas.Challenge, error) {
	now := v.app.now()
	var list []*ideas.Challenge
	for _, c := range v.programme().Challenges {
		may, err := v.app.cfg.Store.MaySeeChallenge(v.r.Context(), v.viewer(), c)
		if err != nil {
			return nil, fmt.Errorf("look who may see challenge %s: %w", c.Name, err)
		}
		if may {
			list = append(list, c)
		}
	}
	order := []ideas.Stage{ideas.StageOpen, ideas.StageUpcoming, ideas.StagePast}
	slices.SortStableFunc(list, func(x, y *ideas.Challenge) int {
		stage := x.StageAt(now)
		if d := slices.Index(order, stage) - slices.Index(order, y.StageAt(now)); d != 0 {
			return d
		}
		if stage == ideas.StagePast {
			return lastMoment(y).Compare(lastMoment(x))
		}
		return nextMoment(x, now).Compare(nextMoment(y, now))
	})
	return list[:min(len(list), maxChallenges)], nil
}

// never stands for changes that do not come.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func nextMoment(c *ideas.Challenge, now time.Time) time.Time {
	if next, ok := c.NextChange(now); ok {
		return next
	}
	return never
}

func lastMoment(c *ideas.Challenge) time.Time {
	if end, ok := c.End(); ok {
		return end
	}
	return c.DeclaredAt
}

func (v *visit) challengeCard(c *ideas.Challenge) challengeCard {
	now := v.app.now()
	card := challengeCard{
		Name: c.Name, URL: challengePath(c), Title: v.site.text(c.Spec.Title, v.lang), Type: c.Spec.Type, TypeText: v.t(typeKeys[c.Spec.Type]),
		Theme: v.themeText(c.Spec.Theme), Excerpt: v.app.markdown.excerpt(v.site.text(c.Spec.Brief, v.lang)),
		Phase: c.PhaseName(now), Stage: c.StageAt(now),
	}
	card.Status = v.t(phaseKeys[card.Phase])
	next, ok := c.NextChange(now)
	if !ok || card.Phase == ideas.PhasePaused || card.Phase == ideas.PhaseCancelled {
		return card
	}
	card.UntilAt = v.moment(next)
	if _, running := c.PhaseAt(now); running {
		card.Until = v.t("challenge.until", "Duration", v.duration(next.Sub(now)))
	} else {
		card.Until = v.t("challenge.begins", "Duration", v.duration(next.Sub(now)))
	}
	return card
}

// duration in the largest unit that says enough: days, hours or minutes, rounded up.
func (v *visit) duration(d time.Duration) string {
	c := v.lang.catalog
	switch {
	case d <= time.Hour:
		return c.Plural("duration.minutes", int64((d+time.Minute-1)/time.Minute))
	case d <= 48*time.Hour:
		return c.Plural("duration.hours", int64((d+time.Hour-1)/time.Hour))
	}
	return c.Plural("duration.days", int64((d+24*time.Hour-1)/(24*time.Hour)))
}

// showChallenge shows one.
func (a *app) showChallenge(v *visit) error {
	c, ok, err := v.challengeOrArchived()
	if !ok {
		return err
	}
	var body template.HTML
	if show := a.challengeBodies()[c.Spec.Type]; show != nil {
		if body, err = show(v, c); err != nil {
			return err
		}
	}
	return a.renderChallenge(v, http.StatusOK, c, body)
}

// renderChallenge shows a challenge with what its type shows, such as a form with what is wrong in it.
func (a *app) renderChallenge(v *visit, status int, c *ideas.Challenge, body template.HTML) error {
	v.here = challengePath(c)
	title := v.site.text(c.Spec.Title, v.lang)
	p := challengePage{
		page: v.page(title), Challenge: v.challengeCard(c), Heading: title,
		Brief: a.markdown.html(v.site.longText(c.Spec.Brief, v.lang), ideaHeading), TimeZone: v.site.location.String(), Body: body,
	}
	p.Section, p.Hidden = "challenges", c.Spec.Visibility != "" && c.Spec.Visibility != ideas.VisiblePublic
	p.Timeline = v.timeline(c)
	var err error
	if p.Follow, err = v.followOf(ideas.FollowChallenge, c.ID); err != nil {
		return err
	}
	switch p.Challenge.Phase {
	case ideas.PhasePaused:
		p.Notice = v.site.text(c.Spec.Paused, v.lang)
	case ideas.PhaseCancelled:
		p.Notice = v.site.text(c.Spec.Cancelled, v.lang)
	case ideas.PhaseArchived:
		p.Notice = v.t("challenge.archived", "When", v.moment(c.ArchivedAt).Full)
	}
	return v.render(status, "challenge", p)
}

// timeline is every phase in order, in the community's time zone.
func (v *visit) timeline(c *ideas.Challenge) []phaseStep {
	now := v.app.now()
	var steps []phaseStep
	for _, phase := range c.Phases {
		step := phaseStep{
			Text: v.t(phaseKeys[phase.Name]), Does: v.t(phaseDoes[phase.Name]), Start: v.lang.catalog.DateTime(phase.Start.In(v.site.location)),
			MachineStart: phase.Start.UTC().Format(time.RFC3339),
			Past:         !phase.End.IsZero() && !now.Before(phase.End),
		}
		if !phase.End.IsZero() {
			step.End = v.lang.catalog.DateTime(phase.End.In(v.site.location))
		}
		if !c.DecidedAt.IsZero() && !c.DecidedAt.Before(phase.Start) {
			step.Past = true // the decision ended what was left of it
		}
		step.Current = !now.Before(phase.Start) && !step.Past
		steps = append(steps, step)
	}
	return steps
}

func (v *visit) themeText(name string) string {
	if name == "" || v.site.House == nil {
		return ""
	}
	for _, theme := range v.site.House.Themes {
		if theme.Name == name {
			return v.site.text(theme.Title, v.lang)
		}
	}
	return ""
}

func challengePath(c *ideas.Challenge) string { return "/challenges/" + url.PathEscape(c.Name) }

// typeKeys are the message keys of what people call a challenge.
var typeKeys = map[string]string{
	control.TypeIdeation: "challenge.type.ideation", control.TypeContest: "challenge.type.contest",
	control.TypeConceptTest: "challenge.type.concept_test", control.TypeBetaTest: "challenge.type.beta_test",
	control.TypeSurvey: "challenge.type.survey", control.TypeForum: "challenge.type.forum",
	control.TypeWorkshop: "challenge.type.workshop", control.TypeMission: "challenge.type.mission",
}

// phaseKeys are the message keys of phases.
var phaseKeys = map[string]string{
	control.PhaseRecruiting: "phase.recruiting", control.PhaseOpen: "phase.open", control.PhaseScreening: "phase.screening",
	control.PhaseVoting: "phase.voting", control.PhaseJury: "phase.jury", control.PhaseRewarding: "phase.rewarding",
	control.PhaseImplementing: "phase.implementing", ideas.PhaseScheduled: "phase.scheduled", ideas.PhaseBetween: "phase.between",
	ideas.PhaseDecided: "phase.decided", ideas.PhaseClosed: "phase.closed", ideas.PhasePaused: "phase.paused", ideas.PhaseCancelled: "phase.cancelled",
	ideas.PhaseArchived: "phase.archived",
}

// phaseDoes are the message keys of what happens in a declared phase.
var phaseDoes = map[string]string{
	control.PhaseRecruiting: "phase.recruiting.does", control.PhaseOpen: "phase.open.does", control.PhaseScreening: "phase.screening.does",
	control.PhaseVoting: "phase.voting.does", control.PhaseJury: "phase.jury.does", control.PhaseRewarding: "phase.rewarding.does",
	control.PhaseImplementing: "phase.implementing.does",
}

// homeChallenges is the number of open challenges that the home page shows.
const homeChallenges = 3

// openChallenges are those that the home page invites to.
func (v *visit) openChallenges() ([]challengeCard, error) {
	list, err := v.visibleChallenges()
	if err != nil {
		return nil, err
	}
	var open []challengeCard
	for _, c := range list {
		if card := v.challengeCard(c); card.Stage == ideas.StageOpen && len(open) < homeChallenges {
			open = append(open, card)
		}
	}
	return open, nil
}
