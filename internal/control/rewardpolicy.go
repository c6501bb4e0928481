package control

// RewardPolicy is what a brand declares of recognition.
type RewardPolicy struct {
	Rules  []RewardRule `json:"rules,omitempty"`
	Levels []Level      `json:"levels,omitempty"`
	Badges []Badge      `json:"badges,omitempty"`
	Prizes []Prize      `json:"prizes,omitempty"`
	// RevenueShare of ideas that were launched.
	RevenueShare *RevenueShare `json:"revenueShare,omitempty"`
	// Currency of payouts, an ISO 4217 code.
	Currency string `json:"currency,omitempty"`
}

// RewardRule gives points for an event.
type RewardRule struct {
	Name string `json:"name"`
	// Event is the kind of an event, such as "idea.selected".
	Event string `json:"event"`
	// Condition is a CEL expression over the event; empty means always.
	Condition string `json:"condition,omitempty"`
	Points    int    `json:"points"`
	// DailyCap bounds the points of the rule per member and day of the community's time zone; 0 means none.
	DailyCap int `json:"dailyCap,omitempty"`
	// To is who receives them: "actor" (the default), each "author" of the idea, or the "subject" whom the event
	// concerns. What becomes of an idea, such as idea.published or idea.selected, counts as done by its authors.
	To string `json:"to,omitempty"`
}

// Level that a member reaches with so many points; levels count from 1 in the order of their points.
type Level struct {
	Name   string            `json:"name"`
	Title  map[string]string `json:"title"`
	Points int               `json:"points"`
}

// Badge that a member receives once.
type Badge struct {
	Name  string            `json:"name"`
	Title map[string]string `json:"title"`
	Text  map[string]string `json:"text,omitempty"`
	// Event and Count: after so many of the member's events; 1 when 0.
	Event string `json:"event"`
	Count int    `json:"count,omitempty"`
	// Condition is a CEL expression over the event; empty means always.
	Condition string `json:"condition,omitempty"`
	// To is as a rule's.
	To string `json:"to,omitempty"`
}

// Prize of a rank in challenges that name the policy.
type Prize struct {
	// Rank from FromRank to ToRank, inclusive; ToRank 0 means FromRank alone.
	FromRank int               `json:"fromRank"`
	ToRank   int               `json:"toRank,omitempty"`
	Title    map[string]string `json:"title"`
	// Amount in the minor unit of the policy's currency; 0 for a prize in kind.
	Amount int64 `json:"amount,omitempty"`
}

// RevenueShare of sales of what members created.
type RevenueShare struct {
	// BasisPoints of the base: 100 is one percent.
	BasisPoints int `json:"basisPoints"`
	// Base is "netSales" or "grossSales".
	Base string `json:"base"`
	// Minimum payout in minor units; what is below is carried over.
	Minimum int64 `json:"minimum,omitempty"`
	// Until is the last day of sales that count, "2030-12-31"; empty means no end.
	Until string `json:"until,omitempty"`
}
