package web

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func (a *app) forumRoutes() map[string]handle {
	return map[string]handle{
		"GET /challenges/{name}/topics/new":                        a.method(hasForum, true, a.newTopic),
		"POST /challenges/{name}/topics":                           a.method(hasForum, true, a.addTopic),
		"GET /challenges/{name}/topics/{id}":                       a.method(hasForum, false, a.showTopic),
		"POST /challenges/{name}/topics/{id}/replies":              a.method(hasForum, true, a.addReply),
		"POST /challenges/{name}/topics/{id}/moderate":             a.method(hasForum, true, a.moderateTopic),
		"POST /challenges/{name}/topics/{id}/replies/{reply}/hide": a.method(hasForum, true, a.hideReply),
		"GET /challenges/{name}/topics/{id}/report":                a.method(hasForum, true, a.showTopicReport),
		"POST /challenges/{name}/topics/{id}/report":               a.method(hasForum, true, a.reportTopic),
	}
}

// topicList is a forum, or the posts of a mission, inside a challenge's page.
type topicList struct {
	// Heading of the list; Posts tells that it is of a mission.
	Heading string
	Posts   bool
	Themes  []tabView
	Topics  []topicView
	New     string
	More    string
	// First leads back from a later page.
	First string
}

type topicView struct {
	ID             int64
	URL, Title     string
	Excerpt        string
	Theme          string
	Author         memberView
	Created        moment
	Active         moment
	Replies        int
	Pinned, Locked bool
	Pending        bool
}

func topicPath(c *ideas.Challenge, id int64) string {
	return fmt.Sprintf("%s/topics/%d", challengePath(c), id)
}

func (v *visit) topicView(c *ideas.Challenge, t ideas.Topic) topicView {
	return topicView{
		ID: t.ID, URL: topicPath(c, t.ID), Title: clean(t.Title), Excerpt: v.app.markdown.excerpt(t.Body), Theme: v.themeText(t.Theme),
		Author: v.person(t.Author.ID, t.Author.Name), Created: v.moment(t.CreatedAt), Active: v.moment(t.ActiveAt), Replies: t.Replies,
		Pinned: t.Pinned, Locked: t.Locked, Pending: t.State == ideas.TopicPending,
	}
}

const topicsLength = 20

// topicList of a challenge; mayAdd tells whether the visitor may open a topic.
func (v *visit) topicList(c *ideas.Challenge, mayAdd bool) (topicList, error) {
	asked := v.r.URL.Query()
	themes := c.TopicThemes(v.site.House)
	theme := asked.Get("theme")
	if !slices.Contains(themes, theme) {
		theme = ""
	}
	path := challengePath(c)
	page, err := v.app.cfg.Store.ListTopics(v.r.Context(), ideas.TopicQuery{Challenge: c.ID, Theme: theme, After: asked.Get("after"), Limit: topicsLength})
	if err != nil {
		return topicList{}, fmt.Errorf("list topics: %w", err)
	}
	list := topicList{Heading: v.t("forum.topics"), Posts: c.Spec.Type == control.TypeMission}
	if list.Posts {
		list.Heading = v.t("mission.posts")
	}
	if mayAdd {
		list.New = path + "/topics/new"
	}
	if len(themes) > 0 {
		list.Themes = append(list.Themes, tabView{URL: path + "#topics", Label: v.t("forum.all_themes"), Current: theme == ""})
		for _, name := range themes {
			list.Themes = append(list.Themes, tabView{URL: path + "?" + url.Values{"theme": {name}}.Encode() + "#topics", Label: v.themeText(name), Current: name == theme})
		}
	}
	for _, t := range page.Topics {
		list.Topics = append(list.Topics, v.topicView(c, t))
	}
	query := url.Values{}
	if theme != "" {
		query.Set("theme", theme)
	}
	if asked.Get("after") != "" {
		list.First = path + "?" + query.Encode() + "#topics"
	}
	if page.Next != "" {
		query.Set("after", page.Next)
		list.More = path + "?" + query.Encode() + "#topics"
	}
	return list, nil
}

func (a *app) forumBody(v *visit, c *ideas.Challenge) (template.HTML, error) {
	list, err := v.topicList(c, v.allows(c, ideas.ActionSubmit))
	if err != nil {
		return "", err
	}
	return v.part("topics", list)
}

type newTopicPage struct {
	methodPage
	Action, Key string
	Title, Body field
	Theme       field
	Themes      []formOption
	Posts       bool
}

func (v *visit) newTopicPage(c *ideas.Challenge) newTopicPage {
	posts := c.Spec.Type == control.TypeMission
	heading := v.t("forum.new")
	if posts {
		heading = v.t("mission.new_post")
	}
	p := newTopicPage{methodPage: v.methodPage(c, challengePath(c)+"/topics/new", heading), Action: challengePath(c) + "/topics", Posts: posts}
	for _, name := range c.TopicThemes(v.site.House) {
		p.Themes = append(p.Themes, formOption{Name: name, Label: v.themeText(name)})
	}
	return p
}

func (a *app) newTopic(v *visit, c *ideas.Challenge) error {
	selected, err := v.selectedFor(c)
	if err != nil {
		return err
	}
	if !selected || !v.allows(c, ideas.ActionSubmit) {
		v.setFlash("flash.closed")
		return v.redirect(challengePath(c))
	}
	p := v.newTopicPage(c)
	p.Key = rand.Text()
	return v.render(http.StatusOK, "new-topic", p)
}

func (a *app) addTopic(v *visit, c *ideas.Challenge) error {
	form := v.r.PostForm
	key, title, body, theme := formKey(v.r), clean(form.Get("title")), cleanText(form.Get("body")), clean(form.Get("theme"))
	topic, err := a.cfg.Store.AddTopic(v.r.Context(), c, v.member.ID, key, theme, title, body)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p := v.newTopicPage(c)
		p.Key, p.Wrong = key, len(wrong)
		p.Title, p.Body = field{title, v.fieldText(wrong["title"])}, field{body, v.fieldText(wrong["body"])}
		p.Theme = field{theme, v.fieldText(wrong["theme"])}
		for i := range p.Themes {
			p.Themes[i].Chosen = p.Themes[i].Name == theme
		}
		return v.render(http.StatusUnprocessableEntity, "new-topic", p)
	}
	flash := "flash.published"
	if err == nil && topic.State == ideas.TopicPending {
		flash = "flash.pending"
	}
	path := challengePath(c)
	if err == nil {
		path = topicPath(c, topic.ID)
	}
	return v.done(err, flash, path, "add topic")
}

type topicPage struct {
	methodPage
	Topic   topicView
	Text    template.HTML
	Replies []replyView
	Earlier string
	More    string
	Action  string
	// CanReply tells that replies are taken; Team that the visitor moderates.
	CanReply, Team bool
	Hidden, Reason string
	Moderate       string
	Form           replyForm
	Problem        string
	// Report leads to the form that tells the moderators; empty for one's own and for who is not signed in.
	Report string
}

type replyView struct {
	ID      int64
	Author  memberView
	Created moment
	Body    template.HTML
	Depth   int
	Hidden  bool
	// Notice says to its author why others do not read it.
	Notice string
	Answer string
	Hide   string
	Report string
}

type replyForm struct {
	Key    string
	Parent int64
	// To is whom the reply answers, empty for the topic itself.
	To   string
	Body field
}

func (a *app) topic(v *visit, c *ideas.Challenge) (ideas.Topic, error) {
	id, err := v.pathNumber("id")
	if err != nil {
		return ideas.Topic{}, err
	}
	t, err := a.cfg.Store.GetTopic(v.r.Context(), v.viewer(), v.roles.May(ideas.MayModerate), id)
	if err != nil {
		return t, fmt.Errorf("get topic: %w", err)
	}
	if t.Challenge != c.ID {
		return t, refuse(http.StatusNotFound, "find topic in challenge "+c.Name, nil)
	}
	return t, nil
}

func (a *app) showTopic(v *visit, c *ideas.Challenge) error {
	t, err := a.topic(v, c)
	if err != nil {
		return err
	}
	form := replyForm{Key: rand.Text()}
	if parent := v.r.URL.Query().Get("reply"); parent != "" {
		_, _ = fmt.Sscanf(parent, "%d", &form.Parent) // what is no number answers the topic
	}
	return a.renderTopic(v, http.StatusOK, c, t, form, "")
}

func (a *app) renderTopic(v *visit, status int, c *ideas.Challenge, t ideas.Topic, form replyForm, problem string) error {
	path := topicPath(c, t.ID)
	after := v.r.URL.Query().Get("after")
	thread, err := a.cfg.Store.ListReplies(v.r.Context(), v.viewer(), t.ID, after, 100)
	if err != nil {
		return fmt.Errorf("list replies: %w", err)
	}
	p := topicPage{
		methodPage: v.methodPage(c, path, clean(t.Title)), Topic: v.topicView(c, t), Text: a.markdown.html(t.Body, ideaHeading),
		Action: path + "/replies", CanReply: v.allows(c, ideas.ActionComment) && !t.Locked && t.State == ideas.TopicVisible,
		Team: v.roles.May(ideas.MayModerate), Moderate: path + "/moderate", Form: form, Reason: v.reasonText(t.Reason), Problem: problem,
	}
	p.page.Hidden = after != "" || t.State != ideas.TopicVisible
	if t.State != ideas.TopicVisible {
		p.Hidden = string(t.State)
	}
	if after != "" {
		p.Earlier = path
	}
	if thread.Next != "" {
		p.More = path + "?" + url.Values{"after": {thread.Next}}.Encode()
	}
	if t.State == ideas.TopicVisible && v.member != nil && v.member.ID != t.Author.ID {
		p.Report = path + "/report"
	}
	for _, r := range thread.Replies {
		one := v.replyView(path, r)
		if r.ID == form.Parent {
			p.Form.To = one.Author.Name
		}
		p.Replies = append(p.Replies, one)
	}
	if p.Form.To == "" {
		p.Form.Parent = 0
	}
	return v.render(status, "topic", p)
}

func (v *visit) replyView(path string, r ideas.Reply) replyView {
	one := replyView{
		ID: r.ID, Author: v.person(r.Author.ID, r.Author.Name), Created: v.moment(r.CreatedAt), Body: v.app.markdown.html(r.Body, commentHeading),
		Depth: r.Depth, Hidden: r.Hidden, Answer: fmt.Sprintf("%s?reply=%d#reply-form", path, r.ID), Hide: fmt.Sprintf("%s/replies/%d/hide", path, r.ID),
	}
	mine := v.member != nil && v.member.ID == r.Author.ID
	switch {
	case r.Pending:
		one.Notice = v.t("comment.pending")
	case r.Hidden && mine:
		one.Notice = v.t("comment.refused") + " " + v.reasonText(r.Reason)
	case !r.Hidden && !mine && v.member != nil:
		one.Report = fmt.Sprintf("%s/report?reply=%d", path, r.ID)
	}
	return one
}

// topicReport is the form that tells the moderators of a topic, or of a reply to it.
func (a *app) topicReport(v *visit, c *ideas.Challenge, reply int64) (ideas.Contribution, reportPage, error) {
	t, err := a.topic(v, c)
	if err != nil {
		return ideas.Contribution{}, reportPage{}, err
	}
	if t.State != ideas.TopicVisible {
		return ideas.Contribution{}, reportPage{}, refuse(http.StatusNotFound, "report what nobody sees", nil)
	}
	path := topicPath(c, t.ID)
	v.here = path + "/report"
	p := reportPage{
		Action: v.here, Path: path, Subject: clean(t.Title), Excerpt: a.markdown.excerpt(t.Body), Part: "reply", PartID: reply,
		Reasons: v.reasonChoices(ideas.ReportReasons()),
	}
	if reply != 0 {
		r, err := a.cfg.Store.GetReply(v.r.Context(), t.ID, reply)
		if err != nil {
			return ideas.Contribution{}, p, fmt.Errorf("get reply: %w", err)
		}
		p.Path += fmt.Sprintf("#reply-%d", reply)
		p.Excerpt, p.Subject = a.markdown.excerpt(r.Body), v.t("report.comment", "Name", v.person(r.Author.ID, r.Author.Name).Name)
		v.here += fmt.Sprintf("?reply=%d", reply)
	}
	p.page = v.page(v.t("report.title"))
	p.Section, p.Hidden = "challenges", true
	return ideas.Contribution{Topic: t.ID, Reply: reply}, p, nil
}

func (a *app) showTopicReport(v *visit, c *ideas.Challenge) error {
	_, p, err := a.topicReport(v, c, readComment(v.r.URL.Query().Get("reply")))
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "report", p)
}

func (a *app) reportTopic(v *visit, c *ideas.Challenge) error {
	reported, p, err := a.topicReport(v, c, v.formNumber("reply"))
	if err != nil {
		return err
	}
	return a.sendReport(v, reported, p)
}

func (a *app) addReply(v *visit, c *ideas.Challenge) error {
	t, err := a.topic(v, c)
	if err != nil {
		return err
	}
	form := replyForm{Key: formKey(v.r), Parent: v.formNumber("parent"), Body: field{Value: cleanText(v.r.PostForm.Get("body"))}}
	reply, err := a.cfg.Store.AddReply(v.r.Context(), c, t.ID, form.Parent, v.member.ID, form.Key, form.Body.Value)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		form.Body.Error = v.fieldText(wrong["body"])
		return a.renderTopic(v, http.StatusUnprocessableEntity, c, t, form, "")
	}
	flash := "flash.replied"
	if reply.Pending {
		flash = "flash.pending"
	}
	return v.done(err, flash, fmt.Sprintf("%s#reply-%d", topicPath(c, t.ID), reply.ID), "add reply")
}

// moderates refuses who may not moderate, as if the address did not exist.
func (v *visit) moderates() error {
	if !v.roles.May(ideas.MayModerate) {
		return refuse(http.StatusNotFound, "moderate", nil)
	}
	return nil
}

func (a *app) moderateTopic(v *visit, c *ideas.Challenge) error {
	if err := v.moderates(); err != nil {
		return err
	}
	t, err := a.topic(v, c)
	if err != nil {
		return err
	}
	yes, no, visible, hidden := true, false, ideas.TopicVisible, ideas.TopicHidden
	change, known := map[string]ideas.TopicChange{
		"pin": {Pinned: &yes}, "unpin": {Pinned: &no}, "lock": {Locked: &yes}, "unlock": {Locked: &no}, "show": {State: &visible}, "hide": {State: &hidden},
	}[v.r.PostForm.Get("do")]
	if !known {
		return refuse(http.StatusBadRequest, "moderate topic", nil)
	}
	change.Reason.Text = cleanText(v.r.PostForm.Get("reason"))
	err = a.cfg.Store.ModerateTopic(v.r.Context(), v.member.ID, c, t.ID, change)
	if len(fieldErrors(err)) > 0 {
		return a.renderTopic(v, http.StatusUnprocessableEntity, c, t, replyForm{Key: rand.Text()}, v.t("applications.reason_missing"))
	}
	return v.done(err, "flash.saved", topicPath(c, t.ID), "moderate topic")
}

func (a *app) hideReply(v *visit, c *ideas.Challenge) error {
	if err := v.moderates(); err != nil {
		return err
	}
	t, err := a.topic(v, c)
	if err != nil {
		return err
	}
	reply, err := v.pathNumber("reply")
	if err != nil {
		return err
	}
	err = a.cfg.Store.HideReply(v.r.Context(), v.member.ID, c, t.ID, reply, v.r.PostForm.Get("hide") == "true", ideas.Reason{Text: cleanText(v.r.PostForm.Get("reason"))})
	if len(fieldErrors(err)) > 0 {
		return a.renderTopic(v, http.StatusUnprocessableEntity, c, t, replyForm{Key: rand.Text()}, v.t("applications.reason_missing"))
	}
	return v.done(err, "flash.saved", fmt.Sprintf("%s#reply-%d", topicPath(c, t.ID), reply), "hide reply")
}
