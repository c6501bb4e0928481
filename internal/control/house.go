package control

// House is what a community's house rules say. Nil parts have the defaults named with them.
type House struct {
	Moderation Moderation `json:"moderation,omitzero"`
	SignUp     SignUp     `json:"signUp,omitzero"`
	// Attributes are what members may say of themselves, each with their consent.
	Attributes []Attribute `json:"attributes,omitempty"`
	// Roles are the addresses of who has each of the brand's roles: lead, implementer, host, follow-up, moderator.
	// The key is the role.
	Roles map[string][]string `json:"roles,omitempty"`
	// Terms of the community and of its challenges, by kind and version.
	Terms []Terms `json:"terms,omitempty"`
	// Themes that ideas and challenges belong to.
	Themes []Theme `json:"themes,omitempty"`
	// Quotas are the shares of segments that make participants representative.
	Quotas []Quota `json:"quotas,omitempty"`
	// Objectives of the community.
	Objectives []Objective `json:"objectives,omitempty"`
	// AnswerWithinDays is how long the brand takes at most to answer an idea that has qualified; 0 means no promise.
	AnswerWithinDays int `json:"answerWithinDays,omitempty"`
	// Qualify is the number of supporters at which an idea outside a challenge qualifies for an answer; 0 means never.
	Qualify int `json:"qualify,omitempty"`
	// Webhooks receive events.
	Webhooks []Webhook `json:"webhooks,omitempty"`
	// Retention bounds how long personal data is kept.
	Retention Retention `json:"retention,omitzero"`
}

// Values of Moderation.When.
const (
	ModerationAfter  = "after"
	ModerationBefore = "before"
)

// Moderation says when contributions are looked at.
type Moderation struct {
	// When is "after" publication (the default) or "before".
	When string `json:"when,omitempty"`
	// TrustedLevel is the level from which members' contributions are published without waiting; 0 means none.
	TrustedLevel int `json:"trustedLevel,omitempty"`
	// BannedTerms send a contribution to the queue, whatever When says. Words and phrases, without regard to case
	// and accents.
	BannedTerms []string `json:"bannedTerms,omitempty"`
}

// Values of SignUp.Policy.
const (
	SignUpOpen       = "open"
	SignUpInvitation = "invitation"
	SignUpDomains    = "domains"
)

// SignUp says who may become a member.
type SignUp struct {
	// Policy is "open" (the default), "invitation", or "domains".
	Policy string `json:"policy,omitempty"`
	// Domains are the mail domains that may join with the policy "domains".
	Domains []string `json:"domains,omitempty"`
	// MinimumAge in years; 0 asks for no age.
	MinimumAge int `json:"minimumAge,omitempty"`
	// GuardianBelow is the age below which a guardian's consent is needed; 0 means none.
	GuardianBelow int `json:"guardianBelow,omitempty"`
	// Closed keeps pages for members only.
	Closed bool `json:"closed,omitempty"`
}

// Attribute is something that members may say of themselves.
type Attribute struct {
	// Name is the key, such as "ageBand".
	Name  string            `json:"name"`
	Label map[string]string `json:"label"`
	// Consent says what the answer is used for, by locale; the member agrees to this text.
	Consent map[string]string `json:"consent,omitempty"`
	// Options to choose from; the key is kept. Empty means a short text.
	Options []Option `json:"options,omitempty"`
	// Multiple allows several options.
	Multiple bool `json:"multiple,omitempty"`
	// Required asks for an answer before taking part.
	Required bool `json:"required,omitempty"`
}

// Option of an attribute, a field or a question.
type Option struct {
	Name  string            `json:"name"`
	Label map[string]string `json:"label"`
}

// Terms are a text that members accept. A version is never changed: another text is another version.
type Terms struct {
	// Name that challenges refer to, such as "community" or "nda"; those named "community" are accepted on joining.
	Name string `json:"name"`
	// Kind is "participation", "assignment", "licence", "creativeCommons" or "nonDisclosure".
	Kind    string `json:"kind"`
	Version string `json:"version"`
	// Text by locale, in Markdown.
	Text map[string]string `json:"text"`
}

// TermsOfCommunity names the terms that everybody accepts on joining.
const TermsOfCommunity = "community"

// Theme that ideas and challenges belong to.
type Theme struct {
	Name  string            `json:"name"`
	Title map[string]string `json:"title"`
}

// Quota is a segment's share of participants that would be representative.
type Quota struct {
	// Attribute and Value make the segment: "region", "north".
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
	// Percent of all participants.
	Percent int `json:"percent"`
}

// Objective is a SMART target of the community.
type Objective struct {
	Name  string            `json:"name"`
	Title map[string]string `json:"title"`
	// Metric that the service measures ("members", "activeMembers", "ideas", "votes", "comments", "launched",
	// "answeredOnTimePercent", "satisfaction") or "manual", whose values the team enters.
	Metric   string `json:"metric"`
	Baseline int64  `json:"baseline"`
	Target   int64  `json:"target"`
	// Deadline is a date, "2027-06-30".
	Deadline string `json:"deadline"`
	// Team is "product" or "marketing", whose view shows it.
	Team string `json:"team,omitempty"`
}

// Webhook receives events by HTTP, signed as standard-webhooks says.
type Webhook struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	// Events that it receives; empty means all.
	Events []string `json:"events,omitempty"`
	// Condition on the event, such as "supporters >= 10"; empty means always.
	Condition string `json:"condition,omitempty"`
}

// Retention of personal data, in days; 0 keeps.
type Retention struct {
	// InactiveMemberDays after which a member who did not come back is erased, announced by mail a month before.
	InactiveMemberDays int `json:"inactiveMemberDays,omitempty"`
	// AuditDays for which the audit log is kept.
	AuditDays int `json:"auditDays,omitempty"`
}
