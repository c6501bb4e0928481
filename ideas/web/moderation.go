package web

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

// moderationRoutes are the team's pages of ideas: the queue, what is to be answered, and what may be done with an idea.
func (a *app) moderationRoutes() map[string]handle {
	return map[string]handle{
		"GET /team/moderation":          a.team(ideas.MayModerate, a.showQueue),
		"POST /team/moderation":         a.team(ideas.MayModerate, a.moderate),
		"GET /team/comments/{comment}":  a.team(ideas.MayModerate, a.showModerated),
		"POST /team/comments/{comment}": a.team(ideas.MayModerate, a.hideComment),
		"GET /team/answers":             a.team(ideas.MaySeeTeam, a.showDueAnswers),
		"GET /team/ideas/{ref}":         a.team(ideas.MaySeeTeam, a.showManaged),
		"POST /team/ideas/{ref}":        a.team(ideas.MaySeeTeam, a.manage),
	}
}

// Numbers of rows of a page.
const (
	queueLength = 20
	dueLength   = 30
)

type queuePage struct {
	teamPage
	Items []queueItem
	// Count of all, up to 100.
	Count, Selected int
	Reasons         []reasonChoice
	Reason          field
	Code, CodeError string
	Missing         string
	More            string
}

type queueItem struct {
	ID               int64
	Kind, Cause, URL string
	Title            string
	Body             template.HTML
	Author           memberView
	Opened           moment
	Reports          []reportView
	MoreReports      int
	Checked          bool
}

type reportView struct {
	Member memberView
	Reason string
}

var causeKeys = map[string]string{
	ideas.CauseBefore: "queue.before", ideas.CauseTerms: "queue.terms", ideas.CauseReported: "queue.reported",
}

// queuePage reads the queue from an item on; checked are those that were selected.
func (a *app) queuePage(v *visit, after int64, checked map[int64]bool) (queuePage, error) {
	ctx := v.r.Context()
	v.here = "/team/moderation"
	p := queuePage{teamPage: v.teamPage("moderation", v.t("queue.title")), Reasons: v.reasonChoices(ideas.ModerationReasons()), Selected: len(checked)}
	var err error
	if p.Count, err = a.cfg.Store.QueueLength(ctx, v.member.ID); err != nil {
		return p, fmt.Errorf("count the queue: %w", err)
	}
	list, err := a.cfg.Store.Queue(ctx, v.member.ID, after, queueLength+1)
	if err != nil {
		return p, fmt.Errorf("read the queue: %w", err)
	}
	if len(list) > queueLength {
		list = list[:queueLength]
		p.More = "/team/moderation?after=" + strconv.FormatInt(list[queueLength-1].ID, 10)
	}
	for _, q := range list {
		item := v.queueItem(q)
		item.Checked = checked[q.ID]
		p.Items = append(p.Items, item)
	}
	return p, nil
}

func (v *visit) queueItem(q ideas.ModerationItem) queueItem {
	item := queueItem{
		ID: q.ID, Kind: v.t("queue.idea"), Cause: v.t(causeKeys[q.Cause]), URL: fmt.Sprintf("/team/ideas/%d", q.Idea.ID), Title: clean(q.Idea.Title),
		Opened: v.moment(q.OpenedAt), MoreReports: q.ReportCount - len(q.Reports),
	}
	author, body := q.Idea.Author, q.Idea.Body
	if q.Comment != nil {
		item.Kind, author, body = v.t("queue.comment"), q.Comment.Author, q.Comment.Body
	}
	if q.Topic != nil {
		item.Kind, author, body, item.Title = v.t("queue.topic"), q.Topic.Author, q.Topic.Body, clean(q.Topic.Title)
		item.URL = "/challenges"
		if c := v.programme().ChallengeByID(q.Topic.Challenge); c != nil {
			item.URL = topicPath(c, q.Topic.ID)
			if c.Spec.Mission != nil {
				item.Kind = v.t("queue.post")
			}
		}
	}
	if q.Reply != nil {
		item.Kind, author, body = v.t("queue.reply"), q.Reply.Author, q.Reply.Body
		item.URL += fmt.Sprintf("#reply-%d", q.Reply.ID)
	}
	item.Author, item.Body = v.person(author.ID, author.Name), v.app.markdown.html(body, commentHeading)
	for _, r := range q.Reports {
		item.Reports = append(item.Reports, reportView{v.person(r.Member.ID, r.Member.Name), v.reasonText(r.Reason)})
	}
	return item
}

// showQueue shows what waits for a moderator, the oldest first.
func (a *app) showQueue(v *visit) error {
	p, err := a.queuePage(v, readComment(v.r.URL.Query().Get("after")), nil)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "queue", p)
}

// moderate decides about what was selected.
func (a *app) moderate(v *visit) error {
	form := v.r.PostForm
	var items []int64
	checked := map[int64]bool{}
	for _, text := range form["item"] {
		if id := readComment(text); id != 0 {
			items, checked[id] = append(items, id), true
		}
	}
	reason := ideas.Reason{Code: ideas.ReasonCode(clean(form.Get("code"))), Text: cleanText(form.Get("reason"))}
	n, err := a.cfg.Store.Moderate(v.r.Context(), v.member.ID, items, ideas.Decision(form.Get("decision")), reason)
	if err == nil {
		if n == 0 {
			v.setFlash("flash.decided_before")
		} else {
			v.setFlash("flash.idea_decided")
		}
		return v.redirect("/team/moderation")
	}
	wrong := fieldErrors(err)
	if len(wrong) == 0 && !errors.As(err, new(*ideas.TransitionError)) {
		return fmt.Errorf("moderate: %w", err)
	}
	p, pageErr := a.queuePage(v, 0, checked)
	if pageErr != nil {
		return pageErr
	}
	p.Reason.Value, p.Code = reason.Text, string(reason.Code)
	switch {
	case wrong["items"] != nil:
		p.Missing = v.t("queue.none_selected")
	case wrong["reason"] != nil:
		p.Reason.Error = v.reasonError(wrong["reason"])
	case wrong["code"] != nil:
		p.CodeError = v.fieldText(wrong["code"])
	default:
		p.Missing = v.t("queue.not_possible")
	}
	return v.renderPrivate(http.StatusUnprocessableEntity, "queue", p)
}

// moderatedPage is where a moderator hides a comment, or brings it back.
type moderatedPage struct {
	teamPage
	reasonForm
	Action, Path string
	Author       memberView
	Created      moment
	Body         template.HTML
	// HiddenFor is the reason of a comment that is out of sight; Visible tells that it is not.
	HiddenFor string
	Visible   bool
}

func (a *app) moderatedPage(v *visit) (ideas.Comment, moderatedPage, error) {
	id, err := v.commentID()
	if err != nil {
		return ideas.Comment{}, moderatedPage{}, err
	}
	c, err := a.cfg.Store.ModeratedComment(v.r.Context(), v.member.ID, id)
	if err != nil {
		return c, moderatedPage{}, fmt.Errorf("get comment: %w", err)
	}
	v.here = fmt.Sprintf("/team/comments/%d", id)
	p := moderatedPage{
		teamPage: v.teamPage("moderation", v.t("moderated.title")), reasonForm: reasonForm{Reasons: v.reasonChoices(ideas.ModerationReasons())},
		Action: v.here, Path: fmt.Sprintf("/ideas/%d?from=%d#comment-%d", c.IdeaID, threadOf(c), id), Author: v.person(c.Author.ID, c.Author.Name),
		Created: v.moment(c.CreatedAt), Body: a.markdown.html(c.Body, commentHeading), Visible: c.State == ideas.CommentPublished,
	}
	if !p.Visible {
		p.HiddenFor = v.reasonText(c.Reason)
	}
	return c, p, nil
}

// showModerated shows a comment with what a moderator may do.
func (a *app) showModerated(v *visit) error {
	_, p, err := a.moderatedPage(v)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "moderated", p)
}

// hideComment takes a comment out of sight, or brings it back.
func (a *app) hideComment(v *visit) error {
	c, p, err := a.moderatedPage(v)
	if err != nil {
		return err
	}
	form := v.r.PostForm
	if form.Get("do") == "restore" {
		err = a.cfg.Store.RestoreComment(v.r.Context(), v.member.ID, c.ID)
	} else {
		p.Code, p.Reason.Value = clean(form.Get("code")), cleanText(form.Get("reason"))
		err = a.cfg.Store.HideComment(v.r.Context(), v.member.ID, c.ID, ideas.Reason{Code: ideas.ReasonCode(p.Code), Text: p.Reason.Value})
	}
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p.CodeError = v.fieldText(wrong["code"])
		if wrong["reason"] != nil {
			p.Reason.Error = v.reasonError(wrong["reason"])
		}
		return v.renderPrivate(http.StatusUnprocessableEntity, "moderated", p)
	}
	if err != nil {
		return fmt.Errorf("change comment: %w", err)
	}
	v.setFlash("flash.idea_decided")
	return v.redirect(p.Action)
}

// reasonError says what is wrong with a public reason.
func (v *visit) reasonError(wrong *ideas.FieldError) string {
	if wrong.Code == "too_long" {
		return v.fieldText(wrong)
	}
	return v.t("reason.needed")
}

type duePage struct {
	teamPage
	Answers []dueView
	More    string
	Late    int
}

type dueView struct {
	URL, Title, Responsible string
	Author                  memberView
	Due                     moment
	Late                    bool
	Supporters              int
}

var roleKeys = map[ideas.Role]string{
	ideas.RoleLead: "role.lead", ideas.RoleImplementer: "role.implementer", ideas.RoleHost: "role.host", ideas.RoleFollowUp: "role.follow_up",
	ideas.RoleModerator: "role.moderator",
}

// showDueAnswers lists what the brand has promised to answer, what is late first.
func (a *app) showDueAnswers(v *visit) error {
	offset, err := strconv.Atoi(v.r.URL.Query().Get("from"))
	if err != nil || offset < 0 || offset > 10_000 {
		offset = 0
	}
	list, err := a.cfg.Store.DueAnswers(v.r.Context(), v.member.ID, offset, dueLength+1)
	if err != nil {
		return fmt.Errorf("list due answers: %w", err)
	}
	v.here = "/team/answers"
	p := duePage{teamPage: v.teamPage("answers", v.t("answers.title"))}
	if len(list) > dueLength {
		list, p.More = list[:dueLength], "/team/answers?"+url.Values{"from": {strconv.Itoa(offset + dueLength)}}.Encode()
	}
	for _, d := range list {
		responsible := string(d.Responsible)
		if key := roleKeys[d.Responsible]; key != "" {
			responsible = v.t(key)
		}
		if d.Late {
			p.Late++
		}
		p.Answers = append(p.Answers, dueView{
			fmt.Sprintf("/team/ideas/%d#answer", d.Idea.ID), clean(d.Idea.Title), responsible, v.person(d.Idea.Author.ID, d.Idea.Author.Name), v.day(d.DueAt),
			d.Late, d.Idea.Supporters,
		})
	}
	return v.renderPrivate(http.StatusOK, "due-answers", p)
}

// managedPage is what the team may do with an idea.
type managedPage struct {
	teamPage
	ID                      int64
	Action, Path, State     string
	Idea                    string
	Body                    template.HTML
	Author                  memberView
	Reason                  string
	Details                 ideaDetails
	Next                    []nextView
	Reasons                 []reasonChoice
	Restore, Merge, Unmerge bool
	Answer                  bool
	Pending                 bool
	Former                  string
	To, Code                string
	ReasonField             field
	ToError                 string
	AnswerField, Into       field
	MergedIdeas             []similarIdea
	Similar                 []similarIdea
}

// reasonForm is what the fields of a public reason show.
type reasonForm struct {
	Reasons         []reasonChoice
	Code, CodeError string
	Reason          field
}

// ReasonForm of the next step.
func (p managedPage) ReasonForm() reasonForm {
	return reasonForm{Reasons: p.Reasons, Code: p.Code, Reason: p.ReasonField}
}

type nextView struct {
	State, Text string
	Explained   bool
	Chosen      bool
}

func (a *app) managedPage(v *visit) (openedIdea, managedPage, error) {
	own, err := a.openIdea(v)
	if err != nil {
		return own, managedPage{}, err
	}
	ctx := v.r.Context()
	v.here = fmt.Sprintf("/team/ideas/%d", own.ID)
	p := managedPage{
		teamPage: v.teamPage("ideas", v.t("manage.title")), ID: own.ID, Action: v.here, Path: ideaPath(own.Idea), State: v.stateText(own.State),
		Idea: clean(own.Title), Body: a.markdown.html(own.Body, ideaHeading), Author: v.person(own.Author.ID, own.Author.Name),
		Details: a.ideaDetails(v, own), Reasons: v.reasonChoices(ideas.ModerationReasons()), Answer: own.State.Published() && v.roles.May(ideas.MayAnswer),
	}
	// What one may do as an author belongs to one's own pages.
	as := ideas.CapacitiesOf(v.roles, false)
	for _, next := range ideas.NextStates(own.State, as) {
		if next.State == ideas.StateMerged {
			p.Merge = true
			continue
		}
		p.Next = append(p.Next, nextView{State: string(next.State), Text: v.stateText(next.State), Explained: next.Explained})
	}
	p.Restore = own.State == ideas.StateHidden && v.roles.May(ideas.MayModerate)
	p.Unmerge = own.State == ideas.StateMerged && (v.roles.May(ideas.MayModerate) || v.roles.May(ideas.MayDecide))
	merged, err := a.cfg.Store.MergedIdeas(ctx, own.ID)
	if err != nil {
		return own, p, fmt.Errorf("list merged ideas: %w", err)
	}
	for _, m := range merged {
		p.MergedIdeas = append(p.MergedIdeas, similarIdea{fmt.Sprintf("/team/ideas/%d", m.ID), clean(m.Title), m.Supporters})
	}
	if p.Merge {
		if p.Similar, err = a.similar(v, own.Title, own.ID); err != nil {
			return own, p, err
		}
	}
	return own, p, nil
}

// showManaged shows an idea with what the team may do.
func (a *app) showManaged(v *visit) error {
	_, p, err := a.managedPage(v)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "managed", p)
}

// manage does what one of the forms asks for. The store looks at who may.
func (a *app) manage(v *visit) error {
	own, p, err := a.managedPage(v)
	if err != nil {
		return err
	}
	ctx, form, store := v.r.Context(), v.r.PostForm, a.cfg.Store
	reason := ideas.Reason{Code: ideas.ReasonCode(clean(form.Get("code"))), Text: cleanText(form.Get("reason"))}
	p.ReasonField.Value, p.Code, p.To = reason.Text, string(reason.Code), clean(form.Get("to"))
	p.AnswerField.Value, p.Into.Value = cleanText(form.Get("answer")), clean(form.Get("into"))
	switch form.Get("do") {
	case "answer":
		_, err = store.AnswerIdea(ctx, v.member.ID, own.ID, p.AnswerField.Value)
	case "move":
		_, err = store.MoveIdea(ctx, v.member.ID, own.ID, ideas.State(p.To), reason)
	case "restore":
		_, err = store.RestoreIdea(ctx, v.member.ID, own.ID)
	case "merge":
		_, err = store.MergeIdea(ctx, v.member.ID, own.ID, readIdeaNumber(p.Into.Value), reason)
	case "unmerge":
		_, err = store.UnmergeIdea(ctx, v.member.ID, own.ID)
	default:
		err = refuse(http.StatusBadRequest, "read what to do with an idea", nil)
	}
	wrong := fieldErrors(err)
	noTarget := form.Get("do") == "merge" && errors.Is(err, ideas.ErrNotFound)
	if err != nil && len(wrong) == 0 && !noTarget {
		return fmt.Errorf("manage idea: %w", err)
	}
	if err == nil {
		v.setFlash("flash.idea_decided")
		return v.redirect(p.Action)
	}
	p.AnswerField.Error = v.fieldText(wrong["answer"])
	if wrong["reason"] != nil {
		p.ReasonField.Error = v.t("reason.needed")
	}
	if form.Get("do") == "merge" && wrong["reason"] == nil {
		p.Into.Error = v.t("manage.into.wrong")
		if wrong["into"] != nil && wrong["into"].Code == "challenge" {
			p.Into.Error = v.t("manage.into.challenge")
		}
	}
	for i := range p.Next {
		p.Next[i].Chosen = p.Next[i].State == p.To
	}
	return v.renderPrivate(http.StatusUnprocessableEntity, "managed", p)
}

// readIdeaNumber reads the number of an idea, or the address of its page; 0 for neither.
func readIdeaNumber(text string) int64 {
	if u, err := url.Parse(text); err == nil && u.Path != "" {
		text = u.Path
	}
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == '/' {
			text = text[i+1:]
			break
		}
	}
	digits := 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		digits++
	}
	return readComment(text[:digits])
}
