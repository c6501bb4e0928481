package stack

import (
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// Names of the idea service's ports.
const (
	portNameHTTP       = "http"
	portNameControl    = "control"
	portNameManagement = "management"
)

// ideasUser is the numeric user of the idea service's image, which has no user database.
const ideasUser = 65532

const credentialsVolume = "credentials"

// deployment runs the idea service. There is none before its credentials are known: pods could not start.
func deployment(p Plan) *appsv1ac.DeploymentApplyConfiguration {
	if p.Credentials == nil {
		return nil
	}
	return owned(p, v1alpha1.ComponentIdeas,
		appsv1ac.Deployment(IdeasName(p.Community.Name), p.Community.Namespace).
			WithSpec(appsv1ac.DeploymentSpec().
				WithReplicas(p.Replicas).
				WithRevisionHistoryLimit(2).
				WithProgressDeadlineSeconds(120).
				WithSelector(selector(p, v1alpha1.ComponentIdeas)).
				WithStrategy(appsv1ac.DeploymentStrategy().
					WithType(appsv1.RollingUpdateDeploymentStrategyType).
					WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
						WithMaxUnavailable(intstr.FromInt32(0)).
						WithMaxSurge(intstr.FromInt32(1)))).
				WithTemplate(ideasPods(p))))
}

// ideasPods is the template of the idea service's pods. Nothing in it depends on the operator's version, so an
// upgrade restarts nobody.
func ideasPods(p Plan) *corev1ac.PodTemplateSpecApplyConfiguration {
	spec := restrictedPodSpec(p, ideasUser).
		WithTerminationGracePeriodSeconds(30).
		WithAffinity(spread(p)).
		WithVolumes(corev1ac.Volume().
			WithName(credentialsVolume).
			WithSecret(corev1ac.SecretVolumeSource().
				WithSecretName(CredentialsName(p.Community.Name)).
				WithDefaultMode(0o440))).
		WithContainers(ideasContainer(p))
	pod := corev1ac.PodTemplateSpec().
		WithLabels(Labels(p.Community.Name, v1alpha1.ComponentIdeas)).
		WithSpec(spec)
	overlay(p, pod)
	return pod.WithAnnotations(map[string]string{v1alpha1.AnnotationCredentials: p.Credentials.Hash})
}

func ideasContainer(p Plan) *corev1ac.ContainerApplyConfiguration {
	image := p.Class.Spec.IdeaService
	pull := image.ImagePullPolicy
	if pull == "" {
		pull = corev1.PullIfNotPresent
	}
	resources := resolveResources(p.Size.Resources, ideasAmounts)
	return corev1ac.Container().
		WithName(v1alpha1.ComponentIdeas).
		WithImage(image.Image).
		WithImagePullPolicy(pull).
		WithArgs(
			"--credentials-dir="+CredentialsMountPath,
			fmt.Sprintf("--listen=:%d", PortHTTP),
			fmt.Sprintf("--control-listen=:%d", PortControl),
			fmt.Sprintf("--management-listen=:%d", PortManagement)).
		WithEnv(corev1ac.EnvVar().WithName("GOMEMLIMIT").WithValue(goMemLimit(resources))).
		WithPorts(
			containerPort(portNameHTTP, PortHTTP),
			containerPort(portNameControl, PortControl),
			containerPort(portNameManagement, PortManagement)).
		WithResources(applyResources(resources)).
		// While it starts, the service answers in the moment it is ready: that, not the next look, opens a community.
		WithReadinessProbe(httpProbe("/readyz?wait=1500ms").WithPeriodSeconds(1).WithTimeoutSeconds(2).WithFailureThreshold(3)).
		WithLivenessProbe(httpProbe("/livez").WithPeriodSeconds(10).WithTimeoutSeconds(5).WithFailureThreshold(3)).
		// Proxies go on sending requests for a moment after a pod is told to stop.
		WithLifecycle(corev1ac.Lifecycle().WithPreStop(corev1ac.LifecycleHandler().
			WithSleep(corev1ac.SleepAction().WithSeconds(5)))).
		WithSecurityContext(restrictedContainer()).
		WithVolumeMounts(corev1ac.VolumeMount().
			WithName(credentialsVolume).
			WithMountPath(CredentialsMountPath).
			WithReadOnly(true))
}

// goMemLimit keeps the Go heap at 90 % of the memory limit, so that the collector works harder before the
// kernel ends the process.
func goMemLimit(r corev1.ResourceRequirements) string {
	return strconv.FormatInt(r.Limits.Memory().Value()/10*9, 10)
}

// spread makes replicas prefer different nodes, and different zones where there are any.
func spread(p Plan) *corev1ac.AffinityApplyConfiguration {
	prefer := func(weight int32, topology string) *corev1ac.WeightedPodAffinityTermApplyConfiguration {
		return corev1ac.WeightedPodAffinityTerm().
			WithWeight(weight).
			WithPodAffinityTerm(corev1ac.PodAffinityTerm().
				WithTopologyKey(topology).
				WithLabelSelector(selector(p, v1alpha1.ComponentIdeas)))
	}
	return corev1ac.Affinity().WithPodAntiAffinity(corev1ac.PodAntiAffinity().
		WithPreferredDuringSchedulingIgnoredDuringExecution(
			prefer(100, corev1.LabelHostname),
			prefer(50, corev1.LabelTopologyZone)))
}

func containerPort(name string, port int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(port).WithProtocol(corev1.ProtocolTCP)
}

func httpProbe(path string) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().WithHTTPGet(corev1ac.HTTPGetAction().
		WithPath(path).
		WithPort(intstr.FromString(portNameManagement)))
}
