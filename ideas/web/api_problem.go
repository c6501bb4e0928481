package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

// problem is an error as RFC 9457 has it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Code says why a challenge does not take something, and Obstacles what is missing for it.
	Code      string         `json:"code,omitempty"`
	Obstacles []string       `json:"obstacles,omitempty"`
	Errors    []problemField `json:"errors,omitempty"`
}

// problemField says what is wrong with one field of the body or of the query.
type problemField struct {
	Field string `json:"field"`
	// Code is stable; Detail says the same in English.
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Limit  int    `json:"limit,omitempty"`
}

// problemError is an error of the call itself.
type problemError struct {
	status int
	detail string
	// challenge is added to the WWW-Authenticate header.
	challenge string
}

// Error implements error.
func (e *problemError) Error() string { return http.StatusText(e.status) + ": " + e.detail }

// problemKinds name the kinds of problems by status: the fragment of their address on /api, and their title.
var problemKinds = map[int][2]string{
	http.StatusBadRequest:            {"malformed", "The request cannot be read"},
	http.StatusUnauthorized:          {"token", "A valid token is needed"},
	http.StatusForbidden:             {"forbidden", "The token may not do this"},
	http.StatusNotFound:              {"not-found", "There is nothing here"},
	http.StatusMethodNotAllowed:      {"method", "The address does not take this method"},
	http.StatusConflict:              {"conflict", "The request conflicts with the present state"},
	http.StatusPreconditionFailed:    {"changed", "It has changed since you read it"},
	http.StatusPreconditionRequired:  {"precondition", "The call needs the header If-Match"},
	http.StatusRequestEntityTooLarge: {"too-large", "The body is too large"},
	http.StatusUnsupportedMediaType:  {"media-type", "The body is of another type"},
	http.StatusMisdirectedRequest:    {"host", "There is no community at this host"},
	http.StatusUnprocessableEntity:   {"invalid", "Some fields are not right"},
	http.StatusTooManyRequests:       {"too-many", "That was a lot in a short time"},
	http.StatusServiceUnavailable:    {"unavailable", "The service is not available at the moment"},
	http.StatusInternalServerError:   {"failed", "Something went wrong on our side"},
}

// fail answers with the problem that an error is.
func (c *apiCall) fail(err error) {
	if errors.Is(err, context.Canceled) && c.r.Context().Err() != nil {
		return // the caller has gone
	}
	p := c.problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		c.app.log.ErrorContext(c.ctx(), "call failed", "method", c.r.Method, "path", c.r.URL.Path, "status", p.Status, "error", err)
	}
	h := c.w.Header()
	switch p.Status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	case http.StatusTooManyRequests:
		h.Set("Retry-After", retryAfter(err))
	}
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(c.w, http.StatusText(p.Status), p.Status)
		return
	}
	for _, name := range []string{"ETag", "Link", "Location", "Content-Encoding"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(p.Status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body) // a caller who has gone is no error of ours
	}
}

func (c *apiCall) problemOf(err error) problem {
	status := statusOf(err)
	p := problem{Status: status}
	var own *problemError
	var impossible *ideas.TransitionError
	var barred *ideas.BarredError
	switch {
	case errors.Is(err, ideas.ErrChanged):
		own = &problemError{status: status, detail: "It has been edited since you read it."}
	case errors.Is(err, ideas.ErrFull):
		own = &problemError{status: status, detail: "No place is left."}
	case errors.Is(err, ideas.ErrClosed):
		own = &problemError{status: status, detail: "This is not, or no longer, open."}
	case errors.As(err, &barred):
		own = &problemError{status: status, detail: barredDetail(barred)}
		p.Code = barred.Code
		for _, o := range barred.Obstacles {
			p.Obstacles = append(p.Obstacles, o.Code)
		}
	case errors.Is(err, ideas.ErrRestricted), errors.Is(err, ideas.ErrGuardianMissing), errors.Is(err, ideas.ErrNotJoined):
		own = &problemError{status: status, detail: "You may read, and not contribute at the moment. The site tells you why."}
	case errors.Is(err, ideas.ErrForbidden):
		own = &problemError{status: http.StatusForbidden, detail: "Your role does not allow this."}
	case errors.As(err, &impossible):
		own = &problemError{status: http.StatusConflict, detail: fmt.Sprintf("An idea cannot go from %s to %s.", impossible.From, impossible.To)}
	}
	if own != nil || errors.As(err, &own) {
		p.Status, p.Detail = own.status, own.detail
		if own.status == http.StatusUnauthorized || own.challenge != "" {
			value := `Bearer realm="api"`
			if own.challenge != "" {
				value += ", " + own.challenge
			}
			c.w.Header().Set("WWW-Authenticate", value)
		}
	} else {
		wrong := fieldErrors(err)
		for _, name := range slices.Sorted(maps.Keys(wrong)) {
			p.Errors = append(p.Errors, problemFieldOf(wrong[name]))
		}
	}
	kind, known := problemKinds[p.Status]
	if !known {
		kind = [2]string{"failed", http.StatusText(p.Status)}
	}
	p.Type, p.Title = c.site.BaseURL+"/api#"+kind[0], kind[1]
	return p
}

// barredDetail says why a challenge does not take something.
func barredDetail(barred *ideas.BarredError) string {
	switch barred.Code {
	case ideas.BarredClosed:
		return "The time for this is over."
	case ideas.BarredPaused:
		return "The challenge is paused."
	case ideas.BarredCancelled:
		return "The challenge was cancelled."
	case ideas.BarredEligibility:
		return "The challenge asks for what you do not, or not yet, meet: see obstacles."
	case ideas.BarredEntry:
		return "This entry takes no votes any more."
	case ideas.BarredSpent:
		return fmt.Sprintf("Your allowance of %d is spent.", barred.Limit)
	case ideas.BarredPoints:
		return fmt.Sprintf("So many points are not possible: %d at most.", barred.Limit)
	default:
		return "The challenge does not take this now."
	}
}

func problemFieldOf(e *ideas.FieldError) problemField {
	f := problemField{Field: e.Field, Code: e.Code, Limit: e.Limit}
	switch e.Code {
	case "required":
		f.Detail = "must not be empty"
	case "too_long":
		f.Detail = "must be " + strconv.Itoa(e.Limit) + " characters at most"
	case "too_many":
		f.Detail = "must be " + strconv.Itoa(e.Limit) + " at most"
	case "challenge":
		f.Detail = "belongs to another challenge, where votes count apart"
	case "unknown":
		f.Detail = "is no field of this call"
	default:
		f.Detail = "has a value that is not allowed"
	}
	return f
}

func readAll(r *http.Request) ([]byte, error) { return io.ReadAll(r.Body) }

func readable(body []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }
