package control

import (
	"encoding/json"
	"time"
)

// ObjectsPath lists every object that the service knows (GET).
const ObjectsPath = "/control/v1/objects"

// PricingPath follows a reward policy's path: what the policy in the body would change (POST).
const PricingPath = "/pricing"

// ErasuresPath lists the proofs of erased members (GET) and carries erasures out again (POST).
const ErasuresPath = "/control/v1/erasures"

// ClockPath sets the clock of a service that was built for tests (POST); no other has the call.
const ClockPath = "/control/v1/clock"

// Clock of a service that was built for tests.
type Clock struct {
	// Ahead of the machine's clock, such as "36h".
	Ahead string `json:"ahead"`
	// Now is what the clock shows; the service says it.
	Now time.Time `json:"now,omitzero"`
}

// Objects are the objects that a service knows.
type Objects struct {
	// Objects in force first, then archived ones, the latest first.
	Objects []KnownObject `json:"objects"`
	// Truncated tells that there are more archived ones.
	Truncated bool `json:"truncated,omitempty"`
	// Happened is the number of what happened last in the community. While it stays, the states of objects stay as well,
	// but for what time alone changes.
	Happened int64 `json:"happened,omitempty"`
}

// KnownObject is one object, in force or archived.
type KnownObject struct {
	// Kind is KindChallenge or KindRewardPolicy.
	Kind       string `json:"kind"`
	UID        string `json:"uid"`
	Name       string `json:"name"`
	Generation int64  `json:"generation"`
	Digest     string `json:"digest"`
	// Archived objects were withdrawn; what members wrote is kept.
	Archived bool `json:"archived,omitempty"`
}

// InForce is the object as other answers name it; the zero value where it is archived.
func (o KnownObject) InForce() InForce {
	if o.Archived {
		return InForce{}
	}
	return InForce{UID: o.UID, Generation: o.Generation, Digest: o.Digest}
}

// PricingAnswer says what a changed reward policy would change.
type PricingAnswer struct {
	// Pricing is nil where the policy was refused or the database is not ready.
	Pricing  *Pricing  `json:"pricing,omitempty"`
	Refusals []Refusal `json:"refusals,omitempty"`
	Database Database  `json:"database"`
}

// Pricing tells what a policy would change, had it been in force from the first event on.
type Pricing struct {
	// Members who took part in any event.
	Members int64 `json:"members"`
	// PointsBefore are those that the ledger has, PointsAfter those that the policy would have given.
	PointsBefore int64 `json:"pointsBefore"`
	PointsAfter  int64 `json:"pointsAfter"`
	// Risen and Fallen count the members whose level would be a higher or a lower one.
	Risen  int64 `json:"risen"`
	Fallen int64 `json:"fallen"`
	// Levels by their number, from that of no level.
	Levels []LevelPrice `json:"levels"`
	// Badges of the changed policy.
	Badges []BadgePrice `json:"badges,omitempty"`
	// Failures counts conditions that could not be evaluated, by their field; they did not hold.
	Failures map[string]int64 `json:"failures,omitempty"`
}

// LevelPrice is how many members have a level, and would have it.
type LevelPrice struct {
	// Level is its number, 0 for none.
	Level  int    `json:"level"`
	Name   string `json:"name,omitempty"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

// BadgePrice is how many members have a badge, and would have got it.
type BadgePrice struct {
	Name   string `json:"name"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

// Erasures are proofs of erased members, the oldest first.
type Erasures struct {
	Erasures []Erasure `json:"erasures"`
	// Next continues the list, as the query's "after"; 0 at its end.
	Next int64 `json:"next,omitempty"`
}

// Erasure of a member. It holds no personal data.
type Erasure struct {
	ID     int64     `json:"id"`
	Member int64     `json:"member"`
	DoneAt time.Time `json:"doneAt"`
	// Record says what was done; SHA256 is its hash.
	Record json.RawMessage `json:"record"`
	SHA256 string          `json:"sha256"`
}

// Erased says how many members were erased again.
type Erased struct {
	Erased int `json:"erased"`
}
