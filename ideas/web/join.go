package web

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// joinRoutes are the pages that make a member of somebody.
func (a *app) joinRoutes() map[string]handle {
	return map[string]handle{
		"GET /join":                         a.showJoin,
		"POST /join":                        a.join,
		"GET " + InvitationPath:             a.showInvitation,
		"POST " + InvitationPath:            a.takeInvitation,
		"GET /invitations":                  a.member(a.showInvitations),
		"POST /invitations":                 a.member(a.invite),
		"POST /invitations/{id}/withdrawal": a.member(a.withdrawInvitation),
		"GET " + GuardianPath:               a.showGuardian,
		"POST " + GuardianPath:              a.answerGuardian,
		"POST /account/guardian":            a.member(a.askGuardian),
	}
}

// Paths that mails and members hand on, with "?token=" and a token behind them.
const (
	InvitationPath = "/invitation"
	GuardianPath   = "/guardian"
)

// invitationLifetime is how long a browser remembers an invitation until somebody signs in with it.
const invitationLifetime = 7 * 24 * time.Hour

// member runs a handler for who is signed in; others sign in first.
func (a *app) member(h handle) handle {
	return func(v *visit) error {
		if v.member != nil {
			return h(v)
		}
		back := v.r.URL.RequestURI()
		if v.r.Method != http.MethodGet {
			back = localPath(v.r.PostForm.Get("back"))
		}
		return v.askToSignIn(back)
	}
}

// openPaths begin the addresses that are there for everybody: for strangers of a closed community, for the blocked, and for
// those who have still to answer something.
var openPaths = []string{"/sign-in", "/sign-out", "/join", InvitationPath, GuardianPath, UnsubscribePath, "/terms", "/account"}

func isOpenPath(path string) bool {
	for _, open := range openPaths {
		if path == open || strings.HasPrefix(path, open+"/") {
			return true
		}
	}
	return false
}

// detour is what is shown instead of a page to somebody who may not see it, or not yet; nil for nothing.
func (a *app) detour(v *visit) handle {
	if isOpenPath(v.r.URL.Path) {
		return nil
	}
	back := "/"
	if v.r.Method == http.MethodGet {
		back = v.r.URL.RequestURI()
	}
	switch {
	case v.member == nil && v.site.closed():
		return func(v *visit) error { return v.askToSignIn(back) }
	case v.member == nil:
		return nil
	case v.member.Blocked(a.now()):
		return a.showBlocked
	case v.site.requirements.Digest != "" && v.member.JoinedUnder != v.site.requirements.Digest:
		return func(v *visit) error { return v.redirect(joinPath(back)) }
	}
	return nil
}

func joinPath(returnTo string) string {
	return "/join?" + url.Values{"returnTo": {localPath(returnTo)}}.Encode()
}

type joinPage struct {
	page
	ReturnTo   string
	Terms      []termsView
	Attributes []attributeView
	// Age asks for a birth date, Guardian also for a guardian's address below the age.
	Age           bool
	GuardianBelow int
	Born          field
	Guardian      field
	Wrong         int
	// Again tells that the member has joined before, and is asked for what is new.
	Again bool
}

// termsView is a text to accept.
type termsView struct {
	Hash, Title, Kind, Version string
	Text                       template.HTML
	Accepted                   bool
	Error                      string
}

// attributeView is something that a member may say of themselves.
type attributeView struct {
	Name, Label, Consent string
	Options              []optionView
	Multiple, Required   bool
	// Value is that of an attribute without options.
	Value string
	Given bool
	Since string
	Error string
}

type optionView struct {
	Name, Label string
	Chosen      bool
}

// termsKinds are the message keys of kinds of terms.
var termsKinds = map[string]string{
	"participation": "terms.participation", "assignment": "terms.assignment", "licence": "terms.licence",
	"creativeCommons": "terms.creative_commons", "nonDisclosure": "terms.non_disclosure",
}

func (v *visit) termsViews(list []ideas.TermsVersion) []termsView {
	views := make([]termsView, len(list))
	for i, t := range list {
		_, text := t.TextIn(v.lang.Tag)
		views[i] = termsView{Hash: t.Hash, Title: v.termsTitle(t.Kind), Kind: t.Kind, Version: clean(t.Version), Text: v.app.markdown.html(text, termsHeading)}
	}
	return views
}

// termsHeading is the level at which the headings of terms begin.
const termsHeading = 3

func (v *visit) termsTitle(kind string) string {
	if key := termsKinds[kind]; key != "" {
		return v.t(key)
	}
	return v.t("terms.other")
}

func (v *visit) attributeView(a control.Attribute, values []string) attributeView {
	view := attributeView{
		Name: a.Name, Label: v.site.text(a.Label, v.lang), Consent: v.site.text(a.Consent, v.lang), Multiple: a.Multiple, Required: a.Required,
	}
	chosen := map[string]bool{}
	for _, value := range values {
		chosen[value] = true
	}
	for _, o := range a.Options {
		view.Options = append(view.Options, optionView{o.Name, v.site.text(o.Label, v.lang), chosen[o.Name]})
	}
	if len(a.Options) == 0 && len(values) > 0 {
		view.Value = clean(values[0])
	}
	return view
}

func (v *visit) joinPage(j ideas.Joining, returnTo string) joinPage {
	v.here = joinPath(returnTo)
	p := joinPage{
		page: v.page(v.t("join.title")), ReturnTo: localPath(returnTo), Terms: v.termsViews(j.Terms), Age: j.Age,
		GuardianBelow: v.site.requirements.GuardianBelow, Again: v.member.JoinedUnder != "",
	}
	for _, a := range j.Attributes {
		p.Attributes = append(p.Attributes, v.attributeView(a, nil))
	}
	p.Hidden = true
	return p
}

// showJoin asks for what the house wants to know of everybody, or goes on where that is nothing.
func (a *app) showJoin(v *visit) error {
	returnTo := v.r.URL.Query().Get("returnTo")
	if v.member == nil {
		return v.askToSignIn(localPath(returnTo))
	}
	j, err := a.cfg.Store.Joining(v.r.Context(), v.member.ID)
	if err != nil {
		return fmt.Errorf("look what joining asks for: %w", err)
	}
	if j.Done() {
		return v.redirect(localPath(returnTo))
	}
	return v.renderPrivate(http.StatusOK, "join", v.joinPage(j, returnTo))
}

func (a *app) join(v *visit) error {
	form := v.r.PostForm
	if v.member == nil {
		return v.askToSignIn(localPath(form.Get("returnTo")))
	}
	j, err := a.cfg.Store.Joining(v.r.Context(), v.member.ID)
	if err != nil {
		return fmt.Errorf("look what joining asks for: %w", err)
	}
	answers := ideas.JoinAnswers{
		Locale: v.lang.Tag, Born: clean(form.Get("born")), GuardianEmail: clean(form.Get("guardian")), Accepted: form["accept"],
		Attributes: map[string][]string{},
	}
	for _, one := range j.Attributes {
		answers.Attributes[one.Name] = filled(form["attribute."+one.Name])
	}
	err = a.cfg.Store.Join(v.r.Context(), v.member.ID, answers)
	if errors.Is(err, ideas.ErrTooYoung) {
		v.setCookie(sessionCookie, "", 0)
		v.member, v.session, v.here = nil, "", "/"
		return v.render(http.StatusForbidden, "message", v.message(v.t("join.too_young.title"),
			v.lang.catalog.Plural("join.too_young.text", int64(v.site.requirements.MinimumAge))))
	}
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return v.renderPrivate(http.StatusUnprocessableEntity, "join", v.joinAgain(j, answers, wrong))
	}
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	v.setFlash("flash.joined")
	return v.redirect(localPath(form.Get("returnTo")))
}

// joinAgain is the form with what was answered and what is wrong with it.
func (v *visit) joinAgain(j ideas.Joining, answers ideas.JoinAnswers, wrong map[string]*ideas.FieldError) joinPage {
	p := v.joinPage(j, v.r.PostForm.Get("returnTo"))
	p.Wrong = len(wrong)
	p.Born = field{answers.Born, v.joinText(wrong["born"])}
	p.Guardian = field{answers.GuardianEmail, v.joinText(wrong["guardian"])}
	for i := range p.Terms {
		for _, hash := range answers.Accepted {
			p.Terms[i].Accepted = p.Terms[i].Accepted || hash == p.Terms[i].Hash
		}
		if wrong["terms."+p.Terms[i].Hash] != nil {
			p.Terms[i].Error = v.t("join.terms.required")
		}
	}
	for i, one := range j.Attributes {
		p.Attributes[i] = v.attributeView(one, answers.Attributes[one.Name])
		p.Attributes[i].Error = v.fieldText(wrong["attribute."+one.Name])
	}
	return p
}

// joinText is fieldText for what only joining asks for.
func (v *visit) joinText(e *ideas.FieldError) string {
	switch {
	case e == nil:
		return ""
	case e.Field == "guardian" && e.Code == "own":
		return v.t("join.guardian.own")
	case e.Field == "guardian" && e.Code == "invalid":
		return v.t("error.email.invalid")
	case e.Field == "guardian" && e.Code == "required":
		return v.t("join.guardian.required")
	}
	return v.fieldText(e)
}

// filled leaves out empty values.
func filled(values []string) []string {
	var kept []string
	for _, v := range values {
		if v = clean(v); v != "" {
			kept = append(kept, v)
		}
	}
	return kept
}

// messagePage says one thing.
type messagePage struct {
	page
	Heading, Text string
}

func (v *visit) message(heading, text string) messagePage {
	p := messagePage{page: v.page(heading), Heading: heading, Text: text}
	p.Hidden = true
	return p
}

type invitationPage struct {
	page
	Token string
	// Inviter is nil where the invitation no longer works.
	Inviter *memberView
	Text    string
}

// showInvitation welcomes somebody who was invited. Nothing is used up by looking.
func (a *app) showInvitation(v *visit) error {
	v.w.Header().Set("Referrer-Policy", linkReferrer)
	p := invitationPage{page: v.page(v.t("invitation.title")), Token: token(v.r.URL.Query().Get("token"))}
	p.Hidden, p.SignIn, p.Canonical, p.Alternates = true, "", "", nil
	inviter, err := a.cfg.Store.Inviter(v.r.Context(), p.Token)
	if errors.Is(err, ideas.ErrLinkSpent) {
		v.here = "/"
		return v.renderPrivate(http.StatusGone, "message", v.message(v.t("invitation.spent.title"), v.t("invitation.spent.text")))
	}
	if err != nil {
		return fmt.Errorf("look who invites: %w", err)
	}
	who := v.person(inviter.ID, inviter.Name)
	p.Inviter, p.Text = &who, v.t("invitation.text", "Name", who.Name, "Brand", p.Brand)
	return v.renderPrivate(http.StatusOK, "invitation", p)
}

// takeInvitation remembers the invitation in this browser and leads to signing in.
func (a *app) takeInvitation(v *visit) error {
	if v.member != nil {
		return v.redirect("/")
	}
	v.setCookie(invitationCookie, token(v.r.PostForm.Get("token")), invitationLifetime)
	return v.redirect("/sign-in")
}

type invitationsPage struct {
	accountPage
	Note   field
	Made   string
	List   []invitationView
	Joined int
	// Full tells that no more can be made for now.
	Full bool
}

type invitationView struct {
	ID      int64
	Note    string
	Expires string
	Joined  *memberView
	Open    bool
}

func (a *app) invitationsPage(v *visit) (invitationsPage, error) {
	v.here = "/invitations"
	p := invitationsPage{accountPage: v.accountPage("invitations", v.t("invitations.title"))}
	list, joined, err := a.cfg.Store.Invitations(v.r.Context(), v.member.ID)
	if err != nil {
		return p, fmt.Errorf("list invitations: %w", err)
	}
	p.Joined = joined
	for _, i := range list {
		view := invitationView{ID: i.ID, Note: clean(i.Note), Open: i.UsedAt.IsZero() && i.ExpiresAt.After(a.now())}
		view.Expires = v.lang.catalog.Date(i.ExpiresAt.In(v.site.location))
		if i.UsedBy.ID != 0 {
			who := v.person(i.UsedBy.ID, i.UsedBy.Name)
			view.Joined = &who
		}
		p.List = append(p.List, view)
	}
	return p, nil
}

func (a *app) showInvitations(v *visit) error {
	p, err := a.invitationsPage(v)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "invitations", p)
}

// invite shows the new link in its answer: it is stored as a hash, and nobody sees it again.
func (a *app) invite(v *visit) error {
	limit := ideas.MaxInvitations
	if v.roles.May(ideas.MaySeeTeam) {
		limit = ideas.MaxTeamInvitations
	}
	note := clean(v.r.PostForm.Get("note"))
	made, err := a.cfg.Store.Invite(v.r.Context(), v.member.ID, note, limit)
	wrong := fieldErrors(err)
	if err != nil && len(wrong) == 0 && !errors.Is(err, ideas.ErrTooMany) {
		return fmt.Errorf("invite somebody: %w", err)
	}
	p, pageErr := a.invitationsPage(v)
	if pageErr != nil {
		return pageErr
	}
	if len(wrong) > 0 {
		p.Note = field{note, v.fieldText(wrong["note"])}
		return v.renderPrivate(http.StatusUnprocessableEntity, "invitations", p)
	}
	if err != nil {
		p.Full = true
		return v.renderPrivate(http.StatusTooManyRequests, "invitations", p)
	}
	p.Made = v.site.BaseURL + InvitationPath + "?" + url.Values{"token": {made}}.Encode()
	return v.renderPrivate(http.StatusOK, "invitations", p)
}

func (a *app) withdrawInvitation(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	if err := a.cfg.Store.WithdrawInvitation(v.r.Context(), v.member.ID, id); err != nil {
		return fmt.Errorf("withdraw an invitation: %w", err)
	}
	v.setFlash("flash.saved")
	return v.redirect("/invitations")
}
