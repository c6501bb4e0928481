package community

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// rediagnose is how often pods that cannot run are looked at again.
const rediagnose = 15 * time.Second

// diagnosePods says what keeps pods of the idea service, or of a standalone database, from running; nil when
// nothing is wrong with them. Pods are not cached: it asks the API server, and only about stacks in trouble.
func (r *Reconciler) diagnosePods(ctx context.Context, s *scope) error {
	for _, component := range []string{v1alpha1.ComponentDatabase, v1alpha1.ComponentIdeas} {
		pods := &corev1.PodList{}
		selector := labels.SelectorFromSet(stack.SelectorLabels(s.community.Name, component))
		if err := r.Live.List(ctx, pods, client.InNamespace(s.community.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
			return fmt.Errorf("list the pods of the %s: %w", component, err)
		}
		if component == v1alpha1.ComponentDatabase && len(pods.Items) == 0 {
			if err := r.refusedDatabasePod(ctx, s); err != nil {
				return err
			}
		}
		for i := range pods.Items {
			if err := r.diagnosePod(ctx, s, &pods.Items[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Reconciler) diagnosePod(ctx context.Context, s *scope, pod *corev1.Pod) error {
	if pod.DeletionTimestamp != nil {
		return nil
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return conditions.StallUntil(rediagnose, v1alpha1.ReasonUnschedulable, "no node takes the pods: %s", c.Message)
		}
	}
	for _, c := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if err := r.diagnoseContainer(ctx, s, pod, c); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) diagnoseContainer(ctx context.Context, s *scope, pod *corev1.Pod, c corev1.ContainerStatus) error {
	waiting := c.State.Waiting
	if waiting != nil {
		switch waiting.Reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError":
			return conditions.StallUntil(rediagnose, v1alpha1.ReasonImagePullFailed,
				"image %q cannot be pulled; check its name and the class's imagePullSecretNames", containerImage(pod, c.Name))
		case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
			return conditions.StallUntil(rediagnose, v1alpha1.ReasonPodsRefused,
				"container %s cannot start: %s", c.Name, waiting.Message)
		}
	}
	crashed := c.LastTerminationState.Terminated
	if crashed == nil || c.Ready || c.RestartCount < 1 {
		return nil
	}
	line := printable(s.redacted(r.lastLogLine(ctx, pod, c.Name)))
	if line == "" {
		line = "it logged nothing"
	} else {
		line = "its last log line: " + line
	}
	return conditions.StallUntil(rediagnose, v1alpha1.ReasonCrashing, "container %s ended with code %d (%s); %s",
		c.Name, crashed.ExitCode, crashed.Reason, line)
}

func containerImage(pod *corev1.Pod, name string) string {
	for _, c := range pod.Spec.Containers {
		if c.Name == name {
			return c.Image
		}
	}
	return ""
}

// lastLogLine returns the last line that a container wrote before it ended, "" when it cannot be had.
func (r *Reconciler) lastLogLine(ctx context.Context, pod *corev1.Pod, container string) string {
	stream, err := r.Logs.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: container, Previous: true, TailLines: ptr.To(int64(1)), LimitBytes: ptr.To(int64(4096)),
	}).Stream(ctx)
	if err != nil {
		return ""
	}
	defer stream.Close()
	raw, err := io.ReadAll(io.LimitReader(stream, 4096))
	if err != nil {
		return ""
	}
	return string(raw)
}

// maxLogLine bounds a log line in a condition.
const maxLogLine = 400

var (
	// timestamps of structured logs, of Go's log package, of klog and of PostgreSQL, which puts its process id next.
	timestamps = regexp.MustCompile(`"(time|ts)":"?[^",}]*"?,?\s*|\b[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+\s|` +
		`\b\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?( ?(Z|[A-Z]{3,4}\b|[+-]\d\d:?\d\d))?( \[\d+\])?:?\s*`)
	// passwords in URIs.
	passwords = regexp.MustCompile(`://[^\s/"'` + "`" + `]*@`)
)

// printable makes a log line fit for a condition: one line, bounded, without characters that do not show,
// without passwords in URIs, and without times, which would make the condition change with every crash.
func printable(line string) string {
	line = strings.TrimSpace(line)
	if i := strings.LastIndexAny(line, "\r\n"); i >= 0 {
		line = line[i+1:]
	}
	line = timestamps.ReplaceAllString(line, "")
	line = passwords.ReplaceAllString(line, "://…@")
	return bounded(line, maxLogLine)
}

// bounded makes a text of somebody else fit for status: one line of at most so many characters that all show.
func bounded(text string, most int) string {
	text = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "�"))
	text = strings.TrimSpace(text)
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// redacted takes the community's own secrets out of a text that a pod wrote.
func (s *scope) redacted(text string) string {
	secrets := []string{s.plan.Database.Password, s.controlToken}
	if s.plan.Credentials != nil {
		for _, file := range []string{control.FileControlToken, control.FileMailPassword, control.FileOIDCClientSecret, control.FileDatabaseURI} {
			secrets = append(secrets, string(s.plan.Credentials.Files[file]))
		}
		if u, err := url.Parse(string(s.plan.Credentials.Files[control.FileDatabaseURI])); err == nil {
			password, _ := u.User.Password()
			secrets = append(secrets, password)
		}
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}
