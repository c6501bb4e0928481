package ideas

import (
	"errors"
	"slices"
	"time"
)

// Kit is where what a tester receives is.
type Kit string

// States of a kit, in order.
const (
	KitToSend   Kit = "to_send"
	KitSent     Kit = "sent"
	KitReceived Kit = "received"
)

// Severity of a bug.
type Severity string

// Severities, the worst first.
const (
	SeverityBlocker  Severity = "blocker"
	SeverityMajor    Severity = "major"
	SeverityMinor    Severity = "minor"
	SeverityCosmetic Severity = "cosmetic"
)

// Severities in the order of a form.
func Severities() []Severity {
	return []Severity{SeverityBlocker, SeverityMajor, SeverityMinor, SeverityCosmetic}
}

// BugStatus is what the team made of a report.
type BugStatus string

// Statuses of bug reports.
const (
	BugNew       BugStatus = "new"
	BugConfirmed BugStatus = "confirmed"
	BugFixed     BugStatus = "fixed"
	BugDeclined  BugStatus = "declined"
	BugDuplicate BugStatus = "duplicate"
)

// BugStatuses in the order of a form.
func BugStatuses() []BugStatus {
	return []BugStatus{BugNew, BugConfirmed, BugFixed, BugDeclined, BugDuplicate}
}

// Tester is a member who tests a product.
type Tester struct {
	Challenge                    int64
	Member                       Author
	Kit                          Kit
	Tracking                     string
	JoinedAt, SentAt, ReceivedAt time.Time
	ActiveAt, DroppedAt          time.Time
	// Entries, Bugs and Final are what the tester has delivered.
	Entries, Bugs int
	Final         bool
}

// Start of the test for the tester, from when on the diary is due: the receipt of the kit, or the selection where
// nothing is sent.
func (t Tester) Start(hasKit bool) (time.Time, bool) {
	if hasKit {
		return t.ReceivedAt, !t.ReceivedAt.IsZero()
	}
	return t.JoinedAt, true
}

// DiaryEntry of a tester.
type DiaryEntry struct {
	ID        int64
	Mood      int
	Body      string
	CreatedAt time.Time
}

// Bug is a report.
type Bug struct {
	ID           int64
	Author       Author
	Title, Steps string
	Severity     Severity
	Status       BugStatus
	// DuplicateOf is the report that this one repeats; 0 for none.
	DuplicateOf int64
	// Duplicates of this one.
	Duplicates int
	Answer     string
	CreatedAt  time.Time
}

// BugAnswer is what the team says to a report.
type BugAnswer struct {
	Status      BugStatus
	DuplicateOf int64
	Answer      string
}

// SlotState of a diary.
type SlotState string

// States of a slot.
const (
	SlotDone   SlotState = "done"
	SlotMissed SlotState = "missed"
	SlotDue    SlotState = "due"
)

// DiarySlot is a time for which an entry is due.
type DiarySlot struct {
	Number int
	// From and Due bound the slot: an entry from From and before Due fills it.
	From, Due time.Time
	State     SlotState
}

// DiarySchedule is the slots that have begun: one every so many days from the start, until the end (zero for none).
// Days are those of the start's time zone, so that a slot begins at the same time of day across daylight saving.
func DiarySchedule(start time.Time, days int, end time.Time, entries []time.Time, now time.Time) []DiarySlot {
	if days <= 0 || start.IsZero() {
		return nil
	}
	var slots []DiarySlot
	for n := 1; n <= maxSlots; n++ {
		from, due := start.AddDate(0, 0, (n-1)*days), start.AddDate(0, 0, n*days)
		if from.After(now) || !end.IsZero() && !from.Before(end) {
			break
		}
		slot := DiarySlot{Number: n, From: from, Due: due, State: SlotDue}
		switch {
		case slices.ContainsFunc(entries, func(at time.Time) bool { return !at.Before(from) && at.Before(due) }):
			slot.State = SlotDone
		case !now.Before(due) || !end.IsZero() && !now.Before(end):
			slot.State = SlotMissed
		}
		slots = append(slots, slot)
	}
	return slots
}

// maxSlots bounds a diary that has no end.
const maxSlots = 400

// CleanDiary returns an entry's text as it is stored, or a *FieldError.
func CleanDiary(mood int, body string) (string, error) {
	var wrong error
	if mood < 1 || mood > 5 {
		wrong = &FieldError{Field: "mood", Code: "required"}
	}
	body, err := CleanComment(body)
	return body, errors.Join(wrong, err)
}

// CleanBug returns a report as it is stored, or the *FieldErrors, joined.
func CleanBug(title, steps string, severity Severity) (cleanTitle, cleanSteps string, err error) {
	cleanTitle, titleErr := CleanTitle(title)
	cleanSteps, stepsErr := bounded("steps", cleanText(steps), MaxComment)
	var severityErr error
	if !slices.Contains(Severities(), severity) {
		severityErr = &FieldError{Field: "severity", Code: "required"}
	}
	return cleanTitle, cleanSteps, errors.Join(titleErr, stepsErr, severityErr)
}

// CleanReason returns what the team says about a decision; empty is allowed where it is not required.
func CleanReason(raw string, required bool) (string, error) {
	text := cleanText(raw)
	if text == "" && !required {
		return "", nil
	}
	return bounded("reason", text, MaxReason)
}

// MaxTracking bounds a parcel's number or address, in characters.
const MaxTracking = 200

// CleanTracking returns the number of a parcel as it is stored; it may be empty.
func CleanTracking(raw string) (string, error) {
	text := cleanLine(raw)
	if text == "" {
		return "", nil
	}
	return bounded("tracking", text, MaxTracking)
}
