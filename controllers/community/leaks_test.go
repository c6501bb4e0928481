package community_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"sync"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
)

// watched is everything secret that was ever stored in a Secret, and everything that was ever said in public.
var watched = struct {
	mu      sync.Mutex
	secrets sets.Set[string]
	public  sets.Set[string]
}{secrets: sets.New[string](), public: sets.New[string]()}

// sensitive are the keys of Secrets whose values nobody may see.
var sensitive = sets.New(corev1.BasicAuthPasswordKey, "clientSecret", "uri", corev1.TLSPrivateKeyKey, corev1.DockerConfigJsonKey,
	control.FileControlToken, control.FileDatabaseURI, control.FileMailPassword, control.FileOIDCClientSecret)

// watchForSecrets records Secrets, the status of Communities and events from now on.
func watchForSecrets(c client.WithWatch) error {
	for _, list := range []client.ObjectList{&corev1.SecretList{}, &v1alpha1.CommunityList{}, &eventsv1.EventList{}} {
		w, err := c.Watch(context.Background(), list)
		if err != nil {
			return fmt.Errorf("watch %T: %w", list, err)
		}
		go func() {
			for e := range w.ResultChan() {
				noteEvent(e)
			}
		}()
	}
	return nil
}

func noteEvent(e watch.Event) {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	switch o := e.Object.(type) {
	case *corev1.Secret:
		for key, value := range o.Data {
			if sensitive.Has(key) {
				noteSecret(key, string(value))
			}
		}
	case *v1alpha1.Community:
		watched.public.Insert(asJSON(o.Status))
	case *eventsv1.Event:
		watched.public.Insert(o.Note)
	}
}

func noteSecret(key, value string) {
	if u, err := url.Parse(value); err == nil && u.User != nil && (key == "uri" || key == control.FileDatabaseURI) {
		if password, ok := u.User.Password(); ok {
			value = password
		}
	}
	// What is short is found everywhere by chance.
	if len(value) >= 6 {
		watched.secrets.Insert(value)
	}
}

// findLeaks looks for secrets in what was logged and said. It names places, not secrets.
func findLeaks() []string {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	said := logs.Bytes()
	var leaks []string
	for secret := range watched.secrets {
		if i := bytes.Index(said, []byte(secret)); i >= 0 {
			leaks = append(leaks, fmt.Sprintf("the log says …%s‹secret›", said[max(0, i-120):i]))
		}
		for text := range watched.public {
			if i := bytes.Index([]byte(text), []byte(secret)); i >= 0 {
				leaks = append(leaks, fmt.Sprintf("a status or an event says …%s‹secret›", text[max(0, i-120):i]))
			}
		}
	}
	return leaks
}
