package kubeapi

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const operatorGroup = "operators-under-test"

// OperatorAccount makes an account with the rights that are generated from the markers, and no others.
func (s *Server) OperatorAccount() (*rest.Config, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	objects, err := ReadObjects(filepath.Join(root, "config", "rbac"))
	if err != nil {
		return nil, err
	}
	found := false
	for _, o := range objects {
		if o.GetKind() == "ClusterRole" && o.GetName() == "community-operator" {
			found = true
			if err := s.Client.Create(context.Background(), o); err != nil {
				return nil, fmt.Errorf("make the operator's role: %w", err)
			}
		}
	}
	if !found {
		return nil, errors.New("config/rbac has no ClusterRole community-operator: run make generate")
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "operator-under-test"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "community-operator"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: operatorGroup}},
	}
	if err := s.Client.Create(context.Background(), binding); err != nil {
		return nil, fmt.Errorf("bind the operator's role: %w", err)
	}
	kubeconfig, err := s.KubeconfigOf("operator", operatorGroup)
	if err != nil {
		return nil, err
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the operator's kubeconfig: %w", err)
	}
	return cfg, nil
}
