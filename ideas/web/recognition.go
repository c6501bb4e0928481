package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rules"
)

// entriesLength is the number of ledger entries on a page.
const entriesLength = 20

// recognitionRoutes are what thanks members.
func (a *app) recognitionRoutes() map[string]handle {
	return map[string]handle{
		"GET /recognition":         a.showRecognition,
		"POST /recognition/listed": a.setListed,
		"GET /leaderboard":         a.showLeaderboard,
		"GET /team/prizes":         a.team(ideas.MayPay, a.listPrizes),
		"POST /team/prizes/{id}":   a.team(ideas.MayPay, a.handOverPrize),
	}
}

// earned are the message keys of what points are given for.
var earned = map[ideas.EventKind]string{
	ideas.EventMemberJoined: "earned.joined", ideas.EventIdeaSubmitted: "earned.submitted", ideas.EventIdeaPublished: "earned.published",
	ideas.EventIdeaQualified: "earned.qualified", ideas.EventIdeaSelected: "earned.selected", ideas.EventIdeaLaunched: "earned.launched",
	ideas.EventIdeaMerged: "earned.merged", ideas.EventIdeaAnswered: "earned.answered", ideas.EventIdeaSupported: "earned.supported",
	ideas.EventIdeaUnsupported: "earned.unsupported", ideas.EventCommentPublished: "earned.commented", ideas.EventMentioned: "earned.mentioned",
	ideas.EventBallotCast: "earned.voted", ideas.EventReferred: "earned.referred", ideas.EventBadgeAwarded: "earned.badge", ideas.EventLevelReached: "earned.level",
	ideas.EventRungReached: "earned.rung", ideas.EventIdeaContinued: "earned.continued", ideas.EventApplicationSubmitted: "earned.applied",
	ideas.EventApplicationSelected: "earned.chosen", ideas.EventSurveyResponded: "earned.responded", ideas.EventTestDiary: "earned.diary",
	ideas.EventTestBug: "earned.bug", ideas.EventTopicPublished: "earned.topic", ideas.EventTopicReplied: "earned.reply",
	ideas.EventWorkshopRegistered: "earned.workshop", ideas.EventWorkshopOutcome: "earned.outcome", ideas.EventMissionTask: "earned.task",
	ideas.EventMissionDecided: "earned.task_accepted", ideas.EventMissionPost: "earned.post",
}

// earnedText says what points are given for, to whom.
func (v *visit) earnedText(kind ideas.EventKind, to string) string {
	if kind == ideas.EventIdeaSupported && to == rules.ToAuthor {
		return v.t("earned.got_support")
	}
	if kind == ideas.EventCommentPublished && to == rules.ToAuthor {
		return v.t("earned.got_comment")
	}
	if key := earned[kind]; key != "" {
		return v.t(key)
	}
	return v.t("earned.other")
}

type recognitionPage struct {
	page
	Points       string
	PointsText   string
	Level        string
	Next         string
	Progress     int64
	Threshold    int64
	ProgressText string
	Badges       []badgeView
	Ways         []wayView
	Entries      []entryView
	Older        string
	Prizes       []prizeView
	Payouts      []payoutView
	Listed       bool
}

type badgeView struct {
	Title, Text string
	// When is nil for a badge that the member does not have yet.
	When *moment
}

type wayView struct{ Text, Points, Cap string }

type entryView struct {
	Points, Text   string
	Taken          bool
	When           moment
	IdeaURL, Title string
}

type prizeView struct {
	ID                              int64
	Title, Amount, Challenge, State string
	Rank                            string
	Promised, Held                  bool
	When                            moment
	IdeaURL, Idea                   string
	Winner                          memberView
}

type payoutView struct {
	ID                                int64
	Member                            memberView
	Period, Carried, Earned, Payable  string
	Forward, State                    string
	Due, Approved, Paid, CarriedState bool
	Held                              bool
}

// showRecognition is what a member has earned and how to earn more.
func (a *app) showRecognition(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/recognition")
	}
	ctx := v.r.Context()
	standing, err := a.cfg.Recognition.Standing(ctx, v.member.ID)
	if err != nil {
		return fmt.Errorf("read what a member has earned: %w", err)
	}
	before, _ := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64) // what is no number starts at the newest
	entries, err := a.cfg.Recognition.PointsEntries(ctx, v.member.ID, max(before, 0), entriesLength+1)
	if err != nil {
		return fmt.Errorf("list a member's points: %w", err)
	}
	v.here = "/recognition"
	p := recognitionPage{page: v.page(v.t("recognition.title")), Listed: standing.Listed}
	p.Section, p.Hidden = "recognition", true
	p.Points, p.PointsText = v.lang.catalog.Number(standing.Points), v.lang.catalog.Plural("recognition.points", standing.Points)
	policy := v.programme().CommunityPolicy()
	v.climb(&p, policy, standing)
	p.Badges = v.badges(policy, standing.Badges)
	p.Ways = v.ways(policy)
	p.Entries, p.Older = v.entries(entries)
	for _, prize := range standing.Prizes {
		p.Prizes = append(p.Prizes, v.prize(prize))
	}
	for _, payout := range standing.Payouts {
		p.Payouts = append(p.Payouts, v.payout(payout))
	}
	return v.renderPrivate(http.StatusOK, "recognition", p)
}

// climb shows the level and the way to the next one.
func (v *visit) climb(p *recognitionPage, policy *ideas.RewardPolicy, standing ideas.MemberStanding) {
	if policy == nil {
		return
	}
	levels := policy.Spec.Levels
	if standing.Level >= 1 && standing.Level <= len(levels) {
		p.Level = v.site.text(levels[standing.Level-1].Title, v.lang)
	}
	if standing.Level < len(levels) {
		next := levels[standing.Level]
		p.Next = v.site.text(next.Title, v.lang)
		p.Threshold = int64(next.Points)
		p.Progress = min(max(standing.Points, 0), p.Threshold)
		p.ProgressText = v.lang.catalog.Plural("recognition.to_next", p.Threshold-p.Progress, "Level", p.Next)
	}
}

// badges are those of the member, the newest first, then those that are still to be had.
func (v *visit) badges(policy *ideas.RewardPolicy, has []ideas.BadgeAward) []badgeView {
	var views []badgeView
	known := map[string]bool{}
	for _, b := range has {
		known[b.Badge] = true
		when := v.moment(b.AwardedAt)
		views = append(views, badgeView{v.site.text(b.Title, v.lang), v.site.text(b.Text, v.lang), &when})
	}
	if policy == nil {
		return views
	}
	for _, b := range policy.Spec.Badges {
		if !known[b.Name] {
			views = append(views, badgeView{v.site.text(b.Title, v.lang), v.site.text(b.Text, v.lang), nil})
		}
	}
	return views
}

// ways to earn points.
func (v *visit) ways(policy *ideas.RewardPolicy) []wayView {
	if policy == nil {
		return nil
	}
	var ways []wayView
	for _, r := range policy.Spec.Rules {
		way := wayView{Text: v.earnedText(ideas.EventKind(r.Event), r.To), Points: v.signed(int64(r.Points))}
		if r.DailyCap > 0 {
			way.Cap = v.lang.catalog.Plural("recognition.cap", int64(r.DailyCap))
		}
		ways = append(ways, way)
	}
	return ways
}

func (v *visit) entries(entries []ideas.PointsEntry) (views []entryView, older string) {
	if len(entries) > entriesLength {
		entries = entries[:entriesLength]
		older = "/recognition?before=" + strconv.FormatInt(entries[entriesLength-1].ID, 10) + "#points"
	}
	policy := v.programme().CommunityPolicy()
	for _, e := range entries {
		view := entryView{
			Points: v.signed(int64(e.Points)), Text: v.earnedText(e.Kind, recipientOf(policy, e)), Taken: e.Points < 0, When: v.moment(e.At), Title: e.Idea.Title,
		}
		if e.Idea.ID != 0 {
			view.IdeaURL = ideaPath(ideas.Idea{ID: e.Idea.ID, Slug: e.Idea.Slug})
		}
		views = append(views, view)
	}
	return views, older
}

// recipientOf is to whom the rule of an entry gives, as far as the policy in force has it.
func recipientOf(policy *ideas.RewardPolicy, e ideas.PointsEntry) string {
	if policy != nil {
		for _, r := range policy.Spec.Rules {
			if r.Name == e.Rule && r.Event == string(e.Kind) {
				return r.To
			}
		}
	}
	return ""
}

// signed is a number of points with its sign.
func (v *visit) signed(n int64) string {
	if n < 0 {
		return "−" + v.lang.catalog.Number(-n)
	}
	return "+" + v.lang.catalog.Number(n)
}

func (v *visit) prize(p ideas.Prize) prizeView {
	view := prizeView{
		ID: p.ID, Title: v.site.text(p.Title, v.lang), Challenge: v.site.text(p.ChallengeTitle, v.lang), Rank: v.t("prize.rank", "Rank", p.Rank),
		Promised: p.State == ideas.PrizePromised, When: v.moment(p.PromisedAt), State: v.t("prize.promised"), Idea: p.Idea.Title,
		IdeaURL: ideaPath(ideas.Idea{ID: p.Idea.ID, Slug: p.Idea.Slug}), Winner: v.somebody(p.Member),
	}
	if p.Amount > 0 {
		view.Amount = v.money(p.Amount, p.Currency)
	}
	if !view.Promised {
		view.State, view.When = v.t("prize.handed_over"), v.moment(p.HandedOverAt)
	}
	if view.Held = p.Held; p.Held {
		view.State = v.t("payout.held")
	}
	return view
}

// somebody is a member, or what stands for one who was erased.
func (v *visit) somebody(m ideas.Author) memberView {
	if m.ID == 0 {
		return v.person(0, v.t("member.erased"))
	}
	return v.person(m.ID, m.Name)
}

// money writes an amount of minor units.
func (v *visit) money(amount int64, currency string) string {
	return v.lang.catalog.Money(amount, currency)
}

// setListed puts a member on the leaderboards or takes them off.
func (a *app) setListed(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/recognition")
	}
	if err := a.cfg.Recognition.SetListed(v.r.Context(), v.member.ID, v.r.PostForm.Get("listed") == "true"); err != nil {
		return fmt.Errorf("change whether a member is listed: %w", err)
	}
	v.setFlash("flash.saved")
	return v.redirect("/recognition")
}

type leaderboardPage struct {
	page
	Heading string
	Tabs    []orderLink
	Rows    []boardRow
	// Own is the viewer's place where it is below the top; nil otherwise.
	Own *boardRow
	// Join tells why the viewer has no place.
	Join string
}

type boardRow struct {
	Rank   string
	Member memberView
	Level  string
	Points string
	Text   string
	Own    bool
}

// showLeaderboard is that of this month, of all time, or of a challenge.
func (a *app) showLeaderboard(v *visit) error {
	asked := v.r.URL.Query()
	now := a.now().In(v.site.location)
	board, heading := ideas.Board{Month: now.Format("2006-01")}, v.t("leaderboard.title")
	period := "month"
	switch {
	case asked.Get("challenge") != "":
		c := v.programme().Challenge(asked.Get("challenge"))
		if c == nil {
			return fmt.Errorf("find the challenge of a leaderboard: %w", ideas.ErrNotFound)
		}
		board, period = ideas.Board{Challenge: c.ID}, ""
		heading = v.t("leaderboard.challenge", "Challenge", v.site.text(c.Spec.Title, v.lang))
	case asked.Get("period") == "all":
		board, period = ideas.Board{}, "all"
	case asked.Get("month") != "":
		month, err := time.ParseInLocation("2006-01", asked.Get("month"), v.site.location)
		if err != nil {
			return refuse(http.StatusNotFound, "read a leaderboard's month", err)
		}
		board, period = ideas.Board{Month: month.Format("2006-01")}, ""
		heading = v.t("leaderboard.of_month", "Month", v.lang.catalog.Month(month))
	}
	top, err := a.cfg.Recognition.Leaderboard(v.r.Context(), board, v.viewer())
	if err != nil {
		return fmt.Errorf("read a leaderboard: %w", err)
	}
	p := leaderboardPage{page: v.page(heading), Heading: heading}
	p.Section, p.Hidden = "leaderboard", true
	p.Tabs = []orderLink{
		{v.t("leaderboard.month"), "/leaderboard", period == "month"},
		{v.t("leaderboard.last_month"), "/leaderboard?" + url.Values{"month": {lastMonth(now)}}.Encode(), board.Month == lastMonth(now)},
		{v.t("leaderboard.all"), "/leaderboard?period=all", period == "all"},
	}
	levels := v.levels()
	listed := false
	for _, r := range top.Rows {
		row := v.boardRow(r, levels)
		listed = listed || row.Own
		p.Rows = append(p.Rows, row)
	}
	switch {
	case listed || v.member == nil:
	case top.Own.Member.ID != 0:
		own := v.boardRow(top.Own, levels)
		p.Own = &own
	default:
		p.Join = v.t("leaderboard.no_place")
	}
	return v.render(http.StatusOK, "leaderboard", p)
}

// lastMonth is the month before a moment's.
func lastMonth(now time.Time) string {
	return time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}

func (v *visit) levels() []control.Level {
	if policy := v.programme().CommunityPolicy(); policy != nil {
		return policy.Spec.Levels
	}
	return nil
}

func (v *visit) boardRow(r ideas.BoardRow, levels []control.Level) boardRow {
	row := boardRow{
		Member: v.person(r.Member.ID, r.Member.Name), Own: v.member != nil && v.member.ID == r.Member.ID,
		Points: v.lang.catalog.Number(r.Points), Text: v.lang.catalog.Plural("recognition.points", r.Points),
	}
	if r.Rank > 0 {
		row.Rank = v.lang.catalog.Number(int64(r.Rank))
	}
	if r.Level >= 1 && r.Level <= len(levels) {
		row.Level = v.site.text(levels[r.Level-1].Title, v.lang)
	}
	return row
}

type prizesPage struct {
	teamPage
	Prizes []prizeView
}

// maxPrizes bounds the list of prizes; those to be handed over come first.
const maxPrizes = 200

// listPrizes is where the team sees what it has promised.
func (a *app) listPrizes(v *visit) error {
	prizes, err := a.cfg.Recognition.Prizes(v.r.Context(), maxPrizes)
	if err != nil {
		return fmt.Errorf("list prizes: %w", err)
	}
	v.here = "/team/prizes"
	p := prizesPage{teamPage: v.teamPage("prizes", v.t("team.prizes"))}
	for _, prize := range prizes {
		p.Prizes = append(p.Prizes, v.prize(prize))
	}
	return v.renderPrivate(http.StatusOK, "team-prizes", p)
}

func (a *app) handOverPrize(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	switch err := a.cfg.Recognition.HandOverPrize(v.r.Context(), v.member.ID, id); {
	case errors.Is(err, ideas.ErrMinor):
		v.setFlash("flash.minor")
	case err != nil:
		return fmt.Errorf("hand a prize over: %w", err)
	default:
		v.setFlash("flash.handed_over")
	}
	return v.redirect("/team/prizes")
}

// pathID is the number in a page's address.
func (v *visit) pathID() (int64, error) {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil || id < 1 || strings.HasPrefix(v.r.PathValue("id"), "+") {
		return 0, refuse(http.StatusNotFound, "read the number in an address", err)
	}
	return id, nil
}
