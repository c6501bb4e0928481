package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/quaeso/community-operator/ideas"
)

// refusal is an error that the reader caused, with the status that tells it.
type refusal struct {
	status    int
	attempted string
	err       error
}

func refuse(status int, attempted string, err error) error {
	return &refusal{status: status, attempted: attempted, err: err}
}

// Error implements error.
func (e *refusal) Error() string {
	if e.err == nil {
		return fmt.Sprintf("%s: %s", e.attempted, http.StatusText(e.status))
	}
	return fmt.Sprintf("%s: %v", e.attempted, e.err)
}

// Unwrap gives the cause.
func (e *refusal) Unwrap() error { return e.err }

// statusOf is the one place that maps errors to a status.
func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	var refused *refusal
	var field *ideas.FieldError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &refused):
		return refused.status
	case errors.Is(err, ideas.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, ideas.ErrRestricted), errors.Is(err, ideas.ErrGuardianMissing), errors.Is(err, ideas.ErrNotJoined):
		return http.StatusForbidden
	case errors.Is(err, ideas.ErrForbidden):
		return http.StatusForbidden
	case errors.As(err, new(*ideas.TransitionError)), errors.As(err, new(*ideas.BarredError)), errors.Is(err, ideas.ErrClosed), errors.Is(err, ideas.ErrFull):
		return http.StatusConflict
	case errors.Is(err, ideas.ErrChanged):
		return http.StatusPreconditionFailed
	case errors.Is(err, ideas.ErrTooMany):
		return http.StatusTooManyRequests
	case errors.As(err, &field):
		return http.StatusUnprocessableEntity
	case errors.Is(err, ideas.ErrUnavailable), errors.Is(err, ideas.ErrMailOff), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// retryAfter is the header of an answer that refuses too many requests.
func retryAfter(err error) string {
	if many := (*tooManyError)(nil); errors.As(err, &many) {
		return many.retryAfter()
	}
	return "120"
}

// errorText names the message keys of a status: the heading's, to which ".text" adds the explanation's.
func errorText(status int, err error) (heading, text string) {
	if errors.Is(err, ideas.ErrForbidden) {
		return "page.not_allowed", "page.not_allowed.text"
	}
	if errors.As(err, new(*ideas.BarredError)) {
		return "page.barred", "page.barred.text"
	}
	switch status {
	case http.StatusConflict:
		return "page.conflict", "page.conflict.text"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "page.not_found", "page.not_found.text"
	case http.StatusForbidden:
		return "page.forbidden", "page.forbidden.text"
	case http.StatusRequestEntityTooLarge:
		return "page.too_large", "page.too_large.text"
	case http.StatusTooManyRequests:
		return "page.too_many", "page.too_many.text"
	case http.StatusMisdirectedRequest:
		return "page.misdirected", "page.misdirected.text"
	case http.StatusServiceUnavailable:
		return "page.unavailable", "page.unavailable.text"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "page.bad_request", "page.bad_request.text"
	default:
		return "page.failed", "page.failed.text"
	}
}

// errorPage shows what went wrong.
type errorPage struct {
	page
	Status        int
	Heading, Text string
	// Home tells whether the way home leads somewhere.
	Home bool
}

// failedMember answers what a member may not do, or not yet, with the page that says why.
func (a *app) failedMember(v *visit, err error) bool {
	switch {
	case errors.Is(err, ideas.ErrRestricted), errors.Is(err, ideas.ErrGuardianMissing):
		return a.renderStanding(v, http.StatusForbidden, standingForm{}) == nil
	case errors.Is(err, ideas.ErrNotJoined):
		return v.redirect(joinPath("/")) == nil
	}
	return false
}

// fail logs an error that is ours and answers with its page.
func (a *app) fail(v *visit, err error) {
	if errors.Is(err, context.Canceled) && v.r.Context().Err() != nil {
		// The reader has gone; nobody sees a page, and it is nobody's fault.
		return
	}
	if v.member != nil && a.failedMember(v, err) {
		return
	}
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		a.log.ErrorContext(v.r.Context(), "request failed",
			"method", v.r.Method, "path", v.r.URL.Path, "status", status, "error", err)
	}
	switch status {
	case http.StatusServiceUnavailable:
		v.w.Header().Set("Retry-After", "5")
	case http.StatusTooManyRequests:
		v.w.Header().Set("Retry-After", retryAfter(err))
	}
	heading, text := errorText(status, err)
	p := errorPage{
		page: v.page(v.t(heading)), Status: status, Heading: v.t(heading), Text: v.t(text),
		Home: status != http.StatusMisdirectedRequest,
	}
	if barred := v.barredText(err); barred != "" {
		p.Text = barred
	}
	p.Hidden = true
	v.w.Header().Set("Cache-Control", "no-store")
	if err := v.render(status, "error", p); err != nil {
		a.log.ErrorContext(v.r.Context(), "error page failed", "error", err)
		http.Error(v.w, http.StatusText(status), status)
	}
}
