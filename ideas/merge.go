package ideas

import "context"

// MergeStore joins ideas that mean the same. Errors are those of IdeaLifeStore.
type MergeStore interface {
	// MergeIdea lets one idea stand for another, its duplicate: supporters count once, comments move, the duplicate's
	// authors are named, and its address leads on. Both are outside challenges or in the same one.
	MergeIdea(ctx context.Context, member, duplicate, into int64, reason Reason) (Idea, error)
	// UnmergeIdea undoes a merge: each idea has the supporters who gave it theirs and have not withdrawn it since, and the
	// comments written on it.
	UnmergeIdea(ctx context.Context, member, duplicate int64) (Idea, error)
	// MergedIdeas returns those that went into an idea, 50 at most.
	MergedIdeas(ctx context.Context, idea int64) ([]Idea, error)
}
