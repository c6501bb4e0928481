package community_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// world is one test's part of a platform: a namespace, the operator's own namespace, a class and the databases
// that are outside the cluster.
type world struct {
	*platform

	t                            testing.TB
	namespace, operatorNamespace string
	// class is called like the namespace; its apex domain is the test's own as well.
	class     *v1alpha1.CommunityClass
	databases *databases
	// serve tells how the database looks to the idea service, where the simulated cluster cannot know.
	serve func(files map[string][]byte) control.Database
	// parent is the world that a subtest's is part of; nil for a whole one.
	parent *world

	mu sync.Mutex
	// held kinds are not worked on by the simulated cluster.
	held map[string]bool
	// meddle changes the status that the simulated cluster gives to an object; nil for none.
	meddle func(client.Object)
}

type platformStart func() (*platform, error)

// newWorld makes a test's world with a class of its own.
func newWorld(t testing.TB, start platformStart, changes ...func(*v1alpha1.CommunityClass)) *world {
	t.Helper()
	p, err := start()
	if err != nil {
		t.Fatalf("start the platform: %v", err)
	}
	w := &world{platform: p, t: t, databases: newDatabases(), held: map[string]bool{}}
	w.namespace, w.operatorNamespace = w.newNamespace(), w.newNamespace()
	w.class = testutil.CommunityClass(w.namespace, func(c *v1alpha1.CommunityClass) {
		c.Spec.Routing.ApexDomain, c.Spec.Routing.Gateway.Namespace = w.namespace+".example.com", w.namespace
	})
	for _, change := range changes {
		change(w.class)
	}
	w.create(w.class)
	gateway := &gatewayv1.Gateway{ObjectMeta: named(w.namespace, "public")}
	gateway.Spec.GatewayClassName = "example"
	gateway.Spec.Listeners = []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}}
	w.create(gateway)
	p.cluster.add(w)
	t.Cleanup(func() { p.cluster.remove(w) })
	return w
}

// of is the same world, for a subtest.
func (w *world) of(t testing.TB) *world {
	return &world{platform: w.platform, t: t, namespace: w.namespace, operatorNamespace: w.operatorNamespace, class: w.class, databases: w.databases, parent: w}
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

func (w *world) newNamespace() string {
	w.t.Helper()
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(w.t.Name()), "-"), "-")
	name = strings.TrimPrefix(name, "test")
	if len(name) > 40 {
		name = strings.Trim(name[len(name)-40:], "-")
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: name + "-"}}
	w.create(namespace)
	return namespace.Name
}

// newCommunity describes a Community of the world's class.
func (w *world) newCommunity(name string, changes ...func(*v1alpha1.Community)) *v1alpha1.Community {
	c := testutil.Community(name, func(c *v1alpha1.Community) {
		c.Namespace, c.Spec.ClassName = w.namespace, w.class.Name
		c.UID, c.Generation = "", 0
	})
	for _, change := range changes {
		change(c)
	}
	return c
}

// community makes a Community of the world's class.
func (w *world) community(name string, changes ...func(*v1alpha1.Community)) *v1alpha1.Community {
	w.t.Helper()
	c := w.newCommunity(name, changes...)
	w.create(c)
	return c
}

// secret makes a Secret as a user does.
func (w *world) secret(namespace, name string, data map[string]string) *corev1.Secret {
	w.t.Helper()
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data}
	w.create(s)
	return s
}

func (w *world) create(o client.Object) {
	w.t.Helper()
	kind := fmt.Sprintf("%T", o)
	if err := w.client.Create(context.Background(), o); err != nil {
		w.t.Fatalf("create %s %s/%s: %v", kind, o.GetNamespace(), o.GetName(), err)
	}
}

// get reads an object anew.
func (w *world) get(o client.Object) {
	w.t.Helper()
	if err := w.client.Get(context.Background(), client.ObjectKeyFromObject(o), o); err != nil {
		w.t.Fatalf("get %T %s/%s: %v", o, o.GetNamespace(), o.GetName(), err)
	}
}

// change changes an object as kubectl edit does.
func change[T client.Object](w *world, o T, how func(T)) {
	w.t.Helper()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if err := w.client.Get(context.Background(), client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		how(o)
		return w.client.Update(context.Background(), o, client.FieldOwner("kubectl-edit"))
	})
	if err != nil {
		w.t.Fatalf("change %T %s/%s: %v", o, o.GetNamespace(), o.GetName(), err)
	}
}

func (w *world) delete(o client.Object, options ...client.DeleteOption) {
	w.t.Helper()
	if err := w.client.Delete(context.Background(), o, options...); err != nil {
		w.t.Fatalf("delete %T %s/%s: %v", o, o.GetNamespace(), o.GetName(), err)
	}
}

// waitGone waits until an object that was read is gone; another one may have taken its place.
func (w *world) waitGone(o client.Object) {
	w.t.Helper()
	uid := o.GetUID()
	eventually(w.t, fmt.Sprintf("%T %s should go", o, o.GetName()), func() error {
		err := w.client.Get(context.Background(), client.ObjectKeyFromObject(o), o)
		if err == nil && o.GetUID() != uid {
			return nil
		}
		if err == nil {
			return errors.New("it is still there")
		}
		return ignoreMissing(err)
	})
}

// nudge asks for a reconcile, as a person does.
func (w *world) nudge(c *v1alpha1.Community) {
	w.t.Helper()
	change(w, c, func(c *v1alpha1.Community) {
		metav1.SetMetaDataAnnotation(&c.ObjectMeta, v1alpha1.AnnotationReconcile, time.Now().Format(time.RFC3339Nano))
	})
}

// waitReady waits until a Community is ready at its current generation.
func (w *world) waitReady(c *v1alpha1.Community) {
	w.t.Helper()
	w.waitCondition(c, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady, "")
}

// waitStalled waits until a Community says that a person must act, for a reason and with words in its message.
func (w *world) waitStalled(c *v1alpha1.Community, reason string, words ...string) {
	w.t.Helper()
	w.waitCondition(c, v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, words...)
	if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready.Status != metav1.ConditionFalse || ready.Reason != reason {
		w.t.Errorf("Ready is %s (%s) while Stalled is True (%s)", ready.Status, ready.Reason, reason)
	}
}

// waitCondition waits for a condition that was made from the current generation.
func (w *world) waitCondition(c *v1alpha1.Community, kind string, status metav1.ConditionStatus, reason string, words ...string) {
	w.t.Helper()
	eventually(w.t, fmt.Sprintf("Community %s should have %s %s (%s)", c.Name, kind, status, reason), func() error {
		if err := w.client.Get(context.Background(), client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		have := meta.FindStatusCondition(c.Status.Conditions, kind)
		switch {
		case have == nil, have.Status != status, have.Reason != reason, have.ObservedGeneration != c.Generation,
			c.Status.ObservedGeneration != c.Generation:
			return fmt.Errorf("at generation %d, its status is %s", c.Generation, asJSON(c.Status))
		}
		for _, word := range words {
			if !strings.Contains(have.Message, word) {
				return fmt.Errorf("the message %q lacks %q", have.Message, word)
			}
		}
		return nil
	})
}

func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// events of a Community, as "type reason message".
func (w *world) events(c *v1alpha1.Community) []string {
	w.t.Helper()
	list := &eventsv1.EventList{}
	if err := w.client.List(context.Background(), list, client.InNamespace(c.Namespace)); err != nil {
		w.t.Fatalf("list events: %v", err)
	}
	var out []string
	for _, e := range list.Items {
		if e.Regarding.Name == c.Name && e.Regarding.UID == c.UID {
			out = append(out, e.Type+" "+e.Reason+" "+e.Note)
		}
	}
	return out
}

// hold keeps the simulated cluster from working on a kind of object.
func (w *world) hold(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[kind] = true
}

// release lets the simulated cluster work on a kind of object again.
func (w *world) release(kind string) {
	if w.parent != nil {
		w.parent.release(kind)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.held, kind)
}

func (w *world) holds(kind string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held[kind]
}

// meddling sets what changes the status that the simulated cluster gives to objects.
func (w *world) meddling(how func(client.Object)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meddle = how
}

func (w *world) meddleWith(o client.Object) {
	w.mu.Lock()
	how := w.meddle
	w.mu.Unlock()
	if how != nil {
		how(o)
	}
}

func (w *world) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: w.namespace, Name: name}
}

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func withMail(c *v1alpha1.Community) { c.Spec.Mail = &v1alpha1.CommunityMail{SecretName: "smtp"} }

func withOIDC(c *v1alpha1.Community) {
	c.Spec.OIDC = &v1alpha1.CommunityOIDC{IssuerURL: "https://login.brand.example", ClientSecretName: "login"}
}

func withTLS(c *v1alpha1.Community) {
	c.Spec.Hostnames, c.Spec.TLS = []v1alpha1.Hostname{"ideas.brand.example"}, &v1alpha1.CommunityTLS{SecretName: "certificate"}
}

// pullSecret makes a pull Secret of the class.
func (w *world) pullSecret(name string) {
	w.t.Helper()
	w.create(&corev1.Secret{
		ObjectMeta: named(w.operatorNamespace, name), Type: corev1.SecretTypeDockerConfigJson,
		StringData: map[string]string{corev1.DockerConfigJsonKey: `{"auths":{"` + name + `.example":{"auth":"c2VjcmV0OnNlY3JldA=="}}}`},
	})
}

// tlsSecret makes a Secret with a real certificate: the API server checks that.
func (w *world) tlsSecret(name string) {
	w.t.Helper()
	certificate, key := selfSigned(w.t)
	w.create(&corev1.Secret{
		ObjectMeta: named(w.namespace, name), Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key},
	})
}

// selfSigned makes a certificate.
func selfSigned(t testing.TB) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ideas.brand.example"}, DNSNames: []string{"ideas.brand.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// randomName is short and a valid name of a Community.
func randomName() string { return "c" + strings.ToLower(rand.Text()[:10]) }

func zero() *resource.Quantity { return resource.NewQuantity(0, resource.DecimalSI) }
