package postgres

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// Why something stays when a member is erased.
const (
	// keptNumber: the member's row is emptied, so its number names nobody.
	keptNumber = "the number names nobody any more; counts, credits and who decided stay as they were"
	keptBrand  = "what the brand said or decided, in its name"
	keptProof  = "proof that was promised to stay: a number, a time and a hash"
)

// personalTable says of one table what it holds about members, and what becomes of it when one is erased. A test reads the
// catalogue: a table that is missing here, or a column that names a member or is marked as personal, makes it fail.
type personalTable struct {
	name string
	// owners are columns with the member's number; the copy of somebody's data has the rows that they find.
	owners []string
	// texts are the other columns that hold what is personal.
	texts []string
	// always and removed are statements, $1 is the member; removed run where contributions are emptied.
	always, removed []string
	// contributions are columns that stay where contributions do, kept those that always do, and why.
	contributions, kept []string
	why                 string
	// secret says why rows are not in the copy of somebody's data; empty where they are.
	secret string
}

// deleted is a table whose rows are about the member alone.
func deleted(name string, texts ...string) personalTable {
	return personalTable{name: name, owners: []string{"member_id"}, texts: texts, always: []string{"DELETE FROM " + name + " WHERE member_id = $1"}}
}

// stays is a table whose rows count for others: the number stays.
func stays(name string, owners ...string) personalTable {
	return personalTable{name: name, owners: owners, kept: owners, why: keptNumber}
}

// notCopied leaves a table out of the copy of somebody's data.
func (p personalTable) notCopied(why string) personalTable {
	p.secret = why
	return p
}

// ofMember are the ideas of the member who is erased.
const ofMember = "(SELECT id FROM idea WHERE author_id = $1)"

// personalTables are all tables with personal data, in the order in which they are erased: what others are found by comes last.
func personalTables() []personalTable {
	all := accountTables()
	all = append(all, contributionTables()...)
	all = append(all, methodTables()...)
	all = append(all, recognitionTables()...)
	return append(all, recordTables()...)
}

// accountTables hold what a member is, uses and is told.
func accountTables() []personalTable {
	return []personalTable{
		deleted("session").notCopied("hashes of tokens"),
		deleted("member_identity", "issuer", "subject"),
		deleted("attribute", "name", "value"), deleted("consent", "attribute", "locale", "text", "text_hash"),
		deleted("notice"), deleted("preference"), deleted("guardianship", "email", "locale", "text_hash"),
		deleted("personal_export", "content").notCopied("the copies themselves"),
		deleted("api_token", "name", "hint"), deleted("api_request", "key", "location", "body"),
		{
			name: "follow", owners: []string{"member_id"},
			always: []string{"DELETE FROM follow WHERE member_id = $1 OR kind = 'member' AND target_id = $1"},
		},
		{
			name: "invitation", owners: []string{"member_id", "used_by"}, texts: []string{"note"},
			always: []string{"DELETE FROM invitation WHERE member_id = $1", "UPDATE invitation SET used_by = NULL, note = '' WHERE used_by = $1"},
		},
		{
			name: "sanction", owners: []string{"member_id", "created_by", "lifted_by", "answered_by"}, texts: []string{"reason", "appeal", "answer"},
			always: []string{"DELETE FROM sanction WHERE member_id = $1"}, kept: []string{"created_by", "lifted_by", "answered_by"}, why: keptNumber,
		},
		{name: "acceptance", owners: []string{"member_id"}, texts: []string{"locale"}, kept: []string{"member_id", "locale"}, why: keptProof},
		{name: "erasure", owners: []string{"member_id"}, kept: []string{"member_id"}, why: keptProof},
		{
			name: "sign_in_link", texts: []string{"email", "return_to"}, secret: "hashes of links, which end within the hour",
			always: []string{"DELETE FROM sign_in_link WHERE lower(email) = (SELECT lower(email) FROM member WHERE id = $1)"},
		},
		{
			name: "sign_in_mail", texts: []string{"email", "return_to"}, secret: "mails under way, which end within the hour",
			always: []string{"DELETE FROM sign_in_mail WHERE lower(email) = (SELECT lower(email) FROM member WHERE id = $1)"},
		},
		{name: "visit_day", texts: []string{"visitor"}, secret: "who has opened a page today, forgotten with the day"}, // see eraseVisits
	}
}

// contributionTables hold what a member wrote, and how they voted.
func contributionTables() []personalTable {
	all := []personalTable{
		{
			name: "idea_revision", owners: []string{"author_id"}, texts: []string{"title", "body"},
			removed:       []string{"DELETE FROM idea_revision WHERE idea_id IN " + ofMember, "UPDATE idea_revision SET author_id = NULL, title = '–', body = '–' WHERE author_id = $1"},
			contributions: []string{"author_id", "title", "body"}, why: keptNumber,
		},
		{
			name: "idea_change", owners: []string{"actor_id"}, texts: []string{"reason"},
			always:        []string{"UPDATE idea_change SET actor_id = NULL WHERE actor_id = $1"},
			removed:       []string{"UPDATE idea_change SET reason = '–' WHERE reason <> '' AND idea_id IN " + ofMember},
			contributions: []string{"reason"}, why: keptBrand,
		},
		{
			name: "attachment", owners: []string{"member_id"}, texts: []string{"name", "alt"},
			removed:       []string{"DELETE FROM attachment WHERE member_id = $1 OR idea_id IN " + ofMember},
			contributions: []string{"member_id", "name", "alt"}, why: keptNumber,
		},
		// Chunks go with their file; the copy has the files themselves.
		{name: "attachment_chunk", texts: []string{"data"}, contributions: []string{"data"}, why: keptNumber, secret: "the copy has the files"},
		{
			name: "co_author", owners: []string{"member_id"}, kept: []string{"member_id"}, why: keptNumber,
			always: []string{"DELETE FROM co_author WHERE member_id = $1 AND state <> 'accepted'"},
		},
		{
			name: "entry", texts: []string{"answers"}, contributions: []string{"answers"}, why: keptNumber,
			removed: []string{"UPDATE entry SET answers = '{}' WHERE idea_id IN " + ofMember},
			secret:  "the copy has them with the member's ideas",
		},
		{
			name: "comment", owners: []string{"author_id"}, texts: []string{"body", "reason"}, contributions: []string{"body", "reason"},
			removed: []string{"UPDATE comment SET body = '–', reason = '' WHERE author_id = $1"}, kept: []string{"author_id"}, why: keptNumber,
		},
		{
			name: "topic", owners: []string{"author_id"}, texts: []string{"title", "body", "reason"}, contributions: []string{"title", "body", "reason"},
			removed: []string{"UPDATE topic SET title = '–', body = '–', reason = '', state = 'hidden' WHERE author_id = $1"},
			kept:    []string{"author_id"}, why: keptNumber,
		},
		{
			name: "topic_reply", owners: []string{"author_id"}, texts: []string{"body", "reason"}, contributions: []string{"body", "reason"},
			removed: []string{"UPDATE topic_reply SET body = '–', reason = '', hidden = true, pending = false WHERE author_id = $1"},
			kept:    []string{"author_id"}, why: keptNumber,
		},
		{
			name: "report", owners: []string{"member_id"}, texts: []string{"reason"},
			always: []string{"UPDATE report SET reason = '' WHERE member_id = $1"}, kept: []string{"member_id"}, why: keptNumber,
		},
		{
			name: "jury_part", owners: []string{"juror_id"}, texts: []string{"reason"},
			always: []string{"UPDATE jury_part SET reason = '' WHERE juror_id = $1"}, kept: []string{"juror_id"}, why: keptNumber,
		},
		{
			// What waits of a topic or reply that is emptied has nothing left to be looked at.
			name: "moderation_item", owners: []string{"decided_by"}, kept: []string{"decided_by"}, why: keptNumber,
			removed: []string{`DELETE FROM moderation_item WHERE decided_at IS NULL AND (topic_id IN (SELECT id FROM topic WHERE author_id = $1)
				OR reply_id IN (SELECT id FROM topic_reply WHERE author_id = $1))`},
		},
		{name: "official_answer", owners: []string{"author_id"}, texts: []string{"body"}, kept: []string{"author_id", "body"}, why: keptBrand},
		{name: "announcement", owners: []string{"author_id"}, texts: []string{"title", "body"}, kept: []string{"author_id", "title", "body"}, why: keptBrand},
		{name: "decision", owners: []string{"decided_by"}, texts: []string{"reason", "ties"}, kept: []string{"decided_by", "reason", "ties"}, why: keptBrand},
	}
	for name, owner := range map[string]string{
		"support": "member_id", "parked_support": "member_id", "ballot_vote": "member_id", "ballot_voter": "member_id", "participant": "member_id",
		"application_vote": "member_id", "comment_thanks": "member_id", "idea_view": "member_id", "jury_score": "juror_id",
		"objective_value": "entered_by",
	} {
		all = append(all, stays(name, owner))
	}
	return all
}

// methodTables hold what a member took part in. Responses lose their name.
func methodTables() []personalTable {
	return []personalTable{
		{name: "application_score", owners: []string{"juror_id"}, texts: []string{"points"}, always: []string{"DELETE FROM application_score WHERE juror_id = $1"}},
		deleted("application", "answers", "segments", "reason"), deleted("challenge_role"), deleted("survey_participation"), deleted("exposure"),
		deleted("workshop_registration"), // see eraseRegistrations
		{
			name: "survey_response", owners: []string{"member_id"}, texts: []string{"answers", "segments"},
			always: []string{"UPDATE survey_response SET member_id = NULL WHERE member_id = $1"},
			kept:   []string{"answers", "segments"}, why: "a response without a name is anonymous",
		},
		{
			name: "diary_entry", owners: []string{"member_id"}, texts: []string{"body"}, contributions: []string{"member_id", "body"},
			removed: []string{"DELETE FROM diary_entry WHERE member_id = $1"}, why: keptNumber,
		},
		{
			name: "bug_report", owners: []string{"member_id"}, texts: []string{"title", "steps", "answer"}, contributions: []string{"member_id", "title", "steps", "answer"},
			removed: []string{"DELETE FROM bug_report WHERE member_id = $1"}, why: keptNumber,
		},
		{
			name: "tester", owners: []string{"member_id"}, texts: []string{"tracking"}, contributions: []string{"member_id"}, why: keptNumber,
			always: []string{"UPDATE tester SET tracking = '' WHERE member_id = $1"}, removed: []string{"DELETE FROM tester WHERE member_id = $1"},
		},
		{
			name: "mission_result", owners: []string{"member_id"}, texts: []string{"body", "link", "feedback"},
			contributions: []string{"member_id", "body", "link", "feedback"}, removed: []string{"DELETE FROM mission_result WHERE member_id = $1"}, why: keptNumber,
		},
	}
}

// recognitionTables hold what a member has earned. What was paid stays in the books without a name.
func recognitionTables() []personalTable {
	unlinked := func(name string, kept ...string) personalTable {
		return personalTable{
			name: name, owners: append([]string{"member_id"}, kept...), kept: kept, why: keptNumber,
			always: []string{"UPDATE " + name + " SET member_id = NULL WHERE member_id = $1"},
		}
	}
	return []personalTable{
		{
			name: "points_entry", owners: []string{"member_id", "actor_id"}, always: []string{`UPDATE points_entry SET member_id = nullif(member_id, $1),
				actor_id = nullif(actor_id, $1) WHERE member_id = $1 OR actor_id = $1`},
		},
		deleted("points_total"), deleted("badge_award"),
		{
			name: "badge_step", owners: []string{"member_id", "actor_id"},
			always: []string{"DELETE FROM badge_step WHERE member_id = $1", "UPDATE badge_step SET actor_id = NULL WHERE actor_id = $1"},
		},
		unlinked("prize_award", "handed_over_by"), unlinked("royalty_share"), unlinked("payout", "approved_by", "paid_by"),
		stays("sales_import", "imported_by"),
		// An agreement of former authors has no force; the parts of the others tell nothing of who left.
		{
			name: "share_part", owners: []string{"member_id"}, always: []string{
				`UPDATE share_agreement SET ended_at = coalesce(ended_at, proposed_at) WHERE id IN (SELECT agreement_id FROM share_part WHERE member_id = $1)`,
				"DELETE FROM share_part WHERE member_id = $1",
			},
		},
		{name: "share_agreement", owners: []string{"proposed_by"}, always: []string{"UPDATE share_agreement SET proposed_by = NULL WHERE proposed_by = $1"}},
	}
}

// recordTables are those that others are found by: jobs, deliveries, events, the audit log, ideas, and the member.
func recordTables() []personalTable {
	return []personalTable{
		{
			name: "river_job", texts: []string{"args"}, secret: "what the service has still to do; it names the member alone",
			always: []string{`DELETE FROM river_job WHERE state <> 'running' AND (args->>'member' = $1::bigint::text
				OR kind = 'webhook' AND (args->>'delivery')::bigint IN ` + ofDeliveries + `)`},
		},
		{
			name: "webhook_delivery", texts: []string{"payload", "failure"}, secret: "copies of events, which the copy has",
			always: []string{"DELETE FROM webhook_delivery WHERE id IN " + ofDeliveries},
		},
		{
			// What is being dispatched waits for the member's row, so it must not be waited for: see sweepErased.
			name: "event", owners: []string{"actor_id", "subject_id"}, texts: []string{"data"}, always: []string{
				`UPDATE event SET actor_id = nullif(actor_id, $1), subject_id = nullif(subject_id, $1), data = data - '{reason,cause,tracking}'::text[]
					WHERE id IN (SELECT id FROM event WHERE actor_id = $1 OR subject_id = $1 FOR UPDATE SKIP LOCKED)`,
			},
		},
		{
			// What was decided stays, without the words about it.
			name: "audit", owners: []string{"actor_id", "subject_id"}, texts: []string{"detail"}, always: []string{
				"SELECT set_config('ideas.erasure', 'on', true)",
				`UPDATE audit SET actor_id = nullif(actor_id, $1),
					detail = CASE WHEN subject = 'member' AND subject_id = $1 THEN detail - '{reason,cause,note}'::text[] ELSE detail END
					WHERE actor_id = $1 OR subject = 'member' AND subject_id = $1`,
			},
			removed: []string{`UPDATE audit SET detail = detail - '{reason}'::text[] WHERE subject = 'idea' AND subject_id IN ` + ofMember + `
				OR subject = 'comment' AND subject_id IN (SELECT id FROM comment WHERE author_id = $1)
				OR subject = 'topic' AND subject_id IN (SELECT id FROM topic WHERE author_id = $1)`},
			kept: []string{"subject_id"}, why: keptNumber,
		},
		{
			// Drafts were nobody else's. An emptied idea keeps its row: what others wrote below it, and their votes, are theirs.
			name: "idea", owners: []string{"author_id"}, texts: []string{"title", "body", "slug", "tags", "reason"},
			always: []string{"DELETE FROM idea WHERE author_id = $1 AND state = 'draft'"},
			removed: []string{`UPDATE idea SET state = 'erased', title = '–', body = '–', slug = 'idea', tags = '{}', reason_code = '', reason = ''
				WHERE author_id = $1`},
			contributions: []string{"title", "body", "slug", "tags", "reason"}, kept: []string{"author_id"}, why: keptNumber,
		},
		{
			name: "member", owners: []string{"invited_by"}, texts: []string{"email", "name", "time_zone"}, secret: "the copy has the member's own row",
			kept: []string{"invited_by"}, why: keptNumber, // see emptyMember
		},
	}
}

// ofDeliveries are the deliveries of events that the member did, that concern the member, or an idea of theirs.
const ofDeliveries = `(SELECT d.id FROM webhook_delivery d JOIN event e ON e.id = d.event_id
	WHERE e.actor_id = $1 OR e.subject_id = $1 OR e.idea_id IN ` + ofMember + `)`

// mentionTexts are columns in which others may have named the member.
var mentionTexts = []struct{ table, column string }{
	{"idea", "body"}, {"idea_revision", "body"}, {"comment", "body"}, {"topic", "body"}, {"topic_reply", "body"}, {"official_answer", "body"},
}

// eraseMentions takes the member's name out of what others wrote.
func eraseMentions(ctx context.Context, tx pgx.Tx, member int64) (int64, error) {
	var rows int64
	link := `](/members/` + strconv.FormatInt(member, 10)
	pattern := `\[@[^\]\n]{1,80}\]\(/members/` + strconv.FormatInt(member, 10) + `(-[^)\s]{0,200})?\)`
	for _, t := range mentionTexts {
		tag, err := tx.Exec(ctx, fmt.Sprintf("UPDATE %s SET %s = regexp_replace(%[2]s, $1, '@–', 'g') WHERE strpos(%[2]s, $2) > 0 AND %[2]s ~ $1",
			t.table, t.column), pattern, link)
		if err != nil {
			return rows, fmt.Errorf("erase mentions from %s: %w", t.table, err)
		}
		rows += tag.RowsAffected()
	}
	return rows, nil
}

// eraseVisits takes the member out of those who have opened a page today; ideas/web makes the same bytes.
func eraseVisits(ctx context.Context, tx pgx.Tx, member int64) error {
	visitor := binary.BigEndian.AppendUint64(make([]byte, 8), uint64(member)) //nolint:gosec // the bits
	if _, err := tx.Exec(ctx, "DELETE FROM visit_day WHERE visitor = $1", visitor); err != nil {
		return fmt.Errorf("erase visits: %w", err)
	}
	return nil
}

// erasePrivateAnswers leaves of the answers to forms what everybody has read; what was said to the team alone goes.
func (s *Store) erasePrivateAnswers(ctx context.Context, tx pgx.Tx, member int64) error {
	rows, err := tx.Query(ctx, "SELECT e.idea_id, e.challenge_id, e.answers FROM entry e WHERE e.answers <> '{}' AND e.idea_id IN "+ofMember, member)
	if err != nil {
		return fmt.Errorf("read answers: %w", err)
	}
	type given struct {
		Idea, Challenge int64
		Answers         []byte
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[given])
	if err != nil {
		return fmt.Errorf("read answers: %w", err)
	}
	for _, one := range all {
		left := ideas.Answers{}
		var answers ideas.Answers
		if c := s.Programme(ctx).ChallengeByID(one.Challenge); c != nil && json.Unmarshal(one.Answers, &answers) == nil {
			left = c.PublicAnswers(answers)
		}
		if _, err := tx.Exec(ctx, "UPDATE entry SET answers = $2 WHERE idea_id = $1", one.Idea, left); err != nil {
			return fmt.Errorf("erase private answers: %w", err)
		}
	}
	return s.erasePrivateFiles(ctx, tx, member)
}

// erasePrivateFiles takes away the files that answer fields for the team alone.
func (s *Store) erasePrivateFiles(ctx context.Context, tx pgx.Tx, member int64) error {
	for _, c := range s.Programme(ctx).Challenges {
		for _, f := range c.Spec.Form {
			if !f.Private {
				continue
			}
			_, err := tx.Exec(ctx, `DELETE FROM attachment a USING idea i
				WHERE i.id = a.idea_id AND i.author_id = $1 AND i.challenge_id = $2 AND a.field = $3`, member, c.ID, f.Name)
			if err != nil {
				return fmt.Errorf("erase private files: %w", err)
			}
		}
	}
	return nil
}

// eraseRegistrations gives the member's places in workshops to those who wait.
func (s *Store) eraseRegistrations(ctx context.Context, tx pgx.Tx, member int64) error {
	for _, c := range s.Programme(ctx).Challenges {
		if c.Spec.Workshop == nil {
			continue
		}
		for _, session := range c.Spec.Workshop.Sessions {
			if err := s.freePlace(ctx, tx, c, session, member); err != nil {
				return fmt.Errorf("free the places of somebody erased: %w", err)
			}
		}
	}
	return nil
}
