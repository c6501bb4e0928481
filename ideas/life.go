package ideas

import (
	"context"
	"time"
)

// StateChange is one step of an idea's life.
type StateChange struct {
	At time.Time
	// Actor is zero for the service and for those erased since.
	Actor    Author
	As       Capacity
	From, To State
	Reason   Reason
}

// Revision is one version of an idea's text.
type Revision struct {
	Number      int
	At          time.Time
	Author      Author
	Title, Body string
}

// CoAuthor is somebody whom an author has invited to write along.
type CoAuthor struct {
	Member Author
	State  CoAuthorState
}

// CoAuthorState is how an invitation stands.
type CoAuthorState string

// States of an invitation. CoAuthorMerged is the author of an idea that was merged into this one: named, but no more.
const (
	CoAuthorInvited  CoAuthorState = "invited"
	CoAuthorAccepted CoAuthorState = "accepted"
	CoAuthorDeclined CoAuthorState = "declined"
	CoAuthorMerged   CoAuthorState = "merged"
)

// OwnIdea is an idea as those see it who may see more than everybody.
type OwnIdea struct {
	Idea
	// MergedInto is the idea that stands for this one; 0 for none. Visitors are led there.
	MergedInto int64
	// As is what the viewer may act as; Invited tells of an invitation that the viewer has not answered.
	As      []Capacity
	Invited bool
	// Changes are the latest steps of its life, the newest first.
	Changes []StateChange
	// CoAuthors, Answers and Attachments as their stores list them.
	CoAuthors   []CoAuthor
	Answers     []OfficialAnswer
	Attachments []Attachment
	// AnswerDue is when the brand has promised to answer; zero where it has not, or has answered.
	AnswerDue time.Time
}

// IdeaLifeStore keeps the life of ideas. Each method looks itself at who asks: member is somebody who is signed in, and
// roles follow from the house rules. What somebody may not see is ErrNotFound; what they may see but not do is
// ErrForbidden; what nobody can do in the idea's state is *TransitionError.
type IdeaLifeStore interface {
	// CreateIdea keeps a new idea: as a draft, or submitted, which publishes it or sends it to the moderators as the
	// house rules say. key makes a repeated request return the first's idea.
	CreateIdea(ctx context.Context, author int64, key string, c Content, submit bool) (Idea, error)
	// EditIdea changes what an author wrote. Of what has been seen by others, every version is kept.
	EditIdea(ctx context.Context, member, idea int64, c Content) (Idea, error)
	// ReviseIdea is EditIdea for who has read the idea before: revise is given the content as it is and returns what it is to
	// be, or an error, which comes back. Nobody edits the idea in between.
	ReviseIdea(ctx context.Context, member, idea int64, revise func(Content) (Content, error)) (Idea, error)
	// ResubmitIdea submits a draft, what changes were requested of, and what has expired: that begins again at zero.
	ResubmitIdea(ctx context.Context, member, idea int64) (Idea, error)
	// DeleteDraft removes a draft for good.
	DeleteDraft(ctx context.Context, member, idea int64) error
	// MoveIdea takes one step of the state machine.
	MoveIdea(ctx context.Context, member, idea int64, to State, reason Reason) (Idea, error)
	// RestoreIdea brings a hidden idea back to the state that it had.
	RestoreIdea(ctx context.Context, member, idea int64) (Idea, error)
	// OpenIdea returns an idea with all that belongs to it, in any state, to those who may see it: its authors, the moderators, and everybody where it
	// is published or has been merged.
	OpenIdea(ctx context.Context, viewer, idea int64) (OwnIdea, error)
	// ListOwnIdeas returns the ideas of an author in every state but erased, the latest first, 100 at most.
	ListOwnIdeas(ctx context.Context, author int64) ([]Idea, error)
	// ListRevisions returns the versions of an idea that was edited, the newest first, 100 at most; for its authors and
	// the team.
	ListRevisions(ctx context.Context, viewer, idea int64) ([]Revision, error)
	// ListChanges returns the steps of an idea's life, the newest first.
	ListChanges(ctx context.Context, viewer, idea int64, limit int) ([]StateChange, error)
}
