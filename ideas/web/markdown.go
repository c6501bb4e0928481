package web

import (
	"bytes"
	"hash/maphash"
	"html/template"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown turns what members write into HTML that cannot harm who reads it.
type markdown struct {
	engine goldmark.Markdown
	policy *bluemonday.Policy
	// excerpts keeps the beginnings of texts by the hash of what they were made from: lists show the same
	// ones again and again.
	excerpts cache
}

// cache keeps up to cacheSize strings, then begins anew.
type cache struct {
	mutex sync.Mutex
	seed  maphash.Seed
	kept  map[uint64]string
}

const cacheSize = 2000

// get is what was made of the source, or makes it.
func (c *cache) get(source string, build func(string) string) string {
	key := maphash.String(c.seed, source)
	c.mutex.Lock()
	made, ok := c.kept[key]
	c.mutex.Unlock()
	if ok {
		return made
	}
	made = build(source)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.kept) >= cacheSize {
		clear(c.kept)
	}
	c.kept[key] = made
	return made
}

func newMarkdown() *markdown {
	return &markdown{
		engine: goldmark.New(
			goldmark.WithExtensions(extension.Linkify, extension.Strikethrough),
			goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(reshape{}, 100))),
			goldmark.WithRendererOptions(html.WithHardWraps()),
		),
		policy:   newPolicy(),
		excerpts: cache{seed: maphash.MakeSeed(), kept: map[uint64]string{}},
	}
}

// newPolicy allows text formatting and links. Images are left out: they would tell a foreign server who reads.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "strong", "em", "del", "ul", "ol", "li", "blockquote", "code", "pre", "hr",
		"h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	p.AllowStandardURLs()
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https", "http", "mailto")
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
}

// topHeading holds the level at which a text's headings begin.
var topHeading = parser.NewContextKey()

// Levels at which headings begin: an idea stands below its page's title, a comment below the conversation's.
const (
	ideaHeading    = 2
	commentHeading = 3
)

// reshape fits a text into a page: its headings go on from the page's without skipping a level, and an image
// becomes a link to it.
type reshape struct{}

// Transform implements parser.ASTTransformer.
func (reshape) Transform(doc *ast.Document, _ text.Reader, pc parser.Context) {
	top, ok := pc.Get(topHeading).(int)
	if !ok {
		top = ideaHeading
	}
	last := top - 1
	var images []*ast.Image
	// The walker returns no error.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Heading:
			if entering {
				n.Level = min(n.Level+top-1, last+1, 6)
				last = n.Level
			}
		case *ast.Image:
			if entering {
				images = append(images, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, image := range images {
		link := ast.NewLink()
		link.Destination, link.Title = image.Destination, image.Title
		for child := image.FirstChild(); child != nil; {
			next := child.NextSibling()
			link.AppendChild(link, child)
			child = next
		}
		image.Parent().ReplaceChild(image.Parent(), image, link)
	}
}

// html renders a text whose headings begin at the level.
func (m *markdown) html(source string, top int) template.HTML {
	var out bytes.Buffer
	pc := parser.NewContext()
	pc.Set(topHeading, top)
	if err := m.engine.Convert([]byte(source), &out, parser.WithContext(pc)); err != nil {
		// A text that cannot be converted is shown as it was written.
		return template.HTML(template.HTMLEscapeString(source)) //nolint:gosec // escaped just here
	}
	return template.HTML(m.policy.SanitizeBytes(out.Bytes())) //nolint:gosec // sanitised just here
}

// Lengths of an excerpt in characters, and of the source that is read to make one.
const (
	excerptLength = 180
	excerptSource = 4 * excerptLength
)

// excerpt is the beginning of a text without its formatting.
func (m *markdown) excerpt(source string) string {
	return m.excerpts.get(cut(source, excerptSource), m.newExcerpt)
}

func (m *markdown) newExcerpt(source string) string {
	raw := []byte(source)
	doc := m.engine.Parser().Parse(text.NewReader(raw))
	var out strings.Builder
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			if _, item := n.(*ast.ListItem); item && n.NextSibling() != nil {
				out.WriteString(" · ")
			} else if n.Type() == ast.TypeBlock {
				out.WriteByte(' ')
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			out.Write(n.Value(raw))
			if n.SoftLineBreak() || n.HardLineBreak() {
				out.WriteByte(' ')
			}
		case *ast.String:
			out.Write(n.Value)
		case *ast.AutoLink:
			out.Write(n.Label(raw))
		}
		return ast.WalkContinue, nil
	})
	plain := strings.Join(strings.Fields(out.String()), " ")
	if utf8.RuneCountInString(plain) <= excerptLength {
		return plain
	}
	short := cut(plain, excerptLength)
	if i := strings.LastIndexByte(short, ' '); i > len(short)/2 {
		short = short[:i]
	}
	return strings.TrimRight(short, " ,;:.–-") + "…"
}

// cut is the first n characters.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
