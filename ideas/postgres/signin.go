package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// tokenBytes is the size of a random token: 256 bits cannot be guessed.
const tokenBytes = 32

// seenEvery is how often a session in use is written.
const seenEvery = time.Hour

// allowance is a rate: one every interval, and burst at once after a pause.
type allowance struct {
	kind     string
	interval time.Duration
	burst    int
}

// How often links may be asked for. Several people share a client address at work or at school; one mailbox
// is no place to fill.
var (
	linksPerClient = allowance{kind: "links per client", interval: time.Minute, burst: 30}
	linksPerEmail  = allowance{kind: "links per address", interval: 5 * time.Minute, burst: 4}
)

// MailEnabled implements ideas.SignIn.
func (s *Store) MailEnabled() bool { return s.config.MailEnabled != nil && s.config.MailEnabled() }

// RequestLink implements ideas.SignIn. It does the same for every address: members are not looked up, and the
// mail is sent later, so neither answer nor duration tells who is a member.
func (s *Store) RequestLink(ctx context.Context, request ideas.LinkRequest) error {
	if !s.MailEnabled() {
		return ideas.ErrMailOff
	}
	email, err := ideas.CleanEmail(request.Email)
	if err != nil {
		return err
	}
	allowed := false
	err = s.transact(ctx, "queue a sign-in mail", func(tx pgx.Tx) error {
		// A refusal is committed too: who tries many addresses uses up the client's allowance.
		if allowed, err = allow(ctx, tx, linksPerClient, clientKey(request.ClientAddress)); err != nil || !allowed {
			return err
		}
		if allowed, err = allow(ctx, tx, linksPerEmail, email); err != nil || !allowed {
			return err
		}
		invitation, _ := tokenHash(request.Invitation) // null where there is none
		_, err = tx.Exec(ctx, "INSERT INTO sign_in_mail (email, locale, return_to, invitation) VALUES ($1, $2, $3, $4)",
			email, cleanLocale(request.Locale), ideas.CleanReturnTo(request.ReturnTo), invitation)
		return err
	})
	if err != nil {
		return err
	}
	if !allowed {
		return ideas.ErrTooMany
	}
	select {
	case s.mailWake <- struct{}{}:
	default: // a wake-up is pending already
	}
	return nil
}

// RedeemLink implements ideas.SignIn.
func (s *Store) RedeemLink(ctx context.Context, token string) (session, returnTo string, err error) {
	hash, ok := tokenHash(token)
	if !ok {
		return "", "", ideas.ErrLinkSpent
	}
	err = s.transact(ctx, "redeem a sign-in link", func(tx pgx.Tx) error {
		var email, locale string
		var invitation []byte
		// The deletion makes it work once: a second redemption finds no row.
		err := tx.QueryRow(ctx, `DELETE FROM sign_in_link WHERE token_hash = $1 AND expires_at > now()
			RETURNING email, locale, return_to, invitation`, hash).Scan(&email, &locale, &returnTo, &invitation)
		if errors.Is(err, pgx.ErrNoRows) {
			return ideas.ErrLinkSpent
		}
		if err != nil {
			return err
		}
		member, err := s.welcome(ctx, tx, newcomer{email: email, locale: locale, invitation: invitation})
		if err != nil {
			return err
		}
		session, err = newSession(ctx, tx, member)
		return err
	})
	if err != nil {
		return "", "", err
	}
	return session, returnTo, nil
}

// SignInWith implements ideas.SignIn. An identity seen before is its member, whatever its address is now. A
// new one joins the member with the same address only when the issuer has verified that address.
func (s *Store) SignInWith(ctx context.Context, id ideas.Identity) (session string, err error) {
	if id.Issuer == "" || id.Subject == "" {
		return "", &ideas.FieldError{Field: "identity", Code: "required"}
	}
	err = s.transact(ctx, "sign in with an issuer's identity", func(tx pgx.Tx) error {
		// Two first sign-ins at once must not make two members.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))", id.Issuer, id.Subject); err != nil {
			return err
		}
		member, err := s.memberOfIdentity(ctx, tx, id)
		if err != nil {
			return err
		}
		session, err = newSession(ctx, tx, member)
		return err
	})
	return session, err
}

// Authenticate implements ideas.SignIn.
func (s *Store) Authenticate(ctx context.Context, session string) (ideas.Member, error) {
	hash, ok := tokenHash(session)
	if !ok {
		return ideas.Member{}, ideas.ErrNotFound
	}
	pool, err := s.db()
	if err != nil {
		return ideas.Member{}, err
	}
	var m ideas.Member
	var stale bool
	var blocked, readOnly *time.Time
	err = pool.QueryRow(ctx, `SELECT m.id, coalesce(m.email, ''), m.name, m.locale, m.created_at, m.level, m.blocked_until,
			m.read_only_until, m.guardian, m.joined_under, s.created_at, s.seen_at < now() - $3::interval,
			(SELECT count(*) FROM (SELECT FROM notice n WHERE n.member_id = m.id AND n.listed AND n.read_at IS NULL LIMIT $4) u)
		FROM session s JOIN member m ON m.id = s.member_id WHERE s.token_hash = $1 AND s.seen_at > now() - $2::interval`,
		hash, ideas.SessionLifetime, seenEvery, ideas.UnreadShown).Scan(&m.ID, &m.Email, &m.Name, &m.Locale, &m.CreatedAt, &m.Level,
		&blocked, &readOnly, &m.Guardian, &m.JoinedUnder, &m.SignedInAt, &stale, &m.Unread)
	if err != nil {
		return ideas.Member{}, s.failed("authenticate a session", err)
	}
	m.BlockedUntil, m.ReadOnlyUntil = orZero(blocked), orZero(readOnly)
	if stale {
		if _, err := pool.Exec(ctx, `WITH seen AS (UPDATE session SET seen_at = now() WHERE token_hash = $1)
			UPDATE member SET active_at = now(), erasure_announced_at = NULL WHERE id = $2`, hash, m.ID); err != nil {
			return ideas.Member{}, s.failed("prolong a session", err)
		}
	}
	return m, nil
}

// SignOut implements ideas.SignIn.
func (s *Store) SignOut(ctx context.Context, session string) error {
	hash, ok := tokenHash(session)
	if !ok {
		return nil
	}
	pool, err := s.db()
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, "DELETE FROM session WHERE token_hash = $1", hash); err != nil {
		return s.failed("end a session", err)
	}
	return nil
}

// memberOfEmail finds the member with an address, or makes one.
func memberOfEmail(ctx context.Context, tx pgx.Tx, email, name, locale string) (int64, error) {
	const find = "SELECT id FROM member WHERE lower(email) = lower($1)"
	var id int64
	err := tx.QueryRow(ctx, find, email).Scan(&id)
	if !errors.Is(err, pgx.ErrNoRows) {
		return id, err
	}
	id, err = insertMember(ctx, tx, email, name, locale)
	if errors.Is(err, pgx.ErrNoRows) {
		// Another request made the member at the same time.
		err = tx.QueryRow(ctx, find, email).Scan(&id)
	}
	return id, err
}

// insertMember gives pgx.ErrNoRows when the address has a member already. Without a name the member gets one
// with a number: nothing of the address may show in public.
func insertMember(ctx context.Context, tx pgx.Tx, email, name, locale string) (int64, error) {
	word := "Member"
	if strings.HasPrefix(locale, "fr") {
		word = "Membre"
	}
	if clean, err := ideas.CleanName(name); err == nil {
		name = clean
	} else {
		name = ""
	}
	var id int64
	err := tx.QueryRow(ctx, `WITH next AS (SELECT nextval(pg_get_serial_sequence('member', 'id')) AS id)
		INSERT INTO member (id, email, name, locale) OVERRIDING SYSTEM VALUE
		SELECT id, nullif($1, ''), coalesce(nullif($2, ''), $3 || ' ' || id), $4 FROM next
		ON CONFLICT (lower(email)) DO NOTHING RETURNING id`, email, name, word, cleanLocale(locale)).Scan(&id)
	return id, err
}

func (s *Store) memberOfIdentity(ctx context.Context, tx pgx.Tx, id ideas.Identity) (int64, error) {
	var member int64
	err := tx.QueryRow(ctx, "SELECT member_id FROM member_identity WHERE issuer = $1 AND subject = $2", id.Issuer, id.Subject).Scan(&member)
	if !errors.Is(err, pgx.ErrNoRows) {
		return member, err
	}
	who := newcomer{name: id.Name, locale: id.Locale}
	if email, emailErr := ideas.CleanEmail(id.Email); id.EmailVerified && emailErr == nil {
		who.email = email
	}
	who.invitation, _ = tokenHash(id.Invitation) // nil where there is none
	if member, err = s.welcome(ctx, tx, who); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, "INSERT INTO member_identity (issuer, subject, member_id) VALUES ($1, $2, $3)", id.Issuer, id.Subject, member)
	return member, err
}

func newSession(ctx context.Context, tx pgx.Tx, member int64) (string, error) {
	token, hash := newToken()
	_, err := tx.Exec(ctx, `WITH here AS (UPDATE member SET active_at = now(), erasure_announced_at = NULL WHERE id = $2)
		INSERT INTO session (token_hash, member_id) VALUES ($1, $2)`, hash, member)
	return token, err
}

// newToken makes a random token and the hash that is stored in its place.
func newToken() (token string, hash []byte) {
	raw := make([]byte, tokenBytes)
	_, _ = rand.Read(raw) // never fails, see crypto/rand
	token = base64.RawURLEncoding.EncodeToString(raw)
	hash, _ = tokenHash(token)
	return token, hash
}

// tokenHash needs no salt: a token is as random as its hash.
func tokenHash(token string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != tokenBytes {
		return nil, false
	}
	sum := sha256.Sum256(raw)
	return sum[:], true
}

// allow takes one from a key's allowance, unless it is used up (the generic cell rate algorithm). The row's
// lock makes replicas and parallel requests count exactly.
func allow(ctx context.Context, tx pgx.Tx, a allowance, key string) (bool, error) {
	sum := sha256.Sum256([]byte(a.kind + "\x00" + key))
	tag, err := tx.Exec(ctx, `INSERT INTO rate AS r (key, full_at) VALUES ($1, clock_timestamp() + $2::interval)
		ON CONFLICT (key) DO UPDATE SET full_at = greatest(r.full_at, clock_timestamp()) + $2::interval
		WHERE greatest(r.full_at, clock_timestamp()) + $2::interval <= clock_timestamp() + $3::interval`,
		sum[:], a.interval, time.Duration(a.burst)*a.interval)
	if err != nil {
		return false, err
	}
	return tag.RowsAffected() > 0, nil
}

// usedUp tells whether nothing is left of a key's allowance, without taking any.
func usedUp(ctx context.Context, tx pgx.Tx, a allowance, key string) (bool, error) {
	sum := sha256.Sum256([]byte(a.kind + "\x00" + key))
	var used bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM rate WHERE key = $1 AND full_at > clock_timestamp() + $2::interval)",
		sum[:], time.Duration(a.burst-1)*a.interval).Scan(&used)
	return used, err
}

// clientKey groups the addresses that one client has: all of an IPv6 network of 64 bits.
func clientKey(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if prefix, err := ip.Prefix(64); err == nil && ip.Is6() {
		return prefix.String()
	}
	return ip.String()
}

// cleanLocale keeps what looks like a language tag.
func cleanLocale(locale string) string {
	const longest = 35 // RFC 5646, section 4.4.1
	if len(locale) == 0 || len(locale) > longest {
		return "en"
	}
	for _, r := range locale {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return "en"
		}
	}
	return locale
}
