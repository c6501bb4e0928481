package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// maxSearch bounds the words of a search, in characters.
const maxSearch = 200

// How a search is run depends on how many ideas it finds, see searchQuery. The numbers are where one way overtakes the
// other with 100,000 ideas; make bench-ideas shows it.
const (
	// fewFound are sorted.
	fewFound = 450
	// broadSearch finds more than can be looked at.
	broadSearch = 3000
)

// listing is the part of a list's query that depends on its order. Each order has an index that holds the
// visible ideas in it.
type listing struct{ visible, position string }

var listings = map[ideas.Order]listing{
	ideas.OrderTrending: {visible: "t.visible", position: "t.trend, t.idea_id"},
	ideas.OrderTop:      {visible: "t.visible", position: "t.supporters, t.idea_id"},
	ideas.OrderNewest:   {visible: "i.visible", position: "i.created_at, i.id"},
}

// ListIdeas implements ideas.Store.
func (s *Store) ListIdeas(ctx context.Context, viewer int64, q ideas.Query) (ideas.Page, error) {
	if q.Order == "" {
		q.Order = ideas.OrderTrending
	}
	page, err := s.listIdeas(ctx, viewer, q)
	if err != nil || len(page.Ideas) > 0 || strings.TrimSpace(q.Search) == "" || q.After != "" {
		return page, err
	}
	// Nothing holds the words as they were typed.
	corrected, err := s.correct(ctx, q.Search)
	if err != nil || corrected == "" {
		return page, err
	}
	q.Search = corrected
	if page, err = s.listIdeas(ctx, viewer, q); err == nil && len(page.Ideas) > 0 {
		page.Corrected = corrected
	}
	return page, err
}

func (s *Store) listIdeas(ctx context.Context, viewer int64, q ideas.Query) (ideas.Page, error) {
	q.Apart = s.apart(ctx, viewer)
	query, args, err := listQuery(viewer, q, s.broad.known(searchKey(q), s.config.Clock()))
	if err != nil {
		return ideas.Page{}, err
	}
	pool, err := s.db()
	if err != nil {
		return ideas.Page{}, err
	}
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return ideas.Page{}, s.failed("list ideas", err)
	}
	var trends []float64
	broad := false
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Idea, error) {
		idea, trend, err := scanIdea(row, &broad)
		trends = append(trends, trend)
		return idea, err
	})
	if err != nil {
		return ideas.Page{}, s.failed("list ideas", err)
	}
	if broad {
		s.broad.learn(searchKey(q), s.config.Clock())
	}
	page := ideas.Page{Ideas: list}
	if limit := pageSize(q.Limit); len(list) > limit {
		page.Ideas = list[:limit]
		page.Next = cursorOf(q.Order, list[limit-1], trends[limit-1]).encode()
	}
	return page, nil
}

// listQuery asks for one row more than the page holds, which tells whether the list goes on. broad tells that the
// search is known to find very many ideas.
func listQuery(viewer int64, q ideas.Query, broad bool) (string, []any, error) {
	list, known := listings[q.Order]
	if !known {
		return "", nil, &ideas.FieldError{Field: "order", Code: "invalid"}
	}
	args := []any{viewer}
	from := ""
	if q.After != "" {
		c, err := decodeCursor(q.Order, q.After)
		if err != nil {
			return "", nil, err
		}
		args = append(args, c.argument(), c.id)
		from = fmt.Sprintf(" AND (%s) < ($%d, $%d)", list.position, len(args)-1, len(args))
	}
	filter, args, err := listFilter(q, args)
	if err != nil {
		return "", nil, err
	}
	// The number is part of the text: for an unknown one the planner would plan every call anew.
	order := fmt.Sprintf(" ORDER BY %s DESC LIMIT %d", strings.ReplaceAll(list.position, ",", " DESC,"), pageSize(q.Limit)+1)
	plain := "SELECT " + ideaColumns + ", false" + ideaTables + " WHERE " + list.visible + from + filter
	words := strings.TrimSpace(q.Search)
	if words == "" {
		return plain + order, args, nil
	}
	if utf8.RuneCountInString(words) > maxSearch {
		return "", nil, &ideas.FieldError{Field: "search", Code: "too_long", Limit: maxSearch}
	}
	args = append(args, strings.ToValidUTF8(strings.ReplaceAll(words, "\x00", ""), ""))
	// In a subquery the words are read once, and not for every idea.
	matches := fmt.Sprintf("i.document @@ (SELECT search_query($%d))", len(args)) + filter
	if broad {
		return plain + " AND " + walked(matches) + order, args, nil
	}
	return searchQuery(q.Order, from, order, matches), args, nil
}

// listFilter selects what has a theme, a tag or a state, with the conditions of the indexes that have them.
func listFilter(q ideas.Query, args []any) (string, []any, error) {
	var b strings.Builder
	if len(q.Apart) > 0 {
		args = append(args, q.Apart)
		fmt.Fprintf(&b, " AND (i.challenge_id IS NULL OR i.challenge_id <> ALL($%d))", len(args))
	}
	if q.Theme != "" {
		args = append(args, q.Theme)
		fmt.Fprintf(&b, " AND i.visible AND i.theme <> '' AND i.theme = $%d", len(args))
	}
	if q.Tag != "" {
		args = append(args, []string{q.Tag})
		fmt.Fprintf(&b, " AND i.visible AND i.tags <> '{}' AND i.tags @> $%d", len(args))
	}
	if q.State != "" {
		if !q.State.Published() {
			return "", nil, &ideas.FieldError{Field: "state", Code: "invalid"}
		}
		// Written out: the planner knows how many ideas have the state, and whether an index has them.
		fmt.Fprintf(&b, " AND i.visible AND i.state = '%s'", q.State)
	}
	return b.String(), args, nil
}

// searchKey is what a search is remembered by: its words and what it is limited to.
func searchKey(q ideas.Query) string {
	return strings.Join([]string{strings.TrimSpace(q.Search), q.Theme, q.Tag, string(q.State)}, "\n")
}

// walked is a condition that the planner cannot use an index for, and expects of half of the rows: it looks at ideas in
// the list's order until the page is full.
func walked(matches string) string { return "CASE WHEN " + matches + " THEN true END" }

// searchQuery finds by the search index first. The planner knows too little of words to choose, so what is done with
// the found is chosen by their number, when it is known: few are sorted; of many, the first in the list's order are
// taken; of too many, of which only some were looked at, nothing is used and ideas are looked at in the list's order.
func searchQuery(o ideas.Order, from, order, matches string) string {
	var few, many, most string
	if o == ideas.OrderNewest {
		few = fmt.Sprintf("SELECT i.id FROM found i WHERE (SELECT n FROM size) <= %d", broadSearch)
		most = "SELECT i.id FROM idea i WHERE i.visible"
	} else {
		few = fmt.Sprintf("SELECT t.idea_id FROM tally t WHERE (SELECT n FROM size) <= %d AND t.visible AND t.idea_id = ANY (ARRAY(SELECT id FROM found))", fewFound)
		// "IS TRUE" makes it a test of each idea, with a hash table of the found.
		many = fmt.Sprintf(` UNION ALL (SELECT t.idea_id FROM tally t WHERE (SELECT n FROM size) BETWEEN %d AND %d AND t.visible
			AND (t.idea_id IN (SELECT id FROM found)) IS TRUE%s%s)`, fewFound+1, broadSearch, from, order)
		most = "SELECT t.idea_id FROM tally t JOIN idea i ON i.id = t.idea_id WHERE t.visible"
	}
	most = fmt.Sprintf("%s AND (SELECT n FROM size) > %d AND %s", most, broadSearch, walked(matches))
	return fmt.Sprintf(`WITH found AS MATERIALIZED (SELECT i.id, i.created_at FROM idea i WHERE %s AND i.visible LIMIT %d),
		size AS MATERIALIZED (SELECT count(*) AS n FROM found),
		page (idea_id) AS ((%s%s%s)%s UNION ALL (%s%s%s))
		SELECT %s, (SELECT n FROM size) > %d FROM page JOIN tally t USING (idea_id) JOIN idea i ON i.id = t.idea_id
		JOIN member m ON m.id = i.author_id%s`,
		matches, broadSearch+1, few, from, order, many, most, from, order, ideaColumns, broadSearch, order)
}

// broadSearches remembers words that very many ideas hold, so that nobody looks for them in the search index in vain.
type broadSearches struct {
	mutex sync.Mutex
	until map[string]time.Time
}

const (
	broadFor = 10 * time.Minute
	// mostBroad bounds the memory that it takes; no language has more words that are so common.
	mostBroad = 500
)

func (b *broadSearches) known(words string, now time.Time) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.until[words].After(now)
}

func (b *broadSearches) learn(words string, now time.Time) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.until == nil || len(b.until) >= mostBroad {
		b.until = map[string]time.Time{}
	}
	b.until[words] = now.Add(broadFor)
}
