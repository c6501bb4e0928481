package ideas

import (
	"context"
	"time"
)

// Rate is how often something may be done: once every interval, and so many times at once after a pause.
type Rate struct {
	Every time.Duration
	Burst int
}

// RateStore keeps counters of requests where all replicas see them.
type RateStore interface {
	// TakeRate takes n from a key's allowance, or one where n is not left. With nothing left granted is 0, and wait is how
	// long it takes until there is one again.
	TakeRate(ctx context.Context, key string, rate Rate, n int, now time.Time) (granted int, wait time.Duration, err error)
}
