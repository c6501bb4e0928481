//go:build e2e

package localcluster

import (
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// demoTime is ample for the demo with everything built.
const demoTime = 8 * time.Minute

// The demo opens a community on this machine, does no harm when run again, is filled with a living programme, and
// goes without leaving anything.
func TestDemo(t *testing.T) {
	t.Parallel()
	succeed(t, demoTime, nil, "make", "demo-down") // of an older state of the programs
	var url string
	for _, which := range []string{"first", "second"} {
		out, said := succeed(t, demoTime, nil, "make", "demo")
		for _, want := range []string{"The community is open after", "mail.community.localhost", "kubectl get cocreation -A", "Sign in:"} {
			if !strings.Contains(out, want) {
				t.Errorf("the %s run does not say %q:\n%s", which, want, out)
			}
		}
		if !strings.Contains(said, "Ready") {
			t.Errorf("the %s run does not say how it gets on:\n%s", which, said)
		}
		url = regexp.MustCompile(`http://\S+`).FindString(out)
		if page := open(t, url); !strings.Contains(page, "Atelier Horizon") {
			t.Errorf("%s does not show the community after the %s run", url, which)
		}
	}
	ideas := strings.Count(open(t, url+"/ideas"), "/ideas/")
	if ideas < 3 {
		t.Errorf("the demo shows %d links to ideas", ideas)
	}
	for range 2 {
		succeed(t, demoTime, nil, "make", "seed-demo")
	}
	if page := open(t, url+"/challenges"); !strings.Contains(page, "/challenges/") {
		t.Errorf("the filled demo shows no challenge:\n%s", page)
	}
	succeed(t, demoTime, nil, "make", "demo-down")
	kubectl, _ := succeed(t, time.Minute, nil, "hack/cluster/build.sh", "--path", "kubectl")
	kubeconfig, _ := succeed(t, upTime, nil, "hack/cluster/up.sh")
	left, _ := succeed(t, time.Minute, nil, kubectl, "--kubeconfig", kubeconfig, "get", "namespaces,communityclasses,deployments", "-A", "-o", "name")
	for _, gone := range []string{"namespace/atelier", "namespace/community-mail", "deployment.apps/community-operator", "communityclass.cocreation.quaeso.io/try-out"} {
		if strings.Contains(left+"\n", gone+"\n") {
			t.Errorf("demo-down left %s", gone)
		}
	}
}

// browser finds every name below localhost on this machine, as browsers do.
var browser = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
	DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	},
}}

// open reads a page of the demo.
func open(t *testing.T, url string) string {
	t.Helper()
	resp, err := browser.Get(url)
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("open %s: status %d, %v", url, resp.StatusCode, err)
	}
	return string(body)
}
