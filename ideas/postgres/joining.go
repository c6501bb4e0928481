package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// refusedAges are those who gave a birth date below the minimum age: another one does not help for a month.
var refusedAges = allowance{kind: "refused ages", interval: 30 * 24 * time.Hour, burst: 1}

// newcomer is somebody who has proved who they are, and may be new.
type newcomer struct {
	// email is empty where nobody vouches for one.
	email, name, locale string
	// invitation is the hash of the token of one; nil for none.
	invitation []byte
}

// welcome finds the member with the newcomer's address, or makes one as the sign-up policy allows.
func (s *Store) welcome(ctx context.Context, tx pgx.Tx, who newcomer) (int64, error) {
	if who.email != "" {
		var id int64
		err := tx.QueryRow(ctx, "SELECT id FROM member WHERE lower(email) = lower($1)", who.email).Scan(&id)
		if !errors.Is(err, pgx.ErrNoRows) {
			return id, err
		}
	}
	if err := s.admits(ctx, tx, who); err != nil {
		return 0, err
	}
	id, err := insertMember(ctx, tx, who.email, who.name, who.locale)
	if errors.Is(err, pgx.ErrNoRows) {
		// Another request made the member at the same time.
		err = tx.QueryRow(ctx, "SELECT id FROM member WHERE lower(email) = lower($1)", who.email).Scan(&id)
		return id, err
	}
	if err != nil {
		return 0, err
	}
	if err := s.useInvitation(ctx, tx, who, id); err != nil {
		return 0, err
	}
	return id, s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventMemberJoined, Actor: id})
}

func (s *Store) signUp() control.SignUp {
	settings, _ := s.Current(context.Background())
	if settings.House == nil {
		return control.SignUp{}
	}
	return settings.House.SignUp
}

// admits tells whether the sign-up policy lets somebody new in, else ideas.ErrNotInvited. Those whom the brand names itself,
// its team and its jurors, always come in.
func (s *Store) admits(ctx context.Context, q querier, who newcomer) error {
	policy := s.signUp()
	if policy.Policy == "" || policy.Policy == control.SignUpOpen || s.isNamed(ctx, who.email) {
		return nil
	}
	if policy.Policy == control.SignUpDomains {
		_, domain, _ := strings.Cut(who.email, "@")
		if slices.ContainsFunc(policy.Domains, func(d string) bool { return domain != "" && strings.EqualFold(d, domain) }) {
			return nil
		}
		return ideas.ErrNotInvited
	}
	var open bool
	err := q.QueryRow(ctx, "SELECT EXISTS (SELECT FROM invitation WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2)",
		who.invitation, s.config.Clock()).Scan(&open)
	if err == nil && !open {
		return ideas.ErrNotInvited
	}
	return err
}

// isNamed tells whether the house rules or a challenge's jury name an address.
func (s *Store) isNamed(ctx context.Context, email string) bool {
	if email == "" {
		return false
	}
	settings, _ := s.Current(ctx)
	if len(settings.RolesOf(email)) > 0 {
		return true
	}
	return slices.ContainsFunc(s.Programme(ctx).Challenges, func(c *ideas.Challenge) bool {
		return c.Spec.Jury != nil && slices.ContainsFunc(c.Spec.Jury.Members, func(m string) bool { return strings.EqualFold(m, email) })
	})
}

// useInvitation marks the newcomer's invitation as used, and tells who made it. The row's lock holds that it is used once.
func (s *Store) useInvitation(ctx context.Context, tx pgx.Tx, who newcomer, id int64) error {
	needed := s.signUp().Policy == control.SignUpInvitation && !s.isNamed(ctx, who.email)
	if len(who.invitation) == 0 && !needed {
		return nil
	}
	var inviter int64
	now := s.config.Clock()
	err := tx.QueryRow(ctx, `UPDATE invitation SET used_by = $2, used_at = $3
		WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $3 RETURNING member_id`, who.invitation, id, now).Scan(&inviter)
	if errors.Is(err, pgx.ErrNoRows) {
		if needed {
			return ideas.ErrNotInvited
		}
		return nil // an old link in an open community costs nobody the membership
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE member SET invited_by = $2 WHERE id = $1", id, inviter); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE member SET referrals = referrals + 1 WHERE id = $1", inviter); err != nil {
		return err
	}
	return s.recordEvents(ctx, tx, ideas.Event{Kind: ideas.EventReferred, Actor: id, Subject: inviter})
}

// Joining implements ideas.JoiningStore.
func (s *Store) Joining(ctx context.Context, member int64) (ideas.Joining, error) {
	var j ideas.Joining
	err := s.transact(ctx, "look what joining asks for", func(tx pgx.Tx) error {
		var err error
		if j, err = s.missing(ctx, tx, member); err != nil {
			return err
		}
		return s.completeJoining(ctx, tx, member)
	})
	return j, err
}

func (s *Store) missing(ctx context.Context, tx pgx.Tx, member int64) (ideas.Joining, error) {
	asked := s.requirements()
	var j ideas.Joining
	var err error
	if j.Terms, err = missingTerms(ctx, tx, member, asked.Terms); err != nil {
		return j, fmt.Errorf("look for accepted terms: %w", err)
	}
	var answered []string
	var aged bool
	err = tx.QueryRow(ctx, `SELECT ARRAY(SELECT DISTINCT name FROM attribute WHERE member_id = $1),
		born IS NOT NULL OR age_reached IS NOT NULL FROM member WHERE id = $1`, member).Scan(&answered, &aged)
	if err != nil {
		return j, fmt.Errorf("look for answers: %w", err)
	}
	j.Age = asked.AsksAge() && !aged
	for _, a := range asked.Attributes {
		if !slices.Contains(answered, a.Name) {
			j.Attributes = append(j.Attributes, a)
		}
	}
	return j, nil
}

// Join implements ideas.JoiningStore.
func (s *Store) Join(ctx context.Context, member int64, answers ideas.JoinAnswers) error {
	tooYoung := false
	err := s.transact(ctx, "join", func(tx pgx.Tx) error {
		missing, err := s.missing(ctx, tx, member)
		if err != nil {
			return err
		}
		if missing.Age {
			tooYoung, err = s.keepAge(ctx, tx, member, answers)
			if err != nil || tooYoung {
				return err
			}
		}
		var wrong []error
		for _, t := range missing.Terms {
			if !slices.Contains(answers.Accepted, t.Hash) {
				wrong = append(wrong, &ideas.FieldError{Field: "terms." + t.Hash, Code: "required"})
			} else if err := s.acceptOne(ctx, tx, member, answers.Locale, t); err != nil {
				return err
			}
		}
		for _, a := range missing.Attributes {
			if len(answers.Attributes[a.Name]) == 0 {
				wrong = append(wrong, &ideas.FieldError{Field: "attribute." + a.Name, Code: "required"})
			} else if err := s.setAttribute(ctx, tx, member, a, answers.Attributes[a.Name], answers.Locale); err != nil {
				return err
			}
		}
		if len(wrong) > 0 {
			return errors.Join(wrong...)
		}
		return s.completeJoining(ctx, tx, member)
	})
	if err == nil && tooYoung {
		return ideas.ErrTooYoung
	}
	return err
}

// keepAge keeps what is needed of a birth date; of somebody too young nothing.
func (s *Store) keepAge(ctx context.Context, tx pgx.Tx, member int64, answers ideas.JoinAnswers) (tooYoung bool, err error) {
	today := s.config.Clock().In(s.zone())
	if strings.TrimSpace(answers.Born) == "" {
		return false, &ideas.FieldError{Field: "born", Code: "required"}
	}
	born, err := time.Parse(time.DateOnly, strings.TrimSpace(answers.Born))
	if err != nil || born.After(today) || ideas.Age(born, today) > 120 {
		return false, &ideas.FieldError{Field: "born", Code: "invalid"}
	}
	policy, age := s.signUp(), ideas.Age(born, today)
	refused, err := s.refusedAge(ctx, tx, member, age < policy.MinimumAge)
	if err != nil || refused {
		return refused, err
	}
	guardian := age < policy.GuardianBelow
	if limit := s.highestAge(ctx, policy); age >= limit {
		_, err = tx.Exec(ctx, "UPDATE member SET age_reached = $2, born = NULL WHERE id = $1", member, limit)
	} else {
		_, err = tx.Exec(ctx, "UPDATE member SET born = $2, guardian = CASE WHEN $3 THEN 'needed' ELSE guardian END WHERE id = $1",
			member, born, guardian)
	}
	if err != nil || !guardian {
		return false, err
	}
	return false, s.askGuardian(ctx, tx, member, answers.GuardianEmail)
}

// highestAge is the highest that anything declared asks for.
func (s *Store) highestAge(ctx context.Context, policy control.SignUp) int {
	limit := max(ideas.Adult, policy.MinimumAge, policy.GuardianBelow)
	for _, c := range s.Programme(ctx).Challenges {
		if c.Spec.Eligibility != nil {
			limit = max(limit, c.Spec.Eligibility.MinimumAge)
		}
	}
	return limit
}

// refusedAge erases a member who is too young, or whose address has been that lately.
func (s *Store) refusedAge(ctx context.Context, tx pgx.Tx, member int64, tooYoung bool) (bool, error) {
	var address string
	err := tx.QueryRow(ctx, "SELECT coalesce(email, 'member ' || id) FROM member WHERE id = $1", member).Scan(&address)
	if err != nil {
		return false, err
	}
	if !tooYoung {
		used, err := usedUp(ctx, tx, refusedAges, address)
		if err != nil || !used {
			return false, err
		}
	} else if _, err := allow(ctx, tx, refusedAges, address); err != nil {
		return false, err
	}
	// Whoever has contributed before the house asked for an age leaves that behind without a name.
	_, err = s.eraseMember(ctx, tx, member, ideas.ContributionsKept)
	return true, err
}

// AtLeast implements ideas.JoiningStore.
func (s *Store) AtLeast(ctx context.Context, member int64, years int) (yes, known bool, err error) {
	pool, err := s.db()
	if err != nil {
		return false, false, err
	}
	var born *time.Time
	var reached *int
	if err := pool.QueryRow(ctx, "SELECT born, age_reached FROM member WHERE id = $1", member).Scan(&born, &reached); err != nil {
		return false, false, s.failed("read a member's age", err)
	}
	switch {
	case born != nil:
		return ideas.Age(*born, s.config.Clock().In(s.zone())) >= years, true, nil
	case reached != nil && *reached >= years:
		return true, true, nil
	}
	return false, false, nil
}

// completeJoining notes that a member has met what the house asks for, once that is so.
func (s *Store) completeJoining(ctx context.Context, tx pgx.Tx, member int64) error {
	asked := s.requirements()
	if asked.Digest == "" {
		return nil
	}
	missing, err := missingTerms(ctx, tx, member, asked.Terms)
	if err != nil {
		return fmt.Errorf("look for accepted terms: %w", err)
	}
	names := make([]string, len(asked.Attributes))
	for i, a := range asked.Attributes {
		names[i] = a.Name
	}
	var answered int
	var aged bool
	err = tx.QueryRow(ctx, `SELECT (SELECT count(DISTINCT name) FROM attribute WHERE member_id = $1 AND name = ANY($2)),
		born IS NOT NULL OR age_reached IS NOT NULL FROM member WHERE id = $1`, member, names).Scan(&answered, &aged)
	if err != nil {
		return fmt.Errorf("look for what joining asks for: %w", err)
	}
	if len(missing) > 0 || answered < len(names) || asked.AsksAge() && !aged {
		return nil
	}
	if _, err := tx.Exec(ctx, "UPDATE member SET joined_under = $2 WHERE id = $1", member, asked.Digest); err != nil {
		return fmt.Errorf("note that a member has joined: %w", err)
	}
	return nil
}
