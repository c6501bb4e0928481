package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CommunityReference names a Community.
type CommunityReference struct {
	// name of a Community in this namespace. It may be created later: until then the object waits and says so.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Name string `json:"name"`
}

// DriftPolicy says what the operator does when the idea service no longer works by an object, such as after a restore
// of an earlier database.
//
// +kubebuilder:validation:Enum=Correct;Report
type DriftPolicy string

// Drift policies.
const (
	// DriftCorrect declares the object again.
	DriftCorrect DriftPolicy = "Correct"
	// DriftReport says so in the condition InForce, and changes nothing until the spec changes.
	DriftReport DriftPolicy = "Report"
)

// WithdrawalPolicy says what becomes of a Challenge or a RewardPolicy inside the idea service when the object is
// deleted. What members wrote is never lost.
//
// +kubebuilder:validation:Enum=Archive;Retain
type WithdrawalPolicy string

// Withdrawal policies.
const (
	// WithdrawArchive archives it: it takes part in nothing more and stays readable for the team.
	WithdrawArchive WithdrawalPolicy = "Archive"
	// WithdrawRetain leaves it in force as it was declared last.
	WithdrawRetain WithdrawalPolicy = "Retain"
)

// ItemName names something inside an object, such as a field, a question or a theme.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z][-A-Za-z0-9_]*$')",message="a name must start with a letter and use letters, digits, '-' and '_', such as cabin-comfort"
type ItemName string

// KeyName names something that the ledger or a team's page shows for years, such as a rule, a badge or an objective.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="a name must use lower-case letters, digits and '-', such as first-idea"
type KeyName string

// ObjectName is the name of another object of this namespace that belongs to the same community.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of an object of this namespace and the same community: a-z, 0-9, '-' and '.'"
type ObjectName string

// Email is an address without a display name.
//
// +kubebuilder:validation:MaxLength=254
// +kubebuilder:validation:XValidation:rule="self.matches('^[^@ <>(),;:\"\\\\[\\\\]\\\\\\\\]+@[^@ .]+([.][^@ .]+)+$')",message="must be an e-mail address alone, such as jury@brand.example"
type Email string

// LocalTime is a time of day in the community's time zone. One that clocks skip when daylight saving begins is refused
// by the idea service; one that comes twice when it ends is the first.
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:XValidation:rule="self.matches('^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]$')",message="must be a time in the community's time zone, without seconds and offset, such as 2027-06-01T09:00"
type LocalTime string

// Date is a day of the calendar.
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:XValidation:rule="self.matches('^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')",message="must be a day such as 2027-06-30"
type Date string

// LabelByLocale is what is asked or offered, in several languages: one line of at most 300 characters each.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=2
// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['fr', 'en'])",message="locales are fr and en"
// +kubebuilder:validation:XValidation:rule="self.all(k, size(self[k].trim()) > 0)",message="a text must not be empty: write it, or remove its locale"
type LabelByLocale map[string]LabelText

// LabelText is one line of at most 300 characters.
//
// +kubebuilder:validation:MaxLength=300
// +kubebuilder:validation:XValidation:rule="!self.matches('[\\\\x00-\\\\x1f\\\\x7f-\\\\x{9f}\\\\x{61c}\\\\x{200b}\\\\x{200e}\\\\x{200f}\\\\x{2028}-\\\\x{202e}\\\\x{2060}\\\\x{2066}-\\\\x{2069}\\\\x{feff}]')",message="a text must be one line without control, invisible or text-direction characters"
type LabelText string

// NoticeByLocale is a short text in several languages, of at most 500 characters each.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=2
// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['fr', 'en'])",message="locales are fr and en"
// +kubebuilder:validation:XValidation:rule="self.all(k, size(self[k].trim()) > 0)",message="a text must not be empty: write it, or remove its locale"
type NoticeByLocale map[string]NoticeText

// NoticeText has at most 500 characters.
//
// +kubebuilder:validation:MaxLength=500
type NoticeText string

// PassageByLocale is a text in Markdown in several languages, of at most 4,000 characters each.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=2
// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['fr', 'en'])",message="locales are fr and en"
// +kubebuilder:validation:XValidation:rule="self.all(k, size(self[k].trim()) > 0)",message="a text must not be empty: write it, or remove its locale"
type PassageByLocale map[string]PassageText

// PassageText has at most 4,000 characters.
//
// +kubebuilder:validation:MaxLength=4000
type PassageText string

// DocumentByLocale is a long text in Markdown in several languages, of at most 20,000 characters each.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=2
// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['fr', 'en'])",message="locales are fr and en"
// +kubebuilder:validation:XValidation:rule="self.all(k, size(self[k].trim()) > 0)",message="a text must not be empty: write it, or remove its locale"
type DocumentByLocale map[string]DocumentText

// DocumentText has at most 20,000 characters.
//
// +kubebuilder:validation:MaxLength=20000
type DocumentText string

// Option is one of several to choose from.
type Option struct {
	// name is the key that answers are kept and exported by. Keep it when the label changes.
	// +required
	Name ItemName `json:"name"`
	// label by locale: what people see.
	// +required
	Label TextByLocale `json:"label"`
}

// Quota is a segment's share of participants that would be representative.
type Quota struct {
	// attribute is the name of one of the house's attributes, or in recruiting also of a screening question.
	// +required
	Attribute ItemName `json:"attribute"`
	// value is the name of one of its options.
	// +required
	Value ItemName `json:"value"`
	// percent of all participants, 1 to 100.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Percent int32 `json:"percent"`
}

// ModerationTime says when contributions are looked at.
//
// +kubebuilder:validation:Enum=before;after
type ModerationTime string

// Times of moderation.
const (
	ModerationBefore ModerationTime = "before"
	ModerationAfter  ModerationTime = "after"
)

// TeamRole is a role of the brand's team.
//
// +kubebuilder:validation:Enum=lead;implementer;host;follow-up;moderator
type TeamRole string

// InForceStatus tells which declaration the idea service works by.
type InForceStatus struct {
	// generation of this object that is in force. Lower than metadata.generation: the change is on its way, or was
	// refused.
	// +optional
	Generation int64 `json:"generation,omitempty"`
	// digest of the declaration in force.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Digest string `json:"digest,omitempty"`
	// since is when the operator saw it come into force.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
}

// RepresentativenessStatus compares who takes part with the quotas, by the segment that is furthest from its own.
type RepresentativenessStatus struct {
	// attribute of the segment.
	// +kubebuilder:validation:MaxLength=63
	Attribute string `json:"attribute"`
	// value of the attribute.
	// +kubebuilder:validation:MaxLength=63
	Value string `json:"value"`
	// gapPercent is the distance between actualPercent and quotaPercent, in percentage points.
	GapPercent int32 `json:"gapPercent"`
	// actualPercent is the segment's share of the participants.
	ActualPercent int32 `json:"actualPercent"`
	// quotaPercent is its share by the quota.
	QuotaPercent int32 `json:"quotaPercent"`
}
