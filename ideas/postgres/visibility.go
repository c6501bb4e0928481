package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/quaeso/community-operator/ideas"
)

// Challenges that not everybody may see: their ideas are in no list but their own, and open only to those who may see
// the challenge, to their authors and to the team. Most communities have none, and are asked nothing.

// apart are the challenges, archived ones too, whose ideas are in no list of the community's that somebody sees: those
// for members from strangers, and those for who is eligible from everybody.
func (s *Store) apart(ctx context.Context, viewer int64) []int64 {
	apart := []int64{}
	concealed := s.Programme(ctx).Concealed
	for _, challenge := range slices.Sorted(maps.Keys(concealed)) {
		if viewer == 0 || concealed[challenge] == ideas.VisibleEligible {
			apart = append(apart, challenge)
		}
	}
	return apart
}

// MaySeeChallenge implements ideas.ChallengeStore.
func (s *Store) MaySeeChallenge(ctx context.Context, viewer int64, c *ideas.Challenge) (bool, error) {
	switch {
	case c.Spec.Visibility == "" || c.Spec.Visibility == ideas.VisiblePublic:
		return true, nil
	case viewer == 0 || c.Spec.Visibility == ideas.VisibleMembers:
		return viewer != 0, nil
	}
	pool, err := s.db()
	if err != nil {
		return false, err
	}
	who, err := s.actor(ctx, pool, viewer)
	if err == nil && who.roles.May(ideas.MaySeeTeam) {
		return true, nil
	}
	may := false
	if err == nil {
		may, err = s.takesPart(ctx, pool, viewer, c)
	}
	return may, s.wrapped("look who may see a challenge", err)
}

// keptFrom are the challenges that somebody (id 0: a stranger) may not see. An archived one for the eligible is the
// team's alone.
func (s *Store) keptFrom(ctx context.Context, q querier, who actor) (map[int64]bool, error) {
	programme := s.Programme(ctx)
	if len(programme.Concealed) == 0 || who.roles.May(ideas.MaySeeTeam) {
		return nil, nil
	}
	kept := map[int64]bool{}
	for challenge, visibility := range programme.Concealed {
		c := programme.ChallengeByID(challenge)
		switch {
		case who.id == 0:
			kept[challenge] = true
		case visibility == ideas.VisibleMembers:
		case c == nil:
			kept[challenge] = true
		default:
			takesPart, err := s.takesPart(ctx, q, who.id, c)
			if err != nil {
				return nil, fmt.Errorf("look who may see challenge %s: %w", c.Name, err)
			}
			kept[challenge] = !takesPart
		}
	}
	return kept, nil
}

// takesPart tells whether a member is of the challenge's jury, eligible, or has entered while they were.
func (s *Store) takesPart(ctx context.Context, q querier, member int64, c *ideas.Challenge) (bool, error) {
	if seat, err := s.seatOf(ctx, q, member, c); err != nil || seat >= 0 {
		return err == nil, err
	}
	p, err := s.participant(ctx, q, member, c)
	if err != nil {
		return false, err
	}
	return len(c.Obstacles(p)) == 0 || p.Entries > 0, nil
}

// requireSight fails with ideas.ErrNotFound unless the viewer may see an idea's challenge, or is its author.
func (s *Store) requireSight(ctx context.Context, q querier, viewer int64, idea ideas.Idea) error {
	if _, concealed := s.Programme(ctx).Concealed[idea.Challenge]; !concealed || viewer != 0 && idea.Author.ID == viewer {
		return nil
	}
	who, err := s.actor(ctx, q, viewer)
	if err != nil {
		return err
	}
	if who.kept[idea.Challenge] {
		return ideas.ErrNotFound
	}
	return nil
}

// requireSightOf fails with ideas.ErrNotFound unless a member may see a challenge, 0 for none.
func (s *Store) requireSightOf(ctx context.Context, q querier, member, challenge int64) error {
	if _, concealed := s.Programme(ctx).Concealed[challenge]; !concealed {
		return nil
	}
	who, err := s.actor(ctx, q, member)
	if err != nil {
		return err
	}
	if who.kept[challenge] {
		return ideas.ErrNotFound
	}
	return nil
}
