package ideas

import (
	"errors"
	"slices"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// TopicState tells who sees a topic.
type TopicState string

// States of a topic.
const (
	TopicVisible TopicState = "visible"
	// TopicPending waits for the team.
	TopicPending TopicState = "pending"
	TopicHidden  TopicState = "hidden"
)

// Topic of a forum, or a post of a mission.
type Topic struct {
	ID, Challenge      int64
	Author             Author
	Theme, Title, Body string
	State              TopicState
	// Reason for which it was hidden.
	Reason              Reason
	Pinned, Locked      bool
	Replies             int
	CreatedAt, ActiveAt time.Time
}

// MaxReplyDepth is how deep replies stand below each other; an answer to the deepest stands beside it.
const MaxReplyDepth = 3

// Reply to a topic.
type Reply struct {
	ID     int64
	Author Author
	// Depth from 1.
	Depth int
	// Body is empty where Hidden, except for its author.
	Body   string
	Hidden bool
	// Pending tells its author that it waits for a moderator, Reason why it was hidden.
	Pending   bool
	Reason    Reason
	CreatedAt time.Time
}

// TopicQuery selects a page of topics.
type TopicQuery struct {
	Challenge int64
	// Theme, empty for all.
	Theme string
	// After is the former page's Next.
	After string
	Limit int
}

// TopicPage is a page of topics, pinned ones first, then by activity.
type TopicPage struct {
	Topics []Topic
	Next   string
}

// ThreadPage is a page of replies, each below what it answers.
type ThreadPage struct {
	Replies []Reply
	Next    string
}

// ErrClosed is returned for what a challenge, topic or session no longer or not yet takes.
var ErrClosed = errors.New("closed")

// ErrFull is returned where there is no room: the limit of a survey, the quota of a segment, the places of a call.
var ErrFull = errors.New("full")

// TopicThemes are the names of the themes that a challenge's topics may have; none where topics have no theme.
func (c *Challenge) TopicThemes(house *control.House) []string {
	if c.Spec.Forum == nil || house == nil {
		return nil
	}
	var names []string
	for _, theme := range house.Themes {
		if len(c.Spec.Forum.Themes) == 0 || slices.Contains(c.Spec.Forum.Themes, theme.Name) {
			names = append(names, theme.Name)
		}
	}
	return names
}

// TakesTheme tells whether a topic may have the theme, or none.
func (c *Challenge) TakesTheme(house *control.House, theme string) bool {
	return theme == "" || slices.Contains(c.TopicThemes(house), theme)
}
