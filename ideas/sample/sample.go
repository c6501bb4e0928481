// Package sample makes believable content for demonstrations: a community of an outdoor brand after two months.
package sample

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	domain "github.com/quaeso/community-operator/ideas"
)

// Content is what the community has written and supported until now. Keys and members are the same at every
// call, so that storing it again adds nothing.
func Content(now time.Time) domain.Archive {
	// The same community each time: a fixed seed, and no secret.
	random := rand.New(rand.NewPCG(2026, 60)) //nolint:gosec // no secret
	var a domain.Archive
	for i, name := range names {
		a.Members = append(a.Members, domain.ArchivedMember{
			Email: address(name), Name: name, Locale: []string{"fr", "en"}[i/20%2],
			CreatedAt: now.Add(-days(60)).Add(time.Duration(i) * 7 * time.Minute),
		})
	}
	for i, idea := range ideas {
		written := now.Add(-days(idea.age))
		archived := domain.ArchivedIdea{
			Key: fmt.Sprintf("sample-%02d", i+1), Author: idea.author, Title: idea.title, Body: idea.body, CreatedAt: written,
		}
		for _, member := range random.Perm(len(names))[:len(names)*idea.popularity/100] {
			if member == idea.author {
				continue
			}
			// Most support comes early, and some goes on until now.
			age := idea.age * (1 - random.Float64()*random.Float64())
			archived.Supports = append(archived.Supports, domain.ArchivedSupport{Member: member, CreatedAt: now.Add(-days(age * 0.98))})
		}
		for n, c := range idea.comments {
			at := written.Add(days(idea.age * 0.9 * float64(n+1) / float64(len(idea.comments)+2)))
			archived.Comments = append(archived.Comments, domain.ArchivedComment{
				Key: fmt.Sprintf("sample-%02d-%d", i+1, n+1), Author: c.author, Body: c.body, CreatedAt: at,
			})
		}
		a.Ideas = append(a.Ideas, archived)
	}
	return a
}

func days(n float64) time.Duration { return time.Duration(n * 24 * float64(time.Hour)) }

// address in a domain that never exists (RFC 2606).
func address(name string) string {
	return strings.Trim(domain.Slug(name), "-") + "@members.example"
}
