package rules

import (
	"cmp"
	"slices"
)

// Place is where an entry of a contest ended. Entries that tie have the same rank, and the ranks after them are
// skipped: 1, 1, 3.
type Place struct {
	Entry int64
	Rank  int64
}

// Award is what an entry gets for its place.
type Award struct {
	Entry int64
	Rank  int64
	// Prize is the index of the policy's prize; for a sum of money that ties share, that of the first.
	Prize int
	// Amount in minor units of the policy's currency; 0 for a prize in kind.
	Amount int64
}

// Rank places entries by their scores, the highest first.
func Rank(scores map[int64]float64) []Place {
	places := make([]Place, 0, len(scores))
	for entry := range scores {
		places = append(places, Place{Entry: entry})
	}
	slices.SortFunc(places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(scores[b.Entry], scores[a.Entry]), cmp.Compare(a.Entry, b.Entry))
	})
	for i := range places {
		places[i].Rank = int64(i) + 1
		if i > 0 && scores[places[i].Entry] == scores[places[i-1].Entry] {
			places[i].Rank = places[i-1].Rank
		}
	}
	return places
}

// Awards gives the prizes of a ranking. Entries that tie share the sums of money of the ranks that they take up
// together, equally and to the minor unit; prizes in kind each of them gets as the best of those ranks has them, since
// they cannot be divided and nobody is to get less than their rank promises.
func (e *Engine) Awards(places []Place) []Award {
	places = slices.SortedFunc(slices.Values(places), func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Entry, b.Entry))
	})
	var awards []Award
	for len(places) > 0 {
		tied := 1
		for tied < len(places) && places[tied].Rank == places[0].Rank {
			tied++
		}
		awards = append(awards, e.awardTied(places[:tied])...)
		places = places[tied:]
	}
	return awards
}

func (e *Engine) awardTied(tied []Place) []Award {
	first, last := tied[0].Rank, tied[0].Rank+int64(len(tied))-1
	var awards []Award
	money, sum := -1, int64(0)
	for i, prize := range e.policy.Prizes {
		from, to := max(first, int64(prize.FromRank)), min(last, int64(max(prize.FromRank, prize.ToRank)))
		switch {
		case prize.Amount > 0 && from <= to:
			if money < 0 {
				money = i
			}
			sum += prize.Amount * (to - from + 1)
		case prize.Amount == 0 && from == first && from <= to:
			for _, place := range tied {
				awards = append(awards, Award{Entry: place.Entry, Rank: first, Prize: i})
			}
		}
	}
	for i, amount := range Split(sum, make([]int64, len(tied))) {
		if amount > 0 {
			awards = append(awards, Award{Entry: tied[i].Entry, Rank: first, Prize: money, Amount: amount})
		}
	}
	slices.SortStableFunc(awards, func(a, b Award) int {
		return cmp.Or(cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.Prize, b.Prize))
	})
	return awards
}
