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
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrUnauthorized is returned when the service refuses the token, such as just after it was renewed.
	ErrUnauthorized = errors.New("the idea service refused the control token")
	// ErrContract is returned for an answer that is none by this contract, such as that of something else that
	// listens there, or of a service too old to know the call.
	ErrContract = errors.New("the answer does not keep the control contract")
	// ErrUnknownObject is returned for an object that is not in force in the service.
	ErrUnknownObject = errors.New("the idea service has no such object in force")
	// ErrNotReady is returned while the service's database is not ready; trying again later may help.
	ErrNotReady = errors.New("the idea service's database is not ready")
	// ErrBusy is returned for a pricing while another is under way.
	ErrBusy = errors.New("the idea service is pricing another policy")
	// ErrTooLong is returned for a pricing of more than the time that it may take.
	ErrTooLong = errors.New("the community's past is too long to be priced in the time that it may take")
)

// Timeouts of one call. A service that hangs must not hold up the operator's other communities. A connection
// within a cluster takes milliseconds; the address of a Service that is not known to the nodes yet swallows the
// first packet, whose repetition is not worth waiting for.
const (
	dialTimeout = 500 * time.Millisecond
	callTimeout = 3 * time.Second
	// declareTimeout is that of a declaration, which may be large and waits for transactions of members.
	declareTimeout = 10 * time.Second
)

// PricingTimeout bounds a pricing, which reads everything that has happened: ask for it where nobody waits.
const PricingTimeout = time.Minute

// Client speaks to the control ports of idea services. It keeps no connections between calls: there are as
// many services as communities. It remembers what it observed, so that observing what has not changed costs one
// small answer.
type Client struct {
	http  *http.Client
	known observations
}

// NewClient returns a client. With dialAddress every call goes to that host and port, whatever community it
// is for, with the service's own address in the Host header: for a proxy, or a stub in a benchmark.
func NewClient(dialAddress string) *Client {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &Client{http: &http.Client{
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
	return observe[State](ctx, c, "observe the idea service", request{address: address, token: token, path: CommunityPath})
}

// ObserveChallenge returns how a challenge in force stands, or ErrUnknownObject.
func (c *Client) ObserveChallenge(ctx context.Context, address, token, uid string) (ChallengeState, error) {
	return observe[ChallengeState](ctx, c, "observe a challenge", request{address: address, token: token, path: objectPath(ChallengePath, uid), object: true})
}

// ObserveRewardPolicy returns how a reward policy in force stands, or ErrUnknownObject.
func (c *Client) ObserveRewardPolicy(ctx context.Context, address, token, uid string) (RewardPolicyState, error) {
	return observe[RewardPolicyState](ctx, c, "observe a reward policy", request{address: address, token: token, path: objectPath(RewardPolicyPath, uid), object: true})
}

// Objects lists what the service knows.
func (c *Client) Objects(ctx context.Context, address, token string) (Objects, error) {
	return observe[Objects](ctx, c, "list the objects of the idea service", request{address: address, token: token, path: ObjectsPath})
}

// Erasures lists the proofs of erased members after the one with an id, 0 for the first.
func (c *Client) Erasures(ctx context.Context, address, token string, after int64) (Erasures, error) {
	return observe[Erasures](ctx, c, "list erasures", request{address: address, token: token, path: ErasuresPath, query: "after=" + strconv.FormatInt(after, 10)})
}

// Declare puts a declaration into force. A refusal is no error: see Answer.Refusals and Answer.InForce.
func (c *Client) Declare(ctx context.Context, address, token string, d Declaration) (Answer, error) {
	return c.declare(ctx, "declare settings to the idea service", request{address: address, token: token, path: CommunityPath}, d)
}

// DeclareChallenge puts a challenge into force, as Declare does.
func (c *Client) DeclareChallenge(ctx context.Context, address, token string, o Object[Challenge]) (Answer, error) {
	return c.declare(ctx, "declare a challenge", request{address: address, token: token, path: objectPath(ChallengePath, o.UID)}, o)
}

// DeclareRewardPolicy puts a reward policy into force, as Declare does.
func (c *Client) DeclareRewardPolicy(ctx context.Context, address, token string, o Object[RewardPolicy]) (Answer, error) {
	return c.declare(ctx, "declare a reward policy", request{address: address, token: token, path: objectPath(RewardPolicyPath, o.UID)}, o)
}

// WithdrawChallenge archives a challenge. Withdrawing what is not in force does nothing and is no error.
func (c *Client) WithdrawChallenge(ctx context.Context, address, token, uid string) error {
	return c.withdraw(ctx, "withdraw a challenge", request{address: address, token: token, path: objectPath(ChallengePath, uid)})
}

// WithdrawRewardPolicy ends a reward policy, as WithdrawChallenge does a challenge.
func (c *Client) WithdrawRewardPolicy(ctx context.Context, address, token, uid string) error {
	return c.withdraw(ctx, "withdraw a reward policy", request{address: address, token: token, path: objectPath(RewardPolicyPath, uid)})
}

// PriceRewardPolicy tells what a changed policy would change. It writes nothing and takes up to PricingTimeout. A refusal
// is no error. Errors: ErrBusy, ErrTooLong, ErrNotReady.
func (c *Client) PriceRewardPolicy(ctx context.Context, address, token string, o Object[RewardPolicy]) (PricingAnswer, error) {
	r := request{method: http.MethodPost, address: address, token: token, path: objectPath(RewardPolicyPath, o.UID) + PricingPath, timeout: PricingTimeout}
	var answer PricingAnswer
	err := c.send(ctx, r, o, &answer, http.StatusOK, http.StatusUnprocessableEntity)
	return answer, attempted("price a reward policy", err)
}

// EraseAgain erases members that a restore has brought back, of the proofs that were kept elsewhere.
func (c *Client) EraseAgain(ctx context.Context, address, token string, proofs []Erasure) (Erased, error) {
	r := request{method: http.MethodPost, address: address, token: token, path: ErasuresPath, timeout: declareTimeout}
	var answer Erased
	err := c.send(ctx, r, Erasures{Erasures: proofs}, &answer, http.StatusOK)
	return answer, attempted("erase members again", err)
}

// SetClock sets how far the clock of a service that was built for tests is ahead of the machine's. Any other service answers
// with ErrContract.
func (c *Client) SetClock(ctx context.Context, address, token string, ahead time.Duration) (Clock, error) {
	var answer Clock
	err := c.send(ctx, request{method: http.MethodPost, address: address, token: token, path: ClockPath}, Clock{Ahead: ahead.String()}, &answer, http.StatusOK)
	return answer, attempted("set the clock of the idea service", err)
}

// attempted says what was attempted, where that failed.
func attempted(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// request of a service.
type request struct {
	method, address, token, path, query, etag string
	body                                      []byte
	// object tells that the path is that of one object.
	object bool
	// timeout is callTimeout when zero.
	timeout time.Duration
}

// reply of a service.
type reply struct {
	status int
	etag   string
	body   []byte
}

func objectPath(path, uid string) string { return path + "/" + url.PathEscape(uid) }

func observe[T any](ctx context.Context, c *Client, attempt string, r request) (T, error) {
	var state, none T
	key := r.key()
	known := c.known.get(key)
	r.method, r.etag = http.MethodGet, known.etag
	answer, err := c.call(ctx, r)
	switch {
	case err != nil:
		return none, attempted(attempt, err)
	case answer.status == http.StatusNotModified && known.etag != "":
		answer.body = known.body
	case answer.status == http.StatusOK && answer.etag != "" && len(answer.etag) <= maxETag:
		c.known.put(key, observation{etag: answer.etag, body: answer.body})
	case answer.status != http.StatusOK:
		return none, attempted(attempt, r.unexpected(answer))
	}
	if err := decodeAnswer(answer.body, &state); err != nil {
		return none, attempted(attempt, err)
	}
	return state, nil
}

func (c *Client) declare(ctx context.Context, attempt string, r request, declaration any) (Answer, error) {
	r.method, r.timeout = http.MethodPut, declareTimeout
	var a Answer
	err := c.send(ctx, r, declaration, &a, http.StatusOK, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	if err != nil {
		return Answer{}, attempted(attempt, err)
	}
	return a, nil
}

func (c *Client) withdraw(ctx context.Context, attempt string, r request) error {
	r.method, r.timeout = http.MethodDelete, declareTimeout
	var a Answer
	return attempted(attempt, c.send(ctx, r, nil, &a, http.StatusOK))
}

// send sends a body, if any, and decodes an answer that has one of the statuses.
func (c *Client) send(ctx context.Context, r request, body, out any, statuses ...int) error {
	if body != nil {
		// What HTML would have escaped is sent as it is: it would be several times as long.
		var raw bytes.Buffer
		encoder := json.NewEncoder(&raw)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(body); err != nil {
			return fmt.Errorf("marshal what is sent: %w", err)
		}
		r.body = raw.Bytes()
	}
	answer, err := c.call(ctx, r)
	if err != nil {
		return err
	}
	if !slices.Contains(statuses, answer.status) {
		return r.unexpected(answer)
	}
	return decodeAnswer(answer.body, out)
}

// unexpected is the error of an answer with a status other than those of success.
func (r request) unexpected(answer reply) error {
	// Only one that says how the database is comes from an idea service.
	var a struct {
		Database *Database `json:"database"`
	}
	if decodeAnswer(answer.body, &a) == nil && a.Database != nil {
		switch {
		case answer.status == http.StatusServiceUnavailable:
			return ErrNotReady
		case answer.status == http.StatusTooManyRequests:
			return ErrBusy
		case answer.status == http.StatusGatewayTimeout:
			return ErrTooLong
		case answer.status == http.StatusNotFound && r.method == http.MethodGet && r.object:
			return ErrUnknownObject
		}
	}
	return fmt.Errorf("status %d: %w", answer.status, ErrContract)
}

func (c *Client) call(ctx context.Context, r request) (reply, error) {
	if r.timeout == 0 {
		r.timeout = callTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	address := "http://" + r.address + r.path
	if r.query != "" {
		address += "?" + r.query
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return reply{}, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.etag != "" {
		req.Header.Set("If-None-Match", r.etag)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	answer := reply{status: resp.StatusCode, etag: resp.Header.Get("ETag")}
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return reply{}, ErrUnauthorized
	case resp.StatusCode == http.StatusNotModified:
		return answer, nil
	case resp.StatusCode == http.StatusBadRequest:
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512)) // what could be read is better than nothing
		return reply{}, fmt.Errorf("the idea service did not understand: %s: %w", strings.TrimSpace(string(text)), ErrContract)
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json"):
		return reply{}, fmt.Errorf("status %d without JSON: %w", resp.StatusCode, ErrContract)
	}
	if answer.body, err = io.ReadAll(io.LimitReader(resp.Body, MaxAnswerBytes+1)); err != nil {
		return reply{}, fmt.Errorf("read the answer: %w", err)
	}
	if len(answer.body) > MaxAnswerBytes {
		return reply{}, fmt.Errorf("an answer of more than %d bytes: %w", MaxAnswerBytes, ErrContract)
	}
	return answer, nil
}

// decodeAnswer reads an answer. One of a newer service may have fields that this operator does not know.
func decodeAnswer(raw []byte, out any) error {
	// A null is valid JSON for every type and would leave the answer empty.
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || trimmed[0] != '{' {
		return fmt.Errorf("an answer that is no object: %w", ErrContract)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("decode the answer: %w: %w", ErrContract, err)
	}
	return nil
}
