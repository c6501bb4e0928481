package web

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// contentPolicy allows nothing but files of this site, and images by https for the brand's logo. Forms go to
// this site only; nobody frames it.
const contentPolicy = "default-src 'self'; img-src 'self' https: data:; object-src 'none'; base-uri 'none'; " +
	"form-action 'self'; frame-ancestors 'none'"

// strictTransport is for thirty days: long enough to protect a returning member, short enough for a brand to
// take a domain back into other hands.
const strictTransport = "max-age=2592000"

// guard sets the security headers of every answer, survives panics, and logs requests. The log holds the path
// without its query, where sign-in links carry their token.
func (a *app) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := a.now()
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), browsing-topics=()")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if a.site(r.Context()).secure {
			// Browsers complain of this one on pages that come by plain HTTP.
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Strict-Transport-Security", strictTransport)
		}
		defer func() {
			if cause := recover(); cause != nil {
				if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(cause)
				}
				a.log.ErrorContext(r.Context(), "request panicked", "method", r.Method, "path", r.URL.Path,
					"cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
				http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			}
			a.log.DebugContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path,
				"took", a.now().Sub(start).Round(time.Microsecond))
		}()
		next.ServeHTTP(w, r)
	})
}

// page runs a handler of pages, and counts its requests as the kind says: for a known host only, never for a form of another site, and with whoever is
// signed in.
func (a *app) page(kind limitKind, h handle) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := a.visit(w, r)
		if err := a.serve(v, kind, h); err != nil {
			a.fail(v, err)
		}
	})
}

func (a *app) serve(v *visit, kind limitKind, h handle) error {
	if !v.site.declared {
		return a.settingUp(v)
	}
	if host := normalHost(v.r.Host); !a.cfg.Alone && !v.site.hostnames[host] {
		return refuse(http.StatusMisdirectedRequest, "find community of host "+host, nil)
	}
	if err := a.origin.Check(v.r); err != nil {
		return refuse(http.StatusForbidden, "check origin", err)
	}
	if err := v.authenticate(); err != nil {
		return err
	}
	v.chooseLanguage()
	a.noteVisit(v)
	if v.r.URL.Query().Get("q") != "" {
		if err := a.limit(v.r.Context(), limitSearches, v.viewer(), a.clientAddress(v.r)); err != nil {
			return err
		}
	}
	if kind != limitNone {
		if err := a.limit(v.r.Context(), kind, v.viewer(), a.clientAddress(v.r)); err != nil {
			return err
		}
	}
	if v.r.Method == http.MethodPost {
		if err := parseForm(v.w, v.r); err != nil {
			return err
		}
	}
	if v.site.closed() {
		v.w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	}
	if instead := a.detour(v); instead != nil {
		return instead(v)
	}
	return h(v)
}

// settingUp tells that there is no declaration yet. The page asks again by itself, so it opens when there is.
func (a *app) settingUp(v *visit) error {
	v.w.Header().Set("Retry-After", "5")
	v.w.Header().Set("Cache-Control", "no-store")
	p := v.page(v.t("setup.title"))
	p.Hidden = true
	return v.render(http.StatusServiceUnavailable, "setup", p)
}

// normalHost is a Host header's name without port and final dot, in lower case.
func normalHost(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// clientAddress is whom limits count: the connection's address, or what the proxy in front has seen.
func (a *app) clientAddress(r *http.Request) string {
	if a.cfg.BehindProxy {
		// Entries before the last are the client's own claim.
		forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
		last := strings.TrimSpace(forwarded[strings.LastIndex(forwarded, ",")+1:])
		if ip := net.ParseIP(last); ip != nil {
			return ip.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
