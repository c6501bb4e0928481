package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

const testToken = "control-t0ken"

// process is a service that runs inside the test.
type process struct {
	pages, management, control string

	log  *lockedBuffer
	stop context.CancelFunc
	done chan error
}

// start runs the service with arguments until the test ends, and waits for its ports.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{log: &lockedBuffer{}, stop: cancel, done: make(chan error, 1)}
	args = append(args, "--listen=127.0.0.1:0", "--management-listen=127.0.0.1:0", "--control-listen=127.0.0.1:0", "--log-level=debug")
	go func() { p.done <- run(ctx, args, io.Discard, p.log) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-p.done:
			if err != nil {
				t.Errorf("the service ended with: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the service does not end")
		}
		if t.Failed() {
			t.Logf("log of the service:\n%s", p.log)
		}
	})
	eventually(t, time.Minute, "the ports", func() bool {
		select {
		case err := <-p.done:
			p.done <- err
			t.Fatalf("the service ended: %v", err)
		default:
		}
		for line := range strings.Lines(p.log.String()) {
			var entry struct{ Msg, Pages, Management, Control string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "serving" {
				p.pages, p.management, p.control = entry.Pages, entry.Management, entry.Control
				return true
			}
		}
		return false
	})
	return p
}

func eventually(t testing.TB, within time.Duration, what string, yes func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !yes() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, within)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}

// get returns an answer's status and body.
func get(t *testing.T, client *http.Client, address string) (int, string) {
	t.Helper()
	response, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func (p *process) ready(t *testing.T) (bool, string) {
	t.Helper()
	status, body := get(t, http.DefaultClient, "http://"+p.management+"/readyz")
	return status == http.StatusOK, body
}

// credentialFiles writes a folder as the operator mounts it.
func credentialFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		write(t, dir, name, content)
	}
	return dir
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func declarationFor(p *process, generation int64, primary string) control.Declaration {
	host, _, _ := strings.Cut(p.pages, ":")
	return control.Declaration{UID: "uid-1", Generation: generation, Settings: control.Settings{
		BaseURL: "http://" + p.pages, Hostnames: []string{"localhost", "ideas.brand.example"},
		Brand: control.Brand{
			Name:   map[string]string{"fr": "Marque d’essai", "en": "Test brand of " + host},
			Colors: control.Colors{Primary: primary},
		},
		Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris",
	}}
}

// TestJourney is an operator's and a member's: a wrong password found and righted, a declaration that reaches both
// replicas, a link by mail, a member signed in.
func TestJourney(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	smtp := testutil.StartSMTP(t, testutil.SMTPOptions{})
	dir := credentialFiles(t, map[string]string{
		control.FileDatabaseURI: db.Server.URI(db.Role, "wr0ng-password", db.Name), control.FileControlToken: testToken,
		control.FileMailHost: smtp.Host, control.FileMailPort: fmt.Sprint(smtp.Port), control.FileMailTLS: "none",
		control.FileMailFrom: "ideas@brand.example",
	})
	first, second := start(t, "--credentials-dir="+dir), start(t, "--credentials-dir="+dir)
	operator := control.NewClient("")

	eventually(t, time.Minute, "the refused password", func() bool {
		state, err := operator.Observe(t.Context(), first.control, testToken)
		return err == nil && state.Database.Reason == control.ReasonPasswordRefused
	})
	if answer, err := operator.Declare(t.Context(), first.control, testToken, declarationFor(first, 1, "#0b6e4f")); err != nil ||
		answer.Database.Reason != control.ReasonPasswordRefused || answer.InForce.UID != "" {
		t.Errorf("declare without a database: %+v, %v", answer, err)
	}
	if ready, body := first.ready(t); ready || !strings.Contains(body, "PasswordRefused") || !strings.Contains(body, "declaration") {
		t.Errorf("ready %v: %s; want both reasons", ready, body)
	}
	if status, _ := get(t, http.DefaultClient, "http://"+first.management+"/livez"); status != http.StatusOK {
		t.Errorf("livez: status %d", status)
	}

	write(t, dir, control.FileDatabaseURI, db.URI())
	for _, p := range []*process{first, second} {
		eventually(t, time.Minute, "the database", func() bool {
			state, err := operator.Observe(t.Context(), p.control, testToken)
			return err == nil && state.Database.Ready && state.Database.SchemaVersion > 0
		})
	}
	if ready, body := first.ready(t); ready || strings.Contains(body, "Password") || !strings.Contains(body, "declaration") {
		t.Errorf("before a declaration: ready %v: %s", ready, body)
	}
	d := declarationFor(first, 1, "#0b6e4f")
	answer, err := operator.Declare(t.Context(), first.control, testToken, d)
	want := control.InForce{UID: d.UID, Generation: 1, Digest: d.Settings.Digest()}
	if err != nil || answer.InForce != want || len(answer.Refusals) != 0 {
		t.Fatalf("declare: %+v, %v; want %+v", answer, err, want)
	}
	eventually(t, time.Minute, "the declaration at the other replica", func() bool {
		state, err := operator.Observe(t.Context(), second.control, testToken)
		ready, _ := second.ready(t)
		return err == nil && state.InForce == want && ready
	})
	state, err := operator.Observe(t.Context(), second.control, testToken)
	if err != nil || len(state.SignIn) != 1 || state.SignIn[0] != "email" {
		t.Errorf("ways of signing in = %v, error %v; want email", state.SignIn, err)
	}

	if _, err := operator.SetClock(t.Context(), first.control, testToken, time.Hour); !errors.Is(err, control.ErrContract) {
		t.Errorf("the clock of a build that is no test's can be set: %v", err)
	}
	link := signInByMail(t, first, second, smtp)
	_, metrics := get(t, http.DefaultClient, "http://"+first.management+"/metrics")
	for _, phrase := range []string{
		`ideas_http_request_duration_seconds_count{method="POST",route="POST /sign-in",status="303"} 1`,
		"ideas_database_ready 1", "ideas_events_waiting ", "ideas_jobs_waiting ", "ideas_webhook_deliveries_waiting 0", "ideas_webhooks_disabled 0", "ideas_declaration_generation 1",
	} {
		if !strings.Contains(metrics, phrase) {
			t.Errorf("metrics lack %q", phrase)
		}
	}
	token := link.Query().Get("token")
	for _, p := range []*process{first, second} {
		for name, secret := range map[string]string{
			"link": token, "database password": db.Password, "wrong password": "wr0ng-password", "control token": testToken, "address": "claire",
		} {
			if strings.Contains(p.log.String(), secret) {
				t.Errorf("the log holds the %s", name)
			}
		}
	}
}

// signInByMail asks at one replica, redeems at the other, and comes back with the link.
func signInByMail(t *testing.T, first, second *process, smtp *testutil.SMTPServer) *url.URL {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	at := func(p *process, path string) string {
		_, port, _ := strings.Cut(p.pages, ":")
		return "http://localhost:" + port + path
	}
	response, err := browser.PostForm(at(first, "/sign-in"), url.Values{"email": {"claire@brand.example"}, "returnTo": {"/profile"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Request.URL.Path != "/sign-in/sent" {
		t.Fatalf("asking for a link: status %d at %s", response.StatusCode, response.Request.URL)
	}
	m := smtp.Mail(t)
	text := strings.ReplaceAll(strings.ReplaceAll(m.Text, "=\r\n", ""), "=3D", "=")
	found := regexp.MustCompile(`http://[^\s"<]+token=[\w-]+`).FindString(text)
	link, err := url.Parse(found)
	if err != nil || link.Host != first.pages || link.Path != "/sign-in/link" {
		t.Fatalf("link in the mail = %q, error %v:\n%s", found, err, m.Text)
	}
	for range 2 { // a mail scanner follows the link, and must not use it up
		if status, _ := get(t, browser, at(second, link.RequestURI())); status != http.StatusOK {
			t.Fatalf("opening the link: status %d", status)
		}
	}
	response, err = browser.PostForm(at(second, "/sign-in/link"), url.Values{"token": {link.Query().Get("token")}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.Request.URL.Path != "/profile" || !strings.Contains(string(page), "claire@brand.example") {
		t.Errorf("after redeeming: status %d at %s, without the address of the member", response.StatusCode, response.Request.URL)
	}
	return link
}

func TestRotatedControlToken(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	dir := credentialFiles(t, map[string]string{control.FileDatabaseURI: db.URI(), control.FileControlToken: testToken})
	p := start(t, "--credentials-dir="+dir)
	operator := control.NewClient("")
	if _, err := operator.Observe(t.Context(), p.control, testToken); err != nil {
		t.Fatal(err)
	}
	write(t, dir, control.FileControlToken, "rotated")
	if _, err := operator.Observe(t.Context(), p.control, testToken); !errors.Is(err, control.ErrUnauthorized) {
		t.Errorf("former token: %v, want ErrUnauthorized", err)
	}
	if _, err := operator.Observe(t.Context(), p.control, "rotated"); err != nil {
		t.Errorf("new token: %v", err)
	}
}

// TestAlone is work on pages: a database, a sample brand, sample content, no operator.
func TestAlone(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	smtp := testutil.StartSMTP(t, testutil.SMTPOptions{})
	file := filepath.Join(t.TempDir(), "uri")
	write(t, filepath.Dir(file), "uri", db.URI())
	var out, log bytes.Buffer
	for i, phrase := range []string{"36 of 36 sample ideas added", "0 of 36 sample ideas added"} {
		out.Reset()
		if err := run(t.Context(), []string{"seed", "--database-url-file=" + file}, &out, &log); err != nil || !strings.Contains(out.String(), phrase) {
			t.Fatalf("seed %d: %q, %v; want %q", i+1, out.String(), err, phrase)
		}
	}
	p := start(t, "--database-url-file="+file, "--smtp-host="+smtp.Host, fmt.Sprintf("--smtp-port=%d", smtp.Port))
	eventually(t, time.Minute, "the service", func() bool { ready, _ := p.ready(t); return ready })
	if p.control != "" {
		t.Errorf("control API served at %s without an operator", p.control)
	}
	status, page := get(t, http.DefaultClient, "http://"+p.pages+"/ideas?order=top")
	if status != http.StatusOK || !strings.Contains(page, "Une tente deux places sous le kilo") || !strings.Contains(page, "Atelier Horizon") {
		t.Errorf("list: status %d, without the sample's ideas", status)
	}
	browser := &http.Client{}
	response, err := browser.PostForm("http://"+p.pages+"/sign-in", url.Values{"email": {"claire@brand.example"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if m := smtp.Mail(t); len(m.To) != 1 || m.To[0] != "claire@brand.example" {
		t.Errorf("mail to %v", m.To)
	}
}

// TestStopFinishesRequests holds a request open while the service is told to stop.
func TestStopFinishesRequests(t *testing.T) {
	db := testutil.Postgres(t).Database(t)
	p := start(t, "--database-url="+db.URI(), "--drain-delay=300ms")
	eventually(t, time.Minute, "the service", func() bool { ready, _ := p.ready(t); return ready })
	body, sender := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.pages+"/sign-in", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answered := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		answered <- err
	}()
	if _, err := io.WriteString(sender, "email="); err != nil {
		t.Fatal(err)
	}
	p.stop()
	eventually(t, time.Minute, "readyz to turn", func() bool {
		ready, body := p.ready(t)
		return !ready && strings.Contains(body, "stopping")
	})
	if status, _ := get(t, http.DefaultClient, "http://"+p.pages+"/sign-in"); status != http.StatusOK {
		t.Errorf("a request while draining: status %d", status)
	}
	eventually(t, time.Minute, "the pages to close", func() bool {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Get("http://" + p.pages + "/sign-in")
		if err == nil {
			_ = response.Body.Close()
		}
		return err != nil
	})
	if _, err := io.WriteString(sender, "nonsense"); err != nil {
		t.Fatal(err)
	}
	if err := sender.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the request under way was cut: %v", err)
	}
}

func TestFlags(t *testing.T) {
	for name, tc := range map[string]struct {
		args    []string
		message string
	}{
		"no database":       {nil, "give one of"},
		"two databases":     {[]string{"--database-url=postgres:///x", "--credentials-dir=/x"}, "give one of"},
		"argument":          {[]string{"--database-url=postgres:///x", "stray"}, `unexpected argument "stray"`},
		"log level":         {[]string{"--database-url=postgres:///x", "--log-level=loud"}, "--log-level"},
		"log format":        {[]string{"--database-url=postgres:///x", "--log-format=xml"}, "--log-format"},
		"connections":       {[]string{"--database-url=postgres:///x", "--database-max-conns=0"}, "--database-max-conns"},
		"drain delay":       {[]string{"--database-url=postgres:///x", "--drain-delay=1h"}, "--drain-delay"},
		"port out of range": {[]string{"--database-url=postgres:///x", "--listen=127.0.0.1:99999"}, "open port"},
		"unknown flag":      {[]string{"--bogus"}, "not defined"},
		"seed, no database": {[]string{"seed"}, "give one of"},
		"seed, argument":    {[]string{"seed", "--database-url=x", "stray"}, "unexpected argument"},
		"seed, no server":   {[]string{"seed", "--database-url=postgres://127.0.0.1:1/x", "--wait=300ms"}, "Unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), tc.args, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tc.message) {
				t.Errorf("error = %v, want one with %q", err, tc.message)
			}
		})
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--version"}, &out, io.Discard); err != nil || strings.TrimSpace(out.String()) == "" {
		t.Errorf("version %q, error %v", out.String(), err)
	}
}
