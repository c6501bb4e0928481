package control_test

import (
	"errors"
	"testing"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

func TestParseLocalTime(t *testing.T) {
	for name, tc := range map[string]struct{ zone, text, want string }{
		"summer":                           {"Europe/Paris", "2027-06-01T09:00", "2027-06-01T07:00:00Z"},
		"winter":                           {"Europe/Paris", "2027-01-01T09:00", "2027-01-01T08:00:00Z"},
		"skipped in spring":                {"Europe/Paris", "2027-03-28T02:30", "skipped"},
		"first moment after":               {"Europe/Paris", "2027-03-28T03:00", "2027-03-28T01:00:00Z"},
		"twice in autumn is the first":     {"Europe/Paris", "2027-10-31T02:30", "2027-10-31T00:30:00Z"},
		"twice by half an hour":            {"Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-03T14:45:00Z"},
		"twice in New York":                {"America/New_York", "2027-11-07T01:15", "2027-11-07T05:15:00Z"},
		"a zone is not part of it":         {"Europe/Paris", "2027-06-01T09:00Z", "invalid"},
		"no day of the calendar":           {"Europe/Paris", "2027-02-30T09:00", "invalid"},
		"a day that a whole zone left out": {"Pacific/Apia", "2011-12-30T09:00", "skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			zone, err := time.LoadLocation(tc.zone)
			if err != nil {
				t.Fatal(err)
			}
			at, err := control.ParseLocalTime(tc.text, zone)
			got := at.UTC().Format(time.RFC3339)
			switch {
			case errors.Is(err, control.ErrClockSkipped):
				got = "skipped"
			case err != nil:
				got = "invalid"
			}
			if got != tc.want {
				t.Errorf("%s in %s is %s, want %s", tc.text, tc.zone, got, tc.want)
			}
		})
	}
}
