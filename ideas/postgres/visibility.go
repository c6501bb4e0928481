package postgres

import (
	"context"
	"fmt"

	"github.com/quaeso/community-operator/ideas"
)

// apart are the challenges whose ideas are in no list of the community's that somebody sees: those for members from
// strangers, and those for who is eligible from everybody. They are listed on the challenge's own page.
func (s *Store) apart(ctx context.Context, viewer int64) []int64 {
	var apart []int64
	for _, c := range s.Programme(ctx).Challenges {
		if c.Spec.Visibility == ideas.VisibleEligible || c.Spec.Visibility == ideas.VisibleMembers && viewer == 0 {
			apart = append(apart, c.ID)
		}
	}
	return apart
}

// MaySeeChallenge implements ideas.ChallengeStore.
func (s *Store) MaySeeChallenge(ctx context.Context, viewer int64, c *ideas.Challenge) (bool, error) {
	pool, err := s.db()
	if err != nil {
		return false, err
	}
	may, err := s.maySee(ctx, pool, viewer, c)
	return may, s.wrapped("look who may see a challenge", err)
}

func (s *Store) maySee(ctx context.Context, q querier, viewer int64, c *ideas.Challenge) (bool, error) {
	if c == nil || c.Spec.Visibility == "" || c.Spec.Visibility == ideas.VisiblePublic {
		return true, nil
	}
	if viewer == 0 || c.Spec.Visibility == ideas.VisibleMembers {
		return viewer != 0, nil
	}
	who, err := s.actor(ctx, q, viewer)
	if err != nil || who.roles.May(ideas.MaySeeTeam) {
		return err == nil, err
	}
	if seat, err := s.seatOf(ctx, q, viewer, c); err != nil || seat >= 0 {
		return err == nil, err
	}
	p, err := s.participant(ctx, q, viewer, c)
	if err != nil {
		return false, err
	}
	return len(c.Obstacles(p)) == 0 || p.Entries > 0, nil
}

// requireSight fails with ideas.ErrNotFound unless the viewer may see the ideas of a challenge; 0 for none.
func (s *Store) requireSight(ctx context.Context, q querier, viewer, challenge int64) error {
	if challenge == 0 {
		return nil
	}
	may, err := s.maySee(ctx, q, viewer, s.Programme(ctx).ChallengeByID(challenge))
	if err != nil {
		return fmt.Errorf("look who may see the challenge of an idea: %w", err)
	}
	if !may {
		return ideas.ErrNotFound
	}
	return nil
}
