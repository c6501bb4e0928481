package ideas

import (
	"context"
	"time"
)

// MaxOfficialAnswer bounds an official answer, in characters.
const MaxOfficialAnswer = 5_000

// OfficialAnswer is what the brand says to an idea.
type OfficialAnswer struct {
	ID        int64
	Author    Author
	Body      string
	CreatedAt time.Time
}

// DueAnswer is an answer that the brand has promised.
type DueAnswer struct {
	Idea  Idea
	DueAt time.Time
	// Late tells that the time is over, by the service's clock.
	Late bool
	// Responsible is the role that answers.
	Responsible Role
}

// AnswerStore keeps what the brand answers. Errors are those of IdeaLifeStore.
type AnswerStore interface {
	// AnswerIdea publishes the brand's answer to a published idea; who may answer does so.
	AnswerIdea(ctx context.Context, member, idea int64, body string) (OfficialAnswer, error)
	// DueAnswers are those that are promised and not given, the latest first, at most limit after the offset; for who may
	// answer or measure.
	DueAnswers(ctx context.Context, member int64, offset, limit int) ([]DueAnswer, error)
	// Roadmap returns the ideas of one state on the way to the launch, the latest first, at most limit.
	Roadmap(ctx context.Context, viewer int64, state State, limit int) ([]Idea, error)
}
