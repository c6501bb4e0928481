package ideas

import (
	"context"
	"time"
)

// ShareAgreement is how the authors of an idea share what it earns.
type ShareAgreement struct {
	ID         int64
	ProposedBy Author
	ProposedAt time.Time
	// AgreedAt is zero until every author has accepted.
	AgreedAt time.Time
	Parts    []SharePart
}

// SharePart is one author's percentage.
type SharePart struct {
	Member  Author
	Percent int
	// Accepted tells whether the author agrees.
	Accepted bool
}

// RevenueShares of an idea: what is in force and what is proposed, nil for none of each. Without one in force, and once the authors
// are others than those who agreed, they share equally.
type RevenueShares struct {
	Authors         []Author
	InForce, Opened *ShareAgreement
}

// ShareStore keeps what authors agree on. Only an idea's authors see and do any of it; to others there is ErrNotFound.
type ShareStore interface {
	// RevenueShares of an idea, for one of its authors.
	RevenueShares(ctx context.Context, member, idea int64) (RevenueShares, error)
	// ProposeShares proposes percentages, one for each of the authors and a hundred in all, in place of what was proposed
	// before. Who proposes agrees.
	ProposeShares(ctx context.Context, member, idea int64, percent map[int64]int) error
	// AnswerShares accepts or declines what is proposed. It is in force once every author has accepted.
	AnswerShares(ctx context.Context, member, idea int64, accept bool) error
}
