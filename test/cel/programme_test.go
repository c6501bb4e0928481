package cel_test

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Messages that several fields share.
const (
	messageItem      = "a name must start with a letter and use letters, digits, '-' and '_', such as cabin-comfort"
	messageKey       = "a name must use lower-case letters, digits and '-', such as first-idea"
	messageObject    = "must be the name of an object of this namespace and the same community: a-z, 0-9, '-' and '.'"
	messageEmail     = "must be an e-mail address alone, such as jury@brand.example"
	messageLocal     = "must be a time in the community's time zone, without seconds and offset, such as 2027-06-01T09:00"
	messageDate      = "must be a day such as 2027-06-30"
	messageQuotas    = "quotas of one attribute must sum to 100 percent at most"
	messageOrder     = "phases must be in the order recruiting, open, screening, voting, jury, rewarding, implementing"
	messageBegin     = "phases must begin one after the other: the start of each must be after that of the phase before"
	messageOverlap   = "phases must not overlap: end each when the next one starts or before, or leave out its end"
	messageEnd       = "end must be after start"
	messageLadder    = "ladder must rise: each rung asks for more supporters than the one before, such as 100, 1000, 10000"
	messageBatches   = "reviewBatches must be days one after the other, without repetition"
	messageSupport   = "ballot must be of kind support and not hidden where there is a ladder: its rungs count supporters; or remove the ladder"
	messageBudget    = "budget is required for kind budget and only for it: how many points each member spreads, such as 10"
	messageScale     = "maximum is required for kind score and only for it: a scale such as 0 to 5"
	messageScaleRise = "maximum must be more than minimum (0 when absent): a scale such as 0 to 5"
	messageEvent     = "must be an event such as idea.published"
	messageShowIf    = "showIf must begin with the name of an earlier question of the list, such as flew=yes"
)

// only is the part of a patch that turns the full contest into an ideation of the smallest kind.
const only = "phases: null, jury: null, recruiting: null, winners: null, ballot: null"

// Rows of a Challenge as a whole: its type, its phases, who takes part and how entries are judged.
var challengeRows = map[string]row{
	"the full contest": {base: challenge}, "the ideation": {base: ideation}, "votes per day": {base: ballotPerDay}, "a budget": {base: ballotBudget},
	"approval": {base: ballotApproval}, "the survey": {base: survey}, "the concept test": {base: conceptTest}, "the beta test": {base: betaTest},
	"the forum": {base: forum}, "the workshop": {base: workshop}, "the mission": {base: mission},
	"a name with dots": {base: forum, patch: "metadata: {name: models.2027}"},

	"origin of another":   {base: forum, patch: "spec: {origin: other}"},
	"origin of its own":   {base: forum, patch: "spec: {origin: garden-gate}", field: "spec.origin", message: "origin must name another challenge than this one"},
	"selected in another": {base: forum, patch: "spec: {eligibility: {selectedIn: other}}"},
	"selected in itself":  {base: forum, patch: "spec: {eligibility: {selectedIn: garden-gate}}", field: "spec.eligibility.selectedIn", message: "selectedIn must name another challenge than this one"},
	"another title":       {base: forum, then: "spec: {title: {en: Another}}"},
	"another type":        {base: ideation, then: "spec: {type: contest}", field: "spec.type", message: "type never changes: create another challenge, and delete this one"},
	"another community":   {base: forum, then: "spec: {communityRef: {name: other}}", field: "spec.communityRef", message: "communityRef never changes: create the challenge in the other community, and delete this one"},

	"survey without":              {base: survey, patch: "spec: {survey: null}", field: "spec.survey", message: "survey is required for type survey and only for it"},
	"conceptTest without":         {base: conceptTest, patch: "spec: {conceptTest: null}", field: "spec.conceptTest", message: "conceptTest is required for type conceptTest and only for it"},
	"betaTest without":            {base: betaTest, patch: "spec: {betaTest: null}", field: "spec.betaTest", message: "betaTest is required for type betaTest and only for it"},
	"betaTest without recruiting": {base: betaTest, patch: "spec: {recruiting: null}", field: "spec.recruiting", message: "recruiting is required for type betaTest: testers are selected among those who apply"},
	"forum without":               {base: forum, patch: "spec: {forum: null}", field: "spec.forum", message: "forum is required for type forum and only for it; {} is enough"},
	"forum of all themes":         {base: forum, patch: "spec: {forum: {themes: null}}"},
	"forum of an ideation":        {base: ideation, patch: "spec: {forum: {}}", field: "spec.forum", message: "forum is required for type forum and only for it; {} is enough"},
	"workshop without":            {base: workshop, patch: "spec: {workshop: null}", field: "spec.workshop", message: "workshop is required for type workshop and only for it"},
	"mission without":             {base: mission, patch: "spec: {mission: null}", field: "spec.mission", message: "mission is required for type mission and only for it"},

	"ballot of a forum":        {base: forum, patch: "spec: {ballot: {kind: support}}", field: "spec.ballot", message: "ballot is only for types ideation and contest; remove it"},
	"ladder of a forum":        {base: forum, patch: "spec: {ladder: [{supporters: 1}]}", field: "spec.ladder", message: "ladder is only for types ideation and contest; remove it"},
	"winners of a forum":       {base: forum, patch: "spec: {winners: 1}", field: "spec.winners", message: "winners is only for types ideation and contest; remove it"},
	"batches of a survey":      {base: survey, patch: "spec: {reviewBatches: [\"2027-05-01\"]}", field: "spec.reviewBatches", message: "reviewBatches is only for types ideation and contest; remove it"},
	"batches without a ladder": {base: ideation, patch: "spec: {ladder: null}", field: "spec.reviewBatches", message: "reviewBatches need a ladder: it is what ideas qualify by"},
	"jury of a forum":          {base: forum, patch: "spec: {jury: " + jury + "}", field: "spec.jury", message: "jury is only for types ideation and contest, or with recruiting; remove it"},
	"jury of applications":     {base: betaTest, patch: "spec: {jury: " + jury + ", recruiting: {selection: vote}}"},
	"jury missing":             {base: challenge, patch: "spec: {jury: null}", field: "spec.jury", message: "jury is required where a phase is named jury: name its members and criteria, or remove the phase"},
	"recruiting missing":       {base: challenge, patch: "spec: {recruiting: null}", field: "spec.recruiting", message: "recruiting is required where a phase is named recruiting: say how many places there are, or remove the phase"},
	"ladder of hidden support": {base: ideation, patch: "spec: {ballot: {kind: support, hidden: true}}", field: "spec.ballot", message: messageSupport},
	"ladder of scores":         {base: ideation, patch: "spec: {ballot: {kind: score, maximum: 5}}", field: "spec.ballot", message: messageSupport},
	"ladder of support":        {base: ideation, patch: "spec: {ballot: {kind: support, hidden: false, randomOrder: true}}"},
	"quotas without a limit":   {base: survey, patch: "spec: {quotas: [{attribute: a, value: b, percent: 50}], survey: {limit: null}}", field: "spec.survey.limit", message: "survey.limit is required where there are quotas: they are shares of it"},
	"quotas of a limit":        {base: survey, patch: "spec: {quotas: [{attribute: a, value: b, percent: 50}]}"},

	"no phases":        {base: challenge, patch: "spec: {" + only + "}"},
	"one phase":        {base: forum, patch: "spec: {phases: [{name: open, start: \"2027-06-01T09:00\"}]}"},
	"phases that meet": {base: forum, patch: "spec: {phases: [{name: open, start: \"2027-06-01T09:00\", end: \"2027-06-02T09:00\"}, {name: rewarding, start: \"2027-06-02T09:00\"}]}"},
	"phases in another order": {
		base: forum, patch: "spec: {phases: [{name: rewarding, start: \"2027-06-01T09:00\"}, {name: open, start: \"2027-06-02T09:00\"}]}", field: "spec.phases", message: messageOrder,
	},
	"phases backwards": {
		base: forum, patch: "spec: {phases: [{name: open, start: \"2027-06-02T09:00\"}, {name: rewarding, start: \"2027-06-01T09:00\"}]}", field: "spec.phases", message: messageBegin,
	},
	"phases at once": {
		base: forum, patch: "spec: {phases: [{name: open, start: \"2027-06-02T09:00\"}, {name: rewarding, start: \"2027-06-02T09:00\"}]}", field: "spec.phases", message: messageBegin,
	},
	"phases that overlap": {
		base:  forum,
		patch: "spec: {phases: [{name: open, start: \"2027-06-01T09:00\", end: \"2027-06-03T09:00\"}, {name: rewarding, start: \"2027-06-02T09:00\"}]}", field: "spec.phases", message: messageOverlap,
	},
	"the last phases overlap": {
		base:  challenge,
		patch: "spec: {phases: [" + strings.Join(sevenPhases("2027-08-01T09:00"), ", ") + "]}", field: "spec.phases", message: messageOverlap,
	},
	"seven phases": {base: challenge, patch: "spec: {phases: [" + strings.Join(sevenPhases("2027-07-01T09:00"), ", ") + "]}"},
	"a reversed phase": {
		base: forum, patch: "spec: {phases: [{name: open, start: \"2027-06-02T09:00\", end: \"2027-06-01T09:00\"}]}", field: "spec.phases[0].end", message: messageEnd,
	},
	"a phase of no time": {
		base: forum, patch: "spec: {phases: [{name: open, start: \"2027-06-02T09:00\", end: \"2027-06-02T09:00\"}]}", field: "spec.phases[0].end", message: messageEnd,
	},

	"attributes by a sentence": {base: challenge, patch: "spec: {eligibility: {attributes: {\"where from\": [north]}}}", field: "spec.eligibility.attributes", message: "keys must be names of the community's attributes: a letter, then letters, digits, '-' and '_', such as region"},
	"quotas of 100 each":       {base: challenge, patch: "spec: {quotas: [{attribute: a, value: x, percent: 100}, {attribute: b, value: x, percent: 100}]}"},
	"quotas of more than all":  {base: challenge, patch: "spec: {quotas: [{attribute: a, value: x, percent: 60}, {attribute: a, value: z, percent: 41}]}", field: "spec.quotas", message: messageQuotas},
	"recruiting more than all": {base: challenge, patch: "spec: {recruiting: {quotas: [{attribute: a, value: x, percent: 60}, {attribute: a, value: z, percent: 41}]}}", field: "spec.recruiting.quotas", message: messageQuotas},
	"an application's file":    {base: challenge, patch: "spec: {recruiting: {questions: [{name: a, label: {en: A}, type: file}]}}", field: "spec.recruiting.questions", message: "questions must not be of type file: an application has no attachments, ask for a url"},

	"perDay of a budget":      {base: ballotBudget, patch: "spec: {ballot: {perDay: 1}}", field: "spec.ballot.perDay", message: "perDay is only for kind perDay; remove it or change kind"},
	"perDay without a number": {base: ballotPerDay, patch: "spec: {ballot: {perDay: null}}"},
	"budget without points":   {base: ballotBudget, patch: "spec: {ballot: {budget: null}}", field: "spec.ballot.budget", message: messageBudget},
	"budget of support":       {base: ideation, patch: "spec: {ladder: null, reviewBatches: null, ballot: {kind: support, budget: 5}}", field: "spec.ballot.budget", message: messageBudget},
	"budget alone":            {base: ballotBudget, patch: "spec: {ballot: {maxPerIdea: null}}"},
	"maxPerIdea of approval":  {base: ballotApproval, patch: "spec: {ballot: {maxPerIdea: 1}}", field: "spec.ballot.maxPerIdea", message: "maxPerIdea is only for kind budget; remove it or change kind"},
	"maxPerIdea of all":       {base: ballotBudget, patch: "spec: {ballot: {maxPerIdea: 10}}"},
	"maxPerIdea of more":      {base: ballotBudget, patch: "spec: {ballot: {maxPerIdea: 11}}", field: "spec.ballot.maxPerIdea", message: "maxPerIdea must not be more than budget"},
	"approvals of a budget":   {base: ballotBudget, patch: "spec: {ballot: {approvals: 1}}", field: "spec.ballot.approvals", message: "approvals is only for kind approval; remove it or change kind"},
	"approvals without end":   {base: ballotApproval, patch: "spec: {ballot: {approvals: null}}"},
	"minimum of approval":     {base: ballotApproval, patch: "spec: {ballot: {minimum: 0}}", field: "spec.ballot.minimum", message: "minimum is only for kind score; remove it or change kind"},
	"maximum of approval":     {base: ballotApproval, patch: "spec: {ballot: {maximum: 5}}", field: "spec.ballot.maximum", message: messageScale},
	"score without a maximum": {base: challenge, patch: "spec: {ballot: {maximum: null}}", field: "spec.ballot.maximum", message: messageScale},
	"score of one number":     {base: challenge, patch: "spec: {ballot: {minimum: 5}}", field: "spec.ballot.maximum", message: messageScaleRise},
	"score down from zero":    {base: challenge, patch: "spec: {ballot: {minimum: null, maximum: -1}}", field: "spec.ballot.maximum", message: messageScaleRise},
	"score around zero":       {base: challenge, patch: "spec: {ballot: {minimum: -2, maximum: 2}}"},

	"a ladder of one rung":    {base: ideation, patch: "spec: {ladder: [{supporters: 50}]}"},
	"a ladder that falls":     {base: ideation, patch: "spec: {ladder: [{supporters: 100}, {supporters: 50}]}", field: "spec.ladder", message: messageLadder},
	"a ladder that stays":     {base: ideation, patch: "spec: {ladder: [{supporters: 100}, {supporters: 100}]}", field: "spec.ladder", message: messageLadder},
	"batches backwards":       {base: ideation, patch: "spec: {reviewBatches: [\"2027-09-01\", \"2027-05-01\"]}", field: "spec.reviewBatches", message: messageBatches},
	"batches twice":           {base: ideation, patch: "spec: {reviewBatches: [\"2027-09-01\", \"2027-09-01\"]}", field: "spec.reviewBatches", message: messageBatches},
	"a juror twice":           {base: challenge, patch: "spec: {jury: {members: [a@b.example, A@B.example]}}", field: "spec.jury.members", message: "members must not repeat"},
	"a juror with a tag":      {base: challenge, patch: "spec: {jury: {members: [o'neil+jury@xn--nmes-upa.example, c@d.example]}}"},
	"weights of 99":           {base: challenge, patch: "spec: {jury: {criteria: [{name: a, label: {en: A}, weight: 50}, {name: b, label: {en: B}, weight: 49}]}}", field: "spec.jury.criteria", message: "weights of the criteria must sum to 100"},
	"weights of 101":          {base: challenge, patch: "spec: {jury: {criteria: [{name: a, label: {en: A}, weight: 100}, {name: b, label: {en: B}, weight: 1}]}}", field: "spec.jury.criteria", message: "weights of the criteria must sum to 100"},
	"one criterion":           {base: challenge, patch: "spec: {jury: {criteria: [{name: a, label: {en: A}, weight: 100}]}}"},
	"more scores than jurors": {base: challenge, patch: "spec: {jury: {scoresPerEntry: 3}}", field: "spec.jury.scoresPerEntry", message: "scoresPerEntry must not be more than there are members"},
}

const jury = "{members: [jury@brand.example], criteria: [{name: use, label: {en: Use}, weight: 100}]}"

// sevenPhases are all phases, the first of which ends at a time.
func sevenPhases(sixthEnds string) []string {
	return []string{
		`{name: recruiting, start: "2027-01-01T09:00"}`, `{name: open, start: "2027-02-01T09:00"}`, `{name: screening, start: "2027-03-01T09:00"}`,
		`{name: voting, start: "2027-04-01T09:00"}`, `{name: jury, start: "2027-05-01T09:00"}`,
		`{name: rewarding, start: "2027-06-01T09:00", end: "` + sixthEnds + `"}`, `{name: implementing, start: "2027-07-01T09:00"}`,
	}
}

// Rows of the parts of methods.
var methodRows = map[string]row{
	"a stimulus of nothing":      {base: conceptTest, patch: "spec: {conceptTest: {perMember: null, stimuli: [{name: a, title: {en: A}}]}}", field: "spec.conceptTest.stimuli[0]", message: "a stimulus must show something: a text, an image, a video or a link"},
	"a stimulus of a link":       {base: conceptTest, patch: "spec: {conceptTest: {stimuli: [{name: a, title: {en: A}, link: \"https://a.example/\"}]}}"},
	"an image without words":     {base: conceptTest, patch: "spec: {conceptTest: {stimuli: [{name: a, title: {en: A}, image: \"https://a.example/\"}]}}", field: "spec.conceptTest.stimuli[0].imageAlt", message: messageAlt},
	"words without an image":     {base: conceptTest, patch: "spec: {conceptTest: {stimuli: [{name: a, title: {en: A}, text: {en: A}, imageAlt: {en: A}}]}}", field: "spec.conceptTest.stimuli[0].imageAlt", message: messageAlt},
	"more than there are":        {base: conceptTest, patch: "spec: {conceptTest: {perMember: 3}}", field: "spec.conceptTest.perMember", message: "perMember must not be more than there are stimuli"},
	"drop out before the diary":  {base: betaTest, patch: "spec: {betaTest: {dropOutDays: 7}}", field: "spec.betaTest.dropOutDays", message: "dropOutDays must be more than diaryDays: nobody drops out before an entry is due"},
	"drop out without a diary":   {base: betaTest, patch: "spec: {betaTest: {diaryDays: null, dropOutDays: 3}}"},
	"a session that ends before": {base: workshop, patch: "spec: {workshop: {sessions: [" + session + ", end: \"2027-06-01T17:00\", place: {en: Here}}]}}", field: "spec.workshop.sessions[0].end", message: messageEnd},
	"a session nowhere":          {base: workshop, patch: "spec: {workshop: {sessions: [" + session + ", end: \"2027-06-01T19:00\"}]}}", field: "spec.workshop.sessions[0].place", message: "place is required where there is no link: a session has a place, a link or both"},
	"a session somewhere":        {base: workshop, patch: "spec: {workshop: {sessions: [" + session + ", end: \"2027-06-01T19:00\", place: {en: Here}}]}}"},
	"a mission of no tasks":      {base: mission, patch: "spec: {mission: {tasks: null}}"},
}

const (
	session    = `{name: a, title: {en: A}, capacity: 1, start: "2027-06-01T18:00"`
	messageAlt = "imageAlt is required with an image, and only with one: say what it shows to those who do not see it"
)

// addFormFields adds rows of what is said of a field of a form in each of the places where there is one.
func addFormFields(all map[string]row, base, where string) {
	for what, r := range map[string]row{
		"a choice of nothing": {patch: "type: choice", field: ".options", message: "options are required for types choice and choices, and only for them"},
		"options of a text":   {patch: "type: text, options: [{name: a, label: {en: A}}, {name: b, label: {en: B}}]", field: ".options", message: "options are required for types choice and choices, and only for them"},
		"several choices":     {patch: "type: choices, options: [{name: a, label: {en: A}}, {name: b, label: {en: B}}]"},
		"minimum of a text":   {patch: "type: text, minimum: 1", field: ".minimum", message: "minimum is only for type number; remove it"},
		"maximum of a date":   {patch: "type: date, maximum: 1", field: ".maximum", message: "maximum is only for type number; remove it"},
		"numbers reversed":    {patch: "type: number, minimum: 2, maximum: 1", field: ".maximum", message: "maximum must not be less than minimum"},
		"one number":          {patch: "type: number, minimum: 2, maximum: 2"},
		"length of a number":  {patch: "type: number, maxLength: 5", field: ".maxLength", message: "maxLength is only for types text and longText; remove it"},
		"length of a text":    {patch: "type: text, maxLength: 5"},
	} {
		r.base, r.patch = base, "spec: {"+nested(where, "[{name: a, label: {en: A}, "+r.patch+"}]")+"}"
		if r.field != "" {
			r.field = "spec." + where + "[0]" + r.field
		}
		all[where+": "+what] = r
	}
}

// addQuestions adds rows of what is said of a question in each of the places where there is one.
func addQuestions(all map[string]row, base, where string) {
	const two = "[{name: a, label: {en: A}}, {name: b, label: {en: B}}]"
	list := func(n int) string {
		items := make([]string, n)
		for i := range items {
			items[i] = "{name: o" + strings.Repeat("x", i) + ", label: {en: A}}"
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	for what, r := range map[string]row{
		"options of a text":      {patch: "type: text, options: " + two, field: ".options", message: "options are required for types single, multiple, ranking and matrix, and only for them"},
		"a ranking of nothing":   {patch: "type: ranking", field: ".options", message: "options are required for types single, multiple, ranking and matrix, and only for them"},
		"a ranking of 20":        {patch: "type: ranking, options: " + list(20)},
		"a ranking of 21":        {patch: "type: ranking, options: " + list(21), field: ".options", message: "options of a ranking must be 20 at most: nobody ranks more"},
		"a matrix without rows":  {patch: "type: matrix, options: " + two, field: ".rows", message: "rows are required for type matrix, and only for it"},
		"a matrix":               {patch: "type: matrix, rows: " + two + ", options: " + two},
		"rows of a choice":       {patch: "type: single, rows: " + two + ", options: " + two, field: ".rows", message: "rows are required for type matrix, and only for it"},
		"minimum of a text":      {patch: "type: text, minimum: 1", field: ".minimum", message: "minimum is only for types scale, rating and number; remove it"},
		"maximum of a text":      {patch: "type: text, maximum: 1", field: ".maximum", message: "maximum is only for types scale, rating and number; remove it"},
		"minimum alone":          {patch: "type: number, minimum: 1", field: ".maximum", message: "maximum is required with minimum"},
		"a scale reversed":       {patch: "type: scale, minimum: 5, maximum: 1", field: ".maximum", message: "maximum must be more than minimum"},
		"a scale of 21":          {patch: "type: scale, minimum: -10, maximum: 10"},
		"a scale of 22":          {patch: "type: scale, minimum: -10, maximum: 11", field: ".maximum", message: "maximum must be at most 20 more than minimum: a scale has 21 points at most"},
		"a number of any size":   {patch: "type: number, minimum: 0, maximum: 100000"},
		"ends of a rating":       {patch: "type: rating, lowLabel: {en: A}", field: ".lowLabel", message: "lowLabel and highLabel are only for type scale; remove them"},
		"a condition in words":   {patch: "type: text, showIf: only if it flew", field: ".showIf", message: "showIf must be an earlier question and one of its answers, such as flew=yes"},
		"net promoter score":     {patch: "type: nps"},
		"a rating of seven":      {patch: "type: rating, maximum: 7"},
		"a scale of the default": {patch: "type: scale, lowLabel: {en: Bad}, highLabel: {en: Good}"},
	} {
		r.base, r.patch = base, "spec: {"+nested(where, "[{name: q, label: {en: A}, "+r.patch+"}]")+"}"
		if r.field != "" {
			r.field = "spec." + where + "[0]" + r.field
		}
		all[where+": "+what] = r
	}
	first := "{name: flew, label: {en: A}, type: single, options: " + two + "}"
	all[where+": asked of some"] = row{base: base, patch: "spec: {" + nested(where, "["+first+", {name: q, label: {en: A}, type: text, showIf: flew=a}]") + "}"}
	for what, condition := range map[string]string{"asked of nobody": "rode=a", "asked of itself": "q=a"} {
		all[where+": "+what] = row{
			base: base, patch: "spec: {" + nested(where, "["+first+", {name: q, label: {en: A}, type: text, showIf: "+condition+"}]") + "}",
			field: "spec." + where, message: messageShowIf,
		}
	}
}

// Rows of a RewardPolicy.
var rewardPolicyRows = map[string]row{
	"the full policy":        {base: rewardPolicy},
	"the smallest policy":    {base: rewardPolicy, patch: "spec: {rules: null, levels: null, badges: null, prizes: null, revenueShare: null, currency: null}"},
	"another community's":    {base: rewardPolicy, then: "spec: {communityRef: {name: other}}", field: "spec.communityRef", message: "communityRef never changes: create the policy in the other community, and delete this one"},
	"other rules":            {base: rewardPolicy, then: "spec: {rules: null}"},
	"money without currency": {base: rewardPolicy, patch: "spec: {currency: null, revenueShare: null}", field: "spec.currency", message: "currency is required where a prize has an amount: an ISO 4217 code such as EUR"},
	"share without currency": {base: rewardPolicy, patch: "spec: {currency: null, prizes: null}", field: "spec.currency", message: "currency is required with revenueShare: an ISO 4217 code such as EUR"},
	"prizes in kind":         {base: rewardPolicy, patch: "spec: {currency: null, revenueShare: null, prizes: [{fromRank: 1, title: {en: A lamp}}]}"},
	"currency by its sign":   {base: rewardPolicy, patch: "spec: {currency: €}", field: "spec.currency", message: "currency must be an ISO 4217 code of three capital letters, such as EUR"},
	"currency in lower case": {base: rewardPolicy, patch: "spec: {currency: eur}", field: "spec.currency", message: "currency must be an ISO 4217 code of three capital letters, such as EUR"},
	"cap below the points":   {base: rewardPolicy, patch: "spec: {rules: [{name: a, event: idea.published, points: 10, dailyCap: 9}]}", field: "spec.rules[0].dailyCap", message: "dailyCap must not be less than the points of one event; raise it, or remove it for no cap"},
	"cap of the points":      {base: rewardPolicy, patch: "spec: {rules: [{name: a, event: idea.published, points: 10, dailyCap: 10}]}"},
	"levels that fall":       {base: rewardPolicy, patch: "spec: {levels: [{name: a, title: {en: A}, points: 10}, {name: b, title: {en: B}, points: 5}]}", field: "spec.levels", message: "levels must rise: each asks for more points than the one before, such as 10, 100, 500"},
	"levels that stay":       {base: rewardPolicy, patch: "spec: {levels: [{name: a, title: {en: A}, points: 10}, {name: b, title: {en: B}, points: 10}]}", field: "spec.levels", message: "levels must rise: each asks for more points than the one before, such as 10, 100, 500"},
	"ranks reversed":         {base: rewardPolicy, patch: "spec: {prizes: [{fromRank: 3, toRank: 2, title: {en: A}}]}", field: "spec.prizes[0].toRank", message: "toRank must not be less than fromRank"},
	"one rank":               {base: rewardPolicy, patch: "spec: {prizes: [{fromRank: 3, toRank: 3, title: {en: A}}]}"},
}

// Rows of the house rules.
var houseRows = map[string]row{
	"empty house rules":       {base: communityExternal, patch: "spec: {house: {}}"},
	"domains without any":     {base: community, patch: "spec: {house: {signUp: {domains: null}}}", field: "spec.house.signUp.domains", message: messageDomains},
	"domains of an open door": {base: community, patch: "spec: {house: {signUp: {policy: open}}}", field: "spec.house.signUp.domains", message: messageDomains},
	"a domain with an at":     {base: community, patch: "spec: {house: {signUp: {domains: [\"@school.example\"]}}}", field: "spec.house.signUp.domains[0]", message: "must be a mail domain in lower case, such as school.example"},
	"guardians of nobody":     {base: community, patch: "spec: {house: {signUp: {guardianBelow: 13}}}", field: "spec.house.signUp.guardianBelow", message: "guardianBelow must be more than minimumAge: younger ones cannot join at all"},
	"guardians of all":        {base: community, patch: "spec: {house: {signUp: {minimumAge: null, guardianBelow: 13}}}"},
	"several of nothing":      {base: community, patch: "spec: {house: {quotas: null, attributes: [{name: a, label: {en: A}, multiple: true}]}}", field: "spec.house.attributes[0].multiple", message: "multiple needs options to choose from"},
	"an unknown role":         {base: community, patch: "spec: {house: {roles: {boss: [a@b.example]}}}", field: "spec.house.roles", message: "roles are lead, implementer, host, follow-up and moderator"},
	"terms without text":      {base: community, patch: "spec: {house: {terms: [{name: nda, kind: nonDisclosure, version: a}]}}", field: "spec.house.terms[0].text", message: "text or textFrom is required, and not both"},
	"terms of two texts": {
		base:  community,
		patch: "spec: {house: {terms: [{name: nda, kind: nonDisclosure, version: a, text: {en: A}, textFrom: {configMapName: a, keys: {en: a}}}]}}", field: "spec.house.terms[0].text", message: "text or textFrom is required, and not both",
	},
	"terms' version": {base: community, patch: "spec: {house: {terms: [{name: nda, kind: nonDisclosure, version: second one, text: {en: A}}]}}", field: "spec.house.terms[0].version", message: "a version must use letters, digits, '-', '_' and '.', such as 2027-01"},
	"terms of elsewhere": {
		base:  community,
		patch: "spec: {house: {terms: [{name: nda, kind: nonDisclosure, version: a, textFrom: {configMapName: other/terms, keys: {en: a}}}]}}", field: "spec.house.terms[0].textFrom.configMapName",
		message: "must be the name of a ConfigMap in this namespace, without a namespace: a-z, 0-9, '-' and '.'",
	},
	"terms in German": {
		base:  community,
		patch: "spec: {house: {terms: [{name: nda, kind: nonDisclosure, version: a, textFrom: {configMapName: a, keys: {de: a}}}]}}", field: "spec.house.terms[0].textFrom.keys", message: messageLocales,
	},
	"terms at a path": {
		base:  community,
		patch: "spec: {house: {terms: [{name: nda, kind: nonDisclosure, version: a, textFrom: {configMapName: a, keys: {en: a/b}}}]}}", field: "spec.house.terms[0].textFrom.keys[en]",
		message: "must be a key of the ConfigMap: letters, digits, '-', '_' and '.', such as nda.fr.md",
	},
	"shares of more":        {base: community, patch: "spec: {house: {quotas: [{attribute: a, value: x, percent: 60}, {attribute: a, value: z, percent: 41}]}}", field: "spec.house.quotas", message: messageQuotas},
	"a target of no change": {base: community, patch: "spec: {house: {objectives: [" + objective + ", target: 5, deadline: \"2027-06-30\"}]}}", field: "spec.house.objectives[0].target", message: "target must be another number than baseline"},
	"a target below":        {base: community, patch: "spec: {house: {objectives: [" + objective + ", target: 4, deadline: \"2027-06-30\"}]}}"},
}

const (
	objective      = "{name: a, title: {en: A}, metric: ideas, baseline: 5"
	messageDomains = "domains are required for policy domains and only for it: mail domains such as school.example"
)

// shared are rules of types that many fields have, and a value that each refuses.
var shared = map[string]any{
	messageOneLine: "one\ntwo", messageNotEmpty: map[string]any{"fr": "  "}, messageLocales: map[string]any{"de": "Klara"},
	messageItem: "not a name", messageKey: "First idea", messageObject: "other/object", messageEmail: "Claire <claire@brand.example>",
	messageLocal: "2027-06-01T09:00:00Z", messageDate: "2027-06-32", messageEvent: "published",
	messageWholeHTTPS: "http://brand.example/", messagePublic: "https://127.0.0.1/", messageASCII: `https://brand.example/"`,
}

// TestSharedRules sets a bad value at every field that has a rule of a shared type.
func TestSharedRules(t *testing.T) {
	for kind, schema := range schemas(t) {
		walk("", schema, func(path string, node apiextensionsv1.JSONSchemaProps) {
			for _, rule := range node.XValidations {
				if bad, ok := shared[rule.Message]; ok {
					probe := probe{name: rule.Message, value: bad, words: rule.Message}
					t.Run(kind+" "+path+" "+probe.name, func(t *testing.T) { probe.try(t, kind, path) })
				}
			}
		})
	}
}

// TestLargeBriefIsRefusedByName: half a megabyte is refused by the field's name, not by the database behind the API.
func TestLargeBriefIsRefusedByName(t *testing.T) {
	object := read(t, forum)
	spec, _ := object.Object["spec"].(map[string]any)
	spec["brief"] = map[string]any{"en": strings.Repeat("brief ", 500_000/6)}
	got := causes(t, judge(t, object))
	if len(got) != 1 || got[0].Type != metav1.CauseType("FieldValueTooLong") || pathOf(got[0].Field) != "spec.brief[*]" {
		t.Errorf("want spec.brief too long; got %.300v", got)
	}
}
