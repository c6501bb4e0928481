package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// team declares the house rules with somebody in each role, whose name is the role's; the store sees them too.
func (c *community) team(house control.House) {
	c.t.Helper()
	house.Roles = map[string][]string{}
	for _, role := range ideas.TeamRoles() {
		house.Roles[string(role)] = []string{string(role) + "@members.example"}
	}
	s := brandSettings()
	s.House, s.Revision = &house, "team"
	c.settings.declare(s)
	declaration := control.Declaration{UID: "u", Generation: 1, Settings: control.Settings{
		BaseURL: s.BaseURL, Hostnames: s.Hostnames, Locales: s.Locales, TimeZone: s.TimeZone, Brand: control.Brand{Name: s.Name}, House: &house,
	}}
	if _, _, err := c.store.Declare(c.t.Context(), declaration); err != nil {
		c.t.Fatal(err)
	}
}

// only checks that a page opens for the roles named and does not exist for anybody else.
func (c *community) only(path string, roles ...ideas.Role) {
	c.t.Helper()
	may := map[ideas.Role]bool{}
	for _, role := range roles {
		may[role] = true
	}
	c.visitor().get(path).is(http.StatusSeeOther)
	for _, role := range append(ideas.TeamRoles(), ideas.RoleMember) {
		b, _ := c.signedIn(string(role))
		want := http.StatusNotFound
		if may[role] {
			want = http.StatusOK
		}
		if got := b.get(path).status; got != want {
			c.t.Errorf("%s answers %s %d, want %d", path, role, got, want)
		}
	}
}

func TestWebhookPages(t *testing.T) {
	c := open(t)
	c.team(control.House{Webhooks: []control.Webhook{{Name: "board", URL: "https://brand.example/hooks/s3cret", Condition: "supporters >= 10"}}})
	c.only("/team/webhooks", ideas.RoleLead)
	c.only("/team/webhooks/board", ideas.RoleLead)
	lead, m := c.signedIn("lead")
	lead.get("/team/webhooks/none").is(http.StatusNotFound)
	if a := lead.get("/team/webhooks").is(http.StatusOK); strings.Contains(a.body, "s3cret") || !strings.Contains(a.body, "brand.example") {
		t.Error("the list shows the whole address, which may hold a secret")
	}
	made := lead.post("/team/webhooks/board", url.Values{"action": {"secret"}}).is(http.StatusCreated)
	secret := attr(made.id("secret"), "value")
	if !strings.HasPrefix(secret, "whsec_") || strings.Contains(lead.get("/team/webhooks/board").body, secret) {
		t.Errorf("the secret %q is shown more than once", secret)
	}
	c.db.Exec(t, `INSERT INTO ideas.webhook_delivery (webhook, event_id, kind, payload, state, attempts, status, failure, created_at)
		SELECT 'board', n, 'member.joined', '{"type":"</script><script>"}', 'failed', 3, 500, 'answered 500', now() FROM generate_series(1, 31) n`,
		"UPDATE ideas.webhook SET disabled_at = now()")
	for _, language := range []string{"en", "fr"} {
		lead.cookies["__Host-language"] = language
		for _, path := range []string{"/team/webhooks", "/team/webhooks/board"} {
			wellFormed(t, lead.get(path).is(http.StatusOK), language)
		}
	}
	a := lead.get("/team/webhooks/board").is(http.StatusOK)
	if n := len(a.class("payload")); n != 30 || !strings.Contains(a.body, "?before=") {
		t.Errorf("%d deliveries on the first page", n)
	}
	lead.post("/team/webhooks/board", url.Values{"action": {"enable"}}).leadsTo("/team/webhooks/board")
	lead.post("/team/webhooks/board", url.Values{"action": {"explode"}}).is(http.StatusBadRequest)
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.webhook WHERE disabled_at IS NULL"); n != 1 {
		t.Error("it was not enabled")
	}
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.audit WHERE actor_id = $1", m.ID); n != 2 {
		t.Errorf("%d entries in the audit log, want secret and enable", n)
	}
	for _, role := range []ideas.Role{ideas.RoleHost, ideas.RoleMember} {
		b, _ := c.signedIn(string(role))
		b.post("/team/webhooks/board", url.Values{"action": {"secret"}}).is(http.StatusNotFound)
		b.post("/team/webhooks/board/again", url.Values{"delivery": {"1"}}).is(http.StatusNotFound)
	}
}
