package web

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// maxForm bounds the body of a form. The longest idea, four bytes a character and percent-encoded, fits; what
// is a little too long is refused by its field, with the input kept.
const maxForm = 256 << 10

// clean makes one line of what somebody typed: valid UTF-8 without control characters and without the
// invisible characters that turn the reading direction of what follows.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f':
			return ' '
		case hidden(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// cleanText is clean for several lines; line ends become "\n".
func cleanText(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r == '\u2028' || r == '\u2029':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case hidden(r):
			return -1
		}
		return r
	}, s))
}

// hidden tells control characters, and the embeddings, overrides and isolates of the bidirectional algorithm
// (Unicode Standard Annex 9). The plain marks U+200E and U+200F stay: right-to-left writing needs them.
func hidden(r rune) bool {
	return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff'
}

// parseForm reads a form within the limit. One with files is left to the handler that expects it, with a limit of its
// own; every other handler finds it empty.
func parseForm(w http.ResponseWriter, r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		if status := statusOf(err); status == http.StatusRequestEntityTooLarge {
			return err
		}
		return refuse(http.StatusBadRequest, "parse form", err)
	}
	return nil
}

// localPath is the path if it leads to this site, else "/". It keeps returnTo from becoming an open redirect:
// browsers read "//host", "/\host" and a path with a tab inside as another site.
func localPath(path string) string {
	if len(path) > 512 || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return "/"
	}
	for _, r := range path {
		if r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) {
			return "/"
		}
	}
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" {
		return "/"
	}
	for _, loop := range []string{"/sign-in", "/sign-out"} {
		if u.Path == loop || strings.HasPrefix(u.Path, loop+"/") {
			return "/"
		}
	}
	return path
}
