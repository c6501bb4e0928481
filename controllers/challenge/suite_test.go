package challenge_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/programme"
)

func TestMain(m *testing.M) { programme.Main(m) }

// ideation is a call for ideas that is open for a hundred years.
func ideation(w *programme.World, community, name string, changes ...func(*v1alpha1.Challenge)) *v1alpha1.Challenge {
	c := &v1alpha1.Challenge{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: name},
		Spec: v1alpha1.ChallengeSpec{
			CommunityRef: v1alpha1.CommunityReference{Name: community}, Type: v1alpha1.ChallengeIdeation,
			Title:  v1alpha1.TextByLocale{"fr": "Des nuits plus légères", "en": "Lighter nights"},
			Phases: []v1alpha1.Phase{{Name: "open", Start: "2020-01-01T09:00", End: "2120-01-01T09:00"}},
		},
	}
	for _, change := range changes {
		change(c)
	}
	return c
}
