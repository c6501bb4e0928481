package ideas_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quaeso/community-operator/ideas"
)

func TestDiff(t *testing.T) {
	for name, tc := range map[string]struct{ before, after, want string }{
		"same":     {"a lamp", "a lamp", "a lamp"},
		"word":     {"a red lamp", "a blue lamp", "a -red--+blue++ lamp"},
		"added":    {"a lamp", "a lamp for tents", "a lamp+ for tents++"},
		"removed":  {"a lamp for tents", "a lamp", "a lamp- for tents--"},
		"from nil": {"", "a lamp", "+a lamp++"},
		"to nil":   {"a lamp", "", "-a lamp--"},
		"line":     {"one\ntwo", "one\n\ntwo", "one-\n--+\n\n++two"},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, p := range ideas.Diff(tc.before, tc.after) {
				mark := []string{"", "+", "-"}[p.Op]
				b.WriteString(mark + p.Text + mark + mark)
			}
			if diff := cmp.Diff(tc.want, b.String()); diff != "" {
				t.Errorf("diff (-want +got):\n%s", diff)
			}
		})
	}
}

// Without what was added a comparison is the former text, without what was removed the later one, whatever they are.
func TestDiffHoldsBothTexts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`([ab\n] ?){0,30}`)
		before, after := text.Draw(rt, "before"), text.Draw(rt, "after")
		var a, b strings.Builder
		for _, p := range ideas.Diff(before, after) {
			if p.Op != ideas.Added {
				a.WriteString(p.Text)
			}
			if p.Op != ideas.Removed {
				b.WriteString(p.Text)
			}
		}
		if a.String() != before || b.String() != after {
			rt.Fatalf("got %q and %q of %q and %q", a.String(), b.String(), before, after)
		}
	})
}
