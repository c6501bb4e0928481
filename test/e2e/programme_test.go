//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/ideaservice"
	"github.com/quaeso/community-operator/internal/stack"
)

// programme is what a brand's team applies, all at once and in no particular order.
const programme = `
apiVersion: cocreation.quaeso.io/v1alpha1
kind: Challenge
metadata: {name: city-nights}
spec:
  communityRef: {name: lumiere}
  type: contest
  title: {fr: Rouler la nuit, en: Riding at night}
  brief: {en: "What would make you ride after dark?", fr: "Qu’est-ce qui vous ferait rouler la nuit ?"}
  rewardPolicy: stars
  winners: 3
  phases:
    - {name: open, start: "2020-01-01T09:00", end: "2120-01-01T09:00"}
    - {name: voting, start: "2120-01-01T09:00", end: "2120-02-01T09:00"}
  ballot: {kind: approval, approvals: 3, hidden: true}
---
apiVersion: cocreation.quaeso.io/v1alpha1
kind: Challenge
metadata: {name: city-days}
spec:
  communityRef: {name: lumiere}
  type: ideation
  title: {fr: Rouler le jour, en: Riding by day}
  origin: city-nights
---
apiVersion: cocreation.quaeso.io/v1alpha1
kind: RewardPolicy
metadata: {name: stars}
spec:
  communityRef: {name: lumiere}
  rules:
    - {name: published, event: idea.published, points: 5, dailyCap: 10}
  levels:
    - {name: spark, title: {fr: Étincelle, en: Spark}, points: 5}
  prizes:
    - {fromRank: 1, title: {fr: Un vélo, en: A bike}, amount: 90000}
  currency: EUR
`

// TestProgramme applies a whole programme with kubectl, before its community is there, and changes it, breaks it, has it
// repaired and removes it, as a brand's team does.
func TestProgramme(t *testing.T) {
	w := newWorld(t, "programme")
	if out, err := kubectl(w.ctx, programme, "apply", "-n", w.namespace, "-f", "-"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	nights, days := w.challenge("city-nights"), w.challenge("city-days")
	stars := &v1alpha1.RewardPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "stars"}}
	w.waitProgramme(nights, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonCommunityNotFound)
	c := w.ready(w.community("lumiere"))
	w.waitServed(c.Status.URL)
	for _, o := range []client.Object{nights, days, stars} {
		w.waitProgramme(o, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
	}
	w.waitPage(c, "/challenges/city-nights", "Rouler la nuit")
	if nights.Status.Phase != "open" || nights.Status.ClosesIn == "" {
		t.Errorf("the contest's status is %+v", nights.Status)
	}
	if out, err := kubectl(w.ctx, "", "get", "chal,rewardpolicies", "-n", w.namespace); err != nil || !containsAll(out, []string{"contest", "open", "PARTICIPANTS", "POINTS ISSUED"}) {
		t.Errorf("kubectl get shows (%v)\n%s", err, out)
	}

	t.Run("change", func(t *testing.T) {
		change(w, nights, func(c *v1alpha1.Challenge) { c.Spec.Title["fr"] = "Rouler dans le noir" })
		w.waitProgramme(nights, v1alpha1.ConditionInForce, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.waitPage(c, "/challenges/city-nights", "Rouler dans le noir")
	})
	t.Run("refuse", func(t *testing.T) {
		change(w, nights, func(c *v1alpha1.Challenge) { c.Spec.Winners = 5 })
		w.waitProgramme(nights, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonLocked)
		change(w, nights, func(c *v1alpha1.Challenge) { c.Spec.Winners = 3 })
		w.waitProgramme(nights, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
		change(w, stars, func(p *v1alpha1.RewardPolicy) { p.Spec.Rules[0].Condition = "idea.supporters >" })
		w.waitProgramme(stars, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRefused)
		change(w, stars, func(p *v1alpha1.RewardPolicy) { p.Spec.Rules[0].Condition = "idea.supporters >= 2" })
		w.waitProgramme(stars, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})
	t.Run("price", func(t *testing.T) {
		change(w, stars, func(p *v1alpha1.RewardPolicy) {
			metav1.SetMetaDataAnnotation(&p.ObjectMeta, v1alpha1.AnnotationPrice, "before-the-summer")
		})
		w.eventually(time.Minute, "the policy is priced", func() error {
			w.get(stars)
			if p := stars.Status.Pricing; p == nil || p.Request != "before-the-summer" || len(p.Levels) == 0 {
				return fmt.Errorf("its status is %+v", stars.Status)
			}
			return nil
		})
	})
	t.Run("drift", func(t *testing.T) {
		w.withdraw(c, nights)
		w.eventually(30*time.Second, "the challenge has left the list", func() error { return w.listed(c, "Rouler dans le noir", false) })
		change(w, nights, func(c *v1alpha1.Challenge) {
			metav1.SetMetaDataAnnotation(&c.ObjectMeta, v1alpha1.AnnotationReconcile, "now")
		})
		w.eventually(30*time.Second, "the operator has declared it again", func() error { return w.listed(c, "Rouler dans le noir", true) })
	})
	t.Run("the operator is killed", func(t *testing.T) {
		w.killOperator()
		change(w, days, func(c *v1alpha1.Challenge) { c.Spec.Title["fr"] = "Rouler au soleil" })
		w.waitPage(c, "/challenges/city-days", "Rouler au soleil")
	})
	t.Run("delete", func(t *testing.T) {
		for _, o := range []client.Object{days, nights, stars} {
			w.delete(o)
			w.eventually(time.Minute, o.GetName()+" is gone", func() error {
				err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(o), o)
				if err == nil {
					return errors.New("it is still there")
				}
				return client.IgnoreNotFound(err)
			})
		}
		if err := w.listed(c, "Rouler", false); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) challenge(name string) *v1alpha1.Challenge {
	return &v1alpha1.Challenge{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
}

// waitProgramme waits for a condition of a Challenge or a RewardPolicy that was made from its current generation.
func (w *world) waitProgramme(o client.Object, kind string, status metav1.ConditionStatus, reason string) {
	w.Helper()
	w.eventually(90*time.Second, fmt.Sprintf("%s has %s %s (%s)", o.GetName(), kind, status, reason), func() error {
		if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		var list []metav1.Condition
		switch o := o.(type) {
		case *v1alpha1.Challenge:
			list = o.Status.Conditions
		case *v1alpha1.RewardPolicy:
			list = o.Status.Conditions
		}
		got := meta.FindStatusCondition(list, kind)
		if got == nil || got.Status != status || got.Reason != reason || got.ObservedGeneration != o.GetGeneration() {
			return fmt.Errorf("at generation %d its conditions are %+v", o.GetGeneration(), list)
		}
		return nil
	})
}

// waitPage waits until a page shows a text to a visitor.
func (w *world) waitPage(c *v1alpha1.Community, path, text string) {
	w.Helper()
	visitor := w.visitor(c.Status.URL)
	w.eventually(30*time.Second, path+" shows "+text, func() error {
		got, err := visitor.do("GET", path, nil)
		if err == nil && (got.status != http.StatusOK || !strings.Contains(got.body, text)) {
			err = fmt.Errorf("it answers %d", got.status)
		}
		return err
	})
}

// listed checks whether the list of challenges holds a text.
func (w *world) listed(c *v1alpha1.Community, text string, want bool) error {
	got, err := w.visitor(c.Status.URL).do("GET", "/challenges", nil)
	if err != nil {
		return err
	}
	if has := strings.Contains(got.body, text); got.status != http.StatusOK || has != want {
		return fmt.Errorf("the list answers %d, with %q: %t", got.status, text, has)
	}
	return nil
}

// withdraw withdraws a challenge behind the operator's back, as somebody with the control token could.
func (w *world) withdraw(c *v1alpha1.Community, challenge *v1alpha1.Challenge) {
	w.Helper()
	service, secret := &corev1.Service{}, &corev1.Secret{}
	service.Namespace, service.Name = w.namespace, stack.ControlName(c.Name)
	secret.Namespace, secret.Name = w.namespace, stack.CredentialsName(c.Name)
	w.get(service)
	w.get(secret)
	err := control.NewClient("").WithdrawChallenge(w.ctx, ideaservice.Address(service), string(secret.Data[control.FileControlToken]), string(challenge.UID))
	if err != nil {
		w.Fatal(err)
	}
}

// killOperator kills the operator's pods, which come back by themselves.
func (w *world) killOperator() {
	w.Helper()
	err := cluster.client.DeleteAllOf(w.ctx, &corev1.Pod{}, client.InNamespace(cluster.operatorNamespace),
		client.MatchingLabels{v1alpha1.LabelName: v1alpha1.FieldManager}, client.GracePeriodSeconds(0))
	if err != nil && !apierrors.IsNotFound(err) {
		w.Fatalf("kill the operator: %v", err)
	}
}

// TestInitiatives applies the samples of initiatives as a brand would, and waits until each whole programme is in force.
// test/journeys walks through what members and team then do in them.
func TestInitiatives(t *testing.T) {
	for _, initiative := range []string{"lego-ideas", "threadless", "bmw", "quality-hunters", "school-lab"} {
		t.Run(initiative, func(t *testing.T) {
			w := newWorld(t, initiative)
			if out, err := kubectl(w.ctx, "", "apply", "-n", w.namespace, "-k", "../../config/samples/initiatives/"+initiative); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			communities, challenges, policies := &v1alpha1.CommunityList{}, &v1alpha1.ChallengeList{}, &v1alpha1.RewardPolicyList{}
			for _, list := range []client.ObjectList{communities, challenges, policies} {
				if err := cluster.client.List(w.ctx, list, client.InNamespace(w.namespace)); err != nil {
					t.Fatal(err)
				}
			}
			if len(communities.Items) != 1 || len(challenges.Items) == 0 || len(policies.Items) == 0 {
				t.Fatalf("the folder has %d Communities, %d Challenges and %d RewardPolicies", len(communities.Items), len(challenges.Items), len(policies.Items))
			}
			c := &communities.Items[0]
			change(w, c, func(c *v1alpha1.Community) { c.Spec.ClassName = w.class.Name })
			w.waitReady(c)
			for i := range policies.Items {
				w.waitProgramme(&policies.Items[i], v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
			}
			for i := range challenges.Items {
				w.waitProgramme(&challenges.Items[i], v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
				if challenges.Items[i].Status.Phase == "" {
					t.Errorf("%s has no phase", challenges.Items[i].Name)
				}
			}
		})
	}
}
