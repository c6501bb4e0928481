package main

import (
	"context"
	"fmt"
	"html"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// pageKind is one sort of page and what its readers ask for.
type pageKind struct {
	name string
	// paths that readers choose from at random.
	paths []string
	// shows is what every page of the kind holds for a member.
	shows string
}

// measureReading asks for each kind of page in turn with all readers.
func (b *bench) measureReading(ctx context.Context) error {
	s, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	kinds, err := b.pageKinds(ctx, s)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		if err := b.measureKind(ctx, s, kind); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measureKind(ctx context.Context, s *service, kind pageKind) error {
	for _, path := range kind.paths[:min(3, len(kind.paths))] {
		text, err := s.get(ctx, 1, path)
		if err != nil {
			return err
		}
		if !strings.Contains(text, kind.shows) || !strings.Contains(text, "/sign-out") {
			return fmt.Errorf("check %s: the page shows no %q or no member", path, kind.shows)
		}
	}
	next := func(r *rand.Rand) request {
		return request{method: "GET", path: kind.paths[r.IntN(len(kind.paths))], member: 1 + r.Int64N(memberCount)}
	}
	if warm := load(ctx, s.pages, b.options.readers, b.options.duration/4, next); warm.err != nil {
		return fmt.Errorf("read %s: %w", kind.name, warm.err)
	}
	if err := b.forgetStatements(ctx); err != nil {
		return err
	}
	profiled := b.startProfile(s, strings.ReplaceAll(kind.name, " ", "-"), b.options.duration)
	before := b.times()
	o := load(ctx, s.pages, b.options.readers, b.options.duration, next)
	used := b.times().each(before, len(o.took))
	profiled()
	if o.err != nil {
		return fmt.Errorf("read %s: %w", kind.name, o.err)
	}
	b.report.AtMost(kind.name+": p50", o.quantile(0.5), longestMedian, " ms")
	b.report.AtMost(kind.name+": p99", o.quantile(0.99), longestP99, " ms")
	b.report.Detail("%s: %.0f a second; each took %s.", kind.name, o.rate(), used)
	progress("%s: p50 %.1f ms, p99 %.1f ms, %.0f/s; %s", kind.name, o.quantile(0.5), o.quantile(0.99), o.rate(), used)
	return b.checkStatements(ctx, kind.name, len(o.took))
}

// pageKinds finds out what there is to read: how the lists go on, what words are searched for, and ideas' addresses.
func (b *bench) pageKinds(ctx context.Context, s *service) ([]pageKind, error) {
	kinds := []pageKind{{name: "home", paths: []string{"/"}, shows: `class="card`}}
	for _, order := range []string{"trending", "newest", "top"} {
		paths, err := listPaths(ctx, s, "/ideas?order="+order)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, pageKind{name: "list, " + order, paths: paths, shows: `class="card`})
	}
	searches, err := b.searches(ctx)
	if err != nil {
		return nil, err
	}
	kinds = append(kinds, searches...)
	addresses, err := b.ideaPaths(ctx)
	if err != nil {
		return nil, err
	}
	return append(kinds, pageKind{name: "idea page", paths: addresses, shows: `class="vote-button`}), nil
}

var nextPage = regexp.MustCompile(`id="more"><a [^>]*href="([^"]+)"`)

// listPaths are a list's first pages. Half of the readers look at the first.
func listPaths(ctx context.Context, s *service, path string) ([]string, error) {
	paths := []string{path}
	for range 10 {
		text, err := s.get(ctx, 1, paths[len(paths)-1])
		if err != nil {
			return nil, err
		}
		next := nextPage.FindStringSubmatch(text)
		if next == nil {
			return nil, fmt.Errorf("read on from %s: the list ends", paths[len(paths)-1])
		}
		paths = append(paths, html.UnescapeString(next[1]))
	}
	return append(slices.Repeat([]string{path}, len(paths)-1), paths...), nil
}

// searches are for words of every frequency, in every order: what is costly depends on it.
func (b *bench) searches(ctx context.Context) ([]pageKind, error) {
	var kinds []pageKind
	for _, one := range []struct {
		name  string
		share [2]float64
	}{{"rare", [2]float64{0.00005, 0.0005}}, {"usual", [2]float64{0.002, 0.02}}, {"common", [2]float64{0.1, 1}}} {
		words, err := b.words(ctx, one.share)
		if err != nil {
			return nil, err
		}
		if len(words) == 0 {
			return nil, fmt.Errorf("find %s words to search for: there is none", one.name)
		}
		var paths []string
		for _, word := range words {
			for _, order := range []string{"", "&order=newest", "&order=top"} {
				paths = append(paths, "/ideas?q="+url.QueryEscape(word)+order)
			}
		}
		kinds = append(kinds, pageKind{name: "search, " + one.name + " words", paths: paths, shows: `class="card`})
	}
	var pairs []string
	words := strings.Fields(commonWords["en"])
	for i := range 20 {
		pairs = append(pairs, "/ideas?q="+url.QueryEscape(words[i]+" "+words[i+20]))
	}
	return append(kinds, pageKind{name: "search, two words", paths: pairs, shows: `class="card`}), nil
}

// words that are in a share of the ideas, as the search index counts them.
func (b *bench) words(ctx context.Context, share [2]float64) ([]string, error) {
	if _, err := b.admin.Exec(ctx, `CREATE TABLE IF NOT EXISTS public.bench_words AS
		SELECT word, ndoc FROM ts_stat('SELECT to_tsvector(''simple'', title || '' '' || body) FROM ideas.idea TABLESAMPLE SYSTEM (20) REPEATABLE (1)')
		WHERE char_length(word) >= 4`); err != nil {
		return nil, fmt.Errorf("count words: %w", err)
	}
	rows, err := b.admin.Query(ctx, `SELECT word FROM public.bench_words, (SELECT count(*) / 5.0 AS n FROM ideas.idea) AS all_ideas
		WHERE ndoc BETWEEN n * $1::float8 AND n * $2::float8 ORDER BY md5(word) LIMIT 20`, share[0], share[1])
	if err != nil {
		return nil, fmt.Errorf("choose words: %w", err)
	}
	defer rows.Close()
	var words []string
	for rows.Next() {
		var word string
		if err := rows.Scan(&word); err != nil {
			return nil, fmt.Errorf("choose words: %w", err)
		}
		words = append(words, word)
	}
	return words, rows.Err()
}

// ideaPaths are addresses of ideas: half of the readers look at those that many support, half at any.
func (b *bench) ideaPaths(ctx context.Context) ([]string, error) {
	rows, err := b.admin.Query(ctx, `(SELECT i.id, i.slug FROM ideas.idea i JOIN ideas.tally t ON t.idea_id = i.id ORDER BY t.supporters DESC LIMIT 1000)
		UNION ALL (SELECT id, slug FROM ideas.idea WHERE id % 100 = 7)`)
	if err != nil {
		return nil, fmt.Errorf("find ideas: %w", err)
	}
	defer rows.Close()
	var paths []string
	for rows.Next() {
		var id int64
		var slug string
		if err := rows.Scan(&id, &slug); err != nil {
			return nil, fmt.Errorf("find ideas: %w", err)
		}
		paths = append(paths, fmt.Sprintf("/ideas/%d-%s", id, slug))
	}
	return paths, rows.Err()
}

func (b *bench) forgetStatements(ctx context.Context) error {
	if _, err := b.admin.Exec(ctx, "SELECT public.pg_stat_statements_reset()"); err != nil {
		return fmt.Errorf("count statements anew: %w", err)
	}
	return nil
}

// checkStatements requires of every statement of requests since the last call to forgetStatements that it touched few
// blocks on average: one that read all votes would touch ten thousand. What runs in the background works on batches; it is
// told apart by how rarely it runs.
func (b *bench) checkStatements(ctx context.Context, name string, requests int) error {
	rows, err := b.admin.Query(ctx, `SELECT calls, total_exec_time * 1000 / calls, max_exec_time * 1000, total_plan_time * 1000 / calls,
			(shared_blks_hit + shared_blks_read) / calls::float8, rows / calls::float8, query
		FROM public.pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE r.rolname = $1 ORDER BY total_exec_time DESC`, ownerName)
	if err != nil {
		return fmt.Errorf("read the statements: %w", err)
	}
	defer rows.Close()
	var most float64
	var text strings.Builder
	fmt.Fprintf(&text, "== %s\n", name)
	for rows.Next() {
		var calls int64
		var mean, slowest, planned, blocks, returned float64
		var query string
		if err := rows.Scan(&calls, &mean, &slowest, &planned, &blocks, &returned, &query); err != nil {
			return fmt.Errorf("read the statements: %w", err)
		}
		if calls*20 >= int64(requests) {
			most = max(most, blocks)
		}
		fmt.Fprintf(&text, "%d calls, %.0f µs (at most %.0f), planned in %.0f µs, %.1f blocks, %.1f rows: %s\n",
			calls, mean, slowest, planned, blocks, returned, strings.Join(strings.Fields(query), " "))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the statements: %w", err)
	}
	limit := mostBlocks
	if strings.HasPrefix(name, "search") {
		limit = mostSearchBlocks
	}
	b.report.AtMost(name+": blocks touched by its costliest statement", most, limit, "")
	return b.writeStatements(text.String())
}

func (b *bench) writeStatements(text string) error {
	if b.options.serverLog == "" {
		return nil
	}
	f, err := os.OpenFile(b.options.serverLog, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write the statements: %w", err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%s %s\n", time.Now().Format(time.TimeOnly), text); err != nil {
		return fmt.Errorf("write the statements: %w", err)
	}
	return nil
}
