package rules_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quaeso/community-operator/internal/rules"
)

type gift struct {
	day     string
	entries []rules.Entry
}

// However events come and are taken back, each rule gives a member at most its cap on a day, the total is the sum of the entries, and
// what came before gives nothing the second time.
func TestCapsHold(t *testing.T) {
	paris := zone(t, "Europe/Paris")
	rapid.Check(t, func(t *rapid.T) {
		p := rules.Policy{}
		for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
			points := rapid.IntRange(1, 20).Draw(t, "points")
			r := rules.Rule{Name: fmt.Sprint("r", i), Event: "comment.published", Points: points}
			if rapid.Bool().Draw(t, "capped") {
				r.DailyCap = points + rapid.IntRange(0, 40).Draw(t, "above")
			}
			p.Rules = append(p.Rules, r)
		}
		p.Badges = []rules.Badge{{Name: "b", Event: "comment.published", Count: rapid.IntRange(0, 5).Draw(t, "count")}}
		e, err := rules.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		account := rules.NewAccount()
		given, total, badges, number, reversed := map[string]int64{}, int64(0), 0, int64(0), int64(0)
		byEvent := map[int64]gift{}
		start := time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			at := start.Add(time.Duration(rapid.IntRange(0, 72*60).Draw(t, "minute")) * time.Minute)
			if gave := byEvent[number]; gave.day != "" && rapid.IntRange(0, 4).Draw(t, "reverse") == 0 {
				for range 2 {
					account.Reverse(number)
				}
				for _, entry := range gave.entries {
					given[gave.day+entry.Rule] -= entry.Points
					total -= entry.Points
				}
				delete(byEvent, number)
				reversed++
			}
			seen := rapid.Bool().Draw(t, "again") && number > 0
			if !seen {
				number++
			}
			out := account.Apply(e, paris, number, rules.Facts{Event: "comment.published", Actor: true, Time: at})
			if seen && len(out.Entries)+len(out.Advanced)+len(out.Awarded) > 0 {
				t.Fatalf("event %d counts twice: %v", number, out)
			}
			for _, entry := range out.Entries {
				given[rules.Day(at, paris)+entry.Rule] += entry.Points
				total += entry.Points
			}
			for _, r := range p.Rules {
				if r.DailyCap > 0 && given[rules.Day(at, paris)+r.Name] > int64(r.DailyCap) {
					t.Fatalf("%s gave %d of %d at most", r.Name, given[rules.Day(at, paris)+r.Name], r.DailyCap)
				}
			}
			if !seen {
				byEvent[number] = gift{rules.Day(at, paris), out.Entries}
			}
			badges += len(out.Awarded)
			if out.Points != total || account.Points != total {
				t.Fatalf("the total is %d, the entries sum to %d", out.Points, total)
			}
		}
		count := int64(max(p.Badges[0].Count, 1))
		if badges > 1 || number < count && badges > 0 || number-reversed >= count && badges == 0 {
			t.Fatalf("%d events, %d of them taken back, awarded the badge of %d %d times", number, reversed, count, badges)
		}
	})
}

// Nothing is lost or made when a period's royalties are computed: the shares of an idea sum to its royalty, which is
// the exact percentage to half a unit, and what members are paid and keep is what they had and earned.
func TestRoyaltiesSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.IntRange(1, 10_000).Draw(t, "basis points")
		minimum := rapid.Int64Range(0, 5_000).Draw(t, "minimum")
		e, err := rules.Compile(rules.Policy{
			RevenueShare: &rules.RevenueShare{BasisPoints: points, Base: rules.BaseNetSales, Minimum: minimum}, Currency: "EUR",
		})
		if err != nil {
			t.Fatal(err)
		}
		authors, carried := map[int64][]rules.Author{}, map[int64]int64{}
		for idea := range int64(3) {
			for member := range rapid.Int64Range(0, 4).Draw(t, "authors") {
				authors[idea] = append(authors[idea], rules.Author{Member: member, Weight: rapid.Int64Range(0, 100).Draw(t, "weight")})
				carried[member] = rapid.Int64Range(-2_000, 2_000).Draw(t, "carried")
			}
		}
		sales := rapid.SliceOf(rapid.Custom(func(t *rapid.T) rules.Sale {
			return rules.Sale{
				Idea: rapid.Int64Range(0, 2).Draw(t, "idea"), Day: "2027-01-01",
				Amount: rapid.Int64Range(-rules.MaxAmount, rules.MaxAmount).Draw(t, "amount"),
			}
		})).Draw(t, "sales")
		s := e.Statement(sales, authors, carried)
		earned := map[int64]int64{}
		for _, royalty := range s.Royalties {
			var sum int64
			for _, share := range royalty.Shares {
				sum += share.Amount
				earned[share.Member] += share.Amount
			}
			if sum != royalty.Amount {
				t.Fatalf("the shares of %+v sum to %d", royalty, sum)
			}
			if len(royalty.Shares) > 0 && !nearest(royalty.Amount, royalty.Base, points) {
				t.Fatalf("%d is not the nearest to %d basis points of %d", royalty.Amount, points, royalty.Base)
			}
		}
		for _, p := range s.Payouts {
			if p.Earned != earned[p.Member] || p.Carried != carried[p.Member] || p.Carried+p.Earned != p.Payable+p.Forward {
				t.Fatalf("%+v does not add up", p)
			}
			if p.Payable != 0 && p.Payable < max(minimum, 1) || p.Payable == 0 && p.Forward >= max(minimum, 1) {
				t.Fatalf("%+v with a minimum of %d", p, minimum)
			}
		}
		for i, j := 0, len(sales)-1; i < j; i, j = i+1, j-1 {
			sales[i], sales[j] = sales[j], sales[i]
		}
		if diff := cmp.Diff(s, e.Statement(sales, authors, carried)); diff != "" {
			t.Fatal("the order of the sales makes a difference", diff)
		}
	})
}

// nearest tells whether amount is so many basis points of base, rounded to the nearest and halves to the even number.
func nearest(amount, base int64, points int) bool {
	exact := new(big.Int).Mul(big.NewInt(base), big.NewInt(int64(points)))
	off := new(big.Int).Sub(new(big.Int).Mul(big.NewInt(amount), big.NewInt(10_000)), exact)
	switch off.CmpAbs(big.NewInt(5_000)) {
	case -1:
		return true
	case 0:
		return amount%2 == 0
	}
	return false
}

// Parts sum to the amount, none is further from the exact one than a unit, and larger weights never get less.
func TestSplitSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(-rules.MaxAmount, rules.MaxAmount).Draw(t, "amount")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1_000), 1, 8).Draw(t, "weights")
		parts := rules.Split(amount, weights)
		var sum int64
		for i, part := range parts {
			sum += part
			for j := range parts {
				if weights[i] > weights[j] && max(part, -part) < max(parts[j], -parts[j]) {
					t.Fatalf("weights %v get %v", weights, parts)
				}
			}
		}
		if sum != amount {
			t.Fatalf("parts %v sum to %d, not to %d", parts, sum, amount)
		}
	})
}

// Ties share money without making or losing any: what is awarded is the prizes of the ranks taken.
func TestAwardsSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var prizes []rules.Prize
		for rank := range rapid.IntRange(1, 6).Draw(t, "prizes") {
			prizes = append(prizes, rules.Prize{FromRank: rank + 1, Title: map[string]string{"en": "x"}, Amount: rapid.Int64Range(1, 1_000).Draw(t, "amount")})
		}
		scores := map[int64]float64{}
		for entry := range rapid.Int64Range(0, 8).Draw(t, "entries") {
			scores[entry] = float64(rapid.IntRange(0, 3).Draw(t, "score"))
		}
		e, err := rules.Compile(rules.Policy{Prizes: prizes, Currency: "EUR"})
		if err != nil {
			t.Fatal(err)
		}
		var want, got int64
		for _, p := range prizes[:min(len(prizes), len(scores))] {
			want += p.Amount
		}
		for _, a := range e.Awards(rules.Rank(scores)) {
			got += a.Amount
		}
		if got != want {
			t.Fatalf("%d is awarded of %d", got, want)
		}
	})
}

// Whatever is written as a condition is refused or evaluated, within its bounds, the same way every time.
func TestConditionsAreBounded(t *testing.T) {
	pieces := []string{
		"event.self", "idea.supporters", "member.roles", "idea.tags", "'a'", "1", "0", " && ", " || ", " > ", " == ", " + ", " * ", " / ", " in ", "!", "(", ")",
		"[", "]", "{", "}", ".exists(x, ", ".map(x, ", ".matches(", "size(", "x", "event.time", "duration('1h')", "-", " ? ", " : ", "\n", "é", "\x00",
	}
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for _, piece := range rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 40).Draw(t, "pieces") {
			text += piece
		}
		e, err := rules.Compile(rules.Policy{Rules: []rules.Rule{{Name: "r", Event: "comment.published", Points: 1, Condition: text}}})
		if err != nil {
			if _, ours := err.(rules.Errors); !ours {
				t.Fatal(err)
			}
			return
		}
		facts := rules.Facts{Event: "comment.published", Actor: true, Member: rules.MemberFacts{Roles: []string{"a"}}, Time: time.Unix(0, 0)}
		first := e.Apply(facts, rules.Standing{})
		if second := e.Apply(facts, rules.Standing{}); len(first.Entries) != len(second.Entries) {
			t.Fatalf("%q gives %v, then %v", text, first, second)
		}
	})
}
