package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// Bounds of what is looked at to find similar ideas.
const (
	// frequentWord is in so many ideas that it tells nothing; the vocabulary counts no further.
	frequentWord = 1000
	// mostCandidates bounds the ideas whose titles are compared.
	mostCandidates = 300
	// mostWords bounds the words of a title or a search that are looked up.
	mostWords = 12
)

// vocabulary looks up the words that a text is made of: each with the closest word that ideas hold (itself where they
// do) and in how many; empty where nothing is close. Trigrams at a word's borders are in too many words to search by.
const vocabulary = `SELECT typed.w, coalesce(found.word, ''), coalesce(found.ideas, 0)
	FROM (SELECT w FROM words_of($1) AS w LIMIT $2) typed LEFT JOIN LATERAL (
		(SELECT word, ideas, 2 AS score FROM word WHERE word = typed.w AND ideas > 0)
		UNION ALL
		(SELECT word, ideas, score FROM (
			SELECT word, ideas, shared.n::float8 / (cardinality(trigrams) + cardinality(trigrams(typed.w)) - shared.n) AS score
			FROM word, LATERAL (SELECT count(*) AS n FROM unnest(trigrams) AS g WHERE g = ANY (trigrams(typed.w))) shared
			WHERE length(typed.w) >= 4 AND NOT EXISTS (SELECT FROM word k WHERE k.word = typed.w AND k.ideas > 0)
				AND trigrams && ARRAY(SELECT substr(typed.w, n, 3) FROM generate_series(1, length(typed.w) - 2) AS n)
				AND length(word) BETWEEN length(typed.w) - 2 AND length(typed.w) + 2 AND ideas > 0) close
			WHERE score >= 0.3 ORDER BY score DESC, ideas DESC, word LIMIT 1)
		ORDER BY score DESC LIMIT 1) found ON true`

// knownWord is a word of a text and the closest one that ideas hold.
type knownWord struct {
	typed, word string
	ideas       int
}

func lookUpWords(ctx context.Context, q querier, text string) ([]knownWord, error) {
	rows, err := q.Query(ctx, vocabulary, text, mostWords)
	if err != nil {
		return nil, fmt.Errorf("look words up: %w", err)
	}
	words, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (knownWord, error) {
		var k knownWord
		err := row.Scan(&k.typed, &k.word, &k.ideas)
		return k, err
	})
	if err != nil {
		return nil, fmt.Errorf("look words up: %w", err)
	}
	return words, nil
}

// correct is a search with its slips of the keyboard put right, empty where there is none.
func (s *Store) correct(ctx context.Context, search string) (string, error) {
	pool, err := s.db()
	if err != nil {
		return "", err
	}
	words, err := lookUpWords(ctx, pool, search)
	if err != nil {
		return "", s.failed("correct a search", err)
	}
	var corrected []string
	changed := false
	for _, k := range words {
		if k.word == "" || k.word == k.typed {
			corrected = append(corrected, k.typed) // perhaps another form of a word
			continue
		}
		corrected, changed = append(corrected, k.word), true
	}
	if !changed {
		return "", nil
	}
	return strings.Join(corrected, " "), nil
}

// SimilarIdeas implements ideas.SimilarStore.
func (s *Store) SimilarIdeas(ctx context.Context, title string, except int64) ([]ideas.Idea, error) {
	title, err := ideas.CleanTitle(title)
	if field := (*ideas.FieldError)(nil); errors.As(err, &field) {
		return nil, nil // nothing yet, or more than a title
	}
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	words, err := lookUpWords(ctx, pool, title)
	if err != nil {
		return nil, s.failed("find similar ideas", err)
	}
	query := rareWords(words)
	if query == "" {
		return nil, nil
	}
	rows, err := pool.Query(ctx, "SELECT "+ideaColumns+ideaTables+` WHERE t.visible AND i.id IN (
			SELECT idea_id FROM search WHERE document @@ to_tsquery('pg_catalog.simple', $2) AND visible
				AND (challenge_id IS NULL OR challenge_id <> ALL ($5)) LIMIT $3) AND i.id <> $4`,
		int64(0), query, mostCandidates, except, s.apart(ctx, 0))
	if err != nil {
		return nil, s.failed("find similar ideas", err)
	}
	candidates, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Idea, error) {
		idea, _, err := scanIdea(row)
		return idea, err
	})
	if err != nil {
		return nil, s.failed("find similar ideas", err)
	}
	return ideas.MostSimilar(title, candidates), nil
}

// rareWords is a query for ideas that hold one of the words that not too many hold, the rarest first as long as few ideas
// are to be looked at. Where all are frequent it asks for all of them. Words are of letters alone, see words_of.
func rareWords(words []knownWord) string {
	var rare, frequent []string
	sum := 0
	for len(words) > 0 {
		least := 0
		for i, k := range words {
			if k.ideas < words[least].ideas {
				least = i
			}
		}
		k := words[least]
		words = append(words[:least:least], words[least+1:]...)
		switch {
		case k.word == "":
		case k.ideas >= frequentWord:
			frequent = append(frequent, k.word)
		case len(rare) == 0 || sum+k.ideas <= mostCandidates:
			rare, sum = append(rare, k.word), sum+k.ideas
		}
	}
	if len(rare) > 0 {
		return strings.Join(rare, " | ")
	}
	return strings.Join(frequent, " & ")
}
