//go:build testclock

package main

import (
	"context"
	"flag"
	"os"
	"strings"
	"time"
)

// clock runs ahead of the machine's by what a file says, so that journeys see the phases of months pass. The file is
// read each time: what a journey does after it has moved the clock is done at the new time.
type clock struct{ file string }

// clockFollowedEvery is how late the consequences of a moved clock are carried out.
const clockFollowedEvery = 20 * time.Millisecond

func (c *clock) declare(flags *flag.FlagSet) {
	flags.StringVar(&c.file, "clock-ahead-file", "", "file with a duration such as 36h, by which the service's clock is ahead; in test builds only")
}

func (c *clock) now() time.Time { return time.Now().Add(c.ahead()) }

// ahead is nothing while the file cannot be read.
func (c *clock) ahead() time.Duration {
	if c.file == "" {
		return 0
	}
	raw, err := os.ReadFile(c.file)
	if err != nil {
		return 0
	}
	ahead, err := time.ParseDuration(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0
	}
	return ahead
}

// follow carries out what dates bring about, and counts the day, as soon as the clock was moved rather than in the next
// round.
func (c *clock) follow(ctx context.Context, carryOut func(context.Context) error) {
	if c.file == "" {
		return
	}
	ticker := time.NewTicker(clockFollowedEvery)
	defer ticker.Stop()
	for seen := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if ahead := c.ahead(); ahead != seen && carryOut(ctx) == nil {
			seen = ahead
		}
	}
}
