package ideas

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what describes an idea.
const (
	MaxTags = 5
	// MaxTag bounds one tag, in characters.
	MaxTag = 30
	// MaxCoAuthors bounds the invitations of one idea.
	MaxCoAuthors = 10
	// MaxDrafts bounds the drafts of one member.
	MaxDrafts = 20
)

// Content is what an author writes.
type Content struct {
	Title, Body string
	// Theme names one of the house's; empty for none.
	Theme string
	Tags  []string
	// Challenge that the idea is submitted to; 0 for none. It does not change once the idea is submitted.
	Challenge int64
}

// Clean returns the content as it is stored, or *FieldErrors joined. A draft may still lack its text.
func (c Content) Clean(draft bool) (Content, error) {
	var titleErr, bodyErr, tagErr error
	c.Title, titleErr = CleanTitle(c.Title)
	if draft && cleanText(c.Body) == "" {
		c.Body = ""
	} else {
		c.Body, bodyErr = CleanBody(c.Body)
	}
	c.Theme = cleanLine(c.Theme)
	c.Tags, tagErr = CleanTags(c.Tags)
	return c, errors.Join(titleErr, bodyErr, tagErr)
}

// CleanTags returns tags as they are stored: lower-case words joined by "-", each once, in their order. Whoever types
// them may begin them with "#" and separate them by commas.
func CleanTags(raw []string) ([]string, error) {
	tags := []string{}
	for _, one := range raw {
		for part := range strings.SplitSeq(one, ",") {
			tag := cleanTag(part)
			if tag == "" || slices.Contains(tags, tag) {
				continue
			}
			if utf8.RuneCountInString(tag) > MaxTag {
				return tags, &FieldError{Field: "tags", Code: "too_long", Limit: MaxTag}
			}
			tags = append(tags, tag)
		}
	}
	if len(tags) > MaxTags {
		return tags, &FieldError{Field: "tags", Code: "too_many", Limit: MaxTags}
	}
	return tags, nil
}

// cleanTag keeps accents: "été" and "ete" are read differently.
func cleanTag(raw string) string {
	words := strings.FieldsFunc(strings.ToLower(cleanLine(raw)), func(r rune) bool {
		return !isTagRune(r)
	})
	return strings.Join(words, "-")
}

// CheckTheme refuses a theme that the house does not have. One that an idea has already may stay.
func (s Settings) CheckTheme(theme, former string) error {
	if theme == "" || theme == former {
		return nil
	}
	if s.House != nil {
		for _, t := range s.House.Themes {
			if t.Name == theme {
				return nil
			}
		}
	}
	return &FieldError{Field: "theme", Code: "invalid"}
}

func isTagRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
