package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

var (
	// ErrUnauthorized is returned when the service refuses the token, such as just after it was renewed.
	ErrUnauthorized = errors.New("the idea service refused the control token")
	// ErrContract is returned for an answer that is none by this contract, such as that of something else that
	// listens there.
	ErrContract = errors.New("the answer does not keep the control contract")
)

// Timeouts of one call. A service that hangs must not hold up the operator's other communities. A connection
// within a cluster takes milliseconds; the address of a Service that is not known to the nodes yet swallows the
// first packet, whose repetition is not worth waiting for.
const (
	dialTimeout = 500 * time.Millisecond
	callTimeout = 3 * time.Second
)

// Client speaks to the control ports of idea services. It keeps no connections between calls: there are as
// many services as communities.
type Client struct {
	http *http.Client
}

// NewClient returns a client. With dialAddress every call goes to that host and port, whatever community it
// is for, with the service's own address in the Host header: for a proxy, or a stub in a benchmark.
func NewClient(dialAddress string) *Client {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &Client{http: &http.Client{
		Timeout: callTimeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if dialAddress != "" {
					address = dialAddress
				}
				return dialer.DialContext(ctx, network, address)
			},
		},
		// A service never redirects; following one would carry the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Observe returns the state of the service at an address ("host:port").
func (c *Client) Observe(ctx context.Context, address, token string) (State, error) {
	var s State
	status, err := c.call(ctx, http.MethodGet, address, token, nil, &s)
	if err != nil {
		return State{}, fmt.Errorf("observe the idea service: %w", err)
	}
	if status != http.StatusOK {
		return State{}, fmt.Errorf("observe the idea service: status %d: %w", status, ErrContract)
	}
	return s, nil
}

// Declare puts a declaration into force. A refusal is no error: see Answer.Refusals and Answer.InForce.
func (c *Client) Declare(ctx context.Context, address, token string, d Declaration) (Answer, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return Answer{}, fmt.Errorf("marshal a declaration: %w", err)
	}
	var a Answer
	status, err := c.call(ctx, http.MethodPut, address, token, raw, &a)
	if err != nil {
		return Answer{}, fmt.Errorf("declare settings to the idea service: %w", err)
	}
	switch status {
	case http.StatusOK, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable:
		return a, nil
	default:
		return Answer{}, fmt.Errorf("declare settings to the idea service: status %d: %w", status, ErrContract)
	}
}

func (c *Client) call(ctx context.Context, method, address, token string, body []byte, out any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+CommunityPath, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return 0, ErrUnauthorized
	case resp.StatusCode == http.StatusBadRequest:
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512)) // what could be read is better than nothing
		return 0, fmt.Errorf("the idea service did not understand: %s: %w", strings.TrimSpace(string(text)), ErrContract)
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json"):
		return 0, fmt.Errorf("status %d without JSON: %w", resp.StatusCode, ErrContract)
	}
	return resp.StatusCode, decodeAnswer(resp.Body, out)
}

// decodeAnswer reads an answer. One of a newer service may have fields that this operator does not know.
func decodeAnswer(body io.Reader, out any) error {
	raw, err := io.ReadAll(io.LimitReader(body, MaxDeclarationBytes+1))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if len(raw) > MaxDeclarationBytes {
		return fmt.Errorf("an answer of more than %d bytes: %w", MaxDeclarationBytes, ErrContract)
	}
	// A null is valid JSON for every type and would leave the answer empty.
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || trimmed[0] != '{' {
		return fmt.Errorf("an answer that is no object: %w", ErrContract)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("decode the answer: %w: %w", ErrContract, err)
	}
	return nil
}
