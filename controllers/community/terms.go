package community

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// Bounds of the texts that come from ConfigMaps. With the largest Community that an API server keeps, they stay below
// what a declaration may have.
const (
	maxTermsText  = 100_000
	maxTermsTexts = 400_000
)

// knownTexts remembers what was in force, and by which versions of ConfigMaps, so that a steady state reads none of them.
type knownTexts struct {
	mu sync.Mutex
	of map[types.NamespacedName]knownText
}

type knownText struct {
	mark    string
	inForce control.InForce
}

func newKnownTexts() *knownTexts { return &knownTexts{of: map[types.NamespacedName]knownText{}} }

func (k *knownTexts) are(who types.NamespacedName, mark string, inForce control.InForce) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	known, ok := k.of[who]
	return ok && known == knownText{mark, inForce}
}

func (k *knownTexts) note(who types.NamespacedName, mark string, inForce control.InForce) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of[who] = knownText{mark, inForce}
}

func (k *knownTexts) forget(who types.NamespacedName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.of, who)
}

// wantedSettings are what is to be declared; done tells that it is in force already.
func (r *Reconciler) wantedSettings(ctx context.Context, s *scope, now control.InForce) (want control.Declaration, done bool, err error) {
	want = control.Declaration{
		UID: string(s.community.UID), Generation: s.community.Generation, Settings: stack.Settings(s.plan),
	}
	if len(namedConfigMaps(s.community)) == 0 {
		return want, now == inForce(want), nil
	}
	key := client.ObjectKeyFromObject(s.community)
	mark, err := r.markTexts(ctx, s, want)
	if err != nil || mark != "" && r.texts.are(key, mark, now) {
		return want, err == nil, err
	}
	if s.plan.ConfigMaps, err = r.readTexts(ctx, s.community); err != nil {
		return want, false, err
	}
	want.Settings = stack.Settings(s.plan)
	if done = now == inForce(want); done {
		r.texts.note(key, mark, now)
	}
	return want, done, nil
}

// markTexts names the settings without the texts of ConfigMaps, and the versions of those; "" where one was not seen.
func (r *Reconciler) markTexts(ctx context.Context, s *scope, without control.Declaration) (string, error) {
	mark := inForce(without).Digest
	for _, name := range namedConfigMaps(s.community) {
		version, err := r.version(ctx, kindConfigMap, types.NamespacedName{Namespace: s.community.Namespace, Name: name})
		if err != nil || version == "" {
			return "", err
		}
		mark += " " + name + "@" + version
	}
	return mark, nil
}

// readTexts reads the ConfigMaps that terms take their texts from. One that is missing or not good is reported, and the
// last good settings stay in force.
func (r *Reconciler) readTexts(ctx context.Context, c *v1alpha1.Community) (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	size := 0
	for i, t := range c.Spec.House.Terms {
		if t.TextFrom == nil {
			continue
		}
		field := fmt.Sprintf("spec.house.terms[%d]", i)
		data, known := all[t.TextFrom.ConfigMapName]
		if !known {
			var err error
			if data, err = r.readConfigMap(ctx, c.Namespace, field, t.TextFrom); err != nil {
				return nil, err
			}
			all[t.TextFrom.ConfigMapName] = data
		}
		for _, key := range keysOf(t.TextFrom) {
			text := data[key]
			if problem := textProblem(text); problem != "" {
				return nil, conditions.Stall(v1alpha1.ReasonConfigMapIncomplete,
					"ConfigMap %s, named by %s: the key %s %s; the last good settings stay in force", t.TextFrom.ConfigMapName, field, key, problem)
			}
			size += len(text)
		}
	}
	if size > maxTermsTexts {
		return nil, conditions.Stall(v1alpha1.ReasonConfigMapIncomplete,
			"the texts that spec.house.terms take from ConfigMaps have %d bytes, %d at most are allowed; the last good settings stay in force", size, maxTermsTexts)
	}
	return all, nil
}

func (r *Reconciler) readConfigMap(ctx context.Context, namespace, field string, from *v1alpha1.TermsSource) (map[string]string, error) {
	configMap := &corev1.ConfigMap{}
	err := r.Live.Get(ctx, types.NamespacedName{Namespace: namespace, Name: from.ConfigMapName}, configMap)
	if apierrors.IsNotFound(err) {
		return nil, conditions.Stall(v1alpha1.ReasonConfigMapNotFound,
			"%s names the ConfigMap %s, which does not exist; create it with the keys %s; the last good settings stay in force",
			field, from.ConfigMapName, strings.Join(keysOf(from), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("get the ConfigMap of %s: %w", field, err)
	}
	return configMap.Data, nil
}

func textProblem(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "is missing or empty"
	case len(text) > maxTermsText:
		return fmt.Sprintf("has %d bytes, %d at most are allowed", len(text), maxTermsText)
	}
	return ""
}

func keysOf(from *v1alpha1.TermsSource) []string {
	var keys []string
	for _, locale := range slices.Sorted(maps.Keys(from.Keys)) {
		keys = append(keys, string(from.Keys[locale]))
	}
	return keys
}

// namedConfigMaps are the ConfigMaps of its namespace that a Community depends on, each once.
func namedConfigMaps(c *v1alpha1.Community) []string {
	if c.Spec.House == nil {
		return nil
	}
	var names []string
	for _, t := range c.Spec.House.Terms {
		if t.TextFrom != nil {
			names = append(names, t.TextFrom.ConfigMapName)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
