package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// apiPath begins the address of every call.
const apiPath = "/api/v1"

// maxCall bounds the body of a call: the longest idea fits however its characters are escaped.
const maxCall = 256 << 10

// apiRoute is one call. openapi.yaml describes each; a test holds that both say the same.
type apiRoute struct {
	method, path string
	// scope that a token needs.
	scope ideas.Scope
	// public calls answer those without a token too, unless the community is for members only.
	public bool
	// needs is the permission of a call of the team's side; empty for the others.
	needs  ideas.Permission
	handle func(*apiCall) error
}

// limit is how calls of the route are counted: votes and contributions together with those of pages.
func (r apiRoute) limit() limitKind {
	switch {
	case r.method == http.MethodGet:
		return limitCalls
	case strings.HasSuffix(r.path, "/vote"), strings.HasSuffix(r.path, "/support"):
		return limitVotes
	case r.scope == ideas.ScopeWrite && !strings.HasPrefix(r.path, "/me/") && r.method != http.MethodDelete:
		return limitContributions
	default:
		return limitAPIWrites
	}
}

// apiRoutes lists all calls.
func (a *app) apiRoutes() []apiRoute {
	return slices.Concat(a.apiIdeaRoutes(), a.apiChallengeRoutes(), a.apiBallotRoutes(), a.apiApplicationRoutes(), a.apiTeamRoutes(),
		a.apiMemberRoutes(), a.apiNoticeRoutes())
}

// apiCall is one call: who asks, with which token.
type apiCall struct {
	w    http.ResponseWriter
	r    *http.Request
	app  *app
	site *site
	// member is nil for those without a token.
	member *ideas.Member
	token  ideas.Token
	roles  ideas.Roles
	// key is the idempotency key, as the store keeps contributions by it.
	key string
}

// api serves the calls. They are authenticated by token alone, never by the cookie of a session, so a page of another
// site cannot make a member's browser call them; there are no CORS headers.
func (a *app) api() http.Handler {
	mux := http.NewServeMux()
	routes := a.apiRoutes()
	for _, route := range routes {
		mux.HandleFunc(route.method+" "+apiPath+route.path, func(w http.ResponseWriter, r *http.Request) {
			a.answerCall(w, r, route)
		})
	}
	mux.HandleFunc("GET "+apiPath+"/openapi.json", a.serveOpenAPI)
	mux.HandleFunc(apiPath+"/", func(w http.ResponseWriter, r *http.Request) {
		c := &apiCall{w: w, r: r, app: a, site: a.site(r.Context())}
		if allowed := allowedMethods(mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			c.fail(&problemError{status: http.StatusMethodNotAllowed, detail: "This address takes " + strings.Join(allowed, ", ") + "."})
			return
		}
		c.fail(ideas.ErrNotFound)
	})
	return mux
}

// allowedMethods of an address that exists, for a method that it does not take.
func allowedMethods(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		asked := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(asked); pattern != apiPath+"/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

func (a *app) answerCall(w http.ResponseWriter, r *http.Request, route apiRoute) {
	c := &apiCall{w: w, r: r, app: a, site: a.site(r.Context())}
	if err := c.serve(route); err != nil {
		c.fail(err)
	}
}

func (c *apiCall) serve(route apiRoute) error {
	if !c.site.declared {
		return ideas.ErrUnavailable
	}
	if host := normalHost(c.r.Host); !c.app.cfg.Alone && !c.site.hostnames[host] {
		return &problemError{status: http.StatusMisdirectedRequest, detail: "There is no community at this host."}
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	address := c.app.clientAddress(c.r)
	if err := c.app.limit(c.ctx(), route.limit(), c.viewer(), address); err != nil {
		return err
	}
	if err := c.authorize(route); err != nil {
		return err
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxCall)
	if route.method != http.MethodPost {
		return route.handle(c)
	}
	return c.once(route.handle)
}

// authenticate finds the member of the token. Addresses never carry one: they end up in logs and histories.
func (c *apiCall) authenticate() error {
	header := c.r.Header.Get("Authorization")
	if header == "" {
		return nil
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return &problemError{status: http.StatusUnauthorized, detail: "Send a personal token as “Authorization: Bearer TOKEN”."}
	}
	m, token, err := c.app.cfg.Store.AuthenticateToken(c.r.Context(), strings.TrimSpace(secret))
	if errors.Is(err, ideas.ErrNotFound) {
		// Guessing is counted like signing in.
		if err := c.app.limit(c.ctx(), limitSignIns, 0, c.app.clientAddress(c.r)); err != nil {
			return err
		}
		return &problemError{
			status: http.StatusUnauthorized, challenge: `error="invalid_token"`,
			detail: "The token is unknown, revoked or expired. Make another one on your profile.",
		}
	}
	if err != nil {
		return fmt.Errorf("authenticate token: %w", err)
	}
	c.member, c.token, c.roles = &m, token, c.site.RolesOf(m.Email)
	return nil
}

// authorize checks token, scope and role. Calls that change something always need a member.
func (c *apiCall) authorize(route apiRoute) error {
	if c.member == nil {
		if route.public && !c.site.closed() {
			return nil
		}
		return &problemError{status: http.StatusUnauthorized, detail: "This call needs a personal token, which you make on your profile."}
	}
	if c.member.Blocked(c.app.now()) {
		return &problemError{status: http.StatusForbidden, detail: "You are blocked. The site tells you why, and until when."}
	}
	if asked := c.site.requirements.Digest; asked != "" && c.member.JoinedUnder != asked {
		return &problemError{status: http.StatusForbidden, detail: "The community asks its members something that you have still to answer on the site."}
	}
	if !c.token.May(route.scope) {
		return &problemError{
			status: http.StatusForbidden, challenge: fmt.Sprintf(`error="insufficient_scope", scope=%q`, route.scope),
			detail: fmt.Sprintf("This call needs a token with the scope “%s”.", route.scope),
		}
	}
	if route.needs != "" && !c.roles.May(route.needs) {
		return &problemError{status: http.StatusForbidden, detail: fmt.Sprintf("This call needs a role of the team with the permission “%s”.", route.needs)}
	}
	return nil
}

// closed tells whether pages and calls are for members only.
func (s *site) closed() bool { return s.House != nil && s.House.SignUp.Closed }

// viewer is the member's id, 0 for nobody.
func (c *apiCall) viewer() int64 {
	if c.member == nil {
		return 0
	}
	return c.member.ID
}

func (c *apiCall) ctx() context.Context { return c.r.Context() }

// id reads the number of the address.
func (c *apiCall) id() (int64, error) {
	text := c.r.PathValue("id")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != text {
		return 0, ideas.ErrNotFound
	}
	return id, nil
}

// decode reads the body, one JSON object without unknown members.
func (c *apiCall) decode(into any) error {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return &problemError{status: http.StatusUnsupportedMediaType, detail: "Send the body as application/json."}
	}
	decoder := json.NewDecoder(c.r.Body)
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	if err == nil && decoder.More() {
		err = errors.New("the body has more than one value")
	}
	var tooLarge *http.MaxBytesError
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return err
	case errors.As(err, &wrong) && wrong.Field != "":
		return &ideas.FieldError{Field: wrong.Field, Code: "invalid"}
	}
	if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return &ideas.FieldError{Field: strings.Trim(field, `"`), Code: "unknown"}
	}
	return &problemError{status: http.StatusBadRequest, detail: "The body is not one JSON object."}
}

// send answers with a value. A reading call gets an ETag of what it sends, unless the handler has set one, and 304 where the
// caller has it already.
func (c *apiCall) send(status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return c.sendBody(status, append(body, '\n'))
}

func (c *apiCall) sendBody(status int, body []byte) error {
	h := c.w.Header()
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		if h.Get("ETag") == "" {
			h.Set("ETag", etagOf(body))
		}
		h.Set("Cache-Control", "private, no-cache")
		if matchesETag(c.r.Header.Get("If-None-Match"), h.Get("ETag")) {
			c.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	} else {
		h.Set("Cache-Control", "no-store")
	}
	h.Set("Vary", "Authorization, Accept-Encoding")
	if status == http.StatusNoContent {
		c.w.WriteHeader(status)
		return nil
	}
	h.Set("Content-Type", "application/json")
	body = c.app.compressor.compress(h, c.r, body)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body) // a caller who has gone is no error of ours
	}
	return nil
}

func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// matchesETag compares weakly, as RFC 9110 asks for If-None-Match.
func matchesETag(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == "*" || one == etag {
			return true
		}
	}
	return false
}

// apiList is a page of a list.
type apiList[T any] struct {
	Items []T `json:"items"`
	// Next is the cursor of the following page; absent on the last.
	Next string `json:"next,omitempty"`
}

// sendList answers with a page, and with the address of the next in the Link header (RFC 8288).
func sendList[T any](c *apiCall, items []T, next string) error {
	if items == nil {
		items = []T{}
	}
	if next != "" {
		query := c.r.URL.Query()
		query.Set("cursor", next)
		following := url.URL{Path: c.r.URL.Path, RawQuery: query.Encode()}
		c.w.Header().Set("Link", "<"+c.site.BaseURL+following.String()+`>; rel="next"`)
	}
	return c.send(http.StatusOK, apiList[T]{Items: items, Next: next})
}

// limitOf is the number of items asked for.
func (c *apiCall) limitOf() (int, error) {
	text := c.r.URL.Query().Get("limit")
	if text == "" {
		return listLength, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > ideas.MaxPage {
		return 0, &ideas.FieldError{Field: "limit", Code: "invalid", Limit: ideas.MaxPage}
	}
	return n, nil
}

// once answers a repeated call with what the first was answered. Without an idempotency key each call counts.
func (c *apiCall) once(handle func(*apiCall) error) error {
	key := c.r.Header.Get("Idempotency-Key")
	if key == "" {
		return handle(c)
	}
	if len(key) > 255 || c.member == nil {
		return &ideas.FieldError{Field: "Idempotency-Key", Code: "too_long", Limit: 255}
	}
	body, err := readAll(c.r)
	if err != nil {
		return err
	}
	c.r.Body = readable(body)
	fingerprint := sha256.Sum256(slices.Concat([]byte(c.r.Method+" "+c.r.URL.RequestURI()+"\n"), body))
	store := c.app.cfg.Store
	kept, err := store.BeginRequest(c.ctx(), c.member.ID, key, fingerprint)
	switch {
	case errors.Is(err, ideas.ErrKeyReused):
		return &problemError{status: http.StatusUnprocessableEntity, detail: "The idempotency key was used for another request within a day."}
	case errors.Is(err, ideas.ErrUnderWay):
		c.w.Header().Set("Retry-After", "1")
		return &problemError{status: http.StatusConflict, detail: "The first request with this idempotency key is still being answered."}
	case err != nil:
		return fmt.Errorf("begin request: %w", err)
	}
	if kept != nil {
		if kept.Location != "" {
			c.w.Header().Set("Location", kept.Location)
		}
		c.w.Header().Set("Idempotency-Replayed", "true")
		return c.sendBody(kept.Status, kept.Body)
	}
	// Should the process end before the answer is kept, the contribution is found again by its key.
	sum := sha256.Sum256([]byte(key))
	c.key = hex.EncodeToString(sum[:])
	recorder := &answerRecorder{ResponseWriter: c.w, status: http.StatusOK}
	c.w = recorder
	accepts := c.r.Header.Get("Accept-Encoding")
	c.r.Header.Del("Accept-Encoding") // so that the answer is kept as anybody can read it
	err = handle(c)
	c.r.Header.Set("Accept-Encoding", accepts)
	var answer *ideas.KeptAnswer
	if err == nil && recorder.status < http.StatusInternalServerError {
		answer = &ideas.KeptAnswer{Status: recorder.status, Location: c.w.Header().Get("Location"), Body: recorder.body.Bytes()}
	}
	// The answer is on its way whatever becomes of the caller.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx()), 5*time.Second)
	defer cancel()
	if keepErr := store.FinishRequest(ctx, c.member.ID, key, answer); keepErr != nil {
		c.app.log.WarnContext(ctx, "answer of a call not kept", "error", keepErr)
	}
	return err
}

// answerRecorder keeps what is sent.
type answerRecorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (r *answerRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *answerRecorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}
