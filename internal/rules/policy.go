// Package rules is the pure engine of recognition: what members get points, badges, prizes and a share of revenue
// for. It knows neither a database nor Kubernetes nor the time, so that both programs come to the same result: the
// operator when it checks a policy, the idea service when it applies one.
//
// The expressions are CEL. Their machinery takes memory, so nothing of it is made before the first policy with a
// condition is compiled.
package rules

// Policy is how a community recognises what its members do.
type Policy struct {
	// Rules give points for events.
	Rules []Rule `json:"rules,omitempty"`
	// Levels that members reach by their points, the lowest threshold first.
	Levels []Level `json:"levels,omitempty"`
	// Badges are awarded once and kept.
	Badges []Badge `json:"badges,omitempty"`
	// Prizes of a decided challenge.
	Prizes []Prize `json:"prizes,omitempty"`
	// RevenueShare pays authors a part of what their ideas sell; nil for none.
	RevenueShare *RevenueShare `json:"revenueShare,omitempty"`
	// PayoutCurrency is the ISO 4217 code in which shares of revenue are computed and paid.
	PayoutCurrency string `json:"payoutCurrency,omitempty"`
}

// Rule gives a member points when something happens.
type Rule struct {
	Name string `json:"name"`
	// Event that the rule is about.
	Event string `json:"event"`
	// Condition is a CEL expression over the facts of the event; empty holds always.
	Condition string `json:"condition,omitempty"`
	Points    int64  `json:"points"`
	// DailyCap is the most points that one member gets by this rule on one day of the community's time zone; 0 for
	// no cap. The event that would exceed it gives what is left.
	DailyCap int64 `json:"dailyCap,omitempty"`
}

// Level is reached with a number of points.
type Level struct {
	Name      string            `json:"name"`
	Title     map[string]string `json:"title,omitempty"`
	Threshold int64             `json:"threshold"`
}

// Badge is awarded to a member for whom an event has met the condition the given number of times.
type Badge struct {
	Name  string            `json:"name"`
	Title map[string]string `json:"title,omitempty"`
	Text  map[string]string `json:"text,omitempty"`
	// Event that counts; empty for any, such as for a badge that depends on the member's points alone.
	Event string `json:"event,omitempty"`
	// Condition is as a rule's; points and level are those after the event.
	Condition string `json:"condition,omitempty"`
	// Count of events needed, 1 when 0.
	Count int64 `json:"count,omitempty"`
}

// Prize belongs to a rank, or to each of the ranks from Rank to LastRank. It is an amount of money or a text.
type Prize struct {
	Rank int64 `json:"rank"`
	// LastRank is Rank when 0.
	LastRank int64 `json:"lastRank,omitempty"`
	// Amount in minor units of the currency.
	Amount   int64  `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	// Text describes what is no money, by locale.
	Text map[string]string `json:"text,omitempty"`
}

// Bases of a revenue share.
const (
	// BaseNetSales is what was sold, less taxes, discounts and returns.
	BaseNetSales = "NetSales"
	// BaseGrossSales is what buyers paid.
	BaseGrossSales = "GrossSales"
)

// RevenueShare is the authors' part of what an idea sells.
type RevenueShare struct {
	// Percentage is a decimal number with up to four digits after the point, such as "1" or "2.5".
	Percentage string `json:"percentage"`
	Base       string `json:"base"`
	// Minimum is the smallest amount that is paid out, in minor units; less is carried to the next statement.
	Minimum int64 `json:"minimum,omitempty"`
	// Until is the last day ("2027-12-31") whose sales count; empty for no end.
	Until string `json:"until,omitempty"`
}
