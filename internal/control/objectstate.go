package control

import "time"

// CommunityState is how a community stands.
type CommunityState struct {
	Members int64 `json:"members"`
	// Ideas that are published, and Votes: supports and ballots that count.
	Ideas int64 `json:"ideas"`
	Votes int64 `json:"votes"`
	// LateAnswers counts published ideas whose promised answer is late; it ends at MaxCounted.
	LateAnswers int64 `json:"lateAnswers"`
	// Objectives of the house rules, in their order.
	Objectives []ObjectiveState `json:"objectives,omitempty"`
	// Representativeness of who takes part, by the house's quotas; nil without quotas, and while nobody has said anything
	// of the attributes.
	Representativeness *Representativeness `json:"representativeness,omitempty"`
}

// MaxCounted ends counts of what waits: more is too much in any case.
const MaxCounted = 1000

// Standings of an objective.
const (
	ObjectiveReached = "reached"
	ObjectiveOnTrack = "onTrack"
	ObjectiveBehind  = "behind"
	ObjectiveMissed  = "missed"
	// ObjectiveUnknown is that of an objective without enough figures for a trend.
	ObjectiveUnknown = "unknown"
)

// ObjectiveState is how an objective stands.
type ObjectiveState struct {
	Name   string `json:"name"`
	Metric string `json:"metric"`
	// Current value; nil while nothing was measured or entered.
	Current  *int64 `json:"current,omitempty"`
	Baseline int64  `json:"baseline"`
	Target   int64  `json:"target"`
	// Deadline is a date, "2027-06-30".
	Deadline string `json:"deadline"`
	// Standing is one of the Objective constants, by the line through the last figures.
	Standing string `json:"standing"`
}

// RepresentativeWithin is the gap, in percentage points, up to which participants count as representative.
const RepresentativeWithin = 5

// Representativeness of participants by quotas: the segment that is furthest from its quota.
type Representativeness struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
	// GapPercent is the difference between ActualPercent and QuotaPercent, in percentage points, without a sign.
	GapPercent    int `json:"gapPercent"`
	ActualPercent int `json:"actualPercent"`
	QuotaPercent  int `json:"quotaPercent"`
}

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
	// LateAnswers counts published ideas of the challenge whose promised answer is late; it ends at MaxCounted.
	LateAnswers int64 `json:"lateAnswers"`
	// Representativeness of who takes part, by the challenge's quotas; nil without quotas, and while nobody has said
	// anything of the attributes.
	Representativeness *Representativeness `json:"representativeness,omitempty"`
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
	// PointsIssued by all policies of the name, in all their generations, less what was taken back.
	PointsIssued int64 `json:"pointsIssued"`
	// PayoutsDue counts what its statements owe and is not paid yet; PayoutsDueAmount is the sum in minor units of
	// the policy's currency.
	PayoutsDue       int64 `json:"payoutsDue"`
	PayoutsDueAmount int64 `json:"payoutsDueAmount"`
}
