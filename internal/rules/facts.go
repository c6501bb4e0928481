package rules

import (
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

// Facts are what a condition may ask of an event. They are those of the moment when it happened, so that evaluating
// it again gives the same result.
type Facts struct {
	// Event is its name.
	Event string
	// Time at which it happened, with the community's time zone as its location.
	Time time.Time
	// Actor, Author and Subject tell what the member is to the event: who did it, an author of the idea that it is
	// about, whom it concerns, or several of these.
	Actor, Author, Subject bool
	// Self tells that the one who did it is an author of the idea.
	Self bool
	// Member who may get points.
	Member MemberFacts
	// Idea that the event is about; the zero value where it is about none.
	Idea IdeaFacts
	// Challenge that the event happened in; the zero value outside of any.
	Challenge ChallengeFacts
	// Value of the event itself, such as the rung of a ladder that was reached.
	Value int64
}

// MemberFacts are what conditions may know of a member.
type MemberFacts struct {
	// Points before the event for a rule, after it for a badge; the engine fills them in, and the level with them.
	Points int64
	// Days since the member joined.
	Days int64
	// Roles that the member has.
	Roles []string
}

// IdeaFacts are what conditions may know of an idea.
type IdeaFacts struct {
	State string
	// Supporters and Comments, the event's own included.
	Supporters, Comments int64
	Theme                string
	// Tags of the idea.
	Tags []string
}

// ChallengeFacts are what conditions may know of a challenge.
type ChallengeFacts struct {
	Name, Type, Theme string
}

// receives tells whether what goes to somebody goes to this member.
func (f Facts) receives(to string) bool {
	switch to {
	case ToAuthor:
		return f.Author
	case ToSubject:
		return f.Subject
	default:
		return f.Actor
	}
}

// Bounds of facts, which the cost of a condition is estimated with. Longer lists and texts are cut.
const (
	maxFactItems  = 32
	maxFactLength = 128
)

// Variable is a name that conditions may use.
type Variable struct {
	Name string
	// Type in the language of the expressions: int, bool, string, list(string), timestamp.
	Type string
	// Meaning in plain words, for the documentation.
	Meaning string
}

// variable is how an environment declares one and an evaluation reads it.
type variable struct {
	Variable
	read func(scope) any
}

// scope is what one evaluation sees.
type scope struct {
	Facts
	level int
}

// variables is a function, so that a program that never compiles a condition holds none of it.
func variables() []variable {
	return []variable{
		{Variable{"event.name", "string", "the event, such as \"idea.published\""}, func(s scope) any { return s.Event }},
		{Variable{"event.time", "timestamp", "when it happened"}, func(s scope) any { return s.Time.UTC() }},
		{Variable{"event.hour", "int", "the hour of the day, 0 to 23, in the community's time zone"}, func(s scope) any { return int64(s.Time.Hour()) }},
		{Variable{"event.weekday", "int", "the day of the week in the community's time zone, 0 for Sunday"}, func(s scope) any { return int64(s.Time.Weekday()) }},
		{Variable{"event.value", "int", "the event's own number, such as the rung of a ladder or the level that was reached; 0 where it has none"}, func(s scope) any { return s.Value }},
		{Variable{"event.self", "bool", "whether the one who did it is an author of the idea that it is about"}, func(s scope) any { return s.Self }},
		{Variable{"member.points", "int", "the member's points, before the event in a rule and after it in a badge"}, func(s scope) any { return s.Member.Points }},
		{Variable{"member.level", "int", "the number of the level that these points reach, 0 for none"}, func(s scope) any { return int64(s.level) }},
		{Variable{"member.days", "int", "full days since the member joined"}, func(s scope) any { return s.Member.Days }},
		{Variable{"member.roles", "list(string)", "the member's roles"}, func(s scope) any { return bounded(s.Member.Roles) }},
		{Variable{"idea.state", "string", "the state of the idea that the event is about, empty where it is about none"}, func(s scope) any { return cut(s.Idea.State) }},
		{Variable{"idea.supporters", "int", "the number of its supporters"}, func(s scope) any { return s.Idea.Supporters }},
		{Variable{"idea.comments", "int", "the number of its comments"}, func(s scope) any { return s.Idea.Comments }},
		{Variable{"idea.theme", "string", "its theme"}, func(s scope) any { return cut(s.Idea.Theme) }},
		{Variable{"idea.tags", "list(string)", "its tags"}, func(s scope) any { return bounded(s.Idea.Tags) }},
		{Variable{"challenge.name", "string", "the name of the challenge, empty outside of any"}, func(s scope) any { return cut(s.Challenge.Name) }},
		{Variable{"challenge.type", "string", "its type"}, func(s scope) any { return cut(s.Challenge.Type) }},
		{Variable{"challenge.theme", "string", "its theme"}, func(s scope) any { return cut(s.Challenge.Theme) }},
	}
}

// Variables lists what conditions may use.
func Variables() []Variable {
	all := variables()
	out := make([]Variable, len(all))
	for i, v := range all {
		out[i] = v.Variable
	}
	return out
}

func (v variable) celType() *cel.Type {
	switch v.Type {
	case "int":
		return types.IntType
	case "bool":
		return types.BoolType
	case "timestamp":
		return types.TimestampType
	case "list(string)":
		return types.NewListType(types.StringType)
	default:
		return types.StringType
	}
}

// bounded keeps the costs of a condition where they were estimated.
func bounded(list []string) []string {
	out := make([]string, 0, min(len(list), maxFactItems))
	for _, s := range list[:min(len(list), maxFactItems)] {
		out = append(out, cut(s))
	}
	return out
}

func cut(s string) string {
	runes := 0
	for i := range s {
		if runes == maxFactLength {
			return s[:i]
		}
		runes++
	}
	return s
}
