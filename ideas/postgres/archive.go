package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// StoreArchive stores an archive beside what is there. What it holds of an earlier time is left as it is, so storing it twice
// adds nothing. It returns the number of new ideas.
func (s *Store) StoreArchive(ctx context.Context, a ideas.Archive) (added int, err error) {
	err = s.transact(ctx, "store an archive", func(tx pgx.Tx) error {
		members := make([]int64, len(a.Members))
		for i, m := range a.Members {
			if members[i], err = archiveMember(ctx, tx, m); err != nil {
				return fmt.Errorf("store member %d: %w", i, err)
			}
		}
		for _, idea := range a.Ideas {
			isNew, err := archiveIdea(ctx, tx, members, idea)
			if err != nil {
				return fmt.Errorf("store idea %s: %w", idea.Key, err)
			}
			if isNew {
				added++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

func archiveMember(ctx context.Context, tx pgx.Tx, m ideas.ArchivedMember) (int64, error) {
	email, err := ideas.CleanEmail(m.Email)
	if err != nil {
		return 0, err
	}
	id, err := memberOfEmail(ctx, tx, email, m.Name, m.Locale)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, "UPDATE member SET created_at = $2 WHERE id = $1 AND created_at > $2", id, m.CreatedAt)
	return id, err
}

func archiveIdea(ctx context.Context, tx pgx.Tx, members []int64, idea ideas.ArchivedIdea) (isNew bool, err error) {
	title, err := ideas.CleanTitle(idea.Title)
	if err != nil {
		return false, err
	}
	body, err := ideas.CleanBody(idea.Body)
	if err != nil {
		return false, err
	}
	tag, err := tx.Exec(ctx, `INSERT INTO idea (author_id, submission_key, slug, title, body, state, created_at, updated_at, published_at, state_at)
		VALUES ($1, $2, $3, $4, $5, 'gathering', $6, $6, $6, $6) ON CONFLICT (author_id, submission_key) DO NOTHING`,
		members[idea.Author], idea.Key, ideas.Slug(title), title, body, idea.CreatedAt)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	var id int64
	if err := tx.QueryRow(ctx, "SELECT id FROM idea WHERE author_id = $1 AND submission_key = $2", members[idea.Author], idea.Key).Scan(&id); err != nil {
		return false, err
	}
	supporters, times := make([]int64, len(idea.Supports)), make([]time.Time, len(idea.Supports))
	for i, support := range idea.Supports {
		supporters[i], times[i] = members[support.Member], support.CreatedAt
	}
	if _, err := tx.Exec(ctx, `INSERT INTO support (idea_id, member_id, created_at)
		SELECT $1, m, t FROM unnest($2::bigint[], $3::timestamptz[]) AS rows (m, t) ON CONFLICT DO NOTHING`, id, supporters, times); err != nil {
		return false, err
	}
	for _, c := range idea.Comments {
		body, err := ideas.CleanComment(c.Body)
		if err != nil {
			return false, err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO comment (idea_id, author_id, submission_key, body, created_at)
			VALUES ($1, $2, $3, $4, $5) ON CONFLICT (author_id, idea_id, submission_key) DO NOTHING`,
			id, members[c.Author], c.Key, body, c.CreatedAt); err != nil {
			return false, err
		}
	}
	return true, nil
}
