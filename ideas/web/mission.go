package web

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func (a *app) missionRoutes() map[string]handle {
	return map[string]handle{
		"POST /challenges/{name}/tasks/{task}": a.method(hasMission, true, a.submitResult),
	}
}

// missionBody is a mission inside its challenge's page.
type missionBody struct {
	Recruit *recruitPanel
	// OnMission tells that the visitor has the role.
	OnMission bool
	Tasks     []taskView
	Done      int
	Posts     topicList
	Ideas     []stageView
	IdeaCount int
	// Cards are the newest ideas; Share leads to the form, where ideas are taken.
	Cards []card
	Share string
}

// taskView is a task with what the member has delivered.
type taskView struct {
	Name, Title, Action string
	Brief               template.HTML
	Due                 string
	State, StateName    string
	Feedback            string
	Body, Link          field
	// Editable tells that a result is taken.
	Editable bool
	Result   string
}

// missionIdeas is the number of ideas that a mission's page shows.
const missionIdeas = 6

// stageView is how many ideas are where on the way to launch.
type stageView struct {
	Label   string
	N       int
	Percent int
}

var resultTexts = map[ideas.ResultState]string{
	ideas.ResultSubmitted: "task.submitted", ideas.ResultAccepted: "task.accepted", ideas.ResultRedo: "task.redo",
}

// ideaStages put states together as people follow them.
var ideaStages = []struct {
	key    string
	states []ideas.State
}{
	{"mission.ideas.gathering", []ideas.State{ideas.StateGathering, ideas.StateQualified}},
	{"mission.ideas.review", []ideas.State{ideas.StateUnderReview, ideas.StateShortlisted}},
	{"mission.ideas.selected", []ideas.State{ideas.StateSelected, ideas.StatePlanned}},
	{"mission.ideas.development", []ideas.State{ideas.StateDevelopment, ideas.StateTesting}},
	{"mission.ideas.launched", []ideas.State{ideas.StateLaunched}},
	{"mission.ideas.closed", []ideas.State{ideas.StateNotSelected, ideas.StateExpired}},
}

func (v *visit) stages(progress ideas.IdeaProgress) (views []stageView, total int) {
	for _, n := range progress {
		total += n
	}
	for _, stage := range ideaStages {
		one := stageView{Label: v.t(stage.key)}
		for _, s := range stage.states {
			one.N += progress[s]
		}
		if total > 0 {
			one.Percent = 100 * one.N / total
		}
		views = append(views, one)
	}
	return views, total
}

func (a *app) missionBody(v *visit, c *ideas.Challenge, failed string, wrong map[string]*ideas.FieldError) (template.HTML, error) {
	ctx := v.r.Context()
	b := missionBody{}
	var err error
	if b.Recruit, err = v.recruitPanel(c); err != nil {
		return "", err
	}
	if b.OnMission, err = v.selectedFor(c); err != nil {
		return "", err
	}
	b.OnMission = b.OnMission && v.member != nil
	results := map[string]ideas.TaskResult{}
	if b.OnMission {
		if results, err = a.cfg.Store.MyResults(ctx, c.ID, v.member.ID); err != nil {
			return "", fmt.Errorf("read results: %w", err)
		}
	}
	for _, task := range c.Spec.Mission.Tasks {
		one := v.taskView(c, task, results, b.OnMission)
		if one.State == string(ideas.ResultAccepted) || one.State == string(ideas.ResultSubmitted) {
			b.Done++
		}
		if task.Name == failed {
			one.Body = field{cleanText(v.r.PostForm.Get("body")), v.fieldText(wrong["body"])}
			one.Link = field{clean(v.r.PostForm.Get("link")), v.fieldText(wrong["link"])}
		}
		b.Tasks = append(b.Tasks, one)
	}
	if b.Posts, err = v.topicList(c, b.OnMission && v.allows(c, ideas.ActionSubmit)); err != nil {
		return "", err
	}
	progress, err := a.cfg.Store.IdeaProgress(ctx, c.ID)
	if err != nil {
		return "", fmt.Errorf("count ideas: %w", err)
	}
	b.Ideas, b.IdeaCount = v.stages(progress)
	part, err := v.partView(c)
	if err != nil {
		return "", err
	}
	if b.Share = part.Enter; b.Share == "" {
		b.Share = part.SignIn
	}
	entries, err := a.cfg.Store.ListEntries(ctx, v.viewer(), c, ideas.EntryQuery{Limit: missionIdeas})
	if err != nil {
		return "", fmt.Errorf("list ideas of mission: %w", err)
	}
	list := make([]ideas.Idea, len(entries.Entries))
	for i, e := range entries.Entries {
		list[i] = e.Idea
	}
	b.Cards = v.cards(list)
	return v.part("mission-body", b)
}

func (v *visit) taskView(c *ideas.Challenge, task control.Task, results map[string]ideas.TaskResult, onMission bool) taskView {
	one := taskView{
		Name: task.Name, Title: v.local(task.Title), Brief: v.app.markdown.html(v.local(task.Brief), commentHeading),
		Action: challengePath(c) + "/tasks/" + url.PathEscape(task.Name),
	}
	over := false
	if task.Due != "" {
		if due, err := control.ParseLocalTime(task.Due, v.site.location); err == nil {
			one.Due, over = v.dateTime(due), !v.app.now().Before(due)
		}
	}
	if r, ok := results[task.Name]; ok {
		one.State, one.StateName, one.Feedback = string(r.State), v.t(resultTexts[r.State]), r.Feedback
		one.Body.Value, one.Link.Value, one.Result = r.Body, r.Link, r.Body
	}
	one.Editable = onMission && !over && one.State != string(ideas.ResultAccepted) && v.allows(c, ideas.ActionRespond, ideas.ActionSubmit)
	return one
}

func (a *app) submitResult(v *visit, c *ideas.Challenge) error {
	task := v.r.PathValue("task")
	err := a.cfg.Store.SubmitResult(v.r.Context(), c, task, v.member.ID, v.r.PostForm.Get("body"), v.r.PostForm.Get("link"))
	if wrong := fieldErrors(err); len(wrong) > 0 {
		body, err := a.missionBody(v, c, task, wrong)
		if err != nil {
			return err
		}
		return a.renderChallenge(v, http.StatusUnprocessableEntity, c, body)
	}
	return v.done(err, "flash.task", challengePath(c)+"#task-"+url.PathEscape(task), "submit result")
}

// missionPage is the team's side of a mission.
type missionPage struct {
	teamPage
	Challenge, Back, Path string
	Members               []missionRow
	TaskNames             []string
	Waiting               []resultRow
	Pending               []topicView
	Ideas                 []stageView
	IdeaCount, Posts      int
	Link                  string
	Idea                  field
	Problem               string
}

type missionRow struct {
	Person memberView
	Cells  []missionCell
}

type missionCell struct{ State, Text string }

type resultRow struct {
	Person         memberView
	Task           string
	Body           template.HTML
	Link, LinkHost string
	Submitted      moment
	Decide         string
}

func (a *app) showMission(v *visit, c *ideas.Challenge) error {
	return a.renderMission(v, http.StatusOK, c, field{}, "")
}

func (a *app) renderMission(v *visit, status int, c *ideas.Challenge, idea field, problem string) error {
	path := teamChallengePath(c) + "/mission"
	v.here = path
	progress, err := a.cfg.Store.MissionProgress(v.r.Context(), c)
	if err != nil {
		return fmt.Errorf("read progress: %w", err)
	}
	pending, err := a.cfg.Store.PendingTopics(v.r.Context(), c.ID)
	if err != nil {
		return fmt.Errorf("list pending posts: %w", err)
	}
	p := missionPage{
		teamPage: v.teamPage("methods", v.t("mission.progress")), Challenge: v.local(c.Spec.Title), Back: challengePath(c), Path: path,
		Posts: progress.Posts, Link: path + "/ideas", Idea: idea, Problem: problem,
	}
	p.Ideas, p.IdeaCount = v.stages(progress.Ideas)
	titles := map[string]string{}
	for _, t := range c.Spec.Mission.Tasks {
		titles[t.Name] = v.local(t.Title)
		p.TaskNames = append(p.TaskNames, titles[t.Name])
	}
	type key struct {
		member int64
		task   string
	}
	results := map[key]ideas.TaskResult{}
	for _, r := range progress.Results {
		results[key{r.Member.ID, r.Task}] = r
		if r.State != ideas.ResultSubmitted || titles[r.Task] == "" {
			continue
		}
		p.Waiting = append(p.Waiting, resultRow{
			Person: v.person(r.Member.ID, r.Member.Name), Task: titles[r.Task], Body: a.markdown.html(r.Body, commentHeading), Link: r.Link, LinkHost: hostOf(r.Link),
			Submitted: v.moment(r.SubmittedAt), Decide: fmt.Sprintf("%s/results/%s/%d", path, url.PathEscape(r.Task), r.Member.ID),
		})
	}
	for _, m := range progress.Members {
		row := missionRow{Person: v.person(m.ID, m.Name)}
		for _, t := range c.Spec.Mission.Tasks {
			r, ok := results[key{m.ID, t.Name}]
			cell := missionCell{Text: v.t("task.open")}
			if ok {
				cell = missionCell{string(r.State), v.t(resultTexts[r.State])}
			}
			row.Cells = append(row.Cells, cell)
		}
		p.Members = append(p.Members, row)
	}
	for _, t := range pending {
		p.Pending = append(p.Pending, v.topicView(c, t))
	}
	return v.renderPrivate(status, "mission", p)
}

func (a *app) decideResult(v *visit, c *ideas.Challenge) error {
	member, err := v.pathNumber("member")
	if err != nil {
		return err
	}
	form := v.r.PostForm
	err = a.cfg.Store.DecideResult(v.r.Context(), v.member.ID, c, v.r.PathValue("task"), member, ideas.ResultState(form.Get("state")), form.Get("feedback"))
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderMission(v, http.StatusUnprocessableEntity, c, field{}, v.t("applications.reason_missing"))
	}
	return v.done(err, "flash.saved", teamChallengePath(c)+"/mission", "decide on result")
}

func (a *app) linkIdea(v *visit, c *ideas.Challenge) error {
	typed := clean(v.r.PostForm.Get("idea"))
	id, err := strconv.ParseInt(typed, 10, 64)
	if err != nil {
		id = 0
	}
	err = a.cfg.Store.LinkIdea(v.r.Context(), v.member.ID, c, id, v.r.PostForm.Get("linked") != "false")
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderMission(v, http.StatusUnprocessableEntity, c, field{cut(typed, 20), v.t("mission.no_idea")}, "")
	}
	return v.done(err, "flash.saved", teamChallengePath(c)+"/mission", "link idea")
}
