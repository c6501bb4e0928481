package ideas

import (
	"context"
	"math"
	"time"

	"github.com/quaeso/community-operator/internal/control"
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

// Projection of figures to a later day, by the line that fits them best.
type Projection struct {
	// Known is false for fewer than two days, which make no line.
	Known bool
	Value float64
}

// Project continues figures in a straight line (least squares) to a day.
func Project(figures []Figure, to time.Time) Projection {
	if len(figures) < 2 {
		return Projection{}
	}
	origin := figures[0].Day
	var n, sumX, sumY, sumXX, sumXY float64
	for _, f := range figures {
		x, y := f.Day.Sub(origin).Hours()/24, float64(f.Value)
		n, sumX, sumY, sumXX, sumXY = n+1, sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	spread := n*sumXX - sumX*sumX
	if spread == 0 {
		return Projection{}
	}
	slope := (n*sumXY - sumX*sumY) / spread
	return Projection{true, (sumY-slope*sumX)/n + slope*to.Sub(origin).Hours()/24}
}

// ObjectiveStanding tells how an objective stands.
type ObjectiveStanding string

// Standings.
const (
	ObjectiveReached ObjectiveStanding = control.ObjectiveReached
	ObjectiveOnTrack ObjectiveStanding = control.ObjectiveOnTrack
	ObjectiveBehind  ObjectiveStanding = "behind"
	ObjectiveMissed  ObjectiveStanding = "missed"
	// ObjectiveUnknown is that of an objective without enough figures for a trend.
	ObjectiveUnknown ObjectiveStanding = control.ObjectiveUnknown
)

// StandingOf an objective on a day, of its figures in order. A target below the baseline is reached from above.
func StandingOf(o control.Objective, figures []Figure, today time.Time) (ObjectiveStanding, Projection) {
	deadline, err := time.Parse(time.DateOnly, o.Deadline)
	if err != nil || len(figures) == 0 {
		return ObjectiveUnknown, Projection{}
	}
	reaches := func(value float64) bool {
		if o.Target < o.Baseline {
			return value <= float64(o.Target)
		}
		return value >= float64(o.Target)
	}
	projection := Project(figures, deadline)
	switch {
	case reaches(float64(figures[len(figures)-1].Value)):
		return ObjectiveReached, projection
	case today.After(deadline):
		return ObjectiveMissed, projection
	case !projection.Known:
		return ObjectiveUnknown, projection
	case reaches(projection.Value):
		return ObjectiveOnTrack, projection
	}
	return ObjectiveBehind, projection
}

// QuotaSegment is a part of the participants: those who say one thing of themselves.
type QuotaSegment struct{ Attribute, Value string }

// Metric under which a segment's participants are kept.
func (s QuotaSegment) Metric() string { return "segment." + s.Attribute + "=" + s.Value }

// Share of a segment among those participants who say something of the attribute.
type Share struct {
	QuotaSegment
	Participants int64
	// Actual and Quota are shares of the whole, from 0 to 1.
	Actual, Quota float64
	// Weight makes the segment count as much as its quota.
	Weight float64
}

// FurthestShare is the segment whose share differs most from its quota; ok is false where nobody says anything of the
// quotas' attributes.
func FurthestShare(shares []Share) (furthest Share, ok bool) {
	said := map[string]bool{}
	for _, s := range shares {
		said[s.Attribute] = said[s.Attribute] || s.Participants > 0
	}
	for _, s := range shares {
		if said[s.Attribute] && (!ok || math.Abs(s.Actual-s.Quota) > math.Abs(furthest.Actual-furthest.Quota)) {
			furthest, ok = s, true
		}
	}
	return furthest, ok
}

// MaxWeight bounds by how much a segment's votes are weighed up or down: a handful of people must not decide for a tenth of
// the customers.
const MaxWeight = 3

// Shares of the declared quotas, of the participants of each segment.
func Shares(quotas []control.Quota, participants map[QuotaSegment]int64) []Share {
	sums := map[string]int64{}
	for _, q := range quotas {
		sums[q.Attribute] += participants[QuotaSegment{q.Attribute, q.Value}]
	}
	shares := make([]Share, len(quotas))
	for i, q := range quotas {
		segment := QuotaSegment{q.Attribute, q.Value}
		share := Share{QuotaSegment: segment, Participants: participants[segment], Quota: float64(q.Percent) / 100, Weight: 1}
		if sum := sums[q.Attribute]; sum > 0 {
			share.Actual = float64(share.Participants) / float64(sum)
			if share.Actual > 0 {
				share.Weight = min(MaxWeight, max(1.0/MaxWeight, share.Quota/share.Actual))
			}
		}
		shares[i] = share
	}
	return shares
}

// RankedIdea is an idea by its supporters as they are, and weighed so that they match the quotas.
type RankedIdea struct {
	ID          int64
	Slug, Title string
	Supporters  int64
	Weighted    float64
}

// Attention is what waits for the team. Counts end at 1000.
type Attention struct {
	// Moderation items that nobody has decided.
	Moderation int
	// LateAnswers are owed and late, DueAnswers within a week.
	LateAnswers, DueAnswers int
	// Appeals against sanctions that wait for an answer.
	Appeals int
	// FailedDeliveries were given up in the last week.
	FailedDeliveries int
}

// InsightStore keeps what dashboards show. Its queries read figures of days, never all votes.
type InsightStore interface {
	// Figures returns days from the one given on, in order; days without a figure are left out.
	Figures(ctx context.Context, metric string, from time.Time) ([]Figure, error)
	// Snapshot writes the figures of a day. Writing them again replaces them.
	Snapshot(ctx context.Context, day time.Time) error
	// EnterValue keeps a value of an objective that the service cannot measure.
	EnterValue(ctx context.Context, actor int64, objective string, day time.Time, value int64) error
	// SegmentParticipants returns the newest snapshot's participants of segments.
	SegmentParticipants(ctx context.Context, segments []QuotaSegment) (map[QuotaSegment]int64, error)
	// WeightedRanking returns the newest snapshot's, the most supported first.
	WeightedRanking(ctx context.Context) ([]RankedIdea, error)
	// Attention of the team.
	Attention(ctx context.Context) (Attention, error)
	// SawVisitor notes that somebody opened a page; it is written later, once a day for each visitor.
	SawVisitor(visitor [16]byte)
	// ObjectiveValues returns those entered, in order.
	ObjectiveValues(ctx context.Context, objective string) ([]Figure, error)
}
