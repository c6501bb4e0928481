package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// card is an idea in a list.
type card struct {
	ID             int64
	URL            string
	Title, Excerpt string
	Author         memberView
	Created        moment
	Comments       int
	Vote           voteView
}

// moment is a time as a page shows it: for machines, in short, and in full.
type moment struct{ Machine, Short, Full string }

func (v *visit) moment(t time.Time) moment {
	local := t.In(v.site.location)
	c := v.lang.catalog
	return moment{
		Machine: t.UTC().Format(time.RFC3339), Short: c.Ago(local, v.app.now().In(v.site.location)), Full: c.DateTime(local),
	}
}

// stateKeys are the message keys of the states that a badge shows.
var stateKeys = map[ideas.State]string{ideas.StateGathering: "state.gathering"}

func (v *visit) stateText(s ideas.State) string {
	if key := stateKeys[s]; key != "" {
		return v.t(key)
	}
	return ""
}

func (v *visit) cards(list []ideas.Idea) []card {
	cards := make([]card, len(list))
	for i, idea := range list {
		cards[i] = card{
			ID: idea.ID, URL: ideaPath(idea), Title: clean(idea.Title),
			Excerpt: v.app.markdown.excerpt(idea.Body),
			Author:  v.person(idea.Author.ID, idea.Author.Name),
			Created: v.moment(idea.CreatedAt), Comments: idea.Comments,
			Vote: v.vote(idea, false),
		}
	}
	return cards
}

// Numbers of ideas on a page.
const (
	homeTrending = 4
	homeNewest   = 3
	listLength   = 20
)

type homePage struct {
	page
	Headline         string
	Totals           *ideas.Totals
	Trending, Newest []card
	// Challenges that are open.
	Challenges []challengeCard
}

// Members and the others are the totals as templates count them.
func (h homePage) Members() int { return int(h.Totals.Members) }

// Ideas published.
func (h homePage) Ideas() int { return int(h.Totals.Ideas) }

// Votes of support.
func (h homePage) Votes() int { return int(h.Totals.Votes) }

// Comments written.
func (h homePage) Comments() int { return int(h.Totals.Comments) }

// home invites to take part.
func (a *app) home(v *visit) error {
	ctx := v.r.Context()
	totals, err := a.cfg.Store.Totals(ctx)
	if err != nil {
		return fmt.Errorf("read totals: %w", err)
	}
	trending, err := a.cfg.Store.ListIdeas(ctx, v.viewer(), ideas.Query{Order: ideas.OrderTrending, Limit: homeTrending})
	if err != nil {
		return fmt.Errorf("list trending ideas: %w", err)
	}
	newest, err := a.cfg.Store.ListIdeas(ctx, v.viewer(),
		ideas.Query{Order: ideas.OrderNewest, Limit: homeTrending + homeNewest})
	if err != nil {
		return fmt.Errorf("list newest ideas: %w", err)
	}
	p := homePage{
		page: v.page(""), Totals: &totals,
		Trending: v.cards(trending.Ideas),
		Newest:   v.cards(without(newest.Ideas, trending.Ideas, homeNewest)),
	}
	if p.Challenges, err = v.openChallenges(); err != nil {
		return err
	}
	p.Headline = p.TagLine
	if p.Headline == "" {
		p.Headline = v.t("home.headline")
	}
	return v.render(http.StatusOK, "home", p)
}

// without is the first n ideas of a list that the other does not hold, so that no idea appears twice.
func without(list, other []ideas.Idea, n int) []ideas.Idea {
	shown := make(map[int64]bool, len(other))
	for _, idea := range other {
		shown[idea.ID] = true
	}
	kept := make([]ideas.Idea, 0, n)
	for _, idea := range list {
		if !shown[idea.ID] && len(kept) < n {
			kept = append(kept, idea)
		}
	}
	return kept
}

// maxSearch bounds what is searched for, in characters; more finds nothing more.
const maxSearch = 200

type listPage struct {
	page
	Search string
	Order  ideas.Order
	Orders []orderLink
	Cards  []card
	// More leads to the next page of the list; empty at its end.
	More string
	// Clear leads to the list without the search.
	Clear string
}

type orderLink struct {
	Label, URL string
	Current    bool
}

var orders = []struct {
	order ideas.Order
	key   string
}{
	{ideas.OrderTrending, "ideas.order.trending"},
	{ideas.OrderNewest, "ideas.order.newest"},
	{ideas.OrderTop, "ideas.order.top"},
}

// listIdeas shows a page of ideas. htmx asks for the next page's items alone and puts them below.
func (a *app) listIdeas(v *visit) error {
	asked := v.r.URL.Query()
	q := ideas.Query{
		Order: ideas.OrderTrending, Search: cut(clean(asked.Get("q")), maxSearch), After: asked.Get("after"),
		Limit: listLength,
	}
	for _, o := range orders {
		if asked.Get("order") == string(o.order) {
			q.Order = o.order
		}
	}
	found, err := a.cfg.Store.ListIdeas(v.r.Context(), v.viewer(), q)
	if err != nil {
		return fmt.Errorf("list ideas: %w", err)
	}
	title := v.t("ideas.title")
	if q.Search != "" {
		title = v.t("ideas.search.results", "Search", q.Search)
	}
	v.here = listPath(q.Order, q.Search, q.After)
	p := listPage{page: v.page(title), Search: q.Search, Order: q.Order, Cards: v.cards(found.Ideas)}
	p.Section = "ideas"
	p.Hidden = q.Search != "" || q.After != ""
	if found.Next != "" {
		p.More = listPath(q.Order, q.Search, found.Next)
	}
	p.Clear = listPath(q.Order, "", "")
	for _, o := range orders {
		p.Orders = append(p.Orders, orderLink{v.t(o.key), listPath(o.order, q.Search, ""), o.order == q.Order})
	}
	if v.r.Header.Get("HX-Target") == "more" {
		return v.render(http.StatusOK, "cards", p)
	}
	return v.render(http.StatusOK, "ideas", p)
}

func listPath(order ideas.Order, search, after string) string {
	query := url.Values{}
	if order != ideas.OrderTrending {
		query.Set("order", string(order))
	}
	if search != "" {
		query.Set("q", search)
	}
	if after != "" {
		query.Set("after", after)
	}
	if len(query) == 0 {
		return "/ideas"
	}
	return "/ideas?" + query.Encode()
}

// ideaRef names an idea in its address: the number finds it, the slug tells people what it is about.
func ideaRef(idea ideas.Idea) string {
	ref := strconv.FormatInt(idea.ID, 10)
	if idea.Slug != "" {
		ref += "-" + idea.Slug
	}
	return ref
}

func ideaPath(idea ideas.Idea) string { return "/ideas/" + url.PathEscape(ideaRef(idea)) }

// notFound answers what no route matches.
func (a *app) notFound(*visit) error {
	return refuse(http.StatusNotFound, "find page", nil)
}
