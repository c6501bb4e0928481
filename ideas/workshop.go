package ideas

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/quaeso/community-operator/internal/control"
)

// Session of a workshop with its moments.
type Session struct {
	control.Session
	Start, End time.Time
}

// ResolveSessions turns declared sessions into moments of a time zone. The error names the session at fault.
func ResolveSessions(declared []control.Session, zone *time.Location) ([]Session, error) {
	sessions := make([]Session, len(declared))
	for i, d := range declared {
		start, err := control.ParseLocalTime(d.Start, zone)
		if err != nil {
			return nil, fmt.Errorf("sessions[%d].start: %w", i, err)
		}
		end, err := control.ParseLocalTime(d.End, zone)
		if err != nil {
			return nil, fmt.Errorf("sessions[%d].end: %w", i, err)
		}
		sessions[i] = Session{Session: d, Start: start, End: end}
	}
	return sessions, nil
}

// Session of a workshop by its name; ok is false where there is none.
func (c *Challenge) Session(name string, zone *time.Location) (Session, bool) {
	if c.Spec.Workshop == nil {
		return Session{}, false
	}
	all, err := ResolveSessions(c.Spec.Workshop.Sessions, zone)
	i := slices.IndexFunc(all, func(s Session) bool { return s.Name == name })
	if err != nil || i < 0 {
		return Session{}, false
	}
	return all[i], true
}

// TimedRound is a round of a session with its moments.
type TimedRound struct {
	control.Round
	Start, End time.Time
}

// Timetable of a session: its rounds one after the other.
func (s Session) Timetable() []TimedRound {
	rounds := make([]TimedRound, len(s.Rounds))
	at := s.Start
	for i, r := range s.Rounds {
		end := at.Add(time.Duration(r.Minutes) * time.Minute)
		rounds[i], at = TimedRound{r, at, end}, end
	}
	return rounds
}

// RegistrationState of a member in a session.
type RegistrationState string

// States of a registration.
const (
	Registered   RegistrationState = "registered"
	Waiting      RegistrationState = "waiting"
	Unregistered RegistrationState = "cancelled"
)

// Registration of a member.
type Registration struct {
	Member Author
	State  RegistrationState
	// Place in the waiting list, from 1; 0 for who is registered.
	Place int
}

// SessionPlaces tell how full a session is.
type SessionPlaces struct {
	Capacity, Taken, Waiting int
	// Mine is the state of the member who looks, empty for none.
	Mine RegistrationState
	// Place of the member in the waiting list.
	Place int
}

// Calendar writes one event as an iCalendar file (RFC 5545).
type Calendar struct {
	UID, Title, Description, Place, URL string
	Start, End, Stamp                   time.Time
}

// String is the file's content.
func (c Calendar) String() string {
	var b strings.Builder
	const utc = "20060102T150405Z"
	line := func(name, value string) {
		if value != "" {
			b.WriteString(foldLine(name + ":" + value))
		}
	}
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//community-operator//ideas//EN")
	line("METHOD", "PUBLISH")
	line("BEGIN", "VEVENT")
	line("UID", calendarText(c.UID))
	line("DTSTAMP", c.Stamp.UTC().Format(utc))
	line("DTSTART", c.Start.UTC().Format(utc))
	line("DTEND", c.End.UTC().Format(utc))
	line("SUMMARY", calendarText(c.Title))
	line("DESCRIPTION", calendarText(c.Description))
	line("LOCATION", calendarText(c.Place))
	line("URL", strings.Map(dropControls, c.URL))
	line("END", "VEVENT")
	line("END", "VCALENDAR")
	return b.String()
}

func dropControls(r rune) rune {
	if r < ' ' {
		return -1
	}
	return r
}

func calendarText(s string) string {
	s = strings.NewReplacer("\\", "\\\\", ";", "\\;", ",", "\\,", "\r\n", "\\n", "\n", "\\n", "\r", "\\n").Replace(s)
	return strings.Map(dropControls, s)
}

// foldLine breaks a line after 75 bytes, never inside a character.
func foldLine(line string) string {
	var b strings.Builder
	for limit := 75; len(line) > limit; limit = 74 {
		cut := limit
		for !utf8.RuneStart(line[cut]) {
			cut--
		}
		b.WriteString(line[:cut] + "\r\n ")
		line = line[cut:]
	}
	return b.String() + line + "\r\n"
}
