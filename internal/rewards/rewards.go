// Package rewards puts a declared reward policy into the words of the engine that checks and applies it. The operator and
// the idea service both use it.
package rewards

import (
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rules"
)

// Rules of a declared policy.
func Rules(declared control.RewardPolicy) rules.Policy {
	p := rules.Policy{RevenueShare: (*rules.RevenueShare)(declared.RevenueShare), Currency: declared.Currency}
	for _, r := range declared.Rules {
		p.Rules = append(p.Rules, rules.Rule(r))
	}
	for _, l := range declared.Levels {
		p.Levels = append(p.Levels, rules.Level(l))
	}
	for _, b := range declared.Badges {
		p.Badges = append(p.Badges, rules.Badge(b))
	}
	for _, z := range declared.Prizes {
		p.Prizes = append(p.Prizes, rules.Prize(z))
	}
	return p
}
