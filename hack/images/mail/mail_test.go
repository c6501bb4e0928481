package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"testing"
	"time"
)

const twoParts = "From: =?utf-8?q?Caf=C3=A9_V=C3=A9lo?= <no-reply@velo.example>\r\n" +
	"To: camille@example.org\r\nSubject: =?utf-8?q?Votre_lien_d=E2=80=99acc=C3=A8s?=\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/alternative; boundary=B\r\n\r\n" +
	"--B\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"Bient=F4t https://velo.example/in?a=3D1&b=3D2\r\n" +
	"--B\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Bientôt</p>\r\n--B--\r\n"

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		raw     string
		want    letter
		wantErr bool
	}{
		"two parts, two charsets": {raw: twoParts, want: letter{
			From: address{Name: "Café Vélo", Address: "no-reply@velo.example"}, Subject: "Votre lien d’accès",
			Text: "Bientôt https://velo.example/in?a=1&b=2", HTML: "<p>Bientôt</p>",
		}},
		"plain text without a type": {raw: "From: a@b.example\r\nSubject: Hi\r\n\r\nhello\r\n", want: letter{
			From: address{Address: "a@b.example"}, Subject: "Hi", Text: "hello\r\n",
		}},
		"no mail": {raw: "\x00\x01", wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse([]byte(test.raw), []string{"camille@example.org"}, time.Unix(0, 0))
			if (err != nil) != test.wantErr {
				t.Fatalf("parse() error = %v, want an error: %v", err, test.wantErr)
			}
			if err != nil {
				return
			}
			if got.From != test.want.From || got.Subject != test.want.Subject || got.Text != test.want.Text || got.HTML != test.want.HTML {
				t.Errorf("parse() = %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestSearch(t *testing.T) {
	box := &inbox{}
	box.add(letter{To: []address{{Address: "camille@example.org"}}, Subject: "Welcome", Text: "first"})
	box.add(letter{To: []address{{Address: "robin@example.org"}}, Subject: "Welcome back", Text: "second"})
	for query, want := range map[string]int{
		"": 2, "to:camille@example.org": 1, "to:nobody": 0, "subject:welcome": 2, "subject:back to:robin": 1, "FIRST": 1, "from:x": 0,
	} {
		if got := box.find(query); len(got) != want {
			t.Errorf("find(%q) gives %d messages, want %d", query, len(got), want)
		}
	}
	if newest, ok := box.get("latest"); !ok || newest.Text != "second" {
		t.Errorf("get(latest) = %+v, %v, want the second message", newest, ok)
	}
}

// TestSentMailIsServed sends over SMTP, with a password as a real client would, and reads over HTTP.
func TestSentMailIsServed(t *testing.T) {
	box := &inbox{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newSMTPServer(listener.Addr().String(), box)
	go server.Serve(listener)
	t.Cleanup(func() { _ = server.Close() })
	web := httptest.NewServer(newHandler(box))
	t.Cleanup(web.Close)

	login := smtp.PlainAuth("", "any", "password", "127.0.0.1")
	if err := smtp.SendMail(listener.Addr().String(), login, "no-reply@velo.example", []string{"camille@example.org"}, []byte(twoParts)); err != nil {
		t.Fatalf("send: %v", err)
	}
	var list struct{ Messages []letter }
	getJSON(t, web.URL+"/api/v1/search?query=to:camille@example.org", &list)
	if len(list.Messages) != 1 || !strings.Contains(list.Messages[0].Text, "https://velo.example/in?a=1&b=2") {
		t.Fatalf("search = %+v, want the message that was sent", list)
	}
	var one letter
	getJSON(t, web.URL+"/api/v1/message/"+list.Messages[0].ID, &one)
	if one.Subject != "Votre lien d’accès" {
		t.Errorf("subject = %q", one.Subject)
	}
}

func TestLinkedEscapesText(t *testing.T) {
	got := string(linked(`<script> https://a.example/?x="><b>`))
	want := `&lt;script&gt; <a target="_blank" rel="noreferrer" href="https://a.example/?x=">https://a.example/?x=</a>&#34;&gt;&lt;b&gt;`
	if got != want {
		t.Errorf("linked() = %s\nwant %s", got, want)
	}
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
