package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/declared"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rules"
)

// Declarations keeps what the operator declares.
type Declarations interface {
	// Declare puts a valid declaration in force for all replicas and returns what is in force afterwards;
	// accepted is false for a generation older than that.
	Declare(ctx context.Context, d control.Declaration) (inForce control.InForce, accepted bool, err error)
	// InForce names the declaration that this replica serves.
	InForce() control.InForce
	// Database is the state of the connection.
	Database() control.Database
	// DeclareChallenge and DeclareRewardPolicy are Declare for one object; its name must be free.
	DeclareChallenge(ctx context.Context, o control.Object[control.Challenge]) (control.InForce, bool, error)
	DeclareRewardPolicy(ctx context.Context, o control.Object[control.RewardPolicy]) (control.InForce, bool, error)
	// KnowsChallenge tells whether an object was ever declared, or another of its name.
	KnowsChallenge(ctx context.Context, uid, name string) (bool, error)
	// ChallengeInForce and RewardPolicyInForce are what an object's uid, else its name has in force; the zero value for
	// nothing.
	ChallengeInForce(ctx context.Context, uid, name string) (control.InForce, error)
	RewardPolicyInForce(ctx context.Context, uid, name string) (control.InForce, error)
	// WithdrawChallenge and WithdrawRewardPolicy archive; repeating them changes nothing.
	WithdrawChallenge(ctx context.Context, uid string) error
	WithdrawRewardPolicy(ctx context.Context, uid string) error
	// ObserveChallenge and ObserveRewardPolicy tell how an object stands, or ideas.ErrNotFound.
	ObserveChallenge(ctx context.Context, uid string) (control.ChallengeState, error)
	ObserveRewardPolicy(ctx context.Context, uid string) (control.RewardPolicyState, error)
	// ObserveCommunity tells how the community stands.
	ObserveCommunity(ctx context.Context) (control.CommunityState, error)
	// Objects lists what is in force and what was archived.
	Objects(ctx context.Context) (control.Objects, error)
	// PriceRewardPolicy tells what a policy would change, and writes nothing.
	PriceRewardPolicy(ctx context.Context, name string, spec control.RewardPolicy) (rules.Pricing, error)
	// Erasures and EraseAgain are those of ideas.PersonalDataStore.
	Erasures(ctx context.Context, after int64) ([]ideas.Erasure, error)
	EraseAgain(ctx context.Context, erasures []ideas.Erasure) (done int, err error)
}

// ControlConfig is what the control API is made of.
type ControlConfig struct {
	Declarations Declarations
	// Token returns the bearer token; it is asked for every call, so that a rotated one counts at once. An
	// empty one refuses every call.
	Token func() (string, error)
	// Clock tells the time by which phases are over; time.Now when nil.
	Clock func() time.Time
	// SetClock sets how far the clock is ahead. It is nil, and the call is not there, but in builds for tests.
	SetClock func(ahead time.Duration) error
	// Settings in force, which challenges are checked against.
	Settings ideas.SettingsSource
	// SignIn lists the ways of signing in that work.
	SignIn func() []string
	// Locales that the service speaks.
	Locales []string
	// AllowPlainIssuers accepts OpenID Connect issuers without https, for tests and local work.
	AllowPlainIssuers bool
	// Version of the service.
	Version string
	// Logger receives declarations and failures; slog.Default when nil.
	Logger *slog.Logger
}

type controlAPI struct {
	cfg   ControlConfig
	log   *slog.Logger
	rules declared.Rules
	now   func() time.Time
	// pricing has room for the one pricing that may be under way.
	pricing chan struct{}
}

// NewControl makes the handler of the control API, for a port of its own.
func NewControl(cfg ControlConfig) http.Handler {
	c := &controlAPI{
		cfg: cfg, log: cfg.Logger, rules: declared.Rules{Locales: cfg.Locales, PlainIssuers: cfg.AllowPlainIssuers}, pricing: make(chan struct{}, 1),
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	if c.now = cfg.Clock; c.now == nil {
		c.now = time.Now
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+control.CommunityPath, c.observe)
	mux.HandleFunc("PUT "+control.CommunityPath, c.declare)
	serveObjects(c, mux, control.ChallengePath, objectCalls[control.Challenge, control.ChallengeState]{
		check: c.checkChallenge, declare: cfg.Declarations.DeclareChallenge,
		withdraw: cfg.Declarations.WithdrawChallenge, observe: cfg.Declarations.ObserveChallenge, inForce: cfg.Declarations.ChallengeInForce,
	})
	serveObjects(c, mux, control.RewardPolicyPath, objectCalls[control.RewardPolicy, control.RewardPolicyState]{
		check: c.checkRewardPolicy, declare: cfg.Declarations.DeclareRewardPolicy,
		withdraw: cfg.Declarations.WithdrawRewardPolicy, observe: cfg.Declarations.ObserveRewardPolicy, inForce: cfg.Declarations.RewardPolicyInForce,
	})
	mux.HandleFunc("GET "+control.ObjectsPath, c.listObjects)
	mux.HandleFunc("POST "+control.RewardPolicyPath+"/{uid}"+control.PricingPath, c.price)
	if cfg.SetClock != nil {
		mux.HandleFunc("POST "+control.ClockPath, c.setClock)
	}
	mux.HandleFunc("GET "+control.ErasuresPath, c.listErasures)
	mux.HandleFunc("POST "+control.ErasuresPath, c.eraseAgain)
	return c.authenticate(mux)
}

// authenticate refuses calls without the token, before anything of the request is read.
func (c *controlAPI) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := c.cfg.Token()
		if err != nil {
			c.log.Error("the control token cannot be read", "error", err)
		}
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if err != nil || token == "" || !strings.EqualFold(scheme, "Bearer") || !sameSecret(given, token) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="control"`)
			http.Error(w, "the control token is missing or wrong", http.StatusUnauthorized)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, control.MaxDeclarationBytes+1)
		next.ServeHTTP(w, r)
	})
}

// sameSecret takes the same time whatever the difference is, the lengths included.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (c *controlAPI) observe(w http.ResponseWriter, r *http.Request) {
	state := control.State{Version: c.cfg.Version, InForce: c.cfg.Declarations.InForce(), Database: c.cfg.Declarations.Database()}
	if c.cfg.SignIn != nil {
		state.SignIn = c.cfg.SignIn()
	}
	if state.Database.Ready {
		community, err := c.cfg.Declarations.ObserveCommunity(r.Context())
		if err != nil {
			c.log.Warn("community not observed", "error", err)
		} else {
			state.Community = &community
		}
	}
	c.sendTagged(w, r, state)
}

// sendTagged sends a state with its ETag, or says that the caller has it already.
func (c *controlAPI) sendTagged(w http.ResponseWriter, r *http.Request, state any) {
	body, ok := c.encode(w, state)
	if !ok {
		return
	}
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", etag)
	if slices.Contains(strings.Split(strings.ReplaceAll(r.Header.Get("If-None-Match"), " ", ""), ","), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	c.write(w, http.StatusOK, body)
}

func (c *controlAPI) declare(w http.ResponseWriter, r *http.Request) {
	var d control.Declaration
	if err := control.Decode(r.Body, &d); err != nil {
		c.refuseUndecodable(w, c.cfg.Declarations.InForce(), err)
		return
	}
	if refusals := c.rules.Check(d); len(refusals) > 0 {
		c.log.Warn("declaration refused", "uid", d.UID, "generation", d.Generation, "refusals", refusals)
		c.answer(w, http.StatusUnprocessableEntity, refusals)
		return
	}
	if !c.cfg.Declarations.Database().Ready {
		c.answer(w, http.StatusServiceUnavailable, nil)
		return
	}
	inForce, accepted, err := c.cfg.Declarations.Declare(r.Context(), d)
	refused := (*ideas.RefusedError)(nil)
	switch {
	case errors.As(err, &refused):
		c.log.Warn("declaration refused", "uid", d.UID, "generation", d.Generation, "refusals", refused.Refusals)
		c.answer(w, http.StatusUnprocessableEntity, refused.Refusals)
	case errors.Is(err, ideas.ErrUnavailable):
		c.log.Warn("declaration not kept", "error", err)
		c.answer(w, http.StatusServiceUnavailable, nil)
	case err != nil:
		c.log.Error("declaration not kept", "error", err)
		c.answer(w, http.StatusInternalServerError, nil)
	case !accepted:
		c.answerInForce(w, http.StatusConflict, inForce)
	default:
		c.answerInForce(w, http.StatusOK, inForce)
	}
}

// undecodable tells a field that this release does not know from a text that is no declaration at all. The
// former is a refusal that the operator can show.
func undecodable(err error) control.Refusal {
	if unknown := (*control.UnknownFieldError)(nil); errors.As(err, &unknown) {
		return control.Refusal{
			Field: unknown.Field, Message: "this release of the idea service does not know the field: update its image, or leave the field out", Cause: control.RefusedUnknownField,
		}
	}
	if wrongType := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrongType) {
		return control.Refusal{Field: wrongType.Field, Message: "must be of type " + wrongType.Type.String() + ", not " + wrongType.Value}
	}
	return control.Refusal{Message: err.Error()}
}

func (c *controlAPI) answer(w http.ResponseWriter, status int, refusals []control.Refusal) {
	c.sendJSON(w, status, control.Answer{InForce: c.cfg.Declarations.InForce(), Refusals: refusals, Database: c.cfg.Declarations.Database()})
}

func (c *controlAPI) answerInForce(w http.ResponseWriter, status int, inForce control.InForce) {
	c.sendJSON(w, status, control.Answer{InForce: inForce, Database: c.cfg.Declarations.Database()})
}

func (c *controlAPI) sendJSON(w http.ResponseWriter, status int, answer any) {
	if body, ok := c.encode(w, answer); ok {
		c.write(w, status, body)
	}
}

func (c *controlAPI) encode(w http.ResponseWriter, v any) ([]byte, bool) {
	body, err := json.Marshal(v)
	if err != nil {
		c.log.Error("control answer not encoded", "error", err)
		http.Error(w, "the answer cannot be encoded", http.StatusInternalServerError)
		return nil, false
	}
	return append(body, '\n'), true
}

func (c *controlAPI) write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		c.log.Debug("control answer not sent", "error", err)
	}
}
