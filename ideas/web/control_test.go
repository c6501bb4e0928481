package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
)

// declarations is a store of declarations in memory: the control API is tested here, the real store in its own
// package and both together in cmd/ideas.
type declarations struct {
	web.Declarations
	inForce  control.InForce
	database control.Database
	err      error
	declared []control.Declaration
}

func (d *declarations) Declare(_ context.Context, next control.Declaration) (control.InForce, bool, error) {
	if d.err != nil {
		return d.inForce, false, d.err
	}
	if next.UID == d.inForce.UID && next.Generation < d.inForce.Generation {
		return d.inForce, false, nil
	}
	d.declared = append(d.declared, next)
	d.inForce = control.InForce{UID: next.UID, Generation: next.Generation, Digest: next.Settings.Digest()}
	return d.inForce, true, nil
}

func (d *declarations) InForce() control.InForce   { return d.inForce }
func (d *declarations) Database() control.Database { return d.database }

var observed = control.CommunityState{Members: 3, Ideas: 2, Votes: 1}

func (d *declarations) ObserveCommunity(context.Context) (control.CommunityState, error) {
	return observed, nil
}

const controlToken = "a-token-of-the-test"

func newControl(d *declarations) http.Handler {
	return web.NewControl(web.ControlConfig{
		Declarations: d, Token: func() (string, error) { return controlToken, nil }, SignIn: func() []string { return []string{"email"} },
		Locales: []string{"en", "fr"}, Version: "v1.2.3", Logger: slog.New(slog.DiscardHandler),
	})
}

func valid() control.Declaration {
	return control.Declaration{UID: "uid-1", Generation: 2, Settings: control.Settings{
		BaseURL: "https://ideas.brand.example", Hostnames: []string{"ideas.brand.example", "idees.marque.example"},
		Brand: control.Brand{
			Name: map[string]string{"fr": "Marque", "en": "Brand"}, TagLine: map[string]string{"fr": `"</script>{{.}}`},
			LogoURL: "https://brand.example/logo.svg",
			Colors:  control.Colors{Primary: "#0b6e4f", Accent: "#f2a541", Background: "#ffffff", Text: "#000000"},
		},
		Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris",
		OIDC: &control.OIDC{IssuerURL: "https://login.brand.example/realm", Label: map[string]string{"fr": "Entrer"}},
	}}
}

func call(t *testing.T, h http.Handler, method, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, control.CommunityPath, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+controlToken)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	response := w.Result()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(raw)
}

func put(t *testing.T, h http.Handler, d control.Declaration) (int, control.Answer) {
	t.Helper()
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	response, body := call(t, h, http.MethodPut, string(raw))
	var answer control.Answer
	if err := control.Decode(strings.NewReader(body), &answer); err != nil {
		t.Fatalf("answer %q: %v", body, err)
	}
	return response.StatusCode, answer
}

var databaseReady = control.Database{Ready: true, SchemaVersion: 1}

func TestDeclareAnswersWhatIsInForce(t *testing.T) {
	d := &declarations{database: databaseReady}
	h := newControl(d)
	first := control.InForce{UID: "uid-1", Generation: 2, Digest: valid().Settings.Digest()}
	status, answer := put(t, h, valid())
	if diff := cmp.Diff(control.Answer{InForce: first, Database: databaseReady}, answer); status != http.StatusOK || diff != "" {
		t.Errorf("status %d (-want +got):\n%s", status, diff)
	}
	if diff := cmp.Diff([]control.Declaration{valid()}, d.declared); diff != "" {
		t.Errorf("declared (-want +got):\n%s", diff)
	}
	stale := valid()
	stale.Generation = 1
	stale.Settings.TimeZone = "UTC"
	status, answer = put(t, h, stale)
	if status != http.StatusConflict || answer.InForce != first {
		t.Errorf("stale: status %d, in force %+v; want 409 and the former", status, answer.InForce)
	}
}

func TestDeclareWithoutDatabase(t *testing.T) {
	down := control.Database{Reason: control.ReasonPasswordRefused, Message: "connect: 28P01"}
	d := &declarations{database: down, inForce: control.InForce{UID: "uid-1", Generation: 1}}
	status, answer := put(t, newControl(d), valid())
	if status != http.StatusServiceUnavailable || answer.Database != down || answer.InForce.Generation != 1 {
		t.Errorf("status %d, answer %+v; want 503 with the database's reason", status, answer)
	}
	d = &declarations{database: databaseReady, err: fmt.Errorf("declare: %w", ideas.ErrUnavailable)}
	if status, _ := put(t, newControl(d), valid()); status != http.StatusServiceUnavailable {
		t.Errorf("database lost meanwhile: status %d, want 503", status)
	}
	d.err = errors.New("a secret detail")
	if status, answer := put(t, newControl(d), valid()); status != http.StatusInternalServerError || strings.Contains(fmt.Sprint(answer), "secret") {
		t.Errorf("failure: status %d, answer %+v; want 500 without the detail", status, answer)
	}
}

func TestRefusalsNameTheFields(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*control.Declaration)
		want   []string
	}{
		"nothing at all": {func(d *control.Declaration) { *d = control.Declaration{} },
			[]string{"uid", "generation", "settings.baseURL", "settings.locales", "settings.timeZone"}},
		"endless uid":           {func(d *control.Declaration) { d.UID = strings.Repeat("u", 129) }, []string{"uid"}},
		"base URL with a path":  {func(d *control.Declaration) { d.Settings.BaseURL += "/" }, []string{"settings.baseURL"}},
		"base URL of ftp":       {func(d *control.Declaration) { d.Settings.BaseURL = "ftp://a.example" }, []string{"settings.baseURL"}},
		"base URL with a user":  {func(d *control.Declaration) { d.Settings.BaseURL = "https://u:p@a.example" }, []string{"settings.baseURL"}},
		"base URL with a break": {func(d *control.Declaration) { d.Settings.BaseURL = "https://a.example\r\nX: y" }, []string{"settings.baseURL"}},
		"hostnames": {func(d *control.Declaration) {
			d.Settings.Hostnames = []string{"ok.example", "*.brand.example", "UPPER.example", "a.example:80", "10.0.0.1", "ok.example", ""}
		}, []string{
			"settings.hostnames[1]", "settings.hostnames[2]", "settings.hostnames[3]", "settings.hostnames[4]",
			"settings.hostnames[5]", "settings.hostnames[6]",
		}},
		"too many hostnames": {func(d *control.Declaration) { d.Settings.Hostnames = make([]string, 33) }, []string{"settings.hostnames"}},
		"unknown locale": {func(d *control.Declaration) { d.Settings.Locales = []string{"fr", "xx"} },
			[]string{"settings.locales[1]", "settings.brand.name.xx"}},
		"repeated locale":       {func(d *control.Declaration) { d.Settings.Locales = []string{"fr", "fr"} }, []string{"settings.locales[1]"}},
		"no name in a locale":   {func(d *control.Declaration) { delete(d.Settings.Brand.Name, "en") }, []string{"settings.brand.name.en"}},
		"name of two lines":     {func(d *control.Declaration) { d.Settings.Brand.Name["fr"] = "a\nb" }, []string{"settings.brand.name.fr"}},
		"name that turns":       {func(d *control.Declaration) { d.Settings.Brand.Name["fr"] = "a\u202Eb" }, []string{"settings.brand.name.fr"}},
		"name of a novel":       {func(d *control.Declaration) { d.Settings.Brand.Name["fr"] = strings.Repeat("é", 161) }, []string{"settings.brand.name.fr"}},
		"tag line of a novel":   {func(d *control.Declaration) { d.Settings.Brand.TagLine["fr"] = strings.Repeat("é", 161) }, []string{"settings.brand.tagLine.fr"}},
		"logo by http":          {func(d *control.Declaration) { d.Settings.Brand.LogoURL = "http://brand.example/l.svg" }, []string{"settings.brand.logoURL"}},
		"logo of a script":      {func(d *control.Declaration) { d.Settings.Brand.LogoURL = "javascript:alert(1)" }, []string{"settings.brand.logoURL"}},
		"colour by name":        {func(d *control.Declaration) { d.Settings.Brand.Colors.Accent = "red" }, []string{"settings.brand.colors.accent"}},
		"colour that escapes":   {func(d *control.Declaration) { d.Settings.Brand.Colors.Text = "#000000}" }, []string{"settings.brand.colors.text"}},
		"unknown time zone":     {func(d *control.Declaration) { d.Settings.TimeZone = "Europe/Atlantis" }, []string{"settings.timeZone"}},
		"the machine's zone":    {func(d *control.Declaration) { d.Settings.TimeZone = "Local" }, []string{"settings.timeZone"}},
		"time zone of a file":   {func(d *control.Declaration) { d.Settings.TimeZone = "../../etc/passwd" }, []string{"settings.timeZone"}},
		"issuer by http":        {func(d *control.Declaration) { d.Settings.OIDC.IssuerURL = "http://login.example" }, []string{"settings.oidc.issuerURL"}},
		"issuer with a query":   {func(d *control.Declaration) { d.Settings.OIDC.IssuerURL += "?x=y" }, []string{"settings.oidc.issuerURL"}},
		"label of control text": {func(d *control.Declaration) { d.Settings.OIDC.Label["fr"] = "\x00" }, []string{"settings.oidc.label.fr"}},
	} {
		t.Run(name, func(t *testing.T) {
			inForce := control.InForce{UID: "uid-1", Generation: 1, Digest: "good"}
			d := &declarations{database: databaseReady, inForce: inForce}
			declaration := valid()
			tc.change(&declaration)
			status, answer := put(t, newControl(d), declaration)
			var fields []string
			for _, r := range answer.Refusals {
				fields = append(fields, r.Field)
				if r.Message == "" {
					t.Errorf("refusal of %s without a message", r.Field)
				}
			}
			if diff := cmp.Diff(tc.want, fields); status != http.StatusUnprocessableEntity || diff != "" {
				t.Errorf("status %d, refused fields (-want +got):\n%s", status, diff)
			}
			if answer.InForce != inForce || len(d.declared) != 0 {
				t.Errorf("in force %+v, declared %v; want the last good one to stay", answer.InForce, d.declared)
			}
		})
	}
}

func TestUndecodableDeclarations(t *testing.T) {
	raw, err := json.Marshal(valid())
	if err != nil {
		t.Fatal(err)
	}
	good := string(raw)
	for name, tc := range map[string]struct {
		body          string
		status        int
		field, phrase string
	}{
		"unknown field": {strings.Replace(good, `"timeZone"`, `"inventedLater":1,"timeZone"`, 1), 422, "settings.inventedLater", "does not know"},
		"wrong type":    {strings.Replace(good, `"generation":2`, `"generation":"2"`, 1), 422, "generation", "must be of type"},
		"no JSON":       {"<xml/>", 400, "", "decode"},
		"two values":    {good + good, 400, "", "trailing"},
		"too long":      {`{"uid":"` + strings.Repeat("x", control.MaxDeclarationBytes) + `"}`, 400, "", "decode"},
		"empty":         {"", 400, "", "decode"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &declarations{database: databaseReady}
			response, body := call(t, newControl(d), http.MethodPut, tc.body)
			var answer control.Answer
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != tc.status || len(answer.Refusals) != 1 || answer.Refusals[0].Field != tc.field ||
				!strings.Contains(answer.Refusals[0].Message, tc.phrase) {
				t.Errorf("status %d, refusals %+v; want %d, field %q, message with %q",
					response.StatusCode, answer.Refusals, tc.status, tc.field, tc.phrase)
			}
			if len(d.declared) != 0 {
				t.Error("the declaration was put in force")
			}
		})
	}
}

func TestObserveHasAnETag(t *testing.T) {
	d := &declarations{database: databaseReady, inForce: control.InForce{UID: "uid-1", Generation: 1, Digest: "x"}}
	h := newControl(d)
	response, body := call(t, h, http.MethodGet, "")
	var state control.State
	if err := control.Decode(strings.NewReader(body), &state); err != nil {
		t.Fatal(err)
	}
	want := control.State{Version: "v1.2.3", InForce: d.inForce, Database: databaseReady, SignIn: []string{"email"}, Community: &observed}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	etag := response.Header.Get("ETag")
	if again, body := call(t, h, http.MethodGet, "", "If-None-Match", `"other", `+etag); again.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("same state: status %d, body %q; want 304 and nothing", again.StatusCode, body)
	}
	d.database = control.Database{Reason: control.ReasonDatabaseUnreachable}
	if changed, _ := call(t, h, http.MethodGet, "", "If-None-Match", etag); changed.StatusCode != http.StatusOK || changed.Header.Get("ETag") == etag {
		t.Errorf("changed state: status %d, ETag %s; want 200 and another", changed.StatusCode, changed.Header.Get("ETag"))
	}
}

func TestControlNeedsTheToken(t *testing.T) {
	token := controlToken
	var readErr error
	d := &declarations{database: databaseReady}
	h := web.NewControl(web.ControlConfig{
		Declarations: d, Token: func() (string, error) { return token, readErr }, Locales: []string{"en", "fr"}, Logger: slog.New(slog.DiscardHandler),
	})
	for name, given := range map[string]string{
		"none": "", "empty": "Bearer ", "wrong": "Bearer x", "prefix": "Bearer " + controlToken[:5], "longer": "Bearer " + controlToken + "x",
		"other scheme": "Basic " + controlToken, "no scheme": controlToken,
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			response, body := call(t, h, method, "{}", "Authorization", given)
			if response.StatusCode != http.StatusUnauthorized || response.Header.Get("WWW-Authenticate") == "" || strings.Contains(body, controlToken) {
				t.Errorf("%s with %s token: status %d, body %q; want 401", method, name, response.StatusCode, body)
			}
		}
	}
	observe := func() int { r, _ := call(t, h, http.MethodGet, ""); return r.StatusCode }
	if got := observe(); got != http.StatusOK {
		t.Errorf("right token: status %d", got)
	}
	if token = "rotated"; observe() != http.StatusUnauthorized {
		t.Error("the former token works after rotation")
	}
	if token = ""; observe() != http.StatusUnauthorized {
		t.Error("a service without a token answers")
	}
	if response, _ := call(t, h, http.MethodGet, "", "Authorization", "Bearer "); response.StatusCode != http.StatusUnauthorized {
		t.Error("an empty token opens a service without a token")
	}
	if token, readErr = controlToken, errors.New("unreadable"); observe() != http.StatusUnauthorized {
		t.Error("a service whose token cannot be read answers")
	}
	readErr = nil
	if r, _ := call(t, h, http.MethodDelete, ""); r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: status %d, want 405", r.StatusCode)
	}
}
