package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestUnwritten(t *testing.T) {
	for line, want := range map[string]bool{
		"00400000-00d4f000 r-xp 00000000 fe:00 9986394                            /ideas": true,
		"00d4f000-018be000 r--p 0094f000 fe:00 9986394                            /ideas": true,
		"018be000-0196f000 rw-p 014be000 fe:00 9986394                            /ideas": false,
		"7f541e0ce000-7f541e4ee000 r--p 00000000 fe:00 1                          /other": false,
		"7f541e0ce000-7f541e4ee000 r-xp 00000000 00:00 0":                                 false,
		"018be000-00400000 r-xp 00000000 fe:00 9986394                            /ideas": false,
		"nonsense": false,
	} {
		if _, _, ok := unwritten(line, "/ideas"); ok != want {
			t.Errorf("%q: %v, want %v", line, ok, want)
		}
	}
}

// A program that has let its pages go runs on.
func TestReleaseProgram(t *testing.T) {
	before := residentKiB(t)
	if err := releaseProgram(); err != nil {
		t.Fatal(err)
	}
	if after := residentKiB(t); after >= before {
		t.Errorf("%d KiB resident before, %d after", before, after)
	}
}

func residentKiB(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		var n int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &n); err == nil {
			return n
		}
	}
	t.Fatal("no VmRSS in the process's status")
	return 0
}
