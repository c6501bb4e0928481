package mail_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/mail"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// token stands for a link's; it must be in the mail and nowhere else.
const token = "t0ken-of-the-test_"

// outbox holds mails in memory; the one of the database is tested with it in cmd/ideas.
type outbox struct {
	mutex   sync.Mutex
	waiting []ideas.SignInMail
	sent    chan int64
	wake    chan struct{}
}

func newOutbox(mails ...ideas.SignInMail) *outbox {
	return &outbox{waiting: mails, sent: make(chan int64, 10), wake: make(chan struct{}, 1)}
}

func (o *outbox) MailWake() <-chan struct{} { return o.wake }

func (o *outbox) ClaimMail(context.Context) (ideas.SignInMail, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if len(o.waiting) == 0 {
		return ideas.SignInMail{}, ideas.ErrNotFound
	}
	m := o.waiting[0]
	o.waiting = o.waiting[1:]
	return m, nil
}

func (o *outbox) IssueLink(context.Context, ideas.SignInMail) (string, error) { return token, nil }

func (o *outbox) HandOverMail(context.Context, ideas.SignInMail, bool) error { return nil }

func (o *outbox) MailSent(_ context.Context, m ideas.SignInMail) error {
	o.sent <- m.ID
	return nil
}

type settings ideas.Settings

func (s settings) Current(context.Context) (ideas.Settings, bool) { return ideas.Settings(s), true }

func brand() ideas.Settings {
	return ideas.Settings{
		BaseURL: "https://ideas.brand.example", Name: map[string]string{"fr": "Atelier d’été", "en": "Summer <Workshop> & Co"},
		Colors: ideas.Colors{Primary: "#0b6e4f"}, Locales: []string{"fr", "en"},
	}
}

// work runs a worker until result has been told, and returns its log.
func work(t *testing.T, o *outbox, s ideas.Settings, config func() (mail.Config, bool, error)) (sent bool, log string) {
	t.Helper()
	var text bytes.Buffer
	results := make(chan bool, 10)
	w := mail.Worker{
		Outbox: o, Settings: settings(s), Config: config, LinkPath: "/sign-in/link", Result: func(ok bool) { results <- ok },
		Logger: slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	select {
	case sent = <-results:
	case <-time.After(30 * time.Second):
		t.Error("no attempt within 30 s")
	}
	cancel()
	<-done // the log is complete
	return sent, text.String()
}

func configFor(s *testutil.SMTPServer, tls string) func() (mail.Config, bool, error) {
	return func() (mail.Config, bool, error) {
		return mail.Config{
			Host: s.Host, Port: s.Port, TLS: tls, RootCAs: s.RootCAs, From: netmail.Address{Address: "ideas@brand.example"},
			Username: "account", Password: "s3cret",
		}, true, nil
	}
}

func anonymous(s *testutil.SMTPServer) func() (mail.Config, bool, error) {
	return func() (mail.Config, bool, error) {
		config, on, err := configFor(s, mail.TLSNone)()
		config.Username, config.Password = "", ""
		return config, on, err
	}
}

// parts decodes a message's alternatives by their type.
func parts(t *testing.T, m testutil.SMTPMail) map[string]string {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(m.Message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %s, error %v; want multipart/alternative", kind, err)
	}
	out := map[string]string{}
	reader := multipart.NewReader(m.Message.Body, parameters["boundary"])
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = part
		switch part.Header.Get("Content-Transfer-Encoding") {
		case "quoted-printable":
			body = quotedprintable.NewReader(part)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, part)
		}
		raw, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		out[kind] = string(raw)
	}
}

func header(t *testing.T, m testutil.SMTPMail, name string) string {
	t.Helper()
	decoded, err := new(mime.WordDecoder).DecodeHeader(m.Message.Header.Get(name))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestMailInBothLanguages(t *testing.T) {
	for name, tc := range map[string]struct{ locale, subject, phrase, button string }{
		"French":             {"fr", "Votre lien de connexion à Atelier d’été", "une seule fois, pendant 20 minutes", "Se connecter"},
		"English":            {"en", "Your sign-in link for Summer <Workshop> & Co", "works once, within 20 minutes", "Sign in"},
		"language not known": {"de", "Votre lien de connexion à Atelier d’été", "une seule fois, pendant 20 minutes", "Se connecter"},
	} {
		t.Run(name, func(t *testing.T) {
			server := testutil.StartSMTP(t, testutil.SMTPOptions{})
			o := newOutbox(ideas.SignInMail{ID: 7, Email: "claire@brand.example", Locale: tc.locale})
			if sent, log := work(t, o, brand(), anonymous(server)); !sent {
				t.Fatalf("not sent: %s", log)
			}
			m := server.Mail(t)
			if diff := cmp.Diff([]string{"claire@brand.example"}, m.To); diff != "" || m.From != "ideas@brand.example" {
				t.Errorf("from %s (-want +got):\n%s", m.From, diff)
			}
			if got := header(t, m, "Subject"); got != tc.subject {
				t.Errorf("subject = %q, want %q", got, tc.subject)
			}
			if got := m.Message.Header.Get("Auto-Submitted"); got != "auto-generated" {
				t.Errorf("Auto-Submitted = %q", got)
			}
			link := "https://ideas.brand.example/sign-in/link?token=" + token
			alternatives := parts(t, m)
			for kind, phrases := range map[string][]string{
				"text/plain": {"\n" + link + "\r\n", tc.phrase}, "text/html": {`<a href="` + link + `"`, tc.phrase, tc.button + "</a>", "#0b6e4f"},
			} {
				text := strings.ReplaceAll(alternatives[kind], "\n"+link+"\n", "\n"+link+"\r\n")
				for _, phrase := range phrases {
					if !strings.Contains(text, phrase) {
						t.Errorf("%s lacks %q:\n%s", kind, phrase, text)
					}
				}
			}
			if strings.Contains(alternatives["text/html"], "<Workshop>") {
				t.Error("the brand's name is not escaped in HTML")
			}
			if got := <-o.sent; got != 7 {
				t.Errorf("mail %d reported as sent, want 7", got)
			}
		})
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	server := testutil.StartSMTP(t, testutil.SMTPOptions{})
	hostile := brand()
	hostile.Name["fr"] = "Evil\r\nBcc: victim@brand.example\r\n\r\nbody \u202E" + strings.Repeat("x", 300)
	o := newOutbox(ideas.SignInMail{ID: 1, Email: "claire@brand.example", Locale: "fr"})
	if sent, log := work(t, o, hostile, anonymous(server)); !sent {
		t.Fatalf("not sent: %s", log)
	}
	m := server.Mail(t)
	if len(m.To) != 1 || m.Message.Header.Get("Bcc") != "" {
		t.Errorf("recipients %v, Bcc %q; want one recipient", m.To, m.Message.Header.Get("Bcc"))
	}
	for _, name := range []string{"Subject", "From"} {
		if strings.ContainsAny(header(t, m, name), "\r\n\u202E") {
			t.Errorf("%s holds control characters: %q", name, header(t, m, name))
		}
	}
	o = newOutbox(ideas.SignInMail{ID: 2, Email: "claire@brand.example>\r\nRCPT TO:<victim@brand.example", Locale: "fr"})
	if sent, _ := work(t, o, brand(), anonymous(server)); sent || strings.Contains(server.Transcript(), "RCPT TO:<victim") {
		t.Error("an address has brought a command of its own")
	}
}

// A brand may be called as it likes: its mails go out, and carry its name as it is written.
func TestNamesOfBrands(t *testing.T) {
	for _, name := range []string{`L'atelier "Bleu"`, `a\b`, `Smith, Jones; & <Sons>`, `"';{}</script>{{.}}${x}<!--`, "été 🚲"} {
		server := testutil.StartSMTP(t, testutil.SMTPOptions{})
		s := brand()
		s.Name["fr"] = name
		o := newOutbox(ideas.SignInMail{ID: 1, Email: "claire@brand.example", Locale: "fr"})
		if sent, log := work(t, o, s, anonymous(server)); !sent {
			t.Fatalf("the mail of %q was not sent: %s", name, log)
		}
		m := server.Mail(t)
		from, err := netmail.ParseAddress(m.Message.Header.Get("From"))
		if err != nil || from.Name != name || from.Address != "ideas@brand.example" {
			t.Errorf("the mail of %q is from %v (%v)", name, from, err)
		}
	}
}

func TestTLSModes(t *testing.T) {
	account := testutil.SMTPOptions{Username: "account", Password: "s3cret"}
	with := func(change func(*testutil.SMTPOptions)) testutil.SMTPOptions { o := account; change(&o); return o }
	startTLS := with(func(o *testutil.SMTPOptions) { o.TLS = true })
	implicit := with(func(o *testutil.SMTPOptions) { o.Implicit = true })
	for name, tc := range map[string]struct {
		server testutil.SMTPOptions
		mode   string
		trust  bool
		sent   bool
	}{
		"STARTTLS":                      {startTLS, mail.TLSStart, true, true},
		"TLS from the first byte":       {implicit, mail.TLSImplicit, true, true},
		"STARTTLS not offered":          {account, mail.TLSStart, true, false},
		"certificate not trusted":       {startTLS, mail.TLSStart, false, false},
		"password over a clear line":    {account, mail.TLSNone, true, false},
		"TLS where the server has none": {account, mail.TLSImplicit, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testutil.StartSMTP(t, tc.server)
			config := func() (mail.Config, bool, error) {
				c, on, err := configFor(server, tc.mode)()
				if !tc.trust {
					c.RootCAs = nil
				}
				return c, on, err
			}
			sent, log := work(t, newOutbox(ideas.SignInMail{ID: 1, Email: "claire@brand.example", Locale: "fr"}), brand(), config)
			if sent != tc.sent {
				t.Fatalf("sent = %v, want %v; %s", sent, tc.sent, log)
			}
			if strings.Contains(log, "s3cret") {
				t.Errorf("the log holds the password: %s", log)
			}
			if !sent {
				password := base64.StdEncoding.EncodeToString([]byte("\x00account\x00s3cret"))
				if text := server.Transcript(); strings.Contains(text, password) || strings.Contains(text, "claire") {
					t.Errorf("password or address went over a line that is not safe:\n%s", text)
				}
				return
			}
			if m := server.Mail(t); !m.Encrypted || m.Username != "account" {
				t.Errorf("mail came encrypted %v from account %q", m.Encrypted, m.Username)
			}
		})
	}
}

// TestFailures has the server quote the message and the address, as spam filters do.
func TestFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		options testutil.SMTPOptions
		dropped bool
	}{
		"mailbox does not exist": {testutil.SMTPOptions{Refuse: func(r string) string { return "550 no mailbox " + r }}, true},
		"mailbox is busy":        {testutil.SMTPOptions{Refuse: func(r string) string { return "450 later, " + r }}, false},
		"message refused": {testutil.SMTPOptions{RefuseData: func(text string) string {
			return fmt.Sprintf("554 looks like spam: %s %.200q", token, text)
		}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := testutil.StartSMTP(t, tc.options)
			o := newOutbox(ideas.SignInMail{ID: 1, Email: "claire@brand.example", Locale: "fr"})
			sent, log := work(t, o, brand(), anonymous(server))
			if sent || server.Received() != 0 {
				t.Fatal("reported as sent")
			}
			if dropped := len(o.sent) == 1; dropped != tc.dropped {
				t.Errorf("removed from the outbox: %v, want %v", dropped, tc.dropped)
			}
			if strings.Contains(log, token) || strings.Contains(log, "claire") || !strings.Contains(log, `"mail":1`) {
				t.Errorf("the log must name the mail and hold neither link nor address: %s", log)
			}
		})
	}
}

func TestNothingIsClaimedWhileMailIsOff(t *testing.T) {
	o := newOutbox(ideas.SignInMail{ID: 1, Email: "claire@brand.example", Locale: "fr"})
	asked := make(chan struct{}, 100)
	w := mail.Worker{
		Outbox: o, Settings: settings(brand()), LinkPath: "/", Logger: slog.New(slog.DiscardHandler),
		Config: func() (mail.Config, bool, error) { asked <- struct{}{}; return mail.Config{}, false, nil },
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	<-asked
	o.wake <- struct{}{}
	<-asked
	cancel()
	<-done
	if len(o.waiting) != 1 {
		t.Error("a mail was claimed that cannot be sent")
	}
}

type files map[string]string

func (f files) Read(name string) (string, error) { return f[name], nil }

func TestReadConfig(t *testing.T) {
	whole := files{
		control.FileMailHost: "smtp.brand.example", control.FileMailPort: "2525", control.FileMailUsername: "u", control.FileMailPassword: "p",
		control.FileMailFrom: "Idées <ideas@brand.example>", control.FileMailTLS: "tls",
	}
	with := func(name, value string) files {
		f := files{}
		for k, v := range whole {
			f[k] = v
		}
		f[name] = value
		return f
	}
	sender := netmail.Address{Name: "Idées", Address: "ideas@brand.example"}
	for name, tc := range map[string]struct {
		files files
		want  mail.Config
		on    bool
		err   string
	}{
		"whole": {whole, mail.Config{Host: "smtp.brand.example", Port: 2525, Username: "u", Password: "p", From: sender, TLS: mail.TLSImplicit}, true, ""},
		"least": {files{control.FileMailHost: "h", control.FileMailFrom: "a@brand.example"},
			mail.Config{Host: "h", Port: 587, From: netmail.Address{Address: "a@brand.example"}, TLS: mail.TLSStart}, true, ""},
		"no host":      {with(control.FileMailHost, ""), mail.Config{}, false, ""},
		"wrong port":   {with(control.FileMailPort, "70000"), mail.Config{}, false, "mail-port must be"},
		"port zero":    {with(control.FileMailPort, "0"), mail.Config{}, false, "mail-port must be"},
		"wrong TLS":    {with(control.FileMailTLS, "yes"), mail.Config{}, false, "mail-tls must be"},
		"no sender":    {with(control.FileMailFrom, ""), mail.Config{}, false, "mail-from must be"},
		"wrong sender": {with(control.FileMailFrom, "a@b\r\nBcc: c@d"), mail.Config{}, false, "mail-from must be"},
	} {
		t.Run(name, func(t *testing.T) {
			got, on, err := mail.Read(tc.files)
			if (err != nil) != (tc.err != "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("error = %v, want %q", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); on != tc.on || diff != "" {
				t.Errorf("on = %v (-want +got):\n%s", on, diff)
			}
		})
	}
}
