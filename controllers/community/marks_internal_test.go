package community

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func newGathering(have map[string]string, before map[string]string) *gathering {
	g := &gathering{files: map[string][]byte{}, have: map[string][]byte{}, sources: map[string]string{}, before: before, key: []byte("token")}
	for k, v := range have {
		g.have[k] = []byte(v)
	}
	return g
}

// A Secret is read again when it changed, when its files were changed by hand, and when another one is named;
// else what it gave is taken over.
func TestMarks(t *testing.T) {
	source := secretSource{part: "mail", ref: types.NamespacedName{Namespace: "n", Name: "smtp"}, files: []string{"host", "port"}}
	first := newGathering(nil, nil)
	first.files["host"] = []byte("h.example")
	mark := first.mark(source, "7")

	tests := map[string]struct {
		have    map[string]string
		before  map[string]string
		version string
		name    string
		kept    bool
	}{
		"unchanged":                {map[string]string{"host": "h.example", "other": "x"}, map[string]string{"mail": mark}, "7", "smtp", true},
		"a new version":            {map[string]string{"host": "h.example"}, map[string]string{"mail": mark}, "8", "smtp", false},
		"another Secret":           {map[string]string{"host": "h.example"}, map[string]string{"mail": mark}, "7", "smtp2", false},
		"a file changed by hand":   {map[string]string{"host": "evil.example"}, map[string]string{"mail": mark}, "7", "smtp", false},
		"a file added by hand":     {map[string]string{"host": "h.example", "port": "1"}, map[string]string{"mail": mark}, "7", "smtp", false},
		"a file removed by hand":   {nil, map[string]string{"mail": mark}, "7", "smtp", false},
		"the mark removed by hand": {map[string]string{"host": "h.example"}, nil, "7", "smtp", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g, s := newGathering(test.have, test.before), source
			s.ref.Name = test.name
			if got := g.keep(s, test.version); got != test.kept {
				t.Errorf("taken over: %t, want %t", got, test.kept)
			}
			if !test.kept && len(g.files) != 0 {
				t.Errorf("files that are not taken over are there: %v", texts(g.files))
			}
			if test.kept && (string(g.files["host"]) != "h.example" || g.sources["mail"] != mark) {
				t.Errorf("taken over are %v with the mark %q", texts(g.files), g.sources["mail"])
			}
		})
	}
}

// A digest tells nothing to somebody who has not the key, and changes with every file.
func TestDigestIsKeyed(t *testing.T) {
	files := map[string][]byte{"a": []byte("1"), "b": []byte("2")}
	one, other := &gathering{key: []byte("one")}, &gathering{key: []byte("other")}
	if one.digest(files) == other.digest(files) {
		t.Error("the digest does not depend on the key")
	}
	for name, changed := range map[string]map[string][]byte{
		"another content": {"a": []byte("1"), "b": []byte("3")}, "another name": {"a": []byte("1"), "c": []byte("2")},
		"a file less": {"a": []byte("1")}, "moved content": {"a": []byte("12"), "b": nil},
	} {
		if one.digest(files) == one.digest(changed) {
			t.Errorf("%s has the same digest", name)
		}
	}
}

// Passwords are long, random, and need no quoting.
func TestRandomPassword(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		p := randomPassword()
		if len(p) != 32 || seen[p] {
			t.Fatalf("a password of %d characters, drawn before: %t", len(p), seen[p])
		}
		for _, c := range p {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				t.Fatalf("a password has the character %q", c)
			}
		}
		seen[p] = true
	}
}
