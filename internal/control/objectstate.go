package control

import "time"

// ChallengeState is what a GET observes of a challenge.
type ChallengeState struct {
	InForce InForce `json:"inForce"`
	// Phase now, by the service's clock.
	Phase string `json:"phase"`
	// NextChange is when the phase changes by itself; nil when it does not.
	NextChange *time.Time `json:"nextChange,omitempty"`
	// DecidedAt is when the winners were decided; nil until then.
	DecidedAt *time.Time `json:"decidedAt,omitempty"`
	// Ideas that are published, Votes that count, and Participants, who submitted or voted.
	Ideas        int64 `json:"ideas"`
	Votes        int64 `json:"votes"`
	Participants int64 `json:"participants"`
	// Leaders are the first entries, 5 at most; none while the vote is hidden.
	Leaders []EntryState `json:"leaders,omitempty"`
	// Shortlist is what went on to the jury, by id, 20 at most.
	Shortlist []EntryState `json:"shortlist,omitempty"`
	// Winners by rank.
	Winners []EntryState `json:"winners,omitempty"`
	// ResultSHA256 is the hash of the vote's published result; empty until it is closed.
	ResultSHA256 string `json:"resultSHA256,omitempty"`
}

// EntryState is one entry of a challenge.
type EntryState struct {
	Idea  int64  `json:"idea"`
	Title string `json:"title"`
	// Votes in the challenge's ballot, supporters where support is plain.
	Votes int64 `json:"votes"`
	// Points of the ballot.
	Points int64 `json:"points,omitempty"`
	// Rank among the winners; 0 for none.
	Rank int `json:"rank,omitempty"`
}

// RewardPolicyState is what a GET observes of a reward policy.
type RewardPolicyState struct {
	InForce InForce `json:"inForce"`
	// Members of the community.
	Members int64 `json:"members"`
	// PointsIssued by all generations of the policy, less what was taken back.
	PointsIssued int64 `json:"pointsIssued"`
	// PayoutsDue counts what its statements owe and is not paid yet; PayoutsDueAmount is the sum in minor units of
	// the policy's currency.
	PayoutsDue       int64 `json:"payoutsDue"`
	PayoutsDueAmount int64 `json:"payoutsDueAmount"`
}
