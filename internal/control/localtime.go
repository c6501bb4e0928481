package control

import (
	"errors"
	"fmt"
	"time"
)

// LocalTimeLayout is how times of day are declared; they mean the community's time zone.
const LocalTimeLayout = "2006-01-02T15:04"

// DateLayout is how days are declared.
const DateLayout = "2006-01-02"

// ErrClockSkipped is returned for a time that clocks pass over when daylight saving begins.
var ErrClockSkipped = errors.New("clocks are set forward over this time")

// ParseLocalTime reads a declared time in a time zone. A time that comes twice, when daylight saving ends, is the
// first of both. Errors: ErrClockSkipped, or a text that is none.
func ParseLocalTime(text string, zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(LocalTimeLayout, text, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("read %q as a time such as 2027-06-01T09:00: %w", text, err)
	}
	if t.Format(LocalTimeLayout) != text {
		return time.Time{}, fmt.Errorf("read %q: %w", text, ErrClockSkipped)
	}
	for _, earlier := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
		if first := t.Add(-earlier); first.Format(LocalTimeLayout) == text {
			return first, nil
		}
	}
	return t, nil
}
