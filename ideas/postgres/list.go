package postgres

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
)

// maxSearch bounds the words of a search, in characters.
const maxSearch = 200

// order is the part of a list's query that depends on its order. Each order has an index that holds the visible ideas in it.
type order struct {
	visible, position string
	// tables have the index, and an idea's signature.
	tables string
	// found is the position of an idea that was searched for.
	found string
}

var orders = map[ideas.Order]order{
	ideas.OrderTrending: {visible: "t.visible", position: "t.trend, t.idea_id", tables: "tally t", found: "s.trend, s.idea_id"},
	ideas.OrderTop:      {visible: "t.visible", position: "t.supporters, t.idea_id", tables: "tally t", found: "s.supporters, s.idea_id"},
	ideas.OrderNewest:   {visible: "i.visible", position: "i.created_at, i.id", tables: "idea i JOIN tally t ON t.idea_id = i.id", found: "s.created_at, s.idea_id"},
}

// descending is a position as an order, the highest first.
func descending(position string) string {
	return " ORDER BY " + strings.ReplaceAll(position, ",", " DESC,") + " DESC"
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
	list, err := newListing(viewer, q)
	if err != nil {
		return ideas.Page{}, err
	}
	pool, err := s.db()
	if err != nil {
		return ideas.Page{}, err
	}
	var found listed
	if list.words == "" {
		found, err = readList(ctx, pool, list.query())
	} else {
		found, err = s.search(ctx, pool, list)
	}
	if err != nil {
		return ideas.Page{}, s.failed("list ideas", err)
	}
	page := ideas.Page{Ideas: found.ideas}
	if limit := list.size - 1; len(found.ideas) > limit {
		page.Ideas = found.ideas[:limit]
		page.Next = cursorOf(q.Order, found.ideas[limit-1], found.trends[limit-1]).encode()
	}
	return page, nil
}

// listed are ideas with their trends.
type listed struct {
	ideas  []ideas.Idea
	trends []float64
}

// statement is SQL with its arguments.
type statement struct {
	sql  string
	args []any
}

func readList(ctx context.Context, pool querier, s statement) (listed, error) {
	rows, err := pool.Query(ctx, s.sql, s.args...)
	if err != nil {
		return listed{}, err
	}
	var l listed
	l.ideas, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Idea, error) {
		idea, trend, err := scanIdea(row)
		l.trends = append(l.trends, trend)
		return idea, err
	})
	return l, err
}

// listing is what a list asks for.
type listing struct {
	order
	args []any
	// words that are searched for.
	words string
	// from and filter are conditions, with the name of the table that they are for.
	from   func(position string) string
	filter func(table string) string
	// size is one more than the page holds, which tells whether the list goes on.
	size int
}

// newListing checks what is asked for.
func newListing(viewer int64, q ideas.Query) (listing, error) {
	order, known := orders[q.Order]
	if !known {
		return listing{}, &ideas.FieldError{Field: "order", Code: "invalid"}
	}
	l := listing{
		order: order, args: []any{viewer}, size: pageSize(q.Limit) + 1, from: func(string) string { return "" },
		words: strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(q.Search), "\x00", ""), ""),
	}
	if utf8.RuneCountInString(l.words) > maxSearch {
		return listing{}, &ideas.FieldError{Field: "search", Code: "too_long", Limit: maxSearch}
	}
	if q.After != "" {
		c, err := decodeCursor(q.Order, q.After)
		if err != nil {
			return listing{}, err
		}
		l.args = append(l.args, c.argument(), c.id)
		l.from = func(position string) string { return " AND (" + position + ") < ($2, $3)" }
	}
	if q.State != "" && !q.State.Published() {
		return listing{}, &ideas.FieldError{Field: "state", Code: "invalid"}
	}
	l.filterBy(q)
	return l, nil
}

// query of a list that nothing is searched for in. The numbers are part of the text: for unknown ones the planner would
// plan every call anew.
func (l listing) query() statement {
	return statement{fmt.Sprintf("SELECT %s%s WHERE %s%s%s%s LIMIT %d", ideaColumns, ideaTables,
		l.visible, l.from(l.position), l.filter("i"), descending(l.position), l.size), l.args}
}

// filterBy selects what has a theme, a tag or a state, with the conditions of the indexes that have them.
func (l *listing) filterBy(q ideas.Query) {
	var conditions []string
	add := func(condition string, values ...any) {
		l.args = append(l.args, values...)
		conditions = append(conditions, strings.ReplaceAll(condition, "$n", fmt.Sprintf("$%d", len(l.args))))
	}
	if len(q.Apart) > 0 {
		add(" AND (#.challenge_id IS NULL OR #.challenge_id <> ALL($n))", q.Apart)
	}
	if q.Theme != "" {
		add(" AND #.visible AND #.theme <> '' AND #.theme = $n", q.Theme)
	}
	if q.Tag != "" {
		add(" AND #.visible AND #.tags <> '{}' AND #.tags @> $n", []string{q.Tag})
	}
	if q.State != "" {
		// Written out: the planner knows how many ideas have the state, and whether an index has them.
		add(" AND #.visible AND #.state = '" + string(q.State) + "'")
	}
	all := strings.Join(conditions, "")
	l.filter = func(table string) string { return strings.ReplaceAll(all, "#", table) }
}
