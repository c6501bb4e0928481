package stack

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// overlay lays the class's podTemplate over a component's pods. Annotations are laid below those that the
// operator sets afterwards.
func overlay(p Plan, pod *corev1ac.PodTemplateSpecApplyConfiguration) {
	over := p.Class.Spec.PodTemplate
	if over == nil {
		return
	}
	pod.WithAnnotations(over.Annotations)
	pod.Spec.WithNodeSelector(over.NodeSelector)
	for _, t := range over.Tolerations {
		pod.Spec.WithTolerations(convert[corev1ac.TolerationApplyConfiguration](t))
	}
	if over.Affinity != nil {
		pod.Spec.WithAffinity(convert[corev1ac.AffinityApplyConfiguration](over.Affinity))
	}
	if over.PriorityClassName != "" {
		pod.Spec.WithPriorityClassName(over.PriorityClassName)
	}
}

// convert writes a value of the API's Go types as an apply configuration. That is right only for values that
// came from a user as they are: a field at its zero value counts as not set.
func convert[T any](value any) *T {
	// Both types have the same JSON form, so neither step can fail.
	raw, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("stack: %T cannot be marshalled: %v", value, err))
	}
	out := new(T)
	if err := json.Unmarshal(raw, out); err != nil {
		panic(fmt.Sprintf("stack: %T does not fit %T: %v", value, out, err))
	}
	return out
}

// restrictedPod is the part of Pod Security "restricted" that pods declare.
func restrictedPod(user int64) *corev1ac.PodSecurityContextApplyConfiguration {
	return corev1ac.PodSecurityContext().
		WithRunAsNonRoot(true).
		WithRunAsUser(user).
		WithRunAsGroup(user).
		WithFSGroup(user).
		WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
		WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
}

// restrictedContainer is the part of Pod Security "restricted" that containers declare, and a root file system
// that nobody can write to.
func restrictedContainer() *corev1ac.SecurityContextApplyConfiguration {
	return corev1ac.SecurityContext().
		WithAllowPrivilegeEscalation(false).
		WithReadOnlyRootFilesystem(true).
		WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))
}

// restrictedPodSpec starts the spec of a community's pods.
func restrictedPodSpec(p Plan, user int64) *corev1ac.PodSpecApplyConfiguration {
	spec := corev1ac.PodSpec().
		WithServiceAccountName(IdeasName(p.Community.Name)).
		WithAutomountServiceAccountToken(false).
		// The variables of every Service in the namespace would only tell a community about its neighbours.
		WithEnableServiceLinks(false).
		WithSecurityContext(restrictedPod(user))
	if len(p.PullSecret) > 0 {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(PullSecretName(p.Community.Name)))
	}
	return spec
}
