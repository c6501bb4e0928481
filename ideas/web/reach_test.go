package web_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// regions are house rules with one attribute, half of which should be from the north.
func regions() control.House {
	return control.House{
		Attributes: []control.Attribute{{
			Name: "region", Label: texts("Region", "Région"), Consent: texts("To know who takes part.", "Pour savoir qui participe."),
			Options: []control.Option{{Name: "north", Label: texts("North", "Nord")}, {Name: "south", Label: texts("South", "Sud")}},
		}},
		Quotas: []control.Quota{{Attribute: "region", Value: "north", Percent: 50}, {Attribute: "region", Value: "south", Percent: 50}},
	}
}

// says keeps what a member says of where they live.
func (c *community) says(m ideas.Member, region string) {
	c.t.Helper()
	c.db.Exec(c.t, fmt.Sprintf(`WITH agreed AS (INSERT INTO ideas.consent (member_id, attribute, locale, text, text_hash, given_at)
		VALUES (%d, 'region', 'en', 'x', 'x', now()) RETURNING id)
		INSERT INTO ideas.attribute (member_id, name, value, consent_id) SELECT %d, 'region', '%s', id FROM agreed`, m.ID, m.ID, region))
}

func TestExports(t *testing.T) {
	c := open(t)
	c.team(regions())
	c.only("/team/exports", ideas.RoleLead, ideas.RoleFollowUp)
	_, author := c.signedIn("=HYPERLINK(evil)")
	c.says(author, "north")
	first := c.idea(author, "+1 for lamps", "-2\n\"quoted\", and, commas")
	second := c.idea(author, "Plain", "@import")
	if _, err := c.store.AddComment(t.Context(), author.ID, first.ID, "", "=cmd|' /C calc'!A0"); err != nil {
		t.Fatal(err)
	}
	for _, idea := range []ideas.Idea{first, second} {
		if _, err := c.store.SetSupport(t.Context(), author.ID, idea.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	lead, _ := c.signedIn("lead")
	table := func(kind string) [][]string {
		a := lead.post("/team/exports/"+kind, url.Values{}).is(http.StatusOK)
		if !strings.HasPrefix(a.body, "\ufeff") || !strings.HasPrefix(a.header.Get("Content-Disposition"), `attachment; filename="`+kind) {
			t.Errorf("%s: %q, %v", kind, a.body[:10], a.header)
		}
		if strings.Contains(a.body, "members.example") {
			t.Errorf("%s holds an address", kind)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
					t.Errorf("%s: the cell %q is a formula", kind, cell)
				}
			}
		}
		return rows
	}
	got := table("ideas")
	if diff := cmp.Diff([]string{"'+1 for lamps", "'-2\n\"quoted\", and, commas"}, got[1][6:8]); diff != "" || len(got) != 3 {
		t.Errorf("%d rows of ideas (-want +got):\n%s", len(got), diff)
	}
	if got := table("comments"); len(got) != 2 || got[1][6] != "'=cmd|' /C calc'!A0" {
		t.Errorf("comments: %q", got)
	}
	votes, again := table("votes"), table("votes")
	if len(votes) != 3 || votes[1][1] != votes[2][1] || votes[1][1] == again[1][1] || votes[1][1] == fmt.Sprint(author.ID) {
		t.Errorf("the pseudonyms of votes are %q, then %q", votes, again)
	}
	members := table("members")
	if last := members[len(members)-1]; members[0][4] != "region" {
		t.Errorf("members: %q %q", members[0], last)
	}
	found := false
	for _, row := range members[1:] {
		found = found || row[1] == "'=HYPERLINK(evil)" && row[4] == "north"
	}
	if !found {
		t.Errorf("the member with a region is missing: %q", members)
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.audit WHERE action LIKE 'export.%'"); n != 5 {
		t.Errorf("%d exports in the audit log, want 5", n)
	}
	lead.post("/team/exports/passwords", url.Values{}).is(http.StatusNotFound)
	for _, role := range []ideas.Role{ideas.RoleHost, ideas.RoleModerator, ideas.RoleMember} {
		b, _ := c.signedIn(string(role))
		b.post("/team/exports/members", url.Values{}).is(http.StatusNotFound)
	}
}

func TestExportsReadInPortions(t *testing.T) {
	c := open(t)
	c.team(control.House{})
	lead, m := c.signedIn("lead")
	c.db.Exec(t, fmt.Sprintf(`INSERT INTO ideas.idea (author_id, slug, title, body, state) SELECT %d, 'x', 'Idea ' || n, 'Text', 'gathering' FROM generate_series(1, 4100) n`, m.ID))
	a := lead.post("/team/exports/ideas", url.Values{}).is(http.StatusOK)
	if n := strings.Count(a.body, "\r\n"); n != 4101 {
		t.Errorf("%d lines, want 4101", n)
	}
}

func TestAnnouncements(t *testing.T) {
	c := open(t)
	c.team(regions())
	c.only("/team/announcements", ideas.RoleLead, ideas.RoleHost)
	host, _ := c.signedIn("host")
	north, n := c.signedIn("Nora")
	south, s := c.signedIn("Sam")
	c.says(n, "north")
	c.says(s, "south")
	form := url.Values{
		"title-en": {"Lamps are coming"}, "title-fr": {"Les lampes arrivent"}, "body-en": {"In **May**. <script>alert(1)</script>"}, "body-fr": {"En **mai**."},
		"audience": {"segment"}, "segment": {"region=north"},
	}
	incomplete := url.Values{"title-en": {"Only English"}, "audience": {"segment"}}
	a := host.post("/team/announcements", incomplete).is(http.StatusUnprocessableEntity)
	if value(a.id("title-en")) != "Only English" || len(a.class("field-error")) != 4 {
		t.Errorf("%d faults are named, want title and texts and the segment", len(a.class("field-error")))
	}
	path := host.post("/team/announcements", form).is(http.StatusSeeOther).header.Get("Location")
	preview := host.get(path).is(http.StatusOK)
	if !strings.Contains(preview.body, "1 member") || !strings.Contains(preview.body, "Les lampes arrivent") || !strings.Contains(preview.body, "Region: North") {
		t.Errorf("the preview: %.3000s", preview.body)
	}
	public := strings.TrimPrefix(path, "/team")
	north.get(public).is(http.StatusNotFound)
	for range 2 {
		host.post(path+"/send", url.Values{}).leadsTo(path)
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE kind = 'announcement.published'"); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	if a := north.get(public).is(http.StatusOK); a.heading() != "Lamps are coming" {
		t.Errorf("the page shows %q", a.heading())
	}
	south.get(public).is(http.StatusNotFound)
	c.visitor().get(public).is(http.StatusSeeOther)
	host.post(path, form).is(http.StatusNotFound) // what was sent is not changed
	host.get(path + "/edit").is(http.StatusNotFound)
	for c.db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE NOT dispatched") > 0 {
		if _, err := c.store.DispatchEvents(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.db.QueryInt(t, "SELECT coalesce(min(member_id), 0) FROM ideas.notice WHERE kind = 'announcement'"); got != n.ID {
		t.Errorf("member %d is told, want %d", got, n.ID)
	}
	if got := c.db.QueryInt(t, "SELECT count(*) FROM ideas.notice WHERE kind = 'announcement'"); got != 1 {
		t.Errorf("%d members are told, want 1", got)
	}
	for _, language := range []string{"en", "fr"} {
		host.cookies["__Host-language"], north.cookies["__Host-language"] = language, language
		for _, p := range []string{path, "/team/announcements", "/team/announcements/new", "/team/exports"} {
			if p == "/team/exports" {
				continue
			}
			wellFormed(t, host.get(p).is(http.StatusOK), language)
		}
		a := north.get(public).is(http.StatusOK)
		wellFormed(t, a, language)
		harmless(t, a)
	}
	member, _ := c.signedIn("Nobody")
	member.post("/team/announcements", form).is(http.StatusNotFound)
	member.post(path+"/send", url.Values{}).is(http.StatusNotFound)
}

func TestAuditLog(t *testing.T) {
	c := open(t)
	c.team(control.House{})
	c.only("/team/audit", ideas.RoleLead, ideas.RoleFollowUp)
	lead, m := c.signedIn("lead")
	c.db.Exec(t, fmt.Sprintf(`INSERT INTO ideas.audit (at, actor_id, action, subject, subject_id, detail)
		SELECT '2027-06-01T22:30:00Z'::timestamptz + n * interval '1 minute', CASE WHEN n %% 2 = 0 THEN %d END,
			CASE WHEN n %% 3 = 0 THEN 'member.block' ELSE 'entry.hide' END, 'entry', n, '{"reason": "</code><script>"}' FROM generate_series(1, 90) n`, m.ID))
	count := func(query string) int { return len(lead.get("/team/audit"+query).is(http.StatusOK).tags("tr")) - 1 }
	for query, want := range map[string]int{
		"?action=member.": 30, "?action=member.block": 30, "?action=entry.hide&actor=" + fmt.Sprint(m.ID): 30, "?actor=999999": -1,
		// The day ends at midnight in Paris, 22:00 UTC: all is of the second of June.
		"?from=2027-06-02&to=2027-06-02": 40, "?from=2027-06-03": -1, "?to=2027-06-01": -1,
	} {
		if got := count(query); got != want {
			t.Errorf("%s: %d entries, want %d", query, got, want)
		}
	}
	first := lead.get("/team/audit").is(http.StatusOK)
	harmless(t, first)
	seen := map[string]bool{}
	pages := 0
	for path := "/team/audit?from=2027-06-02&to=2027-06-02"; path != ""; pages++ {
		a := lead.get(path).is(http.StatusOK)
		for _, row := range a.tags("tr") {
			if cells := strings.Fields(text(row)); len(cells) > 3 {
				seen[text(row)] = true
			}
		}
		path = ""
		for _, link := range a.tags("a") {
			if strings.Contains(attr(link, "href"), "before=") && text(link) == "Older" {
				path = attr(link, "href")
			}
		}
	}
	if pages != 3 {
		t.Errorf("%d pages, want 3", pages)
	}
	lead.get("/team/audit?action='").is(http.StatusUnprocessableEntity)
	lead.get("/team/audit?from=yesterday").is(http.StatusUnprocessableEntity)
	for _, language := range []string{"en", "fr"} {
		lead.cookies["__Host-language"] = language
		wellFormed(t, lead.get("/team/exports").is(http.StatusOK), language)
		c.db.Exec(t, "SELECT 1")
		wellFormed(t, lead.get("/team/audit").is(http.StatusOK), language)
	}
}
