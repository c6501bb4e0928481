package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// times is how much of the processors was used, in seconds, by whom.
type times struct {
	at                            time.Time
	service, database, bench, all float64
}

// ticks a second in /proc; Linux has fixed it for user space.
const ticks = 100

// times reads what everybody has used. A backend that has ended is in its parent's sum.
func (b *bench) times() times {
	t := times{at: time.Now()}
	self, parents := os.Getpid(), map[int]int{}
	used, names, waited := map[int]float64{}, map[int]string{}, map[int]float64{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // the process has ended
		}
		// The name, in parentheses, may hold spaces.
		open, end := bytes.IndexByte(raw, '('), bytes.LastIndexByte(raw, ')')
		f := strings.Fields(string(raw[end+1:]))
		pid, _ := strconv.Atoi(string(bytes.TrimSpace(raw[:open])))
		parents[pid], _ = strconv.Atoi(f[1])
		names[pid] = string(raw[open+1 : end])
		used[pid], waited[pid] = (atof(f[11])+atof(f[12]))/ticks, (atof(f[13])+atof(f[14]))/ticks
	}
	for pid, seconds := range used {
		switch {
		case pid == self:
			t.bench += seconds
		case b.service != nil && pid == b.service.cmd.Process.Pid:
			t.service += seconds
		case names[pid] == "postgres" && descends(parents, pid, self):
			t.database += seconds
			if names[parents[pid]] != "postgres" {
				t.database += waited[pid]
			}
		case parents[pid] == self: // pgbench
			t.bench += seconds
		}
	}
	t.all = allProcessors()
	return t
}

func descends(parents map[int]int, pid, from int) bool {
	for range 6 {
		if pid = parents[pid]; pid == from {
			return true
		}
	}
	return false
}

// allProcessors is what everything on the machine has used, in seconds.
func allProcessors() float64 {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	var all float64
	first, _, _ := strings.Cut(string(raw), "\n")
	for i, f := range strings.Fields(first)[1:] {
		if i != 3 && i != 4 && i < 8 { // idle, iowait; guests are counted in user
			all += atof(f) / ticks
		}
	}
	return all
}

func atof(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64) // the kernel writes numbers
	return v
}

// each describes what one of a number of requests has used since an earlier time, and how much strangers to the benchmark
// used beside.
func (t times) each(before times, requests int) string {
	n := float64(max(requests, 1)) / 1e6
	elapsed := t.at.Sub(before.at).Seconds()
	ours := t.service - before.service + t.database - before.database + t.bench - before.bench
	return fmt.Sprintf("service %.0f µs, PostgreSQL %.0f µs, load %.0f µs of a processor; other programs used %.2f processors",
		(t.service-before.service)/n, (t.database-before.database)/n, (t.bench-before.bench)/n, max(0, t.all-before.all-ours)/elapsed)
}
