package publichttp_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas/publichttp"
)

func TestIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"1.1.1.1": true, "2606:4700:4700::1111": true, "::ffff:1.1.1.1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.31.0.1": false, "192.168.0.1": false, "169.254.169.254": false, "100.100.100.200": false,
		"0.0.0.0": false, "255.255.255.255": false, "::1": false, "::": false, "fe80::1": false, "fc00::1": false, "ff02::1": false,
		"::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "::10.0.0.1": false, "198.18.0.1": false,
	} {
		if got := publichttp.IsPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s public = %v, want %v", address, got, want)
		}
	}
}

// A redirect is followed as far as the options say, and every step is checked: what is public may point inside.
func TestRedirects(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("secret")) }))
	t.Cleanup(inside.Close)
	outside := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	t.Cleanup(outside.Close)
	get := func(o publichttp.Options, url string) (*http.Response, error) {
		o.Timeout, o.MaxAnswer = 5*time.Second, 1<<10
		response, err := publichttp.New(o).Get(url)
		if err == nil {
			t.Cleanup(func() { response.Body.Close() })
		}
		return response, err
	}
	if response, err := get(publichttp.Options{AllowPrivate: true}, outside.URL); err != nil || response.StatusCode != http.StatusFound {
		t.Errorf("without redirects: %v, %v", response, err)
	}
	if response, err := get(publichttp.Options{AllowPrivate: true, Redirects: 1}, outside.URL); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("with redirects: %v, %v", response, err)
	}
	for _, address := range []string{strings.Replace(inside.URL, "http:", "https:", 1), "https://localhost:1/"} {
		if _, err := get(publichttp.Options{Redirects: 1}, address); !errors.Is(err, publichttp.ErrPrivateAddress) {
			t.Errorf("%s: %v, want ErrPrivateAddress", address, err)
		}
	}
}
