package ideas

import (
	"context"
	"time"
)

// Teams that share a community.
const (
	TeamProduct   = "product"
	TeamMarketing = "marketing"
)

// Metrics of the figures of a day: how many there were on the day, and with the prefix "total." how many had been reached
// at its end.
const (
	// MetricVisitors are different people who opened a page.
	MetricVisitors = "visitors"
	MetricJoined   = "joined"
	// MetricContributors submitted an idea or wrote a comment.
	MetricContributors = "contributors"
	MetricIdeas        = "ideas"
	MetricComments     = "comments"
	MetricVotes        = "votes"
	MetricMembers      = "total.members"
	MetricAllIdeas     = "total.ideas"
	MetricAllVotes     = "total.votes"
	MetricAllComments  = "total.comments"
	// MetricEverContributed and MetricEverVoted are the members who ever did.
	MetricEverContributed = "total.contributors"
	MetricEverVoted       = "total.voters"
	// MetricActive are the members who did something in the last thirty days.
	MetricActive = "total.active"
	// MetricLaunched are the ideas that have become products.
	MetricLaunched = "total.launched"
	// MetricSelected are the ideas that were selected, those launched since included.
	MetricSelected = "total.selected"
	// MetricAnswered are the percent of official answers that came on time.
	MetricAnswered = "total.answeredOnTimePercent"
)

// objectiveMetrics are the metrics that an objective names, with the figure that measures each; those without one are
// entered by the team.
var objectiveMetrics = map[string]string{
	"members": MetricMembers, "activeMembers": MetricActive, "ideas": MetricAllIdeas, "votes": MetricAllVotes, "comments": MetricAllComments,
	"launched": MetricLaunched, "answeredOnTimePercent": MetricAnswered, "satisfaction": "", "manual": "",
}

// ObjectiveMetrics lists what an objective may measure.
func ObjectiveMetrics() []string {
	return []string{"members", "activeMembers", "ideas", "votes", "comments", "launched", "answeredOnTimePercent", "satisfaction", "manual"}
}

// FigureOf is the figure that measures an objective's metric; empty where the team enters values.
func FigureOf(metric string) string { return objectiveMetrics[metric] }

// Figure of one day.
type Figure struct {
	// Day at midnight UTC, standing for the day of the community's time zone.
	Day   time.Time
	Value int64
}

// InsightStore keeps what dashboards show. Its queries read figures of days, never all votes.
type InsightStore interface {
	// Figures returns days from the one given on, in order; days without a figure are left out.
	Figures(ctx context.Context, metric string, from time.Time) ([]Figure, error)
	// Snapshot writes the figures of a day. Writing them again replaces them.
	Snapshot(ctx context.Context, day time.Time) error
	// EnterValue keeps a value of an objective that the service cannot measure.
	EnterValue(ctx context.Context, actor int64, objective string, day time.Time, value int64) error
	// ObjectiveValues returns those entered, in order.
	ObjectiveValues(ctx context.Context, objective string) ([]Figure, error)
}
