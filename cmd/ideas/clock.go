//go:build !testclock

package main

import (
	"flag"
	"time"
)

// clock is the machine's. Only a build with the tag testclock, which no image is made of, has another.
type clock struct{}

func (clock) declare(*flag.FlagSet) {}

func (clock) now() time.Time { return time.Now() }
