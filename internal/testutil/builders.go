package testutil

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// Community returns a small valid Community in the namespace "brands", with the changes made to it.
func Community(name string, changes ...func(*v1alpha1.Community)) *v1alpha1.Community {
	c := &v1alpha1.Community{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community"},
		ObjectMeta: metav1.ObjectMeta{
			Name:       name,
			Namespace:  "brands",
			UID:        types.UID("uid-of-" + name),
			Generation: 1,
		},
		Spec: v1alpha1.CommunitySpec{
			Brand: v1alpha1.Brand{
				DisplayName: v1alpha1.TextByLocale{"fr": "Atelier Lumière", "en": "Lumière Lab"},
			},
		},
	}
	for _, change := range changes {
		change(c)
	}
	return c
}

// CommunityClass returns a small valid CommunityClass (standalone database, Gateway, one size), with the
// changes made to it.
func CommunityClass(name string, changes ...func(*v1alpha1.CommunityClass)) *v1alpha1.CommunityClass {
	c := &v1alpha1.CommunityClass{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "CommunityClass"},
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-of-" + name), Generation: 1},
		Spec: v1alpha1.CommunityClassSpec{
			Database: v1alpha1.ClassDatabase{
				Kind:       v1alpha1.DatabaseStandalone,
				Standalone: &v1alpha1.StandaloneDatabaseSettings{Image: "registry.example/postgres:18"},
			},
			Routing: v1alpha1.ClassRouting{
				Kind:       v1alpha1.RoutingGateway,
				Gateway:    &v1alpha1.GatewayReference{Name: "public", Namespace: "gateway-system"},
				ApexDomain: "communities.example.com",
			},
			Sizes:       []v1alpha1.Size{{Name: "small"}},
			IdeaService: v1alpha1.ClassIdeaService{Image: "registry.example/ideas:1.0.0"},
		},
	}
	for _, change := range changes {
		change(c)
	}
	return c
}
