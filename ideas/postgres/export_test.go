package postgres

import (
	"context"

	"github.com/quaeso/community-operator/ideas"
)

// Parts that are tested by themselves.
var RemoveExpired = removeExpired

// WalkDepth bounds the ideas that a search looks at along a list.
const WalkDepth = walkDepth

// ListStatements are what a list asks in turn, until one has filled the page.
func (s *Store) ListStatements(ctx context.Context, viewer int64, q ideas.Query) (sql []string, args [][]any, err error) {
	l, err := newListing(viewer, q)
	if err != nil {
		return nil, nil, err
	}
	statements := []statement{l.query()}
	if l.words != "" {
		pool, err := s.db()
		if err != nil {
			return nil, nil, err
		}
		words, err := s.readWords(ctx, pool, l.words)
		if err != nil {
			return nil, nil, err
		}
		statements = []statement{l.indexQuery(words)}
		if depth := words.walk(); depth > 0 {
			statements = []statement{l.walkQuery(words, depth), l.indexQuery(words)}
		}
	}
	for _, one := range statements {
		sql, args = append(sql, one.sql), append(args, one.args)
	}
	return sql, args, nil
}
