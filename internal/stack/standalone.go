package stack

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// The conventions of the official postgres image, Debian variant.
const (
	postgresUser      = 999
	postgresData      = "/var/lib/postgresql/data"
	postgresPassword  = "/etc/community/database"
	portNamePostgres  = "postgres"
	postgresContainer = "postgres"
)

// standaloneVolume holds the data. It is not made from the StatefulSet's template, which could neither grow nor
// outlive its Community.
func standaloneVolume(p Plan) *corev1ac.PersistentVolumeClaimApplyConfiguration {
	spec := corev1ac.PersistentVolumeClaimSpec().
		WithAccessModes(corev1.ReadWriteOnce).
		WithResources(corev1ac.VolumeResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceStorage: p.Database.Storage}))
	if p.Database.StorageClassName != nil {
		spec.WithStorageClassName(*p.Database.StorageClassName)
	}
	return data(p, corev1ac.PersistentVolumeClaim(DatabaseName(p.Community.Name), p.Community.Namespace)).
		WithSpec(spec)
}

// standaloneStatefulSet runs one PostgreSQL. A StatefulSet never runs two pods on the same volume.
func standaloneStatefulSet(p Plan) *appsv1ac.StatefulSetApplyConfiguration {
	return owned(p, v1alpha1.ComponentDatabase,
		appsv1ac.StatefulSet(DatabaseName(p.Community.Name), p.Community.Namespace).
			WithSpec(appsv1ac.StatefulSetSpec().
				WithReplicas(1).
				WithRevisionHistoryLimit(2).
				WithServiceName(DatabaseName(p.Community.Name)).
				WithPodManagementPolicy(appsv1.ParallelPodManagement).
				WithSelector(selector(p, v1alpha1.ComponentDatabase)).
				WithTemplate(standalonePods(p))))
}

func standalonePods(p Plan) *corev1ac.PodTemplateSpecApplyConfiguration {
	spec := restrictedPodSpec(p, postgresUser).
		WithTerminationGracePeriodSeconds(60).
		WithVolumes(
			corev1ac.Volume().WithName("data").
				WithPersistentVolumeClaim(corev1ac.PersistentVolumeClaimVolumeSource().
					WithClaimName(DatabaseName(p.Community.Name))),
			corev1ac.Volume().WithName("password").
				WithSecret(corev1ac.SecretVolumeSource().
					WithSecretName(DatabaseName(p.Community.Name)).
					WithDefaultMode(0o440).
					WithItems(corev1ac.KeyToPath().
						WithKey(corev1.BasicAuthPasswordKey).
						WithPath(corev1.BasicAuthPasswordKey))),
			// The root file system is read-only; these are what PostgreSQL writes beside its data.
			corev1ac.Volume().WithName("sockets").WithEmptyDir(corev1ac.EmptyDirVolumeSource()),
			corev1ac.Volume().WithName("tmp").WithEmptyDir(corev1ac.EmptyDirVolumeSource())).
		WithContainers(standaloneContainer(p))
	pod := corev1ac.PodTemplateSpec().
		WithLabels(Labels(p.Community.Name, v1alpha1.ComponentDatabase)).
		WithSpec(spec)
	overlay(p, pod)
	return pod
}

func standaloneContainer(p Plan) *corev1ac.ContainerApplyConfiguration {
	var size v1alpha1.DatabaseSize
	if p.Size.Database != nil {
		size = *p.Size.Database
	}
	env := func(name, value string) *corev1ac.EnvVarApplyConfiguration {
		return corev1ac.EnvVar().WithName(name).WithValue(value)
	}
	return corev1ac.Container().
		WithName(postgresContainer).
		WithImage(p.Class.Spec.Database.Standalone.Image).
		WithImagePullPolicy(corev1.PullIfNotPresent).
		WithEnv(
			// A folder of its own, because a volume's root may hold lost+found, which initdb refuses.
			env("PGDATA", postgresData+"/pgdata"),
			env("POSTGRES_USER", ownDatabase),
			env("POSTGRES_DB", ownDatabase),
			env("POSTGRES_PASSWORD_FILE", postgresPassword+"/"+corev1.BasicAuthPasswordKey)).
		WithPorts(containerPort(portNamePostgres, PortPostgres)).
		WithResources(applyResources(resolveResources(size.Resources, databaseAmounts))).
		// PostgreSQL listens only once its database is made, or recovered after a crash.
		WithStartupProbe(postgresProbe().WithPeriodSeconds(1).WithFailureThreshold(300)).
		WithReadinessProbe(postgresProbe().WithPeriodSeconds(5)).
		WithSecurityContext(restrictedContainer()).
		WithVolumeMounts(
			corev1ac.VolumeMount().WithName("data").WithMountPath(postgresData),
			corev1ac.VolumeMount().WithName("password").WithMountPath(postgresPassword).WithReadOnly(true),
			// The same folder where /var/run is a link to /run; images differ in that and in which one they use.
			corev1ac.VolumeMount().WithName("sockets").WithMountPath("/run/postgresql"),
			corev1ac.VolumeMount().WithName("sockets").WithMountPath("/var/run/postgresql"),
			corev1ac.VolumeMount().WithName("tmp").WithMountPath("/tmp"))
}

// standaloneService is the address of the database. It leads to the pod as soon as there is one: there is no
// other to choose, so waiting for the probes would only keep the idea service from connecting at once.
func standaloneService(p Plan) *corev1ac.ServiceApplyConfiguration {
	return owned(p, v1alpha1.ComponentDatabase,
		corev1ac.Service(DatabaseName(p.Community.Name), p.Community.Namespace).
			WithSpec(corev1ac.ServiceSpec().
				WithType(corev1.ServiceTypeClusterIP).
				WithPublishNotReadyAddresses(true).
				WithSelector(SelectorLabels(p.Community.Name, v1alpha1.ComponentDatabase)).
				WithPorts(tcpServicePort(portNamePostgres, PortPostgres, portNamePostgres))))
}

func postgresProbe() *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().WithTCPSocket(corev1ac.TCPSocketAction().WithPort(intstr.FromString(portNamePostgres)))
}
