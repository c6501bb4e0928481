package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

const (
	insightsPath = "/team/insights"
	// insightDays are shown in charts.
	insightDays = 30
	// closingDays before a challenge's vote ends, the overview names it.
	closingDays = 7
)

// insightRoutes are the team's dashboards.
func (a *app) insightRoutes() map[string]handle {
	return map[string]handle{
		"GET " + insightsPath:                         a.team(ideas.MayMeasure, a.showInsights),
		"POST " + insightsPath + "/objectives/{name}": a.team(ideas.MayMeasure, a.enterObjective),
	}
}

// visitSalt keeps visitors who are not signed in from being known again: it is new with every process, and the day is part of
// what is hashed.
var visitSalt = func() (salt [16]byte) {
	_, _ = rand.Read(salt[:]) // never fails, see crypto/rand
	return salt
}()

// noteVisit counts a visitor once a day, by the member's number, or by a hash that means nothing the day after.
func (a *app) noteVisit(v *visit) {
	if v.r.Method != http.MethodGet || v.r.Header.Get("HX-Request") != "" {
		return
	}
	var visitor [16]byte
	if v.member != nil {
		binary.BigEndian.PutUint64(visitor[8:], uint64(v.member.ID)) //nolint:gosec // the bits
	} else {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %s", visitSalt, a.now().In(v.site.location).Format(time.DateOnly), a.clientAddress(v.r), v.r.UserAgent()))
		copy(visitor[:], sum[:])
		visitor[0] |= 0x80 // never that of a member
	}
	a.cfg.Store.SawVisitor(visitor)
}

type insightsPage struct {
	teamPage
	Views      []viewTab
	Objectives []objectiveView
	Charts     []chart
	Funnel     []funnelStep
	Segments   []segmentView
	Ranking    []rankView
	Figures    []figureView
}

type viewTab struct {
	URL, Text string
	Current   bool
}

type figureView struct{ Label, Value string }

type funnelStep struct {
	Label, Value string
	// Percent of the first step, 0 to 100, and as it is written.
	Percent int
	Text    string
}

type segmentView struct {
	Label, Actual, Quota, Gap, Weight string
	Participants                      string
	ActualPercent, QuotaPercent       int
	Off                               bool
}

type rankView struct {
	Place                           int
	URL, Title, Supporters          string
	Weighted, WeightedPlace, Change string
}

type objectiveView struct {
	Name, Title, Standing, State    string
	Current, Baseline, Target, When string
	Projected                       string
	Percent                         int
	Manual                          bool
	Chart                           chart
}

func (a *app) showInsights(v *visit) error { return a.renderInsights(v, http.StatusOK) }

func (a *app) renderInsights(v *visit, status int) error {
	view := v.r.URL.Query().Get("view")
	if view != ideas.TeamProduct && view != ideas.TeamMarketing {
		view = ""
	}
	v.here = insightsPath
	if view != "" {
		v.here += "?view=" + view
	}
	p := insightsPage{teamPage: v.teamPage("insights", v.t("insights.title"))}
	for _, tab := range []struct{ name, text string }{
		{"", v.t("insights.all")}, {ideas.TeamProduct, v.t("insights.product")}, {ideas.TeamMarketing, v.t("insights.marketing")},
	} {
		address := insightsPath
		if tab.name != "" {
			address += "?view=" + tab.name
		}
		p.Views = append(p.Views, viewTab{address, tab.text, tab.name == view})
	}
	for _, fill := range []func(*visit, *insightsPage, string) error{a.fillObjectives, a.fillFigures, a.fillCharts, a.fillFunnel, a.fillSegments, a.fillRanking} {
		if err := fill(v, &p, view); err != nil {
			return err
		}
	}
	return v.renderPrivate(status, "insights", p)
}

// today at midnight UTC, as figures have their days.
func (v *visit) today() time.Time {
	now := v.app.now().In(v.site.location)
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
}

func (a *app) figures(ctx context.Context, metric string, from time.Time) ([]ideas.Figure, error) {
	figures, err := a.cfg.Store.Figures(ctx, metric, from)
	if err != nil {
		return nil, fmt.Errorf("read figures: %w", err)
	}
	return figures, nil
}

// last figure of a metric, in the last week; ok is false where there is none.
func (a *app) lastFigure(v *visit, metric string) (value int64, ok bool, err error) {
	figures, err := a.figures(v.r.Context(), metric, v.today().AddDate(0, 0, -7))
	if err != nil || len(figures) == 0 {
		return 0, false, err
	}
	return figures[len(figures)-1].Value, true, nil
}

func (a *app) fillFigures(v *visit, p *insightsPage, view string) error {
	shown := []struct{ metric, label, view string }{
		{ideas.MetricMembers, v.t("insights.members"), ideas.TeamMarketing},
		{ideas.MetricActive, v.t("insights.active"), ideas.TeamMarketing},
		{ideas.MetricAllIdeas, v.t("insights.ideas"), ideas.TeamProduct},
		{ideas.MetricSelected, v.t("insights.selected"), ideas.TeamProduct},
		{ideas.MetricLaunched, v.t("insights.launched"), ideas.TeamProduct},
		{ideas.MetricAnswered, v.t("insights.answered"), ideas.TeamProduct},
	}
	for _, s := range shown {
		if view != "" && view != s.view {
			continue
		}
		value, ok, err := a.lastFigure(v, s.metric)
		if err != nil {
			return err
		}
		text := "–"
		if ok {
			text = v.lang.catalog.Number(value)
			if s.metric == ideas.MetricAnswered {
				text = v.percent(float64(value) / 100)
			}
		}
		p.Figures = append(p.Figures, figureView{s.label, text})
	}
	return nil
}

func (a *app) fillCharts(v *visit, p *insightsPage, view string) error {
	shown := []struct{ metric, title, view string }{
		{ideas.MetricVisitors, v.t("insights.chart.visitors"), ideas.TeamMarketing},
		{ideas.MetricJoined, v.t("insights.chart.joined"), ideas.TeamMarketing},
		{ideas.MetricIdeas, v.t("insights.chart.ideas"), ideas.TeamProduct},
		{ideas.MetricComments, v.t("insights.chart.comments"), ideas.TeamProduct},
		{ideas.MetricVotes, v.t("insights.chart.votes"), ideas.TeamProduct},
		{ideas.MetricContributors, v.t("insights.chart.contributors"), ideas.TeamMarketing},
	}
	to := v.today()
	from := to.AddDate(0, 0, 1-insightDays)
	for _, s := range shown {
		if view != "" && view != s.view {
			continue
		}
		figures, err := a.figures(v.r.Context(), s.metric, from)
		if err != nil {
			return err
		}
		p.Charts = append(p.Charts, v.chart("chart-"+s.metric, s.title, figures, from, to, true))
	}
	return nil
}

// fillFunnel shows how far people come: of those who came in the last days, and of all who ever joined.
func (a *app) fillFunnel(v *visit, p *insightsPage, view string) error {
	if view == ideas.TeamProduct {
		return nil
	}
	from := v.today().AddDate(0, 0, 1-insightDays)
	visits, err := a.figures(v.r.Context(), ideas.MetricVisitors, from)
	if err != nil {
		return err
	}
	var sum int64
	for _, f := range visits {
		sum += f.Value
	}
	members, known, err := a.lastFigure(v, ideas.MetricMembers)
	if err != nil || !known {
		return err
	}
	voted, _, err := a.lastFigure(v, ideas.MetricEverVoted)
	if err != nil {
		return err
	}
	contributed, _, err := a.lastFigure(v, ideas.MetricEverContributed)
	if err != nil {
		return err
	}
	p.Funnel = []funnelStep{
		{Label: v.t("insights.funnel.visits"), Value: v.lang.catalog.Number(sum)},
	}
	for _, step := range []struct {
		label string
		value int64
	}{{v.t("insights.funnel.joined"), members}, {v.t("insights.funnel.voted"), voted}, {v.t("insights.funnel.contributed"), contributed}} {
		share := float64(step.value) / float64(max(members, 1))
		p.Funnel = append(p.Funnel, funnelStep{step.label, v.lang.catalog.Number(step.value), percentOf(share), v.percent(share)})
	}
	return nil
}

func percentOf(share float64) int { return min(100, max(0, int(math.Round(share*100)))) }

// percent writes a share as the language does.
func (v *visit) percent(share float64) string {
	return v.t("insights.percent", "Percent", strconv.Itoa(int(math.Round(share*100))))
}

// segmentGap is the difference to a quota, in percentage points, from which a segment is called out.
const segmentGap = 0.05

func (v *visit) quotas() []control.Quota {
	if v.site.House == nil {
		return nil
	}
	return v.site.House.Quotas
}

func (a *app) fillSegments(v *visit, p *insightsPage, _ string) error {
	quotas := v.quotas()
	if len(quotas) == 0 {
		return nil
	}
	segments := make([]ideas.QuotaSegment, len(quotas))
	for i, q := range quotas {
		segments[i] = ideas.QuotaSegment{Attribute: q.Attribute, Value: q.Value}
	}
	participants, err := a.cfg.Store.SegmentParticipants(v.r.Context(), segments)
	if err != nil {
		return fmt.Errorf("read segments: %w", err)
	}
	for _, share := range ideas.Shares(quotas, participants) {
		gap := share.Actual - share.Quota
		p.Segments = append(p.Segments, segmentView{
			Label: v.segmentText(share.Attribute, share.Value), Participants: v.lang.catalog.Number(share.Participants),
			Actual: v.percent(share.Actual), Quota: v.percent(share.Quota), Gap: signed(int(math.Round(gap * 100))),
			Weight: v.hundredths(share.Weight), ActualPercent: percentOf(share.Actual), QuotaPercent: percentOf(share.Quota),
			Off: math.Abs(gap) >= segmentGap,
		})
	}
	return nil
}

func signed(n int) string {
	if n < 0 {
		return "−" + strconv.Itoa(-n)
	}
	return "+" + strconv.Itoa(n)
}

// hundredths writes a number with two digits as the language does.
func (v *visit) hundredths(f float64) string {
	whole, part := int64(f), int64(math.Round(f*100))%100
	if int64(math.Round(f*100))/100 > whole {
		whole++
	}
	return v.t("insights.decimal", "Whole", v.lang.catalog.Number(whole), "Part", fmt.Sprintf("%02d", part))
}

func (a *app) fillRanking(v *visit, p *insightsPage, view string) error {
	if view == ideas.TeamMarketing || len(v.quotas()) == 0 {
		return nil
	}
	list, err := a.cfg.Store.WeightedRanking(v.r.Context())
	if err != nil {
		return fmt.Errorf("read ranking: %w", err)
	}
	weighted := slices.Clone(list)
	slices.SortStableFunc(weighted, func(x, y ideas.RankedIdea) int {
		switch {
		case x.Weighted > y.Weighted:
			return -1
		case x.Weighted < y.Weighted:
			return 1
		}
		return 0
	})
	for i, one := range list {
		place := slices.IndexFunc(weighted, func(w ideas.RankedIdea) bool { return w.ID == one.ID })
		row := rankView{
			Place: i + 1, URL: ideaPath(ideas.Idea{ID: one.ID, Slug: one.Slug}), Title: clean(one.Title), Supporters: v.lang.catalog.Number(one.Supporters),
			Weighted: v.hundredths(one.Weighted), WeightedPlace: strconv.Itoa(place + 1),
		}
		if i != place {
			row.Change = signed(i - place)
		}
		p.Ranking = append(p.Ranking, row)
	}
	return nil
}

func (a *app) fillObjectives(v *visit, p *insightsPage, view string) error {
	if v.site.House == nil {
		return nil
	}
	for _, o := range v.site.House.Objectives {
		if view != "" && o.Team != "" && o.Team != view {
			continue
		}
		one, err := a.objective(v, o)
		if err != nil {
			return err
		}
		p.Objectives = append(p.Objectives, one)
	}
	return nil
}

func (a *app) objective(v *visit, o control.Objective) (objectiveView, error) {
	today := v.today()
	from := today.AddDate(0, 0, 1-3*insightDays)
	metric := ideas.FigureOf(o.Metric)
	var figures []ideas.Figure
	var err error
	if metric == "" {
		figures, err = a.cfg.Store.ObjectiveValues(v.r.Context(), o.Name)
	} else {
		figures, err = a.figures(v.r.Context(), metric, from)
	}
	if err != nil {
		return objectiveView{}, fmt.Errorf("read figures of objective: %w", err)
	}
	standing, projection := ideas.StandingOf(o, figures, today)
	view := objectiveView{
		Name: o.Name, Title: v.site.text(o.Title, v.lang), Standing: string(standing), State: v.standingText(standing), Current: "–",
		Baseline: v.lang.catalog.Number(o.Baseline), Target: v.lang.catalog.Number(o.Target), Manual: metric == "",
	}
	if deadline, err := time.Parse(time.DateOnly, o.Deadline); err == nil {
		view.When = v.lang.catalog.Date(deadline)
	}
	// What is reached or missed needs no outlook, and a scale may end at what was aimed at.
	if projection.Known && (standing == ideas.ObjectiveOnTrack || standing == ideas.ObjectiveBehind) {
		view.Projected = v.lang.catalog.Number(int64(math.Round(projection.Value)))
	}
	if n := len(figures); n > 0 {
		view.Current = v.lang.catalog.Number(figures[n-1].Value)
		view.Percent = percentOf(float64(figures[n-1].Value-o.Baseline) / float64(o.Target-o.Baseline))
		if from = figures[0].Day; n > 1 {
			view.Chart = v.chart("objective-"+o.Name, view.Title, figures, from, figures[n-1].Day, false)
		}
	}
	if view.Chart.ID == "" {
		view.Chart.Empty = true
	}
	return view, nil
}

func (v *visit) standingText(s ideas.ObjectiveStanding) string {
	switch s {
	case ideas.ObjectiveReached:
		return v.t("insights.reached")
	case ideas.ObjectiveOnTrack:
		return v.t("insights.on_track")
	case ideas.ObjectiveBehind:
		return v.t("insights.behind")
	case ideas.ObjectiveMissed:
		return v.t("insights.missed")
	}
	return v.t("insights.unknown")
}

// enterObjective keeps the value of today for an objective that the service cannot measure.
func (a *app) enterObjective(v *visit) error {
	name := v.r.PathValue("name")
	if v.site.House == nil || !slices.ContainsFunc(v.site.House.Objectives, func(o control.Objective) bool {
		return o.Name == name && ideas.FigureOf(o.Metric) == ""
	}) {
		return refuse(http.StatusNotFound, "find objective", nil)
	}
	value, err := strconv.ParseInt(clean(v.r.PostForm.Get("value")), 10, 64)
	if err != nil || value < -1_000_000_000_000 || value > 1_000_000_000_000 {
		v.setFlash("flash.objective_wrong")
		return v.redirect(insightsPath)
	}
	if err := a.cfg.Store.EnterValue(v.r.Context(), v.member.ID, name, v.today(), value); err != nil {
		return fmt.Errorf("enter value: %w", err)
	}
	v.setFlash("flash.objective_entered")
	return v.redirect(insightsPath)
}

// overviewPage is the home of the team: what waits for somebody.
type overviewPage struct {
	teamPage
	Items   []attentionView
	Closing []closingView
	Figures []figureView
}

type attentionView struct {
	Count     int
	Text, URL string
	Urgent    bool
}

type closingView struct {
	Title, URL string
	Ends       string
	Machine    string
}

func (a *app) showTeam(v *visit) error {
	v.here = "/team"
	p := overviewPage{teamPage: v.teamPage("overview", v.t("team.overview"))}
	attention, err := a.cfg.Store.Attention(v.r.Context())
	if err != nil {
		return fmt.Errorf("look what needs attention: %w", err)
	}
	reach := func(needs ideas.Permission, count int, key, url string, urgent bool) {
		if count > 0 && v.roles.May(needs) {
			p.Items = append(p.Items, attentionView{count, v.lang.catalog.Plural(key, int64(count)), url, urgent})
		}
	}
	reach(ideas.MayAnswer, attention.LateAnswers, "team.late", "/team/answers", true)
	reach(ideas.MayModerate, attention.Moderation, "team.queue", "/team/moderation", false)
	reach(ideas.MayModerate, attention.Appeals, "team.appeals", "/team/appeals", false)
	reach(ideas.MayAnswer, attention.DueAnswers, "team.due", "/team/answers", false)
	reach(ideas.MayIntegrate, attention.FailedDeliveries, "team.deliveries", webhooksPath, true)
	now := a.now()
	for _, c := range v.programme().Challenges {
		end, ok := c.VoteEnd()
		if !ok || now.After(end) || end.Sub(now) > closingDays*24*time.Hour || len(c.Spec.Cancelled) > 0 {
			continue
		}
		p.Closing = append(p.Closing, closingView{
			v.site.text(c.Spec.Title, v.lang), "/challenges/" + c.Name, v.lang.catalog.DateTime(end.In(v.site.location)), end.UTC().Format(time.RFC3339),
		})
	}
	if v.roles.May(ideas.MayMeasure) {
		filled := insightsPage{}
		if err := a.fillFigures(v, &filled, ""); err != nil {
			return err
		}
		p.Figures = filled.Figures
	}
	return v.renderPrivate(http.StatusOK, "team", p)
}
