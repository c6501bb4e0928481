package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RewardPolicy is how a brand recognises what members do: points, levels, badges, prizes and a share of revenue. The
// operator keeps it in force inside the running idea service. A changed policy counts from then on: what the ledger
// holds stays.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,path=rewardpolicies,shortName=reward;rewards,categories=cocreation
// +kubebuilder:printcolumn:name="Community",type=string,JSONPath=".spec.communityRef.name"
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=".status.members"
// +kubebuilder:printcolumn:name="Points issued",type=integer,JSONPath=".status.pointsIssued"
// +kubebuilder:printcolumn:name="Payouts due",type=integer,JSONPath=".status.payoutsDue"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Due",type=string,JSONPath=".status.payoutsDueAmount",priority=1
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type RewardPolicy struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand gives.
	// +required
	Spec RewardPolicySpec `json:"spec"`
	// status is what the operator last saw in the idea service.
	// +optional
	Status RewardPolicyStatus `json:"status,omitempty"`
}

// RewardPolicyList is a list of RewardPolicies.
//
// +kubebuilder:object:root=true
type RewardPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RewardPolicy `json:"items"`
}

// RewardPolicySpec is what the brand gives.
//
// +kubebuilder:validation:XValidation:rule="has(self.currency) || !has(self.prizes) || !self.prizes.exists(p, has(p.amount))",message="currency is required where a prize has an amount: an ISO 4217 code such as EUR",fieldPath=".currency"
// +kubebuilder:validation:XValidation:rule="has(self.currency) || !has(self.revenueShare)",message="currency is required with revenueShare: an ISO 4217 code such as EUR",fieldPath=".currency"
type RewardPolicySpec struct {
	// communityRef names the Community whose members are rewarded. It never changes.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="communityRef never changes: create the policy in the other community, and delete this one"
	CommunityRef CommunityReference `json:"communityRef"`
	// rules that give points for events. The ledger keeps what each gave by its name.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Rules []RewardRule `json:"rules,omitempty"`
	// levels that members reach by their points, from the lowest.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.map(l, l.points).isSorted() && self.all(l, self.exists_one(o, o.points == l.points))",message="levels must rise: each asks for more points than the one before, such as 10, 100, 500"
	Levels []Level `json:"levels,omitempty"`
	// badges that members receive once.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Badges []Badge `json:"badges,omitempty"`
	// prizes of challenges that name this policy, by rank.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Prizes []Prize `json:"prizes,omitempty"`
	// revenueShare of ideas that were launched goes to their authors.
	// +optional
	RevenueShare *RevenueShare `json:"revenueShare,omitempty"`
	// currency of prizes and payouts, an ISO 4217 code such as EUR.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z]{3}$')",message="currency must be an ISO 4217 code of three capital letters, such as EUR"
	Currency string `json:"currency,omitempty"`

	// driftPolicy says what the operator does when the idea service no longer works by this spec, such as after a
	// restore: Correct (when absent) declares it again, Report says so and leaves it.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`
	// deletionPolicy says what becomes of the policy in the idea service when this object is deleted: Archive (when
	// absent) ends it, and members keep what they have; Retain leaves it in force as it was declared last.
	// +optional
	DeletionPolicy WithdrawalPolicy `json:"deletionPolicy,omitempty"`
	// suspend stops the operator from changing anything about this policy in the idea service, where it stays in force
	// as it was declared last.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// EventName is the kind of an event, such as idea.published or idea.selected; docs/how-to/reward-members.md lists all.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-zA-Z]*[.][a-zA-Z]+$')",message="must be an event such as idea.published"
type EventName string

// EventCondition is a CEL expression over an event, such as "idea.supporters >= 10"; always when absent. The idea service
// reads it before anything changes, and names the line and the column of a mistake.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=1024
type EventCondition string

// Recipient says who receives a reward.
//
// +kubebuilder:validation:Enum=actor;author;subject
type Recipient string

// RewardRule gives points for an event.
//
// +kubebuilder:validation:XValidation:rule="!has(self.dailyCap) || self.dailyCap >= self.points",message="dailyCap must not be less than the points of one event; raise it, or remove it for no cap",fieldPath=".dailyCap"
type RewardRule struct {
	// name that the ledger keeps the points by.
	// +required
	Name KeyName `json:"name"`
	// event that gives points, such as idea.published or idea.selected.
	// +required
	Event EventName `json:"event"`
	// condition on the event, a CEL expression such as "idea.supporters >= 10"; always when absent.
	// +optional
	Condition EventCondition `json:"condition,omitempty"`
	// points given.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Points int32 `json:"points"`
	// dailyCap bounds the points of the rule per member and day of the community's time zone; none when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	DailyCap int32 `json:"dailyCap,omitempty"`
	// to is who receives them: the actor (when absent), each author of the idea, or the subject whom the event concerns.
	// +optional
	To Recipient `json:"to,omitempty"`
}

// Level that a member reaches with so many points; levels count from 1.
type Level struct {
	// name of the level.
	// +required
	Name KeyName `json:"name"`
	// title by locale.
	// +required
	Title TextByLocale `json:"title"`
	// points at which it is reached.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	Points int32 `json:"points"`
}

// Badge that a member receives once.
type Badge struct {
	// name that the award is kept by.
	// +required
	Name KeyName `json:"name"`
	// title by locale.
	// +required
	Title TextByLocale `json:"title"`
	// text by locale: what it is given for.
	// +optional
	Text NoticeByLocale `json:"text,omitempty"`
	// event that it is given for, such as idea.published.
	// +required
	Event EventName `json:"event"`
	// count of the member's events after which it is given; 1 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	Count int32 `json:"count,omitempty"`
	// condition on the event, a CEL expression such as "idea.supporters >= 10"; always when absent.
	// +optional
	Condition EventCondition `json:"condition,omitempty"`
	// to is who receives it: the actor (when absent), each author of the idea, or the subject whom the event concerns.
	// +optional
	To Recipient `json:"to,omitempty"`
}

// Prize of a rank.
//
// +kubebuilder:validation:XValidation:rule="!has(self.toRank) || self.fromRank <= self.toRank",message="toRank must not be less than fromRank",fieldPath=".toRank"
type Prize struct {
	// fromRank is the first rank that gets it, 1 for the winner.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	FromRank int32 `json:"fromRank"`
	// toRank is the last rank that gets it; fromRank alone when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	ToRank int32 `json:"toRank,omitempty"`
	// title by locale: what the winner gets.
	// +required
	Title TextByLocale `json:"title"`
	// amount in minor units of the currency: 50000 is 500.00 EUR. Absent for a prize in kind.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000000
	Amount int64 `json:"amount,omitempty"`
}

// RevenueBase says of which sales a share is counted.
//
// +kubebuilder:validation:Enum=netSales;grossSales
type RevenueBase string

// RevenueShare of sales of what members created.
type RevenueShare struct {
	// basisPoints of the base: 100 is one percent.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	BasisPoints int32 `json:"basisPoints"`
	// base is netSales or grossSales.
	// +required
	Base RevenueBase `json:"base"`
	// minimum payout in minor units of the currency; what is below is carried over. None when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000000
	Minimum int64 `json:"minimum,omitempty"`
	// until is the last day of sales that count, such as "2030-12-31"; no end when absent.
	// +optional
	Until Date `json:"until,omitempty"`
}

// RewardPolicyStatus is what the operator last saw of a reward policy in the idea service.
type RewardPolicyStatus struct {
	// observedGeneration is the generation that this status was made from.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the policy: Ready sums up; InForce is its part. Reconciling and Stalled are present while they are
	// true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// inForce tells which declaration the idea service works by; absent until there is one.
	// +optional
	InForce *InForceStatus `json:"inForce,omitempty"`
	// members of the community.
	// +optional
	Members int64 `json:"members"`
	// pointsIssued by all generations of the policy, less what was taken back.
	// +optional
	PointsIssued int64 `json:"pointsIssued"`
	// payoutsDue counts what statements owe and is not paid yet.
	// +optional
	PayoutsDue int64 `json:"payoutsDue"`
	// payoutsDueAmount is the sum of payoutsDue with its currency, such as "1250.00 EUR".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	PayoutsDueAmount string `json:"payoutsDueAmount,omitempty"`
	// pricing is what this spec would have given for everything that has happened, as the annotation
	// cocreation.quaeso.io/price asked for.
	// +optional
	Pricing *PricingStatus `json:"pricing,omitempty"`
}

// PricingStatus is what a policy would have given for everything that has happened. Making it writes nothing in the idea
// service.
type PricingStatus struct {
	// request is the value of the annotation that asked for it.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Request string `json:"request,omitempty"`
	// generation of the spec that was priced.
	// +optional
	Generation int64 `json:"generation,omitempty"`
	// members who have taken part in any event.
	// +optional
	Members int64 `json:"members"`
	// pointsBefore are the points that the ledger has.
	// +optional
	PointsBefore int64 `json:"pointsBefore"`
	// pointsAfter are the points that the policy would have given.
	// +optional
	PointsAfter int64 `json:"pointsAfter"`
	// risen is the number of members whose level would be a higher one.
	// +optional
	Risen int64 `json:"risen"`
	// fallen is the number of members whose level would be a lower one.
	// +optional
	Fallen int64 `json:"fallen"`
	// levels by their number, from those without one.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=21
	Levels []LevelPrice `json:"levels,omitempty"`
	// badges of the policy.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Badges []BadgePrice `json:"badges,omitempty"`
	// failures are conditions that could not be evaluated for some events, and so did not hold.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	Failures []PriceFailure `json:"failures,omitempty"`
}

// LevelPrice is how many members have a level, and would have it.
type LevelPrice struct {
	// level is its number; 0 stands for none.
	Level int32 `json:"level"`
	// name of the level.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`
	// before is how many members have it.
	Before int64 `json:"before"`
	// after is how many members would have it.
	After int64 `json:"after"`
}

// BadgePrice is how many members have a badge, and would have it.
type BadgePrice struct {
	// name of the badge.
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// before is how many members have it.
	Before int64 `json:"before"`
	// after is how many members would have it.
	After int64 `json:"after"`
}

// PriceFailure is a condition that could not be evaluated for some events.
type PriceFailure struct {
	// field of the spec, such as rules[2].condition.
	// +kubebuilder:validation:MaxLength=253
	Field string `json:"field"`
	// events for which it failed.
	Events int64 `json:"events"`
}
