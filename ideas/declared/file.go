package declared

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// File is what a community declares without an operator, in the words of the control contract, as YAML or JSON.
type File struct {
	Community      control.Settings              `json:"community"`
	Challenges     []Named[control.Challenge]    `json:"challenges,omitempty"`
	RewardPolicies []Named[control.RewardPolicy] `json:"rewardPolicies,omitempty"`
}

// Named is one object of a file.
type Named[T any] struct {
	Name string `json:"name"`
	Spec T      `json:"spec"`
}

// fileUID begins the uid of objects that come from a file.
const fileUID = "file:"

// followEvery is how late a change of the file is noticed.
const followEvery = time.Second

// Target is where the declarations of a file are put in force.
type Target interface {
	Declare(ctx context.Context, d control.Declaration) (control.InForce, bool, error)
	DeclareChallenge(ctx context.Context, o control.Object[control.Challenge]) (control.InForce, bool, error)
	DeclareRewardPolicy(ctx context.Context, o control.Object[control.RewardPolicy]) (control.InForce, bool, error)
	WithdrawChallenge(ctx context.Context, uid string) error
	WithdrawRewardPolicy(ctx context.Context, uid string) error
	Programme(ctx context.Context) *ideas.Programme
}

// RefusedError lists what is at fault in a file.
type RefusedError struct{ Refusals []control.Refusal }

// Error implements error.
func (e *RefusedError) Error() string {
	lines := make([]string, len(e.Refusals))
	for i, r := range e.Refusals {
		lines[i] = r.Field + ": " + r.Message
	}
	return strings.Join(lines, "; ")
}

// Read reads a file's content. Unknown fields are refused.
func (rules Rules) Read(raw []byte) (File, error) {
	var f File
	if len(raw) > control.MaxDeclarationBytes {
		return f, fmt.Errorf("read the declarations: more than %d bytes", control.MaxDeclarationBytes)
	}
	asJSON, err := yaml.YAMLToJSON(raw)
	if err != nil {
		return f, fmt.Errorf("read the declarations as YAML: %w", err)
	}
	if err := control.Decode(bytes.NewReader(asJSON), &f); err != nil {
		return f, fmt.Errorf("read the declarations: %w", err)
	}
	return f, rules.checkFile(f)
}

// checkFile looks at everything before anything is put in force.
func (rules Rules) checkFile(f File) error {
	settings := ideas.Settings{Locales: f.Community.Locales, TimeZone: f.Community.TimeZone, House: f.Community.House}
	var all []control.Refusal
	for _, refusal := range rules.Check(control.Declaration{UID: fileUID, Generation: 1, Settings: f.Community}) {
		refusal.Field = strings.Replace(refusal.Field, "settings", "community", 1)
		all = append(all, refusal)
	}
	for i, c := range f.Challenges {
		for _, refusal := range rules.CheckChallenge(object(c, 1), settings) {
			refusal.Field = fmt.Sprintf("challenges[%d].%s", i, refusal.Field)
			all = append(all, refusal)
		}
	}
	var circles refusals
	checkCircles(&circles, f.Challenges)
	all = append(all, circles...)
	for i, p := range f.RewardPolicies {
		for _, refusal := range rules.CheckRewardPolicy(object(p, 1), settings) {
			refusal.Field = fmt.Sprintf("rewardPolicies[%d].%s", i, refusal.Field)
			all = append(all, refusal)
		}
	}
	if len(all) > 0 {
		return &RefusedError{all}
	}
	return nil
}

func object[T any](n Named[T], generation int64) control.Object[T] {
	return control.Object[T]{UID: fileUID + n.Name, Name: n.Name, Generation: generation, Spec: n.Spec}
}

// Apply puts a file in force, and withdraws what an earlier one had and this one has not. The generation must grow with
// each change of the file.
func Apply(ctx context.Context, f File, to Target, generation int64) error {
	if _, _, err := to.Declare(ctx, control.Declaration{UID: fileUID, Generation: generation, Settings: f.Community}); err != nil {
		return fmt.Errorf("declare the community: %w", err)
	}
	kept := map[string]bool{}
	for _, c := range f.Challenges {
		kept["challenge "+c.Name] = true
	}
	for _, p := range f.RewardPolicies {
		kept["policy "+p.Name] = true
	}
	before := to.Programme(ctx)
	for _, c := range before.Challenges {
		if strings.HasPrefix(c.UID, fileUID) && !kept["challenge "+c.Name] {
			if err := to.WithdrawChallenge(ctx, c.UID); err != nil {
				return fmt.Errorf("withdraw challenge %s: %w", c.Name, err)
			}
		}
	}
	for _, p := range before.Policies {
		if strings.HasPrefix(p.UID, fileUID) && !kept["policy "+p.Name] {
			if err := to.WithdrawRewardPolicy(ctx, p.UID); err != nil {
				return fmt.Errorf("withdraw reward policy %s: %w", p.Name, err)
			}
		}
	}
	return ApplyObjects(ctx, f, to, generation)
}

// ApplyObjects puts a file's challenges and reward policies in force, and leaves everything else as it is.
func ApplyObjects(ctx context.Context, f File, to Target, generation int64) error {
	for _, p := range f.RewardPolicies {
		if _, _, err := to.DeclareRewardPolicy(ctx, object(p, generation)); err != nil {
			return fmt.Errorf("declare reward policy %s: %w", p.Name, err)
		}
	}
	for _, c := range inOrder(f.Challenges) {
		if _, _, err := to.DeclareChallenge(ctx, object(c, generation)); err != nil {
			return fmt.Errorf("declare challenge %s: %w", c.Name, err)
		}
	}
	return nil
}

// inOrder puts challenges behind those that they refer to; the order in the file does not matter.
func inOrder(challenges []Named[control.Challenge]) []Named[control.Challenge] {
	byName, done := map[string]Named[control.Challenge]{}, map[string]bool{}
	for _, c := range challenges {
		byName[c.Name] = c
	}
	ordered := make([]Named[control.Challenge], 0, len(challenges))
	var add func(name string)
	add = func(name string) {
		c, ok := byName[name]
		if !ok || done[name] {
			return
		}
		done[name] = true
		for _, link := range ideas.LinksOf(c.Spec) {
			add(link.To)
		}
		ordered = append(ordered, c)
	}
	for _, c := range challenges {
		add(c.Name)
	}
	return ordered
}

// Follow keeps a file in force until the context ends. A file that is refused changes nothing; the log says why.
func (rules Rules) Follow(ctx context.Context, path string, to Target, log *slog.Logger) {
	var applied [sha256.Size]byte
	failure := ""
	for ; ctx.Err() == nil; wait(ctx, followEvery) {
		sum, err := rules.follow(ctx, path, to, applied)
		if err == nil {
			if sum != applied {
				log.Info("declarations in force", "file", path)
			}
			applied, failure = sum, ""
			continue
		}
		if errors.Is(err, ideas.ErrUnavailable) || ctx.Err() != nil || err.Error() == failure {
			continue
		}
		failure = err.Error()
		log.Error("declarations not in force, the last good ones stay", "file", path, "error", err)
	}
}

func (rules Rules) follow(ctx context.Context, path string, to Target, applied [sha256.Size]byte) ([sha256.Size]byte, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // the file that whoever runs the service names
	if err != nil {
		return applied, fmt.Errorf("read the declarations: %w", err)
	}
	sum := sha256.Sum256(raw)
	if sum == applied {
		return sum, nil
	}
	f, err := rules.Read(raw)
	if err != nil {
		return applied, err
	}
	return sum, Apply(ctx, f, to, time.Now().Unix())
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
