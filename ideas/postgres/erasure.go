package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
)

// Causes of an erasure.
const (
	causeMember    = "member"
	causeRetention = "retention"
)

// erasureRequests bounds how often one member is mailed a link.
var erasureRequests = allowance{kind: "erasures per member", interval: time.Hour, burst: 3}

// RequestErasure implements ideas.PersonalDataStore.
func (s *Store) RequestErasure(ctx context.Context, member int64, contributions string) error {
	if contributions != ideas.ContributionsKept && contributions != ideas.ContributionsRemoved {
		return &ideas.FieldError{Field: "contributions", Code: "invalid"}
	}
	if !s.MailEnabled() {
		return ideas.ErrMailOff
	}
	return s.transact(ctx, "ask for an erasure", func(tx pgx.Tx) error {
		allowed, err := allow(ctx, tx, erasureRequests, fmt.Sprint(member))
		if err != nil {
			return err
		}
		if !allowed {
			return ideas.ErrTooMany
		}
		now := s.config.Clock()
		var id int64
		err = tx.QueryRow(ctx, `INSERT INTO erasure (member_id, contributions, cause, requested_at, expires_at)
			SELECT id, $2, $3, $4, $5 FROM member WHERE id = $1 AND email IS NOT NULL RETURNING id`,
			member, contributions, causeMember, now, now.Add(ideas.ErasureLinkLifetime)).Scan(&id)
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, ideas.ErasureMail{Erasure: id}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}})
	})
}

// ErasureRecipient is who asked to be erased, with a new token to confirm it; ideas.ErrNotFound where it is over.
func (s *Store) ErasureRecipient(ctx context.Context, erasure int64) (ideas.Recipient, string, error) {
	var to ideas.Recipient
	pool, err := s.db()
	if err != nil {
		return to, "", err
	}
	token, hash := newToken()
	err = pool.QueryRow(ctx, `UPDATE erasure e SET token_hash = $2 FROM member m WHERE e.id = $1 AND m.id = e.member_id AND e.done_at IS NULL
		AND e.expires_at > $3 AND m.email IS NOT NULL RETURNING m.id, m.email, m.name, m.locale`, erasure, hash, s.config.Clock()).
		Scan(&to.Member, &to.Email, &to.Name, &to.Locale)
	if err != nil {
		return to, "", s.failed("make the link of an erasure", err)
	}
	return to, token, nil
}

// PendingErasure implements ideas.PersonalDataStore.
func (s *Store) PendingErasure(ctx context.Context, token string) (name, contributions string, err error) {
	hash, ok := tokenHash(token)
	if !ok {
		return "", "", ideas.ErrLinkSpent
	}
	pool, err := s.db()
	if err != nil {
		return "", "", err
	}
	err = pool.QueryRow(ctx, `SELECT m.name, e.contributions FROM erasure e JOIN member m ON m.id = e.member_id
		WHERE e.token_hash = $1 AND e.done_at IS NULL AND e.expires_at > $2`, hash, s.config.Clock()).Scan(&name, &contributions)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", ideas.ErrLinkSpent
	}
	if err != nil {
		return "", "", s.failed("look what a link would erase", err)
	}
	return name, contributions, nil
}

// ConfirmErasure implements ideas.PersonalDataStore.
func (s *Store) ConfirmErasure(ctx context.Context, token string) (ideas.Erasure, error) {
	hash, ok := tokenHash(token)
	if !ok {
		return ideas.Erasure{}, ideas.ErrLinkSpent
	}
	var proof ideas.Erasure
	err := s.transact(ctx, "erase a member", func(tx pgx.Tx) error {
		var contributions string
		err := tx.QueryRow(ctx, `SELECT id, member_id, contributions FROM erasure
			WHERE token_hash = $1 AND done_at IS NULL AND expires_at > $2 FOR UPDATE`, hash, s.config.Clock()).
			Scan(&proof.ID, &proof.Member, &contributions)
		if errors.Is(err, pgx.ErrNoRows) {
			return ideas.ErrLinkSpent
		}
		if err != nil {
			return err
		}
		return s.proveErasure(ctx, tx, &proof, contributions, causeMember)
	})
	return proof, err
}

// proveErasure erases and records the proof in the row of the erasure.
func (s *Store) proveErasure(ctx context.Context, tx pgx.Tx, proof *ideas.Erasure, contributions, cause string) error {
	counts, err := s.eraseMember(ctx, tx, proof.Member, contributions)
	if err != nil {
		return err
	}
	proof.DoneAt = s.config.Clock().UTC().Truncate(time.Microsecond)
	raw, err := json.Marshal(map[string]any{
		"member": proof.Member, "at": proof.DoneAt.Format(time.RFC3339Nano), "cause": cause, "contributions": contributions, "rows": counts,
	})
	if err != nil {
		return fmt.Errorf("encode the record of an erasure: %w", err)
	}
	sum := sha256.Sum256(raw)
	proof.Record, proof.Hash = raw, hex.EncodeToString(sum[:])
	_, err = tx.Exec(ctx, "UPDATE erasure SET done_at = $2, record = $3, record_hash = $4, token_hash = NULL WHERE id = $1",
		proof.ID, proof.DoneAt, proof.Record, proof.Hash)
	return err
}

// eraseMember leaves of a member a number without a person. Votes keep the number, so every count stays exact; nothing leads
// from it to anybody. It returns how many rows were deleted or emptied, by table.
func (s *Store) eraseMember(ctx context.Context, tx pgx.Tx, member int64, contributions string) (map[string]int64, error) {
	// The row's lock keeps the member from writing meanwhile.
	if err := tx.QueryRow(ctx, "SELECT id FROM member WHERE id = $1 FOR UPDATE", member).Scan(&member); err != nil {
		return nil, err
	}
	for _, erase := range []func(context.Context, pgx.Tx, int64) error{s.eraseRegistrations, s.erasePrivateAnswers, eraseVisits} {
		if err := erase(ctx, tx, member); err != nil {
			return nil, err
		}
	}
	counts := map[string]int64{}
	var err error
	if counts["mentions"], err = eraseMentions(ctx, tx, member); err != nil {
		return nil, err
	}
	for _, table := range personalTables() {
		if counts[table.name], err = table.erase(ctx, tx, member, contributions == ideas.ContributionsRemoved); err != nil {
			return nil, err
		}
	}
	return counts, emptyMember(ctx, tx, member, s.config.Clock())
}

// erase carries out what the table says, and returns how many rows that has changed.
func (p personalTable) erase(ctx context.Context, tx pgx.Tx, member int64, remove bool) (int64, error) {
	statements := p.always
	if remove {
		statements = slices.Concat(statements, p.removed)
	}
	rows := int64(0)
	for _, statement := range statements {
		tag, err := tx.Exec(ctx, statement, argumentsOf(statement, member)...)
		if err != nil {
			return rows, fmt.Errorf("erase from %s: %w", p.name, err)
		}
		if !tag.Select() {
			rows += tag.RowsAffected()
		}
	}
	return rows, nil
}

// argumentsOf a statement: the member, where it asks for one.
func argumentsOf(statement string, member int64) []any {
	if !strings.Contains(statement, "$1") {
		return nil
	}
	return []any{member}
}

// emptyMember leaves of the member's row what belongs to nobody.
func emptyMember(ctx context.Context, tx pgx.Tx, member int64, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE member SET email = NULL, name = '', locale = 'en', born = NULL, age_reached = NULL, guardian = 'none',
			invited_by = NULL, time_zone = NULL, joined_under = '', mail_key = gen_random_uuid(), read_only_until = NULL, blocked_until = NULL,
			level = 0, erased_at = coalesce(erased_at, $2) WHERE id = $1`, member, now)
	if err != nil {
		return fmt.Errorf("empty the member's row: %w", err)
	}
	return nil
}

// Erasures implements ideas.PersonalDataStore.
func (s *Store) Erasures(ctx context.Context, after int64) ([]ideas.Erasure, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT id, member_id, done_at, record, record_hash FROM erasure
		WHERE done_at IS NOT NULL AND id > $1 ORDER BY id LIMIT $2`, after, ideas.MaxPage)
	if err != nil {
		return nil, s.failed("list erasures", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Erasure, error) {
		var e ideas.Erasure
		var record map[string]any
		err := row.Scan(&e.ID, &e.Member, &e.DoneAt, &record, &e.Hash)
		if err == nil {
			// The database has ordered its keys anew; the hash is of these bytes.
			e.Record, err = json.Marshal(record)
		}
		return e, err
	})
	if err != nil {
		return nil, s.failed("list erasures", err)
	}
	return list, nil
}

// EraseAgain implements ideas.PersonalDataStore. A number that stands for somebody else by now, who joined after the restore,
// is left alone: the erasure is older than the member.
func (s *Store) EraseAgain(ctx context.Context, erasures []ideas.Erasure) (int, error) {
	done := 0
	for _, e := range erasures {
		err := s.transact(ctx, "erase a member again", func(tx pgx.Tx) error {
			var contributions struct {
				Contributions string `json:"contributions"`
			}
			if err := json.Unmarshal(e.Record, &contributions); err != nil {
				return fmt.Errorf("read the record of an erasure: %w", err)
			}
			var found bool
			err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM member WHERE id = $1 AND erased_at IS NULL AND created_at < $2)", e.Member, e.DoneAt).Scan(&found)
			if err != nil || !found {
				return err
			}
			if _, err := s.eraseMember(ctx, tx, e.Member, contributions.Contributions); err != nil {
				return err
			}
			done++
			now := s.config.Clock()
			_, err = tx.Exec(ctx, `INSERT INTO erasure (member_id, contributions, cause, requested_at, expires_at, done_at, record, record_hash)
				SELECT $1, $2, 'member', $3, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT FROM erasure WHERE record_hash = $6)`,
				e.Member, contributions.Contributions, now, e.DoneAt, e.Record, e.Hash)
			return err
		})
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
