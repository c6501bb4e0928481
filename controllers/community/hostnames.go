package community

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/stack"
)

// hostnameClaims tells which community holds a hostname: the first that claims it. The table is in memory,
// since one operator leads at a time, and is rebuilt from the status of all Communities after a start.
type hostnameClaims struct {
	mu     sync.Mutex
	seeded bool
	holder map[string]types.NamespacedName
	// waiting are the communities that were refused a hostname, to be told when it is free.
	waiting map[string]map[types.NamespacedName]bool
	// freed carries communities that may try again.
	freed chan event.TypedGenericEvent[*v1alpha1.Community]
}

func newHostnameClaims() *hostnameClaims {
	return &hostnameClaims{
		holder:  map[string]types.NamespacedName{},
		waiting: map[string]map[types.NamespacedName]bool{},
		freed:   make(chan event.TypedGenericEvent[*v1alpha1.Community], 1024),
	}
}

// claimHostnames takes the hostnames that the plan wants and gives back those it no longer wants. While none
// of the wanted ones is free, the community keeps those it has.
func (r *Reconciler) claimHostnames(ctx context.Context, s *scope) error {
	if err := r.claims.seed(ctx, r.Client); err != nil {
		s.plan.Hostnames = s.before.Status.Hostnames
		return err
	}
	wanted := stack.WantedHostnames(s.community, s.class)
	granted, taken := r.claims.claim(client.ObjectKeyFromObject(s.community), wanted, s.before.Status.Hostnames)
	s.plan.Hostnames = granted
	s.community.Status.Hostnames = granted
	s.community.Status.URL = s.plan.URL()
	if len(taken) == 0 {
		return nil
	}
	return conditions.Stall(v1alpha1.ReasonHostnameTaken,
		"%s held by another Community; choose another name in spec.hostnames, or remove it there: the first to claim a name has it",
		quoteList(taken))
}

func quoteList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	if len(names) == 1 {
		return "hostname " + quoted[0] + " is"
	}
	return "hostnames " + strings.Join(quoted, ", ") + " are"
}

// seed fills the table from what was granted before the operator started.
func (h *hostnameClaims) seed(ctx context.Context, reader client.Reader) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seeded {
		return nil
	}
	list := &v1alpha1.CommunityList{}
	if err := reader.List(ctx, list, client.DisableReadYourWritesConsistency); err != nil {
		return fmt.Errorf("list Communities for their hostnames: %w", err)
	}
	for i := range list.Items {
		for _, name := range list.Items[i].Status.Hostnames {
			if _, held := h.holder[name]; !held {
				h.holder[name] = client.ObjectKeyFromObject(&list.Items[i])
			}
		}
	}
	h.seeded = true
	return nil
}

func (h *hostnameClaims) claim(who types.NamespacedName, wanted, before []string) (granted, taken []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range wanted {
		if holder, held := h.holder[name]; held && holder != who {
			taken = append(taken, name)
			h.wait(name, who)
			continue
		}
		h.holder[name] = who
		granted = append(granted, name)
	}
	if len(granted) == 0 {
		granted = slices.DeleteFunc(slices.Clone(before), func(name string) bool { return h.holder[name] != who })
	}
	h.releaseExcept(who, granted, wanted)
	return granted, taken
}

func (h *hostnameClaims) wait(name string, who types.NamespacedName) {
	if h.waiting[name] == nil {
		h.waiting[name] = map[types.NamespacedName]bool{}
	}
	h.waiting[name][who] = true
}

// releaseExcept gives back every hostname that who holds beyond keep, and drops who from the queues of names
// that it no longer wants.
func (h *hostnameClaims) releaseExcept(who types.NamespacedName, keep, wanted []string) {
	for name, holder := range h.holder {
		if holder == who && !slices.Contains(keep, name) {
			delete(h.holder, name)
			h.wake(name)
		}
	}
	for name, queue := range h.waiting {
		if queue[who] && !slices.Contains(wanted, name) {
			delete(queue, who)
		}
		if len(queue) == 0 {
			delete(h.waiting, name)
		}
	}
}

func (h *hostnameClaims) wake(name string) {
	for who := range h.waiting[name] {
		c := &v1alpha1.Community{}
		c.Namespace, c.Name = who.Namespace, who.Name
		select {
		case h.freed <- event.TypedGenericEvent[*v1alpha1.Community]{Object: c}:
		default: // a full channel means many wake-ups are under way; the idle interval catches the rest
		}
	}
	delete(h.waiting, name)
}

// release gives back everything that a community that is gone held.
func (h *hostnameClaims) release(who types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.releaseExcept(who, nil, nil)
}
