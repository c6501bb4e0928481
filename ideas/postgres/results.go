package postgres

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// ballotLock is shared by who votes and taken alone by who closes a vote; the trigger count_ballots knows it too.
const ballotLock = 5

// closeVote ends a vote: it forgets the key of the pseudonyms, publishes the result and draws up the shortlist.
func (s *Store) closeVote(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, now time.Time) error {
	// Many ballots take longer to write than any page may take.
	if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = '5min'"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, $2)", ballotLock, int32(c.ID)); err != nil { //nolint:gosec // as the trigger counts
		return fmt.Errorf("wait for votes under way: %w", err)
	}
	closedAt := now
	if end, ok := c.VoteEnd(); ok && end.Before(now) {
		closedAt = end
	}
	// UPDATE ... RETURNING gives the new row, so the key is read before it is forgotten.
	var key []byte
	if err := tx.QueryRow(ctx, "SELECT key FROM ballot WHERE challenge_id = $1 AND closed_at IS NULL FOR UPDATE", c.ID).Scan(&key); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE ballot SET key = NULL, closed_at = $2 WHERE challenge_id = $1", c.ID, closedAt); err != nil {
		return err
	}
	if err := gatherBallots(ctx, tx, c, key); err != nil {
		return fmt.Errorf("gather the ballots: %w", err)
	}
	ranked, err := rankGathered(ctx, tx, c)
	if err != nil {
		return fmt.Errorf("rank the entries: %w", err)
	}
	if err := s.publishResult(ctx, tx, c, ranked, closedAt); err != nil {
		return fmt.Errorf("publish the result: %w", err)
	}
	if _, err := tx.Exec(ctx, "DROP TABLE pg_temp.closing_vote, pg_temp.closing_entry"); err != nil {
		return err
	}
	return s.shortlist(ctx, tx, c, ranked)
}

// gatherBallots copies the ballots that count under their pseudonyms, so that the ranking and the published ballots are
// of one moment.
func gatherBallots(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, key []byte) error {
	_, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE closing_entry ON COMMIT DROP AS SELECT i.id AS idea_id, i.title FROM idea i
		WHERE i.challenge_id = `+fmt.Sprint(c.ID)+` AND i.state IN ('gathering', 'qualified', 'under_review', 'shortlisted')`)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "CREATE TEMPORARY TABLE closing_vote (voter text NOT NULL, idea_id bigint NOT NULL, day text NOT NULL, points integer NOT NULL) ON COMMIT DROP")
	if err != nil {
		return err
	}
	inner, outer := hmacPads(key)
	votes := `SELECT member_id, idea_id, CASE WHEN day = '-infinity' THEN '' ELSE day::text END AS day, points FROM ballot_vote WHERE challenge_id = $3`
	if c.Plain() {
		votes = "SELECT s.member_id, s.idea_id, '' AS day, 1 AS points FROM support s JOIN tally t ON t.idea_id = s.idea_id WHERE t.challenge_id = $3"
	}
	_, err = tx.Exec(ctx, `INSERT INTO closing_vote
		SELECT encode(substr(sha256($2::bytea || sha256($1::bytea || int8send(v.member_id))), 1, 16), 'hex'), v.idea_id, v.day, v.points
		FROM (`+votes+`) v WHERE v.idea_id IN (SELECT idea_id FROM closing_entry)`, inner, outer, c.ID)
	return err
}

// hmacPads are the two keys of HMAC-SHA-256, from which the database makes the same pseudonyms as ideas.Pseudonym does.
func hmacPads(key []byte) (inner, outer []byte) {
	inner, outer = bytes.Repeat([]byte{0x36}, sha256.BlockSize), bytes.Repeat([]byte{0x5c}, sha256.BlockSize)
	for i, b := range key {
		inner[i] ^= b
		outer[i] ^= b
	}
	return inner, outer
}

func rankGathered(ctx context.Context, tx pgx.Tx, c *ideas.Challenge) ([]ideas.RankedEntry, error) {
	rows, err := tx.Query(ctx, `SELECT e.idea_id, e.title, count(v.voter), coalesce(sum(v.points), 0) FROM closing_entry e
		LEFT JOIN closing_vote v ON v.idea_id = e.idea_id GROUP BY e.idea_id, e.title`)
	if err != nil {
		return nil, err
	}
	titles, placings := map[int64]string{}, []ideas.Placing{}
	var p ideas.Placing
	var title string
	_, err = pgx.ForEachRow(rows, []any{&p.Entry, &title, &p.Votes, &p.Points}, func() error {
		placings, titles[p.Entry] = append(placings, p), title
		return nil
	})
	if err != nil {
		return nil, err
	}
	var ranked []ideas.RankedEntry
	for _, p := range ideas.RulesOf(c.Ballot()).Rank(placings) {
		ranked = append(ranked, ideas.RankedEntry{Placing: p, Title: titles[p.Entry]})
	}
	return ranked, nil
}

// publishResult writes the file that anybody can recompute the ranking from.
func (s *Store) publishResult(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, ranked []ideas.RankedEntry, closedAt time.Time) error {
	head := ideas.ResultHead{Challenge: c.Name, UID: c.UID, Ballot: c.Ballot(), ClosedAt: closedAt}
	if err := tx.QueryRow(ctx, "SELECT count(DISTINCT voter) FROM closing_vote").Scan(&head.Voters); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "SELECT voter, idea_id, day, points FROM closing_vote ORDER BY voter COLLATE \"C\", idea_id, day")
	if err != nil {
		return err
	}
	defer rows.Close()
	var file bytes.Buffer
	packed := gzip.NewWriter(&file)
	counted := &counter{w: packed}
	hash, err := ideas.WriteResult(counted, head, ranked, nextBallot(rows))
	if err = errors.Join(err, packed.Close()); err != nil {
		return err
	}
	rows.Close()
	_, err = tx.Exec(ctx, `INSERT INTO ballot_result (challenge_id, closed_at, sha256, bytes, voters, file) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.ID, closedAt, hash, counted.n, head.Voters, file.Bytes())
	if err != nil {
		return err
	}
	e := ideas.Event{Kind: ideas.EventBallotClosed, Challenge: c.ID, Data: map[string]any{"sha256": hash}}
	return s.recordEvents(ctx, tx, e)
}

// nextBallot gives the votes of one voter after the other.
func nextBallot(rows pgx.Rows) func() (string, []ideas.BallotVote, bool, error) {
	var waiting *ideas.BallotVote
	return func() (string, []ideas.BallotVote, bool, error) {
		var votes []ideas.BallotVote
		if waiting != nil {
			votes, waiting = append(votes, *waiting), nil
		}
		for rows.Next() {
			var v ideas.BallotVote
			if err := rows.Scan(&v.Voter, &v.Entry, &v.Day, &v.Points); err != nil {
				return "", nil, false, err
			}
			if len(votes) > 0 && votes[0].Voter != v.Voter {
				waiting = &v
				return votes[0].Voter, votes, true, nil
			}
			votes = append(votes, v)
		}
		if err := rows.Err(); err != nil || len(votes) == 0 {
			return "", nil, false, err
		}
		return votes[0].Voter, votes, true, nil
	}
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// shortlist marks what goes on to the jury: as many as the ballot says, and all that stand equal with the last.
func (s *Store) shortlist(ctx context.Context, tx pgx.Tx, c *ideas.Challenge, ranked []ideas.RankedEntry) error {
	places := c.Ballot().Shortlist
	if places == 0 {
		if c.Spec.Jury == nil {
			return nil
		}
		_, err := tx.Exec(ctx, "UPDATE entry e SET shortlisted = true FROM idea i WHERE i.id = e.idea_id AND e.challenge_id = $1 AND i.visible", c.ID)
		return err
	}
	placings := make([]ideas.Placing, len(ranked))
	for i, r := range ranked {
		placings[i] = r.Placing
	}
	for _, p := range ideas.Shortlist(placings, places) {
		var state ideas.State
		if err := tx.QueryRow(ctx, "SELECT state FROM idea WHERE id = $1", p.Entry).Scan(&state); err != nil {
			return err
		}
		if state == ideas.StateShortlisted {
			continue
		}
		if err := s.moveAsService(ctx, tx, p.Entry, ideas.StateShortlisted, ideas.Reason{Code: ideas.ReasonBallot}); err != nil {
			return err
		}
	}
	return nil
}

// Result implements ideas.ChallengeStore.
func (s *Store) Result(ctx context.Context, c *ideas.Challenge) (ideas.PublishedResult, error) {
	var r ideas.PublishedResult
	pool, err := s.db()
	if err != nil {
		return r, err
	}
	err = pool.QueryRow(ctx, "SELECT closed_at, sha256, bytes, voters FROM ballot_result WHERE challenge_id = $1", c.ID).Scan(&r.ClosedAt, &r.SHA256, &r.Bytes, &r.Voters)
	if err != nil {
		return r, s.failed("read a vote's result", err)
	}
	return r, nil
}

// resultChunk is as much of a result as is read at once, in bytes.
const resultChunk = 1 << 20

// WriteResult implements ideas.ChallengeStore.
func (s *Store) WriteResult(ctx context.Context, c *ideas.Challenge, w io.Writer) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	chunks := &chunkReader{next: func(from int) (chunk []byte, err error) {
		err = pool.QueryRow(ctx, "SELECT substr(file, $2, $3) FROM ballot_result WHERE challenge_id = $1", c.ID, from+1, resultChunk).Scan(&chunk)
		return chunk, err
	}}
	file, err := gzip.NewReader(chunks)
	if err != nil {
		return s.failed("read a vote's result", err)
	}
	// What is packed was written by this service.
	if _, err := io.Copy(w, file); err != nil { //nolint:gosec // see above
		return fmt.Errorf("write a vote's result: %w", err)
	}
	return nil
}

// chunkReader reads what comes in pieces.
type chunkReader struct {
	next    func(from int) ([]byte, error)
	from    int
	waiting []byte
}

// Read implements io.Reader.
func (r *chunkReader) Read(p []byte) (int, error) {
	if len(r.waiting) == 0 {
		chunk, err := r.next(r.from)
		if err != nil {
			return 0, err
		}
		if len(chunk) == 0 {
			return 0, io.EOF
		}
		r.from, r.waiting = r.from+len(chunk), chunk
	}
	n := copy(p, r.waiting)
	r.waiting = r.waiting[n:]
	return n, nil
}

// leaveOver decides what a decided challenge leaves over: entries that did not win are told so, some at a time.
func (s *Store) leaveOver(ctx context.Context, c *ideas.Challenge) error {
	if c.DecidedAt.IsZero() || c.Spec.Type != control.TypeContest {
		return nil
	}
	for {
		n := 0
		err := s.transact(ctx, "tell entries that they were not selected", func(tx pgx.Tx) error {
			ids, err := queryIDs(ctx, tx, `SELECT i.id FROM idea i WHERE i.challenge_id = $1 AND i.state IN ('gathering', 'qualified', 'under_review', 'shortlisted')
				AND NOT EXISTS (SELECT FROM winner w WHERE w.idea_id = i.id) ORDER BY i.id LIMIT $2 FOR UPDATE OF i SKIP LOCKED`, c.ID, climbBatch)
			if err != nil {
				return err
			}
			n = len(ids)
			var reason string
			if err := tx.QueryRow(ctx, "SELECT left(reason, $2) FROM decision WHERE challenge_id = $1", c.ID, ideas.MaxReason).Scan(&reason); err != nil {
				return err
			}
			for _, id := range ids {
				if err := s.moveAsService(ctx, tx, id, ideas.StateNotSelected, ideas.Reason{Code: ideas.ReasonJury, Text: reason}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < climbBatch {
			return err
		}
	}
}
