//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// restrictedPod is a pod of one container that Pod Security's restricted profile lets in.
func restrictedPod(namespace, name, image string, user int64) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"e2e": name}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken:  ptr.To(false),
			TerminationGracePeriodSeconds: ptr.To(int64(2)),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To(user), FSGroup: ptr.To(user),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: name, Image: image, ImagePullPolicy: corev1.PullIfNotPresent,
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false), ReadOnlyRootFilesystem: ptr.To(true),
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}

func serviceFor(pod *corev1.Pod, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name},
		Spec:       corev1.ServiceSpec{Selector: pod.Labels, Ports: ports},
	}
}

// postgres is a PostgreSQL server of a test's own, for the kinds of database that somebody else runs.
type postgres struct {
	namespace, pod string
	password       string
}

const postgresPassword = "e2e-superuser-7f3a"

// startPostgres runs a server and waits until it takes connections. It offers no TLS.
func startPostgres(ctx context.Context, t *testing.T, namespace, name string) *postgres {
	t.Helper()
	pod := restrictedPod(namespace, name, cluster.postgresImage, 999)
	c := &pod.Spec.Containers[0]
	c.Env = []corev1.EnvVar{
		{Name: "PGDATA", Value: "/var/lib/postgresql/data/pgdata"},
		{Name: "POSTGRES_USER", Value: "postgres"},
		{Name: "POSTGRES_PASSWORD", Value: postgresPassword},
	}
	c.ReadinessProbe = &corev1.Probe{
		PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(5432)}},
	}
	for volume, path := range map[string]string{"data": "/var/lib/postgresql/data", "run": "/run/postgresql", "tmp": "/tmp"} {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: path})
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{
			Name: volume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}},
		})
	}
	for _, o := range []client.Object{pod, serviceFor(pod, corev1.ServicePort{Name: "postgres", Port: 5432})} {
		if err := cluster.client.Create(ctx, o); err != nil {
			t.Fatalf("create %T of the PostgreSQL server: %v", o, err)
		}
	}
	if err := cluster.waitForPod(ctx, pod); err != nil {
		t.Fatalf("wait for the PostgreSQL server: %v", err)
	}
	return &postgres{namespace: namespace, pod: name, password: postgresPassword}
}

// uri of a role and database on the server.
func (p *postgres) uri(user, password, database string) string {
	u := url.URL{
		Scheme: "postgresql", User: url.UserPassword(user, password),
		Host: p.host() + ":5432", Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (p *postgres) host() string { return fmt.Sprintf("%s.%s.svc", p.pod, p.namespace) }

// query runs SQL as the server's superuser and returns the rows as psql prints them, without ornament.
func (p *postgres) query(ctx context.Context, t *testing.T, database, sql string) string {
	t.Helper()
	out, err := psql(ctx, p.namespace, p.pod, "", "postgres", database, sql)
	if err != nil {
		t.Fatalf("ask the PostgreSQL server: %v", err)
	}
	return out
}

// psql runs SQL inside a database pod, where the server trusts the local user. A container is named for
// CloudNativePG's pods, which keep their socket elsewhere.
func psql(ctx context.Context, namespace, pod, container, user, database, sql string) (string, error) {
	socket := "/run/postgresql"
	args := []string{"exec", "-n", namespace, pod}
	if container != "" {
		socket = "/controller/run"
		args = append(args, "-c", container)
	}
	args = append(args, "--", "psql", "-h", socket, "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database, "-c", sql)
	out, err := kubectl(ctx, "", args...)
	return strings.TrimSpace(out), err
}

func secret(namespace, name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data}
}
