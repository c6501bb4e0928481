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
}
