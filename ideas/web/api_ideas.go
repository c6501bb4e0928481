package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
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
		{method: "PUT", path: "/ideas/{id}/support", scope: ideas.ScopeWrite, handle: func(c *apiCall) error { return c.setSupport(true) }},
		{method: "DELETE", path: "/ideas/{id}/support", scope: ideas.ScopeWrite, handle: func(c *apiCall) error { return c.setSupport(false) }},
		{method: "GET", path: "/ideas/{id}/comments", scope: ideas.ScopeRead, public: true, handle: (*apiCall).listComments},
		{method: "POST", path: "/ideas/{id}/comments", scope: ideas.ScopeWrite, handle: (*apiCall).createComment},
		{method: "GET", path: "/ideas/{id}/answers", scope: ideas.ScopeRead, public: true, handle: (*apiCall).listAnswers},
		{method: "GET", path: "/ideas/{id}/changes", scope: ideas.ScopeRead, public: true, handle: (*apiCall).listChanges},
		{method: "POST", path: "/ideas/{id}/reports", scope: ideas.ScopeWrite, handle: (*apiCall).reportIdea},
		{method: "POST", path: "/ideas/{id}/comments/{comment}/reports", scope: ideas.ScopeWrite, handle: (*apiCall).reportComment},
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
	Challenge string   `json:"challenge,omitempty"`
	Theme     string   `json:"theme,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	// Reason is the public one of the present state.
	Reason *apiReason `json:"reason,omitempty"`
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
		Author: c.author(i.Author), Theme: i.Theme, Tags: i.Tags, Reason: reasonOf(i.Reason), Comments: i.Comments, CreatedAt: i.CreatedAt.UTC(), UpdatedAt: i.UpdatedAt.UTC(),
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
		if err := c.app.limit(c.ctx(), limitSearches, c.viewer(), c.app.clientAddress(c.r)); err != nil {
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

// contentTag begins the ETag of an idea: it stands for what authors write. What follows changes with every vote; an edit is
// lost only to another edit.
func contentTag(content ideas.Content) string {
	hash := sha256.New()
	// Writing to a hash cannot fail.
	_ = json.NewEncoder(hash).Encode([]string{content.Title, content.Body, content.Theme, strings.Join(content.Tags, ",")})
	return `"` + hex.EncodeToString(hash.Sum(nil)[:8]) + "-"
}

func contentOf(i ideas.Idea) ideas.Content {
	return ideas.Content{Title: i.Title, Body: i.Body, Theme: i.Theme, Tags: i.Tags, Challenge: i.Challenge}
}

// unchanged tells whether one of the tags of an If-Match header stands for the content.
func unchanged(match string, content ideas.Content) bool {
	if strings.TrimSpace(match) == "*" {
		return true
	}
	tag := contentTag(content)
	for one := range strings.SplitSeq(match, ",") {
		if strings.HasPrefix(strings.TrimSpace(one), tag) {
			return true
		}
	}
	return false
}

func (c *apiCall) sendIdea(i ideas.Idea) error {
	out := c.idea(i)
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	c.w.Header().Set("ETag", contentTag(contentOf(i))+etagOf(body)[1:])
	return c.send(http.StatusOK, out)
}

// editIdea changes what an author wrote, unless it has been changed since it was read. Both are looked at in one
// transaction, so that of two callers who have read the same, one is refused.
func (c *apiCall) editIdea() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	var body struct {
		Title *string   `json:"title"`
		Body  *string   `json:"body"`
		Theme *string   `json:"theme"`
		Tags  *[]string `json:"tags"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	match := c.r.Header.Get("If-Match")
	if match == "" {
		return &problemError{status: http.StatusPreconditionRequired, detail: "Send the ETag of the idea that you read in If-Match."}
	}
	i, err := c.app.cfg.Store.ReviseIdea(c.ctx(), c.member.ID, id, func(content ideas.Content) (ideas.Content, error) {
		if !unchanged(match, content) {
			return content, ideas.ErrChanged
		}
		for _, field := range []struct{ from, to *string }{{body.Title, &content.Title}, {body.Body, &content.Body}, {body.Theme, &content.Theme}} {
			if field.from != nil {
				*field.to = *field.from
			}
		}
		if body.Tags != nil {
			content.Tags = *body.Tags
		}
		return content, nil
	})
	if err != nil {
		return fmt.Errorf("edit idea: %w", err)
	}
	return c.sendIdea(i)
}

func (c *apiCall) createIdea() error {
	var body struct {
		Title string   `json:"title"`
		Body  string   `json:"body"`
		Theme string   `json:"theme"`
		Tags  []string `json:"tags"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	content := ideas.Content{Title: body.Title, Body: body.Body, Theme: body.Theme, Tags: body.Tags}
	i, err := c.app.cfg.Store.CreateIdea(c.ctx(), c.member.ID, c.key, content, true)
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

// listAnswers are the brand's, the newest first.
func (c *apiCall) listAnswers() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	own, err := c.app.cfg.Store.OpenIdea(c.ctx(), c.viewer(), id)
	if err != nil {
		return fmt.Errorf("open idea: %w", err)
	}
	items := make([]apiAnswer, len(own.Answers))
	for n, a := range own.Answers {
		items[n] = c.officialAnswer(a)
	}
	return sendList(c, items, "")
}

// listChanges are the steps of an idea's life, the newest first.
func (c *apiCall) listChanges() error {
	id, err := c.id()
	if err != nil {
		return err
	}
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	changes, err := c.app.cfg.Store.ListChanges(c.ctx(), c.viewer(), id, limit)
	if err != nil {
		return fmt.Errorf("list changes: %w", err)
	}
	type apiChange struct {
		From   ideas.State `json:"from"`
		To     ideas.State `json:"to"`
		Reason *apiReason  `json:"reason,omitempty"`
		At     time.Time   `json:"at"`
	}
	items := make([]apiChange, len(changes))
	for n, change := range changes {
		items[n] = apiChange{change.From, change.To, reasonOf(change.Reason), change.At.UTC()}
	}
	return sendList(c, items, "")
}

func (c *apiCall) reportIdea() error { return c.report(0) }

func (c *apiCall) reportComment() error {
	comment, err := c.pathNumber("comment")
	if err != nil {
		return err
	}
	return c.report(comment)
}

// report tells the moderators of an idea, or of a comment on it.
func (c *apiCall) report(comment int64) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	if _, err := c.app.cfg.Store.GetIdea(c.ctx(), c.member.ID, id); err != nil {
		return fmt.Errorf("get idea: %w", err)
	}
	var body apiReason
	if err := c.decode(&body); err != nil {
		return err
	}
	if err := c.app.cfg.Store.Report(c.ctx(), c.member.ID, ideas.Contribution{Idea: id, Comment: comment}, body.reason()); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return c.send(http.StatusNoContent, nil)
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
