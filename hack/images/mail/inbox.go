package main

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"
)

// maxLetters bounds the memory of a catcher that nobody empties.
const maxLetters = 1000

type address struct {
	Name    string
	Address string
}

// letter is one caught message. Field names are those of Mailpit's API.
type letter struct {
	ID          string
	From        address
	To          []address
	Subject     string
	Created     time.Time
	Size        int
	Attachments int
	Text        string
	HTML        string
}

// inbox keeps the newest messages, in memory only.
type inbox struct {
	mu      sync.RWMutex
	letters []letter
}

func (b *inbox) add(received letter) {
	received.ID = rand.Text()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters = append([]letter{received}, b.letters...)
	if len(b.letters) > maxLetters {
		b.letters = b.letters[:maxLetters]
	}
}

func (b *inbox) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters = nil
}

// find returns the matching messages, newest first. "to:", "from:" and "subject:" look at that part only.
func (b *inbox) find(query string) []letter {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := []letter{}
	for _, candidate := range b.letters {
		if candidate.matches(query) {
			found = append(found, candidate)
		}
	}
	return found
}

func (b *inbox) get(id string) (letter, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, candidate := range b.letters {
		if candidate.ID == id || id == "latest" {
			return candidate, true
		}
	}
	return letter{}, false
}

func (l letter) matches(query string) bool {
	for term := range strings.FieldsSeq(strings.ToLower(query)) {
		if !l.matchesTerm(term) {
			return false
		}
	}
	return true
}

func (l letter) matchesTerm(term string) bool {
	field, value, ok := strings.Cut(term, ":")
	value = strings.Trim(value, `"`)
	var text string
	switch {
	case ok && field == "to":
		text = l.recipients()
	case ok && field == "from":
		text = l.From.Name + " " + l.From.Address
	case ok && field == "subject":
		text = l.Subject
	default:
		value = strings.Trim(term, `"`)
		text = strings.Join([]string{l.recipients(), l.From.Name, l.From.Address, l.Subject, l.Text, l.HTML}, " ")
	}
	return strings.Contains(strings.ToLower(text), value)
}

func (l letter) recipients() string {
	var all []string
	for _, recipient := range l.To {
		all = append(all, recipient.Name, recipient.Address)
	}
	return strings.Join(all, " ")
}
