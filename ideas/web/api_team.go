package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

func (a *app) apiTeamRoutes() []apiRoute {
	const idea = "/team/ideas/{id}"
	return []apiRoute{
		{method: "POST", path: idea + "/state", scope: ideas.ScopeTeam, needs: ideas.MaySeeTeam, handle: (*apiCall).moveIdea},
		{method: "POST", path: idea + "/answers", scope: ideas.ScopeTeam, needs: ideas.MayAnswer, handle: (*apiCall).answerIdea},
		{method: "POST", path: idea + "/restore", scope: ideas.ScopeTeam, needs: ideas.MaySeeTeam, handle: (*apiCall).restoreIdea},
		{method: "POST", path: idea + "/merge", scope: ideas.ScopeTeam, needs: ideas.MaySeeTeam, handle: (*apiCall).mergeIdea},
		{method: "POST", path: idea + "/unmerge", scope: ideas.ScopeTeam, needs: ideas.MaySeeTeam, handle: (*apiCall).unmergeIdea},
		{method: "GET", path: "/team/answers", scope: ideas.ScopeTeam, needs: ideas.MaySeeTeam, handle: (*apiCall).listDueAnswers},
		{method: "GET", path: "/team/moderation", scope: ideas.ScopeTeam, needs: ideas.MayModerate, handle: (*apiCall).listQueue},
		{method: "POST", path: "/team/moderation", scope: ideas.ScopeTeam, needs: ideas.MayModerate, handle: (*apiCall).moderate},
		{method: "POST", path: "/team/comments/{id}/hide", scope: ideas.ScopeTeam, needs: ideas.MayModerate, handle: (*apiCall).hideComment},
		{method: "POST", path: "/team/comments/{id}/restore", scope: ideas.ScopeTeam, needs: ideas.MayModerate, handle: (*apiCall).restoreComment},
		{method: "POST", path: "/team/challenges/{name}/decision", scope: ideas.ScopeTeam, needs: ideas.MayDecide, handle: (*apiCall).decideChallenge},
	}
}

// apiReason is a public reason: a code, words, or both.
type apiReason struct {
	Code ideas.ReasonCode `json:"code,omitempty"`
	Text string           `json:"text,omitempty"`
}

func (r apiReason) reason() ideas.Reason { return ideas.Reason{Code: r.Code, Text: r.Text} }

// reasonOf is nil for no reason.
func reasonOf(r ideas.Reason) *apiReason {
	if r == (ideas.Reason{}) {
		return nil
	}
	return &apiReason{r.Code, cleanText(r.Text)}
}

// moveIdea takes a step of the idea's life, as far as the caller's role may.
func (c *apiCall) moveIdea() error {
	var body struct {
		State  ideas.State `json:"state"`
		Reason apiReason   `json:"reason"`
	}
	return c.changeIdea("move idea", &body, func(id int64) (ideas.Idea, error) {
		return c.app.cfg.Store.MoveIdea(c.ctx(), c.member.ID, id, body.State, body.Reason.reason())
	})
}

func (c *apiCall) restoreIdea() error {
	return c.changeIdea("restore idea", nil, func(id int64) (ideas.Idea, error) { return c.app.cfg.Store.RestoreIdea(c.ctx(), c.member.ID, id) })
}

// mergeIdea answers with the idea that stands for both.
func (c *apiCall) mergeIdea() error {
	var body struct {
		Into   int64     `json:"into"`
		Reason apiReason `json:"reason"`
	}
	return c.changeIdea("merge idea", &body, func(id int64) (ideas.Idea, error) {
		return c.app.cfg.Store.MergeIdea(c.ctx(), c.member.ID, id, body.Into, body.Reason.reason())
	})
}

func (c *apiCall) unmergeIdea() error {
	return c.changeIdea("undo a merge", nil, func(id int64) (ideas.Idea, error) { return c.app.cfg.Store.UnmergeIdea(c.ctx(), c.member.ID, id) })
}

// changeIdea reads the body, where there is one, and answers with the idea as the change leaves it.
func (c *apiCall) changeIdea(attempted string, body any, change func(id int64) (ideas.Idea, error)) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	if body != nil {
		if err := c.decode(body); err != nil {
			return err
		}
	}
	i, err := change(id)
	if err != nil {
		return fmt.Errorf("%s: %w", attempted, err)
	}
	return c.send(http.StatusOK, c.idea(i))
}

// apiAnswer is what the brand says to an idea.
type apiAnswer struct {
	ID        int64     `json:"id"`
	Author    apiAuthor `json:"author"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"createdAt"`
}

func (c *apiCall) officialAnswer(a ideas.OfficialAnswer) apiAnswer {
	return apiAnswer{a.ID, c.author(a.Author), cleanText(a.Body), a.CreatedAt.UTC()}
}

// answerIdea publishes the brand's answer.
func (c *apiCall) answerIdea() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	var body struct {
		Body string `json:"body"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	answer, err := c.app.cfg.Store.AnswerIdea(c.ctx(), c.member.ID, id, body.Body)
	if err != nil {
		return fmt.Errorf("answer idea: %w", err)
	}
	return c.send(http.StatusCreated, c.officialAnswer(answer))
}

// listDueAnswers are those that the brand has promised; the cursor is an offset.
func (c *apiCall) listDueAnswers() error {
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	offset, err := readIDCursor(c.r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	limit = min(limit, ideas.MaxPage-1)
	due, err := c.app.cfg.Store.DueAnswers(c.ctx(), c.member.ID, int(offset), limit+1)
	if err != nil {
		return fmt.Errorf("list due answers: %w", err)
	}
	next := ""
	if len(due) > limit {
		due, next = due[:limit], idCursor(offset+int64(limit))
	}
	type apiDueAnswer struct {
		Idea        apiIdea    `json:"idea"`
		DueAt       time.Time  `json:"dueAt"`
		Late        bool       `json:"late"`
		Responsible ideas.Role `json:"responsible"`
	}
	items := make([]apiDueAnswer, len(due))
	for n, d := range due {
		items[n] = apiDueAnswer{c.idea(d.Idea), d.DueAt.UTC(), d.Late, d.Responsible}
	}
	return sendList(c, items, next)
}

// apiQueueItem is what waits for a moderator.
type apiQueueItem struct {
	ID int64 `json:"id"`
	// Idea it is about; Comment is absent where the idea itself is looked at.
	Idea    *apiIdea    `json:"idea,omitempty"`
	Comment *apiComment `json:"comment,omitempty"`
	// Topic of a forum or post of a mission; Reply is absent where the topic itself is looked at.
	Topic    *apiTalk  `json:"topic,omitempty"`
	Reply    *apiTalk  `json:"reply,omitempty"`
	Cause    string    `json:"cause"`
	OpenedAt time.Time `json:"openedAt"`
	// ReportCount counts all, Reports are the first ones.
	ReportCount int         `json:"reportCount"`
	Reports     []apiReport `json:"reports"`
}

// apiTalk is a topic of a forum, which has a title, or a reply to one.
type apiTalk struct {
	ID        int64     `json:"id"`
	Challenge string    `json:"challenge,omitempty"`
	Title     string    `json:"title,omitempty"`
	Body      string    `json:"body"`
	Author    apiAuthor `json:"author"`
}

func (c *apiCall) queueItem(q ideas.ModerationItem) apiQueueItem {
	item := apiQueueItem{ID: q.ID, Cause: q.Cause, OpenedAt: q.OpenedAt.UTC(), ReportCount: q.ReportCount, Reports: []apiReport{}}
	if q.Topic == nil {
		idea := c.idea(q.Idea)
		item.Idea = &idea
	} else {
		item.Topic = &apiTalk{ID: q.Topic.ID, Title: q.Topic.Title, Body: q.Topic.Body, Author: c.author(q.Topic.Author)}
		if of := c.app.programme(c.ctx()).ChallengeByID(q.Topic.Challenge); of != nil {
			item.Topic.Challenge = of.Name
		}
	}
	if q.Comment != nil {
		comment := c.comment(*q.Comment)
		item.Comment = &comment
	}
	if q.Reply != nil {
		item.Reply = &apiTalk{ID: q.Reply.ID, Body: q.Reply.Body, Author: c.author(q.Reply.Author)}
	}
	for _, r := range q.Reports {
		item.Reports = append(item.Reports, apiReport{c.author(r.Member), reasonOf(r.Reason), r.CreatedAt.UTC()})
	}
	return item
}

type apiReport struct {
	Member apiAuthor  `json:"member"`
	Reason *apiReason `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
}

func (c *apiCall) listQueue() error {
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	after, err := readIDCursor(c.r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	limit = min(limit, ideas.MaxPage-1)
	queue, err := c.app.cfg.Store.Queue(c.ctx(), c.member.ID, after, limit+1)
	if err != nil {
		return fmt.Errorf("read the queue: %w", err)
	}
	next := ""
	if len(queue) > limit {
		queue = queue[:limit]
		next = idCursor(queue[limit-1].ID)
	}
	items := make([]apiQueueItem, len(queue))
	for n, q := range queue {
		items[n] = c.queueItem(q)
	}
	return sendList(c, items, next)
}

// moderate decides about items of the queue, all or none.
func (c *apiCall) moderate() error {
	var body struct {
		Items    []int64        `json:"items"`
		Decision ideas.Decision `json:"decision"`
		Reason   apiReason      `json:"reason"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	switch body.Decision {
	case ideas.DecisionPublish, ideas.DecisionChanges, ideas.DecisionReject:
	default:
		return &ideas.FieldError{Field: "decision", Code: "invalid"}
	}
	decided, err := c.app.cfg.Store.Moderate(c.ctx(), c.member.ID, body.Items, body.Decision, body.Reason.reason())
	if err != nil {
		return fmt.Errorf("decide about contributions: %w", err)
	}
	return c.send(http.StatusOK, struct {
		Decided int `json:"decided"`
	}{decided})
}

func (c *apiCall) hideComment() error {
	var body struct {
		Reason apiReason `json:"reason"`
	}
	return c.changeComment(&body, func(id int64) error {
		return c.app.cfg.Store.HideComment(c.ctx(), c.member.ID, id, body.Reason.reason())
	})
}

func (c *apiCall) restoreComment() error {
	return c.changeComment(nil, func(id int64) error { return c.app.cfg.Store.RestoreComment(c.ctx(), c.member.ID, id) })
}

func (c *apiCall) changeComment(body any, change func(id int64) error) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	if body != nil {
		if err := c.decode(body); err != nil {
			return err
		}
	}
	if err := change(id); err != nil {
		return fmt.Errorf("moderate a comment: %w", err)
	}
	return c.send(http.StatusNoContent, nil)
}

// decideChallenge ends a challenge with its winners.
func (c *apiCall) decideChallenge() error {
	challenge, err := c.findChallenge()
	if err != nil {
		return err
	}
	if !takesEntries(challenge) {
		return ideas.ErrNotFound
	}
	var body struct {
		Winners []apiWinner `json:"winners"`
		Reason  string      `json:"reason"`
		Ties    string      `json:"ties"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	if len(body.Winners) > maxDecided {
		return &ideas.FieldError{Field: "winners", Code: "too_many", Limit: maxDecided}
	}
	winners := make([]ideas.Decided, len(body.Winners))
	for n, w := range body.Winners {
		winners[n] = ideas.Decided{Entry: w.Idea, Rank: w.Rank, Reason: w.Reason}
	}
	if err := c.app.cfg.Store.Decide(c.ctx(), c.member.ID, challenge, winners, body.Reason, body.Ties); err != nil {
		return fmt.Errorf("decide a challenge: %w", err)
	}
	return c.sendResults(challenge)
}

// pathNumber is another number of the address than its id.
func (c *apiCall) pathNumber(name string) (int64, error) {
	text := c.r.PathValue(name)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != text {
		return 0, ideas.ErrNotFound
	}
	return n, nil
}
