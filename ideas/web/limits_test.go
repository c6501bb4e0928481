package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
)

func TestLimits(t *testing.T) {
	now := time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
	c := open(t, func(c *community) {
		c.config.Clock = func() time.Time { return now }
		few := web.Rate{Every: time.Minute, Burst: 3}
		many := web.Rate{Every: time.Minute, Burst: 5}
		limit := web.Limit{Member: few, Address: many}
		c.config.Limits = web.Limits{Writes: limit, Searches: limit, Calls: limit}
	})
	ada, m := c.signedIn("Ada")
	lou, _ := c.signedIn("Lou")
	post := func(b *browser) int { return b.post("/profile", url.Values{"name": {"x"}}).status }
	for range 3 {
		if got := post(ada); got != http.StatusSeeOther {
			t.Fatal(got)
		}
	}
	a := ada.post("/profile", url.Values{"name": {"x"}}).is(http.StatusTooManyRequests)
	if got := a.header.Get("Retry-After"); got != "60" || a.heading() != "One moment, please" {
		t.Errorf("Retry-After is %q on %q", got, a.heading())
	}
	ada.cookies["__Host-language"] = "fr"
	if a := ada.post("/profile", url.Values{}).is(http.StatusTooManyRequests); a.heading() != "Un instant, s’il vous plaît" {
		t.Errorf("in French: %q", a.heading())
	}
	ada.get("/profile").is(http.StatusOK)
	// Who shares the address has allowance left, until the address has none.
	if got := post(lou); got != http.StatusTooManyRequests {
		t.Errorf("the address may do %d", got)
	}
	now = now.Add(time.Minute)
	if got := post(ada); got != http.StatusSeeOther {
		t.Errorf("after the pause: %d", got)
	}
	for range 3 {
		ada.get("/ideas?q=lamp").is(http.StatusOK)
	}
	ada.get("/ideas?q=lamp").is(http.StatusTooManyRequests)
	ada.get("/ideas").is(http.StatusOK)
	p := c.program(&m, ideas.ScopeRead)
	for range 3 {
		p.get("/totals").is(http.StatusOK)
	}
	refused := p.get("/totals").is(http.StatusTooManyRequests)
	problemFields(refused)
	if refused.header.Get("Retry-After") != "60" {
		t.Errorf("Retry-After is %q", refused.header.Get("Retry-After"))
	}
}

// replica is another process of the same community, as far as pages go.
func (c *community) replica(t *testing.T) *community {
	t.Helper()
	other := *c
	other.store = run(t, c.db.URI(), func() bool { return c.mail })
	other.config.Store, other.config.SignIn, other.config.Recognition = other.store, other.store, other.store
	other.pages = web.New(other.config)
	return &other
}

// Every kind of limit holds over replicas, to within a tenth for each, however requests are spread; a flood is refused without
// asking the database, and reading pages writes nothing.
func TestLimitsHoldOverReplicas(t *testing.T) {
	now := time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
	const burst, replicas = 40, 3
	c := open(t, func(c *community) {
		c.config.Clock = func() time.Time { return now }
		limit := web.Limit{Member: web.Rate{Every: time.Minute, Burst: burst}, Address: web.Rate{Every: time.Minute, Burst: burst * 2}}
		c.config.Limits = web.Limits{
			Contributions: limit, Votes: limit, Uploads: limit, Exports: limit, SignIns: web.Limit{Address: limit.Member}, Writes: limit, APIWrites: limit,
			Searches: limit, Calls: limit,
		}
	})
	c.team(control.House{})
	all := []*community{c, c.replica(t), c.replica(t)}
	_, session := c.member("lead")
	_, lead := c.signedIn("lead")
	idea := c.idea(lead, "A lamp", "Text")
	var browsers []*browser
	var programs []*program
	for _, one := range all {
		b := one.visitor()
		b.cookies["__Host-session"] = session
		browsers = append(browsers, b)
		p := c.program(&lead, ideas.Scopes()...)
		p.community = one
		programs = append(programs, p)
	}
	for range 30 {
		for _, path := range []string{"/", "/ideas", "/ideas?q=lamp", fmt.Sprintf("/ideas/%d", idea.ID), "/profile"} {
			browsers[0].get(path)
		}
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.rate"); n != 0 {
		t.Errorf("reading pages has written %d counters", n)
	}
	post := func(path string, form url.Values) func(n int) int {
		return func(n int) int { return browsers[n].post(path, form).status }
	}
	for _, tc := range []struct {
		name    string
		request func(n int) int
	}{
		{"contributions", post("/ideas", nil)},
		{"votes", post(fmt.Sprintf("/ideas/%d/support", idea.ID), url.Values{"support": {"true"}})},
		{"uploads", post(fmt.Sprintf("/ideas/%d/files", idea.ID), nil)},
		{"exports", post("/team/exports/none", nil)},
		{"sign-ins", func(n int) int { return all[n].visitor().post("/sign-in", nil).status }},
		{"writes", post("/profile", nil)},
		{"API writes", func(n int) int { return programs[n].call("POST", "/me/notices/read", "{}").status }},
		// Those of pages have used up the allowance that calls share.
		{"API votes", func(n int) int { return programs[n].call("PUT", fmt.Sprintf("/ideas/%d/support", idea.ID), "").status }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, one := range all {
				one.in(t)
			}
			counters := c.db.QueryInt(t, "SELECT count(*) FROM ideas.rate")
			passed, refused := 0, make([]int, replicas)
			for i := range 3 * burst {
				if n := i % replicas; tc.request(n) == http.StatusTooManyRequests {
					refused[n]++
				} else {
					passed++
				}
			}
			if tc.name == "API votes" {
				if passed > replicas*burst/10 {
					t.Errorf("%d votes passed after those of pages had used up the allowance", passed)
				}
				return
			}
			if passed < burst*9/10 || passed > burst+replicas*burst/10 || slices.Contains(refused, 0) {
				t.Errorf("%d requests passed over %d replicas, want about %d; refused: %v", passed, replicas, burst, refused)
			}
			if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.rate"); got <= counters {
				t.Errorf("nothing is counted in the database")
			}
		})
	}
	now = now.Add(2 * burst * time.Minute)
	for n := range all {
		all[n].in(t)
		if got := browsers[n].post("/profile", nil).status; got == http.StatusTooManyRequests {
			t.Errorf("replica %d after the pause: %d", n, got)
		}
	}
}

// What is granted and what is refused add up, whatever portions are asked for, and time gives back what it took.
func TestTakeRate(t *testing.T) {
	c := open(t)
	now := time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
	rate := ideas.Rate{Every: time.Minute, Burst: 10}
	for _, step := range []struct {
		after   time.Duration
		n, want int
		wait    time.Duration
	}{
		{0, 4, 4, 0}, {0, 4, 4, 0}, {0, 4, 1, 0}, {0, 1, 1, 0}, {0, 4, 0, time.Minute}, {30 * time.Second, 1, 0, 30 * time.Second},
		{30 * time.Second, 4, 1, 0}, {time.Hour, 10, 10, 0}, {0, 1, 0, time.Minute},
	} {
		now = now.Add(step.after)
		got, wait, err := c.store.TakeRate(t.Context(), "key", rate, step.n, now)
		if err != nil || got != step.want || wait != step.wait {
			t.Errorf("%d at %s: %d, wait %s, %v; want %d, %s", step.n, now.Format(time.TimeOnly), got, wait, err, step.want, step.wait)
		}
	}
}

// Routes that are counted in a way of their own exist.
func TestLimitedRoutesExist(t *testing.T) {
	served := web.Routes()
	for pattern := range web.LimitedRoutes() {
		if !slices.Contains(served, pattern) {
			t.Errorf("%s is not served", pattern)
		}
	}
}
