package ideas

import (
	"context"
	"time"
)

// EditCommentWithin is how long an author may change a comment: others answer to what it says.
const EditCommentWithin = 30 * time.Minute

// CommentState is whether a comment is seen.
type CommentState string

// States of a comment.
const (
	CommentPublished CommentState = "published"
	// CommentPending waits for a moderator; CommentRejected was refused by one.
	CommentPending  CommentState = "pending"
	CommentRejected CommentState = "rejected"
	// CommentHidden was taken out of sight by a moderator, CommentDeleted by its author, with its text.
	CommentHidden  CommentState = "hidden"
	CommentDeleted CommentState = "deleted"
	CommentErased  CommentState = "erased"
)

// CommentStore keeps the conversations about ideas. Errors are those of IdeaLifeStore.
type CommentStore interface {
	// ListComments returns an idea's published comments, oldest first, at most limit after the comment with id after.
	ListComments(ctx context.Context, idea, after int64, limit int) ([]Comment, error)
	// ListThreads returns an idea's comments thread by thread, each comment after the one that it answers began the
	// thread, at most limit after the comment with id after; a negative one begins with the thread of its amount. Of those that are not published it has the viewer's own, and
	// those that have answers, without their text.
	ListThreads(ctx context.Context, viewer, idea, after int64, limit int) ([]Comment, error)
	// GetComment returns a published comment, or one of the viewer's own.
	GetComment(ctx context.Context, viewer, comment int64) (Comment, error)
	// AddComment adds a comment, which is published or sent to the moderators as the house rules say; key as in
	// CreateIdea.
	AddComment(ctx context.Context, author, idea int64, key, body string) (Comment, error)
	// Reply answers a comment.
	Reply(ctx context.Context, author, comment int64, key, body string) (Comment, error)
	// EditComment changes a member's own comment, within EditCommentWithin.
	EditComment(ctx context.Context, member, comment int64, body string) (Comment, error)
	// DeleteComment removes the text of a member's own comment.
	DeleteComment(ctx context.Context, member, comment int64) error
	// ThankFor adds or withdraws a member's thanks for somebody else's comment; repeating a call changes nothing.
	ThankFor(ctx context.Context, member, comment int64, thank bool) error
}
