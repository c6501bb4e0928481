package community

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
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
		for i := range pods.Items {
			if err := r.diagnosePod(ctx, &pods.Items[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Reconciler) diagnosePod(ctx context.Context, pod *corev1.Pod) error {
	if pod.DeletionTimestamp != nil {
		return nil
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return conditions.StallUntil(rediagnose, v1alpha1.ReasonUnschedulable, "no node takes the pods: %s", c.Message)
		}
	}
	for _, c := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if err := r.diagnoseContainer(ctx, pod, c); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) diagnoseContainer(ctx context.Context, pod *corev1.Pod, c corev1.ContainerStatus) error {
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
	line := r.lastLogLine(ctx, pod, c.Name)
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
	return printable(string(raw))
}

// printable makes a log line fit for a condition: one line, bounded, without control characters, and without
// the time stamp of a structured line, which would make the condition change with every crash.
func printable(line string) string {
	line = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.TrimSpace(line))
	if strings.HasPrefix(line, `{"time":"`) {
		if _, rest, ok := strings.Cut(line, `",`); ok {
			line = "{" + rest
		}
	}
	if r := []rune(line); len(r) > 400 {
		line = string(r[:400]) + "…"
	}
	return line
}
