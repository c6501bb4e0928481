//go:build testclock

package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The clock of a build for tests goes ahead by what the file says and by what it was told, and never back.
func TestClockIsSet(t *testing.T) {
	var c clock
	c.declare(flag.NewFlagSet("test", flag.ContinueOnError))
	c.file = filepath.Join(t.TempDir(), "ahead")
	if err := os.WriteFile(c.file, []byte("1h\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set := c.setter()
	for _, step := range []struct {
		ahead   time.Duration
		refused bool
		want    time.Duration
	}{{0, false, time.Hour}, {48 * time.Hour, false, 49 * time.Hour}, {47 * time.Hour, true, 49 * time.Hour}, {1 << 62, true, 49 * time.Hour}, {48 * time.Hour, false, 49 * time.Hour}} {
		if err := set(step.ahead); (err != nil) != step.refused {
			t.Errorf("set to %s: %v", step.ahead, err)
		}
		before := time.Now()
		if got := c.now(); got.Before(before.Add(step.want)) || got.After(time.Now().Add(step.want)) {
			t.Errorf("set to %s the clock is ahead by %s, want %s", step.ahead, got.Sub(before), step.want)
		}
	}
}
