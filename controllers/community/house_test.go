package community_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/declaration"
)

// withHouse gives a Community house rules, of whose terms one comes from the ConfigMap "terms".
func withHouse(c *v1alpha1.Community) {
	c.Spec.House = &v1alpha1.House{
		Moderation: &v1alpha1.Moderation{When: v1alpha1.ModerationBefore, BannedTerms: []v1alpha1.BannedTerm{"casino"}},
		Roles:      map[string]v1alpha1.Addresses{"lead": {"lead@brand.example"}},
		Terms: []v1alpha1.Terms{
			{Name: "community", Kind: "participation", Version: "1", Text: v1alpha1.DocumentByLocale{"fr": "Soyez bienveillants.", "en": "Be kind."}},
			{Name: "nda", Kind: "nonDisclosure", Version: "1", TextFrom: &v1alpha1.TermsSource{
				ConfigMapName: "terms", Keys: map[string]v1alpha1.ConfigMapKey{"fr": "nda.fr.md", "en": "nda.en.md"},
			}},
		},
		Qualify: 50, AnswerWithinDays: 14,
	}
}

// terms makes the ConfigMap that withHouse names.
func (w *world) terms(texts map[string]string) *corev1.ConfigMap {
	w.t.Helper()
	configMap := &corev1.ConfigMap{ObjectMeta: named(w.namespace, "terms"), Data: texts}
	w.create(configMap)
	return configMap
}

func twoTexts(version string) map[string]string {
	return map[string]string{"nda.fr.md": "Entre nous, " + version + ".", "nda.en.md": "Between us, " + version + ".", "other": "not asked for"}
}

// waitDeclared waits until the house rules that are in force have the texts of a ConfigMap.
func (w *world) waitDeclared(c *v1alpha1.Community, texts map[string]string) {
	w.t.Helper()
	want := declaration.House(c.Spec.House, map[string]map[string]string{"terms": texts})
	eventually(w.t, "the house rules should be declared", func() error {
		d, _ := w.cluster.service(client.ObjectKeyFromObject(c)).lastDeclared()
		if diff := cmp.Diff(want, d.Settings.House); diff != "" {
			return fmt.Errorf("declared (-want +got):\n%s", diff)
		}
		return nil
	})
}

func TestHouseRulesAreDeclared(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	texts := twoTexts("first")
	configMap := w.terms(texts)
	c := w.community("lumiere", withHouse)
	w.waitReady(c)
	w.waitDeclared(c, texts)
	if c.Status.InForce == nil || c.Status.InForce.Generation != c.Generation || c.Status.InForce.Since == nil {
		t.Errorf("in force is %+v, want generation %d", c.Status.InForce, c.Generation)
	}

	change(w, c, func(c *v1alpha1.Community) { c.Spec.House.Qualify, c.Spec.House.Moderation = 10, nil })
	w.waitReady(c)
	w.waitDeclared(c, texts)

	// A changed text is in force without any change of the Community.
	texts = twoTexts("second")
	change(w, configMap, func(m *corev1.ConfigMap) { m.Data = texts })
	w.waitDeclared(c, texts)
	w.waitReady(c)

	change(w, c, func(c *v1alpha1.Community) { c.Spec.House = nil })
	w.waitReady(c)
	if d, _ := w.cluster.service(client.ObjectKeyFromObject(c)).lastDeclared(); d.Settings.House != nil {
		t.Errorf("house rules that were removed are declared as %+v", d.Settings.House)
	}
}

// A ConfigMap that is missing or not good is told, and what was in force stays so.
func TestHouseRulesWaitForTheirTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", withHouse)
	w.waitStalled(c, v1alpha1.ReasonConfigMapNotFound, "spec.house.terms[1]", "terms", "nda.en.md, nda.fr.md")
	service := w.cluster.service(client.ObjectKeyFromObject(c))
	if _, n := service.lastDeclared(); n > 0 {
		t.Errorf("settings were declared %d times without their terms", n)
	}
	good := twoTexts("first")
	configMap := w.terms(map[string]string{"nda.en.md": good["nda.en.md"]})
	w.waitStalled(c, v1alpha1.ReasonConfigMapIncomplete, "nda.fr.md is missing or empty")
	change(w, configMap, func(m *corev1.ConfigMap) { m.Data = good })
	w.waitReady(c)
	w.waitDeclared(c, good)
	_, before := service.lastDeclared()

	for name, broken := range map[string]struct {
		texts map[string]string
		words string
	}{
		"empty":    {map[string]string{"nda.fr.md": " \n", "nda.en.md": "Good."}, "nda.fr.md is missing or empty"},
		"too long": {map[string]string{"nda.fr.md": strings.Repeat("é", 50_001), "nda.en.md": "Good."}, "has 100002 bytes, 100000 at most"},
	} {
		change(w, configMap, func(m *corev1.ConfigMap) { m.Data = broken.texts })
		w.waitStalled(c, v1alpha1.ReasonConfigMapIncomplete, broken.words, "the last good settings stay in force")
		if _, n := service.lastDeclared(); n != before {
			t.Errorf("%s: settings were declared again", name)
		}
		change(w, configMap, func(m *corev1.ConfigMap) { m.Data = good })
		w.waitReady(c)
		_, before = service.lastDeclared()
	}
	w.delete(configMap)
	w.waitStalled(c, v1alpha1.ReasonConfigMapNotFound, "the last good settings stay in force")
	if c.Status.InForce == nil {
		t.Error("the settings that stay in force are not shown")
	}
	w.terms(good)
	w.waitReady(c)
}

// Texts that are too much together are refused, though each is good.
func TestHouseRulesOfTooManyTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	long := strings.Repeat("x", 90_000)
	w.terms(map[string]string{"nda.fr.md": long, "nda.en.md": long})
	c := w.community("lumiere", withHouse, func(c *v1alpha1.Community) {
		for _, kind := range []v1alpha1.TermsKind{"licence", "assignment"} {
			terms := c.Spec.House.Terms[1]
			terms.Kind = kind
			c.Spec.House.Terms = append(c.Spec.House.Terms, terms)
		}
	})
	w.waitStalled(c, v1alpha1.ReasonConfigMapIncomplete, "540000 bytes, 400000 at most")
	change(w, c, func(c *v1alpha1.Community) { c.Spec.House.Terms = c.Spec.House.Terms[:3] })
	w.waitReady(c)
}

func TestRefusedHouseRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	service := w.cluster.service(client.ObjectKeyFromObject(c))
	service.change(func(s *ideaService) {
		s.refusals = []control.Refusal{{Field: "settings.house.webhooks[0].condition", Message: "line 1, column 4: no such name"}}
	})
	change(w, c, func(c *v1alpha1.Community) {
		c.Spec.House = &v1alpha1.House{Webhooks: []v1alpha1.Webhook{{Name: "board", URL: "https://a.example/", Condition: "too many"}}}
	})
	w.waitStalled(c, v1alpha1.ReasonSettingsRefused, "house.webhooks[0].condition: line 1, column 4: no such name", "the last good ones stay in force")
	if c.Status.InForce == nil || c.Status.InForce.Generation != c.Generation-1 {
		t.Errorf("in force is %+v, want generation %d", c.Status.InForce, c.Generation-1)
	}
}

// Texts are read when they change, not each time that somebody looks.
func TestSteadyHouseRulesReadNoTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	o := w.startOperator(operatorOptions{})
	w.terms(twoTexts("first"))
	c := w.community("lumiere", withHouse)
	w.waitReady(c)
	o.api.settle(t)
	service := w.cluster.service(client.ObjectKeyFromObject(c))
	read := func() int {
		o.api.mu.Lock()
		defer o.api.mu.Unlock()
		return o.api.texts
	}
	before, looked := read(), service.observations()
	for range 3 {
		at := service.observations()
		w.nudge(c)
		eventually(t, "the operator should look", func() error {
			if service.observations() == at {
				return fmt.Errorf("looked %d times", at-looked)
			}
			return nil
		})
	}
	if after := read(); after > before+1 {
		t.Errorf("texts were read %d times more in a steady state", after-before)
	}
}
