package ideas

import "context"

// CoAuthorStore keeps who wrote an idea together. Errors are those of IdeaLifeStore.
type CoAuthorStore interface {
	// MembersNamed returns members who have exactly this name, without regard to case and accents, 10 at most: whom an author may mean.
	MembersNamed(ctx context.Context, name string) ([]Author, error)
	// InviteCoAuthor invites a member to write along. The author does so, as long as the idea may be edited.
	InviteCoAuthor(ctx context.Context, author, idea, invited int64) error
	// InviteByAddress invites whoever has a mail address. Nobody learns whether it is a member's: the answer is the same, and
	// the invited is named to the author once they have accepted. ErrTooMany after many in a short time.
	InviteByAddress(ctx context.Context, author, idea int64, address string) error
	// AnswerInvitation accepts or declines; who has accepted may still leave.
	AnswerInvitation(ctx context.Context, member, idea int64, accept bool) error
	// RemoveCoAuthor takes an invitation back, or somebody off the authors; the author does so.
	RemoveCoAuthor(ctx context.Context, author, idea, removed int64) error
	// CoAuthors of an idea: who has accepted, and the authors of ideas that were merged into it; for its authors also who is
	// invited.
	CoAuthors(ctx context.Context, viewer, idea int64) ([]CoAuthor, error)
}
