package ideas

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/internal/rules"
)

// RewardEvents are the kinds of events that a reward policy may be about. Those that anybody can repeat at will, such as
// editing, and those that are no achievement of a member are left out.
func RewardEvents() []string {
	kinds := []EventKind{
		EventMemberJoined, EventReferred, EventMentioned, EventIdeaSubmitted, EventIdeaPublished, EventIdeaQualified, EventIdeaSelected,
		EventIdeaLaunched, EventIdeaMerged, EventIdeaAnswered, EventIdeaSupported, EventRungReached, EventIdeaContinued,
		EventCommentPublished, EventBallotCast, EventApplicationSubmitted, EventApplicationSelected, EventSurveyResponded, EventTestDiary,
		EventTestBug, EventTopicPublished, EventTopicReplied, EventWorkshopRegistered, EventWorkshopOutcome, EventMissionTask,
		EventMissionDecided, EventMissionPost, EventBadgeAwarded, EventLevelReached,
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return names
}

// CommunityPolicy is the policy that holds for the community as a whole: the one named "community", else the first by name
// that has levels, else the first that has rules, else the first; nil where there is none.
func (p *Programme) CommunityPolicy() *RewardPolicy {
	for _, is := range []func(*RewardPolicy) bool{
		func(r *RewardPolicy) bool { return r.Name == "community" },
		func(r *RewardPolicy) bool { return len(r.Spec.Levels) > 0 },
		func(r *RewardPolicy) bool { return len(r.Spec.Rules) > 0 },
		func(*RewardPolicy) bool { return true },
	} {
		if i := slices.IndexFunc(p.Policies, is); i >= 0 {
			return p.Policies[i]
		}
	}
	return nil
}

// SharingPolicy is the policy by which revenue is shared: the community's if it does, else the first by name that does;
// nil where none does.
func (p *Programme) SharingPolicy() *RewardPolicy {
	shares := func(r *RewardPolicy) bool { return r != nil && r.Spec.RevenueShare != nil }
	if policy := p.CommunityPolicy(); shares(policy) {
		return policy
	}
	if i := slices.IndexFunc(p.Policies, shares); i >= 0 {
		return p.Policies[i]
	}
	return nil
}

// SharingPolicyNamed is the policy by which what an idea earns is shared: that of the name, which its challenge has, if it
// shares revenue, else SharingPolicy.
func (p *Programme) SharingPolicyNamed(name string) *RewardPolicy {
	i := slices.IndexFunc(p.Policies, func(r *RewardPolicy) bool { return name != "" && r.Name == name && r.Spec.RevenueShare != nil })
	if i < 0 {
		return p.SharingPolicy()
	}
	return p.Policies[i]
}

// PolicyOf is the policy that holds in a challenge: the one that it names, else the community's.
func (p *Programme) PolicyOf(challenge int64) *RewardPolicy {
	if c := p.ChallengeByID(challenge); c != nil && c.Spec.RewardPolicy != "" {
		i := slices.IndexFunc(p.Policies, func(r *RewardPolicy) bool { return r.Name == c.Spec.RewardPolicy })
		if i < 0 {
			return nil
		}
		return p.Policies[i]
	}
	return p.CommunityPolicy()
}

// With is the programme with a policy in place of the one of the same name, or beside the others.
func (p *Programme) With(policy *RewardPolicy) *Programme {
	other := *p
	other.Policies = slices.DeleteFunc(slices.Clone(p.Policies), func(r *RewardPolicy) bool { return r.Name == policy.Name })
	other.Policies = append(other.Policies, policy)
	slices.SortFunc(other.Policies, func(a, b *RewardPolicy) int { return strings.Compare(a.Name, b.Name) })
	return &other
}

// CreditsAuthors tells that an event is what became of an idea, which its authors are credited with, whoever of the
// team brought it about.
func (k EventKind) CreditsAuthors() bool {
	return strings.HasPrefix(string(k), "idea.") && k != EventIdeaSupported && k != EventIdeaUnsupported
}

// CreditsSubject tells that an event is what the team or the service decided on a member, who is credited with it.
func (k EventKind) CreditsSubject() bool {
	return slices.Contains([]EventKind{EventApplicationSelected, EventMissionDecided, EventBadgeAwarded, EventLevelReached}, k)
}

// Winner is an idea's place in a decided challenge. Ideas that tie have the same rank.
type Winner struct {
	Idea int64
	Rank int
}

// PrizeShare is what one author of a winning idea gets; Prize is its place in the policy.
type PrizeShare struct {
	Idea, Member int64
	Rank, Prize  int
	Amount       int64
}

// SharePrizes gives the prizes of a ranking to the authors of its ideas. They share sums of money equally and to the
// minor unit, and each gets what cannot be divided.
func SharePrizes(engine *rules.Engine, winners []Winner, authors func(idea int64) []int64) []PrizeShare {
	var places []rules.Place
	for _, w := range winners {
		places = append(places, rules.Place{Entry: w.Idea, Rank: int64(w.Rank)})
	}
	var shares []PrizeShare
	for _, award := range engine.Awards(places) {
		of := slices.Sorted(slices.Values(authors(award.Entry)))
		for i, amount := range rules.Split(award.Amount, make([]int64, len(of))) {
			if award.Amount == 0 || amount > 0 {
				shares = append(shares, PrizeShare{award.Entry, of[i], int(award.Rank), award.Prize, amount})
			}
		}
	}
	return shares
}

// MemberStanding is what a member has earned.
type MemberStanding struct {
	Points int64
	Level  int
	// Listed tells whether leaderboards may name the member.
	Listed bool
	Badges []BadgeAward
	Prizes []Prize
	// Payouts, the newest first.
	Payouts []Payout
}

// BadgeAward is a badge that a member has.
type BadgeAward struct {
	Badge string
	// Title and Text as the policy had them that awarded it.
	Title, Text map[string]string
	AwardedAt   time.Time
}

// PointsEntry is one row of the ledger.
type PointsEntry struct {
	ID     int64
	Points int
	Rule   string
	Kind   EventKind
	At     time.Time
	// Idea that it was for; zero for none, or for one that is not to be seen any more.
	Idea IdeaTitle
}

// IdeaTitle names an idea.
type IdeaTitle struct {
	ID          int64
	Slug, Title string
}

// Board selects a leaderboard: that of a challenge, of a month ("2027-03"), or of all time.
type Board struct {
	Challenge int64
	Month     string
}

// BoardRow is one place of a leaderboard. Members with as many points share a rank.
type BoardRow struct {
	Rank   int
	Member Author
	Points int64
	Level  int
}

// Leaderboard is the top of a board.
type Leaderboard struct {
	Rows []BoardRow
	// Own is the viewer's place, if the board names them; Rank is 0 where it does not, or is beyond MaxRank.
	Own BoardRow
}

// Bounds of leaderboards.
const (
	// BoardRows is how many members a leaderboard names.
	BoardRows = 50
	// MaxRank is the last place that is counted out.
	MaxRank = 10_000
)

// Recognition is the part of the domain that thanks members: points, badges, prizes and royalties.
type Recognition interface {
	// Standing of a member.
	Standing(ctx context.Context, member int64) (MemberStanding, error)
	// PointsEntries are a member's entries of the ledger, the newest first, at most limit before the entry with the id
	// before (0: from the newest).
	PointsEntries(ctx context.Context, member, before int64, limit int) ([]PointsEntry, error)
	// SetListed says whether leaderboards may name the member.
	SetListed(ctx context.Context, member int64, listed bool) error
	// Leaderboard of a board, with the viewer's own place (0: nobody).
	Leaderboard(ctx context.Context, board Board, viewer int64) (Leaderboard, error)

	// Prizes of all challenges, those not handed over first; at most limit.
	Prizes(ctx context.Context, limit int) ([]Prize, error)
	// HandOverPrize marks a prize as handed over by somebody of the team; repeating it changes nothing. ErrMinor for a
	// sum of money whose winner is not of age.
	HandOverPrize(ctx context.Context, actor, prize int64) error

	Royalties
}
