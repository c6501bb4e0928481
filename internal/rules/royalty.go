package rules

import (
	"cmp"
	"slices"
)

// Sale is what an idea has sold on a day ("2027-03-28"), in minor units of the policy's currency and on its
// base. Returns are negative.
type Sale struct {
	Idea   int64
	Day    string
	Amount int64
}

// Author has a part in an idea.
type Author struct {
	Member int64
	// Weight of the author's part against those of the others.
	Weight int64
}

// Royalty is what one idea earns its authors in one period.
type Royalty struct {
	Idea int64
	// Base is the sum of the sales that count.
	Base int64
	// Amount is the policy's share of it, which the shares sum to.
	Amount int64
	Shares []RoyaltyShare
}

// RoyaltyShare is one author's part of a royalty.
type RoyaltyShare struct {
	Member, Amount int64
}

// Payout is what one member is due after a period. Carried and Earned make up Payable and Forward.
type Payout struct {
	Member int64
	// Carried comes from earlier periods; it is negative when returns were larger than sales.
	Carried int64
	// Earned in this period.
	Earned int64
	// Payable now: nothing, or at least the policy's minimum.
	Payable int64
	// Forward is carried on to the next period.
	Forward int64
}

// Statement is the outcome of a period.
type Statement struct {
	Royalties []Royalty
	Payouts   []Payout
}

// Statement computes what a period's sales earn the authors of the ideas. Ideas without authors earn nobody
// anything. carried is what earlier statements carried forward, by member. The order of the sales makes no
// difference. A policy without a revenue share gives an empty statement.
func (e *Engine) Statement(sales []Sale, authors map[int64][]Author, carried map[int64]int64) Statement {
	share := e.policy.RevenueShare
	if share == nil {
		return Statement{}
	}
	bases := map[int64]int64{}
	for _, sale := range sales {
		if share.Until == "" || sale.Day <= share.Until {
			bases[sale.Idea] += sale.Amount
		}
	}
	var s Statement
	earned := map[int64]int64{}
	for idea, base := range bases {
		royalty := Royalty{Idea: idea, Base: base, Amount: part(base, share.BasisPoints)}
		royalty.Shares = shares(royalty.Amount, authors[idea])
		if len(royalty.Shares) == 0 {
			royalty.Amount = 0
		}
		for _, share := range royalty.Shares {
			earned[share.Member] += share.Amount
		}
		s.Royalties = append(s.Royalties, royalty)
	}
	for member := range carried {
		if _, known := earned[member]; !known {
			earned[member] = 0
		}
	}
	for member, amount := range earned {
		s.Payouts = append(s.Payouts, payout(member, carried[member], amount, share.Minimum))
	}
	slices.SortFunc(s.Royalties, func(a, b Royalty) int { return cmp.Compare(a.Idea, b.Idea) })
	slices.SortFunc(s.Payouts, func(a, b Payout) int { return cmp.Compare(a.Member, b.Member) })
	return s
}

// shares of the authors, in the order of the members, so that who gets the odd minor unit does not depend on how
// they were read.
func shares(amount int64, authors []Author) []RoyaltyShare {
	authors = slices.SortedFunc(slices.Values(authors), func(a, b Author) int { return cmp.Compare(a.Member, b.Member) })
	weights := make([]int64, len(authors))
	for i, a := range authors {
		weights[i] = a.Weight
	}
	var out []RoyaltyShare
	for i, amount := range Split(amount, weights) {
		out = append(out, RoyaltyShare{Member: authors[i].Member, Amount: amount})
	}
	return out
}

func payout(member, carried, earned, minimum int64) Payout {
	p := Payout{Member: member, Carried: carried, Earned: earned, Forward: carried + earned}
	if p.Forward >= max(minimum, 1) {
		p.Payable, p.Forward = p.Forward, 0
	}
	return p
}
