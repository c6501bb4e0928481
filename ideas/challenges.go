package ideas

import (
	"context"
	"fmt"
	"io"
	"time"
)

// BarredError says why a member may not do something in a challenge now.
type BarredError struct {
	Action Action
	// Code is one of the Barred constants.
	Code string
	// Obstacles of eligibility.
	Obstacles []Obstacle
	// Limit is the allowance that is spent, or the bound of points.
	Limit int
}

// Codes of a BarredError.
const (
	// BarredPhase is no time for the action, BarredClosed not any more.
	BarredPhase     = "phase"
	BarredClosed    = "closed"
	BarredPaused    = "paused"
	BarredCancelled = "cancelled"
	// BarredEligibility lists the obstacles.
	BarredEligibility = "eligibility"
	// BarredEntry is an entry that takes no votes: its own time is over, or it has left the vote.
	BarredEntry = "entry"
	// BarredSpent has no votes left.
	BarredSpent = "spent"
	// BarredPoints is out of the ballot's bounds.
	BarredPoints = "points"
	// BarredConflict is a juror with a conflict of interest; BarredSeat is somebody whose score is not asked for.
	BarredConflict = "conflict"
	BarredSeat     = "seat"
)

// Error implements error.
func (e *BarredError) Error() string {
	return fmt.Sprintf("may not %s: %s %v", e.Action, e.Code, e.Obstacles)
}

// Bar tells why nobody may do something in the challenge at a moment; nil where members may.
func (c *Challenge) Bar(now time.Time, a Action) error {
	switch {
	case c.Allows(now, a):
		return nil
	case !c.ArchivedAt.IsZero():
		return &BarredError{Action: a, Code: BarredClosed}
	case len(c.Spec.Cancelled) > 0:
		return &BarredError{Action: a, Code: BarredCancelled}
	case len(c.Spec.Paused) > 0:
		return &BarredError{Action: a, Code: BarredPaused}
	case a == ActionVote && c.VoteClosed(now):
		return &BarredError{Action: a, Code: BarredClosed}
	}
	if end, ok := c.SubmitEnd(); a == ActionSubmit && ok && !now.Before(end) {
		return &BarredError{Action: a, Code: BarredClosed}
	}
	return &BarredError{Action: a, Code: BarredPhase}
}

// CountsHidden tells whether nobody may know yet how entries stand.
func (c *Challenge) CountsHidden(now time.Time) bool { return c.Ballot().Hidden && !c.VoteClosed(now) }

// EntryOrder is an order of a challenge's entries.
type EntryOrder string

// Orders of entries.
const (
	// EntriesRandom is an order of each viewer's own, which stays the same.
	EntriesRandom EntryOrder = "random"
	EntriesNewest EntryOrder = "newest"
	// EntriesTop is by how they stand.
	EntriesTop EntryOrder = "top"
)

// EntryOrders are those that somebody may choose from at a moment, the default first.
func (c *Challenge) EntryOrders(now time.Time) []EntryOrder {
	switch {
	case c.Ballot().RandomOrder && !c.VoteClosed(now):
		return []EntryOrder{EntriesRandom}
	case c.CountsHidden(now):
		return []EntryOrder{EntriesNewest}
	}
	return []EntryOrder{EntriesTop, EntriesNewest}
}

// Entry is an idea in a challenge, as one viewer may see it.
type Entry struct {
	Idea
	// Answers to the challenge's form, without the private ones for who may not see them.
	Answers Answers
	// Files that answer the form, without the private ones for who may not see them.
	Files []Attachment
	// Votes and Points of the ballot; zero while they are hidden.
	Votes  int
	Points int64
	// Own is what the viewer gave the entry, today where votes are by day; nil for nothing.
	Own *int
	// VotesUntil closes the vote on this entry alone; zero where it closes with the challenge's.
	VotesUntil time.Time
	// Rung is the number of rungs reached, and Deadline that of the next; zero for none.
	Rung        int
	Deadline    time.Time
	Seen        int
	Shortlisted bool
	// Rank among the winners, 0 for none, with the public Reason.
	Rank      int
	WonReason string
	// Origin is the idea that this one continues, of whoever thought of it first; nil for none.
	Origin *Idea
	// OriginChallenge is the name of the origin's challenge.
	OriginChallenge string
	// Released tells that the rights have returned to the author.
	Released bool
}

// PublicAnswers leaves out those to private fields, and to fields that are declared no more.
func (c *Challenge) PublicAnswers(all Answers) Answers {
	shown := Answers{}
	for _, f := range c.Spec.Form {
		if !f.Private && len(all[f.Name]) > 0 {
			shown[f.Name] = all[f.Name]
		}
	}
	return shown
}

// EntryQuery selects a page of a challenge's entries.
type EntryQuery struct {
	Order EntryOrder
	// Seed makes the random order, and stays the same for one viewer.
	Seed  int64
	After string
	Limit int
	// Shortlisted selects those alone.
	Shortlisted bool
}

// EntryPage is part of a challenge's entries.
type EntryPage struct {
	Entries []Entry
	Next    string
}

// ChallengeTotals counts what members did in a challenge; the database keeps them.
type ChallengeTotals struct{ Ideas, Votes, Participants int64 }

// OwnBallot is a member's part in a vote.
type OwnBallot struct {
	// Used of the allowance, today where votes are by day.
	Used int
	// Pseudonym in the published result; empty once the vote is closed.
	Pseudonym string
}

// OwnVote is one vote that a member has given.
type OwnVote struct {
	Idea int64
	// Day of a vote by day, "2027-06-01"; else empty.
	Day    string
	Points int
	At     time.Time
}

// PublishedResult of a vote.
type PublishedResult struct {
	ClosedAt time.Time
	SHA256   string
	Bytes    int64
	Voters   int
}

// JuryState is how the jury's work stands, for who may see it.
type JuryState struct {
	Entries []Entry
	// Jurors by seat, with an empty name until they have signed in.
	Jurors []Author
	// Conflicts are the seats that declared one, by entry.
	Conflicts map[int64][]int
	Scores    []JuryScore
	Placings  []Placing
}

// Outcome of a challenge.
type Outcome struct {
	At time.Time
	// Reason of the whole, and Ties how they were broken; both public.
	Reason, Ties string
	Winners      []Decided
}

// ChallengeStore keeps what members and the team do in challenges. Methods look themselves at who asks, by the service's
// clock. Errors are those of Store, *BarredError, and ErrForbidden for who lacks the permission.
type ChallengeStore interface {
	// ArchivedChallenge is the archived challenge of a name; ErrNotFound where there is none. What members wrote is read as
	// that of others.
	ArchivedChallenge(ctx context.Context, name string) (*Challenge, error)
	// MaySeeChallenge tells whether a challenge exists for somebody, 0 for a stranger.
	MaySeeChallenge(ctx context.Context, viewer int64, c *Challenge) (bool, error)
	// Participant is what a challenge's eligibility looks at of a member.
	Participant(ctx context.Context, member int64, c *Challenge) (Participant, error)
	// ChallengeTotals of some challenges, by id.
	ChallengeTotals(ctx context.Context, ids []int64) (map[int64]ChallengeTotals, error)
	// SubmitEntry enters an idea into a challenge; key as in SubmitIdea.
	SubmitEntry(ctx context.Context, author int64, c *Challenge, key string, content Content, answers Answers, files ...FormFile) (Idea, error)
	// ListEntries returns a page of a challenge's visible entries.
	ListEntries(ctx context.Context, viewer int64, c *Challenge, q EntryQuery) (EntryPage, error)
	// EntryOf is the entry that a visible idea is; ErrNotFound for one outside challenges.
	EntryOf(ctx context.Context, viewer, idea int64) (Entry, *Challenge, error)
	// Vote gives an entry points in its challenge's ballot; nil withdraws. Repeating a call changes nothing.
	Vote(ctx context.Context, member, idea int64, points *int) error
	// OwnBallot of a member.
	OwnBallot(ctx context.Context, member int64, c *Challenge) (OwnBallot, error)
	// OwnVotes are those that a member has given in a challenge, by idea and day, after the one that the cursor (next of the
	// page before, or empty) names.
	OwnVotes(ctx context.Context, member int64, c *Challenge, after string, limit int) (votes []OwnVote, next string, err error)
	// Saw tells that a member has seen entries; it is written some time later, where a ladder asks for it.
	Saw(member int64, c *Challenge, entries ...int64)
	// Result of a closed vote; ErrNotFound where there is none.
	Result(ctx context.Context, c *Challenge) (PublishedResult, error)
	// WriteResult writes the published file.
	WriteResult(ctx context.Context, c *Challenge, w io.Writer) error
	// OutcomeOf a challenge; ErrNotFound until it is decided.
	OutcomeOf(ctx context.Context, c *Challenge) (Outcome, error)

	// Jury of a challenge, for its jurors and who may decide.
	Jury(ctx context.Context, member int64, c *Challenge) (JuryState, error)
	// Score keeps a juror's scores of an entry by criterion.
	Score(ctx context.Context, juror int64, c *Challenge, entry int64, scores map[string]int) error
	// DeclareConflict takes a juror off an entry, with the scores given; false takes the declaration back.
	DeclareConflict(ctx context.Context, juror int64, c *Challenge, entry int64, conflict bool, reason string) error
	// Decide ends a challenge with its winners. reason is public, and ties says how those were broken.
	Decide(ctx context.Context, actor int64, c *Challenge, winners []Decided, reason, ties string) error
}
