package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rewards"
	"github.com/quaeso/community-operator/internal/rules"
)

// pricingTimeout bounds the reading of all past events.
const pricingTimeout = time.Minute

// PriceRewardPolicy tells what a policy would change, had it been in force from the first event on that is
// kept (see eventsKept). It writes nothing.
// The policy takes the place of the one of the same name; events of challenges that name another one are left out. What
// events do not record, such as an idea's tags and a member's roles, is as it is now. Errors: rules.Errors.
func (s *Store) PriceRewardPolicy(ctx context.Context, name string, spec control.RewardPolicy) (pricing rules.Pricing, err error) {
	after, err := rules.Compile(rewards.Rules(spec), ideas.RewardEvents()...)
	if err != nil {
		return pricing, err
	}
	before := s.Programme(ctx)
	programme := before.With(&ideas.RewardPolicy{Name: name, Spec: spec})
	ctx, cancel := context.WithTimeout(ctx, pricingTimeout)
	defer cancel()
	err = s.transact(ctx, "price a reward policy", func(tx pgx.Tx) error {
		// One snapshot for all, and no lock: members go on meanwhile.
		if _, err := tx.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "SELECT set_config('statement_timeout', $1, true)", milliseconds(pricingTimeout)); err != nil {
			return err
		}
		p := &pricer{
			store: s, programme: programme, zone: s.zone(), name: name, after: after,
			Pricer: rules.NewPricer(s.engines.of(s, before, before.CommunityPolicy()), after),
		}
		if err := p.readBadges(ctx, tx); err != nil {
			return err
		}
		if err := p.readEvents(ctx, tx); err != nil {
			return err
		}
		pricing = p.Pricing()
		return nil
	})
	return pricing, err
}

// pricer goes through the past member by member, so that it holds one account at a time.
type pricer struct {
	*rules.Pricer
	store     *Store
	programme *ideas.Programme
	zone      *time.Location
	name      string
	after     *rules.Engine

	member  int64
	points  int64
	account *rules.Account
	// supports are the last events that supported each idea, by idea and actor, which later ones may take back.
	supports map[[2]int64]int64
}

func (p *pricer) readBadges(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, "SELECT badge, count(*) FROM badge_award GROUP BY badge")
	if err != nil {
		return fmt.Errorf("count badges: %w", err)
	}
	var badge string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&badge, &n}, func() error { p.Held(badge, n); return nil }); err != nil {
		return fmt.Errorf("count badges: %w", err)
	}
	return nil
}

// pastEvents are all events with whom they may credit, member by member. An idea's counters are those of now, less what
// was counted later.
const pastEvents = `WITH e AS (
		SELECT *, coalesce(sum(supporters) OVER later, 0) AS more_supporters, coalesce(sum(comments) OVER later, 0) AS more_comments
		FROM (SELECT id, kind, at, coalesce(actor_id, 0) AS actor_id, coalesce(subject_id, 0) AS subject_id, coalesce(idea_id, 0) AS idea_id,
				coalesce(challenge_id, 0) AS challenge_id, data, ` + countedChange + ` FROM event WHERE kind = ANY($1)) e
		WINDOW later AS (PARTITION BY idea_id ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
	), i AS (
		SELECT i.id, i.author_id || array(SELECT member_id FROM co_author WHERE idea_id = i.id AND state = 'accepted') AS authors, i.state, i.theme, i.tags, t.supporters, t.comments
		FROM idea i JOIN tally t ON t.idea_id = i.id WHERE i.state <> 'erased'
	)
	SELECT m.id, coalesce(m.email, ''), m.created_at, coalesce(t.points, 0), e.id, e.kind, e.at, e.actor_id, e.subject_id, e.idea_id, e.challenge_id, e.data,
		coalesce(i.authors, '{}'), coalesce(i.state, ''), coalesce(i.theme, ''), coalesce(i.tags, '{}'),
		coalesce(i.supporters - e.more_supporters, 0), coalesce(i.comments - e.more_comments, 0)
	FROM e LEFT JOIN i ON i.id = e.idea_id
		CROSS JOIN LATERAL (SELECT DISTINCT unnest(coalesce(i.authors, '{}') || ARRAY[e.actor_id, e.subject_id]) AS id) c
		JOIN member m ON m.id = c.id LEFT JOIN points_total t ON t.kind = 'all' AND t.scope = 0 AND t.member_id = m.id
	ORDER BY m.id, e.id`

func (p *pricer) readEvents(ctx context.Context, tx pgx.Tx) error {
	kinds := []string{string(ideas.EventIdeaUnsupported)}
	for _, kind := range ideas.RewardEvents() {
		if p.after.Wants(kind) || kind == string(ideas.EventIdeaSupported) || kind == string(ideas.EventCommentPublished) {
			kinds = append(kinds, kind)
		}
	}
	settings, _ := p.store.Current(ctx)
	rows, err := tx.Query(ctx, pastEvents, kinds)
	if err != nil {
		return fmt.Errorf("read past events: %w", err)
	}
	var member, points int64
	var email string
	var joined time.Time
	var e ideas.Event
	var authors []int64
	var idea rules.IdeaFacts
	_, err = pgx.ForEachRow(rows, []any{
		&member, &email, &joined, &points, &e.ID, &e.Kind, &e.At, &e.Actor, &e.Subject, &e.Idea, &e.Challenge, &e.Data,
		&authors, &idea.State, &idea.Theme, &idea.Tags, &idea.Supporters, &idea.Comments,
	}, func() error {
		if member != p.member {
			p.finish()
			p.member, p.points, p.account, p.supports = member, points, rules.NewAccount(), map[[2]int64]int64{}
		}
		var roles []string
		for _, role := range settings.RolesOf(email) {
			roles = append(roles, string(role))
		}
		p.event(e, authors, idea, rules.MemberFacts{Days: daysBetween(joined, e.At), Roles: roles})
		e.Data, authors, idea.Tags = nil, nil, nil
		return nil
	})
	if err != nil {
		return fmt.Errorf("read past events: %w", err)
	}
	p.finish()
	return nil
}

// event applies one event to the member at hand.
func (p *pricer) event(e ideas.Event, authors []int64, idea rules.IdeaFacts, member rules.MemberFacts) {
	support := [2]int64{e.Idea, e.Actor}
	if e.Kind == ideas.EventIdeaUnsupported {
		p.account.Reverse(p.supports[support])
		return
	}
	if policy := p.programme.PolicyOf(e.Challenge); policy == nil || policy.Name != p.name {
		return
	}
	for _, to := range recipients(e, authors) {
		if to.member != p.member {
			continue
		}
		outcome := p.account.Apply(p.after, p.zone, e.ID, factsOf(e, to, authors, idea, member, p.programme))
		p.Failed(outcome.Failures)
		if e.Kind == ideas.EventIdeaSupported {
			p.supports[support] = e.ID
		}
	}
}

// finish adds the member at hand to the sum.
func (p *pricer) finish() {
	if p.account != nil {
		p.Add(p.points, p.account)
	}
}
