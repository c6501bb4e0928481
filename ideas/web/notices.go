package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

// Paths that mails lead to.
const (
	NoticesPath        = "/notices"
	NoticeSettingsPath = "/account/notices"
	// UnsubscribePath is where mails lead that somebody wants no more of; "?token=" and a token follow.
	UnsubscribePath = "/unsubscribe"
)

// noticeRoutes are the pages of what members follow and are told of.
func (a *app) noticeRoutes() map[string]handle {
	return map[string]handle{
		"GET " + NoticesPath:            a.member(a.showNotices),
		"POST " + NoticesPath + "/read": a.member(a.readNotices),
		"GET " + NoticesPath + "/{id}":  a.member(a.openNotice),
		"GET " + NoticeSettingsPath:     a.member(a.showNoticeSettings),
		"POST " + NoticeSettingsPath:    a.member(a.saveNoticeSettings),
		"GET " + UnsubscribePath:        a.showUnsubscribe,
		"POST " + UnsubscribePath:       a.unsubscribe,
		"POST /follow/{kind}/{id}":      a.member(a.follow),
	}
}

// noticesLength is the number of notices on a page.
const noticesLength = 25

type noticesPage struct {
	accountPage
	List []noticeView
	// More leads to older ones; empty at the end.
	More string
	// Newest is up to where "all read" reads.
	Newest int64
	// AnyUnread tells whether there is something to mark.
	AnyUnread bool
}

type noticeView struct {
	ID     int64
	URL    string
	Text   string
	Detail string
	When   moment
	Read   bool
	Actor  *memberView
}

func (a *app) showNotices(v *visit) error {
	before, err := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	list, err := a.cfg.Store.Notices(v.r.Context(), v.member.ID, before, noticesLength+1)
	if err != nil {
		return fmt.Errorf("list notices: %w", err)
	}
	v.here = NoticesPath
	p := noticesPage{accountPage: v.accountPage("notices", v.t("notices.title"))}
	if len(list) > noticesLength {
		list = list[:noticesLength]
		p.More = NoticesPath + "?before=" + strconv.FormatInt(list[noticesLength-1].ID, 10)
	}
	for _, n := range list {
		p.List = append(p.List, v.noticeView(n))
		p.AnyUnread, p.Newest = p.AnyUnread || !n.Read, max(p.Newest, n.ID)
	}
	return v.renderPrivate(http.StatusOK, "notices", p)
}

func (v *visit) noticeView(n ideas.Notice) noticeView {
	text, path := v.lang.catalog.Notice(n)
	view := noticeView{
		ID: n.ID, Text: clean(text), Detail: clean(v.lang.catalog.NoticeDetail(n)), When: v.moment(n.At), Read: n.Read,
		URL: NoticesPath + "/" + strconv.FormatInt(n.ID, 10) + "?" + url.Values{"to": {path}}.Encode(),
	}
	if n.Actor.ID != 0 {
		who := v.person(n.Actor.ID, n.Actor.Name)
		view.Actor = &who
	}
	return view
}

// openNotice marks a notice as read and goes to what it tells of.
func (a *app) openNotice(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	if err := a.cfg.Store.ReadNotices(v.r.Context(), v.member.ID, []int64{id}, 0); err != nil {
		return fmt.Errorf("mark a notice as read: %w", err)
	}
	return v.redirect(localPath(v.r.URL.Query().Get("to")))
}

func (a *app) readNotices(v *visit) error {
	upTo, err := strconv.ParseInt(v.r.PostForm.Get("upTo"), 10, 64)
	if err != nil {
		return refuse(http.StatusBadRequest, "read up to where notices are read", err)
	}
	if err := a.cfg.Store.ReadNotices(v.r.Context(), v.member.ID, nil, upTo); err != nil {
		return fmt.Errorf("mark notices as read: %w", err)
	}
	return v.redirect(NoticesPath)
}

type noticeSettingsPage struct {
	accountPage
	Kinds    []kindView
	Weekly   bool
	TimeZone field
	// Mail tells whether mails can be sent at all.
	Mail bool
	// Zones are offered while typing.
	Zones []string
}

type kindView struct {
	Kind, Label string
	Listed      bool
	// Fixed tells that the notification centre always has it.
	Fixed bool
	Mail  string
}

// kindKeys are the message keys of kinds of notices.
var kindKeys = map[ideas.NoticeKind]string{
	ideas.NoticeStatus: "kind.status", ideas.NoticeAnswer: "kind.answer", ideas.NoticeComment: "kind.comment", ideas.NoticeMention: "kind.mention",
	ideas.NoticeMerge: "kind.merge", ideas.NoticeIdea: "kind.idea", ideas.NoticeChallenge: "kind.challenge", ideas.NoticePlace: "kind.place",
	ideas.NoticeAnnouncement: "kind.announcement", ideas.NoticeRecognition: "kind.recognition", ideas.NoticeAccount: "kind.account",
}

// offeredZones are where most members live; any other can be typed.
var offeredZones = []string{
	"Europe/Paris", "Europe/Brussels", "Europe/Zurich", "Europe/London", "Europe/Berlin", "Europe/Madrid", "Europe/Rome", "Europe/Helsinki",
	"America/Montreal", "America/New_York", "America/Los_Angeles", "Africa/Dakar", "Africa/Casablanca", "Indian/Reunion", "Asia/Tokyo", "Australia/Sydney",
}

func (v *visit) noticeSettingsPage(s ideas.NoticeSettings) noticeSettingsPage {
	v.here = NoticeSettingsPath
	p := noticeSettingsPage{
		accountPage: v.accountPage("notice-settings", v.t("notice_settings.title")), Weekly: s.Digest == ideas.DigestWeekly,
		TimeZone: field{Value: s.TimeZone}, Mail: v.app.cfg.SignIn.MailEnabled() && v.member.Email != "", Zones: offeredZones,
	}
	for _, one := range s.Preferences {
		p.Kinds = append(p.Kinds, kindView{
			Kind: string(one.Kind), Label: v.t(kindKeys[one.Kind]), Listed: one.Listed, Fixed: one.Kind == ideas.NoticeAccount, Mail: string(one.Mail),
		})
	}
	return p
}

func (a *app) showNoticeSettings(v *visit) error {
	s, err := a.cfg.Store.NoticeSettings(v.r.Context(), v.member.ID)
	if err != nil {
		return fmt.Errorf("read what a member wants to be told of: %w", err)
	}
	return v.renderPrivate(http.StatusOK, "notice-settings", v.noticeSettingsPage(s))
}

func (a *app) saveNoticeSettings(v *visit) error {
	form := v.r.PostForm
	s := ideas.NoticeSettings{Digest: form.Get("digest"), TimeZone: clean(form.Get("timeZone"))}
	for _, one := range ideas.DefaultPreferences() {
		one.Listed = form.Get("listed."+string(one.Kind)) == "true"
		if mail := form.Get("mail." + string(one.Kind)); mail != "" {
			one.Mail = ideas.MailMode(mail)
		}
		s.Preferences = append(s.Preferences, one)
	}
	err := a.cfg.Store.SetNoticeSettings(v.r.Context(), v.member.ID, s)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p := v.noticeSettingsPage(s)
		if wrong["timeZone"] != nil {
			p.TimeZone.Error = v.t("notice_settings.zone.invalid")
		}
		return v.renderPrivate(http.StatusUnprocessableEntity, "notice-settings", p)
	}
	if err != nil {
		return fmt.Errorf("keep what a member wants to be told of: %w", err)
	}
	v.setFlash("flash.saved")
	return v.redirect(NoticeSettingsPath)
}

type unsubscribePage struct {
	page
	Token string
	// Done says what no longer comes.
	Done string
}

// subscriptionToken is what a link may carry; empty for what cannot be one.
func subscriptionToken(s string) string {
	const longest = 200
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' {
			return ""
		}
	}
	return cut(s, longest)
}

func (v *visit) unsubscribePage(token string) unsubscribePage {
	v.w.Header().Set("Referrer-Policy", linkReferrer)
	p := unsubscribePage{page: v.page(v.t("unsubscribe.title")), Token: token}
	p.Hidden, p.SignIn, p.Canonical, p.Alternates = true, "", "", nil
	return p
}

// showUnsubscribe asks for one press: programs that look at links in mails must not unsubscribe anybody.
func (a *app) showUnsubscribe(v *visit) error {
	return v.renderPrivate(http.StatusOK, "unsubscribe", v.unsubscribePage(subscriptionToken(v.r.URL.Query().Get("token"))))
}

// unsubscribe serves the page's button and the one of mail programs (RFC 8058), which post to the address in the mail.
func (a *app) unsubscribe(v *visit) error {
	token := v.r.PostForm.Get("token")
	if token == "" {
		token = v.r.URL.Query().Get("token")
	}
	kind, err := a.cfg.Store.Unsubscribe(v.r.Context(), subscriptionToken(token))
	if errors.Is(err, ideas.ErrNotFound) {
		v.here = "/"
		return v.renderPrivate(http.StatusGone, "message", v.message(v.t("unsubscribe.spent.title"), v.t("unsubscribe.spent.text")))
	}
	if err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	p := v.unsubscribePage("")
	p.Done = v.t("unsubscribe.all")
	if kind != "" {
		p.Done = v.t("unsubscribe.done", "Kind", v.t(kindKeys[kind]))
	}
	return v.renderPrivate(http.StatusOK, "unsubscribe", p)
}

// followView is the button that follows something.
type followView struct {
	Action, Back string
	Follows      bool
}

// followOf an idea, a challenge or a member, for who is signed in; nil for others.
func (v *visit) followOf(kind ideas.FollowKind, target int64) (*followView, error) {
	if v.member == nil || kind == ideas.FollowMember && target == v.member.ID {
		return nil, nil // no button, no error
	}
	follows, err := v.app.cfg.Store.Follows(v.r.Context(), v.member.ID, kind, target)
	if err != nil {
		return nil, fmt.Errorf("look whether a member follows: %w", err)
	}
	return &followView{Action: fmt.Sprintf("/follow/%s/%d", kind, target), Back: localPath(v.here), Follows: follows}, nil
}

func (a *app) follow(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	form := v.r.PostForm
	if err := a.cfg.Store.Follow(v.r.Context(), v.member.ID, ideas.FollowKind(v.r.PathValue("kind")), id, form.Get("follow") == "true"); err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	return v.redirect(localPath(form.Get("back")))
}

// freshEnough tells whether a member has just proved who they are; else it leads them to do so, and back.
func (v *visit) freshEnough(back string) (bool, error) {
	if v.app.now().Sub(v.member.SignedInAt) <= ideas.FreshSignIn {
		return true, nil
	}
	v.setFlash("flash.sign_in_again")
	// The session goes on; the form of signing in is shown all the same.
	return false, v.redirect("/sign-in?" + url.Values{"returnTo": {back}, "again": {"true"}}.Encode())
}
