//go:build testclock

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// clock runs ahead of the machine's by what a file says, and by what the control API was told, so that journeys see the
// phases of months pass. The file is read each time: what a journey does after it has moved the clock is done at the new
// time. What was told is forgotten with the process.
type clock struct {
	file string
	told *atomic.Int64
}

// mostAhead is as far as phases are ever declared.
const mostAhead = 20 * 365 * 24 * time.Hour

// setter sets the clock ahead; it never goes back, as no clock does.
func (c *clock) setter() func(time.Duration) error {
	return func(ahead time.Duration) error {
		for {
			told := c.told.Load()
			if ahead < time.Duration(told) || ahead > mostAhead {
				return fmt.Errorf("must be from %s, as far as it is ahead already, to %s", time.Duration(told), mostAhead)
			}
			if c.told.CompareAndSwap(told, int64(ahead)) {
				return nil
			}
		}
	}
}

// clockFollowedEvery is how late the consequences of a moved clock are carried out.
const clockFollowedEvery = 20 * time.Millisecond

func (c *clock) declare(flags *flag.FlagSet) {
	c.told = &atomic.Int64{}
	flags.StringVar(&c.file, "clock-ahead-file", "", "file with a duration such as 36h, by which the service's clock is ahead; in test builds only")
}

func (c *clock) now() time.Time { return time.Now().Add(c.ahead()) }

func (c *clock) ahead() time.Duration { return time.Duration(c.told.Load()) + c.fromFile() }

// fromFile is nothing while the file cannot be read.
func (c *clock) fromFile() time.Duration {
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
