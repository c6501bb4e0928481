//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/stack"
)

// serving keeps traffic on the community's home page until stop is called, which fails the test if any request
// failed.
func (w *world) serving(c *v1alpha1.Community, during string) (stop func()) {
	w.Helper()
	// A proxy that took the route may learn of the pods behind it a moment later.
	w.eventually(readSoon, "the page opens", func() error { return w.opens(c.Status.URL) })
	l := w.startTraffic(c.Status.URL + "/")
	return func() {
		w.Helper()
		l.end(w, during)
	}
}

// TestBadSpecs changes a running community to what cannot be, one after the other: each is told, what runs
// goes on serving, and the correction alone makes it Ready again.
func TestBadSpecs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "badspec")
	c := w.ready(w.community("lumiere"))
	stop := w.serving(c, "bad class, size and time zone")
	for _, bad := range []struct {
		edit func(*v1alpha1.CommunitySpec)
		want expect
	}{
		{
			func(s *v1alpha1.CommunitySpec) { s.ClassName = w.namespace + "-no" },
			expect{v1alpha1.ConditionAccepted, v1alpha1.ReasonClassNotFound, []string{w.namespace + "-no", "create it or correct the name"}},
		},
		{
			func(s *v1alpha1.CommunitySpec) { s.Size = "enormous" },
			expect{v1alpha1.ConditionAccepted, v1alpha1.ReasonUnknownSize, []string{"enormous", "small", "large"}},
		},
		{
			func(s *v1alpha1.CommunitySpec) { s.Brand.TimeZone = "Europe/Atlantis" },
			expect{v1alpha1.ConditionAccepted, v1alpha1.ReasonUnknownTimeZone, []string{"Europe/Atlantis", "IANA"}},
		},
	} {
		right := c.Spec.DeepCopy()
		change(w, c, func(c *v1alpha1.Community) { bad.edit(&c.Spec) })
		w.waitStalled(c, bad.want)
		change(w, c, func(c *v1alpha1.Community) { c.Spec = *right })
		w.waitReady(c)
	}
	stop()
}

// TestClassCreatedLater names a class that comes after the community.
func TestClassCreatedLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "noclass")
	late := w.namespace + "-late"
	c := w.create(w.community("lumiere", func(c *v1alpha1.Community) { c.Spec.ClassName = late }))
	w.waitStalled(c, expect{v1alpha1.ConditionAccepted, v1alpha1.ReasonClassNotFound, []string{late, "create it or correct the name"}})
	w.newClass(late, func(class *v1alpha1.CommunityClass) { class.Spec = *w.class.Spec.DeepCopy() })
	w.waitReady(c)
}

// TestBadSecrets names Secrets that are missing or incomplete, in a running community.
func TestBadSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "badsecret")
	c := w.ready(w.community("lumiere"))
	stop := w.serving(c, "bad Secrets")

	change(w, c, func(c *v1alpha1.Community) { c.Spec.Mail = &v1alpha1.CommunityMail{SecretName: "smtp"} })
	w.waitStalled(c, expect{v1alpha1.ConditionCredentialsReady, v1alpha1.ReasonSecretNotFound,
		[]string{"spec.mail.secretName", w.namespace + "/smtp", "create it with the keys host and from"}})
	smtp := secret(w.namespace, "smtp", map[string]string{"host": "mail." + mailNamespace + ".svc", "port": "1025", "tls": "none"})
	w.createAll(smtp)
	w.waitStalled(c, expect{v1alpha1.ConditionCredentialsReady, v1alpha1.ReasonSecretIncomplete,
		[]string{w.namespace + "/smtp", "the key from is missing or empty"}})
	rewrite(w, smtp, map[string]string{"host": "mail." + mailNamespace + ".svc", "port": "1025", "tls": "none", "from": "lab@brand.example"})
	w.waitReady(c)

	change(w, c, func(c *v1alpha1.Community) {
		c.Spec.OIDC = &v1alpha1.CommunityOIDC{IssuerURL: "https://sign-in.brand.example", ClientSecretName: "oidc"}
	})
	w.waitStalled(c, expect{v1alpha1.ConditionCredentialsReady, v1alpha1.ReasonSecretNotFound,
		[]string{"spec.oidc.clientSecretName", w.namespace + "/oidc", "clientID and clientSecret"}})
	change(w, c, func(c *v1alpha1.Community) { c.Spec.OIDC = nil })
	w.waitReady(c)
	stop()
	// The new mail server is the one in use.
	w.mainPath(c.Status.URL)
}

// rewrite replaces everything in a Secret.
func rewrite(w *world, s *corev1.Secret, data map[string]string) {
	w.Helper()
	change(w, s, func(s *corev1.Secret) { s.Data, s.StringData = nil, data })
}

// TestTakenHostname asks for a hostname that another community holds, and gets it when that one gives it up.
func TestTakenHostname(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "taken")
	held := v1alpha1.Hostname("held." + w.class.Spec.Routing.ApexDomain)
	// A community without pods: it waits for the Secret of its database, and holds the name already.
	holder := w.create(w.community("holder", func(c *v1alpha1.Community) {
		c.Spec.Hostnames = []v1alpha1.Hostname{held}
		c.Spec.Database = &v1alpha1.CommunityDatabase{External: &v1alpha1.ExternalDatabase{SecretName: "later"}}
	}))
	w.waitStalled(holder, expect{v1alpha1.ConditionCredentialsReady, v1alpha1.ReasonSecretNotFound, []string{w.namespace + "/later", "the key uri"}})
	c := w.ready(w.community("lumiere"))
	before := c.Status.URL
	stop := w.serving(c, "a taken hostname")
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Hostnames = []v1alpha1.Hostname{held} })
	w.waitStalled(c, expect{v1alpha1.ConditionAccepted, v1alpha1.ReasonHostnameTaken, []string{string(held), "choose another name"}})
	if c.Status.URL != before {
		t.Errorf("status.url became %s although the hostname is taken", c.Status.URL)
	}
	stop()
	change(w, holder, func(c *v1alpha1.Community) { c.Spec.Hostnames = nil })
	w.waitReady(c)
	if want := "http://" + string(held); c.Status.URL != want {
		t.Errorf("status.url is %s after the hostname came free, want %s", c.Status.URL, want)
	}
	w.eventually(readSoon, "the page opens at the new name", func() error { return w.opens(c.Status.URL) })
}

// opens tells whether the home page at base opens.
func (w *world) opens(base string) error {
	m := w.visitor(base)
	defer m.http.CloseIdleConnections()
	got, err := m.do("GET", "/", nil)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("%s answered %d", base, got.status)
	}
	return err
}

// TestBadExternalDatabase brings connections that fail in every way, to a new community and to a running one.
// Each failure is told apart from the others, and a running community stays on its last good database.
func TestBadExternalDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "badpg")
	pg := startPostgres(w.ctx, t, w.namespace, "pg")
	const password = "Kf8-brand-password"
	pg.query(w.ctx, t, "postgres", "CREATE ROLE brand LOGIN PASSWORD '"+password+"'")
	pg.query(w.ctx, t, "postgres", "CREATE DATABASE brand OWNER brand")
	// A Service without pods: connections to it are refused.
	w.createAll(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "nobody"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"e2e": "nobody"}, Ports: []corev1.ServicePort{{Port: 5432}}},
	})
	right := pg.uri("brand", password, "brand")
	failing := []struct {
		uri  string
		want expect
	}{
		{"", expect{v1alpha1.ConditionCredentialsReady, v1alpha1.ReasonSecretIncomplete, []string{w.namespace + "/database", "the key uri is missing"}}},
		{strings.Replace(right, "postgresql://", "mysql://", 1),
			expect{v1alpha1.ConditionCredentialsReady, v1alpha1.ReasonSecretIncomplete, []string{"must start with postgresql://"}}},
		{strings.Replace(right, "pg."+w.namespace, "nowhere."+w.namespace, 1),
			expect{v1alpha1.ConditionDatabaseReady, v1alpha1.ReasonDatabaseUnreachable, []string{"nowhere." + w.namespace, "host name", "unknown"}}},
		{strings.Replace(right, "pg."+w.namespace, "nobody."+w.namespace, 1),
			expect{v1alpha1.ConditionDatabaseReady, v1alpha1.ReasonDatabaseUnreachable, []string{"nobody." + w.namespace, "connection refused"}}},
		{pg.uri("brand", "Kf8-wrong-password", "brand"),
			expect{v1alpha1.ConditionDatabaseReady, v1alpha1.ReasonPasswordRefused, []string{`user "brand"`, "password authentication failed"}}},
		{pg.uri("brand", password, "brant"),
			expect{v1alpha1.ConditionDatabaseReady, v1alpha1.ReasonDatabaseMissing, []string{`database "brant"`, "does not exist"}}},
		{strings.Replace(right, "sslmode=disable", "sslmode=require", 1),
			expect{v1alpha1.ConditionDatabaseReady, v1alpha1.ReasonTLSRefused, []string{"does not offer TLS", "sslmode"}}},
	}
	connection := secret(w.namespace, "database", map[string]string{"uri": failing[0].uri})
	w.createAll(connection)
	c := w.create(w.community("lumiere", func(c *v1alpha1.Community) {
		c.Spec.Database = &v1alpha1.CommunityDatabase{External: &v1alpha1.ExternalDatabase{SecretName: connection.Name}}
	}))
	failEach := func() {
		for _, f := range failing {
			rewrite(w, connection, map[string]string{"uri": f.uri})
			w.waitStalled(c, f.want)
		}
		rewrite(w, connection, map[string]string{"uri": right})
		w.waitReady(c)
	}
	failEach()
	stop := w.serving(c, "a refused database")
	failEach()
	stop()
	title, _ := w.mainPath(c.Status.URL)
	if rows := pg.query(w.ctx, t, "brand", sqlCountIdea(t, title)); rows != "1" {
		t.Errorf("the external database has %s ideas %q, want 1", rows, title)
	}
}

// TestForeignObjects puts objects of somebody else at names that a community needs. They are not touched, and
// the community goes on when they are gone.
func TestForeignObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "foreign")
	foreign := []client.Object{
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: stack.IdeasName("lumiere")},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 7777}}},
		},
		secret(w.namespace, stack.CredentialsName("lumiere"), map[string]string{"theirs": "untouched"}),
	}
	w.createAll(foreign...)
	c := w.create(w.community("lumiere"))
	w.waitStalled(c, expect{v1alpha1.ConditionCredentialsReady, v1alpha1.ReasonForeignObject, []string{"Secret", "lumiere-credentials"}})
	w.unchanged(foreign...)
	w.delete(foreign[1])
	w.waitStalled(c, expect{v1alpha1.ConditionWorkloadReady, v1alpha1.ReasonForeignObject, []string{"Service", w.namespace + "/lumiere"}})
	w.unchanged(foreign[0])
	w.delete(foreign[0])
	w.waitReady(c)
}

// unchanged fails the test when somebody wrote to an object since it was created or read.
func (w *world) unchanged(objects ...client.Object) {
	w.Helper()
	for _, o := range objects {
		before := o.GetResourceVersion()
		if w.get(o); o.GetResourceVersion() != before {
			w.Errorf("%T %s was changed", o, o.GetName())
		}
	}
}

// TestBadImages has the class name an image that cannot be pulled, then one whose process ends at once.
func TestBadImages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "badimage")
	c := w.ready(w.community("lumiere"))
	stop := w.serving(c, "bad images")
	image := func(name string) {
		change(w, w.class, func(class *v1alpha1.CommunityClass) { class.Spec.IdeaService.Image = name })
	}
	const missing = "localhost/community/no-such-image:1"
	image(missing)
	w.waitStalled(c, expect{v1alpha1.ConditionWorkloadReady, v1alpha1.ReasonImagePullFailed, []string{missing, "cannot be pulled", "imagePullSecretNames"}})
	image(cluster.ideasImage)
	w.waitReady(c)

	// PostgreSQL's image takes none of the idea service's arguments.
	image(cluster.postgresImage)
	w.waitStalled(c, expect{v1alpha1.ConditionWorkloadReady, v1alpha1.ReasonCrashing, []string{"container ideas ended with code", "its last log line: "}})
	line := w.lastLine(c, cluster.postgresImage)
	w.waitStalled(c, expect{v1alpha1.ConditionWorkloadReady, v1alpha1.ReasonCrashing, []string{"its last log line: " + line}})
	image(cluster.ideasImage)
	w.waitReady(c)
	stop()
}

// lastLine is what a container of the community's idea service with an image logged last.
func (w *world) lastLine(c *v1alpha1.Community, image string) string {
	w.Helper()
	pods := &corev1.PodList{}
	if err := cluster.client.List(w.ctx, pods, client.InNamespace(c.Namespace),
		client.MatchingLabels(stack.SelectorLabels(c.Name, v1alpha1.ComponentIdeas))); err != nil {
		w.Fatal(err)
	}
	for _, p := range pods.Items {
		if p.Spec.Containers[0].Image != image {
			continue
		}
		raw, err := cluster.clientset.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{TailLines: ptr.To(int64(1))}).DoRaw(w.ctx)
		if err != nil {
			w.Fatal(err)
		}
		if line := strings.TrimSpace(string(raw)); line != "" {
			return line
		}
	}
	w.Fatalf("no pod with image %s has logged a line", image)
	return ""
}

// TestBadImageFromStart has nothing to fall back to, and still says what is wrong and gets well by itself.
func TestBadImageFromStart(t *testing.T) {
	t.Parallel()
	const missing = "localhost/community/no-such-image:2"
	w := newWorld(t, "noimage", func(class *v1alpha1.CommunityClass) { class.Spec.IdeaService.Image = missing })
	c := w.create(w.community("lumiere"))
	w.waitStalled(c, expect{v1alpha1.ConditionWorkloadReady, v1alpha1.ReasonImagePullFailed, []string{missing}})
	change(w, w.class, func(class *v1alpha1.CommunityClass) {
		class.Spec.IdeaService.Image = cluster.ideasImage
		class.Spec.Database.Standalone.Image = cluster.postgresImage
	})
	w.waitReady(c)
}

// TestQuota lets a ResourceQuota refuse pods: of the database and the idea service at the start, and of more
// replicas later.
func TestQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "quota")
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "pods"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}},
	}
	w.createAll(quota)
	w.eventually(readSoon, "the quota is in force", func() error {
		if err := cluster.client.Get(w.ctx, client.ObjectKeyFromObject(quota), quota); err != nil {
			return err
		}
		if len(quota.Status.Hard) == 0 {
			return fmt.Errorf("no status yet")
		}
		return nil
	})
	allow := func(pods string) {
		change(w, quota, func(q *corev1.ResourceQuota) { q.Spec.Hard[corev1.ResourcePods] = resource.MustParse(pods) })
	}
	refused := expect{v1alpha1.ConditionWorkloadReady, v1alpha1.ReasonQuotaExceeded, []string{"exceeded quota: pods", "raise the quota or choose a smaller size"}}
	c := w.create(w.community("lumiere"))
	w.waitStalled(c, refused)
	allow("2")
	w.waitReady(c)

	stop := w.serving(c, "a quota")
	change(w, c, func(c *v1alpha1.Community) { c.Spec.Replicas = ptr.To(int32(2)) })
	w.waitStalled(c, refused)
	allow("4")
	w.waitReady(c)
	stop()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: stack.IdeasName(c.Name)}}
	if w.get(d); d.Status.AvailableReplicas != 2 {
		t.Errorf("%d replicas serve, want 2", d.Status.AvailableReplicas)
	}
}

// TestQuotaOnDatabase lets a ResourceQuota refuse the database's pod and take the idea service's, which is smaller.
func TestQuotaOnDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "dbquota")
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "memory"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourceRequestsMemory: resource.MustParse("100Mi")}},
	}
	w.createAll(quota)
	c := w.create(w.community("lumiere"))
	w.waitStalled(c, expect{v1alpha1.ConditionWorkloadReady, v1alpha1.ReasonQuotaExceeded,
		[]string{"the database's pod", "exceeded quota: memory", "raise the quota or choose a smaller size"}})
	change(w, quota, func(q *corev1.ResourceQuota) { q.Spec.Hard[corev1.ResourceRequestsMemory] = resource.MustParse("1Gi") })
	w.waitReady(c)
}
