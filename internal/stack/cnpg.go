package stack

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/cnpg"
)

// smartShutdownSeconds is how long a stopping PostgreSQL waits for its clients to leave by themselves. The idea
// service's pools never do, so every second of it is downtime; CloudNativePG's default is 180.
const smartShutdownSeconds = 5

// stopSeconds is how long a stopping PostgreSQL has in all; then it is ended the hard way, and recovers at its
// next start. CloudNativePG's default is 1,800, which is also what the deletion of a whole namespace waits for,
// by half, although the pods are gone in seconds.
const stopSeconds = 120

// startupProbeSeconds is the pause between looks at an instance that is coming up. Nothing is led to one before a
// look has found it ready; by CloudNativePG's default of 10 a database that started in a second is out of reach for
// nine more, which is as long again as it takes to make one. How many looks may fail follows from its start delay.
const startupProbeSeconds = 1

// cluster is the community's database, run by CloudNativePG. One that was kept without its Community sleeps: the
// annotation wakes it up when it is taken into use again.
func cluster(p Plan) *cnpg.ClusterApplyConfiguration {
	return data(p, cnpg.ApplyCluster(DatabaseName(p.Community.Name), p.Community.Namespace)).
		WithAnnotations(map[string]string{cnpg.AnnotationHibernation: cnpg.HibernationOff}).
		WithSpec(clusterSpec(p))
}

func clusterSpec(p Plan) *cnpg.ClusterSpec {
	var settings v1alpha1.CloudNativePGSettings
	if s := p.Class.Spec.Database.CloudNativePG; s != nil {
		settings = *s
	}
	var size v1alpha1.DatabaseSize
	if p.Size.Database != nil {
		size = *p.Size.Database
	}
	spec := &cnpg.ClusterSpec{
		Instances: p.Database.Instances,
		ImageName: settings.ImageName,
		Bootstrap: &cnpg.Bootstrap{InitDB: &cnpg.InitDB{
			Database: ownDatabase,
			Owner:    ownDatabase,
			Secret:   &corev1.LocalObjectReference{Name: DatabaseName(p.Community.Name)},
		}},
		Storage: &cnpg.Storage{
			Size:         p.Database.Storage.String(),
			StorageClass: p.Database.StorageClassName,
		},
		// Not LabelManagedBy: CloudNativePG owns that label on its volumes and would write them without end.
		InheritedMetadata: &cnpg.InheritedMetadata{
			Labels: map[string]string{v1alpha1.LabelCommunity: p.Community.Name},
		},
		Resources: ptr.To(resolveResources(size.Resources, databaseAmounts)),
		Affinity:  clusterAffinity(p.Class.Spec.PodTemplate),
		// A budget around a single instance would keep its node from draining for ever.
		EnablePDB:             ptr.To(p.Database.Instances > 1),
		EnableSuperuserAccess: ptr.To(false),
		PrimaryUpdateStrategy: "unsupervised",
		SmartShutdownTimeout:  ptr.To[int32](smartShutdownSeconds),
		StopDelay:             ptr.To[int32](stopSeconds),
		Probes:                &cnpg.Probes{Startup: &cnpg.Probe{PeriodSeconds: startupProbeSeconds}},
		Managed:               &cnpg.Managed{Services: &cnpg.ManagedServices{Additional: []cnpg.ManagedService{leadToPrimary(p)}}},
	}
	if len(settings.Parameters) > 0 {
		spec.PostgreSQL = &cnpg.PostgreSQL{Parameters: settings.Parameters}
	}
	if over := p.Class.Spec.PodTemplate; over != nil {
		spec.PriorityClassName = over.PriorityClassName
	}
	if len(p.PullSecret) > 0 {
		spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: PullSecretName(p.Community.Name)}}
	}
	// A client reads the API server's answer into what it applied, which must not reach into the class.
	return spec.DeepCopy()
}

// primaryService is the name of the Service that the idea service reaches its database by.
func primaryService(community string) string { return DatabaseName(community) + "-primary" }

// leadToPrimary is a Service like CloudNativePG's own, which leads to no instance before probes have found it ready: 1
// to 2 s after the first connection that it takes. Whoever has one primary only and tries again anyway need not wait.
func leadToPrimary(p Plan) cnpg.ManagedService {
	return cnpg.ManagedService{
		SelectorType: cnpg.ServiceReadWrite,
		ServiceTemplate: cnpg.ServiceTemplate{
			Metadata: cnpg.ServiceTemplateMetadata{Name: primaryService(p.Community.Name)},
			Spec:     cnpg.ServiceTemplateSpec{PublishNotReadyAddresses: true},
		},
	}
}

// clusterAffinity says where instances run. CloudNativePG keeps them on different nodes where it can, unless
// the class says otherwise.
func clusterAffinity(over *v1alpha1.PodTemplateOverrides) *cnpg.Affinity {
	if over == nil || (over.NodeSelector == nil && over.Tolerations == nil && over.Affinity == nil) {
		return nil
	}
	out := &cnpg.Affinity{NodeSelector: over.NodeSelector, Tolerations: over.Tolerations}
	if over.Affinity != nil {
		out.NodeAffinity = over.Affinity.NodeAffinity
		out.AdditionalPodAffinity = over.Affinity.PodAffinity
	}
	if over.Affinity != nil && over.Affinity.PodAntiAffinity != nil {
		out.EnablePodAntiAffinity = ptr.To(false)
		out.AdditionalPodAntiAffinity = over.Affinity.PodAntiAffinity
	}
	return out
}
