package web

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

type commentView struct {
	ID      int64
	Author  memberView
	Created moment
	Body    template.HTML
	// Reply tells that it answers another; ReplyTo names who wrote that.
	Reply   bool
	ReplyTo string
	Edited  bool
	// Gone tells that its text is there no more; Notice says to its author why others do not read it.
	Gone   bool
	Notice string
	Thanks int
	// Thanked tells that the viewer thanks for it; Thankable that they may.
	Thanked, Thankable bool
	Mine, Editable     bool
	SignedIn, Public   bool
	ReportURL          string
	Moderator          bool
}

func (v *visit) commentView(c ideas.Comment) commentView {
	view := commentView{
		ID: c.ID, Created: v.moment(c.CreatedAt), Reply: c.Thread != 0, Edited: !c.EditedAt.IsZero(), Thanks: c.Thanks, Thanked: c.Thanked,
		SignedIn: v.member != nil, Public: c.State == ideas.CommentPublished, ReportURL: fmt.Sprintf("/ideas/%d/report?comment=%d", c.IdeaID, c.ID),
	}
	if c.ReplyTo != 0 && c.RepliedTo.ID != 0 {
		view.ReplyTo = v.person(c.RepliedTo.ID, c.RepliedTo.Name).Name
	}
	if c.Author.ID == 0 {
		view.Gone, view.Author = true, memberView{Initials: "–"}
		return view
	}
	view.Author, view.Body = v.person(c.Author.ID, c.Author.Name), v.app.markdown.html(c.Body, commentHeading)
	view.Mine = v.member != nil && c.Author.ID == v.member.ID
	view.Editable = view.Mine && v.app.now().Sub(c.CreatedAt) < ideas.EditCommentWithin &&
		(view.Public || c.State == ideas.CommentPending)
	view.Thankable = view.Public && !view.Mine
	view.Moderator = view.Public && v.roles.May(ideas.MayModerate)
	switch c.State {
	case ideas.CommentPending:
		view.Notice = v.t("comment.pending")
	case ideas.CommentRejected, ideas.CommentHidden:
		view.Notice = v.t("comment.refused") + " " + v.reasonText(c.Reason)
	case ideas.CommentPublished, ideas.CommentDeleted, ideas.CommentErased:
	}
	return view
}

// commented says what became of a comment.
func (v *visit) commented(c ideas.Comment) {
	if c.State == ideas.CommentPending {
		v.setFlash("flash.comment_pending")
		return
	}
	v.setFlash("flash.commented")
}

// commentPage is where a comment is answered and changed.
type commentPage struct {
	page
	Heading, Idea, Path string
	Comment             commentView
	// Do is what the form asks for: "reply" or "edit".
	Do    string
	Form  commentForm
	Until *moment
}

func (v *visit) commentID() (int64, error) {
	id, err := strconv.ParseInt(v.r.PathValue("comment"), 10, 64)
	if err != nil || id <= 0 {
		return 0, refuse(http.StatusNotFound, "read number of comment", err)
	}
	return id, nil
}

// showComment shows the form that answers a comment, or changes one's own.
func (a *app) showComment(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(v.r.URL.RequestURI())
	}
	id, err := v.commentID()
	if err != nil {
		return err
	}
	do := "reply"
	if v.r.URL.Query().Get("do") == "edit" {
		do = "edit"
	}
	return a.renderComment(v, http.StatusOK, id, do, commentForm{Key: rand.Text()}, true)
}

func (a *app) renderComment(v *visit, status int, id int64, do string, form commentForm, fresh bool) error {
	ctx := v.r.Context()
	c, err := a.cfg.Store.GetComment(ctx, v.viewer(), id)
	if err != nil {
		return fmt.Errorf("get comment: %w", err)
	}
	idea, err := a.cfg.Store.GetIdea(ctx, v.viewer(), c.IdeaID)
	if err != nil {
		return fmt.Errorf("get idea: %w", err)
	}
	v.here = fmt.Sprintf("/comments/%d", id)
	p := commentPage{
		Heading: v.t("comment.reply"), Idea: clean(idea.Title), Path: fmt.Sprintf("%s#comment-%d", ideaPath(idea), id),
		Comment: v.commentView(c), Do: do, Form: form,
	}
	if do == "edit" {
		if !p.Comment.Editable {
			return v.redirect(p.Path)
		}
		p.Heading = v.t("comment.edit")
		if fresh {
			p.Form.Body.Value = c.Body
		}
		until := v.moment(c.CreatedAt.Add(ideas.EditCommentWithin))
		p.Until = &until
	} else if !p.Comment.Public {
		return v.redirect(p.Path)
	}
	p.page = v.page(p.Heading)
	p.Section, p.Hidden = "ideas", true
	return v.renderPrivate(status, "comment", p)
}

// changeComment answers, changes, deletes or thanks for a comment.
func (a *app) changeComment(v *visit) error {
	id, err := v.commentID()
	if err != nil {
		return err
	}
	ctx, form := v.r.Context(), v.r.PostForm
	if v.member == nil {
		return v.askToSignIn("/ideas")
	}
	do := form.Get("do")
	switch do {
	case "reply", "edit":
		return a.writeComment(v, id, do)
	}
	c, err := a.cfg.Store.GetComment(ctx, v.member.ID, id)
	if err != nil {
		return fmt.Errorf("get comment: %w", err)
	}
	fragment := fmt.Sprintf("#comment-%d", id)
	switch do {
	case "thank", "unthank":
		err = a.cfg.Store.ThankFor(ctx, v.member.ID, id, do == "thank")
	case "delete":
		fragment = "#comments"
		if err = a.cfg.Store.DeleteComment(ctx, v.member.ID, id); err == nil {
			v.setFlash("flash.deleted")
		}
	default:
		err = refuse(http.StatusBadRequest, "read what to do with a comment", nil)
	}
	if err != nil {
		return fmt.Errorf("%s comment: %w", do, err)
	}
	return v.redirect(fmt.Sprintf("/ideas/%d?from=%d%s", c.IdeaID, threadOf(c), fragment))
}

// threadOf is the comment that began the thread.
func threadOf(c ideas.Comment) int64 {
	if c.Thread != 0 {
		return c.Thread
	}
	return c.ID
}

// writeComment keeps an answer or a change, or shows the form again with what is wrong.
func (a *app) writeComment(v *visit, id int64, do string) error {
	form := commentForm{Key: formKey(v.r), Body: field{Value: cleanText(v.r.PostForm.Get("body"))}}
	var c ideas.Comment
	var err error
	if do == "edit" {
		c, err = a.cfg.Store.EditComment(v.r.Context(), v.member.ID, id, form.Body.Value)
	} else {
		c, err = a.cfg.Store.Reply(v.r.Context(), v.member.ID, id, form.Key, form.Body.Value)
	}
	if wrong := fieldErrors(err); len(wrong) > 0 {
		form.Body.Error = v.fieldText(wrong["body"])
		return a.renderComment(v, http.StatusUnprocessableEntity, id, do, form, false)
	}
	if err != nil {
		return fmt.Errorf("write comment: %w", err)
	}
	v.commented(c)
	return v.redirect(fmt.Sprintf("/ideas/%d?from=%d#comment-%d", c.IdeaID, threadOf(c), c.ID))
}

type reportPage struct {
	page
	Action, Path, Subject, Excerpt string
	// Part is the input that names a comment or a reply, PartID its number, 0 for none.
	Part      string
	PartID    int64
	Reasons   []reasonChoice
	Chosen    string
	CodeError string
	Text      field
}

// reportPage is the form that tells the moderators of a contribution.
func (a *app) reportPage(v *visit, comment int64) (reportPage, error) {
	own, err := a.openIdea(v)
	if err != nil {
		return reportPage{}, err
	}
	if !own.State.Published() {
		return reportPage{}, refuse(http.StatusNotFound, "report what nobody sees", nil)
	}
	v.here = ideaPath(own.Idea) + "/report"
	p := reportPage{
		Action: v.here, Path: ideaPath(own.Idea), Subject: clean(own.Title), Excerpt: a.markdown.excerpt(own.Body), Part: "comment", PartID: comment,
		Reasons: v.reasonChoices(ideas.ReportReasons()),
	}
	if comment != 0 {
		c, err := a.cfg.Store.GetComment(v.r.Context(), v.viewer(), comment)
		if err != nil {
			return p, fmt.Errorf("get comment: %w", err)
		}
		p.Excerpt = a.markdown.excerpt(c.Body)
		p.Subject = v.t("report.comment", "Name", v.person(c.Author.ID, c.Author.Name).Name)
		v.here += fmt.Sprintf("?comment=%d", comment)
	}
	p.page = v.page(v.t("report.title"))
	p.Section, p.Hidden = "ideas", true
	return p, nil
}

func readComment(text string) int64 {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

// showReport shows the form.
func (a *app) showReport(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(v.r.URL.RequestURI())
	}
	p, err := a.reportPage(v, readComment(v.r.URL.Query().Get("comment")))
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "report", p)
}

// report tells the moderators.
func (a *app) report(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/ideas")
	}
	form := v.r.PostForm
	p, err := a.reportPage(v, readComment(form.Get("comment")))
	if err != nil {
		return err
	}
	id, err := v.refID()
	if err != nil {
		return err
	}
	return a.sendReport(v, ideas.Contribution{Idea: id, Comment: p.PartID}, p)
}

// sendReport tells the moderators, or shows the form again with what is wrong.
func (a *app) sendReport(v *visit, reported ideas.Contribution, p reportPage) error {
	form := v.r.PostForm
	p.Chosen, p.Text.Value = clean(form.Get("code")), cleanText(form.Get("reason"))
	err := a.cfg.Store.Report(v.r.Context(), v.member.ID, reported, ideas.Reason{Code: ideas.ReasonCode(p.Chosen), Text: p.Text.Value})
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p.CodeError, p.Text.Error = v.fieldText(wrong["code"]), v.fieldText(wrong["reason"])
		return v.renderPrivate(http.StatusUnprocessableEntity, "report", p)
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	v.setFlash("flash.reported")
	return v.redirect(p.Path)
}
