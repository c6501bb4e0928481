package stack

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// controlService is in front of the control port. It reaches pods that are not ready as well: they can say why.
func controlService(p Plan) *corev1ac.ServiceApplyConfiguration {
	return owned(p, v1alpha1.ComponentIdeas,
		corev1ac.Service(ControlName(p.Community.Name), p.Community.Namespace).
			WithSpec(corev1ac.ServiceSpec().
				WithType(corev1.ServiceTypeClusterIP).
				WithPublishNotReadyAddresses(true).
				WithSelector(SelectorLabels(p.Community.Name, v1alpha1.ComponentIdeas)).
				WithPorts(tcpServicePort(portNameControl, PortControl, portNameControl))))
}
