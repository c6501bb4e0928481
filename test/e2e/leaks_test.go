//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

// shortestSecret is the length from which a value of a Secret is looked for: shorter ones, such as a port or a
// user's name, appear in many places by right.
const shortestSecret = 12

// secretValues are the passwords and tokens of every Secret in the world's namespace.
func (w *world) secretValues() map[string]string {
	list := &corev1.SecretList{}
	if err := cluster.client.List(w.ctx, list, client.InNamespace(w.namespace)); err != nil {
		w.Errorf("list the Secrets: %v", err)
	}
	values := map[string]string{}
	for _, s := range list.Items {
		for key, raw := range s.Data {
			value := strings.TrimSpace(string(raw))
			if u, err := url.Parse(value); err == nil && u.User != nil {
				value, _ = u.User.Password()
			}
			if secretKey(key) && len(value) >= shortestSecret {
				values[s.Name+"/"+key] = value
			}
		}
	}
	return values
}

func secretKey(key string) bool {
	for _, part := range []string{"password", "token", "uri", "secret", "tls.key", "ca.key"} {
		if strings.Contains(strings.ToLower(key), part) {
			return true
		}
	}
	return false
}

// checkNothingLeaked looks for every password and token of the namespace in all that is not a Secret: the logs
// of the operator and of every pod, events, statuses, arguments and environments.
func (w *world) checkNothingLeaked() {
	secrets := w.secretValues()
	for where, text := range w.readableTexts() {
		for name, value := range secrets {
			if strings.Contains(text, value) {
				w.Errorf("the value of Secret %s stands in %s", name, where)
			}
		}
	}
}

func (w *world) readableTexts() map[string]string {
	texts := map[string]string{}
	note := func(where string, text string, err error) {
		if err != nil {
			w.Errorf("read %s: %v", where, err)
		}
		texts[where] = text
	}
	log, err := cluster.operatorLog(w.ctx, w.started)
	note("the operator's log", log, err)
	events, err := cluster.eventsIn(w.ctx, w.namespace)
	note("events", asYAML(events), err)
	communities := &v1alpha1.CommunityList{}
	err = cluster.client.List(w.ctx, communities, client.InNamespace(w.namespace))
	note("Communities", asYAML(communities.Items), err)
	for _, list := range []client.ObjectList{&appsv1.DeploymentList{}, &appsv1.StatefulSetList{}} {
		err := cluster.client.List(w.ctx, list, client.InNamespace(w.namespace))
		note(fmt.Sprintf("%T", list), asYAML(list), err)
	}
	pods := &corev1.PodList{}
	err = cluster.client.List(w.ctx, pods, client.InNamespace(w.namespace))
	note("pods", "", err)
	for _, p := range pods.Items {
		// A pod that has not started has no log; the objects above show what it was given.
		raw, _ := cluster.clientset.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{}).DoRaw(w.ctx)
		texts["the log of "+p.Name] = string(raw)
	}
	return texts
}

func asYAML(v any) string {
	raw, err := yaml.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
