package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

var _ ideas.Recognition = (*Store)(nil)

// Standing implements ideas.Recognition.
func (s *Store) Standing(ctx context.Context, member int64) (ideas.MemberStanding, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.MemberStanding{}, err
	}
	var standing ideas.MemberStanding
	err = pool.QueryRow(ctx, `SELECT m.level, m.listed, coalesce(t.points, 0) FROM member m
			LEFT JOIN points_total t ON t.kind = 'all' AND t.scope = 0 AND t.member_id = m.id
		WHERE m.id = $1`, member).Scan(&standing.Level, &standing.Listed, &standing.Points)
	if err != nil {
		return standing, s.failed("read a member's points", err)
	}
	if standing.Badges, err = readBadges(ctx, pool, member); err != nil {
		return standing, s.failed("read a member's badges", err)
	}
	if standing.Prizes, err = readPrizes(ctx, pool, s.today(), "WHERE z.member_id = $1 ORDER BY z.id DESC LIMIT $2", member, ideas.MaxPage); err != nil {
		return standing, s.failed("read a member's prizes", err)
	}
	if standing.Payouts, err = readPayouts(ctx, pool, s.today(), "WHERE p.member_id = $1 ORDER BY p.id DESC LIMIT $2", member, ideas.MaxPage); err != nil {
		return standing, s.failed("read a member's payouts", err)
	}
	return standing, nil
}

func readBadges(ctx context.Context, q querier, member int64) ([]ideas.BadgeAward, error) {
	rows, err := q.Query(ctx, `SELECT a.badge, coalesce(b.badge->'title', '{}'), coalesce(b.badge->'text', '{}'), a.awarded_at
		FROM badge_award a JOIN reward_policy p ON p.uid = a.policy_uid AND p.generation = a.policy_generation
			LEFT JOIN LATERAL (SELECT x.badge FROM jsonb_array_elements(p.spec->'badges') x (badge) WHERE x.badge->>'name' = a.badge LIMIT 1) b ON true
		WHERE a.member_id = $1 ORDER BY a.awarded_at DESC, a.badge`, member)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.BadgeAward, error) {
		var b ideas.BadgeAward
		err := row.Scan(&b.Badge, &b.Title, &b.Text, &b.AwardedAt)
		return b, err
	})
}

// PointsEntries implements ideas.Recognition.
func (s *Store) PointsEntries(ctx context.Context, member, before int64, limit int) ([]ideas.PointsEntry, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT e.id, e.points, e.rule, e.kind, e.at, coalesce(i.id, 0), coalesce(i.slug, ''), coalesce(i.title, '')
		FROM points_entry e LEFT JOIN idea i ON i.id = e.idea_id AND i.visible
		WHERE e.member_id = $1 AND ($2 = 0 OR e.id < $2) ORDER BY e.id DESC LIMIT $3`, member, before, pageSize(limit))
	if err != nil {
		return nil, s.failed("list points", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.PointsEntry, error) {
		var e ideas.PointsEntry
		err := row.Scan(&e.ID, &e.Points, &e.Rule, &e.Kind, &e.At, &e.Idea.ID, &e.Idea.Slug, &e.Idea.Title)
		return e, err
	})
	if err != nil {
		return nil, s.failed("list points", err)
	}
	return entries, nil
}

// SetListed implements ideas.Recognition. A trigger takes the member's totals out of the boards.
func (s *Store) SetListed(ctx context.Context, member int64, listed bool) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, "UPDATE member SET listed = $2 WHERE id = $1 AND listed <> $2", member, listed); err != nil {
		return s.failed("change whether a member is listed", err)
	}
	return nil
}

// The top of a board, and the place of a member: $1 and $2 name the board.
const (
	boardQuery = `SELECT rank() OVER (ORDER BY b.points DESC), b.member_id, m.name, b.points, m.level
		FROM (SELECT member_id, points FROM points_total WHERE kind = $1 AND scope = $2 AND listed AND points > 0
			ORDER BY points DESC, member_id LIMIT $3) b JOIN member m ON m.id = b.member_id
		ORDER BY b.points DESC, b.member_id`
	ownPlaceQuery = `SELECT CASE WHEN above > $4 THEN 0 ELSE above + 1 END, member_id, name, points, level
		FROM (SELECT t.member_id, m.name, t.points, m.level,
				(SELECT count(*) FROM (SELECT FROM points_total o WHERE o.kind = $1 AND o.scope = $2 AND o.listed AND o.points > 0 AND o.points > t.points
					ORDER BY o.points DESC, o.member_id LIMIT $4 + 1) o) AS above
			FROM points_total t JOIN member m ON m.id = t.member_id
			WHERE t.kind = $1 AND t.scope = $2 AND t.member_id = $3 AND t.listed AND t.points > 0) own`
)

// Leaderboard implements ideas.Recognition. An index holds each board in its order, so its top costs the same with any
// number of members.
func (s *Store) Leaderboard(ctx context.Context, board ideas.Board, viewer int64) (ideas.Leaderboard, error) {
	kind, scope, err := boardScope(board)
	if err != nil {
		return ideas.Leaderboard{}, err
	}
	pool, err := s.db()
	if err != nil {
		return ideas.Leaderboard{}, err
	}
	rows, err := pool.Query(ctx, boardQuery, kind, scope, ideas.BoardRows)
	if err != nil {
		return ideas.Leaderboard{}, s.failed("read a leaderboard", err)
	}
	var top ideas.Leaderboard
	top.Rows, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.BoardRow, error) { return scanBoardRow(row) })
	if err != nil {
		return ideas.Leaderboard{}, s.failed("read a leaderboard", err)
	}
	if viewer == 0 {
		return top, nil
	}
	top.Own, err = scanBoardRow(pool.QueryRow(ctx, ownPlaceQuery, kind, scope, viewer, ideas.MaxRank-1))
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return ideas.Leaderboard{}, s.failed("read a member's place", err)
	}
	return top, nil
}

func scanBoardRow(row pgx.Row) (ideas.BoardRow, error) {
	var r ideas.BoardRow
	err := row.Scan(&r.Rank, &r.Member.ID, &r.Member.Name, &r.Points, &r.Level)
	return r, err
}

// boardScope is how the totals name a board.
func boardScope(board ideas.Board) (kind string, scope int64, err error) {
	switch {
	case board.Challenge != 0:
		return "challenge", board.Challenge, nil
	case board.Month != "":
		month, err := time.Parse("2006-01", board.Month)
		if err != nil {
			return "", 0, &ideas.FieldError{Field: "month", Code: "invalid"}
		}
		return "month", int64(month.Year()*100 + int(month.Month())), nil
	}
	return "all", 0, nil
}

// Prizes implements ideas.Recognition.
func (s *Store) Prizes(ctx context.Context, limit int) ([]ideas.Prize, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	prizes, err := readPrizes(ctx, pool, s.today(), "ORDER BY z.state = 'handed_over', z.challenge_id DESC, z.rank, z.id LIMIT $1", limit)
	if err != nil {
		return nil, s.failed("list prizes", err)
	}
	return prizes, nil
}

// readPrizes tells by the day whose sums of money are held.
func readPrizes(ctx context.Context, q querier, today time.Time, which string, args ...any) ([]ideas.Prize, error) {
	rows, err := q.Query(ctx, `SELECT z.id, z.challenge_id, c.spec->'title', i.id, i.slug, i.title, coalesce(m.id, 0), coalesce(m.name, ''),
			z.rank, z.title, z.amount, coalesce(z.currency, ''), z.state, z.promised_at, coalesce(z.handed_over_at, '0001-01-01'), m.born
		FROM prize_award z JOIN challenge c ON c.id = z.challenge_id JOIN idea i ON i.id = z.idea_id LEFT JOIN member m ON m.id = z.member_id `+which, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Prize, error) {
		var p ideas.Prize
		var born *time.Time
		err := row.Scan(&p.ID, &p.Challenge, &p.ChallengeTitle, &p.Idea.ID, &p.Idea.Slug, &p.Idea.Title, &p.Member.ID, &p.Member.Name,
			&p.Rank, &p.Title, &p.Amount, &p.Currency, &p.State, &p.PromisedAt, &p.HandedOverAt, &born)
		p.Held = p.Amount > 0 && p.State == ideas.PrizePromised && ideas.Minor(born, today)
		return p, err
	})
}

// HandOverPrize implements ideas.Recognition.
func (s *Store) HandOverPrize(ctx context.Context, actor, prize int64) error {
	return s.transact(ctx, "hand a prize over", func(tx pgx.Tx) error {
		var winner int64
		var title map[string]string
		prizes, err := readPrizes(ctx, tx, s.today(), "WHERE z.id = $1 FOR NO KEY UPDATE OF z", prize)
		if err != nil {
			return err
		}
		if len(prizes) > 0 && prizes[0].Held {
			return ideas.ErrMinor
		}
		err = tx.QueryRow(ctx, `UPDATE prize_award SET state = 'handed_over', handed_over_at = $3, handed_over_by = $2
			WHERE id = $1 AND state = 'promised' RETURNING coalesce(member_id, 0), title`, prize, actor, s.config.Clock()).Scan(&winner, &title)
		if errors.Is(err, pgx.ErrNoRows) {
			return tx.QueryRow(ctx, "SELECT id FROM prize_award WHERE id = $1", prize).Scan(&prize)
		}
		if err != nil {
			return err
		}
		if err := audit(ctx, tx, actor, "prize.hand_over", "prize", prize, nil); err != nil {
			return err
		}
		if winner == 0 {
			return nil
		}
		return s.recordEvents(ctx, tx, ideas.Event{
			Kind: ideas.EventPrizeHandedOver, Actor: actor, Subject: winner, Data: map[string]any{"title": title},
		})
	})
}

// promisedBy is the policy whose prizes a challenge promises. One that it names and that was withdrawn meanwhile is kept to:
// members have entered for its prizes.
func promisedBy(ctx context.Context, tx pgx.Tx, programme *ideas.Programme, challenge int64) (*ideas.RewardPolicy, error) {
	c := programme.ChallengeByID(challenge)
	policy := programme.PolicyOf(challenge)
	if policy != nil || c == nil || c.Spec.RewardPolicy == "" {
		return policy, nil
	}
	policy = &ideas.RewardPolicy{Name: c.Spec.RewardPolicy}
	var raw []byte
	err := tx.QueryRow(ctx, "SELECT uid, generation, spec FROM reward_policy WHERE name = $1 ORDER BY accepted_at DESC, generation DESC LIMIT 1", policy.Name).
		Scan(&policy.UID, &policy.Generation, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil // there was never one
	}
	if err == nil {
		err = json.Unmarshal(raw, &policy.Spec)
	}
	if err != nil {
		return nil, fmt.Errorf("read the policy %s: %w", policy.Name, err)
	}
	return policy, nil
}

// awardPrizes promises the winners of a challenge what its policy has for their ranks. Authors of an idea share sums of
// money to the minor unit, and each gets what cannot be divided. Doing it again adds nothing.
func (s *Store) awardPrizes(ctx context.Context, tx pgx.Tx, programme *ideas.Programme, challenge int64, winners []ideas.Winner) error {
	policy, err := promisedBy(ctx, tx, programme, challenge)
	if err != nil {
		return err
	}
	engine := s.engines.of(s, programme, policy)
	if engine == nil || len(policy.Spec.Prizes) == 0 {
		return nil
	}
	var about []int64
	for _, w := range winners {
		about = append(about, w.Idea)
	}
	facts, err := readIdeaFacts(ctx, tx, about)
	if err != nil {
		return err
	}
	for _, share := range ideas.SharePrizes(engine, winners, func(idea int64) []int64 {
		if f := facts[idea]; f != nil {
			return f.authors
		}
		return nil
	}) {
		prize := policy.Spec.Prizes[share.Prize]
		currency := any(nil)
		if share.Amount > 0 {
			currency = policy.Spec.Currency
		}
		tag, err := tx.Exec(ctx, `INSERT INTO prize_award (challenge_id, idea_id, member_id, rank, policy_uid, policy_generation, prize, title, amount, currency, promised_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
			challenge, share.Idea, share.Member, share.Rank, policy.UID, policy.Generation, share.Prize, prize.Title, share.Amount, currency, s.config.Clock())
		if err != nil {
			return fmt.Errorf("promise a prize: %w", err)
		}
		if tag.RowsAffected() == 0 {
			continue
		}
		err = s.recordEvents(ctx, tx, ideas.Event{
			Kind: ideas.EventPrizePromised, Subject: share.Member, Idea: share.Idea, Challenge: challenge, Data: map[string]any{"title": prize.Title},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
