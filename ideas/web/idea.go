package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// ideaRoutes are the pages of ideas.
func (a *app) ideaRoutes() map[string]handle {
	return map[string]handle{
		"GET /ideas":                        a.listIdeas,
		"GET /ideas/new":                    a.newIdea,
		"POST /ideas":                       a.submitIdea,
		"GET /ideas/{ref}":                  a.showIdea,
		"POST /ideas/{ref}/support":         a.support,
		"POST /ideas/{ref}/comments":        a.comment,
		"GET /ideas/similar":                a.similarIdeas,
		"GET /ideas/{ref}/edit":             a.showEdit,
		"POST /ideas/{ref}/edit":            a.saveEdit,
		"POST /ideas/{ref}/withdraw":        a.withdraw,
		"POST /ideas/{ref}/delete":          a.deleteDraft,
		"GET /ideas/{ref}/history":          a.showHistory,
		"GET /profile/ideas":                a.showOwnIdeas,
		"GET /roadmap":                      a.showRoadmap,
		"GET /ideas/{ref}/authors":          a.showAuthors,
		"POST /ideas/{ref}/authors":         a.changeAuthors,
		"POST /ideas/{ref}/invitation":      a.answerInvitation,
		"GET /ideas/{ref}/shares":           a.showShares,
		"POST /ideas/{ref}/shares":          a.proposeShares,
		"POST /ideas/{ref}/shares/answer":   a.answerShares,
		"GET /ideas/{ref}/files":            a.showFiles,
		"POST /ideas/{ref}/files":           a.attach,
		"POST /ideas/{ref}/files/{file}":    a.changeFile,
		"GET /files/{file}/{digest}/{name}": a.serveFile,
		"GET /ideas/{ref}/report":           a.showReport,
		"POST /ideas/{ref}/report":          a.report,
		"GET /comments/{comment}":           a.showComment,
		"POST /comments/{comment}":          a.changeComment,
	}
}

// commentsLength is the number of comments on a page. One more is asked for to see whether there are more.
const commentsLength = 40

type ideaPage struct {
	page
	ID               int64
	Path             string
	Heading, Excerpt string
	Body             template.HTML
	Author           memberView
	Created          moment
	// Edited is nil where the idea is as first written.
	Edited *moment
	State  string
	Vote   voteView
	// Entry is what the idea is in a challenge; nil outside of challenges.
	Entry *ideaEntry
	// Follow is nil for strangers.
	Follow   *followView
	Comments []commentView
	Count    int
	Details  ideaDetails
	// Earlier and More lead to the comments before and after those shown; empty where there are none.
	Earlier, More string
	Form          commentForm
}

// commentForm is what somebody is about to say.
type commentForm struct {
	Key  string
	Body field
	// SignedOut tells that the session ended while writing.
	SignedOut bool
}

// voteView is the button that supports an idea, which works as a plain form.
type voteView struct {
	ID         int64
	Action     string
	Title      string
	Supporters int
	Supported  bool
	// Big is the form of an idea's own page.
	Big bool
	// Back is the page that the form is on.
	Back string
	// SignedIn tells that pressing the button counts right away.
	SignedIn bool
	// Elsewhere leads to the challenge whose ballot the idea is in; empty where plain support counts.
	Elsewhere string
}

func (v *visit) vote(idea ideas.Idea, big bool) voteView {
	elsewhere := ""
	if c := v.programme().ChallengeByID(idea.Challenge); c != nil && !c.Plain() {
		elsewhere = challengePath(c)
	}
	return voteView{
		Elsewhere: elsewhere,
		ID:        idea.ID, Action: fmt.Sprintf("/ideas/%d/support", idea.ID), Title: clean(idea.Title),
		Supporters: idea.Supporters, Supported: idea.Supported, Big: big, Back: localPath(v.here),
		SignedIn: v.member != nil,
	}
}

// refID is the number of an idea's address, "12" of "12-better-saddles".
func (v *visit) refID() (int64, error) {
	digits, _, _ := strings.Cut(v.r.PathValue("ref"), "-")
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || id <= 0 || digits[0] == '+' {
		return 0, refuse(http.StatusNotFound, "read number of idea", err)
	}
	return id, nil
}

// showIdea shows an idea and its conversation. One that was merged leads on to the one that stands for it.
func (a *app) showIdea(v *visit) error {
	own, err := a.openIdea(v)
	if err != nil {
		return err
	}
	if own.MergedInto != 0 {
		v.w.Header().Set("Cache-Control", "no-cache") // a merge may be undone
		http.Redirect(v.w, v.r, fmt.Sprintf("/ideas/%d", own.MergedInto), http.StatusFound)
		return nil
	}
	if v.r.PathValue("ref") != ideaRef(own.Idea) {
		target := url.URL{RawQuery: v.r.URL.RawQuery}
		// A title may change back, so browsers must not keep this.
		v.w.Header().Set("Cache-Control", "no-cache")
		http.Redirect(v.w, v.r, ideaPath(own.Idea)+target.String(), http.StatusMovedPermanently)
		return nil
	}
	return a.renderIdea(v, http.StatusOK, own, commentForm{Key: rand.Text()})
}

func (a *app) renderIdea(v *visit, status int, own openedIdea, form commentForm) error {
	idea := own.Idea
	path := ideaPath(idea)
	after, err := strconv.ParseInt(v.r.URL.Query().Get("after"), 10, 64)
	if err != nil || after < 0 {
		after = 0
	}
	if from, err := strconv.ParseInt(v.r.URL.Query().Get("from"), 10, 64); err == nil && from > 0 {
		after = -from
	}
	v.here = path
	p := ideaPage{
		page: v.page(clean(idea.Title)), ID: idea.ID, Path: path, Heading: clean(idea.Title),
		Excerpt: a.markdown.excerpt(idea.Body), Body: a.markdown.html(idea.Body, ideaHeading),
		Author: v.person(idea.Author.ID, idea.Author.Name), Created: v.moment(idea.CreatedAt),
		State: v.stateText(idea.State), Vote: v.vote(idea, true), Count: idea.Comments, Form: form, Details: a.ideaDetails(v, own),
	}
	p.Section = "ideas"
	p.Hidden = after != 0 || !p.Details.Public
	if p.Entry, err = v.ideaEntry(idea); err != nil {
		return err
	}
	if p.Follow, err = v.followOf(ideas.FollowIdea, idea.ID); err != nil {
		return err
	}
	if idea.UpdatedAt.Sub(idea.CreatedAt) > time.Minute {
		edited := v.moment(idea.UpdatedAt)
		p.Edited = &edited
	}
	if !p.Details.Public {
		return v.renderPrivate(status, "idea", p)
	}
	if after != 0 {
		p.Earlier = path + "#comments"
	}
	comments, err := a.cfg.Store.ListThreads(v.r.Context(), v.viewer(), idea.ID, after, commentsLength+1)
	if err != nil {
		return fmt.Errorf("list comments: %w", err)
	}
	if len(comments) > commentsLength {
		comments = comments[:commentsLength]
		p.More = commentsPath(path, comments[len(comments)-1].ID) + "#comments"
	}
	for _, c := range comments {
		p.Comments = append(p.Comments, v.commentView(c))
	}
	return v.render(status, "idea", p)
}

// commentsPath is an idea's page with the comments after one.
func commentsPath(path string, after int64) string {
	return fmt.Sprintf("%s?after=%d", path, after)
}

// support adds or withdraws support. Without JavaScript the browser comes back to the page it was on; htmx
// gets the button anew.
func (a *app) support(v *visit) error {
	id, err := v.refID()
	if err != nil {
		return err
	}
	back := localPath(v.r.PostForm.Get("back"))
	if v.member == nil {
		return v.askToSignIn(back)
	}
	ctx := v.r.Context()
	_, err = a.cfg.Store.SetSupport(ctx, v.member.ID, id, v.r.PostForm.Get("support") == "true")
	var barred *ideas.BarredError
	switch {
	case errors.As(err, &barred):
		return v.votedInVain(barred, back, fmt.Sprintf("vote-%d", id))
	case err != nil:
		return fmt.Errorf("set support: %w", err)
	}
	if v.r.Header.Get("HX-Request") == "" {
		return v.redirect(back + fmt.Sprintf("#vote-%d", id))
	}
	idea, err := a.cfg.Store.GetIdea(ctx, v.member.ID, id)
	if err != nil {
		return fmt.Errorf("get idea: %w", err)
	}
	v.here = back
	return v.render(http.StatusOK, "vote", v.vote(idea, v.r.PostForm.Get("big") == "true"))
}

// comment adds to the conversation.
func (a *app) comment(v *visit) error {
	id, err := v.refID()
	if err != nil {
		return err
	}
	ctx := v.r.Context()
	own, err := a.openIdea(v)
	if err == nil && !own.State.Published() {
		err = ideas.ErrNotFound
	}
	if err != nil {
		return err
	}
	idea := own.Idea
	form := commentForm{Key: formKey(v.r), Body: field{Value: cleanText(v.r.PostForm.Get("body"))}}
	if v.member == nil {
		form.SignedOut = true
		return a.renderIdea(v, http.StatusUnauthorized, own, form)
	}
	c, err := a.cfg.Store.AddComment(ctx, v.member.ID, id, form.Key, form.Body.Value)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		form.Body.Error = v.fieldText(wrong["body"])
		return a.renderIdea(v, http.StatusUnprocessableEntity, own, form)
	}
	if err != nil {
		return fmt.Errorf("add comment: %w", err)
	}
	v.commented(c)
	path := ideaPath(idea)
	if idea.Comments >= commentsLength {
		// The new comment is beyond the first page; show the conversation from it on.
		path = fmt.Sprintf("%s?from=%d", path, c.ID)
	}
	return v.redirect(fmt.Sprintf("%s#comment-%d", path, c.ID))
}

// formKey is the key that makes a form count once however often it is sent.
func formKey(r *http.Request) string {
	if key := r.PostForm.Get("key"); key != "" && len(key) <= 64 {
		return clean(key)
	}
	return rand.Text()
}

// field is one input of a form: what was typed, and what is wrong with it.
type field struct{ Value, Error string }

// fieldErrors finds the errors of fields, also among several joined; the first of each field counts.
func fieldErrors(err error) map[string]*ideas.FieldError {
	found := map[string]*ideas.FieldError{}
	var collect func(error)
	collect = func(err error) {
		//nolint:errorlint // the walk is by hand because errors.As stops at the first of several
		switch err := err.(type) {
		case *ideas.FieldError:
			if found[err.Field] == nil {
				found[err.Field] = err
			}
		case interface{ Unwrap() []error }:
			for _, e := range err.Unwrap() {
				collect(e)
			}
		case interface{ Unwrap() error }:
			collect(err.Unwrap())
		}
	}
	collect(err)
	return found
}

// fieldTexts are the message keys of codes that need nothing else.
var fieldTexts = map[string]string{
	"number": "error.number", "date": "error.date", "choice": "error.choice", "url": "error.url",
	"every_row": "error.every_row", "every_rank": "error.every_rank",
}

// fieldText says in the reader's language what is wrong with a field; empty for nothing.
func (v *visit) fieldText(e *ideas.FieldError) string {
	switch {
	case e == nil:
		return ""
	case e.Code == "required":
		return v.t("error.required")
	case e.Code == "too_long":
		return v.lang.catalog.Plural("error.too_long", int64(e.Limit))
	case e.Field == "email":
		return v.t("error.email.invalid")
	case e.Code == "too_small":
		return v.t("error.too_small", "Limit", v.lang.catalog.Number(int64(e.Limit)))
	case e.Code == "too_large":
		return v.t("error.too_large", "Limit", v.lang.catalog.Number(int64(e.Limit)))
	case fieldTexts[e.Code] != "":
		return v.t(fieldTexts[e.Code])
	default:
		return v.t("error.invalid")
	}
}
