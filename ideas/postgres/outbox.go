package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// maxMailAge is how long a mail is tried for; whoever waits for it has asked again by then.
const maxMailAge = time.Hour

// MailWake has an item when a mail may wait to be sent. Mails of other replicas, and those to be tried again,
// come without one.
func (s *Store) MailWake() <-chan struct{} { return s.mailWake }

// ClaimMail takes the next mail to be sent, or returns ideas.ErrNotFound. It is leased rather than removed: when
// MailSent does not follow, because sending failed or the process ended, it comes again, later each time.
func (s *Store) ClaimMail(ctx context.Context) (ideas.SignInMail, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.SignInMail{}, err
	}
	var m ideas.SignInMail
	err = pool.QueryRow(ctx, `UPDATE sign_in_mail SET attempts = attempts + 1,
			due_at = now() + least(interval '30 seconds' * power(2, attempts), interval '10 minutes')
		WHERE id = (SELECT id FROM sign_in_mail WHERE due_at <= now() AND created_at > now() - $1::interval AND handed_over_at IS NULL
			ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING id, email, locale`, maxMailAge).Scan(&m.ID, &m.Email, &m.Locale)
	if err != nil {
		return ideas.SignInMail{}, s.failed("claim a sign-in mail", err)
	}
	return m, nil
}

// IssueLink makes the token for a claimed mail. It exists in clear in the mail alone. Somebody new whom the sign-up policy
// keeps out gets none: ideas.ErrNotInvited.
func (s *Store) IssueLink(ctx context.Context, mail ideas.SignInMail) (token string, err error) {
	pool, err := s.db()
	if err != nil {
		return "", err
	}
	if err := s.checkAdmission(ctx, pool, mail); err != nil {
		return "", s.failed("look whether an address may join", err)
	}
	token, hash := newToken()
	tag, err := pool.Exec(ctx, `INSERT INTO sign_in_link (token_hash, email, locale, return_to, invitation, expires_at)
		SELECT $1, email, locale, return_to, invitation, now() + $3::interval FROM sign_in_mail WHERE id = $2`,
		hash, mail.ID, ideas.LinkLifetime)
	if err != nil {
		return "", s.failed("issue a sign-in link", err)
	}
	if tag.RowsAffected() == 0 {
		return "", ideas.ErrNotFound
	}
	return token, nil
}

func (s *Store) checkAdmission(ctx context.Context, q querier, mail ideas.SignInMail) error {
	var isMember bool
	var invitation []byte
	err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM member WHERE lower(email) = lower(w.email)), w.invitation
		FROM sign_in_mail w WHERE w.id = $1`, mail.ID).Scan(&isMember, &invitation)
	if err != nil || isMember {
		return err
	}
	return s.admits(ctx, q, newcomer{email: mail.Email, invitation: invitation})
}

// HandOverMail notes that a claimed mail is about to be handed over to the mail server; taken back where the server has not
// taken it. One that is neither sent nor taken back, because its process has died, is not sent again.
func (s *Store) HandOverMail(ctx context.Context, mail ideas.SignInMail, handedOver bool) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	tag, err := pool.Exec(ctx, "UPDATE sign_in_mail SET handed_over_at = CASE WHEN $2 THEN now() END WHERE id = $1 AND (handed_over_at IS NULL) = $2",
		mail.ID, handedOver)
	if err != nil {
		return s.failed("hand a mail over", err)
	}
	if tag.RowsAffected() == 0 {
		return ideas.ErrNotFound
	}
	return nil
}

// MailSent removes a mail that the SMTP server has taken over.
func (s *Store) MailSent(ctx context.Context, mail ideas.SignInMail) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, "DELETE FROM sign_in_mail WHERE id = $1", mail.ID); err != nil {
		return s.failed("remove a sent mail", err)
	}
	return nil
}

// removeExpired removes what no longer has an effect.
func removeExpired(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	var batch pgx.Batch
	batch.Queue("DELETE FROM sign_in_link WHERE expires_at < now()")
	batch.Queue("DELETE FROM sign_in_mail WHERE created_at < now() - $1::interval", maxMailAge)
	batch.Queue("DELETE FROM letter WHERE at < now() - $1::interval", lettersKept)
	batch.Queue("DELETE FROM personal_export WHERE expires_at < now()")
	batch.Queue("DELETE FROM erasure WHERE done_at IS NULL AND expires_at < now()")
	batch.Queue("DELETE FROM invitation WHERE used_at IS NULL AND expires_at < now() - interval '30 days'")
	batch.Queue("DELETE FROM rate WHERE full_at < now()")
	batch.Queue("DELETE FROM api_token WHERE expires_at < now()")
	batch.Queue("DELETE FROM webhook_delivery WHERE created_at < now() - $1::interval", deliveriesKept)
	batch.Queue("DELETE FROM api_request WHERE started_at < now() - $1::interval", requestKept)
	batch.Queue("DELETE FROM session WHERE seen_at < now() - $1::interval", ideas.SessionLifetime)
	if err := conn.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("remove expired rows: %w", err)
	}
	return nil
}
