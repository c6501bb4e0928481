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
			rules.RevenueShare{Percentage: "1"}, []rules.Sale{{1, day, 100_000}, {1, day, 50_000}}, map[int64][]rules.Author{1: {{10, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 150_000, Amount: 1_500, Shares: []rules.RoyaltyShare{{10, 1_500}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 1_500, Payable: 1_500}},
			},
		},
		"an odd cent goes to the first member": {
			rules.RevenueShare{Percentage: "1"}, []rules.Sale{{1, day, 10_100}}, two, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 10_100, Amount: 101, Shares: []rules.RoyaltyShare{{10, 51}, {20, 50}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 51, Payable: 51}, {Member: 20, Earned: 50, Payable: 50}},
			},
		},
		"half a cent to the even one below": {
			rules.RevenueShare{Percentage: "2.5"}, []rules.Sale{{1, day, 100}}, map[int64][]rules.Author{1: {{10, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 100, Amount: 2, Shares: []rules.RoyaltyShare{{10, 2}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 2, Payable: 2}},
			},
		},
		"half a cent to the even one above": {
			rules.RevenueShare{Percentage: "0.5"}, []rules.Sale{{1, day, 300}, {2, day, -300}}, map[int64][]rules.Author{1: {{10, 1}}, 2: {{11, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{
					{Idea: 1, Base: 300, Amount: 2, Shares: []rules.RoyaltyShare{{10, 2}}}, {Idea: 2, Base: -300, Amount: -2, Shares: []rules.RoyaltyShare{{11, -2}}},
				},
				Payouts: []rules.Payout{{Member: 10, Earned: 2, Payable: 2}, {Member: 11, Earned: -2, Forward: -2}},
			},
		},
		"under the minimum, carried on": {
			rules.RevenueShare{Percentage: "1", Minimum: 1_000}, []rules.Sale{{1, day, 60_000}}, map[int64][]rules.Author{1: {{10, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 60_000, Amount: 600, Shares: []rules.RoyaltyShare{{10, 600}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 600, Forward: 600}},
			},
		},
		"the minimum reached with what was carried": {
			rules.RevenueShare{Percentage: "1", Minimum: 1_000}, []rules.Sale{{1, day, 40_000}}, map[int64][]rules.Author{1: {{10, 1}}}, map[int64]int64{10: 600, 11: 5},
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 40_000, Amount: 400, Shares: []rules.RoyaltyShare{{10, 400}}}},
				Payouts:   []rules.Payout{{Member: 10, Carried: 600, Earned: 400, Payable: 1_000}, {Member: 11, Carried: 5, Forward: 5}},
			},
		},
		"the last day counts, the next does not": {
			rules.RevenueShare{Percentage: "10", Until: "2027-03-01"}, []rules.Sale{{1, "2027-03-01", 1_000}, {1, "2027-03-02", 500}},
			map[int64][]rules.Author{1: {{10, 1}}}, nil,
			rules.Statement{
				Royalties: []rules.Royalty{{Idea: 1, Base: 1_000, Amount: 100, Shares: []rules.RoyaltyShare{{10, 100}}}},
				Payouts:   []rules.Payout{{Member: 10, Earned: 100, Payable: 100}},
			},
		},
		"an idea without authors": {
			rules.RevenueShare{Percentage: "10"}, []rules.Sale{{1, day, 1_000}}, nil, nil,
			rules.Statement{Royalties: []rules.Royalty{{Idea: 1, Base: 1_000}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			share := tc.share
			share.Base = rules.BaseNetSales
			e := compile(t, rules.Policy{RevenueShare: &share, PayoutCurrency: "EUR"})
			if diff := cmp.Diff(tc.want, e.Statement(tc.sales, tc.authors, tc.carried)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := compile(t, rules.Policy{}).Statement([]rules.Sale{{1, day, 1_000}}, two, nil); len(got.Royalties)+len(got.Payouts) > 0 {
		t.Errorf("without a revenue share the statement is %v", got)
	}
}

func TestPercentages(t *testing.T) {
	for text, ok := range map[string]bool{
		"1": true, "100": true, "0.0001": true, "2.5": true, "99.9999": true, "0": false, "0.0": false, "100.0001": false, "": false, ".5": false,
		"5.": false, "1e1": false, "-1": false, "+1": false, "1.00001": false, "1,5": false, "1.5%": false, "٣": false,
	} {
		_, err := rules.Compile(rules.Policy{
			RevenueShare: &rules.RevenueShare{Percentage: text, Base: rules.BaseGrossSales}, PayoutCurrency: "EUR",
		})
		if (err == nil) != ok {
			t.Errorf("percentage %q gives %v", text, err)
		}
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
	cup := map[string]string{"en": "A cup"}
	prizes := []rules.Prize{
		{Rank: 1, Amount: 50_000, Currency: "EUR"}, {Rank: 2, Amount: 25_001, Currency: "EUR"}, {Rank: 3, LastRank: 4, Amount: 1_000, Currency: "CHF"},
		{Rank: 1, LastRank: 2, Text: cup},
	}
	for name, tc := range map[string]struct {
		places []rules.Place
		want   []rules.Award
	}{
		"nobody": {nil, nil},
		"clear ranks": {
			[]rules.Place{{7, 1}, {8, 2}, {9, 3}, {10, 5}},
			[]rules.Award{
				{Entry: 7, Rank: 1, Prize: 0, Amount: 50_000, Currency: "EUR"}, {Entry: 7, Rank: 1, Prize: 3, Text: cup},
				{Entry: 8, Rank: 2, Prize: 1, Amount: 25_001, Currency: "EUR"}, {Entry: 8, Rank: 2, Prize: 3, Text: cup},
				{Entry: 9, Rank: 3, Prize: 2, Amount: 1_000, Currency: "CHF"},
			},
		},
		"two first ones share both sums, and each gets the cup": {
			[]rules.Place{{8, 1}, {7, 1}, {9, 3}},
			[]rules.Award{
				{Entry: 7, Rank: 1, Prize: 0, Amount: 37_501, Currency: "EUR"}, {Entry: 7, Rank: 1, Prize: 3, Text: cup},
				{Entry: 8, Rank: 1, Prize: 0, Amount: 37_500, Currency: "EUR"}, {Entry: 8, Rank: 1, Prize: 3, Text: cup},
				{Entry: 9, Rank: 3, Prize: 2, Amount: 1_000, Currency: "CHF"},
			},
		},
		"three second ones share two currencies": {
			[]rules.Place{{7, 2}, {8, 2}, {9, 2}},
			[]rules.Award{
				{Entry: 7, Rank: 2, Prize: 1, Amount: 8_334, Currency: "EUR"}, {Entry: 7, Rank: 2, Prize: 2, Amount: 667, Currency: "CHF"}, {Entry: 7, Rank: 2, Prize: 3, Text: cup},
				{Entry: 8, Rank: 2, Prize: 1, Amount: 8_334, Currency: "EUR"}, {Entry: 8, Rank: 2, Prize: 2, Amount: 667, Currency: "CHF"}, {Entry: 8, Rank: 2, Prize: 3, Text: cup},
				{Entry: 9, Rank: 2, Prize: 1, Amount: 8_333, Currency: "EUR"}, {Entry: 9, Rank: 2, Prize: 2, Amount: 666, Currency: "CHF"}, {Entry: 9, Rank: 2, Prize: 3, Text: cup},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := compile(t, rules.Policy{Prizes: prizes}).Awards(tc.places)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
