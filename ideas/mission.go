package ideas

import (
	"errors"
	"slices"
	"time"

	"github.com/quaeso/community-operator/internal/control"
)

// ResultState is what the team made of a task's result.
type ResultState string

// States of a result.
const (
	ResultSubmitted ResultState = "submitted"
	ResultAccepted  ResultState = "accepted"
	// ResultRedo was given back; it may be submitted again.
	ResultRedo ResultState = "redo"
)

// TaskResult is what a member delivers of a task.
type TaskResult struct {
	Task        string
	Member      Author
	Body, Link  string
	State       ResultState
	Feedback    string
	SubmittedAt time.Time
}

// CleanResult returns a result as it is stored, or the *FieldErrors, joined. The link is optional.
func CleanResult(body, link string) (cleanBody, cleanLink string, err error) {
	cleanBody, bodyErr := CleanComment(body)
	var linkErr error
	if cleanLink = cleanLine(link); cleanLink != "" {
		cleanLink, linkErr = cleanAddress("link", cleanLink)
	}
	return cleanBody, cleanLink, errors.Join(bodyErr, linkErr)
}

// Task of a mission by its name; ok is false where there is none.
func (c *Challenge) Task(name string) (control.Task, bool) {
	if c.Spec.Mission == nil {
		return control.Task{}, false
	}
	i := slices.IndexFunc(c.Spec.Mission.Tasks, func(t control.Task) bool { return t.Name == name })
	if i < 0 {
		return control.Task{}, false
	}
	return c.Spec.Mission.Tasks[i], true
}

// IdeaProgress is how many of a challenge's ideas are in each state.
type IdeaProgress map[State]int

// MissionProgress is how far a mission has come.
type MissionProgress struct {
	Members []Author
	// Results of all members, by member and task.
	Results []TaskResult
	Posts   int
	Ideas   IdeaProgress
}
