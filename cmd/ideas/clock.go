//go:build !testclock

package main

import (
	"context"
	"flag"
	"time"
)

// clock is the machine's. Only a build with the tag testclock, which no released image is made of, has another.
type clock struct{}

func (clock) declare(*flag.FlagSet) {}

func (clock) now() time.Time { return time.Now() }

// setter is nil: nobody sets this clock.
func (clock) setter() func(time.Duration) error { return nil }

// follow has nothing to follow: nobody moves the machine's clock.
func (clock) follow(context.Context, func(context.Context) error) {}
