// Package publichttp calls addresses that others choose: the issuer or the webhook of a declaration. Such an address must not
// become a way to reach what only this process can: the machine, the cluster, a cloud's metadata.
package publichttp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivateAddress is returned for a name that leads into the cluster or the machine.
var ErrPrivateAddress = errors.New("the address is not a public one")

// Options of a client.
type Options struct {
	// Timeout of a whole call.
	Timeout time.Duration
	// MaxAnswer bounds an answer, in bytes; reading on is an error.
	MaxAnswer int
	// Redirects that are followed; with 0 the answer that redirects is the caller's.
	Redirects int
	// AllowPrivate allows private addresses and plain http, for tests and local work.
	AllowPrivate bool
}

// New makes a client. The address is checked when it is dialled, after resolution and for every redirect, so that no name
// can change in between.
func New(o Options) *http.Client {
	dialer := &net.Dialer{Timeout: o.Timeout}
	if !o.AllowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			target, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("read the address to dial: %w", err)
			}
			if !IsPublic(target.Addr()) {
				return fmt.Errorf("dial %s: %w", target.Addr(), ErrPrivateAddress)
			}
			return nil
		}
	}
	return &http.Client{
		Timeout: o.Timeout,
		Transport: &guardedTransport{options: o, next: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: o.Timeout, ForceAttemptHTTP2: true,
			MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
			// No proxy of the environment: it would resolve the name itself, past our check.
			Proxy: nil,
		}},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			switch {
			case o.Redirects == 0:
				return http.ErrUseLastResponse
			case len(via) > o.Redirects:
				return fmt.Errorf("more than %d redirects", o.Redirects)
			}
			return nil
		},
	}
}

// guardedTransport refuses plain http and answers without end.
type guardedTransport struct {
	options Options
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *guardedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !t.options.AllowPrivate {
		return nil, fmt.Errorf("call %s: only https is allowed", r.URL.Host)
	}
	response, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: t.options.MaxAnswer, most: t.options.MaxAnswer}
	return response, nil
}

type boundedBody struct {
	io.ReadCloser
	left, most int
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the answer is longer than %d bytes", b.most)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// reserved networks that netip has no question for: "this" network, shared address space of carriers, protocol
// assignments, benchmarks, documentation, reserved, and IPv6 that embeds IPv4.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("::/96"),
}

// IsPublic tells whether an address is one of the public internet.
func IsPublic(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	if !address.IsGlobalUnicast() || address.IsPrivate() || address.IsLoopback() || address.IsLinkLocalUnicast() {
		return false
	}
	for _, prefix := range reserved {
		if prefix.Contains(address) {
			return false
		}
	}
	return true
}
