// Package ideas is the domain of the idea service: what a brand's customers and its team do with ideas.
// It knows neither SQL nor HTTP; ideas/postgres stores it and ideas/web shows it.
package ideas

import (
	"context"
	"time"
)

// Limits of what members write, in characters unless said otherwise.
const (
	MaxTitle   = 120
	MaxBody    = 10_000
	MaxComment = 4_000
	MaxName    = 60
	// MaxEmail is the longest address that SMTP can carry (RFC 5321, section 4.5.3.1.3).
	MaxEmail = 254
	// MaxPage bounds the number of rows of one page of a list.
	MaxPage = 50
)

// State of an idea.
type State string

// States of an idea, in the order of its life.
const (
	// StateDraft is seen by its authors alone.
	StateDraft State = "draft"
	// StatePending waits for a moderator.
	StatePending          State = "pending"
	StateChangesRequested State = "changes_requested"
	StateRejected         State = "rejected"
	// StateGathering is published and gathers support.
	StateGathering   State = "gathering"
	StateQualified   State = "qualified"
	StateUnderReview State = "under_review"
	StateShortlisted State = "shortlisted"
	StateSelected    State = "selected"
	StateNotSelected State = "not_selected"
	StatePlanned     State = "planned"
	StateDevelopment State = "in_development"
	StateTesting     State = "testing"
	StateLaunched    State = "launched"
	// StateExpired missed a rung of its ladder; it may be submitted again, at zero.
	StateExpired State = "expired"
	// StateMerged went into another idea.
	StateMerged    State = "merged"
	StateWithdrawn State = "withdrawn"
	StateHidden    State = "hidden"
	StateErased    State = "erased"
)

// Member is somebody who takes part.
type Member struct {
	ID        int64
	Email     string
	Name      string
	Locale    string
	CreatedAt time.Time
	// Level in the community, 0 before the first.
	Level int
	Standing
	// Unread is the number of notices not read, UnreadShown at most.
	Unread int
	// SignedInAt is when the session began that proves who it is.
	SignedInAt time.Time
}

// UnreadShown is as far as unread notices are counted.
const UnreadShown = 100

// Idea is one proposal.
type Idea struct {
	ID int64
	// Challenge that it was submitted to; 0 for none.
	Challenge int64
	// Theme names one of the house's; empty for none.
	Theme      string
	Slug       string
	Title      string
	Body       string
	State      State
	Author     Author
	Supporters int
	Comments   int
	CreatedAt  time.Time
	UpdatedAt  time.Time
	// Supported tells whether the member who looks supports it.
	Supported bool
	Tags      []string
	// Revision is the number of the version that is shown, 1 for an idea never edited.
	Revision int
	// StateAt is when it came to its state; Reason is the public reason of that, if it has one.
	StateAt time.Time
	Reason  Reason
}

// Author is what others see of a member.
type Author struct {
	ID   int64
	Name string
}

// Comment on an idea.
type Comment struct {
	ID        int64
	IdeaID    int64
	Author    Author
	Body      string
	CreatedAt time.Time
	State     CommentState
	// Thread is the comment that began the thread, ReplyTo the one that it answers and RepliedTo who wrote that; zero for
	// one that begins a thread.
	Thread, ReplyTo int64
	RepliedTo       Author
	// EditedAt is zero for one never edited.
	EditedAt time.Time
	// Thanks of members; Thanked tells whether the viewer's is among them.
	Thanks  int
	Thanked bool
	// Reason why it is not published.
	Reason Reason
}

// Order of a list of ideas.
type Order string

// Orders of a list.
const (
	// OrderTrending ranks recent support highest.
	OrderTrending Order = "trending"
	OrderNewest   Order = "newest"
	OrderTop      Order = "top"
)

// Query selects a page of ideas.
type Query struct {
	Order Order
	// Search is matched as words against title and body; empty matches everything.
	Search string
	// After is the cursor of the previous page's Page.Next; empty starts at the beginning.
	After string
	// Theme, Tag and State select ideas that have them; empty selects all.
	Theme string
	Tag   string
	State State
	// Apart are challenges whose ideas are left out; the store sets them.
	Apart []int64
	// Limit is the number of ideas wanted, 20 when zero, MaxPage at most.
	Limit int
}

// Page of ideas.
type Page struct {
	Ideas []Idea
	// Corrected is what was searched for instead, where nothing holds the words as they were typed.
	Corrected string
	// Next continues the list; empty at its end.
	Next string
}

// Totals of a community, kept by the database.
type Totals struct {
	Members, Ideas, Votes, Comments int64
}

// Store keeps the community's lived state. Methods open their own transaction. Errors are ErrNotFound,
// *FieldError (or several joined), or an error of the store itself.
type Store interface {
	TokenStore
	RateStore
	ShareStore
	IdeaLifeStore
	MethodStore
	ChallengeStore

	WebhookStore
	InsightStore
	CommentStore
	MergeStore
	CoAuthorStore
	AnswerStore
	ModerationStore
	AttachmentStore
	SimilarStore
	AnnouncementStore
	RecordStore
	// ListIdeas returns a page of visible ideas; viewer (0: nobody) sets Idea.Supported.
	ListIdeas(ctx context.Context, viewer int64, q Query) (Page, error)
	// GetIdea returns one visible idea, else ErrNotFound.
	GetIdea(ctx context.Context, viewer, id int64) (Idea, error)
	// SubmitIdea is CreateIdea for an idea that is submitted and has no theme, tags and challenge. key makes a repeated request return the first's idea; at most 64 bytes.
	SubmitIdea(ctx context.Context, author int64, key, title, body string) (Idea, error)
	// SetSupport adds or withdraws a member's support and returns the idea's count afterwards; repeating a
	// call changes nothing.
	SetSupport(ctx context.Context, member, idea int64, support bool) (int, error)
	// Totals of the community.
	Totals(ctx context.Context) (Totals, error)
	// RenameMember sets the display name.
	RenameMember(ctx context.Context, member int64, name string) error

	MemberStore
}
