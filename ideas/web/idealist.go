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
	// State is empty for an idea that just gathers support.
	State string
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
		if idea.State != ideas.StateGathering {
			cards[i].State = v.stateText(idea.State)
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
	// Corrected is what was searched for instead of what was typed.
	Corrected string
	// Themes and States to choose from; Tag that is chosen.
	Themes, States []filterLink
	Tag            string
	// Hiddens keep what is chosen while searching.
	Hiddens []hiddenField
	// Filtered tells that one of them is chosen; Unfiltered leads to the list without.
	Filtered   bool
	Unfiltered string
}

type hiddenField struct{ Name, Value string }

type filterLink struct {
	Text, URL string
	Current   bool
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
	readFilter(v, &q)
	found, err := a.cfg.Store.ListIdeas(v.r.Context(), v.viewer(), q)
	if err != nil {
		return fmt.Errorf("list ideas: %w", err)
	}
	title := v.t("ideas.title")
	if q.Search != "" {
		title = v.t("ideas.search.results", "Search", q.Search)
	}
	v.here = listPath(q, q.After)
	p := listPage{page: v.page(title), Search: q.Search, Order: q.Order, Cards: v.cards(found.Ideas)}
	p.Section = "ideas"
	p.Hidden = q.Search != "" || q.After != ""
	if p.Corrected = found.Corrected; p.Corrected != "" {
		q.Search = p.Corrected
	}
	if found.Next != "" {
		p.More = listPath(q, found.Next)
	}
	all := q
	all.Search = ""
	p.Clear = listPath(all, "")
	for _, o := range orders {
		other := q
		other.Order = o.order
		p.Orders = append(p.Orders, orderLink{v.t(o.key), listPath(other, ""), o.order == q.Order})
	}
	p.addFilters(v, q)
	if v.r.Header.Get("HX-Target") == "more" {
		return v.render(http.StatusOK, "cards", p)
	}
	return v.render(http.StatusOK, "ideas", p)
}

// shownStates may be chosen in the list.
var shownStates = []ideas.State{
	ideas.StateGathering, ideas.StateUnderReview, ideas.StateSelected, ideas.StatePlanned, ideas.StateDevelopment, ideas.StateTesting,
	ideas.StateLaunched,
}

// readFilter takes from the address what the list is limited to. What does not exist limits nothing.
func readFilter(v *visit, q *ideas.Query) {
	asked := v.r.URL.Query()
	for _, t := range v.themeChoices(clean(asked.Get("theme"))) {
		if t.Chosen {
			q.Theme = t.Name
		}
	}
	if tags, err := ideas.CleanTags([]string{asked.Get("tag")}); err == nil && len(tags) == 1 {
		q.Tag = tags[0]
	}
	if state := ideas.State(asked.Get("state")); state.Published() {
		q.State = state
	}
}

func (p *listPage) addFilters(v *visit, q ideas.Query) {
	p.Tag, p.Filtered = q.Tag, q.Tag != "" || q.Theme != "" || q.State != ""
	p.Unfiltered = listPath(ideas.Query{Order: q.Order, Search: q.Search}, "")
	p.Hidden = p.Hidden || p.Filtered
	for _, h := range []hiddenField{{"theme", q.Theme}, {"tag", q.Tag}, {"state", string(q.State)}} {
		if h.Value != "" {
			p.Hiddens = append(p.Hiddens, h)
		}
	}
	link := func(text string, current bool, change func(*ideas.Query)) filterLink {
		other := q
		change(&other)
		return filterLink{text, listPath(other, ""), current}
	}
	if themes := v.themeChoices(q.Theme); len(themes) > 0 {
		p.Themes = append(p.Themes, link(v.t("filter.all_themes"), q.Theme == "", func(q *ideas.Query) { q.Theme = "" }))
		for _, t := range themes {
			p.Themes = append(p.Themes, link(t.Title, t.Chosen, func(q *ideas.Query) { q.Theme = t.Name }))
		}
	}
	p.States = append(p.States, link(v.t("filter.all_states"), q.State == "", func(q *ideas.Query) { q.State = "" }))
	for _, s := range shownStates {
		p.States = append(p.States, link(v.stateText(s), q.State == s, func(q *ideas.Query) { q.State = s }))
	}
}

func listPath(q ideas.Query, after string) string {
	query := url.Values{}
	order := string(q.Order)
	if q.Order == ideas.OrderTrending {
		order = ""
	}
	for name, value := range map[string]string{
		"order": order, "q": q.Search, "theme": q.Theme, "tag": q.Tag, "state": string(q.State), "after": after,
	} {
		if value != "" {
			query.Set(name, value)
		}
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
