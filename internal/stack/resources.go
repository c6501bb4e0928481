package stack

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// amounts are the defaults of a component, as the API's comments document them.
type amounts struct {
	requestCPU, requestMemory, limitMemory resource.Quantity
}

var (
	ideasAmounts = amounts{
		requestCPU:    resource.MustParse("20m"),
		requestMemory: resource.MustParse("48Mi"),
		limitMemory:   resource.MustParse("256Mi"),
	}
	databaseAmounts = amounts{
		requestCPU:    resource.MustParse("50m"),
		requestMemory: resource.MustParse("128Mi"),
		limitMemory:   resource.MustParse("512Mi"),
	}
)

// resolveResources fills in the defaults amount by amount. A default gives way to what the class says: the API
// server refuses a request above its limit. CPU has no limit by default, because throttling makes pages slow
// without making room for anybody.
func resolveResources(r *v1alpha1.Resources, defaults amounts) corev1.ResourceRequirements {
	var requests, limits v1alpha1.ResourceAmounts
	if r != nil && r.Requests != nil {
		requests = *r.Requests
	}
	if r != nil && r.Limits != nil {
		limits = *r.Limits
	}
	limitMemory := atLeast(limits.Memory, requests.Memory, defaults.limitMemory)
	out := corev1.ResourceRequirements{
		Requests: corev1.ResourceList{
			corev1.ResourceCPU:    atMost(requests.CPU, limits.CPU, defaults.requestCPU),
			corev1.ResourceMemory: atMost(requests.Memory, &limitMemory, defaults.requestMemory),
		},
		Limits: corev1.ResourceList{corev1.ResourceMemory: limitMemory},
	}
	if limits.CPU != nil {
		out.Limits[corev1.ResourceCPU] = *limits.CPU
	}
	return out
}

// atMost is the amount set, or else the default, but no more than the limit.
func atMost(set, limit *resource.Quantity, byDefault resource.Quantity) resource.Quantity {
	switch {
	case set != nil:
		return *set
	case limit != nil && limit.Cmp(byDefault) < 0:
		return *limit
	default:
		return byDefault
	}
}

// atLeast is the amount set, or else the default, but no less than the request.
func atLeast(set, request *resource.Quantity, byDefault resource.Quantity) resource.Quantity {
	switch {
	case set != nil:
		return *set
	case request != nil && request.Cmp(byDefault) > 0:
		return *request
	default:
		return byDefault
	}
}

func applyResources(r corev1.ResourceRequirements) *corev1ac.ResourceRequirementsApplyConfiguration {
	return corev1ac.ResourceRequirements().WithRequests(r.Requests).WithLimits(r.Limits)
}
