package challenge_test

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/testutil/programme"
)

// parallel tests wait for intervals, not for a processor, so many may run at a time.
const parallel = 12

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var log io.Writer = io.Discard
	if path := os.Getenv("OPERATOR_LOG"); path != "" {
		file, err := os.Create(filepath.Clean(path))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		log = file
	}
	logger := logr.FromSlogHandler(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	os.Exit(m.Run())
}

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
