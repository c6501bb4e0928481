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
	// Levels that members reach by their points, the lowest first. They count from 1.
	Levels []Level `json:"levels,omitempty"`
	// Badges are awarded once and kept.
	Badges []Badge `json:"badges,omitempty"`
	// Prizes of a decided challenge.
	Prizes []Prize `json:"prizes,omitempty"`
	// RevenueShare pays authors a part of what their ideas sell; nil for none.
	RevenueShare *RevenueShare `json:"revenueShare,omitempty"`
	// Currency of prizes and payouts, an ISO 4217 code.
	Currency string `json:"currency,omitempty"`
}

// Who receives what a rule or a badge gives.
const (
	// ToActor is who did it; the default.
	ToActor = "actor"
	// ToAuthor is each author of the idea that the event is about.
	ToAuthor = "author"
	// ToSubject is whom it concerns, such as who was selected.
	ToSubject = "subject"
)

// Rule gives a member points when something happens.
type Rule struct {
	Name string `json:"name"`
	// Event that the rule is about.
	Event string `json:"event"`
	// Condition is a CEL expression over the facts of the event; empty holds always.
	Condition string `json:"condition,omitempty"`
	Points    int    `json:"points"`
	// DailyCap is the most points that one member gets by this rule on one day of the community's time zone; 0 for
	// no cap. The event that would exceed it gives what is left.
	DailyCap int `json:"dailyCap,omitempty"`
	// To is ToActor when empty.
	To string `json:"to,omitempty"`
}

// Level is reached with a number of points.
type Level struct {
	Name   string            `json:"name"`
	Title  map[string]string `json:"title"`
	Points int               `json:"points"`
}

// Badge is awarded to a member for whom an event has met the condition the given number of times.
type Badge struct {
	Name  string            `json:"name"`
	Title map[string]string `json:"title"`
	Text  map[string]string `json:"text,omitempty"`
	// Event that counts.
	Event string `json:"event"`
	// Count of events needed, 1 when 0.
	Count int `json:"count,omitempty"`
	// Condition is as a rule's; points and level are those after the event.
	Condition string `json:"condition,omitempty"`
	// To is ToActor when empty.
	To string `json:"to,omitempty"`
}

// Prize belongs to each of the ranks from FromRank to ToRank.
type Prize struct {
	FromRank int `json:"fromRank"`
	// ToRank is FromRank when 0.
	ToRank int               `json:"toRank,omitempty"`
	Title  map[string]string `json:"title"`
	// Amount in minor units of the policy's currency; 0 for a prize in kind.
	Amount int64 `json:"amount,omitempty"`
}

// Bases of a revenue share.
const (
	// BaseNetSales is what was sold, less taxes, discounts and returns.
	BaseNetSales = "netSales"
	// BaseGrossSales is what buyers paid.
	BaseGrossSales = "grossSales"
)

// RevenueShare is the authors' part of what an idea sells.
type RevenueShare struct {
	// BasisPoints of the base: 100 is one percent.
	BasisPoints int    `json:"basisPoints"`
	Base        string `json:"base"`
	// Minimum is the smallest amount that is paid out, in minor units; less is carried to the next statement.
	Minimum int64 `json:"minimum,omitempty"`
	// Until is the last day ("2027-12-31") whose sales count; empty for no end.
	Until string `json:"until,omitempty"`
}
