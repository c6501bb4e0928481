package web

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

const announcementsPath = "/team/announcements"

type announcementsPage struct {
	teamPage
	Items []announcementRow
}

type announcementRow struct {
	Path, Title, Audience string
	Draft                 bool
	When                  moment
}

// announcementForm writes an announcement, in every language of the community.
type announcementForm struct {
	teamPage
	Action   string
	Texts    []announcementText
	Audience string
	Segments []choiceView
	// Challenges whose followers may be meant.
	Challenges                      []choiceView
	SegmentError, ChallengeError    string
	MaxBody                         int
	AudienceAll, AudienceChallenges bool
}

type announcementText struct {
	Tag, Language string
	Title, Body   field
}

type choiceView struct {
	Value, Label string
	Chosen       bool
}

// announcementPage shows one: to the team as a preview in every language, to members in theirs.
type announcementPage struct {
	teamPage
	Texts []announcementPreview
	// Sent is nil for a draft.
	Sent     *moment
	Audience string
	Reach    int
	Edit     string
	Send     string
}

type announcementPreview struct {
	Tag, Language, Title string
	Body                 template.HTML
}

func (a *app) showAnnouncements(v *visit) error {
	v.here = announcementsPath
	list, err := a.cfg.Store.Announcements(v.r.Context(), ideas.MaxPage)
	if err != nil {
		return fmt.Errorf("list announcements: %w", err)
	}
	p := announcementsPage{teamPage: v.teamPage("announcements", v.t("announcements.title"))}
	for _, one := range list {
		row := announcementRow{
			Path: fmt.Sprintf("%s/%d", announcementsPath, one.ID), Title: v.site.text(one.Title, v.lang), Audience: v.audienceText(one),
			Draft: one.SentAt.IsZero(), When: v.moment(one.SentAt),
		}
		if row.Draft {
			row.When = v.moment(one.UpdatedAt)
		}
		p.Items = append(p.Items, row)
	}
	return v.renderPrivate(http.StatusOK, "announcements", p)
}

func (v *visit) audienceText(one ideas.Announcement) string {
	switch one.Audience {
	case ideas.AudienceSegment:
		return v.segmentText(one.Attribute, one.Value)
	case ideas.AudienceChallenge:
		if c := v.programme().ChallengeByID(one.Challenge); c != nil {
			return v.t("announcements.challenge", "Challenge", v.site.text(c.Spec.Title, v.lang))
		}
		return v.t("announcements.challenge.gone")
	}
	return v.t("announcements.all")
}

// segmentText names a segment as its attribute and option are labelled.
func (v *visit) segmentText(attribute, value string) string {
	if v.site.House != nil {
		for _, a := range v.site.House.Attributes {
			if a.Name != attribute {
				continue
			}
			for _, o := range a.Options {
				if o.Name == value {
					value = v.site.text(o.Label, v.lang)
				}
			}
			attribute = v.site.text(a.Label, v.lang)
		}
	}
	return v.t("announcements.segment", "Attribute", clean(attribute), "Value", clean(value))
}

func (v *visit) announcementForm(one ideas.Announcement, wrong map[string]*ideas.FieldError) announcementForm {
	p := announcementForm{
		teamPage: v.teamPage("announcements", v.t("announcements.new")), Action: announcementsPath, Audience: one.Audience, MaxBody: ideas.MaxAnnouncement,
		SegmentError: v.fieldText(wrong["segment"]), ChallengeError: v.fieldText(wrong["challenge"]),
	}
	if one.ID != 0 {
		p.Action = fmt.Sprintf("%s/%d", announcementsPath, one.ID)
	}
	for _, l := range v.site.languages {
		p.Texts = append(p.Texts, announcementText{
			Tag: l.Tag, Language: l.Name(),
			Title: field{one.Title[l.Tag], v.fieldText(wrong["title."+l.Tag])}, Body: field{one.Body[l.Tag], v.fieldText(wrong["body."+l.Tag])},
		})
	}
	if v.site.House != nil {
		for _, a := range v.site.House.Attributes {
			for _, o := range a.Options {
				p.Segments = append(p.Segments, choiceView{
					a.Name + "=" + o.Name, v.site.text(a.Label, v.lang) + ": " + v.site.text(o.Label, v.lang), one.Attribute == a.Name && one.Value == o.Name,
				})
			}
		}
	}
	for _, c := range v.programme().Challenges {
		p.Challenges = append(p.Challenges, choiceView{strconv.FormatInt(c.ID, 10), v.site.text(c.Spec.Title, v.lang), one.Challenge == c.ID})
	}
	return p
}

func (a *app) newAnnouncement(v *visit) error {
	v.here = announcementsPath + "/new"
	return v.renderPrivate(http.StatusOK, "announcement-form", v.announcementForm(ideas.Announcement{Audience: ideas.AudienceAll}, nil))
}

// announcementID of the address; 0 for a new one.
func (v *visit) announcementID() (int64, error) {
	text := v.r.PathValue("id")
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, refuse(http.StatusNotFound, "read number of announcement", err)
	}
	return id, nil
}

func (a *app) editAnnouncement(v *visit) error {
	one, err := a.announcement(v)
	if err != nil {
		return err
	}
	if !one.SentAt.IsZero() {
		return refuse(http.StatusNotFound, "edit an announcement that was sent", nil)
	}
	v.here = fmt.Sprintf("%s/%d/edit", announcementsPath, one.ID)
	return v.renderPrivate(http.StatusOK, "announcement-form", v.announcementForm(one, nil))
}

func (a *app) announcement(v *visit) (ideas.Announcement, error) {
	id, err := v.announcementID()
	if err != nil {
		return ideas.Announcement{}, err
	}
	one, err := a.cfg.Store.Announcement(v.r.Context(), id)
	if err != nil {
		return one, fmt.Errorf("read announcement: %w", err)
	}
	return one, nil
}

func (a *app) saveAnnouncement(v *visit) error {
	id, err := v.announcementID()
	if err != nil {
		return err
	}
	form := v.r.PostForm
	one := ideas.Announcement{ID: id, Title: map[string]string{}, Body: map[string]string{}, Audience: form.Get("audience")}
	var locales []string
	for _, l := range v.site.languages {
		locales = append(locales, l.Tag)
		one.Title[l.Tag], one.Body[l.Tag] = clean(form.Get("title-"+l.Tag)), cleanText(form.Get("body-"+l.Tag))
	}
	choices := v.announcementForm(one, nil)
	if n := slices.IndexFunc(choices.Segments, func(c choiceView) bool { return c.Value == form.Get("segment") }); n >= 0 {
		one.Attribute, one.Value = cutSegment(form.Get("segment"))
	}
	// What is no number is no challenge, which the store refuses where one is needed.
	one.Challenge, _ = strconv.ParseInt(form.Get("challenge"), 10, 64)
	saved, err := a.cfg.Store.SaveAnnouncement(v.r.Context(), v.member.ID, one, locales)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		v.here = announcementsPath + "/new"
		return v.renderPrivate(http.StatusUnprocessableEntity, "announcement-form", v.announcementForm(one, wrong))
	}
	if err != nil {
		return fmt.Errorf("save announcement: %w", err)
	}
	return v.redirect(fmt.Sprintf("%s/%d", announcementsPath, saved))
}

func cutSegment(text string) (attribute, value string) {
	for i := range len(text) {
		if text[i] == '=' {
			return text[:i], text[i+1:]
		}
	}
	return "", ""
}

// previewAnnouncement shows what will be sent, in every language, and to how many.
func (a *app) previewAnnouncement(v *visit) error {
	one, err := a.announcement(v)
	if err != nil {
		return err
	}
	path := fmt.Sprintf("%s/%d", announcementsPath, one.ID)
	v.here = path
	p := announcementPage{teamPage: v.teamPage("announcements", v.t("announcements.preview")), Audience: v.audienceText(one), Sent: v.momentOrNil(one.SentAt)}
	if p.Sent != nil {
		p.Heading = v.site.text(one.Title, v.lang)
	} else {
		p.Edit, p.Send = path+"/edit", path+"/send"
		if p.Reach, err = a.cfg.Store.Reach(v.r.Context(), one.ID); err != nil {
			return fmt.Errorf("count audience: %w", err)
		}
	}
	for _, l := range v.site.languages {
		p.Texts = append(p.Texts, announcementPreview{l.Tag, l.Name(), clean(one.Title[l.Tag]), a.markdown.html(one.Body[l.Tag], commentHeading)})
	}
	return v.renderPrivate(http.StatusOK, "announcement-preview", p)
}

func (a *app) sendAnnouncement(v *visit) error {
	id, err := v.announcementID()
	if err != nil {
		return err
	}
	if err := a.cfg.Store.SendAnnouncement(v.r.Context(), v.member.ID, id); err != nil {
		return fmt.Errorf("send announcement: %w", err)
	}
	v.setFlash("flash.announced")
	return v.redirect(fmt.Sprintf("%s/%d", announcementsPath, id))
}

// readAnnouncement is the page that notices lead to.
func (a *app) readAnnouncement(v *visit) error {
	id, err := v.announcementID()
	if err != nil {
		return err
	}
	if v.member == nil {
		return v.askToSignIn(v.r.URL.Path)
	}
	one, err := a.cfg.Store.SentAnnouncement(v.r.Context(), v.member.ID, id)
	if err != nil {
		return fmt.Errorf("read announcement: %w", err)
	}
	v.here = fmt.Sprintf("/announcements/%d", id)
	title := v.site.text(one.Title, v.lang)
	p := announcementPage{teamPage: teamPage{page: v.page(title), Heading: title}, Sent: v.momentOrNil(one.SentAt)}
	p.Hidden = true
	p.Texts = []announcementPreview{{Tag: v.lang.Tag, Title: title, Body: a.markdown.html(v.site.longText(one.Body, v.lang), commentHeading)}}
	return v.renderPrivate(http.StatusOK, "announcement", p)
}
