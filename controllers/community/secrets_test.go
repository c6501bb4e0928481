package community_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
)

// userSecret is a Secret that a community depends on, and the ways in which it can be wrong.
type userSecret struct {
	class     func(*v1alpha1.CommunityClass)
	community func(*v1alpha1.Community)
	// name of the Secret; of the class's own when ofClass.
	name    string
	ofClass bool
	// field that the message names.
	field string
	// bad are changes of its data, with what the message says.
	bad map[string]badData
}

type badData struct {
	data  map[string]string
	words []string
}

func userSecrets() map[string]userSecret {
	return map[string]userSecret{
		"mail": {community: withMail, name: "smtp", field: "spec.mail.secretName", bad: map[string]badData{
			"no host":          {map[string]string{"host": ""}, []string{"the key host is missing or empty"}},
			"a URL for a host": {map[string]string{"host": "smtp://smtp.brand.example"}, []string{"host name"}},
			"no sender":        {map[string]string{"from": ""}, []string{"the key from is missing"}},
			"a port's name":    {map[string]string{"port": "smtp"}, []string{"from 1 to 65535"}},
			"no password":      {map[string]string{"password": ""}, []string{"go together"}},
		}},
		"login": {community: withOIDC, name: "login", field: "spec.oidc.clientSecretName", bad: map[string]badData{
			"no secret": {map[string]string{"clientSecret": ""}, []string{"the key clientSecret is missing or empty"}},
			"no id":     {map[string]string{"clientID": "\n"}, []string{"the key clientID is missing or empty"}},
		}},
		"external database": {community: external, name: "database", field: "spec.database.external.secretName", bad: map[string]badData{
			"no URI":          {map[string]string{"uri": ""}, []string{"the key uri is missing or empty"}},
			"another product": {map[string]string{"uri": "mysql://brand:hunter22@db.example.com/brand"}, []string{"postgresql://"}},
			"a file":          {map[string]string{"uri": "postgres://brand:hunter22@db.example.com/brand?sslkey=/etc/passwd"}, []string{"sslmode and no other"}},
			"an open URI":     {map[string]string{"uri": "postgres://brand:hunter22#x@db.example.com/brand"}, []string{"percent-encoded"}},
		}},
		"mail of the class": {
			class: func(c *v1alpha1.CommunityClass) {
				c.Spec.Mail = &v1alpha1.ClassMail{Host: "smtp.agency.example", From: "ideas@agency.example", CredentialsSecretName: "smtp"}
			},
			name: "smtp", ofClass: true, field: "of the class", bad: map[string]badData{
				"no password": {map[string]string{"password": ""}, []string{"the key password is missing"}},
			},
		},
		"pull Secret of the class": {
			class: func(c *v1alpha1.CommunityClass) { c.Spec.IdeaService.ImagePullSecretNames = []string{"registry"} },
			name:  "registry", ofClass: true, field: "imagePullSecretNames",
		},
		"shared server": {class: sharedServer, name: "server", ofClass: true, field: "the class", bad: map[string]badData{
			"no URI":  {map[string]string{"uri": "postgresql://db.example.com"}, []string{"the key uri"}},
			"no host": {map[string]string{"uri": "postgresql://admin:open-sesame@/postgres"}, []string{"the key uri"}},
		}},
		"certificate": {community: withTLS, name: "certificate", field: "spec.tls.secretName"},
	}
}

// A Secret that is missing or wrong is explained and leaves in force what was good; as soon as it is right, the
// community is ready again, without anybody asking.
func TestSecretsOfUsers(t *testing.T) {
	t.Parallel()
	for name, s := range userSecrets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared, orNone(s.class))
			w.secrets()
			if s.ofClass && s.name == "smtp" {
				w.secret(w.operatorNamespace, "smtp", map[string]string{"username": "agency", "password": "agency-password"})
			}
			w.startOperator(operatorOptions{})
			c := w.community("lumiere", orNone(s.community))
			w.waitReady(c)
			secret := &corev1.Secret{ObjectMeta: named(w.namespace, s.name)}
			if s.ofClass {
				secret.Namespace = w.operatorNamespace
			}
			w.get(secret)
			before := w.outcome(c)
			for what, bad := range s.bad {
				w.breakSecret(c, secret, before, what, bad, s.field)
			}
			w.delete(secret)
			w.waitStalled(c, v1alpha1.ReasonSecretNotFound, s.field, secret.Namespace+"/"+secret.Name)
			w.checkLastGood(c, before, "the Secret is gone")
			secret.ResourceVersion, secret.UID = "", ""
			w.create(secret)
			w.waitReady(c)
			w.waitOutcome(c, before)
		})
	}
}

// breakSecret makes a Secret bad for a while.
func (w *world) breakSecret(c *v1alpha1.Community, secret *corev1.Secret, before map[string]any, what string, bad badData, field string) {
	w.t.Helper()
	good := secret.DeepCopy()
	change(w, secret, func(s *corev1.Secret) {
		for key, value := range bad.data {
			s.Data[key] = []byte(value)
		}
	})
	w.waitStalled(c, v1alpha1.ReasonSecretIncomplete, append(bad.words, field, secret.Namespace+"/"+secret.Name)...)
	w.checkLastGood(c, before, what)
	change(w, secret, func(s *corev1.Secret) { s.Data = good.Data })
	w.waitReady(c)
	w.waitOutcome(c, before)
}

// checkLastGood checks that what runs is as it was.
func (w *world) checkLastGood(c *v1alpha1.Community, before map[string]any, what string) {
	w.t.Helper()
	if diff := cmp.Diff(running(before), running(w.outcome(c))); diff != "" {
		w.t.Errorf("%s: what runs changed (-before +after):\n%s", what, diff)
	}
	if _, n := w.cluster.service(w.key(c.Name)).lastDeclared(); n == 0 {
		w.t.Error("the service was never told its settings")
	}
}

// running picks what matters to pods and proxies, without the marks of the Secrets that it came from.
func running(outcome map[string]any) map[string]any {
	out := map[string]any{}
	for name, child := range outcome["children"].(map[string]any) {
		content := child.(map[string]any)
		if content["kind"] == "Secret" {
			out[name] = content["data"]
		} else {
			out[name] = content["spec"]
		}
	}
	return out
}

// A community whose Secrets never were good waits for them, with everything else in place.
func TestSecretsComeLater(t *testing.T) {
	t.Parallel()
	for name, s := range userSecrets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shared, orNone(s.class))
			w.databases.allow("db.example.com", "brand", "p@ss/word")
			w.startOperator(operatorOptions{})
			c := w.community("lumiere", orNone(s.community))
			w.waitStalled(c, v1alpha1.ReasonSecretNotFound, s.field, s.name)
			w.secrets()
			if s.ofClass && s.name == "smtp" {
				w.secret(w.operatorNamespace, "smtp", map[string]string{"username": "agency", "password": "agency-password"})
			}
			w.waitReady(c)
		})
	}
}

// The files that pods mount are those of the contract, without what the Secrets hold besides.
func TestCredentialFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.secrets()
	w.startOperator(operatorOptions{})
	c := w.community("lumiere", external, withMail, withOIDC)
	w.waitReady(c)
	w.checkFiles("lumiere", map[string]string{
		control.FileDatabaseURI: "postgresql://brand:p%40ss%2Fword@db.example.com/brand?sslmode=require",
		control.FileMailHost:    "smtp.brand.example", control.FileMailFrom: "ideas@brand.example",
		control.FileMailUsername: "ideas", control.FileMailPassword: "smtp-password",
		control.FileOIDCClientID: "ideas", control.FileOIDCClientSecret: "login-secret",
	})
	template := func() string {
		return w.children("lumiere")["Deployment lumiere"]["spec"].(map[string]any)["template"].(map[string]any)["metadata"].(map[string]any)["annotations"].(map[string]any)[v1alpha1.AnnotationCredentials].(string)
	}
	rolled := template()
	change(w, &corev1.Secret{ObjectMeta: named(w.namespace, "smtp")}, func(s *corev1.Secret) {
		s.Data["password"], s.Data["port"], s.Data["tls"], s.Data["note"] = []byte("new-password\n"), []byte("465"), []byte("tls"), []byte("x")
	})
	eventually(t, "the pods should roll with the new password", func() error {
		if template() == rolled {
			return errors.New("the pod template is the same")
		}
		return nil
	})
	w.waitReady(c)
	w.checkFiles("lumiere", map[string]string{
		control.FileDatabaseURI: "postgresql://brand:p%40ss%2Fword@db.example.com/brand?sslmode=require",
		control.FileMailHost:    "smtp.brand.example", control.FileMailFrom: "ideas@brand.example",
		control.FileMailPort: "465", control.FileMailTLS: "tls", control.FileMailUsername: "ideas", control.FileMailPassword: "new-password",
		control.FileOIDCClientID: "ideas", control.FileOIDCClientSecret: "login-secret",
	})
	// A change that means nothing to the pods does not roll them.
	rolled = template()
	change(w, &corev1.Secret{ObjectMeta: named(w.namespace, "smtp")}, func(s *corev1.Secret) { s.Data["note"] = []byte("y") })
	w.nudge(c)
	w.waitReady(c)
	if template() != rolled {
		t.Error("a key that is not used rolled the pods")
	}
	// Mail that is taken away is gone.
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Mail, c.Spec.OIDC = nil, nil })
	w.waitReady(c)
	w.checkFiles("lumiere", map[string]string{control.FileDatabaseURI: "postgresql://brand:p%40ss%2Fword@db.example.com/brand?sslmode=require"})
}

// checkFiles checks what pods mount, the control token aside.
func (w *world) checkFiles(community string, want map[string]string) {
	w.t.Helper()
	credentials := &corev1.Secret{ObjectMeta: named(w.namespace, community+"-credentials")}
	w.get(credentials)
	got := map[string]string{}
	for name, content := range credentials.Data {
		if name != control.FileControlToken {
			got[name] = string(content)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("credential files (-want +got):\n%s", diff)
	}
	if len(credentials.Data[control.FileControlToken]) < 32 {
		w.t.Errorf("the control token has %d characters", len(credentials.Data[control.FileControlToken]))
	}
	if strings.Contains(asJSON(credentials.Annotations), base64.StdEncoding.EncodeToString(credentials.Data[control.FileControlToken])) {
		w.t.Error("an annotation holds the token")
	}
}

// The control token can be renewed by deleting it: the pods roll, and the old one is of no use.
func TestControlTokenRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared)
	w.startOperator(operatorOptions{})
	c := w.community("lumiere")
	w.waitReady(c)
	credentials := &corev1.Secret{ObjectMeta: named(w.namespace, "lumiere-credentials")}
	w.get(credentials)
	old := string(credentials.Data[control.FileControlToken])
	w.hold("Deployment") // the pods have not rolled yet
	change(w, credentials, func(s *corev1.Secret) { delete(s.Data, control.FileControlToken) })
	w.waitCondition(c, v1alpha1.ConditionSettingsInForce, metav1.ConditionFalse, v1alpha1.ReasonProgressing, "control token")
	w.waitCondition(c, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonProgressing)
	w.get(credentials)
	if renewed := string(credentials.Data[control.FileControlToken]); renewed == "" || renewed == old {
		t.Error("the token was not renewed")
	}
	w.release("Deployment")
	w.waitReady(c)
}
