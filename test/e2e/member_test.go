//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/rand"
)

// member is somebody who visits a community without a browser.
type member struct {
	*world
	base  string
	email string
	http  *http.Client
}

// throughNode dials Traefik on the node whatever name the address has, as DNS would have it.
func throughNode(ctx context.Context, network, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	return d.DialContext(ctx, network, net.JoinHostPort(cluster.nodeAddress, port))
}

// visitor opens the community at base.
func (w *world) visitor(base string) *member {
	w.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	return &member{
		world: w, base: base, email: "member-" + rand.String(8) + "@e2e.example",
		http: &http.Client{
			Jar: jar, Timeout: 15 * time.Second, Transport: &http.Transport{DialContext: throughNode},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// answer is what came back for a request.
type answer struct {
	status   int
	location string
	body     string
	header   http.Header
}

func (m *member) do(method, path string, form url.Values) (answer, error) {
	target := path
	if !strings.HasPrefix(path, "http") {
		target = m.base + path
	}
	req, err := http.NewRequestWithContext(m.ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := m.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, location: res.Header.Get("Location"), body: string(body), header: res.Header}, err
}

// want sends a request and expects a status.
func (m *member) want(status int, method, path string, form url.Values) answer {
	m.Helper()
	got, err := m.do(method, path, form)
	if err != nil {
		m.Fatalf("%s %s: %v", method, path, err)
	}
	if got.status != status {
		m.Fatalf("%s %s answered %d, want %d:\n%.600s", method, path, got.status, status, got.body)
	}
	return got
}

// signIn goes the way of the link that is mailed.
func (m *member) signIn() {
	m.Helper()
	m.want(http.StatusSeeOther, "POST", "/sign-in", url.Values{"email": {m.email}, "returnTo": {"/ideas/new"}})
	link := m.mailedLink()
	if !strings.HasPrefix(link, m.base+"/") {
		m.Fatalf("the link in the mail leads to %.40s…, want the community at %s", link, m.base)
	}
	target, err := url.Parse(link)
	if err != nil {
		m.Fatal(err)
	}
	m.want(http.StatusOK, "GET", target.RequestURI(), nil)
	m.want(http.StatusSeeOther, "POST", target.Path, url.Values{"token": target.Query()["token"]})
	m.want(http.StatusOK, "GET", "/profile", nil)
}

var signInLink = regexp.MustCompile(`https?://\S+/sign-in/link\?token=[\w-]+`)

func (m *member) mailedLink() string {
	m.Helper()
	var link string
	m.eventually(30*time.Second, "a mail to "+m.email+" arrives", func() error {
		var list struct{ Messages []struct{ ID string } }
		if err := getJSON(m.ctx, cluster.inbox+"/api/v1/search?query="+url.QueryEscape("to:"+m.email), &list); err != nil {
			return err
		}
		if len(list.Messages) == 0 {
			return fmt.Errorf("no mail yet")
		}
		var mail struct{ Text string }
		if err := getJSON(m.ctx, cluster.inbox+"/api/v1/message/"+list.Messages[0].ID, &mail); err != nil {
			return err
		}
		link = signInLink.FindString(mail.Text)
		if link == "" {
			return fmt.Errorf("the mail holds no link")
		}
		return nil
	})
	return link
}

func getJSON(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the mail catcher answered %d", res.StatusCode)
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// submit, support and comment an idea; returns its path.
func (m *member) submit(title string) string {
	m.Helper()
	key := rand.String(16)
	got := m.want(http.StatusSeeOther, "POST", "/ideas", url.Values{"key": {key}, "title": {title}, "body": {"It would *help* everybody."}})
	id := regexp.MustCompile(`^/ideas/\d+`).FindString(got.location)
	if id == "" {
		m.Fatalf("a submitted idea leads to %q", got.location)
	}
	m.want(http.StatusSeeOther, "POST", id+"/support", url.Values{"support": {"true"}, "back": {got.location}})
	m.want(http.StatusSeeOther, "POST", id+"/comments", url.Values{"key": {key}, "body": {"Count me in."}})
	m.sees(got.location, title, "Count me in.")
	return got.location
}

// sees opens a page and expects texts on it.
func (m *member) sees(path string, texts ...string) {
	m.Helper()
	got := m.want(http.StatusOK, "GET", path, nil)
	for _, text := range texts {
		if !strings.Contains(got.body, html.EscapeString(text)) {
			m.Fatalf("%s does not show %q", path, text)
		}
	}
}

// mainPath is the way of a newcomer: sign in, submit, support, comment. It returns the idea's title and path.
func (w *world) mainPath(base string) (title, path string) {
	w.Helper()
	w.waitServed(base)
	m := w.visitor(base)
	m.signIn()
	title = "A lighter tent " + rand.String(8)
	return title, m.submit(title)
}

// proxyDelay is how long the proxy may take to see pods that Kubernetes calls ready.
const proxyDelay = 5 * time.Second

// waitServed waits until the proxy has seen what the operator reported.
func (w *world) waitServed(base string) {
	w.Helper()
	w.eventually(proxyDelay, base+" is served", func() error { return w.serves(base) })
}

// serves opens the home page anew.
func (w *world) serves(base string) error {
	m := w.visitor(base)
	defer m.http.CloseIdleConnections()
	got, err := m.do(http.MethodGet, "/", nil)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("%s answers %d", base, got.status)
	}
	return err
}

// sqlCountIdea counts an idea with one supporter and one comment.
func sqlCountIdea(t *testing.T, title string) string {
	t.Helper()
	if strings.ContainsAny(title, `'\`) {
		t.Fatalf("title %q needs quoting", title)
	}
	return fmt.Sprintf(`SELECT count(*) FROM ideas.idea i WHERE title = '%s'
		AND 1 = (SELECT count(*) FROM ideas.support s WHERE s.idea_id = i.id)
		AND 1 = (SELECT count(*) FROM ideas.comment c WHERE c.idea_id = i.id)`, title)
}
