package rules

import (
	"math/big"
	"math/bits"
	"slices"
	"strings"
)

// MaxAmount bounds an amount in minor units, so that sums of a hundred thousand of them stay far from overflowing.
const MaxAmount = 1_000_000_000_000

// currencies are the codes of ISO 4217 that money is paid in, by the number of digits of their minor unit. Funds,
// metals and codes for testing are left out.
var currencies = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC " +
		"CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR " +
		"JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD " +
		"NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN " +
		"SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
	3: "BHD IQD JOD KWD LYD OMR TND",
}

// CurrencyDigits is the number of digits of a currency's minor unit: 2 for EUR, 0 for JPY. ok is false for what is no
// code of ISO 4217.
func CurrencyDigits(code string) (digits int, ok bool) {
	if len(code) != 3 || strings.Contains(code, " ") {
		return 0, false
	}
	for digits, codes := range currencies {
		if slices.Contains(strings.Fields(codes), code) {
			return digits, true
		}
	}
	return 0, false
}

// basis is the number of basis points in the whole.
const basis = 10_000

// part is so many basis points of an amount, rounded to the nearest minor unit and halves to the even one, so that many
// roundings favour nobody.
func part(amount int64, basisPoints int) int64 {
	product := new(big.Int).Mul(big.NewInt(amount), big.NewInt(int64(basisPoints)))
	unit := big.NewInt(basis)
	// Euclidean: the rest is never negative, so halves are told the same way on both sides of zero.
	quotient, rest := new(big.Int).DivMod(product, unit, new(big.Int))
	switch twice := rest.Lsh(rest, 1).Cmp(unit); {
	case twice > 0, twice == 0 && quotient.Bit(0) == 1:
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient.Int64()
}

// Split divides an amount by weights into parts that sum to it exactly. Each part is the exact one, rounded down or
// up; those with the largest rest are rounded up, among equals the earlier. Weights are not negative; where they are
// all zero, each counts the same. No weights give nil.
func Split(amount int64, weights []int64) []int64 {
	if len(weights) == 0 {
		return nil
	}
	if amount < 0 {
		parts := Split(-amount, weights)
		for i := range parts {
			parts[i] = -parts[i]
		}
		return parts
	}
	var sum uint64
	for _, w := range weights {
		sum += uint64(max(w, 0))
	}
	if sum == 0 {
		weights = slices.Repeat([]int64{1}, len(weights))
		sum = uint64(len(weights))
	}
	parts, rests, left := make([]int64, len(weights)), make([]uint64, len(weights)), amount
	for i, w := range weights {
		// A weight is at most the sum, so the quotient is at most the amount and fits.
		high, low := bits.Mul64(uint64(amount), uint64(max(w, 0)))
		quotient, rest := bits.Div64(high, low, sum)
		parts[i], rests[i] = int64(quotient), rest //nolint:gosec // at most the amount
		left -= parts[i]
	}
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case rests[a] > rests[b]:
			return -1
		case rests[a] < rests[b]:
			return 1
		}
		return 0
	})
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}
