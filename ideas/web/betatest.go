package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

func (a *app) testRoutes() map[string]handle {
	return map[string]handle{
		"GET /challenges/{name}/test":        a.method(hasBetaTest, true, a.showTest),
		"POST /challenges/{name}/test/kit":   a.method(hasBetaTest, true, a.confirmKit),
		"POST /challenges/{name}/test/diary": a.method(hasBetaTest, true, a.addDiary),
		"POST /challenges/{name}/test/bugs":  a.method(hasBetaTest, true, a.reportBug),
		"POST /challenges/{name}/test/final": a.method(hasBetaTest, true, a.respondFinal),
	}
}

// testBody invites to a test, and leads testers to theirs.
type testBody struct {
	Recruit *recruitPanel
	Kit     template.HTML
	Diary   int
	Test    string
}

func (a *app) testBody(v *visit, c *ideas.Challenge) (template.HTML, error) {
	b := testBody{Diary: c.Spec.BetaTest.DiaryDays}
	if kit := v.local(c.Spec.BetaTest.Kit); kit != "" {
		b.Kit = a.markdown.html(kit, commentHeading)
	}
	var err error
	if b.Recruit, err = v.recruitPanel(c); err != nil {
		return "", err
	}
	if b.Recruit != nil && b.Recruit.Selected {
		b.Test = challengePath(c) + "/test"
	}
	return v.part("test-body", b)
}

// testPage is a tester's own page.
type testPage struct {
	methodPage
	Path  string
	Open  bool
	Kit   *kitView
	Slots []slotView
	// Due tells that an entry is due now.
	Due     bool
	Entries []diaryEntryView
	Bugs    []bugView
	Diary   diaryForm
	Bug     bugForm
	Final   *questionsForm
	// FinalDone tells that the final survey is answered.
	FinalDone bool
}

type kitView struct {
	State, Text, Tracking string
	Confirm               bool
}

type slotView struct {
	Number      int
	State, Text string
	Due         string
}

type diaryEntryView struct {
	Mood    int
	Body    template.HTML
	Created moment
}

type diaryForm struct {
	Key        string
	Mood, Body field
	Moods      []formOption
}

type bugForm struct {
	Key                    string
	Title, Steps, Severity field
	Severities             []formOption
}

type bugView struct {
	ID                    int64
	Title, Steps          string
	Severity, Status      string
	SeverityKey           string
	Answer                string
	DuplicateOf           int64
	Duplicates            int
	Author                memberView
	Created               moment
	Action                string
	StatusName, Duplicate string
	Statuses              []formOption
}

var kitTexts = map[ideas.Kit]string{
	ideas.KitToSend: "test.kit.to_send", ideas.KitSent: "test.kit.sent", ideas.KitReceived: "test.kit.received",
}

var slotTexts = map[ideas.SlotState]string{
	ideas.SlotDone: "test.slot.done", ideas.SlotMissed: "test.slot.missed", ideas.SlotDue: "test.slot.due",
}

var severityTexts = map[ideas.Severity]string{
	ideas.SeverityBlocker: "bug.severity.blocker", ideas.SeverityMajor: "bug.severity.major", ideas.SeverityMinor: "bug.severity.minor",
	ideas.SeverityCosmetic: "bug.severity.cosmetic",
}

var bugTexts = map[ideas.BugStatus]string{
	ideas.BugNew: "bug.status.new", ideas.BugConfirmed: "bug.status.confirmed", ideas.BugFixed: "bug.status.fixed",
	ideas.BugDeclined: "bug.status.declined", ideas.BugDuplicate: "bug.status.duplicate",
}

// moodTexts are the message keys of the moods from 1 to 5.
var moodTexts = []string{"test.mood.1", "test.mood.2", "test.mood.3", "test.mood.4", "test.mood.5"}

func (v *visit) bugView(b ideas.Bug) bugView {
	one := bugView{
		ID: b.ID, Title: clean(b.Title), Steps: cleanText(b.Steps), Severity: v.t(severityTexts[b.Severity]), SeverityKey: string(b.Severity),
		Status: string(b.Status), StatusName: v.t(bugTexts[b.Status]), Answer: cleanText(b.Answer), DuplicateOf: b.DuplicateOf, Duplicates: b.Duplicates,
		Author: v.person(b.Author.ID, b.Author.Name), Created: v.moment(b.CreatedAt),
	}
	if b.DuplicateOf != 0 {
		one.Duplicate = strconv.FormatInt(b.DuplicateOf, 10)
	}
	for _, s := range ideas.BugStatuses() {
		one.Statuses = append(one.Statuses, formOption{Name: string(s), Label: v.t(bugTexts[s]), Chosen: s == b.Status})
	}
	return one
}

// testForms are the forms of a tester's page: what was typed, and what is wrong with it.
type testForms struct {
	diary diaryForm
	bug   bugForm
	final map[string][]string
	wrong map[string]*ideas.FieldError
}

func (a *app) showTest(v *visit, c *ideas.Challenge) error {
	return a.renderTest(v, http.StatusOK, c, testForms{diary: diaryForm{Key: rand.Text()}, bug: bugForm{Key: rand.Text()}})
}

// slots of a tester's diary.
func (v *visit) slots(c *ideas.Challenge, t ideas.Tester, written []time.Time) []ideas.DiarySlot {
	start, ok := t.Start(len(c.Spec.BetaTest.Kit) > 0)
	if !ok {
		return nil
	}
	// A diary is due once the test is open, not while applications still come.
	for _, phase := range c.Phases {
		if phase.Name == control.PhaseOpen && start.Before(phase.Start) {
			start = phase.Start
		}
	}
	var end time.Time
	for _, phase := range c.Phases {
		if phase.Name == control.PhaseOpen {
			end = phase.End
		}
	}
	return ideas.DiarySchedule(start.In(v.site.location), c.Spec.BetaTest.DiaryDays, end, written, v.app.now())
}

// written is when the entries of a diary were.
func written(entries []ideas.DiaryEntry) []time.Time {
	at := make([]time.Time, len(entries))
	for i, e := range entries {
		at[i] = e.CreatedAt
	}
	return at
}

func (a *app) renderTest(v *visit, status int, c *ideas.Challenge, forms testForms) error {
	ctx, path := v.r.Context(), challengePath(c)+"/test"
	tester, err := a.cfg.Store.Tester(ctx, c, v.member.ID)
	if err != nil {
		return fmt.Errorf("get tester: %w", err)
	}
	if !tester.DroppedAt.IsZero() {
		return refuse(http.StatusNotFound, "test after dropping out", nil)
	}
	entries, err := a.cfg.Store.Diary(ctx, c.ID, v.member.ID)
	if err != nil {
		return fmt.Errorf("read diary: %w", err)
	}
	bugs, err := a.cfg.Store.Bugs(ctx, c.ID, v.member.ID, 0, ideas.MaxPage)
	if err != nil {
		return fmt.Errorf("list bugs: %w", err)
	}
	p := testPage{
		methodPage: v.methodPage(c, path, v.t("test.title")), Path: path, Open: v.allows(c, ideas.ActionRespond), Diary: forms.diary, Bug: forms.bug,
		FinalDone: tester.Final,
	}
	p.Wrong = len(forms.wrong)
	if len(c.Spec.BetaTest.Kit) > 0 {
		p.Kit = &kitView{State: string(tester.Kit), Text: v.t(kitTexts[tester.Kit]), Tracking: tester.Tracking, Confirm: tester.Kit == ideas.KitSent}
	}
	slots := v.slots(c, tester, written(entries))
	for _, s := range slots {
		p.Slots = append(p.Slots, slotView{Number: s.Number, State: string(s.State), Text: v.t(slotTexts[s.State]), Due: v.dateTime(s.Due)})
		p.Due = s.State == ideas.SlotDue
	}
	for _, e := range entries {
		p.Entries = append(p.Entries, diaryEntryView{Mood: e.Mood, Body: a.markdown.html(e.Body, commentHeading), Created: v.moment(e.CreatedAt)})
	}
	for _, b := range bugs {
		p.Bugs = append(p.Bugs, v.bugView(b))
	}
	for i, key := range moodTexts {
		n := strconv.Itoa(i + 1)
		p.Diary.Moods = append(p.Diary.Moods, formOption{Name: n, Label: v.t(key), Chosen: n == forms.diary.Mood.Value})
	}
	for _, s := range ideas.Severities() {
		p.Bug.Severities = append(p.Bug.Severities, formOption{Name: string(s), Label: v.t(severityTexts[s]), Chosen: string(s) == forms.bug.Severity.Value})
	}
	if survey := c.Spec.BetaTest.FinalSurvey; survey != nil && !tester.Final {
		p.Final = &questionsForm{Action: path + "/final", Questions: v.questions(survey.Questions, forms.final, forms.wrong), Button: v.t("survey.send")}
	}
	return v.renderPrivate(status, "test", p)
}

func (a *app) confirmKit(v *visit, c *ideas.Challenge) error {
	tester, err := a.cfg.Store.Tester(v.r.Context(), c, v.member.ID)
	if err != nil {
		return fmt.Errorf("get tester: %w", err)
	}
	if tester.Kit != ideas.KitSent {
		return v.redirect(challengePath(c) + "/test")
	}
	err = a.cfg.Store.SetKit(v.r.Context(), v.member.ID, c, v.member.ID, ideas.KitReceived, "")
	return v.done(err, "flash.kit_received", challengePath(c)+"/test", "confirm kit")
}

func (a *app) addDiary(v *visit, c *ideas.Challenge) error {
	form := diaryForm{Key: formKey(v.r), Mood: field{Value: clean(v.r.PostForm.Get("mood"))}, Body: field{Value: cleanText(v.r.PostForm.Get("body"))}}
	mood, err := strconv.Atoi(form.Mood.Value)
	if err != nil {
		mood = 0
	}
	err = a.cfg.Store.AddDiary(v.r.Context(), c, v.member.ID, form.Key, mood, form.Body.Value)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		form.Mood.Error, form.Body.Error = v.fieldText(wrong["mood"]), v.fieldText(wrong["body"])
		return a.renderTest(v, http.StatusUnprocessableEntity, c, testForms{diary: form, bug: bugForm{Key: rand.Text()}, wrong: wrong})
	}
	return v.done(err, "flash.diary", challengePath(c)+"/test#diary", "add diary entry")
}

func (a *app) reportBug(v *visit, c *ideas.Challenge) error {
	posted := v.r.PostForm
	form := bugForm{
		Key: formKey(v.r), Title: field{Value: clean(posted.Get("title"))}, Steps: field{Value: cleanText(posted.Get("steps"))},
		Severity: field{Value: clean(posted.Get("severity"))},
	}
	_, err := a.cfg.Store.ReportBug(v.r.Context(), c, v.member.ID, form.Key, form.Title.Value, form.Steps.Value, ideas.Severity(form.Severity.Value))
	if wrong := fieldErrors(err); len(wrong) > 0 {
		form.Title.Error, form.Steps.Error, form.Severity.Error = v.fieldText(wrong["title"]), v.fieldText(wrong["steps"]), v.fieldText(wrong["severity"])
		return a.renderTest(v, http.StatusUnprocessableEntity, c, testForms{diary: diaryForm{Key: rand.Text()}, bug: form, wrong: wrong})
	}
	return v.done(err, "flash.bug", challengePath(c)+"/test#bugs", "report bug")
}

func (a *app) respondFinal(v *visit, c *ideas.Challenge) error {
	survey := c.Spec.BetaTest.FinalSurvey
	if survey == nil {
		return refuse(http.StatusNotFound, "find final survey", nil)
	}
	typed := typedAnswers(survey.Questions, v.r.PostForm)
	err := a.cfg.Store.Respond(v.r.Context(), c, ideas.PartFinal, v.member.ID, typed)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		forms := testForms{diary: diaryForm{Key: rand.Text()}, bug: bugForm{Key: rand.Text()}, final: typed, wrong: wrong}
		return a.renderTest(v, http.StatusUnprocessableEntity, c, forms)
	}
	return v.done(err, "flash.responded", challengePath(c)+"/test", "respond to final survey")
}

// testersPage is the team's side of a beta test.
type testersPage struct {
	teamPage
	Challenge, Back, Path string
	Testers               []testerRow
	Bugs                  []bugView
	More                  string
	Problem               string
	Places, Active        int
	HasKit                bool
	Mood                  []barView
}

type testerRow struct {
	ID            int64
	Person        memberView
	Kit, KitText  string
	Tracking      string
	Kits          []formOption
	Entries, Bugs int
	Missed        int
	Final         bool
	Dropped       bool
	Active        moment
	Set, Drop     string
}

func (a *app) showTesters(v *visit, c *ideas.Challenge) error {
	return a.renderTesters(v, http.StatusOK, c, "")
}

func (a *app) renderTesters(v *visit, status int, c *ideas.Challenge, problem string) error {
	ctx, path := v.r.Context(), teamChallengePath(c)+"/testers"
	v.here = path
	testers, err := a.cfg.Store.Testers(ctx, c)
	if err != nil {
		return fmt.Errorf("list testers: %w", err)
	}
	times, err := a.cfg.Store.DiaryTimes(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("read diaries: %w", err)
	}
	before, err := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64)
	if err != nil {
		before = 0
	}
	bugs, err := a.cfg.Store.Bugs(ctx, c.ID, 0, before, ideas.MaxPage)
	if err != nil {
		return fmt.Errorf("list bugs: %w", err)
	}
	p := testersPage{
		teamPage: v.teamPage("methods", v.t("testers.title")), Challenge: v.local(c.Spec.Title), Back: challengePath(c), Path: path, Problem: problem,
		HasKit: len(c.Spec.BetaTest.Kit) > 0,
	}
	if c.Spec.Recruiting != nil {
		p.Places = c.Spec.Recruiting.Places
	}
	for _, t := range testers {
		row := testerRow{
			ID: t.Member.ID, Person: v.person(t.Member.ID, t.Member.Name), Kit: string(t.Kit), KitText: v.t(kitTexts[t.Kit]), Tracking: t.Tracking,
			Entries: t.Entries, Bugs: t.Bugs, Final: t.Final, Dropped: !t.DroppedAt.IsZero(), Active: v.moment(t.ActiveAt),
			Set: fmt.Sprintf("%s/%d/kit", path, t.Member.ID), Drop: fmt.Sprintf("%s/%d/drop", path, t.Member.ID),
		}
		for _, kit := range []ideas.Kit{ideas.KitToSend, ideas.KitSent, ideas.KitReceived} {
			row.Kits = append(row.Kits, formOption{Name: string(kit), Label: v.t(kitTexts[kit]), Chosen: kit == t.Kit})
		}
		if !row.Dropped {
			p.Active++
		}
		if !row.Dropped {
			for _, slot := range v.slots(c, t, times[t.Member.ID]) {
				if slot.State == ideas.SlotMissed {
					row.Missed++
				}
			}
		}
		p.Testers = append(p.Testers, row)
	}
	for _, b := range bugs {
		one := v.bugView(b)
		one.Action = fmt.Sprintf("%s/bugs/%d", teamChallengePath(c), b.ID)
		p.Bugs = append(p.Bugs, one)
	}
	if len(bugs) == ideas.MaxPage {
		p.More = fmt.Sprintf("%s?before=%d", path, bugs[len(bugs)-1].ID)
	}
	return v.renderPrivate(status, "testers", p)
}

func (a *app) setKit(v *visit, c *ideas.Challenge) error {
	id, err := v.pathNumber("member")
	if err != nil {
		return err
	}
	err = a.cfg.Store.SetKit(v.r.Context(), v.member.ID, c, id, ideas.Kit(v.r.PostForm.Get("kit")), v.r.PostForm.Get("tracking"))
	if wrong := fieldErrors(err); len(wrong) > 0 {
		return a.renderTesters(v, http.StatusUnprocessableEntity, c, v.fieldText(wrong["tracking"]))
	}
	return v.done(err, "flash.saved", teamChallengePath(c)+"/testers", "set kit")
}

func (a *app) dropTester(v *visit, c *ideas.Challenge) error {
	id, err := v.pathNumber("member")
	if err != nil {
		return err
	}
	return v.done(a.cfg.Store.DropOut(v.r.Context(), v.member.ID, c, id, "team"), "flash.saved", teamChallengePath(c)+"/testers", "drop tester")
}

func (a *app) answerBug(v *visit, c *ideas.Challenge) error {
	id, err := v.pathNumber("id")
	if err != nil {
		return err
	}
	form := v.r.PostForm
	answer := ideas.BugAnswer{Status: ideas.BugStatus(form.Get("status")), DuplicateOf: v.formNumber("duplicateOf"), Answer: form.Get("answer")}
	err = a.cfg.Store.AnswerBug(v.r.Context(), v.member.ID, c, id, answer)
	var wrong *ideas.FieldError
	if errors.As(err, &wrong) {
		problem := v.fieldText(wrong)
		if wrong.Field == "duplicateOf" {
			problem = v.t("bug.duplicate_wrong")
		}
		return a.renderTesters(v, http.StatusUnprocessableEntity, c, problem)
	}
	return v.done(err, "flash.saved", fmt.Sprintf("%s/testers#bug-%d", teamChallengePath(c), id), "answer bug")
}

// showDiary shows the team one tester's diary.
func (a *app) showDiary(v *visit, c *ideas.Challenge) error {
	id, err := v.pathNumber("member")
	if err != nil {
		return err
	}
	tester, err := a.cfg.Store.Tester(v.r.Context(), c, id)
	if err != nil {
		return fmt.Errorf("get tester: %w", err)
	}
	entries, err := a.cfg.Store.Diary(v.r.Context(), c.ID, id)
	if err != nil {
		return fmt.Errorf("read diary: %w", err)
	}
	path := fmt.Sprintf("%s/testers/%d", teamChallengePath(c), id)
	v.here = path
	p := diaryPage{
		teamPage: v.teamPage("methods", v.t("testers.diary")), Back: teamChallengePath(c) + "/testers", Person: v.person(id, tester.Member.Name),
	}
	for _, s := range v.slots(c, tester, written(entries)) {
		p.Slots = append(p.Slots, slotView{Number: s.Number, State: string(s.State), Text: v.t(slotTexts[s.State]), Due: v.dateTime(s.Due)})
	}
	for _, e := range entries {
		p.Entries = append(p.Entries, diaryEntryView{Mood: e.Mood, Body: a.markdown.html(e.Body, commentHeading), Created: v.moment(e.CreatedAt)})
	}
	return v.renderPrivate(http.StatusOK, "tester-diary", p)
}

type diaryPage struct {
	teamPage
	Back    string
	Person  memberView
	Slots   []slotView
	Entries []diaryEntryView
}
