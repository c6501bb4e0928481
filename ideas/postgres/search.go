package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/riverqueue/river"
)

// Searches find every idea that holds the words, in the order asked for, whatever way they take:
//
//   - By the search index: a narrow row of the table search is read for each idea that holds the words, and what comes first is
//     kept. That costs by the number of ideas found, and is the way for words that few ideas hold.
//   - Along the list: ideas are looked at in the list's order until the page is full. Most are passed by for their signature,
//     a few bits beside the counters. That costs less the more ideas hold the words.
//
// Which way is taken is guessed from how frequent the words are, see read_search in the migrations. A list that was looked
// through for long in vain is left, and the index used: a search reads at most walkDepth rows of the list, and rarely more
// rows by the index than those of words that few ideas hold.
const (
	// walkDepth bounds the ideas that are looked at along the list, looseDepth those that are where no signature tells.
	walkDepth  = 3000
	looseDepth = 500
	// walkFrom is where looking along the list overtakes the index: share * share * ideas.
	walkFrom = 40
)

// searchKind is what is known of the words of what a search finds.
type searchKind int

const (
	// searchAll finds ideas that hold all of the words.
	searchAll searchKind = iota
	// searchLoose has operators: ideas may lack words that are named.
	searchLoose
	// searchOdd has characters that nothing is known of.
	searchOdd
)

// kindOfSearch knows the operators of websearch_to_tsquery: a minus sign before a word, and "or".
func kindOfSearch(words string) searchKind {
	loose := func(word string) bool {
		return strings.HasPrefix(word, "-") || strings.EqualFold(strings.Trim(word, `"`), "or")
	}
	odd := func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.Nd, unicode.M, unicode.Z) && !strings.ContainsRune(`'’"`, r)
	}
	switch fields := strings.Fields(words); {
	case slices.ContainsFunc(fields, loose):
		return searchLoose
	case strings.ContainsFunc(words, odd):
		return searchOdd
	}
	return searchAll
}

// reading is how the database reads words, and what it expects to find.
type reading struct {
	kind  searchKind
	query string
	// share and ideas: the share of how many ideas that holds the words.
	share, ideas float64
	// signatures of the words in each language in which they differ.
	signatures []pgtype.Bits
	until      time.Time
}

// walk is the depth to which the list is looked through; 0 where the index is the better way.
func (r *reading) walk() int {
	switch {
	case r.kind == searchLoose:
		return looseDepth
	case r.kind == searchAll && r.share*r.share*r.ideas > walkFrom:
		return walkDepth
	}
	return 0
}

// readings keeps how words were read, and what is known of them grows old slowly.
type readings struct {
	mutex sync.Mutex
	kept  map[string]*reading
}

const (
	readingKept = 10 * time.Minute
	// mostReadings bounds the memory that they take, a kilobyte each.
	mostReadings = 200
)

func (r *readings) find(words string, now time.Time) *reading {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if found := r.kept[words]; found != nil && found.until.After(now) {
		return found
	}
	return nil
}

func (r *readings) keep(words string, read *reading) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.kept == nil || len(r.kept) >= mostReadings {
		r.kept = map[string]*reading{}
	}
	r.kept[words] = read
}

// readWords asks the database how it reads words, unless that is known.
func (s *Store) readWords(ctx context.Context, pool querier, words string) (*reading, error) {
	now := s.config.Clock()
	if known := s.readings.find(words, now); known != nil {
		return known, nil
	}
	r := &reading{kind: kindOfSearch(words), until: now.Add(readingKept)}
	signatures := make([]pgtype.Bits, 3)
	err := pool.QueryRow(ctx, `SELECT query::text, coalesce(share, 0), coalesce((SELECT sum(n) FROM total WHERE kind = 'ideas'), 0)::float8, simple, french, english
		FROM read_search($1)`, words).Scan(&r.query, &r.share, &r.ideas, &signatures[0], &signatures[1], &signatures[2])
	if err != nil {
		return nil, fmt.Errorf("read the words of a search: %w", err)
	}
	r.signatures = slices.DeleteFunc(signatures, func(b pgtype.Bits) bool { return !b.Valid })
	s.readings.keep(words, r)
	return r, nil
}

// search finds what a list is searched for.
func (s *Store) search(ctx context.Context, pool querier, l listing) (listed, error) {
	words, err := s.readWords(ctx, pool, l.words)
	if err != nil {
		return listed{}, err
	}
	if depth := words.walk(); depth > 0 {
		if walked, err := readList(ctx, pool, l.walkQuery(words, depth)); err != nil || len(walked.ideas) == l.size {
			return walked, err
		}
	}
	return readList(ctx, pool, l.indexQuery(words))
}

// walkQuery looks through the list.
func (l listing) walkQuery(words *reading, depth int) statement {
	args := append(slices.Clone(l.args), words.query)
	query := fmt.Sprintf("(SELECT $%d::text::tsquery)", len(args)) // in a subquery it is read once
	likely := "true"
	if words.kind == searchAll {
		var any []string
		for _, signature := range words.signatures {
			args = append(args, signature)
			any = append(any, fmt.Sprintf("w.signature & $%[1]d = $%[1]d", len(args)))
		}
		likely = "(" + strings.Join(any, " OR ") + ")"
	}
	key, _, _ := strings.Cut(l.position, ",")
	return l.pageOf(fmt.Sprintf(`SELECT w.idea_id FROM (SELECT t.idea_id, t.signature, %s AS key FROM %s WHERE %s%s%s LIMIT %d) w
		WHERE %s AND (SELECT true%s AND s.document @@ %s FROM search s WHERE s.idea_id = w.idea_id) ORDER BY w.key DESC, w.idea_id DESC`,
		key, l.tables, l.visible, l.from(l.position), descending(l.position), depth, likely, l.filter("s"), query), args)
}

// indexQuery asks the search index.
func (l listing) indexQuery(words *reading) statement {
	args := append(slices.Clone(l.args), words.query)
	return l.pageOf(fmt.Sprintf("SELECT s.idea_id FROM search s WHERE s.document @@ (SELECT $%d::text::tsquery) AND s.visible%s%s%s",
		len(args), l.filter("s"), l.from(l.found), descending(l.found)), args)
}

// pageOf are the first ideas that a query finds.
func (l listing) pageOf(query string, args []any) statement {
	return statement{fmt.Sprintf("WITH page AS MATERIALIZED (%s LIMIT %d) SELECT %s FROM page JOIN tally t USING (idea_id) JOIN idea i ON i.id = t.idea_id JOIN member m ON m.id = i.author_id%s",
		query, l.size, ideaColumns, descending(l.position)), args}
}

// frequentShare is the least share of the ideas that makes a word frequent.
const frequentShare = 0.005

// frequentEvery is how often the frequent words are looked up.
const frequentEvery = 10 * time.Minute

// LearnFrequentWords copies from the planner's statistics which words many ideas hold.
func (s *Store) LearnFrequentWords(ctx context.Context) error {
	pool, err := s.db()
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, `WITH counted AS MATERIALIZED (
			SELECT e.word, e.share FROM pg_stats p, unnest(p.most_common_elems::text::text[], p.most_common_elem_freqs) AS e (word, share)
			WHERE p.schemaname = $1 AND p.tablename = 'search' AND p.attname = 'document' AND e.word IS NOT NULL AND e.share BETWEEN $2 AND 1),
		rare AS (DELETE FROM frequent_word f WHERE NOT EXISTS (SELECT FROM counted c WHERE c.word = f.word))
		INSERT INTO frequent_word AS f SELECT word, share FROM counted
		ON CONFLICT (word) DO UPDATE SET share = excluded.share WHERE f.share <> excluded.share`, Schema, frequentShare)
	return s.wrapped("learn the frequent words", err)
}

// frequentWordsArgs is the periodic job that learns the frequent words.
type frequentWordsArgs struct{}

// Kind implements river.JobArgs.
func (frequentWordsArgs) Kind() string { return "frequent_words" }

func (s *Store) searchJobs() Jobs {
	return Jobs{
		Register: func(workers *river.Workers) {
			river.AddWorker(workers, worker("learn the frequent words", func(ctx context.Context, _ frequentWordsArgs) error { return s.LearnFrequentWords(ctx) }))
		},
		Periodic: []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(frequentEvery), func() (river.JobArgs, *river.InsertOpts) {
			return frequentWordsArgs{}, &river.InsertOpts{MaxAttempts: 1}
		}, &river.PeriodicJobOpts{RunOnStart: true})},
	}
}
