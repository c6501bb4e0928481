package community

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/quaeso/community-operator/api/v1alpha1"
)

var (
	ann = types.NamespacedName{Namespace: "a", Name: "ann"}
	bob = types.NamespacedName{Namespace: "b", Name: "bob"}
)

func seeded() *hostnameClaims {
	h := newHostnameClaims()
	h.seeded = true
	return h
}

// woken drains the communities that may try again.
func (h *hostnameClaims) woken() []types.NamespacedName {
	var out []types.NamespacedName
	for {
		select {
		case e := <-h.freed:
			out = append(out, client.ObjectKeyFromObject(e.Object))
		default:
			return out
		}
	}
}

func TestFirstClaimWins(t *testing.T) {
	h := seeded()
	if granted, taken := h.claim(ann, []string{"x", "y"}, nil); !slices.Equal(granted, []string{"x", "y"}) || taken != nil {
		t.Errorf("the first gets %v, refused are %v", granted, taken)
	}
	if granted, taken := h.claim(bob, []string{"y", "z"}, nil); !slices.Equal(granted, []string{"z"}) || !slices.Equal(taken, []string{"y"}) {
		t.Errorf("the second gets %v, refused are %v", granted, taken)
	}
	if granted, taken := h.claim(ann, []string{"x", "y"}, nil); len(granted) != 2 || taken != nil {
		t.Errorf("asked again, the first gets %v, refused are %v", granted, taken)
	}
	if woken := h.woken(); woken != nil {
		t.Errorf("woken for nothing: %v", woken)
	}
	h.claim(ann, []string{"x"}, nil)
	if woken := h.woken(); !slices.Equal(woken, []types.NamespacedName{bob}) {
		t.Errorf("woken are %v", woken)
	}
	if granted, taken := h.claim(bob, []string{"y", "z"}, nil); len(granted) != 2 || taken != nil {
		t.Errorf("now the second gets %v, refused are %v", granted, taken)
	}
}

// Who wants a name no more is not told when it is free.
func TestQueueIsLeft(t *testing.T) {
	h := seeded()
	h.claim(ann, []string{"x"}, nil)
	h.claim(bob, []string{"x"}, nil)
	h.claim(bob, []string{"y"}, nil)
	h.release(ann)
	if woken := h.woken(); woken != nil || len(h.waiting) != 0 {
		t.Errorf("woken are %v, waiting %v", woken, h.waiting)
	}
}

// Refused everything, a community keeps what it has, unless somebody else holds that by now.
func TestRefusedKeepsWhatItHas(t *testing.T) {
	h := seeded()
	h.claim(ann, []string{"x"}, nil)
	h.claim(bob, []string{"y"}, nil)
	if granted, taken := h.claim(bob, []string{"x"}, []string{"y"}); !slices.Equal(granted, []string{"y"}) || !slices.Equal(taken, []string{"x"}) {
		t.Errorf("granted %v, refused %v", granted, taken)
	}
	if granted, _ := h.claim(bob, []string{"x"}, []string{"y", "x"}); !slices.Equal(granted, []string{"y"}) {
		t.Errorf("granted %v", granted)
	}
}

// reader lists Communities.
type reader struct {
	client.Reader
	items []v1alpha1.Community
}

// List implements client.Reader.
func (r reader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1alpha1.CommunityList).Items = r.items
	return nil
}

func TestSeed(t *testing.T) {
	held := func(who types.NamespacedName, names ...string) v1alpha1.Community {
		return v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Namespace: who.Namespace, Name: who.Name}, Status: v1alpha1.CommunityStatus{Hostnames: names}}
	}
	h := newHostnameClaims()
	if err := h.seed(t.Context(), reader{items: []v1alpha1.Community{held(ann, "x"), held(bob, "y")}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]types.NamespacedName{"x": ann, "y": bob}, h.holder); diff != "" {
		t.Errorf("holders (-want +got):\n%s", diff)
	}
	// What is in memory is newer than any status.
	h.claim(bob, []string{"z"}, nil)
	if err := h.seed(t.Context(), reader{items: []v1alpha1.Community{held(ann, "z")}}); err != nil {
		t.Fatal(err)
	}
	if h.holder["z"] != bob {
		t.Errorf("after a second look z is held by %v", h.holder["z"])
	}
}

// Whatever happens in whatever order: a name has one holder, nobody is granted a name of somebody else, and
// whoever was refused is told when the name is free.
func TestClaimsProperties(t *testing.T) {
	all := []string{"v", "w", "x", "y"}
	who := []types.NamespacedName{ann, bob, {Namespace: "c", Name: "cid"}}
	rapid.Check(t, func(t *rapid.T) {
		h := seeded()
		granted := map[types.NamespacedName][]string{}
		refused := map[types.NamespacedName][]string{}
		told := map[types.NamespacedName]bool{} // and not yet tried again
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			c := rapid.SampledFrom(who).Draw(t, "who")
			before := maps.Clone(h.holder)
			delete(told, c)
			if rapid.IntRange(0, 4).Draw(t, "what") == 0 {
				h.release(c)
				delete(granted, c)
				delete(refused, c)
			} else {
				wanted := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 3, rapid.ID).Draw(t, "wanted")
				granted[c], refused[c] = h.claim(c, wanted, granted[c])
			}
			holders := map[string]types.NamespacedName{}
			for owner, names := range granted {
				for _, n := range names {
					if other, twice := holders[n]; twice {
						t.Fatalf("%s is granted to %v and to %v", n, owner, other)
					}
					holders[n] = owner
					if h.holder[n] != owner {
						t.Fatalf("%s is granted to %v, but held by %v", n, owner, h.holder[n])
					}
				}
			}
			if len(h.holder) != len(holders) {
				t.Fatalf("held are %v, granted %v", h.holder, granted)
			}
			checkWoken(t, h, before, refused, told)
		}
	})
}

// checkWoken checks that a name that became free woke everybody who was refused it.
func checkWoken(t *rapid.T, h *hostnameClaims, before map[string]types.NamespacedName, refused map[types.NamespacedName][]string, told map[types.NamespacedName]bool) {
	for _, c := range h.woken() {
		told[c] = true
	}
	for name := range before {
		if _, held := h.holder[name]; held {
			continue
		}
		for c, names := range refused {
			if slices.Contains(names, name) && !told[c] {
				t.Fatalf("%s is free, and %v was not told", name, c)
			}
		}
	}
}
