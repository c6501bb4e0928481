//go:build testclock

package main

import (
	"flag"
	"os"
	"strings"
	"sync"
	"time"
)

// clock runs ahead of the machine's by what a file says, so that journeys see the phases of months pass. The file is
// read again at most every few milliseconds.
type clock struct{ file string }

const clockReadEvery = 20 * time.Millisecond

var clockRead struct {
	mutex sync.Mutex
	at    time.Time
	ahead time.Duration
}

func (c *clock) declare(flags *flag.FlagSet) {
	flags.StringVar(&c.file, "clock-ahead-file", "", "file with a duration such as 36h, by which the service's clock is ahead; in test builds only")
}

func (c *clock) now() time.Time {
	if c.file == "" {
		return time.Now()
	}
	clockRead.mutex.Lock()
	defer clockRead.mutex.Unlock()
	if real := time.Now(); real.Sub(clockRead.at) > clockReadEvery {
		clockRead.at = real
		if raw, err := os.ReadFile(c.file); err == nil {
			if ahead, err := time.ParseDuration(strings.TrimSpace(string(raw))); err == nil {
				clockRead.ahead = ahead
			}
		}
	}
	return time.Now().Add(clockRead.ahead)
}
