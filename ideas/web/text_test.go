package web

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/quaeso/community-operator/ideas"
)

func TestMarkdown(t *testing.T) {
	m := newMarkdown()
	for name, tc := range map[string]struct{ source, want string }{
		"formatting":     {"**a** *b* ~~c~~ `d`", "<p><strong>a</strong> <em>b</em> <del>c</del> <code>d</code></p>\n"},
		"line break":     {"a\nb", "<p>a<br>\nb</p>\n"},
		"list":           {"3. a\n4. b", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>\n"},
		"heading":        {"# a\n###### b\n## c\n", "<h3>a</h3>\n<h4>b</h4>\n<h4>c</h4>\n"},
		"link":           {"[a](https://x.example)", `<p><a href="https://x.example" rel="nofollow noreferrer">a</a></p>` + "\n"},
		"bare link":      {"https://x.example", `<p><a href="https://x.example" rel="nofollow noreferrer">https://x.example</a></p>` + "\n"},
		"script link":    {"[a](javascript:alert(1))", "<p>a</p>\n"},
		"relative link":  {"[a](/sign-out)", "<p>a</p>\n"},
		"HTML":           {"a <b>b</b>\n\n<script>x</script>", "<p>a b</p>\n\n"},
		"escaped HTML":   {"`<script>`", "<p><code>&lt;script&gt;</code></p>\n"},
		"image":          {"![a *b*](https://x.example/y.png)", `<p><a href="https://x.example/y.png" rel="nofollow noreferrer">a <em>b</em></a></p>` + "\n"},
		"image in link":  {"[![a](https://x.example/y.png)](https://z.example)", ""},
		"attributes":     {"# a {#id onclick=alert(1)}", "<h3>a {#id onclick=alert(1)}</h3>\n"},
		"entity of code": {"&lt;script&gt;", "<p>&lt;script&gt;</p>\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(m.html(tc.source, commentHeading))
			if tc.want != "" && got != tc.want {
				t.Errorf("%q becomes\n%q, want\n%q", tc.source, got, tc.want)
			}
			if strings.Contains(got, "<img") || strings.Contains(got, "<script") {
				t.Errorf("%q becomes %q", tc.source, got)
			}
		})
	}
}

func TestExcerpt(t *testing.T) {
	m := newMarkdown()
	long := strings.Repeat("Dix mots et puis encore dix mots é. ", 40)
	for name, tc := range map[string]struct{ source, want string }{
		"formatting": {"# Title\n\n**a** [b](https://x.example)\nc", "Title a b c"},
		"list":       {"- a\n- b", "a · b"},
		"HTML":       {"a <b>b</b> <script>c</script>", "a b c"},
		"link":       {"see https://x.example", "see https://x.example"},
		"empty":      {"", ""},
	} {
		if got := m.excerpt(tc.source); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	if got := m.excerpt(long); utf8.RuneCountInString(got) > excerptLength+1 || !strings.HasSuffix(got, "…") || strings.Contains(got, " …") {
		t.Errorf("the excerpt is %q", got)
	}
	if got := m.excerpt(strings.Repeat("é", 5000)); utf8.RuneCountInString(got) != excerptLength+1 {
		t.Errorf("the excerpt of one long word has %d characters", utf8.RuneCountInString(got))
	}
}

func TestLocalPath(t *testing.T) {
	for path, want := range map[string]string{
		"/":                        "/",
		"/ideas?order=top&q=a%20b": "/ideas?order=top&q=a%20b",
		"/ideas/1-a#comment-2":     "/ideas/1-a#comment-2",
		"":                         "/",
		"ideas":                    "/",
		"//evil.example":           "/",
		"///evil.example":          "/",
		`/\evil.example`:           "/",
		"/\t/evil.example":         "/",
		"/a b":                     "/",
		"https://evil.example/":    "/",
		"javascript:alert(1)":      "/",
		"/sign-in":                 "/",
		"/sign-out":                "/",
		"/sign-in/oidc?x":          "/",
		"/sign-infos":              "/sign-infos",
		"/%zz":                     "/",
	} {
		if got := localPath(path); got != want {
			t.Errorf("localPath(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Ada Lovelace": "AL", "ada": "A", "Élise de la Tour": "ÉT", "<script>": "S", "": "•", "🙂": "•", "Member 12": "M1", "日本": "日",
	} {
		if got := initials(name); got != want {
			t.Errorf("initials(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestFieldErrorsAreFoundInWhatWrapsThem(t *testing.T) {
	a, b := &ideas.FieldError{Field: "a", Code: "required"}, &ideas.FieldError{Field: "b", Code: "invalid"}
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"none":       {nil, ""},
		"other":      {errors.New("x"), ""},
		"one":        {a, "a"},
		"wrapped":    {fmt.Errorf("x: %w", a), "a"},
		"joined":     {errors.Join(a, b), "ab"},
		"both":       {fmt.Errorf("x: %w", errors.Join(errors.New("y"), a, fmt.Errorf("z: %w", b))), "ab"},
		"twice":      {errors.Join(a, &ideas.FieldError{Field: "a", Code: "invalid"}), "a"},
		"two causes": {fmt.Errorf("%w: %w", a, b), "ab"},
	} {
		found := fieldErrors(tc.err)
		got := ""
		for _, field := range []string{"a", "b"} {
			if found[field] != nil {
				got += field
			}
		}
		if got != tc.want {
			t.Errorf("%s: found %q, want %q", name, got, tc.want)
		}
		if e := found["a"]; e != nil && e.Code != "required" {
			t.Errorf("%s: the first error of a field does not count", name)
		}
	}
}
