package declaration

import (
	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
)

// RewardPolicy declares a RewardPolicy.
func RewardPolicy(p *v1alpha1.RewardPolicy) control.Object[control.RewardPolicy] {
	return object(p.ObjectMeta, control.RewardPolicy{
		Rules:        each(p.Spec.Rules, rewardRule),
		Levels:       each(p.Spec.Levels, level),
		Badges:       each(p.Spec.Badges, badge),
		Prizes:       each(p.Spec.Prizes, prize),
		RevenueShare: optional(p.Spec.RevenueShare, revenueShare),
		Currency:     p.Spec.Currency,
	})
}

func rewardRule(r v1alpha1.RewardRule) control.RewardRule {
	return control.RewardRule{
		Name:      string(r.Name),
		Event:     string(r.Event),
		Condition: string(r.Condition),
		Points:    int(r.Points),
		DailyCap:  int(r.DailyCap),
		To:        string(r.To),
	}
}

func level(l v1alpha1.Level) control.Level {
	return control.Level{Name: string(l.Name), Title: texts(l.Title), Points: int(l.Points)}
}

func badge(b v1alpha1.Badge) control.Badge {
	return control.Badge{
		Name:      string(b.Name),
		Title:     texts(b.Title),
		Text:      texts(b.Text),
		Event:     string(b.Event),
		Count:     int(b.Count),
		Condition: string(b.Condition),
		To:        string(b.To),
	}
}

func prize(p v1alpha1.Prize) control.Prize {
	return control.Prize{FromRank: int(p.FromRank), ToRank: int(p.ToRank), Title: texts(p.Title), Amount: p.Amount}
}

func revenueShare(s v1alpha1.RevenueShare) control.RevenueShare {
	return control.RevenueShare{
		BasisPoints: int(s.BasisPoints), Base: string(s.Base), Minimum: s.Minimum, Until: string(s.Until),
	}
}
