package web

import (
	"fmt"
	"net/http"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

func (a *app) apiNoticeRoutes() []apiRoute {
	return []apiRoute{
		{method: "GET", path: "/me/notices", scope: ideas.ScopeRead, handle: (*apiCall).listNotices},
		{method: "POST", path: "/me/notices/read", scope: ideas.ScopeWrite, handle: (*apiCall).readNotices},
	}
}

// apiNotice tells a member of something.
type apiNotice struct {
	ID   int64            `json:"id"`
	Kind ideas.NoticeKind `json:"kind"`
	// Event is its kind; absent where the event is no longer kept.
	Event ideas.EventKind `json:"event,omitempty"`
	At    time.Time       `json:"at"`
	Read  bool            `json:"read"`
	// Text in the member's language, and URL of what it is about.
	Text      string     `json:"text"`
	URL       string     `json:"url"`
	Actor     *apiAuthor `json:"actor,omitempty"`
	Idea      int64      `json:"idea,omitempty"`
	Challenge string     `json:"challenge,omitempty"`
	Comment   int64      `json:"comment,omitempty"`
}

// listNotices are the newest first: the cursor is the last one shown.
func (c *apiCall) listNotices() error {
	limit, err := c.limitOf()
	if err != nil {
		return err
	}
	before, err := readIDCursor(c.r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	limit = min(limit, ideas.MaxPage-1)
	list, err := c.app.cfg.Store.Notices(c.ctx(), c.member.ID, before, limit+1)
	if err != nil {
		return fmt.Errorf("list notices: %w", err)
	}
	next := ""
	if len(list) > limit {
		list = list[:limit]
		next = idCursor(list[limit-1].ID)
	}
	lang, ok := c.site.language(c.member.Locale)
	if !ok {
		lang = c.site.languages[0]
	}
	items := make([]apiNotice, len(list))
	for i, n := range list {
		text, path := lang.catalog.Notice(n)
		items[i] = apiNotice{
			ID: n.ID, Kind: n.Kind, Event: n.Event.Kind, At: n.At.UTC(), Read: n.Read, Text: clean(text), URL: c.site.BaseURL + localPath(path),
			Challenge: n.Challenge, Comment: n.Event.Comment,
		}
		if n.IdeaSlug != "" {
			items[i].Idea = n.Event.Idea
		}
		if n.Actor.ID != 0 {
			actor := c.author(n.Actor)
			items[i].Actor = &actor
		}
	}
	return sendList(c, items, next)
}

// readNotices marks notices as read: those named, or all up to one.
func (c *apiCall) readNotices() error {
	var body struct {
		IDs  []int64 `json:"ids"`
		UpTo int64   `json:"upTo"`
	}
	if err := c.decode(&body); err != nil {
		return err
	}
	switch {
	case len(body.IDs) > ideas.MaxPage:
		return &ideas.FieldError{Field: "ids", Code: "too_many", Limit: ideas.MaxPage}
	case len(body.IDs) == 0 && body.UpTo <= 0:
		return &ideas.FieldError{Field: "ids", Code: "required"}
	}
	if len(body.IDs) == 0 {
		body.IDs = nil
	}
	if err := c.app.cfg.Store.ReadNotices(c.ctx(), c.member.ID, body.IDs, body.UpTo); err != nil {
		return fmt.Errorf("mark notices as read: %w", err)
	}
	return c.send(http.StatusNoContent, nil)
}
