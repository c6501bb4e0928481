package postgres

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

const (
	// tokenHint is how many of a token's last characters are kept in clear.
	tokenHint = 4
	// usedEvery is how often a token in use is written.
	usedEvery = time.Minute
	// requestStuck is when a request that was begun counts as lost with its process.
	requestStuck = time.Minute
	// requestKept is how long answers of requests with an idempotency key are kept.
	requestKept = 24 * time.Hour
)

// IssueToken implements ideas.TokenStore.
func (s *Store) IssueToken(ctx context.Context, member int64, name string, scopes []ideas.Scope, days int) (ideas.Token, string, error) {
	name, err := ideas.CleanName(name)
	if err := errors.Join(err, checkScopes(scopes), checkDays(days)); err != nil {
		return ideas.Token{}, "", err
	}
	secret, hash := newToken()
	secret = ideas.TokenPrefix + secret
	now := s.config.Clock()
	t := ideas.Token{
		Name: name, Hint: secret[len(secret)-tokenHint:], Scopes: scopes, CreatedAt: now,
		ExpiresAt: now.Add(time.Duration(days) * 24 * time.Hour),
	}
	err = s.transact(ctx, "issue a token", func(tx pgx.Tx) error {
		// The lock makes two requests at once count each other's token.
		if _, err := tx.Exec(ctx, "SELECT FROM member WHERE id = $1 FOR NO KEY UPDATE", member); err != nil {
			return err
		}
		var has int
		err := tx.QueryRow(ctx, "SELECT count(*) FROM api_token WHERE member_id = $1 AND expires_at > $2", member, now).Scan(&has)
		if err != nil {
			return err
		}
		if has >= ideas.MaxTokens {
			return &ideas.FieldError{Field: "name", Code: "too_many", Limit: ideas.MaxTokens}
		}
		return tx.QueryRow(ctx, `INSERT INTO api_token (member_id, name, token_hash, hint, scopes, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
			member, name, hash, t.Hint, scopes, t.CreatedAt, t.ExpiresAt).Scan(&t.ID)
	})
	if err != nil {
		return ideas.Token{}, "", err
	}
	return t, secret, nil
}

func checkScopes(scopes []ideas.Scope) error {
	if len(scopes) == 0 {
		return &ideas.FieldError{Field: "scopes", Code: "required"}
	}
	for _, scope := range scopes {
		switch scope {
		case ideas.ScopeRead, ideas.ScopeWrite, ideas.ScopeTeam:
		default:
			return &ideas.FieldError{Field: "scopes", Code: "invalid"}
		}
	}
	return nil
}

func checkDays(days int) error {
	if days < 1 || days > ideas.MaxTokenDays {
		return &ideas.FieldError{Field: "days", Code: "invalid"}
	}
	return nil
}

const tokenColumns = "t.id, t.name, t.hint, t.scopes, t.created_at, t.expires_at, coalesce(t.used_at, '0001-01-01')"

func scanToken(row pgx.Row, more ...any) (ideas.Token, error) {
	var t ideas.Token
	err := row.Scan(append([]any{&t.ID, &t.Name, &t.Hint, &t.Scopes, &t.CreatedAt, &t.ExpiresAt, &t.UsedAt}, more...)...)
	return t, err
}

// ListTokens implements ideas.TokenStore.
func (s *Store) ListTokens(ctx context.Context, member int64) ([]ideas.Token, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT "+tokenColumns+` FROM api_token t WHERE t.member_id = $1 AND t.expires_at > $2
		ORDER BY t.id DESC LIMIT $3`, member, s.config.Clock(), ideas.MaxTokens)
	if err != nil {
		return nil, s.failed("list tokens", err)
	}
	tokens, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Token, error) { return scanToken(row) })
	if err != nil {
		return nil, s.failed("list tokens", err)
	}
	return tokens, nil
}

// RevokeToken implements ideas.TokenStore.
func (s *Store) RevokeToken(ctx context.Context, member, token int64) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	tag, err := pool.Exec(ctx, "DELETE FROM api_token WHERE id = $1 AND member_id = $2", token, member)
	if err != nil {
		return s.failed("revoke a token", err)
	}
	if tag.RowsAffected() == 0 {
		return ideas.ErrNotFound
	}
	return nil
}

// AuthenticateToken implements ideas.TokenStore.
func (s *Store) AuthenticateToken(ctx context.Context, secret string) (ideas.Member, ideas.Token, error) {
	bare, ours := strings.CutPrefix(secret, ideas.TokenPrefix)
	hash, ok := tokenHash(bare)
	if !ours || !ok {
		return ideas.Member{}, ideas.Token{}, ideas.ErrNotFound
	}
	pool, err := s.db()
	if err != nil {
		return ideas.Member{}, ideas.Token{}, err
	}
	now := s.config.Clock()
	var m ideas.Member
	var blocked, readOnly *time.Time
	t, err := scanToken(pool.QueryRow(ctx, "SELECT "+tokenColumns+`, m.id, coalesce(m.email, ''), m.name, m.locale, m.created_at, m.level,
			m.blocked_until, m.read_only_until, m.guardian, m.joined_under
		FROM api_token t JOIN member m ON m.id = t.member_id WHERE t.token_hash = $1 AND t.expires_at > $2`, hash, now),
		&m.ID, &m.Email, &m.Name, &m.Locale, &m.CreatedAt, &m.Level, &blocked, &readOnly, &m.Guardian, &m.JoinedUnder)
	m.BlockedUntil, m.ReadOnlyUntil = orZero(blocked), orZero(readOnly)
	if err != nil {
		return ideas.Member{}, ideas.Token{}, s.failed("authenticate a token", err)
	}
	if now.Sub(t.UsedAt) > usedEvery {
		if _, err := pool.Exec(ctx, "UPDATE api_token SET used_at = $2 WHERE id = $1", t.ID, now); err != nil {
			return ideas.Member{}, ideas.Token{}, s.failed("note a token's use", err)
		}
	}
	return m, t, nil
}

// BeginRequest implements ideas.TokenStore.
func (s *Store) BeginRequest(ctx context.Context, member int64, key string, fingerprint [32]byte) (*ideas.KeptAnswer, error) {
	var answer *ideas.KeptAnswer
	err := s.transact(ctx, "begin a request", func(tx pgx.Tx) error {
		now := s.config.Clock()
		tag, err := tx.Exec(ctx, `INSERT INTO api_request AS r (member_id, key, fingerprint, started_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (member_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, started_at = excluded.started_at,
				status = NULL, location = '', body = NULL
			WHERE r.started_at < $5 OR r.status IS NULL AND r.started_at < $6 AND r.fingerprint = excluded.fingerprint`,
			member, key, fingerprint[:], now, now.Add(-requestKept), now.Add(-requestStuck))
		if err != nil || tag.RowsAffected() > 0 {
			return err
		}
		var first []byte
		var status *int
		kept := &ideas.KeptAnswer{}
		err = tx.QueryRow(ctx, "SELECT fingerprint, status, location, body FROM api_request WHERE member_id = $1 AND key = $2", member, key).
			Scan(&first, &status, &kept.Location, &kept.Body)
		switch {
		case err != nil:
			return err
		case !bytes.Equal(first, fingerprint[:]):
			return ideas.ErrKeyReused
		case status == nil:
			return ideas.ErrUnderWay
		}
		kept.Status, answer = *status, kept
		return nil
	})
	return answer, err
}

// FinishRequest implements ideas.TokenStore.
func (s *Store) FinishRequest(ctx context.Context, member int64, key string, answer *ideas.KeptAnswer) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	if answer == nil {
		_, err = pool.Exec(ctx, "DELETE FROM api_request WHERE member_id = $1 AND key = $2 AND status IS NULL", member, key)
	} else {
		_, err = pool.Exec(ctx, "UPDATE api_request SET status = $3, location = $4, body = $5 WHERE member_id = $1 AND key = $2",
			member, key, answer.Status, answer.Location, answer.Body)
	}
	if err != nil {
		return s.failed("finish a request", err)
	}
	return nil
}

// PublicMember implements ideas.TokenStore.
func (s *Store) PublicMember(ctx context.Context, id int64) (ideas.Member, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.Member{}, err
	}
	m := ideas.Member{ID: id}
	err = pool.QueryRow(ctx, "SELECT name, created_at, level FROM member WHERE id = $1 AND erased_at IS NULL", id).Scan(&m.Name, &m.CreatedAt, &m.Level)
	if err != nil {
		return ideas.Member{}, s.failed("read a member", err)
	}
	return m, nil
}
