package chart_test

import (
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// groups of the kinds that questions name; others are of the core group.
var groups = map[string]string{
	"deployments": "apps", "communities": "cocreation.quaeso.io", "communityclasses": "cocreation.quaeso.io",
	"challenges": "cocreation.quaeso.io", "rewardpolicies": "cocreation.quaeso.io",
	"gateways": "gateway.networking.k8s.io", "leases": "coordination.k8s.io", "tokenreviews": "authentication.k8s.io",
	"roles": "rbac.authorization.k8s.io", "customresourcedefinitions": "apiextensions.k8s.io",
	"validatingadmissionpolicies": "admissionregistration.k8s.io",
}

// may asks the API server what an account may do.
func may(t *testing.T, account client.Client, verb, kind, namespace string) bool {
	t.Helper()
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: verb, Group: groups[kind], Resource: kind, Namespace: namespace, Name: nameOf(kind),
		},
	}}
	if err := account.Create(t.Context(), review); err != nil {
		t.Fatalf("ask whether %s %s is allowed: %v", verb, kind, err)
	}
	return review.Status.Allowed
}

// nameOf is the one object of a kind that the operator has rights on by name.
func nameOf(kind string) string {
	if kind == "leases" {
		return "community-operator.cocreation.quaeso.io"
	}
	return ""
}
