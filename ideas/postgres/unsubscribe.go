package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// everyKind stands in a token for all kinds of notices.
const everyKind = "all"

// UnsubscribeToken implements ideas.NoticeStore. The token is signed with a key of the member's own rather than stored: it
// works for as long as there is the member, in the oldest of mails.
func (s *Store) UnsubscribeToken(ctx context.Context, member int64, kind ideas.NoticeKind) (string, error) {
	pool, err := s.db()
	if err != nil {
		return "", err
	}
	var key [16]byte
	err = pool.QueryRow(ctx, "SELECT mail_key FROM member WHERE id = $1 AND erased_at IS NULL", member).Scan(&key)
	if err != nil {
		return "", s.failed("read a member's key", err)
	}
	if kind == "" {
		kind = everyKind
	}
	return unsubscribeToken(key, member, kind), nil
}

func unsubscribeToken(key [16]byte, member int64, kind ideas.NoticeKind) string {
	return strconv.FormatInt(member, 10) + "." + string(kind) + "." + signUnsubscription(key, member, kind)
}

func signUnsubscription(key [16]byte, member int64, kind ideas.NoticeKind) string {
	mac := hmac.New(sha256.New, key[:])
	// Writing to a hash cannot fail.
	_, _ = mac.Write([]byte("unsubscribe\x00" + strconv.FormatInt(member, 10) + "\x00" + string(kind)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Unsubscribe implements ideas.NoticeStore.
func (s *Store) Unsubscribe(ctx context.Context, token string) (ideas.NoticeKind, error) {
	parts := strings.Split(token, ".")
	if len(token) > 200 || len(parts) != 3 {
		return "", ideas.ErrNotFound
	}
	member, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return "", ideas.ErrNotFound
	}
	kind := ideas.NoticeKind(parts[1])
	if kind != everyKind && ideas.DefaultPreference(kind).Mail == ideas.MailOff {
		return "", ideas.ErrNotFound
	}
	err = s.transact(ctx, "unsubscribe", func(tx pgx.Tx) error {
		var key [16]byte
		err := tx.QueryRow(ctx, "SELECT mail_key FROM member WHERE id = $1 AND erased_at IS NULL", member).Scan(&key)
		if errors.Is(err, pgx.ErrNoRows) {
			return ideas.ErrNotFound
		}
		if err != nil {
			return err
		}
		if !hmac.Equal([]byte(parts[2]), []byte(signUnsubscription(key, member, kind))) {
			return ideas.ErrNotFound
		}
		return s.stopMails(ctx, tx, member, kind)
	})
	if err != nil {
		return "", err
	}
	if kind == everyKind {
		kind = ""
	}
	return kind, nil
}

func (s *Store) stopMails(ctx context.Context, tx pgx.Tx, member int64, kind ideas.NoticeKind) error {
	for _, usual := range ideas.DefaultPreferences() {
		if kind != everyKind && kind != usual.Kind {
			continue
		}
		// The notification centre goes on as it was.
		err := tx.QueryRow(ctx, "SELECT listed FROM preference WHERE member_id = $1 AND kind = $2", member, usual.Kind).Scan(&usual.Listed)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		usual.Mail = ideas.MailOff
		if err := setPreference(ctx, tx, member, usual); err != nil {
			return err
		}
	}
	return nil
}
