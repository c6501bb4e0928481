package rules_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/internal/rules"
)

func TestSplit(t *testing.T) {
	for name, tc := range map[string]struct {
		amount  int64
		weights []int64
		want    []int64
	}{
		"evenly":                     {9, []int64{1, 1, 1}, []int64{3, 3, 3}},
		"the odd units to the first": {11, []int64{1, 1, 1}, []int64{4, 4, 3}},
		"the largest rest first":     {10, []int64{1, 2}, []int64{3, 7}},
		"a weight of nothing":        {10, []int64{0, 1}, []int64{0, 10}},
		"no weights at all":          {3, []int64{0, 0}, []int64{2, 1}},
		"nobody":                     {3, nil, nil},
		"a debt":                     {-11, []int64{1, 1, 1}, []int64{-4, -4, -3}},
		"large":                      {rules.MaxAmount * 1000, []int64{1 << 61, 1 << 61}, []int64{rules.MaxAmount * 500, rules.MaxAmount * 500}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, rules.Split(tc.amount, tc.weights)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCurrencyDigits(t *testing.T) {
	for code, want := range map[string]int{"EUR": 2, "JPY": 0, "TND": 3, "CHF": 2, "XXX": -1, "eur": -1, "EU": -1, "": -1, "R G": -1} {
		got, ok := rules.CurrencyDigits(code)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q has %d digits, want %d", code, got, want)
		}
	}
}

func TestStatement(t *testing.T) {
	day := "2027-03-01"
	two := map[int64][]rules.Author{1: {{Member: 20, Weight: 1}, {Member: 10, Weight: 1}}}
	for name, tc := range map[string]struct {
		share   rules.RevenueShare
		sales   []rules.Sale
		authors map[int64][]rules.Author
		carried map[int64]int64
		want    rules.Statement
	}{
		"one author": {
			rules.RevenueShare{BasisPoints: 100}, []rules.Sale{{1, day, 100_000}, {1, day, 50_000}}, map[int64][]rules.Author{1: {{10, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 150_000, Amount: 1_500, Shares: []rules.RoyaltyShare{{10, 1_500}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 1_500, Payable: 1_500}},
			},
		},
		"an odd cent goes to the first member": {
			rules.RevenueShare{BasisPoints: 100}, []rules.Sale{{1, day, 10_100}}, two, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 10_100, Amount: 101, Shares: []rules.RoyaltyShare{{10, 51}, {20, 50}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 51, Payable: 51}, {Member: 20, Earned: 50, Payable: 50}},
			},
		},
		"half a cent to the even one below": {
			rules.RevenueShare{BasisPoints: 250}, []rules.Sale{{1, day, 100}}, map[int64][]rules.Author{1: {{10, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 100, Amount: 2, Shares: []rules.RoyaltyShare{{10, 2}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 2, Payable: 2}},
			},
		},
		"half a cent to the even one above": {
			rules.RevenueShare{BasisPoints: 50}, []rules.Sale{{1, day, 300}, {2, day, -300}}, map[int64][]rules.Author{1: {{10, 1}}, 2: {{11, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{
					{Idea: 1, Base: 300, Amount: 2, Shares: []rules.RoyaltyShare{{10, 2}}}, {Idea: 2, Base: -300, Amount: -2, Shares: []rules.RoyaltyShare{{11, -2}}},
				},
				Payouts: []rules.Payout{{Member: 10, Earned: 2, Payable: 2}, {Member: 11, Earned: -2, Forward: -2}},
			},
		},
		"under the minimum, carried on": {
			rules.RevenueShare{BasisPoints: 100, Minimum: 1_000}, []rules.Sale{{1, day, 60_000}}, map[int64][]rules.Author{1: {{10, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 60_000, Amount: 600, Shares: []rules.RoyaltyShare{{10, 600}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 600, Forward: 600}},
			},
		},
		"the minimum reached with what was carried": {
			rules.RevenueShare{BasisPoints: 100, Minimum: 1_000}, []rules.Sale{{1, day, 40_000}}, map[int64][]rules.Author{1: {{10, 1}}}, map[int64]int64{10: 600, 11: 5},
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 40_000, Amount: 400, Shares: []rules.RoyaltyShare{{10, 400}}}},
				Payouts:   []rules.Payout{{Member: 10, Carried: 600, Earned: 400, Payable: 1_000}, {Member: 11, Carried: 5, Forward: 5}},
			},
		},
		"the last day counts, the next does not": {
			rules.RevenueShare{BasisPoints: 1000, Until: "2027-03-01"}, []rules.Sale{{1, "2027-03-01", 1_000}, {1, "2027-03-02", 500}},
			map[int64][]rules.Author{1: {{10, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 1_000, Amount: 100, Shares: []rules.RoyaltyShare{{10, 100}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 100, Payable: 100}},
			},
		},
		"an idea without authors": {
			rules.RevenueShare{BasisPoints: 1000}, []rules.Sale{{1, day, 1_000}}, nil, nil,
			rules.Statement{Royalties: []rules.Royalty{{Idea: 1, Base: 1_000}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			share := tc.share
			share.Base = rules.BaseNetSales
			e := compile(t, rules.Policy{RevenueShare: &share, Currency: "EUR"})
			if diff := cmp.Diff(tc.want, e.Statement(tc.sales, tc.authors, tc.carried)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := compile(t, rules.Policy{}).Statement([]rules.Sale{{1, day, 1_000}}, two, nil); len(got.Royalties)+len(got.Payouts) > 0 {
		t.Errorf("without a revenue share the statement is %v", got)
	}
}

func TestRank(t *testing.T) {
	got := rules.Rank(map[int64]float64{1: 4, 2: 9.5, 3: 4, 4: 1})
	want := []rules.Place{{2, 1}, {1, 2}, {3, 2}, {4, 4}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAwards(t *testing.T) {
	prizes := []rules.Prize{
		{FromRank: 1, Amount: 50_000}, {FromRank: 2, Amount: 25_001}, {FromRank: 3, ToRank: 4, Amount: 1_000}, {FromRank: 1, ToRank: 2},
		{FromRank: 5},
	}
	for i := range prizes {
		prizes[i].Title = map[string]string{"en": "x"}
	}
	for name, tc := range map[string]struct {
		places []rules.Place
		want   []rules.Award
	}{
		"nobody": {nil, nil},
		"clear ranks": {
			[]rules.Place{{7, 1}, {8, 2}, {9, 3}, {10, 5}},
			[]rules.Award{{7, 1, 0, 50_000}, {7, 1, 3, 0}, {8, 2, 1, 25_001}, {8, 2, 3, 0}, {9, 3, 2, 1_000}, {10, 5, 4, 0}},
		},
		"two first ones share both sums, and each gets the gift": {
			[]rules.Place{{8, 1}, {7, 1}, {9, 3}},
			[]rules.Award{{7, 1, 0, 37_501}, {7, 1, 3, 0}, {8, 1, 0, 37_500}, {8, 1, 3, 0}, {9, 3, 2, 1_000}},
		},
		"three second ones share the sums of three ranks": {
			[]rules.Place{{7, 2}, {8, 2}, {9, 2}},
			[]rules.Award{{7, 2, 1, 9_001}, {7, 2, 3, 0}, {8, 2, 1, 9_000}, {8, 2, 3, 0}, {9, 2, 1, 9_000}, {9, 2, 3, 0}},
		},
		"a tie that reaches down to the gift of a lower rank goes without it": {
			[]rules.Place{{7, 3}, {8, 3}, {9, 3}},
			[]rules.Award{{7, 3, 2, 667}, {8, 3, 2, 667}, {9, 3, 2, 666}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := compile(t, rules.Policy{Prizes: prizes, Currency: "EUR"}).Awards(tc.places)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
