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
	w := writer{now: now, random: rand.New(rand.NewPCG(2026, 60))} //nolint:gosec // no secret
	w.members()
	for i, idea := range ideas {
		w.idea(fmt.Sprintf("sample-%02d", i+1), idea, lives[i], replies[i])
	}
	for i, entry := range entries {
		w.idea(fmt.Sprintf("entry-%02d", i+1), entry, life{challenge: "bottle-pattern", theme: "tools"}, nil)
		w.vote(40, 3.5, 5)
	}
	for i, entry := range stoveNames {
		w.idea(fmt.Sprintf("name-%02d", i+1), entry, life{challenge: "name-the-stove", theme: "tools"}, nil)
		w.vote(24-5*i, StoveVote+3, 1)
	}
	w.archive.Decisions = []domain.ArchivedDecision{{
		Challenge: "name-the-stove", By: lead,
		Reason: "Le vote était clair, et le nom se prononce dans toutes les langues de nos magasins. / The vote was clear, and the name works in every language of our shops.",
		Winners: []domain.ArchivedWinner{{
			Key: "name-01", Rank: 1, Reason: "Court, chaleureux, et personne ne l’avait pris. / Short, warm, and nobody had taken it.",
		}},
	}}
	w.topics()
	w.methods()
	return w.archive
}

// StoveVote is within the vote of the contest that the sample has decided, in days before now. A store must not be later
// when it is given the content, else the vote is closed.
const StoveVote = 45

// writer makes one archive.
type writer struct {
	now     time.Time
	random  *rand.Rand
	archive domain.Archive
}

func (w *writer) ago(age float64) time.Time { return w.now.Add(-days(age)) }

func (w *writer) pick(options ...string) string { return options[w.random.IntN(len(options))] }

func (w *writer) members() {
	for i, name := range names {
		locale := []string{"fr", "en"}[i/20%2]
		m := domain.ArchivedMember{
			Email: address(name), Name: name, Locale: locale, CreatedAt: w.ago(60).Add(time.Duration(i) * 7 * time.Minute),
		}
		// Three of four tell something of themselves; cities are heard more than they should be.
		if i%4 != 3 {
			m.Attributes = map[string][]string{
				"region":   {w.pick("city", "city", "city", "mountains", "mountains", "country", "coast")},
				"ageBand":  {w.pick("under30", "under50", "under50", "over50")},
				"practice": {w.pick("hiking", "climbing"), w.pick("cycling", "snow", "water")},
			}
		}
		w.archive.Members = append(w.archive.Members, m)
	}
	for _, t := range team {
		w.archive.Members = append(w.archive.Members, domain.ArchivedMember{
			Email: t.address, Name: t.name, Locale: t.locale, CreatedAt: w.ago(62),
		})
	}
}

// of the team, by address.
func (w *writer) of(address string) int {
	for i, t := range team {
		if t.address == address {
			return len(names) + i
		}
	}
	return len(names)
}

func (w *writer) idea(key string, written idea, lived life, answers []int) {
	at := w.ago(written.age)
	archived := domain.ArchivedIdea{
		Key: key, Author: written.author, Title: written.title, Body: written.body, CreatedAt: at,
		Challenge: lived.challenge, Theme: lived.theme, Tags: lived.tags, CoAuthors: lived.coAuthors,
	}
	for _, member := range w.random.Perm(len(names))[:len(names)*written.popularity/100] {
		if member == written.author {
			continue
		}
		// Most support comes early, and some goes on until now.
		age := written.age * (1 - w.random.Float64()*w.random.Float64())
		archived.Supports = append(archived.Supports, domain.ArchivedSupport{Member: member, CreatedAt: w.ago(age * 0.98)})
	}
	for n, c := range written.comments {
		comment := domain.ArchivedComment{
			Key: fmt.Sprintf("%s-%d", key, n+1), Author: c.author, Body: c.body,
			CreatedAt: at.Add(days(written.age * 0.9 * float64(n+1) / float64(len(written.comments)+2))),
			Thanks:    w.random.Perm(len(names))[:w.random.IntN(6)],
		}
		if n < len(answers) {
			comment.Answers = answers[n]
		}
		archived.Comments = append(archived.Comments, comment)
	}
	for _, s := range lived.steps {
		step := domain.ArchivedStep{At: w.ago(s.age), To: s.to, Reason: s.reason, As: domain.AsDecider, By: w.of(lead)}
		switch s.to {
		case domain.StateQualified:
			step.As = domain.AsService
		case domain.StateDevelopment, domain.StateTesting, domain.StateLaunched:
			step.As, step.By = domain.AsImplementer, w.of(workshop)
		}
		archived.Steps = append(archived.Steps, step)
	}
	for _, a := range lived.answers {
		archived.Answers = append(archived.Answers, domain.ArchivedAnswer{By: w.of(lead), Body: a.body, CreatedAt: w.ago(a.age)})
	}
	if lived.due != 0 {
		archived.DueAt = w.ago(-lived.due)
	} else if len(lived.answers) > 0 {
		archived.DueAt = w.ago(lived.answers[0].age - 2)
	}
	w.archive.Ideas = append(w.archive.Ideas, archived)
}

// vote lets members vote for the last idea, within the last days before an age, with at most so many points.
func (w *writer) vote(voters int, from float64, most int) {
	entry := &w.archive.Ideas[len(w.archive.Ideas)-1]
	to := max(0, from-4)
	for _, member := range w.random.Perm(len(names))[:voters] {
		if member == entry.Author {
			continue
		}
		entry.Votes = append(entry.Votes, domain.ArchivedVote{
			Member: member, Points: min(most, 1+w.random.IntN(most+1)), CreatedAt: w.ago(to + (from-to)*w.random.Float64()),
		})
	}
}

func (w *writer) topics() {
	for i, t := range topics {
		topic := domain.ArchivedTopic{
			Challenge: "campfire", Key: fmt.Sprintf("topic-%d", i+1), Author: t.author, Title: t.title, Body: t.body,
			CreatedAt: w.ago(t.age), Pinned: t.pinned,
		}
		for n, r := range t.replies {
			topic.Replies = append(topic.Replies, domain.ArchivedComment{
				Key: fmt.Sprintf("topic-%d-%d", i+1, n+1), Author: r.author, Body: r.body,
				CreatedAt: w.ago(t.age * (1 - 0.8*float64(n+1)/float64(len(t.replies)+1))),
			})
		}
		w.archive.Topics = append(w.archive.Topics, topic)
	}
}

func (w *writer) methods() {
	for i, member := range w.random.Perm(len(names))[:44] {
		n := nights[i%len(nights)]
		typed := map[string][]string{"nights": {n.nights}, "where": {n.where}, "matters": n.matters, "slept": {n.slept}, "again": {n.again}}
		if n.why != "" && i < len(nights) {
			typed["why"] = []string{n.why}
		}
		w.archive.Responses = append(w.archive.Responses, domain.ArchivedResponse{
			Challenge: "nights-outside", Member: member, At: w.ago(11 * w.random.Float64()), Typed: typed,
		})
	}
	for i, member := range w.random.Perm(len(names))[:19] {
		w.archive.Applications = append(w.archive.Applications, domain.ArchivedResponse{
			Challenge: "wool-quilt", Member: member, At: w.ago(5.5 * w.random.Float64()),
			Typed: map[string][]string{"nights": {campaigns[i%len(campaigns)]}, "cold": {w.pick("yes", "no")}},
		})
	}
	for i, member := range w.random.Perm(len(names))[:24] {
		session := "grenoble"
		if i >= 16 {
			session = "online"
		}
		w.archive.Registrations = append(w.archive.Registrations, domain.ArchivedRegistration{
			Challenge: "repair-evening", Session: session, Member: member, At: w.ago(7 - float64(i)/4),
		})
	}
}

func days(n float64) time.Duration { return time.Duration(n * 24 * float64(time.Hour)) }

// address in a domain that never exists (RFC 2606).
func address(name string) string {
	return strings.Trim(domain.Slug(name), "-") + "@members.example"
}
