package web

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/quaeso/community-operator/ideas"
)

func (a *app) workshopRoutes() map[string]handle {
	return map[string]handle{
		"GET /challenges/{name}/sessions/{session}":              a.method(hasWorkshop, false, a.showSession),
		"GET /challenges/{name}/sessions/{session}/calendar.ics": a.method(hasWorkshop, false, a.sessionCalendar),
		"POST /challenges/{name}/sessions/{session}/register":    a.method(hasWorkshop, true, a.register),
		"POST /challenges/{name}/sessions/{session}/unregister":  a.method(hasWorkshop, true, a.unregister),
		"POST /challenges/{name}/sessions/{session}/outcomes":    a.method(hasWorkshop, true, a.addOutcome),
	}
}

// sessionView is a session of a workshop.
type sessionView struct {
	Name, URL, Title, Place string
	// Link is set for who is registered.
	Link, LinkHost       string
	Start, End           string
	MachineStart         string
	Capacity, Taken      int
	Free, Waiting        int
	Mine                 string
	Queue                int
	Open, Past           bool
	Register, Unregister string
	Calendar             string
	Facilitator          bool
}

func sessionPath(c *ideas.Challenge, name string) string {
	return challengePath(c) + "/sessions/" + url.PathEscape(name)
}

// facilitates tells whether the visitor leads a session: the declared facilitator, or the team.
func (v *visit) facilitates(s ideas.Session) bool {
	return v.member != nil && (v.member.Email != "" && strings.EqualFold(v.member.Email, s.Facilitator) || v.roles.May(ideas.MayAnswer))
}

func (v *visit) sessionView(c *ideas.Challenge, s ideas.Session, places ideas.SessionPlaces) sessionView {
	now, path := v.app.now(), sessionPath(c, s.Name)
	one := sessionView{
		Name: s.Name, URL: path, Title: v.local(s.Title), Start: v.dateTime(s.Start), End: s.End.In(v.site.location).Format(v.t("date.clock")),
		MachineStart: s.Start.UTC().Format("2006-01-02T15:04:05Z"), Capacity: places.Capacity, Taken: places.Taken, Free: max(places.Capacity-places.Taken, 0),
		Waiting: places.Waiting, Mine: string(places.Mine), Queue: places.Place, Past: !now.Before(s.End),
		Open:     now.Before(s.Start) && v.allows(c, ideas.ActionRespond, ideas.ActionApply),
		Register: path + "/register", Unregister: path + "/unregister", Facilitator: v.facilitates(s),
	}
	if places.Mine == ideas.Registered || one.Facilitator {
		one.Place, one.Link, one.LinkHost, one.Calendar = v.local(s.Place), s.Link, hostOf(s.Link), path+"/calendar.ics"
	}
	return one
}

type workshopBody struct {
	Recruit  *recruitPanel
	Sessions []sessionView
	SignIn   string
}

func (a *app) workshopBody(v *visit, c *ideas.Challenge) (template.HTML, error) {
	places, err := a.cfg.Store.SessionPlaces(v.r.Context(), c, v.viewer())
	if err != nil {
		return "", fmt.Errorf("read places: %w", err)
	}
	b := workshopBody{}
	if b.Recruit, err = v.recruitPanel(c); err != nil {
		return "", err
	}
	if v.member == nil {
		b.SignIn = v.signInPath(challengePath(c))
	}
	for _, declared := range c.Spec.Workshop.Sessions {
		if s, ok := c.Session(declared.Name, v.site.location); ok {
			b.Sessions = append(b.Sessions, v.sessionView(c, s, places[s.Name]))
		}
	}
	return v.part("workshop-body", b)
}

type sessionPage struct {
	methodPage
	Session  sessionView
	Rounds   []roundView
	Outcomes []card
	// Facilitator sees who comes and keeps the outcomes.
	People   []registrationView
	Outcome  outcomeForm
	CanKeep  bool
	SignedIn bool
	SignIn   string
}

type roundView struct {
	Title, Start, End string
	Minutes           int
	Current, Past     bool
}

type registrationView struct {
	Person memberView
	Place  int
}

type outcomeForm struct {
	Action, Key string
	Title, Body field
}

func (v *visit) workshopSession(c *ideas.Challenge) (ideas.Session, error) {
	s, ok := c.Session(v.r.PathValue("session"), v.site.location)
	if !ok {
		return s, refuse(http.StatusNotFound, "find session of challenge "+c.Name, nil)
	}
	return s, nil
}

func (a *app) showSession(v *visit, c *ideas.Challenge) error {
	return a.renderSession(v, http.StatusOK, c, outcomeForm{Key: rand.Text()}, 0)
}

func (a *app) renderSession(v *visit, status int, c *ideas.Challenge, form outcomeForm, wrong int) error {
	s, err := v.workshopSession(c)
	if err != nil {
		return err
	}
	ctx, path := v.r.Context(), sessionPath(c, s.Name)
	places, err := a.cfg.Store.SessionPlaces(ctx, c, v.viewer())
	if err != nil {
		return fmt.Errorf("read places: %w", err)
	}
	p := sessionPage{
		methodPage: v.methodPage(c, path, v.local(s.Title)), Session: v.sessionView(c, s, places[s.Name]), Outcome: form, SignedIn: v.member != nil,
	}
	p.Wrong, p.Outcome.Action = wrong, path+"/outcomes"
	if v.member == nil {
		p.SignIn = v.signInPath(path)
	}
	now := v.app.now()
	clock := v.t("date.clock")
	for _, r := range s.Timetable() {
		p.Rounds = append(p.Rounds, roundView{
			Title: v.local(r.Title), Start: r.Start.In(v.site.location).Format(clock), End: r.End.In(v.site.location).Format(clock), Minutes: r.Minutes,
			Current: !now.Before(r.Start) && now.Before(r.End), Past: !now.Before(r.End),
		})
	}
	outcomes, err := a.cfg.Store.Outcomes(ctx, v.viewer(), c.ID, s.Name)
	if err != nil {
		return fmt.Errorf("list outcomes: %w", err)
	}
	p.Outcomes = v.cards(outcomes)
	if p.Session.Facilitator {
		p.CanKeep = !now.Before(s.Start)
		registrations, err := a.cfg.Store.Registrations(ctx, c.ID, s.Name)
		if err != nil {
			return fmt.Errorf("list registrations: %w", err)
		}
		for _, r := range registrations {
			p.People = append(p.People, registrationView{v.person(r.Member.ID, r.Member.Name), r.Place})
		}
	}
	return v.renderPrivate(status, "session", p)
}

func (a *app) register(v *visit, c *ideas.Challenge) error {
	s, err := v.workshopSession(c)
	if err != nil {
		return err
	}
	state, err := a.cfg.Store.Register(v.r.Context(), c, s.Name, v.member.ID)
	flash := "flash.registered"
	if state == ideas.Waiting {
		flash = "flash.waiting"
	}
	return v.done(err, flash, sessionPath(c, s.Name), "register")
}

func (a *app) unregister(v *visit, c *ideas.Challenge) error {
	s, err := v.workshopSession(c)
	if err != nil {
		return err
	}
	return v.done(a.cfg.Store.Unregister(v.r.Context(), c, s.Name, v.member.ID), "flash.unregistered", sessionPath(c, s.Name), "give place back")
}

func (a *app) addOutcome(v *visit, c *ideas.Challenge) error {
	s, err := v.workshopSession(c)
	if err != nil {
		return err
	}
	if !v.facilitates(s) {
		return refuse(http.StatusNotFound, "keep an outcome", nil)
	}
	form := outcomeForm{Key: formKey(v.r), Title: field{Value: clean(v.r.PostForm.Get("title"))}, Body: field{Value: cleanText(v.r.PostForm.Get("body"))}}
	_, err = a.cfg.Store.AddOutcome(v.r.Context(), v.member.ID, c, s.Name, form.Key, form.Title.Value, form.Body.Value)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		form.Title.Error, form.Body.Error = v.fieldText(wrong["title"]), v.fieldText(wrong["body"])
		return a.renderSession(v, http.StatusUnprocessableEntity, c, form, len(wrong))
	}
	return v.done(err, "flash.outcome", sessionPath(c, s.Name)+"#outcomes", "keep outcome")
}

// sessionCalendar is the session as a file for calendars, with place and link for who is registered.
func (a *app) sessionCalendar(v *visit, c *ideas.Challenge) error {
	s, err := v.workshopSession(c)
	if err != nil {
		return err
	}
	places, err := a.cfg.Store.SessionPlaces(v.r.Context(), c, v.viewer())
	if err != nil {
		return fmt.Errorf("read places: %w", err)
	}
	one := v.sessionView(c, s, places[s.Name])
	file := ideas.Calendar{
		UID: fmt.Sprintf("session-%d-%s@%s", c.ID, s.Name, normalHost(v.r.Host)), Title: one.Title, Description: v.site.BaseURL + sessionPath(c, s.Name),
		Place: one.Place, URL: one.Link, Start: s.Start, End: s.End, Stamp: c.DeclaredAt,
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="session.ics"`)
	h.Set("Cache-Control", "no-store")
	// A reader who has gone is no error of ours.
	_, _ = v.w.Write([]byte(file.String()))
	return nil
}
