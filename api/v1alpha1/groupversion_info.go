// Package v1alpha1 holds the kinds of the API group cocreation.quaeso.io: what a platform operator offers
// (CommunityClass), what an agency asks for (Community), and the programme that a brand team runs in a community
// (Challenge, RewardPolicy).
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +groupName=cocreation.quaeso.io
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "cocreation.quaeso.io", Version: "v1alpha1"}

// SchemeGroupVersion is the name that generated code expects.
var SchemeGroupVersion = GroupVersion

// AddToScheme adds the kinds of this package to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&Community{}, &CommunityList{},
		&CommunityClass{}, &CommunityClassList{},
		&Challenge{}, &ChallengeList{},
		&RewardPolicy{}, &RewardPolicyList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
