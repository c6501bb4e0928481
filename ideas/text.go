package ideas

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// maxReturnTo bounds the path that a member returns to after signing in, in bytes.
const maxReturnTo = 500

// maxSlug bounds the readable part of an idea's address, in characters.
const maxSlug = 80

// CleanTitle returns a title as it is stored, or a *FieldError.
func CleanTitle(raw string) (string, error) { return bounded("title", cleanLine(raw), MaxTitle) }

// CleanBody returns an idea's text as it is stored, or a *FieldError.
func CleanBody(raw string) (string, error) { return bounded("body", cleanText(raw), MaxBody) }

// CleanComment returns a comment's text as it is stored, or a *FieldError.
func CleanComment(raw string) (string, error) { return bounded("body", cleanText(raw), MaxComment) }

// CleanName returns a display name as it is stored, or a *FieldError.
func CleanName(raw string) (string, error) { return bounded("name", cleanLine(raw), MaxName) }

// CleanText returns a text of several lines as it is stored, or a *FieldError.
func CleanText(field, raw string, limit int) (string, error) {
	return bounded(field, cleanText(raw), limit)
}

// CleanOptional is CleanText for a text that may be empty.
func CleanOptional(field, raw string, limit int) (string, error) {
	if cleanText(raw) == "" {
		return "", nil
	}
	return CleanText(field, raw, limit)
}

// CleanLine returns a text of one line as it is stored, or a *FieldError.
func CleanLine(field, raw string, limit int) (string, error) {
	return bounded(field, cleanLine(raw), limit)
}

// CleanEmail returns an address in the one form in which it is stored and compared, or a *FieldError.
// Addresses are compared without regard to case, as every large mail provider does.
func CleanEmail(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return "", &FieldError{Field: "email", Code: "required"}
	}
	if len(raw) > MaxEmail {
		return "", &FieldError{Field: "email", Code: "too_long", Limit: MaxEmail}
	}
	invalid := &FieldError{Field: "email", Code: "invalid"}
	at := strings.LastIndexByte(raw, '@')
	if at < 1 || at > 64 {
		return "", invalid
	}
	domain, err := idna.Lookup.ToASCII(raw[at+1:])
	if err != nil || !strings.Contains(domain, ".") {
		return "", invalid
	}
	address := strings.ToLower(raw[:at] + "@" + domain)
	parsed, err := mail.ParseAddress(address)
	// The comparison refuses display names, comments and quoted local parts.
	if err != nil || parsed.Address != address || parsed.Name != "" || len(address) > MaxEmail || !isPlain(address) {
		return "", invalid
	}
	return address, nil
}

// CleanReturnTo returns a path on this site: raw when it is one, else "/".
func CleanReturnTo(raw string) string {
	if len(raw) > maxReturnTo || !strings.HasPrefix(raw, "/") || strings.HasPrefix(raw, "//") ||
		strings.ContainsRune(raw, '\\') || !isPlain(raw) {
		return "/"
	}
	return raw
}

// Slug is the readable part of the address of an idea with this title: lower-case words of ASCII letters and
// digits, or "idea" where the title has none.
func Slug(title string) string {
	var b strings.Builder
	dash := false
	for _, r := range norm.NFKD.String(strings.ToLower(title)) {
		switch {
		case r == 'œ':
			b.WriteString("oe")
		case r == 'æ':
			b.WriteString("ae")
		case r == 'ß':
			b.WriteString("ss")
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // the accent that NFKD split from its letter
			continue
		default:
			if !dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = true
			continue
		}
		dash = false
		if b.Len() >= maxSlug {
			break
		}
	}
	if slug := strings.TrimRight(b.String(), "-"); slug != "" {
		return slug
	}
	return "idea"
}

// isPlain tells whether a text is printable ASCII without spaces.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func bounded(field, text string, limit int) (string, error) {
	if text == "" {
		return "", &FieldError{Field: field, Code: "required"}
	}
	if utf8.RuneCountInString(text) > limit {
		return "", &FieldError{Field: field, Code: "too_long", Limit: limit}
	}
	return text, nil
}

// cleanLine makes one line of readable text: composed, without control and direction characters, with single
// spaces.
func cleanLine(raw string) string {
	return strings.Join(strings.Fields(clean(raw, func(rune) bool { return false })), " ")
}

// cleanText keeps line breaks and tabs.
func cleanText(raw string) string {
	raw = strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\r", "\n")
	return strings.TrimSpace(clean(raw, func(r rune) bool { return r == '\n' || r == '\t' }))
}

func clean(raw string, keep func(rune) bool) string {
	composed := norm.NFC.String(strings.ToValidUTF8(raw, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		switch {
		case keep(r):
			return r
		case r == '\n', r == '\t', r == '\r', r == '\u2028', r == '\u2029':
			return ' '
		// Overrides and isolates turn the text around them; a page sets the direction itself.
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\uFEFF':
			return -1
		}
		return r
	}, composed)
}
