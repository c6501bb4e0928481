package v1alpha1

// House are a community's house rules.
type House struct {
	// moderation says when contributions are looked at: after publication when absent.
	// +optional
	Moderation *Moderation `json:"moderation,omitempty"`
	// signUp says who may become a member: everybody when absent.
	// +optional
	SignUp *SignUp `json:"signUp,omitempty"`
	// attributes are what members may say of themselves, each with their consent.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Attributes []Attribute `json:"attributes,omitempty"`
	// roles are the e-mail addresses of who has each of the team's roles: lead, implementer (product), host (dialogue with
	// members), follow-up (results) and moderator, such as {lead: [lead@brand.example]}. Who loses an address here loses the
	// role.
	// +optional
	// +kubebuilder:validation:MaxProperties=5
	// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['lead', 'implementer', 'host', 'follow-up', 'moderator'])",message="roles are lead, implementer, host, follow-up and moderator"
	Roles map[string]Addresses `json:"roles,omitempty"`
	// terms that members accept: those named community on joining, the others where a challenge names them.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +listMapKey=kind
	// +kubebuilder:validation:MaxItems=20
	Terms []Terms `json:"terms,omitempty"`
	// themes that ideas and challenges belong to.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=50
	Themes []Theme `json:"themes,omitempty"`
	// quotas are the shares of segments that make participants representative.
	// +optional
	// +listType=map
	// +listMapKey=attribute
	// +listMapKey=value
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule="self.all(q, self.filter(o, o.attribute == q.attribute).map(o, o.percent).sum() <= 100)",message="quotas of one attribute must sum to 100 percent at most"
	Quotas []Quota `json:"quotas,omitempty"`
	// objectives of the community, each measurable: a metric, a baseline, a target and a deadline.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Objectives []Objective `json:"objectives,omitempty"`
	// answerWithinDays is how long the brand takes at most to answer an idea that has qualified. No promise when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	AnswerWithinDays int32 `json:"answerWithinDays,omitempty"`
	// qualify is the number of supporters at which an idea outside a challenge qualifies for an answer. Never when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	Qualify int32 `json:"qualify,omitempty"`
	// webhooks receive events by HTTPS.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Webhooks []Webhook `json:"webhooks,omitempty"`
	// retention bounds how long personal data is kept: without end when absent.
	// +optional
	Retention *Retention `json:"retention,omitempty"`
}

// Moderation says when contributions are looked at.
type Moderation struct {
	// when is after publication (when absent) or before.
	// +optional
	When ModerationTime `json:"when,omitempty"`
	// trustedLevel is the level of the RewardPolicy from which contributions are published without waiting. None when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	TrustedLevel int32 `json:"trustedLevel,omitempty"`
	// bannedTerms are words and phrases, without regard to case and accents, that send a contribution to the queue, whatever
	// when says.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=500
	BannedTerms []BannedTerm `json:"bannedTerms,omitempty"`
}

// BannedTerm is a word or a phrase.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=80
type BannedTerm string

// SignUpPolicy says who may become a member.
//
// +kubebuilder:validation:Enum=open;invitation;domains
type SignUpPolicy string

// SignUp says who may become a member.
//
// +kubebuilder:validation:XValidation:rule="(has(self.policy) && self.policy == 'domains') == has(self.domains)",message="domains are required for policy domains and only for it: mail domains such as school.example",fieldPath=".domains"
// +kubebuilder:validation:XValidation:rule="!has(self.guardianBelow) || !has(self.minimumAge) || self.guardianBelow > self.minimumAge",message="guardianBelow must be more than minimumAge: younger ones cannot join at all",fieldPath=".guardianBelow"
type SignUp struct {
	// policy is open (when absent), invitation, or domains (those with an address of one of the domains).
	// +optional
	Policy SignUpPolicy `json:"policy,omitempty"`
	// domains are the mail domains that may join with the policy domains.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	Domains []MailDomain `json:"domains,omitempty"`
	// minimumAge in years, 1 to 21. None is asked when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=21
	MinimumAge int32 `json:"minimumAge,omitempty"`
	// guardianBelow is the age below which a guardian's consent is needed, 1 to 21. None when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=21
	GuardianBelow int32 `json:"guardianBelow,omitempty"`
	// closed keeps all pages for members only.
	// +optional
	Closed bool `json:"closed,omitempty"`
}

// MailDomain is what follows the @ of an address.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",message="must be a mail domain in lower case, such as school.example"
type MailDomain string

// Attribute is something that members may say of themselves.
//
// +kubebuilder:validation:XValidation:rule="has(self.options) || !has(self.multiple) || !self.multiple",message="multiple needs options to choose from",fieldPath=".multiple"
type Attribute struct {
	// name is the key, such as ageBand, that quotas and eligibility refer to.
	// +required
	Name ItemName `json:"name"`
	// label by locale.
	// +required
	Label TextByLocale `json:"label"`
	// consent by locale says what the answer is used for; the member agrees to this text.
	// +optional
	Consent NoticeByLocale `json:"consent,omitempty"`
	// options to choose from, 2 to 150; a short text when absent.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=150
	Options []Option `json:"options,omitempty"`
	// multiple allows several options.
	// +optional
	Multiple bool `json:"multiple,omitempty"`
	// required asks for an answer before taking part.
	// +optional
	Required bool `json:"required,omitempty"`
}

// Addresses are e-mail addresses.
//
// +listType=set
// +kubebuilder:validation:MinItems=1
// +kubebuilder:validation:MaxItems=100
type Addresses []Email

// TermsKind says what members agree to.
//
// +kubebuilder:validation:Enum=participation;assignment;licence;creativeCommons;nonDisclosure
type TermsKind string

// Terms are a text that members accept. The acceptance is kept with the text's hash; another text needs another version,
// which is accepted anew.
//
// +kubebuilder:validation:XValidation:rule="has(self.text) != has(self.textFrom)",message="text or textFrom is required, and not both",fieldPath=".text"
type Terms struct {
	// name that challenges refer to, such as nda; those named community are accepted on joining.
	// +required
	Name ItemName `json:"name"`
	// kind is participation, assignment (of rights), licence, creativeCommons or nonDisclosure.
	// +required
	Kind TermsKind `json:"kind"`
	// version of the text, such as "2027-01".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9][-A-Za-z0-9._]*$')",message="a version must use letters, digits, '-', '_' and '.', such as 2027-01"
	Version string `json:"version"`
	// text by locale, in Markdown.
	// +optional
	Text DocumentByLocale `json:"text,omitempty"`
	// textFrom takes the text from a ConfigMap, for texts that lawyers keep in files of their own.
	// +optional
	TextFrom *TermsSource `json:"textFrom,omitempty"`
}

// TermsSource is a ConfigMap that holds a text by locale, of at most 100,000 bytes each and 400,000 in all.
type TermsSource struct {
	// configMapName is a ConfigMap in this namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="must be the name of a ConfigMap in this namespace, without a namespace: a-z, 0-9, '-' and '.'"
	ConfigMapName string `json:"configMapName"`
	// keys of the ConfigMap by locale, such as {fr: nda.fr.md, en: nda.en.md}.
	// +required
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=2
	// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['fr', 'en'])",message="locales are fr and en"
	Keys map[string]ConfigMapKey `json:"keys"`
}

// ConfigMapKey is a key of a ConfigMap.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="must be a key of the ConfigMap: letters, digits, '-', '_' and '.', such as nda.fr.md"
type ConfigMapKey string

// Theme that ideas and challenges belong to.
type Theme struct {
	// name that challenges refer to.
	// +required
	Name ItemName `json:"name"`
	// title by locale.
	// +required
	Title TextByLocale `json:"title"`
}

// Metric is what measures an objective.
//
// +kubebuilder:validation:Enum=members;activeMembers;ideas;votes;comments;launched;answeredOnTimePercent;satisfaction;manual
type Metric string

// Team is one of the two teams that share a community.
//
// +kubebuilder:validation:Enum=product;marketing
type Team string

// Objective is a SMART target of the community.
//
// +kubebuilder:validation:XValidation:rule="self.target != self.baseline",message="target must be another number than baseline",fieldPath=".target"
type Objective struct {
	// name that its values are kept by.
	// +required
	Name KeyName `json:"name"`
	// title by locale.
	// +required
	Title TextByLocale `json:"title"`
	// metric that the idea service measures: members, activeMembers, ideas, votes, comments, launched,
	// answeredOnTimePercent, satisfaction; or manual, whose values the team enters.
	// +required
	Metric Metric `json:"metric"`
	// baseline is the value at the beginning.
	// +required
	// +kubebuilder:validation:Minimum=-1000000000000
	// +kubebuilder:validation:Maximum=1000000000000
	Baseline int64 `json:"baseline"`
	// target is the value to be reached; below the baseline where less is better.
	// +required
	// +kubebuilder:validation:Minimum=-1000000000000
	// +kubebuilder:validation:Maximum=1000000000000
	Target int64 `json:"target"`
	// deadline is the day by which it is to be reached, such as "2027-06-30".
	// +required
	Deadline Date `json:"deadline"`
	// team whose view shows it: product or marketing; both when absent.
	// +optional
	Team Team `json:"team,omitempty"`
}

// Webhook receives events by HTTPS, signed as https://www.standardwebhooks.com says.
type Webhook struct {
	// name that the team's page shows its deliveries by.
	// +required
	Name KeyName `json:"name"`
	// url is an https address on a public host.
	// +required
	URL HTTPSURL `json:"url"`
	// events that it receives, such as idea.published; all when absent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Events []EventName `json:"events,omitempty"`
	// condition on the event, such as "supporters >= 10"; always when absent.
	// +optional
	Condition EventCondition `json:"condition,omitempty"`
}

// Retention of personal data.
type Retention struct {
	// inactiveMemberDays after which a member who did not come back is erased, announced by mail a month before; 60 at least.
	// Never when absent.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=36500
	InactiveMemberDays int32 `json:"inactiveMemberDays,omitempty"`
	// auditDays for which the audit log is kept. Without end when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=36500
	AuditDays int32 `json:"auditDays,omitempty"`
}

// Standing says where an objective stands: reached, onTrack, behind (by the line through its last values), missed (its
// deadline is over) or unknown (too few values for a trend).
//
// +kubebuilder:validation:MaxLength=63
type Standing string

// Standings of an objective.
const (
	StandingReached Standing = "reached"
	StandingOnTrack Standing = "onTrack"
	StandingBehind  Standing = "behind"
	StandingMissed  Standing = "missed"
	StandingUnknown Standing = "unknown"
)

// ObjectiveStatus is where an objective stands.
type ObjectiveStatus struct {
	// name of the objective.
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// current value; absent while nothing was measured or entered.
	// +optional
	Current *int64 `json:"current,omitempty"`
	// target to be reached.
	// +optional
	Target int64 `json:"target"`
	// standing is reached, onTrack, behind, missed or unknown.
	// +optional
	Standing Standing `json:"standing,omitempty"`
}
