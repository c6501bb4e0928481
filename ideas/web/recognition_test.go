package web_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// rewarding is a community with a reward policy and a lead.
func rewarding(t *testing.T) *community {
	t.Helper()
	c := open(t, func(c *community) {
		c.config.Programme = c.store
		c.config.Clock = func() time.Time { return time.Date(2027, 4, 10, 12, 0, 0, 0, time.UTC) }
		settings := brandSettings()
		settings.House = &control.House{Roles: map[string][]string{"lead": {"lead@members.example"}, "host": {"host@members.example"}}}
		c.settings.declare(settings)
	})
	both := func(en, fr string) map[string]string { return map[string]string{"en": en, "fr": fr} }
	_, _, err := c.store.DeclareRewardPolicy(t.Context(), control.Object[control.RewardPolicy]{UID: "p", Name: "community", Generation: 1, Spec: control.RewardPolicy{
		Rules: []control.RewardRule{
			{Name: "published", Event: "idea.published", Points: 10, DailyCap: 30},
			{Name: "supported", Event: "idea.supported", Points: 2, To: "author"},
		},
		Levels:       []control.Level{{Name: "explorer", Title: both("Explorer", "Explorateur"), Points: 10}, {Name: "maker", Title: both("Maker <b>", "Créateur <b>"), Points: 25}},
		Badges:       []control.Badge{{Name: "first", Title: both("First idea", "Première idée"), Text: both("Shared an idea", "A proposé une idée"), Event: "idea.published"}, {Name: "star", Title: both("Star", "Étoile"), Event: "idea.selected"}},
		Prizes:       []control.Prize{{FromRank: 1, Title: both("A tent", "Une tente"), Amount: 50_000}},
		RevenueShare: &control.RevenueShare{BasisPoints: 150, Base: "netSales", Minimum: 1_000, Until: "2030-12-31"}, Currency: "EUR",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// happens records an event and waits for what follows.
func (c *community) happens(kind ideas.EventKind, actor ideas.Member, idea int64) {
	c.t.Helper()
	c.db.Exec(c.t, fmt.Sprintf("INSERT INTO ideas.event (kind, at, actor_id, idea_id) VALUES ('%s', '2027-04-09T10:00:00Z', %d, %d)", kind, actor.ID, idea))
	c.settle()
}

// settle waits until everything that follows from what happened is done.
func (c *community) settle() {
	c.t.Helper()
	for c.db.QueryInt(c.t, "SELECT count(*) FROM ideas.event WHERE NOT dispatched") > 0 {
		if _, err := c.store.DispatchEvents(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
	}
}

// written is an idea that nothing has been told of yet.
func (c *community) written(author ideas.Member, title string) ideas.Idea {
	c.t.Helper()
	id := c.db.QueryInt(c.t, "INSERT INTO ideas.idea (author_id, slug, title, body, state) VALUES ($1, 'slug', $2, 'x', 'gathering') RETURNING id", author.ID, title)
	return ideas.Idea{ID: id, Slug: "slug", Title: title}
}

func TestMyPoints(t *testing.T) {
	c := rewarding(t)
	b, lou := c.signedIn("Lou")
	_, fan := c.signedIn("Fan")
	empty := b.get("/recognition").is(http.StatusOK)
	if !strings.Contains(text(empty.id("main")), "No points yet") {
		t.Error("without points the page does not say how to begin")
	}
	idea := c.idea(lou, "A lamp for tents", "Light.")
	if _, err := c.store.SetSupport(t.Context(), fan.ID, idea.ID, true); err != nil {
		t.Fatal(err)
	}
	c.settle()
	for language, want := range map[string][]string{
		"en": {"12 points", "Explorer", "13 more points to Maker <b>", "First idea Shared an idea", "Star", "Still to be earned", "Had an idea published", "at most 30 points a day +10", "An idea won a supporter", "+2", "A lamp for tents"},
		"fr": {"12 points", "Explorateur", "Encore 13 points pour Créateur <b>", "Première idée", "Étoile", "Encore à gagner", "Idée publiée", "Nouveau soutien à une idée"},
	} {
		b.cookies["__Host-language"] = language
		a := b.get("/recognition").is(http.StatusOK)
		wellFormed(t, a, language)
		main := text(a.id("main"))
		for _, w := range want {
			if !strings.Contains(main, w) {
				t.Errorf("%s: %q is missing in %q", language, w, main)
			}
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Error("what a member has earned may be kept by caches")
		}
	}
	c.visitor().get("/recognition").leadsTo("/sign-in?returnTo=%2Frecognition")
	if link := b.get("/").all(func(n *html.Node) bool { return attr(n, "href") == "/recognition" }); len(link) == 0 {
		t.Error("nothing leads to the member's points")
	}
}

func TestMyPointsInPages(t *testing.T) {
	c := rewarding(t)
	b, lou := c.signedIn("Lou")
	idea := c.written(lou, "A lamp")
	_, fan := c.signedIn("Fan")
	for range 25 {
		c.db.Exec(t, fmt.Sprintf("INSERT INTO ideas.event (kind, actor_id, idea_id) VALUES ('idea.supported', %d, %d)", fan.ID, idea.ID))
	}
	c.happens(ideas.EventIdeaPublished, lou, idea.ID)
	first := b.get("/recognition")
	more := first.class("more")
	if got := len(first.class("points")) - 2; got != 20 || len(more) != 1 {
		t.Fatalf("the first page has %d entries and %d links to more", got, len(more))
	}
	var older string
	for n := range more[0].Descendants() {
		if n.Data == "a" {
			older = strings.TrimSuffix(attr(n, "href"), "#points")
		}
	}
	if got := len(b.get(older).class("points")) - 2; got != 6 {
		t.Errorf("the second page has %d entries, want 6", got)
	}
	b.get("/recognition?before=nonsense").is(http.StatusOK)
}

func TestLeaderboard(t *testing.T) {
	c := rewarding(t)
	lou, member := c.signedIn("Lou")
	ana, second := c.signedIn("Ana")
	_, fan := c.signedIn("Fan")
	for i, m := range []ideas.Member{member, second, member} {
		idea := c.written(m, fmt.Sprintf("Idea %d", i))
		c.happens(ideas.EventIdeaPublished, m, idea.ID)
		if i == 1 {
			c.happens(ideas.EventIdeaSupported, fan, idea.ID)
		}
	}
	board := func(b *browser, path string) string {
		t.Helper()
		a := b.get(path).is(http.StatusOK)
		wellFormed(t, a, "en")
		var rows []string
		for _, n := range a.tags("tr")[1:] {
			rows = append(rows, text(n))
		}
		return strings.Join(rows, "|")
	}
	want := "1 Lou Explorer 20 points|2 Ana Explorer 12 points"
	for _, path := range []string{"/leaderboard", "/leaderboard?period=all", "/leaderboard?month=2027-04"} {
		if got := board(c.visitor(), path); got != want {
			t.Errorf("%s shows %q, want %q", path, got, want)
		}
	}
	if got := text(c.visitor().get("/leaderboard?month=2027-03").id("main")); !strings.Contains(got, "The race is open") {
		t.Errorf("a month without points shows %q", got)
	}
	if got, want := board(lou, "/leaderboard"), "1 Lou you Explorer 20 points|2 Ana Explorer 12 points"; got != want {
		t.Errorf("Lou sees %q, want %q", got, want)
	}
	// Whoever does not want to be named is not, and others move up.
	ana.post("/recognition/listed", url.Values{"listed": {"false"}}).leadsTo("/recognition")
	if got := board(c.visitor(), "/leaderboard"); got != "1 Lou Explorer 20 points" {
		t.Errorf("without Ana the board shows %q", got)
	}
	if got := text(ana.get("/leaderboard").id("main")); !strings.Contains(got, "not to be listed") {
		t.Errorf("Ana is not told why she has no place: %q", got)
	}
	ana.post("/recognition/listed", url.Values{"listed": {"true"}})
	if got := board(c.visitor(), "/leaderboard"); got != want {
		t.Errorf("with Ana again the board shows %q", got)
	}
	c.visitor().post("/recognition/listed", url.Values{"listed": {"false"}}).leadsTo("/sign-in?returnTo=%2Frecognition")
	c.visitor().get("/leaderboard?month=April").is(http.StatusNotFound)
	c.visitor().get("/leaderboard?challenge=none").is(http.StatusNotFound)
}

// What was promised is handed over once, and the winner sees both.
func TestPrizes(t *testing.T) {
	c := rewarding(t)
	lead, _ := c.signedIn("Lead")
	winner, lou := c.signedIn("Lou")
	if got := text(lead.get("/team/prizes").is(http.StatusOK).id("main")); !strings.Contains(got, "No prizes yet") {
		t.Errorf("without prizes the page says %q", got)
	}
	idea := c.written(lou, "A lamp")
	challenge := c.db.QueryInt(t, `INSERT INTO ideas.challenge (uid, name, generation, digest, spec) VALUES ('c', 'summer', 1, 'd', '{"title": {"en": "Summer", "fr": "Été"}}') RETURNING id`)
	prize := c.db.QueryInt(t, `INSERT INTO ideas.prize_award (challenge_id, idea_id, member_id, rank, policy_uid, policy_generation, prize, title, amount, currency, promised_at)
		VALUES ($1, $2, $3, 1, 'p', 1, 0, '{"en": "A tent", "fr": "Une tente"}', 50000, 'EUR', '2027-04-09T10:00:00Z') RETURNING id`, challenge, idea.ID, lou.ID)
	page := lead.get("/team/prizes").is(http.StatusOK)
	wellFormed(t, page, "en")
	if got, want := text(page.id("main")), "A tent €500.00 Rank 1 · Summer Lou A lamp Promised 1 day ago Mark as handed over: A tent, Lou"; !strings.Contains(got, want) {
		t.Errorf("the page shows %q, want %q", got, want)
	}
	if got, want := text(winner.get("/recognition").id("main")), "A tent €500.00 Rank 1 · Summer · A lamp Promised"; !strings.Contains(got, want) {
		t.Errorf("the winner sees %q, want %q", got, want)
	}
	for range 2 {
		lead.post(fmt.Sprintf("/team/prizes/%d", prize), nil).leadsTo("/team/prizes")
	}
	if got := text(lead.get("/team/prizes").id("main")); !strings.Contains(got, "Handed over") || strings.Contains(got, "Mark as handed over") {
		t.Errorf("after the hand-over the page shows %q", got)
	}
	winner.cookies["__Host-language"] = "fr"
	if got, want := text(winner.get("/recognition").id("main")), "Une tente 500,00 € Rang 1 · Été · A lamp Remis"; !strings.Contains(strings.ReplaceAll(got, "\u00a0", " "), want) {
		t.Errorf("the winner sees %q, want %q", got, want)
	}
	for query, want := range map[string]int64{
		"SELECT count(*) FROM ideas.audit WHERE action = 'prize.hand_over'": 1,
		"SELECT count(*) FROM ideas.event WHERE kind = 'prize.handed_over'": 1,
	} {
		if got := c.db.QueryInt(t, query); got != want {
			t.Errorf("%s gives %d, want %d", query, got, want)
		}
	}
}

// sales posts a file as a browser does.
func (b *browser) sales(content, from, to string) *answer {
	b.community.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range map[string]string{"from": from, "to": to} {
		if err := w.WriteField(name, value); err != nil {
			b.community.t.Fatal(err)
		}
	}
	if content != "" {
		part, err := w.CreateFormFile("file", `C:\sales "March".csv`)
		if err == nil {
			_, err = part.Write([]byte(content))
		}
		if err != nil {
			b.community.t.Fatal(err)
		}
	}
	w.Close()
	r := httptest.NewRequestWithContext(b.community.t.Context(), http.MethodPost, "https://"+b.host+"/team/royalties", &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "en")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	recorder := httptest.NewRecorder()
	b.community.pages.ServeHTTP(recorder, r)
	a := &answer{t: b.community.t, path: "/team/royalties", status: recorder.Code, header: recorder.Result().Header, body: recorder.Body.String()}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		doc, err := html.Parse(strings.NewReader(a.body))
		if err != nil {
			b.community.t.Fatal(err)
		}
		a.doc = doc
	}
	return a
}

func (c *community) launched(author ideas.Member, title string) ideas.Idea {
	c.t.Helper()
	idea := c.written(author, title)
	c.db.Exec(c.t, fmt.Sprintf("UPDATE ideas.idea SET state = 'launched' WHERE id = %d", idea.ID))
	return idea
}

// From a file of sales to money that was paid: check, confirm, approve, pay; each step once, each seen by the author.
func TestRoyalties(t *testing.T) {
	c := rewarding(t)
	lead, _ := c.signedIn("Lead")
	author, lou := c.signedIn("Lou")
	_, ana := c.signedIn("Ana")
	lamp, tent := c.launched(lou, "A lamp"), c.launched(ana, "A tent")
	file := fmt.Sprintf("\ufeffday;idea;netSales;note\r\n2027-03-01;%d;1000,50;x\r\n2027-03-31;%d;\"-0,50\";\"a;b\"\r\n2027-03-15;%d;99;\r\n", lamp.ID, lamp.ID, tent.ID)

	page := lead.get("/team/royalties").is(http.StatusOK)
	wellFormed(t, page, "en")
	if got := text(page.id("main")); !strings.Contains(got, "Authors receive 1.5% of the net sales") || !strings.Contains(got, "below €10.00") || !strings.Contains(got, "until 31 December 2030") {
		t.Errorf("the page does not say what is shared: %q", got)
	}
	if got := value(page.id("from")) + " " + value(page.id("to")); got != "2027-03-01 2027-03-31" {
		t.Errorf("the period offered is %q, want the month before", got)
	}
	preview := lead.sales(file, "2027-03-01", "2027-03-31").is(http.StatusSeeOther).header.Get("Location")
	shown := lead.get(preview).is(http.StatusOK)
	wellFormed(t, shown, "en")
	for _, want := range []string{`sales "March".csv`, "3 rows", "Authors would receive €16.48", "A lamp €1,000.00 €15.00", "A tent €99.00 €1.48"} {
		if got := text(shown.id("main")); !strings.Contains(got, want) {
			t.Errorf("the preview lacks %q: %q", want, got)
		}
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.payout"); n != 0 {
		t.Errorf("before the confirmation there are %d payouts", n)
	}
	lead.sales(file, "2027-03-01", "2027-03-31").leadsTo(preview)
	statement := lead.post(preview+"/confirm", nil).is(http.StatusSeeOther).header.Get("Location")
	lead.post(preview+"/confirm", nil).leadsTo(statement)
	lead.sales(file, "2027-03-01", "2027-03-31").leadsTo(statement)
	lead.get(preview).leadsTo(statement)
	lead.post(preview+"/discard", nil).is(http.StatusNotFound)

	made := lead.get(statement).is(http.StatusOK)
	wellFormed(t, made, "en")
	for _, want := range []string{"€16.48 of royalties", "€15.00 still to pay", "Lou €0.00 €15.00 €15.00 Due", "Ana €0.00 €1.48 €0.00 Carried on €1.48 carried"} {
		if got := text(made.id("main")); !strings.Contains(got, want) {
			t.Errorf("the statement lacks %q: %q", want, got)
		}
	}
	state, err := c.store.ObserveRewardPolicy(t.Context(), "p")
	if err != nil || state.PayoutsDue != 1 || state.PayoutsDueAmount != 1500 {
		t.Errorf("the policy's state is %+v, %v", state, err)
	}
	payout := fmt.Sprintf("/team/payouts/%d/paid", c.db.QueryInt(t, "SELECT id FROM ideas.payout WHERE payable > 0"))
	lead.post(payout, nil).is(http.StatusUnprocessableEntity)
	lead.post(statement+"/approve", nil).leadsTo(statement)
	lead.post(statement+"/approve", nil).leadsTo(statement)
	lead.post(payout, nil).leadsTo(statement)
	lead.post(payout, nil).leadsTo(statement)
	if got := text(lead.get(statement).id("main")); !strings.Contains(got, "€0.00 still to pay") || !strings.Contains(got, "Paid") {
		t.Errorf("the paid statement shows %q", got)
	}
	if got := text(author.get("/recognition").id("main")); !strings.Contains(got, "1 March 2027 to 31 March 2027 €15.00 earned €15.00 Paid") {
		t.Errorf("the author sees %q", got)
	}
	for query, want := range map[string]int64{
		"SELECT count(*) FROM ideas.audit WHERE action IN ('sales.import', 'royalties.confirm', 'payout.approved', 'payout.paid')": 4,
		"SELECT count(*) FROM ideas.event WHERE kind IN ('payout.approved', 'payout.paid')":                                        2,
	} {
		if got := c.db.QueryInt(t, query); got != want {
			t.Errorf("%s gives %d, want %d", query, got, want)
		}
	}
	export := lead.get(statement + "/payouts.csv").is(http.StatusOK)
	if want := "EUR,0.00,15.00,15.00,0.00,paid\n"; !strings.Contains(export.body, want) || !strings.HasPrefix(export.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the export is %q", export.body)
	}

	// What was carried is paid with the next period.
	next := lead.sales(fmt.Sprintf("idea,day,netSales\n%d,2027-04-01,600\n", tent.ID), "2027-04-01", "2027-04-30").is(http.StatusSeeOther).header.Get("Location")
	second := lead.post(next+"/confirm", nil).is(http.StatusSeeOther).header.Get("Location")
	if got := text(lead.get(second).id("main")); !strings.Contains(got, "Ana €1.48 €9.00 €10.48 Due") {
		t.Errorf("the second statement shows %q", got)
	}
}

// Every line at fault is named, nothing is imported, and the days that were given are kept.
func TestSalesAreChecked(t *testing.T) {
	c := rewarding(t)
	lead, _ := c.signedIn("Lead")
	_, lou := c.signedIn("Lou")
	lamp, draft := c.launched(lou, "A lamp"), c.written(lou, "A dream")
	header := "idea,day,netSales\n"
	for name, tc := range map[string]struct {
		content, from, to string
		want              []string
	}{
		"no file":         {"", "2027-03-01", "2027-03-31", []string{"Please fill this in."}},
		"no period":       {header + "1,2027-03-01,5\n", "", "x", nil},
		"reversed period": {header + "1,2027-03-01,5\n", "2027-03-31", "2027-03-01", nil},
		"no header":       {"1,2027-03-01,5\n", "2027-03-01", "2027-03-31", []string{"Line 1: the column “idea” is missing", "the column “netSales” is missing"}},
		"another base":    {"idea,day,grossSales\n1,2027-03-01,5\n", "2027-03-01", "2027-03-31", []string{"the column “netSales” is missing"}},
		"only a header":   {header, "2027-03-01", "2027-03-31", []string{"there are no sales"}},
		"every fault of a line": {
			header + fmt.Sprintf("x,2027-03-01,5\n%d,2027-02-30,5\n%d,2027-04-01,5\n%d,2027-03-01,5.001\n%d,2027-03-01,1.000,00\n%d,2027-03-01\n", lamp.ID, lamp.ID, lamp.ID, lamp.ID, lamp.ID),
			"2027-03-01", "2027-03-31",
			[]string{"Line 2: “x” is no idea's number", "Line 3: “2027-02-30” is no day", "Line 4: 2027-04-01 is outside of the period", "Line 5: “5.001” is no amount", "Line 7: columns are missing"},
		},
		"ideas that sell nothing": {
			header + fmt.Sprintf("%d,2027-03-01,5\n99,2027-03-01,5\n%d,2027-03-02,5\n", lamp.ID, draft.ID), "2027-03-01", "2027-03-31",
			[]string{"Line 3: there is no idea 99", fmt.Sprintf("Line 4: idea %d was not launched", draft.ID)},
		},
		"quotation marks": {header + "1,\"2027-03-01,5\n", "2027-03-01", "2027-03-31", []string{"quotation marks do not match"}},
		"a formula":       {header + "=1+1,2027-03-01,5\n", "2027-03-01", "2027-03-31", []string{"“=1+1” is no idea's number"}},
		"markup":          {header + "<script>,2027-03-01,5\n", "2027-03-01", "2027-03-31", []string{"“<script>” is no idea's number"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.in(t)
			a := lead.sales(tc.content, tc.from, tc.to).is(http.StatusUnprocessableEntity)
			wellFormed(t, a, "en")
			for _, want := range tc.want {
				if got := text(a.id("main")); !strings.Contains(got, want) {
					t.Errorf("%q is missing in %q", want, got)
				}
			}
			if got := value(a.id("from")); got != tc.from {
				t.Errorf("the first day is %q, want %q", got, tc.from)
			}
		})
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.sales_import") + c.db.QueryInt(t, "SELECT count(*) FROM ideas.sale"); n != 0 {
		t.Errorf("%d rows were imported", n)
	}
	many := lead.sales(header+strings.Repeat("x,2027-03-01,5\n", 60), "2027-03-01", "2027-03-31").is(http.StatusUnprocessableEntity)
	if got := strings.Count(text(many.id("faults")), "Line"); got != ideas.MaxSaleErrors || !strings.Contains(text(many.id("faults")), "There may be more") {
		t.Errorf("%d faults of 60 are told", got)
	}
	lead.sales(strings.Repeat("x", ideas.MaxSalesBytes+100<<10), "2027-03-01", "2027-03-31").is(http.StatusRequestEntityTooLarge)
	lead.sales(strings.Repeat("x", ideas.MaxSalesBytes+1), "2027-03-01", "2027-03-31").is(http.StatusUnprocessableEntity)
	if err := c.store.WithdrawRewardPolicy(t.Context(), "p"); err != nil {
		t.Fatal(err)
	}
	lead.sales(header+"1,2027-03-01,5\n", "2027-03-01", "2027-03-31").is(http.StatusConflict)
	if got := text(lead.get("/team/royalties").id("main")); !strings.Contains(got, "shares no revenue") {
		t.Errorf("without a share the page says %q", got)
	}
}

// Nobody but a lead reaches what is paid, by page or by form, and nothing changes when others try.
func TestRoyaltiesAreForLeads(t *testing.T) {
	c := rewarding(t)
	lead, _ := c.signedIn("Lead")
	host, _ := c.signedIn("Host")
	author, lou := c.signedIn("Lou")
	lamp := c.launched(lou, "A lamp")
	preview := lead.sales(fmt.Sprintf("idea,day,netSales\n%d,2027-03-01,5000\n", lamp.ID), "2027-03-01", "2027-03-31").is(http.StatusSeeOther).header.Get("Location")
	other := lead.sales(fmt.Sprintf("idea,day,netSales\n%d,2027-03-01,7000\n", lamp.ID), "2027-03-01", "2027-03-31").is(http.StatusSeeOther).header.Get("Location")
	statement := lead.post(preview+"/confirm", nil).is(http.StatusSeeOther).header.Get("Location")
	payout := fmt.Sprintf("/team/payouts/%d/paid", c.db.QueryInt(t, "SELECT id FROM ideas.payout"))
	before := c.db.QueryInt(t, "SELECT count(*) FROM ideas.audit")
	for who, b := range map[string]*browser{"an author": author, "a host": host, "nobody": c.visitor()} {
		status := http.StatusNotFound
		for _, path := range []string{"/team/royalties", preview, statement, statement + "/payouts.csv", "/team/prizes"} {
			if a := b.get(path); a.status != status && (who != "nobody" || a.status != http.StatusSeeOther) {
				t.Errorf("%s gets %s with %d", who, path, a.status)
			}
		}
		for _, path := range []string{other + "/confirm", other + "/discard", statement + "/approve", payout, "/team/prizes/1"} {
			if a := b.post(path, nil); a.status != status {
				t.Errorf("%s posts %s with %d", who, path, a.status)
			}
		}
		if a := b.sales("idea,day,netSales\n1,2027-03-01,5\n", "2027-03-01", "2027-03-31"); a.status != status {
			t.Errorf("%s imports with %d", who, a.status)
		}
	}
	if after := c.db.QueryInt(t, "SELECT count(*) FROM ideas.audit"); after != before {
		t.Errorf("%d things were done", after-before)
	}
	foreign := lead.with("Sec-Fetch-Site", "cross-site")
	foreign.post(statement+"/approve", nil).is(http.StatusForbidden)
	for _, path := range []string{"/team/royalties/999", "/team/royalties/x", "/team/sales/+1", "/team/sales/999", "/team/royalties/999/payouts.csv"} {
		lead.get(path).is(http.StatusNotFound)
	}
	for _, path := range []string{"/team/royalties/999/approve", "/team/sales/999/confirm", "/team/payouts/999/paid", "/team/prizes/999"} {
		lead.post(path, nil).is(http.StatusNotFound)
	}
}

// Somebody who is not of age is paid nothing, by no page and by no statement of the database: it is kept until then.
func TestMinorsArePaidNoMoney(t *testing.T) {
	c := rewarding(t)
	lead, _ := c.signedIn("Lead")
	young, sacha := c.signedIn("Sacha")
	_, lou := c.signedIn("Lou")
	// Days off the birthday, so that no time zone makes a difference.
	turns18 := func(days int) {
		c.db.Exec(t, fmt.Sprintf("UPDATE ideas.member SET born = '%s' WHERE id = %d", time.Now().AddDate(0, 0, days).AddDate(-ideas.Adult, 0, 0).Format(time.DateOnly), sacha.ID))
	}
	turns18(+3)
	harbour, lamp := c.launched(sacha, "A harbour"), c.launched(lou, "A lamp")

	preview := lead.sales(fmt.Sprintf("idea,day,netSales\n%d,2027-03-01,5000\n%d,2027-03-01,7000\n", harbour.ID, lamp.ID), "2027-03-01", "2027-03-31").
		is(http.StatusSeeOther).header.Get("Location")
	statement := lead.post(preview+"/confirm", nil).is(http.StatusSeeOther).header.Get("Location")
	lead.post(statement+"/approve", nil).leadsTo(statement)
	shown := lead.get(statement).is(http.StatusOK)
	wellFormed(t, shown, "en")
	for _, want := range []string{"Sacha €0.00 €75.00 €75.00 Held Under 18: no money is paid.", "Lou €0.00 €105.00 €105.00 Approved"} {
		if got := text(shown.id("main")); !strings.Contains(got, want) {
			t.Errorf("the statement lacks %q: %q", want, got)
		}
	}
	if strings.Contains(shown.body, statement+"/approve") {
		t.Error("the statement offers to approve what is held")
	}
	if got := lead.get(statement + "/payouts.csv").body; !strings.Contains(got, "Sacha,EUR,0.00,75.00,75.00,0.00,held\n") {
		t.Errorf("the export is %q", got)
	}
	if got := text(young.get("/recognition").id("main")); !strings.Contains(got, "€75.00 earned · kept for you until you are 18 €75.00 Held") {
		t.Errorf("the author sees %q", got)
	}

	// A sum of money for a place; a prize in kind is handed over to everybody.
	challenge := c.db.QueryInt(t, `INSERT INTO ideas.challenge (uid, name, generation, digest, spec) VALUES ('c', 'summer', 1, 'd', '{"title": {"en": "Summer"}}') RETURNING id`)
	prize := func(n, amount int, currency string) int64 {
		return c.db.QueryInt(t, fmt.Sprintf(`INSERT INTO ideas.prize_award (challenge_id, idea_id, member_id, rank, policy_uid, policy_generation, prize, title, amount, currency, promised_at)
			VALUES ($1, $2, $3, 1, 'p', 1, %d, '{"en": "A tent"}', %d, %s, '2027-04-09T10:00:00Z') RETURNING id`, n, amount, currency), challenge, harbour.ID, sacha.ID)
	}
	money, tent := prize(0, 50_000, "'EUR'"), prize(1, 0, "NULL")
	lead.post(fmt.Sprintf("/team/prizes/%d", money), nil).leadsTo("/team/prizes")
	lead.post(fmt.Sprintf("/team/prizes/%d", tent), nil).leadsTo("/team/prizes")
	if got := text(lead.get("/team/prizes").id("main")); strings.Count(got, "Handed over") != 1 || strings.Count(got, "Held") != 1 {
		t.Errorf("the prizes are %q", got)
	}

	for _, update := range []string{
		"UPDATE ideas.payout SET state = 'approved', approved_at = '%[1]s' WHERE member_id = %[2]d",
		"UPDATE ideas.prize_award SET state = 'handed_over', handed_over_at = '%[1]s' WHERE member_id = %[2]d",
	} {
		update = fmt.Sprintf(update, time.Now().UTC().Format(time.RFC3339), sacha.ID)
		c.db.Exec(t, "DO $$ BEGIN "+update+"; RAISE EXCEPTION 'a minor is paid'; EXCEPTION WHEN check_violation THEN NULL; END $$")
	}
	turns18(-3)
	lead.post(statement+"/approve", nil).leadsTo(statement)
	payout := c.db.QueryInt(t, "SELECT id FROM ideas.payout WHERE member_id = $1", sacha.ID)
	turns18(+300) // as it turns out
	lead.post(fmt.Sprintf("/team/payouts/%d/paid", payout), nil).leadsTo(statement)
	turns18(-3)
	lead.post(fmt.Sprintf("/team/payouts/%d/paid", payout), nil).leadsTo(statement)
	lead.post(fmt.Sprintf("/team/prizes/%d", money), nil).leadsTo("/team/prizes")
	if got := text(young.get("/recognition").id("main")); !strings.Contains(got, "€75.00 Paid") || strings.Count(got, "Handed over") != 2 {
		t.Errorf("once of age, the author sees %q", got)
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.audit WHERE action = 'payout.paid'"); n != 1 {
		t.Errorf("%d payouts were paid, want 1", n)
	}
}
