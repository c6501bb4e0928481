package rewardpolicy

import "testing"

// Amounts are written with the decimal places of their currency.
func TestMoney(t *testing.T) {
	for _, tc := range []struct {
		amount   int64
		currency string
		want     string
	}{{125000, "EUR", "1250.00 EUR"}, {5, "EUR", "0.05 EUR"}, {0, "EUR", "0.00 EUR"}, {1250, "JPY", "1250 JPY"}, {1250, "KWD", "1.250 KWD"}, {-5, "EUR", "-0.05 EUR"}} {
		if got := money(tc.amount, tc.currency); got != tc.want {
			t.Errorf("%d %s is %q, want %q", tc.amount, tc.currency, got, tc.want)
		}
	}
}
