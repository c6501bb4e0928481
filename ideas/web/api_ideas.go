package web

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

func (a *app) apiIdeaRoutes() []apiRoute {
	return []apiRoute{
		{method: "GET", path: "/totals", scope: ideas.ScopeRead, public: true, handle: (*apiCall).totals},
		{method: "GET", path: "/ideas", scope: ideas.ScopeRead, public: true, handle: (*apiCall).listIdeas},
		{method: "POST", path: "/ideas", scope: ideas.ScopeWrite, handle: (*apiCall).createIdea},
		{method: "GET", path: "/ideas/{id}", scope: ideas.ScopeRead, public: true, handle: (*apiCall).getIdea},
		{method: "PATCH", path: "/ideas/{id}", scope: ideas.ScopeWrite, handle: (*apiCall).editIdea},
		{method: "POST", path: "/team/ideas/{id}/state", scope: ideas.ScopeTeam, needs: ideas.MaySeeTeam, handle: (*apiCall).moveIdea},
		{method: "POST", path: "/team/ideas/{id}/answers", scope: ideas.ScopeTeam, needs: ideas.MayAnswer, handle: (*apiCall).answerIdea},
		{method: "PUT", path: "/ideas/{id}/support", scope: ideas.ScopeWrite, handle: func(c *apiCall) error { return c.setSupport(true) }},
		{method: "DELETE", path: "/ideas/{id}/support", scope: ideas.ScopeWrite, handle: func(c *apiCall) error { return c.setSupport(false) }},
		{method: "GET", path: "/ideas/{id}/comments", scope: ideas.ScopeRead, public: true, handle: (*apiCall).listComments},
		{method: "POST", path: "/ideas/{id}/comments", scope: ideas.ScopeWrite, handle: (*apiCall).createComment},
	}
}

// apiIdea is an idea as calls show it.
type apiIdea struct {
	ID    int64  `json:"id"`
	URL   string `json:"url"`
	Title string `json:"title"`
	// Body is Markdown, as it was written.
	Body   string    `json:"body"`
	State  string    `json:"state"`
	Author apiAuthor `json:"author"`
	// Challenge is the name of the one that it was submitted to.
	Challenge string `json:"challenge,omitempty"`
	Theme     string `json:"theme,omitempty"`
	// Supporters is absent while the challenge hides counts.
	Supporters *int `json:"supporters,omitempty"`
	Comments   int  `json:"comments"`
	// Supported tells whether the token's member does; absent without a token.
	Supported *bool     `json:"supported,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

type apiAuthor struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (c *apiCall) idea(i ideas.Idea) apiIdea {
	out := apiIdea{
		ID: i.ID, URL: c.site.BaseURL + ideaPath(i), Title: clean(i.Title), Body: cleanText(i.Body), State: string(i.State),
		Author: c.author(i.Author), Theme: i.Theme, Comments: i.Comments, CreatedAt: i.CreatedAt.UTC(), UpdatedAt: i.UpdatedAt.UTC(),
	}
	challenge := c.app.programme(c.ctx()).ChallengeByID(i.Challenge)
	if challenge != nil {
		out.Challenge = challenge.Name
	}
	if challenge == nil || !challenge.CountsHidden(c.app.now()) {
		out.Supporters = &i.Supporters
	}
	if c.member != nil {
		out.Supported = &i.Supported
	}
	return out
}

func (c *apiCall) author(m ideas.Author) apiAuthor {
	name := clean(m.Name)
	if name == "" {
		name = c.site.languages[0].catalog.Text("member.unnamed")
	}
	return apiAuthor{m.ID, name}
}

func (c *apiCall) totals() error {
	t, err := c.app.cfg.Store.Totals(c.ctx())
	if err != nil {
		return fmt.Errorf("read totals: %w", err)
	}
	return c.send(http.StatusOK, struct {
		Members  int64 `json:"members"`
		Ideas    int64 `json:"ideas"`
		Votes    int64 `json:"votes"`
		Comments int64 `json:"comments"`
	}{t.Members, t.Ideas, t.Votes, t.Comments})
}

func (c *apiCall) listIdeas() error {
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	asked := c.r.URL.Query()
	q := ideas.Query{Order: ideas.Order(asked.Get("order")), Search: asked.Get("q"), After: asked.Get("cursor"), Limit: limit}
	if q.Search != "" {
		if err := c.app.limitSearches(c.viewer(), c.app.clientAddress(c.r)); err != nil {
			return err
		}
	}
	page, err := c.app.cfg.Store.ListIdeas(c.ctx(), c.viewer(), q)
	if err != nil {
		return fmt.Errorf("list ideas: %w", renamed(err, "after", "cursor"))
	}
	items := make([]apiIdea, len(page.Ideas))
	for n, i := range page.Ideas {
		items[n] = c.idea(i)
	}
	return sendList(c, items, page.Next)
}

// renamed is the error with the name that callers know a field by.
func renamed(err error, from, to string) error {
	if wrong := fieldErrors(err)[from]; wrong != nil {
		return &ideas.FieldError{Field: to, Code: wrong.Code, Limit: wrong.Limit}
	}
	return err
}

func (c *apiCall) getIdea() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	i, err := c.app.cfg.Store.GetIdea(c.ctx(), c.viewer(), id)
	if err != nil {
		return fmt.Errorf("get idea: %w", err)
	}
	return c.sendIdea(i)
}

// revisionTag begins the ETag of an idea. What follows changes with every vote; an edit is lost only to another edit.
func revisionTag(i ideas.Idea) string { return fmt.Sprintf(`"r%d-`, i.Revision) }

func (c *apiCall) sendIdea(i ideas.Idea) error {
	out := c.idea(i)
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	c.w.Header().Set("ETag", revisionTag(i)+etagOf(body)[1:])
	return c.send(http.StatusOK, out)
}

// editIdea changes what an author wrote, unless it has been changed since it was read.
func (c *apiCall) editIdea() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	var body struct {
		Title *string  `json:"title"`
		Body  *string  `json:"body"`
		Theme *string  `json:"theme"`
		Tags  []string `json:"tags"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	present, err := c.app.cfg.Store.OpenIdea(c.ctx(), c.member.ID, id)
	if err != nil {
		return fmt.Errorf("open idea: %w", err)
	}
	switch match := c.r.Header.Get("If-Match"); {
	case match == "":
		return &problemError{status: http.StatusPreconditionRequired, detail: "Send the ETag of the idea that you read in If-Match."}
	case match != "*" && !strings.Contains(match, revisionTag(present.Idea)):
		return &problemError{status: http.StatusPreconditionFailed, detail: "The idea has been edited since you read it."}
	}
	content := ideas.Content{Title: present.Title, Body: present.Body, Theme: present.Theme, Tags: present.Tags, Challenge: present.Challenge}
	for _, field := range []struct{ from, to *string }{{body.Title, &content.Title}, {body.Body, &content.Body}, {body.Theme, &content.Theme}} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	if body.Tags != nil {
		content.Tags = body.Tags
	}
	i, err := c.app.cfg.Store.EditIdea(c.ctx(), c.member.ID, id, content)
	if err != nil {
		return fmt.Errorf("edit idea: %w", err)
	}
	return c.sendIdea(i)
}

// moveIdea takes a step of the idea's life, as far as the caller's role may.
func (c *apiCall) moveIdea() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	var body struct {
		State  ideas.State `json:"state"`
		Reason struct {
			Code ideas.ReasonCode `json:"code"`
			Text string           `json:"text"`
		} `json:"reason"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	i, err := c.app.cfg.Store.MoveIdea(c.ctx(), c.member.ID, id, body.State, ideas.Reason{Code: body.Reason.Code, Text: body.Reason.Text})
	if err != nil {
		return fmt.Errorf("move idea: %w", err)
	}
	return c.send(http.StatusOK, c.idea(i))
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
	return c.send(http.StatusCreated, apiComment{ID: answer.ID, Author: c.author(answer.Author), Body: cleanText(answer.Body), CreatedAt: answer.CreatedAt.UTC()})
}

func (c *apiCall) createIdea() error {
	var body struct {
		Title string `json:"title"`
		Body  string `json:"body"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	i, err := c.app.cfg.Store.SubmitIdea(c.ctx(), c.member.ID, c.key, body.Title, body.Body)
	if err != nil {
		return fmt.Errorf("submit idea: %w", err)
	}
	c.w.Header().Set("Location", fmt.Sprintf("%s%s/ideas/%d", c.site.BaseURL, apiPath, i.ID))
	return c.send(http.StatusCreated, c.idea(i))
}

// setSupport answers with the idea as it is afterwards.
func (c *apiCall) setSupport(support bool) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	if _, err := c.app.cfg.Store.SetSupport(c.ctx(), c.member.ID, id, support); err != nil {
		return fmt.Errorf("set support: %w", err)
	}
	i, err := c.app.cfg.Store.GetIdea(c.ctx(), c.member.ID, id)
	if err != nil {
		return fmt.Errorf("get idea: %w", err)
	}
	return c.send(http.StatusOK, c.idea(i))
}

type apiComment struct {
	ID        int64     `json:"id"`
	Author    apiAuthor `json:"author"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"createdAt"`
}

func (c *apiCall) comment(m ideas.Comment) apiComment {
	return apiComment{ID: m.ID, Author: c.author(m.Author), Body: cleanText(m.Body), CreatedAt: m.CreatedAt.UTC()}
}

func (c *apiCall) listComments() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	after, err := readIDCursor(c.r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	if _, err := c.app.cfg.Store.GetIdea(c.ctx(), c.viewer(), id); err != nil {
		return fmt.Errorf("get idea: %w", err)
	}
	// The store gives MaxPage at most, so the largest page looks for its successor by the last comment alone.
	comments, err := c.app.cfg.Store.ListComments(c.ctx(), id, after, min(limit+1, ideas.MaxPage))
	if err != nil {
		return fmt.Errorf("list comments: %w", err)
	}
	limit = min(limit, ideas.MaxPage-1)
	next := ""
	if len(comments) > limit {
		comments = comments[:limit]
		next = idCursor(comments[limit-1].ID)
	}
	items := make([]apiComment, len(comments))
	for n, m := range comments {
		items[n] = c.comment(m)
	}
	return sendList(c, items, next)
}

func (c *apiCall) createComment() error {
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
	m, err := c.app.cfg.Store.AddComment(c.ctx(), c.member.ID, id, c.key, body.Body)
	if err != nil {
		return fmt.Errorf("add comment: %w", err)
	}
	return c.send(http.StatusCreated, c.comment(m))
}

// idCursor is the cursor of a list that is ordered by number.
func idCursor(id int64) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64([]byte("i"), uint64(id))) //nolint:gosec // the bits
}

func readIDCursor(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != 9 || raw[0] != 'i' {
		return 0, &ideas.FieldError{Field: "cursor", Code: "invalid"}
	}
	id := int64(binary.BigEndian.Uint64(raw[1:])) //nolint:gosec // the bits
	if id < 0 {
		return 0, &ideas.FieldError{Field: "cursor", Code: "invalid"}
	}
	return id, nil
}
