package stack

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// servicePort is where the route finds the pages.
const servicePort = 80

// service is in front of the idea service's pages. The control port has a Service of its own, so that no route
// can reach it by a wrong port.
func service(p Plan) *corev1ac.ServiceApplyConfiguration {
	return owned(p, v1alpha1.ComponentIdeas,
		corev1ac.Service(IdeasName(p.Community.Name), p.Community.Namespace).
			WithSpec(corev1ac.ServiceSpec().
				WithType(corev1.ServiceTypeClusterIP).
				WithSelector(SelectorLabels(p.Community.Name, v1alpha1.ComponentIdeas)).
				WithPorts(tcpServicePort(portNameHTTP, servicePort, portNameHTTP))))
}

func tcpServicePort(name string, port int32, target string) *corev1ac.ServicePortApplyConfiguration {
	return corev1ac.ServicePort().
		WithName(name).
		WithPort(port).
		WithProtocol(corev1.ProtocolTCP).
		WithTargetPort(intstr.FromString(target))
}
