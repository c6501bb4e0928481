package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// profileIdeas is how many ideas a member's page shows.
const profileIdeas = 12

// Profile implements ideas.ProfileStore.
func (s *Store) Profile(ctx context.Context, viewer, member int64) (ideas.Profile, error) {
	var p ideas.Profile
	pool, err := s.db()
	if err != nil {
		return p, err
	}
	err = pool.QueryRow(ctx, `SELECT id, name, coalesce(email, ''), created_at, level, referrals, locale, shows_ideas, shows_recognition,
			EXISTS (SELECT FROM follow WHERE kind = 'member' AND target_id = m.id AND member_id = $2 AND following)
		FROM member m WHERE id = $1 AND erased_at IS NULL`, member, viewer).Scan(&p.ID, &p.Author.Name, &p.Email, &p.CreatedAt, &p.Level,
		&p.Referrals, &p.Locale, &p.ShowsIdeas, &p.ShowsRecognition, &p.Follows)
	if err != nil {
		return p, s.failed("read a member's profile", err)
	}
	p.ProfileSettings.Name = p.Author.Name
	if !p.ShowsIdeas {
		return p, nil
	}
	// What a challenge shows to some alone is not shown here to all.
	rows, err := pool.Query(ctx, "SELECT "+ideaColumns+ideaTables+` LEFT JOIN challenge c ON c.id = i.challenge_id
		WHERE i.author_id = $2 AND i.visible AND (c.id IS NULL OR coalesce(c.spec->>'visibility', '') IN ('', 'public') AND NOT c.spec ? 'terms')
		ORDER BY i.created_at DESC, i.id DESC LIMIT $3`, viewer, member, profileIdeas)
	if err != nil {
		return p, s.failed("list a member's ideas", err)
	}
	p.Ideas, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Idea, error) {
		idea, _, err := scanIdea(row)
		return idea, err
	})
	if err != nil {
		return p, s.failed("list a member's ideas", err)
	}
	return p, nil
}

// SetProfile implements ideas.ProfileStore.
func (s *Store) SetProfile(ctx context.Context, member int64, settings ideas.ProfileSettings) error {
	name, err := ideas.CleanName(settings.Name)
	if err != nil {
		return err
	}
	pool, err := s.db()
	if err != nil {
		return err
	}
	tag, err := pool.Exec(ctx, `UPDATE member SET name = $2, locale = coalesce(nullif($3, ''), locale), shows_ideas = $4, shows_recognition = $5
		WHERE id = $1 AND erased_at IS NULL`, member, name, settings.Locale, settings.ShowsIdeas, settings.ShowsRecognition)
	if err != nil {
		return s.failed("keep a member's profile", err)
	}
	if tag.RowsAffected() == 0 {
		return ideas.ErrNotFound
	}
	return nil
}

// FindMembers implements ideas.ProfileStore.
func (s *Store) FindMembers(ctx context.Context, q ideas.MemberQuery) ([]ideas.TeamMember, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	conditions, args := []string{"m.erased_at IS NULL"}, []any{pageSize(q.Limit)}
	where := func(condition string, value any) {
		args = append(args, value)
		conditions = append(conditions, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(args))))
	}
	switch name := strings.TrimSpace(q.Name); {
	case strings.Contains(name, "@"):
		where("lower(m.email) = lower(?)", name)
	case name != "":
		where(`fold(m.name) LIKE fold(?) || '%'`, likeEscaper.Replace(name))
	}
	if q.Level > 0 {
		where("m.level >= ?", q.Level)
	}
	if q.Restricted {
		where("greatest(m.read_only_until, m.blocked_until) > ?", s.config.Clock())
		conditions = append(conditions, "(m.read_only_until IS NOT NULL OR m.blocked_until IS NOT NULL)")
	}
	if q.Invited {
		conditions = append(conditions, "m.invited_by IS NOT NULL")
	}
	if q.InvitedBy > 0 {
		where("m.invited_by = ?", q.InvitedBy)
	}
	if q.Addresses != nil {
		where("lower(m.email) = ANY(?)", lowered(q.Addresses))
	}
	if q.Before > 0 {
		where("m.id < ?", q.Before)
	}
	rows, err := pool.Query(ctx, `SELECT m.id, m.name, coalesce(m.email, ''), m.created_at, m.level, m.blocked_until, m.read_only_until, m.guardian,
			m.joined_under, m.referrals, coalesce(b.id, 0), coalesce(b.name, ''), m.active_at
		FROM member m LEFT JOIN member b ON b.id = m.invited_by WHERE `+strings.Join(conditions, " AND ")+" ORDER BY m.id DESC LIMIT $1", args...)
	if err != nil {
		return nil, s.failed("find members", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.TeamMember, error) {
		var m ideas.TeamMember
		var blocked, readOnly *time.Time
		err := row.Scan(&m.ID, &m.Name, &m.Email, &m.CreatedAt, &m.Level, &blocked, &readOnly, &m.Guardian, &m.JoinedUnder, &m.Referrals,
			&m.InvitedBy.ID, &m.InvitedBy.Name, &m.ActiveAt)
		m.BlockedUntil, m.ReadOnlyUntil = orZero(blocked), orZero(readOnly)
		return m, err
	})
	if err != nil {
		return nil, s.failed("find members", err)
	}
	return list, nil
}

// likeEscaper makes what people type mean itself in a LIKE pattern.
var likeEscaper = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

func lowered(texts []string) []string {
	all := make([]string, len(texts))
	for i, t := range texts {
		all[i] = strings.ToLower(t)
	}
	return all
}

// TeamMembers implements ideas.ProfileStore.
func (s *Store) TeamMembers(ctx context.Context, addresses []string) (map[string]int64, error) {
	found := map[string]int64{}
	if len(addresses) == 0 {
		return found, nil
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT id, lower(email) FROM member WHERE lower(email) = ANY($1)", lowered(addresses))
	if err != nil {
		return nil, s.failed("find the team's members", err)
	}
	var id int64
	var address string
	_, err = pgx.ForEachRow(rows, []any{&id, &address}, func() error { found[address] = id; return nil })
	if err != nil {
		return nil, s.failed("find the team's members", err)
	}
	return found, nil
}
