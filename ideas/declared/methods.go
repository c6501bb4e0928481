package declared

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Bounds of what a method declares.
const (
	maxQuestions = 100
	maxOptions   = 100
	maxStimuli   = 50
	maxSessions  = 100
	maxRounds    = 50
	maxTasks     = 100
	maxPlaces    = 100_000
	maxLabel     = 300
	maxScale     = 20
)

// itemPattern is that of names inside a challenge. They are part of forms, where a dot separates them.
var itemPattern = regexp.MustCompile(`^[A-Za-z][-A-Za-z0-9_]{0,62}$`)

// checkMethods looks at the parts that belong to one type of challenge, and asks for the part that a type needs.
func checkMethods(r *refusals, c control.Challenge, settings ideas.Settings) {
	for _, part := range []struct {
		field string
		has   bool
		types []string
	}{
		{"survey", c.Survey != nil, []string{control.TypeSurvey}},
		{"conceptTest", c.ConceptTest != nil, []string{control.TypeConceptTest}},
		{"betaTest", c.BetaTest != nil, []string{control.TypeBetaTest}},
		{"forum", c.Forum != nil, []string{control.TypeForum}},
		{"workshop", c.Workshop != nil, []string{control.TypeWorkshop}},
		{"mission", c.Mission != nil, []string{control.TypeMission}},
	} {
		switch of := slices.Contains(part.types, c.Type); {
		case of && !part.has:
			r.add("spec."+part.field, "is missing: a challenge of type %s needs it", c.Type)
		case !of && part.has:
			r.add("spec."+part.field, "belongs to a challenge of type %s, not %s", part.types[0], quotable(c.Type))
		}
	}
	if c.BetaTest != nil && c.Recruiting == nil {
		r.add("spec.recruiting", "is missing: testers are selected among those who apply")
	}
	checkRecruiting(r, c, settings)
	checkQuotas(r, "spec.quotas", c.Quotas, nil, settings)
	if c.Survey != nil {
		checkSurvey(r, "spec.survey", *c.Survey, c.Quotas, settings)
	}
	if c.ConceptTest != nil {
		checkConceptTest(r, *c.ConceptTest, settings)
	}
	if c.BetaTest != nil {
		checkBetaTest(r, *c.BetaTest, settings)
	}
	if c.Forum != nil {
		checkThemes(r, "spec.forum.themes", c.Forum.Themes, settings)
	}
	if c.Workshop != nil {
		checkWorkshop(r, *c.Workshop, settings)
	}
	if c.Mission != nil {
		checkMission(r, *c.Mission, settings)
	}
}

// names refuses what is no name, and what repeats one.
type names map[string]bool

func (n names) check(r *refusals, field, name string) {
	switch {
	case !itemPattern.MatchString(name):
		r.add(field+".name", "must be a name of letters, digits, '-' and '_' that begins with a letter, such as cabin-comfort")
	case n[name]:
		r.add(field+".name", "repeats an earlier name")
	}
	n[name] = true
}

func checkLabel(r *refusals, field string, texts map[string]string, settings ideas.Settings) {
	checkLocalized(r, field, texts, settings)
	for locale, text := range texts {
		if len([]rune(text)) > maxLabel {
			r.add(field+"."+quotable(locale), "must be %d characters at most", maxLabel)
		}
	}
}

func checkOptions(r *refusals, field string, options []control.Option, settings ideas.Settings) {
	if len(options) < 2 || len(options) > maxOptions {
		r.add(field, "must be 2 to %d options", maxOptions)
	}
	seen := names{}
	for i, o := range options {
		at := fmt.Sprintf("%s[%d]", field, i)
		seen.check(r, at, o.Name)
		checkLabel(r, at+".label", o.Label, settings)
	}
}

// checkFields looks at the fields of a form.
func checkFields(r *refusals, field string, fields []control.FormField, settings ideas.Settings) {
	if len(fields) > maxQuestions {
		r.add(field, "must be %d fields at most", maxQuestions)
		return
	}
	seen := names{}
	files := 0
	for i, f := range fields {
		at := fmt.Sprintf("%s[%d]", field, i)
		seen.check(r, at, f.Name)
		checkLabel(r, at+".label", f.Label, settings)
		if f.Type == ideas.FieldFile {
			if files++; files == ideas.MaxFileFields+1 {
				r.add(at+".type", "must not be file more than %d times in one form", ideas.MaxFileFields)
			}
		}
		checkOneOf(r, at+".type", f.Type, ideas.FieldText, ideas.FieldLongText, ideas.FieldNumber, ideas.FieldDate, ideas.FieldChoice,
			ideas.FieldChoices, ideas.FieldYesNo, ideas.FieldURL, ideas.FieldFile)
		switch choice := f.Type == ideas.FieldChoice || f.Type == ideas.FieldChoices; {
		case choice:
			checkOptions(r, at+".options", f.Options, settings)
		case len(f.Options) > 0:
			r.add(at+".options", "belong to a field of type choice or choices")
		}
		if f.Minimum != nil && f.Maximum != nil && *f.Minimum > *f.Maximum {
			r.add(at+".maximum", "must not be less than the minimum %d", *f.Minimum)
		}
		if f.MaxLength < 0 || f.MaxLength > ideas.MaxBody {
			r.add(at+".maxLength", "must be 0 to %d characters", ideas.MaxBody)
		}
	}
}

func checkRecruiting(r *refusals, c control.Challenge, settings ideas.Settings) {
	call := c.Recruiting
	if call == nil {
		return
	}
	const field = "spec.recruiting"
	checkFields(r, field+".questions", call.Questions, settings)
	for i, f := range call.Questions {
		if f.Type == ideas.FieldFile {
			r.add(fmt.Sprintf("%s.questions[%d].type", field, i), "must not be file: an application has no attachments, ask for a url")
		}
	}
	if call.Places < 1 || call.Places > maxPlaces {
		r.add(field+".places", "must be 1 to %d", maxPlaces)
	}
	checkOneOf(r, field+".selection", call.Selection, "", ideas.SelectionTeam, ideas.SelectionVote, ideas.SelectionDraw)
	if call.Role != "" && !itemPattern.MatchString(call.Role) {
		r.add(field+".role", "must be a name of letters, digits, '-' and '_', such as tester")
	}
	screening := map[string][]control.Option{}
	for _, q := range call.Questions {
		screening[q.Name] = q.Options
	}
	checkQuotas(r, field+".quotas", call.Quotas, screening, settings)
}

// checkQuotas refuses quotas of segments that nobody can be in, and those of more than all.
func checkQuotas(r *refusals, field string, quotas []control.Quota, screening map[string][]control.Option, settings ideas.Settings) {
	percent, seen := map[string]int{}, map[[2]string]bool{}
	for i, q := range quotas {
		at := fmt.Sprintf("%s[%d]", field, i)
		options, known := screening[q.Attribute]
		if !known && settings.House != nil {
			for _, a := range settings.House.Attributes {
				if a.Name == q.Attribute {
					options, known = a.Options, true
				}
			}
		}
		switch {
		case !known:
			r.await(at+".attribute", control.Reference{Kind: control.KindAttribute, Name: q.Attribute}, "must be one of the house's attributes or of the screening questions")
		case len(options) > 0 && !slices.ContainsFunc(options, func(o control.Option) bool { return o.Name == q.Value }):
			r.add(at+".value", "must be one of the options of %s", quotable(q.Attribute))
		case seen[[2]string{q.Attribute, q.Value}]:
			r.add(at+".value", "repeats an earlier quota")
		}
		seen[[2]string{q.Attribute, q.Value}] = true
		if q.Percent < 1 || q.Percent > 100 {
			r.add(at+".percent", "must be 1 to 100")
		}
		if percent[q.Attribute] += q.Percent; percent[q.Attribute] > 100 {
			r.add(at+".percent", "must leave the quotas of %s at 100 in all, not %d", quotable(q.Attribute), percent[q.Attribute])
		}
	}
}

func checkSurvey(r *refusals, field string, s control.Survey, quotas []control.Quota, settings ideas.Settings) {
	checkQuestions(r, field+".questions", s.Questions, settings)
	if s.Limit < 0 || s.Limit > 10_000_000 {
		r.add(field+".limit", "must be 0 for none, or the number of responses")
	}
	if len(quotas) > 0 && s.Limit == 0 {
		r.add(field+".limit", "must be set where quotas are: they are shares of it")
	}
}

func checkQuestions(r *refusals, field string, questions []control.Question, settings ideas.Settings) {
	if len(questions) == 0 || len(questions) > maxQuestions {
		r.add(field, "must be 1 to %d questions", maxQuestions)
		return
	}
	seen := names{}
	for i, q := range questions {
		at := fmt.Sprintf("%s[%d]", field, i)
		seen.check(r, at, q.Name)
		checkLabel(r, at+".label", q.Label, settings)
		checkQuestion(r, at, q, settings)
		checkShowIf(r, at, q, questions[:i])
	}
}

func checkQuestion(r *refusals, at string, q control.Question, settings ideas.Settings) {
	checkOneOf(r, at+".type", q.Type, ideas.QuestionText, ideas.QuestionSingle, ideas.QuestionMultiple, ideas.QuestionScale, ideas.QuestionRating,
		ideas.QuestionRanking, ideas.QuestionNumber, ideas.QuestionMatrix, ideas.QuestionNPS)
	switch q.Type {
	case ideas.QuestionSingle, ideas.QuestionMultiple, ideas.QuestionRanking, ideas.QuestionMatrix:
		checkOptions(r, at+".options", q.Options, settings)
		if q.Type == ideas.QuestionRanking && len(q.Options) > maxScale {
			r.add(at+".options", "must be %d at most: nobody ranks more", maxScale)
		}
	default:
		if len(q.Options) > 0 {
			r.add(at+".options", "belong to a question of type single, multiple, ranking or matrix")
		}
	}
	switch isMatrix := q.Type == ideas.QuestionMatrix; {
	case isMatrix:
		if len(q.Rows) == 0 || len(q.Rows) > maxOptions {
			r.add(at+".rows", "must be 1 to %d rows", maxOptions)
		}
		seen := names{}
		for i, row := range q.Rows {
			seen.check(r, fmt.Sprintf("%s.rows[%d]", at, i), row.Name)
			checkLabel(r, fmt.Sprintf("%s.rows[%d].label", at, i), row.Label, settings)
		}
	case len(q.Rows) > 0:
		r.add(at+".rows", "belong to a question of type matrix")
	}
	if low, high, ok := ideas.Bounds(q); ok && (high <= low || high-low > maxScale) {
		r.add(at+".maximum", "must make a scale of 2 to %d points from %d", maxScale+1, low)
	} else if !ok && q.Maximum < q.Minimum {
		r.add(at+".maximum", "must not be less than the minimum %d", q.Minimum)
	}
}

func checkShowIf(r *refusals, at string, q control.Question, earlier []control.Question) {
	if q.ShowIf == "" {
		return
	}
	name, value, ok := strings.Cut(q.ShowIf, "=")
	i := slices.IndexFunc(earlier, func(e control.Question) bool { return e.Name == name })
	switch {
	case !ok || i < 0:
		r.add(at+".showIf", "must be an earlier question and one of its answers, such as flew=yes")
	case earlier[i].Type == ideas.QuestionSingle || earlier[i].Type == ideas.QuestionMultiple:
		if !slices.ContainsFunc(earlier[i].Options, func(o control.Option) bool { return o.Name == value }) {
			r.add(at+".showIf", "must name one of the options of %s", quotable(name))
		}
	case earlier[i].Type == ideas.QuestionText || earlier[i].Type == ideas.QuestionMatrix || earlier[i].Type == ideas.QuestionRanking:
		r.add(at+".showIf", "must name a question with one answer to compare: %s is of type %s", quotable(name), earlier[i].Type)
	}
}

func checkConceptTest(r *refusals, t control.ConceptTest, settings ideas.Settings) {
	const field = "spec.conceptTest"
	if len(t.Stimuli) == 0 || len(t.Stimuli) > maxStimuli {
		r.add(field+".stimuli", "must be 1 to %d stimuli", maxStimuli)
	}
	if t.PerMember < 0 || t.PerMember > len(t.Stimuli) {
		r.add(field+".perMember", "must be 0 for all, or up to the %d stimuli", len(t.Stimuli))
	}
	seen := names{}
	for i, s := range t.Stimuli {
		at := fmt.Sprintf("%s.stimuli[%d]", field, i)
		seen.check(r, at, s.Name)
		checkLabel(r, at+".title", s.Title, settings)
		for _, address := range []struct{ name, value string }{{"image", s.Image}, {"video", s.Video}, {"link", s.Link}} {
			if address.value != "" && !isPublicURL(address.value, "https") {
				r.add(at+"."+address.name, "must be an https address such as https://brand.example/concept")
			}
		}
		if s.Image != "" {
			checkLabel(r, at+".imageAlt", s.ImageAlt, settings)
		}
		if len(s.Text) == 0 && s.Image == "" && s.Video == "" && s.Link == "" {
			r.add(at, "must show something: a text, an image, a video or a link")
		}
	}
	checkQuestions(r, field+".questions", t.Questions, settings)
}

func checkBetaTest(r *refusals, t control.BetaTest, settings ideas.Settings) {
	const field = "spec.betaTest"
	if t.DiaryDays < 0 || t.DiaryDays > 365 {
		r.add(field+".diaryDays", "must be 0 to leave it to testers, or up to 365")
	}
	if t.DropOutDays < 0 || t.DropOutDays > 365 {
		r.add(field+".dropOutDays", "must be 0 for never, or up to 365")
	}
	if t.DropOutDays > 0 && t.DropOutDays <= t.DiaryDays {
		r.add(field+".dropOutDays", "must be more than diaryDays, %d: nobody drops out before an entry is due", t.DiaryDays)
	}
	if len(t.Kit) > 0 {
		checkLocalized(r, field+".kit", t.Kit, settings)
	}
	if t.FinalSurvey != nil {
		checkSurvey(r, field+".finalSurvey", *t.FinalSurvey, nil, settings)
	}
}

func checkThemes(r *refusals, field string, themes []string, settings ideas.Settings) {
	for i, name := range themes {
		if settings.House == nil || !slices.ContainsFunc(settings.House.Themes, func(t control.Theme) bool { return t.Name == name }) {
			r.await(fmt.Sprintf("%s[%d]", field, i), control.Reference{Kind: control.KindTheme, Name: name}, "must be one of the house's themes")
		}
	}
}

func checkWorkshop(r *refusals, w control.Workshop, settings ideas.Settings) {
	if len(w.Sessions) == 0 || len(w.Sessions) > maxSessions {
		r.add("spec.workshop.sessions", "must be 1 to %d sessions", maxSessions)
		return
	}
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil {
		zone = time.UTC // the settings' own check says so
	}
	resolved, err := ideas.ResolveSessions(w.Sessions, zone)
	if err != nil {
		field, message, _ := strings.Cut(err.Error(), ": ")
		r.add("spec.workshop."+field, "%s", message)
	}
	seen := names{}
	for i, s := range w.Sessions {
		at := fmt.Sprintf("spec.workshop.sessions[%d]", i)
		seen.check(r, at, s.Name)
		checkLabel(r, at+".title", s.Title, settings)
		if s.Capacity < 1 || s.Capacity > maxPlaces {
			r.add(at+".capacity", "must be 1 to %d places", maxPlaces)
		}
		if s.Link != "" && !isPublicURL(s.Link, "https") {
			r.add(at+".link", "must be an https address such as https://meet.brand.example/session")
		}
		if s.Link == "" && len(s.Place) == 0 {
			r.add(at+".place", "is missing: a session has a place or a link")
		}
		if s.Facilitator != "" {
			if _, err := ideas.CleanEmail(s.Facilitator); err != nil {
				r.add(at+".facilitator", "must be an e-mail address")
			}
		}
		minutes := 0
		for j, round := range s.Rounds {
			checkLabel(r, fmt.Sprintf("%s.rounds[%d].title", at, j), round.Title, settings)
			if round.Minutes < 1 || round.Minutes > 24*60 {
				r.add(fmt.Sprintf("%s.rounds[%d].minutes", at, j), "must be 1 to %d", 24*60)
			}
			minutes += round.Minutes
		}
		if len(s.Rounds) > maxRounds {
			r.add(at+".rounds", "must be %d rounds at most", maxRounds)
		}
		if resolved == nil {
			continue
		}
		switch length := resolved[i].End.Sub(resolved[i].Start); {
		case length <= 0:
			r.add(at+".end", "must be after the start %s", s.Start)
		case time.Duration(minutes)*time.Minute > length:
			r.add(at+".rounds", "must fit into the session: they take %d minutes of %d", minutes, int(length.Minutes()))
		}
	}
}

func checkMission(r *refusals, m control.Mission, settings ideas.Settings) {
	const field = "spec.mission"
	if !itemPattern.MatchString(m.Role) {
		r.add(field+".role", "must be a name of letters, digits, '-' and '_', such as ambassador")
	}
	if len(m.Tasks) > maxTasks {
		r.add(field+".tasks", "must be %d tasks at most", maxTasks)
	}
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil {
		zone = time.UTC // the settings' own check says so
	}
	seen := names{}
	for i, t := range m.Tasks {
		at := fmt.Sprintf("%s.tasks[%d]", field, i)
		seen.check(r, at, t.Name)
		checkLabel(r, at+".title", t.Title, settings)
		if t.Due == "" {
			continue
		}
		if _, err := control.ParseLocalTime(t.Due, zone); err != nil {
			r.add(at+".due", "%s", err)
		}
	}
}
