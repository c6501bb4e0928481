package control

import "time"

// ChallengeState is what a GET observes of a challenge.
type ChallengeState struct {
	InForce InForce `json:"inForce"`
	// Phase now, by the service's clock.
	Phase string `json:"phase"`
	// NextChange is when the phase changes by itself; nil when it does not.
	NextChange *time.Time `json:"nextChange,omitempty"`
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
