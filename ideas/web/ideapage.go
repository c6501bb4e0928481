package web

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// stateKeys are the message keys of states, and of what they mean for who reads an idea.
var stateKeys = map[ideas.State]string{
	ideas.StateDraft: "state.draft", ideas.StatePending: "state.pending", ideas.StateChangesRequested: "state.changes_requested",
	ideas.StateRejected: "state.rejected", ideas.StateGathering: "state.gathering", ideas.StateQualified: "state.qualified",
	ideas.StateUnderReview: "state.under_review", ideas.StateShortlisted: "state.shortlisted", ideas.StateSelected: "state.selected",
	ideas.StateNotSelected: "state.not_selected", ideas.StatePlanned: "state.planned", ideas.StateDevelopment: "state.in_development",
	ideas.StateTesting: "state.testing", ideas.StateLaunched: "state.launched", ideas.StateExpired: "state.expired",
	ideas.StateMerged: "state.merged", ideas.StateWithdrawn: "state.withdrawn", ideas.StateHidden: "state.hidden", ideas.StateErased: "state.erased",
}

func (v *visit) stateText(s ideas.State) string {
	if key := stateKeys[s]; key != "" {
		return v.t(key)
	}
	return ""
}

// reasonKeys are the message keys of reasons that come up again and again; "other" says nothing by itself.
var reasonKeys = map[ideas.ReasonCode]string{
	ideas.ReasonOffTopic: "reason.off_topic", ideas.ReasonUnclear: "reason.unclear", ideas.ReasonDuplicate: "reason.duplicate",
	ideas.ReasonExists: "reason.exists", ideas.ReasonOffensive: "reason.offensive", ideas.ReasonPersonalData: "reason.personal_data",
	ideas.ReasonAdvertising: "reason.advertising", ideas.ReasonRights: "reason.rights", ideas.ReasonNotFeasible: "reason.not_feasible",
	ideas.ReasonOther: "reason.other", ideas.ReasonBallot: "reason.ballot", ideas.ReasonJury: "reason.jury",
}

// reasonText is a public reason in the reader's language; empty for none.
func (v *visit) reasonText(r ideas.Reason) string {
	text := cleanText(r.Text)
	key := reasonKeys[r.Code]
	switch {
	case key == "" || r.Code == ideas.ReasonOther && text != "":
		return text
	case text == "":
		return v.t(key)
	}
	return v.t(key) + " " + text
}

type reasonChoice struct{ Code, Text string }

func (v *visit) reasonChoices(codes []ideas.ReasonCode) []reasonChoice {
	all := make([]reasonChoice, len(codes))
	for i, code := range codes {
		all[i] = reasonChoice{string(code), v.t(reasonKeys[code])}
	}
	return all
}

// ideaDetails is what an idea's page shows beside text and conversation.
type ideaDetails struct {
	// Reason of its state, Notice what that means to its authors.
	Reason, Notice string
	Theme          *tagLink
	Tags           []tagLink
	CoAuthors      []memberView
	// Merged are the authors of ideas that were merged into this one.
	Merged   []memberView
	Pictures []fileView
	Files    []fileView
	Answers  []officialView
	// Due is when the brand has promised to answer.
	Due     *moment
	Overdue bool
	Steps   []stepView
	// Public tells that everybody sees the idea: there is a button to support it and a conversation.
	Public bool
	// Mine tells that the viewer is among its authors; Editable that they may change it now.
	Mine, Owner, Editable, Withdrawable bool
	// Again tells that the viewer may submit again what has expired.
	Again   bool
	Invited bool
	History bool
	// Team tells that the viewer may do something with it as one of the team.
	Team, Reportable bool
}

type tagLink struct{ Text, URL string }

type officialView struct {
	Author  memberView
	Created moment
	Body    template.HTML
}

// stepView is one step of an idea's life.
type stepView struct {
	State, Reason string
	At            moment
}

func (v *visit) tagLinks(tags []string) []tagLink {
	var all []tagLink
	for _, tag := range tags {
		all = append(all, tagLink{clean(tag), "/ideas?" + url.Values{"tag": {tag}}.Encode()})
	}
	return all
}

func (v *visit) themeLink(name string) *tagLink {
	for _, t := range v.themeChoices(name) {
		if t.Chosen {
			return &tagLink{t.Title, "/ideas?" + url.Values{"theme": {name}}.Encode()}
		}
	}
	return nil
}

// noticeKeys say to an idea's authors what a state that only they see means.
var noticeKeys = map[ideas.State]string{
	ideas.StateDraft: "notice.draft", ideas.StatePending: "notice.pending", ideas.StateChangesRequested: "notice.changes_requested",
	ideas.StateRejected: "notice.rejected", ideas.StateHidden: "notice.hidden", ideas.StateWithdrawn: "notice.withdrawn",
	ideas.StateExpired: "notice.expired",
}

func (a *app) ideaDetails(v *visit, own openedIdea) ideaDetails {
	d := ideaDetails{
		Reason: v.reasonText(own.Reason), Theme: v.themeLink(own.Theme), Tags: v.tagLinks(own.Tags),
		Public: own.State.Published(), Mine: own.mine(), Owner: v.member != nil && own.Author.ID == v.member.ID,
		Invited: own.Invited, History: own.Revision > 1 && len(own.As) > 0,
	}
	d.Editable = d.Mine && own.State.Editable()
	d.Again = d.Editable && own.State == ideas.StateExpired
	d.Team = len(own.As) > 1 || len(own.As) == 1 && !d.Mine || v.roles.May(ideas.MayAnswer)
	d.Reportable = d.Public && v.member != nil && !d.Mine
	d.Withdrawable = d.Mine && slices.ContainsFunc(ideas.NextStates(own.State, []ideas.Capacity{ideas.AsAuthor}),
		func(n ideas.NextState) bool { return n.State == ideas.StateWithdrawn })
	if key := noticeKeys[own.State]; key != "" && (d.Mine || !d.Public) {
		d.Notice = v.t(key)
	}
	for _, c := range own.CoAuthors {
		switch c.State {
		case ideas.CoAuthorAccepted:
			d.CoAuthors = append(d.CoAuthors, v.person(c.Member.ID, c.Member.Name))
		case ideas.CoAuthorMerged:
			d.Merged = append(d.Merged, v.person(c.Member.ID, c.Member.Name))
		case ideas.CoAuthorInvited, ideas.CoAuthorDeclined:
		}
	}
	for _, answer := range own.Answers {
		d.Answers = append(d.Answers, officialView{
			v.person(answer.Author.ID, answer.Author.Name), v.moment(answer.CreatedAt), a.markdown.html(answer.Body, commentHeading),
		})
	}
	if !own.AnswerDue.IsZero() {
		due := v.day(own.AnswerDue)
		d.Due, d.Overdue = &due, a.now().After(own.AnswerDue)
	}
	d.Pictures, d.Files = v.fileViews(own.Attachments)
	d.Steps = v.steps(own)
	return d
}

// day is a moment in the future: its date.
func (v *visit) day(t time.Time) moment {
	m := v.moment(t)
	m.Short = v.lang.catalog.Date(t.In(v.site.location))
	return m
}

// steps are those of an idea's life that everybody may know of; its authors and the team see all.
func (v *visit) steps(own openedIdea) []stepView {
	var steps []stepView
	for _, c := range own.Changes {
		if !c.To.Published() && len(own.As) == 0 || c.From == ideas.StateHidden || c.From == ideas.StateMerged {
			continue
		}
		steps = append(steps, stepView{v.stateText(c.To), v.reasonText(c.Reason), v.moment(c.At)})
	}
	if len(steps) == 1 && own.State == ideas.StateGathering {
		return nil // published, and nothing else
	}
	return steps
}

// withdraw takes an author's idea out of the community.
func (a *app) withdraw(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	id, err := v.refID()
	if err != nil {
		return err
	}
	idea, err := a.cfg.Store.MoveIdea(v.r.Context(), v.member.ID, id, ideas.StateWithdrawn, ideas.Reason{})
	if err != nil {
		return fmt.Errorf("withdraw idea: %w", err)
	}
	v.setFlash("flash.withdrawn")
	return v.redirect(ideaPath(idea))
}

// deleteDraft removes what nobody else has seen.
func (a *app) deleteDraft(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	id, err := v.refID()
	if err != nil {
		return err
	}
	if err := a.cfg.Store.DeleteDraft(v.r.Context(), v.member.ID, id); err != nil {
		return fmt.Errorf("delete draft: %w", err)
	}
	v.setFlash("flash.deleted")
	return v.redirect("/profile/ideas")
}

type ownIdeasPage struct {
	page
	Ideas []ownIdeaView
}

type ownIdeaView struct {
	URL, Title, State, Reason string
	When                      moment
	Supporters, Comments      int
	Public                    bool
}

// showOwnIdeas lists a member's ideas in every state.
func (a *app) showOwnIdeas(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	list, err := a.cfg.Store.ListOwnIdeas(v.r.Context(), v.member.ID)
	if err != nil {
		return fmt.Errorf("list own ideas: %w", err)
	}
	v.here = "/profile/ideas"
	p := ownIdeasPage{page: v.page(v.t("own.title"))}
	p.Section, p.Hidden = "own", true
	for _, idea := range list {
		view := ownIdeaView{
			URL: ideaPath(idea), Title: clean(idea.Title), State: v.stateText(idea.State), Reason: v.reasonText(idea.Reason), When: v.moment(idea.UpdatedAt),
			Supporters: idea.Supporters, Comments: idea.Comments, Public: idea.State.Published(),
		}
		if idea.State == ideas.StateDraft {
			view.URL += "/edit"
		}
		p.Ideas = append(p.Ideas, view)
	}
	return v.renderPrivate(http.StatusOK, "own-ideas", p)
}

type roadmapPage struct {
	page
	Columns []roadmapColumn
	Empty   bool
}

type roadmapColumn struct {
	ID, Title, Note string
	Ideas           []roadmapIdea
	// More leads to all of them.
	More string
}

type roadmapIdea struct {
	URL, Title string
	Author     memberView
	Since      moment
	Supporters int
}

// roadmapLength is the number of ideas in a column.
const roadmapLength = 12

// showRoadmap shows what becomes of ideas.
func (a *app) showRoadmap(v *visit) error {
	v.here = "/roadmap"
	p := roadmapPage{page: v.page(v.t("roadmap.title")), Empty: true}
	p.Section = "roadmap"
	for _, column := range []struct {
		state ideas.State
		note  string
	}{
		{ideas.StatePlanned, "roadmap.planned"}, {ideas.StateDevelopment, "roadmap.in_development"},
		{ideas.StateTesting, "roadmap.testing"}, {ideas.StateLaunched, "roadmap.launched"},
	} {
		list, err := a.cfg.Store.Roadmap(v.r.Context(), v.viewer(), column.state, roadmapLength+1)
		if err != nil {
			return fmt.Errorf("read the roadmap: %w", err)
		}
		c := roadmapColumn{ID: string(column.state), Title: v.stateText(column.state), Note: v.t(column.note)}
		if len(list) > roadmapLength {
			list, c.More = list[:roadmapLength], "/ideas?"+url.Values{"state": {string(column.state)}}.Encode()
		}
		for _, idea := range list {
			p.Empty = false
			c.Ideas = append(c.Ideas, roadmapIdea{
				ideaPath(idea), clean(idea.Title), v.person(idea.Author.ID, idea.Author.Name), v.moment(idea.StateAt), idea.Supporters,
			})
		}
		p.Columns = append(p.Columns, c)
	}
	return v.render(http.StatusOK, "roadmap", p)
}

type historyPage struct {
	page
	Path, Heading string
	Versions      []versionView
}

type versionView struct {
	Number int
	At     moment
	Author memberView
	Title  template.HTML
	Body   template.HTML
}

// shownRevisions bounds what is compared for one page.
const shownRevisions = 20

// showHistory shows authors and team what changed from version to version.
func (a *app) showHistory(v *visit) error {
	own, err := a.openIdea(v)
	if err != nil {
		return err
	}
	revisions, err := a.cfg.Store.ListRevisions(v.r.Context(), v.viewer(), own.ID)
	if err != nil {
		return fmt.Errorf("list revisions: %w", err)
	}
	v.here = ideaPath(own.Idea) + "/history"
	p := historyPage{page: v.page(v.t("history.title")), Path: ideaPath(own.Idea), Heading: clean(own.Title)}
	p.Section, p.Hidden = "ideas", true
	for i, r := range revisions[:min(len(revisions), shownRevisions)] {
		former := ideas.Revision{}
		if i+1 < len(revisions) {
			former = revisions[i+1]
		}
		p.Versions = append(p.Versions, versionView{
			r.Number, v.moment(r.At), v.person(r.Author.ID, r.Author.Name), diffHTML(former.Title, r.Title), diffHTML(former.Body, r.Body),
		})
	}
	return v.renderPrivate(http.StatusOK, "history", p)
}

// diffHTML marks what was added and removed, for eyes and for screen readers; everything, where there was nothing before.
func diffHTML(before, after string) template.HTML {
	var b strings.Builder
	for _, part := range ideas.Diff(cleanText(before), cleanText(after)) {
		text := template.HTMLEscapeString(part.Text)
		switch {
		case part.Op == ideas.Added && before != "":
			text = "<ins>" + text + "</ins>"
		case part.Op == ideas.Removed:
			text = "<del>" + text + "</del>"
		}
		b.WriteString(text)
	}
	return template.HTML(b.String()) //nolint:gosec // each part is escaped just here
}
