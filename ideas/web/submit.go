package web

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/quaeso/community-operator/ideas"
)

// submitPage is the form of an idea, new or edited.
type submitPage struct {
	page
	// Action that the form is sent to, and Heading and Lead above it.
	Action, Heading, Lead string
	Key                   string
	Idea, Body, Tags      field
	Themes                []themeChoice
	ThemeError            string
	Wrong                 int
	// SignedOut tells that the session ended while writing.
	SignedOut bool
	// Edited is the idea that is edited; 0 for a new one.
	Edited int64
	// Draft tells that nobody else has seen it yet. Publish is the text of the button.
	Draft   bool
	Publish string
	// Note says what publishing leads to.
	Note string
	// Reason why changes were requested.
	Reason string
	// Preview shows how it will look; Similar what is there already.
	Preview *ideaPreview
	Similar []similarIdea
	Cancel  string
}

type themeChoice struct {
	Name, Title string
	Chosen      bool
}

type ideaPreview struct {
	Heading string
	Body    template.HTML
	Tags    []string
}

type similarIdea struct {
	URL, Title string
	Supporters int
}

func (v *visit) submitPage() submitPage {
	v.here = "/ideas/new"
	p := submitPage{page: v.page(v.t("submit.title")), Action: "/ideas", Draft: true, Cancel: "/ideas"}
	p.Heading, p.Lead, p.Publish = v.t("submit.title"), v.t("submit.lead"), v.t("submit.button")
	p.Section = "submit"
	p.Hidden = true
	p.Themes = v.themeChoices("")
	return p
}

// themeChoices are the house's themes, with the chosen one.
func (v *visit) themeChoices(chosen string) []themeChoice {
	if v.site.House == nil {
		return nil
	}
	var all []themeChoice
	for _, t := range v.site.House.Themes {
		all = append(all, themeChoice{t.Name, v.site.text(t.Title, v.lang), t.Name == chosen})
	}
	return all
}

// read takes what was typed.
func (p *submitPage) read(v *visit) ideas.Content {
	form := v.r.PostForm
	p.Key = formKey(v.r)
	p.Idea.Value, p.Body.Value = clean(form.Get("title")), cleanText(form.Get("body"))
	p.Tags.Value = cut(clean(form.Get("tags")), maxSearch)
	theme := clean(form.Get("theme"))
	p.Themes = v.themeChoices(theme)
	return ideas.Content{Title: p.Idea.Value, Body: p.Body.Value, Theme: theme, Tags: []string{p.Tags.Value}}
}

// wrong takes over what the store refuses, and tells whether it was that.
func (p *submitPage) wrong(v *visit, err error) bool {
	wrong := fieldErrors(err)
	p.Wrong = len(wrong)
	p.Idea.Error, p.Body.Error, p.Tags.Error = v.fieldText(wrong["title"]), v.fieldText(wrong["body"]), v.fieldText(wrong["tags"])
	p.ThemeError = v.fieldText(wrong["theme"])
	if wrong["draft"] != nil && p.Idea.Error == "" {
		p.Idea.Error = v.t("submit.too_many_drafts", "Limit", ideas.MaxDrafts)
	}
	return len(wrong) > 0
}

// preview shows how an idea will look, and what is there already.
func (a *app) preview(v *visit, p *submitPage, c ideas.Content, except int64) error {
	tags, err := ideas.CleanTags(c.Tags)
	if p.wrong(v, err) {
		return nil
	}
	p.Preview = &ideaPreview{Heading: c.Title, Body: a.markdown.html(c.Body, ideaHeading), Tags: tags}
	p.Similar, err = a.similar(v, c.Title, except)
	return err
}

func (a *app) similar(v *visit, title string, except int64) ([]similarIdea, error) {
	list, err := a.cfg.Store.SimilarIdeas(v.r.Context(), title, except)
	if err != nil {
		return nil, fmt.Errorf("find similar ideas: %w", err)
	}
	var similar []similarIdea
	for _, idea := range list {
		similar = append(similar, similarIdea{ideaPath(idea), clean(idea.Title), idea.Supporters})
	}
	return similar, nil
}

// similarIdeas answers htmx while a title is typed.
func (a *app) similarIdeas(v *visit) error {
	except, err := strconv.ParseInt(v.r.URL.Query().Get("except"), 10, 64)
	if err != nil {
		except = 0
	}
	list, err := a.similar(v, cut(clean(v.r.URL.Query().Get("title")), maxSearch), except)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "similar", list)
}

// newIdea shows the form. Whoever is not signed in does so first and comes back, so that nothing written is
// lost on the way.
func (a *app) newIdea(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(v.r.URL.RequestURI())
	}
	p := v.submitPage()
	p.Key = rand.Text()
	p.Idea.Value = cut(clean(v.r.URL.Query().Get("title")), maxSearch)
	return v.render(http.StatusOK, "submit", p)
}

// What the buttons of the form ask for; anything else publishes.
const (
	doPreview = "preview"
	doDraft   = "draft"
	doFiles   = "files"
)

// submitIdea publishes an idea, keeps it as a draft, or shows the form again with what is wrong and all that was typed.
func (a *app) submitIdea(v *visit) error {
	p := v.submitPage()
	c := p.read(v)
	if v.member == nil {
		p.SignedOut = true
		return v.render(http.StatusUnauthorized, "submit", p)
	}
	do := v.r.PostForm.Get("do")
	if do == doPreview {
		if err := a.preview(v, &p, c, 0); err != nil {
			return err
		}
		return v.render(http.StatusOK, "submit", p)
	}
	idea, err := a.cfg.Store.CreateIdea(v.r.Context(), v.member.ID, p.Key, c, do != doDraft && do != doFiles)
	if p.wrong(v, err) {
		return v.render(http.StatusUnprocessableEntity, "submit", p)
	}
	if err != nil {
		return fmt.Errorf("submit idea: %w", err)
	}
	return v.saved(idea, do)
}

// saved leads on to what follows from the button that was pressed.
func (v *visit) saved(idea ideas.Idea, do string) error {
	switch {
	case do == doFiles:
		return v.redirect(ideaPath(idea) + "/files")
	case do == doDraft:
		v.setFlash("flash.draft")
		return v.redirect(ideaPath(idea) + "/edit")
	case idea.State == ideas.StatePending:
		v.setFlash("flash.idea_pending")
	default:
		v.setFlash("flash.submitted")
	}
	return v.redirect(ideaPath(idea))
}

// ownIdea is the idea that the address names, for its authors; everybody else does not find what belongs to them alone.
func (a *app) ownIdea(v *visit) (ideas.OwnIdea, error) {
	own, err := a.openIdea(v)
	if err != nil {
		return own.OwnIdea, err
	}
	if !own.mine() {
		return own.OwnIdea, refuse(http.StatusNotFound, "open an idea as its author", nil)
	}
	return own.OwnIdea, nil
}

// openedIdea is an idea as the viewer may see it.
type openedIdea struct{ ideas.OwnIdea }

// mine tells whether the viewer is among its authors.
func (o openedIdea) mine() bool { return len(o.As) > 0 && o.As[0] == ideas.AsAuthor }

func (a *app) openIdea(v *visit) (openedIdea, error) {
	id, err := v.refID()
	if err != nil {
		return openedIdea{}, err
	}
	own, err := a.cfg.Store.OpenIdea(v.r.Context(), v.viewer(), id)
	if err != nil {
		return openedIdea{}, fmt.Errorf("open idea: %w", err)
	}
	return openedIdea{own}, nil
}

// editPage is the form with what an author wrote.
func (v *visit) editPage(own ideas.OwnIdea) submitPage {
	p := v.submitPage()
	v.here = ideaPath(own.Idea) + "/edit"
	p.page = v.page(v.t("edit.title"))
	p.Hidden, p.Section = true, "ideas"
	p.Action, p.Cancel, p.Edited = v.here, ideaPath(own.Idea), own.ID
	p.Heading, p.Lead = v.t("edit.title"), v.t("edit.lead")
	p.Draft = own.State == ideas.StateDraft
	switch own.State {
	case ideas.StateDraft:
		p.Cancel = "/profile/ideas"
	case ideas.StateChangesRequested:
		p.Publish, p.Reason = v.t("edit.resubmit"), v.reasonText(own.Reason)
	case ideas.StateExpired:
		p.Publish, p.Note = v.t("edit.again"), v.t("edit.again.note")
	default:
		p.Publish, p.Note = v.t("edit.button"), v.t("edit.note")
	}
	p.Idea.Value, p.Body.Value, p.Tags.Value = clean(own.Title), own.Body, strings.Join(own.Tags, ", ")
	p.Themes = v.themeChoices(own.Theme)
	return p
}

// showEdit shows an author the form.
func (a *app) showEdit(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(v.r.URL.RequestURI())
	}
	own, err := a.ownIdea(v)
	if err != nil {
		return err
	}
	if !own.State.Editable() {
		return v.redirect(ideaPath(own.Idea))
	}
	return v.renderPrivate(http.StatusOK, "submit", v.editPage(own))
}

// saveEdit keeps what an author changed, and submits what was not submitted yet.
func (a *app) saveEdit(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	own, err := a.ownIdea(v)
	if err != nil {
		return err
	}
	p, do := v.editPage(own), v.r.PostForm.Get("do")
	c := p.read(v)
	if do == doPreview {
		if err := a.preview(v, &p, c, own.ID); err != nil {
			return err
		}
		return v.renderPrivate(http.StatusOK, "submit", p)
	}
	ctx := v.r.Context()
	idea, err := a.cfg.Store.EditIdea(ctx, v.member.ID, own.ID, c)
	keep := do == doDraft || do == doFiles
	if err == nil && !keep && own.State != ideas.StateGathering {
		idea, err = a.cfg.Store.ResubmitIdea(ctx, v.member.ID, own.ID)
	}
	if p.wrong(v, err) {
		return v.renderPrivate(http.StatusUnprocessableEntity, "submit", p)
	}
	if err != nil {
		return fmt.Errorf("edit idea: %w", err)
	}
	if !keep && own.State == ideas.StateGathering && idea.State == ideas.StateGathering {
		v.setFlash("flash.saved")
		return v.redirect(ideaPath(idea))
	}
	return v.saved(idea, do)
}
