package web_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
)

// brandWithMethods is a community whose programme a test declares, with a lead and a segment.
func brandWithMethods(t *testing.T) *community {
	t.Helper()
	c := open(t)
	settings := control.Settings{
		BaseURL: "https://" + host, Hostnames: []string{host}, Locales: []string{"en", "fr"}, TimeZone: "UTC",
		House: &control.House{
			Roles:  map[string][]string{"lead": {"lead@members.example"}},
			Terms:  []control.Terms{{Name: "nda", Kind: "nonDisclosure", Version: "1", Text: texts("Between **us**", "Entre **nous**")}},
			Themes: []control.Theme{{Name: "food", Title: texts("Food", "Repas")}, {Name: "seat", Title: texts("Seats", "Sièges")}},
			Attributes: []control.Attribute{{Name: "region", Label: texts("Region", "Région"), Options: []control.Option{
				{Name: "north", Label: texts("North", "Nord")}, {Name: "south", Label: texts("South", "Sud")},
			}}},
		},
	}
	settings.Brand.Name = texts("Lumière Lab", "Atelier Lumière")
	if _, _, err := c.store.Declare(t.Context(), control.Declaration{UID: "brand", Generation: 1, Settings: settings}); err != nil {
		t.Fatal(err)
	}
	c.config.Settings, c.config.Programme = c.store, c.store
	c.pages = web.New(c.config)
	return c
}

// methodsBegan stands still, so that a challenge that is declared again has begun when it had.
var methodsBegan = time.Now().UTC()

// declareMethod puts a challenge in force whose phases begin and end at hours from now.
func (c *community) declareMethod(name string, spec control.Challenge, phases ...any) *ideas.Challenge {
	c.t.Helper()
	for i := 0; i+2 < len(phases); i += 3 {
		at := func(hours any) string {
			return methodsBegan.Add(time.Duration(hours.(int)) * time.Hour).Format(control.LocalTimeLayout)
		}
		spec.Phases = append(spec.Phases, control.Phase{Name: phases[i].(string), Start: at(phases[i+1]), End: at(phases[i+2])})
	}
	spec.Title = texts("The "+name, "Le "+name)
	generation := int64(1)
	if old := c.store.Programme(c.t.Context()).Challenge(name); old != nil {
		generation = old.Generation + 1
	}
	_, _, err := c.store.DeclareChallenge(c.t.Context(), control.Object[control.Challenge]{UID: "uid-" + name, Name: name, Generation: generation, Spec: spec})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.store.Programme(c.t.Context()).Challenge(name)
}

func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f
}

// says fails the test unless the page says all of it.
func (a *answer) says(texts ...string) *answer {
	a.t.Helper()
	for _, want := range texts {
		if !strings.Contains(a.body, want) {
			a.t.Errorf("%s does not say %q", a.path, want)
		}
	}
	return a
}

func (a *answer) doesNotSay(texts ...string) *answer {
	a.t.Helper()
	for _, not := range texts {
		if strings.Contains(a.body, not) {
			a.t.Errorf("%s says %q", a.path, not)
		}
	}
	return a
}

// both checks a page in both languages.
func (c *community) both(t *testing.T, b *browser, path string) {
	t.Helper()
	for _, language := range []string{"fr", "en"} {
		b.cookies["__Host-language"] = language
		wellFormed(t, b.get(path).is(http.StatusOK), language)
	}
}

var surveyQuestions = []control.Question{
	{Name: "flew", Label: texts("Have you flown?", "Avez-vous volé ?"), Type: ideas.QuestionSingle, Required: true, Options: []control.Option{
		{Name: "yes", Label: texts("Yes, often", "Oui")}, {Name: "no", Label: texts("Never", "Non")},
	}},
	{Name: "why", Label: texts("Why?", "Pourquoi ?"), Type: ideas.QuestionText, ShowIf: "flew=yes"},
	{Name: "nps", Label: texts("Would you recommend us?", "Nous recommanderiez-vous ?"), Type: ideas.QuestionNPS, Required: true},
	{Name: "rank", Label: texts("Rank them", "Classez"), Type: ideas.QuestionRanking, Options: []control.Option{{Name: "a", Label: texts("A", "A")}, {Name: "b", Label: texts("B", "B")}}},
	{Name: "grid", Label: texts("Rate them", "Notez"), Type: ideas.QuestionMatrix, Rows: []control.Option{{Name: "seat", Label: texts("Seat", "Siège")}}, Options: []control.Option{
		{Name: "good", Label: texts("Good", "Bien")}, {Name: "bad", Label: texts("Bad", "Mal")},
	}},
}

func TestSurveyPages(t *testing.T) {
	c := brandWithMethods(t)
	c.declareMethod("survey", control.Challenge{Type: control.TypeSurvey, Survey: &control.Survey{Questions: surveyQuestions}}, "open", -1, 100)
	stranger := c.visitor()
	stranger.get("/challenges/survey").is(200).says("Sign in to answer")
	stranger.post("/challenges/survey/survey", form("form.flew", "yes")).leadsTo("/sign-in?returnTo=%2Fchallenges%2Fsurvey")
	member, _ := c.signedIn("Member")
	c.both(t, member, "/challenges/survey")
	page := member.get("/challenges/survey").is(200)
	if n := len(page.tags("fieldset")); n != 5 {
		t.Errorf("%d groups of inputs, want 5", n)
	}
	// What is wrong is said at its question, and what was typed is kept.
	wrong := member.post("/challenges/survey/survey", form("form.flew", "yes", "form.why", "=cmd()", "form.rank.a", "1", "form.rank.b", "1", "form.nps", "11")).is(422)
	wellFormed(t, wrong, "en")
	wrong.says("2 things need", "=cmd()", "Please give each one a place of its own.", "Please enter 10 or less.")
	if attr(wrong.tags("fieldset")[0], "aria-describedby") != "" {
		t.Error("a question that is right points at an error")
	}
	good := form("form.flew", "yes", "form.why", "=cmd()", "form.rank.a", "2", "form.rank.b", "1", "form.nps", "9", "form.grid.seat", "good")
	member.post("/challenges/survey/survey", good).leadsTo("/challenges/survey")
	member.get("/challenges/survey").is(200).says("Thank you for your answers!", "You have answered.")
	member.post("/challenges/survey/survey", good).leadsTo("/challenges/survey")
	member.get("/challenges/survey").is(200).says("This is closed at the moment.")

	results := "/team/challenges/survey/results"
	member.get(results).is(404)
	member.post(results+".csv", form("part", "survey")).is(404)
	lead, _ := c.signedIn("Lead")
	c.both(t, lead, results)
	c.both(t, lead, "/team/methods")
	lead.get(results).is(200).says("NPS", "100", "place 2.0 on average", "little to go by", "=cmd()")
	file := lead.post(results+".csv", form("part", "survey")).is(200)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][1] != "'=cmd()" || rows[1][4] != "good" {
		t.Errorf("the export is %q, %v", rows, err)
	}
	lead.post(results+".csv", form("part", "other")).is(404)
	lead.get("/team/audit?action=export.responses").is(200).says("export.responses", "Lead")
}

func TestAnonymousSurveySaysSo(t *testing.T) {
	c := brandWithMethods(t)
	c.declareMethod("survey", control.Challenge{Type: control.TypeSurvey, Survey: &control.Survey{Anonymous: true, Limit: 1, Questions: surveyQuestions[2:3]}})
	one, _ := c.signedIn("One")
	one.get("/challenges/survey").is(200).says("Anonymous: nothing links")
	one.post("/challenges/survey/survey", form("form.nps", "9")).leadsTo("/challenges/survey")
	two, _ := c.signedIn("Two")
	two.get("/challenges/survey").is(200).says("enough people like you")
	two.post("/challenges/survey/survey", form("form.nps", "9")).leadsTo("/challenges/survey")
	two.get("/challenges/survey").is(200).says("There is no room left.")
}

func TestConceptTestPages(t *testing.T) {
	c := brandWithMethods(t)
	c.declareMethod("concepts", control.Challenge{Type: control.TypeConceptTest, ConceptTest: &control.ConceptTest{
		Stimuli: []control.Stimulus{
			{Name: "dome", Title: texts("Dome", "Dôme"), Text: texts("**Round**", "Rond"), Image: "https://brand.example/d.png", ImageAlt: texts("A dome", "Un dôme")},
			{Name: "tube", Title: texts("Tube", "Tube"), Video: "https://film.example/t", Link: "https://vr.example/t"},
		},
		Questions: []control.Question{{Name: "like", Label: texts("Do you like it?", "Vous plaît-il ?"), Type: ideas.QuestionRating, Required: true}},
	}}, "open", -1, 100)
	c.visitor().get("/challenges/concepts/concepts").leadsTo("/sign-in?returnTo=%2Fchallenges%2Fconcepts%2Fconcepts")
	member, _ := c.signedIn("Member")
	c.both(t, member, "/challenges/concepts")
	c.both(t, member, "/challenges/concepts/concepts")
	for i := range 2 {
		page := member.get("/challenges/concepts/concepts").is(200).says(fmt.Sprintf("Concept %d of 2", i+1))
		var action string
		for _, f := range page.tags("form") {
			if has(f, "data-questions") {
				action = attr(f, "action")
			}
		}
		member.post(action, form()).is(422).says("Please fill this in")
		member.post(action, form("form.like", "4")).leadsTo("/challenges/concepts/concepts")
	}
	c.both(t, member, "/challenges/concepts/concepts")
	member.get("/challenges/concepts/concepts").is(200).says("That was all.")
	lead, _ := c.signedIn("Lead")
	c.both(t, lead, "/team/challenges/concepts/results")
	lead.get("/team/challenges/concepts/results").is(200).says("Concepts side by side", "Dome", "4.0", "little to go by")
}

func recruiting(selection string) *control.Recruiting {
	return &control.Recruiting{Places: 1, Selection: selection, Questions: []control.FormField{
		{Name: "why", Label: texts("Why you?", "Pourquoi vous ?"), Type: ideas.FieldLongText, Required: true},
		{Name: "phone", Label: texts("Phone", "Téléphone"), Type: ideas.FieldText, Private: true},
	}}
}

func TestRecruitingPages(t *testing.T) {
	c := brandWithMethods(t)
	spec := control.Challenge{Type: control.TypeMission, Recruiting: recruiting(ideas.SelectionVote), Mission: &control.Mission{Role: "hunter"}, Jury: &control.Jury{
		Members: []string{"juror@members.example"}, BallotPercent: 50, Criteria: []control.Criterion{{Name: "voice", Label: texts("Voice", "Voix"), Weight: 100}},
	}}
	c.declareMethod("hunters", spec, "recruiting", -3, 100)
	c.visitor().get("/challenges/hunters").is(200).says("Call for applications")
	one, _ := c.signedIn("One")
	two, _ := c.signedIn("Two")
	c.both(t, one, "/challenges/hunters/apply")
	one.post("/challenges/hunters/apply", form("form.phone", "123")).is(422).says("Please fill this in", `value="123"`)
	one.post("/challenges/hunters/apply", form("form.why", "I <b>fly</b>", "form.phone", "12345")).leadsTo("/challenges/hunters")
	one.get("/challenges/hunters").is(200).says("Your application is in")
	one.get("/challenges/hunters/apply").is(200).says("I &lt;b&gt;fly", "12345")
	list := c.visitor().get("/challenges/hunters/applications").is(200).says("I &lt;b&gt;fly").doesNotSay("12345")
	wellFormed(t, list, "en")
	var vote string
	for _, f := range two.get("/challenges/hunters/applications").tags("form") {
		if strings.HasSuffix(attr(f, "action"), "/vote") {
			vote = attr(f, "action")
		}
	}
	two.post(vote, form("vote", "true")).is(303)
	two.get("/challenges/hunters/applications").is(200).says(`aria-pressed="true"`)
	score := strings.Replace(vote, "/vote", "/score", 1)
	two.post(score, form("form.voice", "9")).is(404)
	juror, _ := c.signedIn("Juror")
	juror.post(score, form("form.voice", "99")).is(422).says("Please enter 10 or less.", `value="99"`)
	juror.post(score, form("form.voice", "9")).is(303)
	c.both(t, juror, "/challenges/hunters/applications")

	path := "/team/challenges/hunters/applications"
	two.get(path).is(404)
	two.post("/team/challenges/hunters/selection", form()).is(404)
	lead, _ := c.signedIn("Lead")
	c.both(t, lead, path)
	lead.get(path).is(200).says("12345", "Applications still come in.")
	id := strings.Split(vote, "/")[4]
	lead.post(path+"/"+id, form("state", "refused", "reason", "")).is(422).says("Please give a reason")
	c.declareMethod("hunters", spec, "recruiting", -3, -2, "open", -1, 100)
	lead.post("/team/challenges/hunters/selection", form("reason", "Soon")).leadsTo(path + "?state=selected")
	c.both(t, lead, path+"?state=selected")
	one.get("/challenges/hunters").is(200).says("You are in!")
	lead.post(path+"/"+id+"/drop", form("cause", "moved")).is(303)
	one.get("/challenges/hunters").is(200).says("No longer taking part").doesNotSay("You are in!")
	one.get("/challenges/hunters/apply").leadsTo("/challenges/hunters")
}

func TestDrawIsPublished(t *testing.T) {
	c := brandWithMethods(t)
	spec := control.Challenge{Type: control.TypeMission, Recruiting: recruiting(ideas.SelectionDraw), Mission: &control.Mission{Role: "hunter"}}
	c.declareMethod("lot", spec, "recruiting", -3, 100)
	for _, name := range []string{"One", "Two"} {
		b, _ := c.signedIn(name)
		b.post("/challenges/lot/apply", form("form.why", "x")).leadsTo("/challenges/lot")
	}
	read := func() (d ideas.Draw) {
		t.Helper()
		if err := json.Unmarshal([]byte(c.visitor().get("/challenges/lot/draw.json").is(200).body), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	promise := read()
	if promise.Seed != "" || promise.Commitment == "" {
		t.Fatalf("before the draw: %+v", promise)
	}
	c.visitor().get("/challenges/lot").is(200).says(promise.Commitment)
	c.declareMethod("lot", spec, "recruiting", -3, -2, "open", -1, 100)
	lead, _ := c.signedIn("Lead")
	lead.post("/team/challenges/lot/selection", form()).is(303)
	if draw := read(); !draw.Verify(promise.Commitment) || len(draw.Selected) != 1 {
		t.Errorf("the published draw does not verify: %+v", draw)
	}
}

func TestBetaTestPages(t *testing.T) {
	c := brandWithMethods(t)
	spec := control.Challenge{Type: control.TypeBetaTest, Recruiting: recruiting(ideas.SelectionTeam), BetaTest: &control.BetaTest{
		Kit: texts("A stove", "Un réchaud"), DiaryDays: 2, FinalSurvey: &control.Survey{Questions: surveyQuestions[2:3]},
	}}
	c.declareMethod("stove", spec, "recruiting", -3, 100)
	one, _ := c.signedIn("One")
	lead, _ := c.signedIn("Lead")
	one.post("/challenges/stove/apply", form("form.why", "x")).leadsTo("/challenges/stove")
	one.get("/challenges/stove/test").is(404)
	c.declareMethod("stove", spec, "recruiting", -3, -2, "open", -1, 100)
	lead.post("/team/challenges/stove/applications/1", form("state", "selected")).is(303)
	one.get("/challenges/stove").is(200).says("Open my test")
	c.both(t, lead, "/team/challenges/stove/testers")
	member := c.member1("One")
	lead.post(fmt.Sprintf("/team/challenges/stove/testers/%d/kit", member), form("kit", "sent", "tracking", "PARCEL-7")).is(303)
	one.get("/challenges/stove/test").is(200).says("PARCEL-7", "It has arrived")
	one.post("/challenges/stove/test/kit", form()).is(303)
	one.post("/challenges/stove/test/diary", form("body", "kept text", "key", "k")).is(422).says("kept text", "Please fill this in")
	one.post("/challenges/stove/test/diary", form("mood", "4", "body", "It **burns**", "key", "k")).is(303)
	one.post("/challenges/stove/test/bugs", form("title", "Leaks", "severity", "blocker")).is(422).says(`value="Leaks"`)
	one.post("/challenges/stove/test/bugs", form("title", "Leaks", "severity", "blocker", "steps", "1. Open", "key", "b")).is(303)
	c.both(t, one, "/challenges/stove/test")
	one.get("/challenges/stove/test").is(200).says("<strong>burns</strong>", "Leaks", "Cannot go on", "done")
	one.post("/challenges/stove/test/final", form("form.nps", "x")).is(422)
	one.post("/challenges/stove/test/final", form("form.nps", "8")).is(303)
	c.both(t, lead, "/team/challenges/stove/testers")
	lead.get(fmt.Sprintf("/team/challenges/stove/testers/%d", member)).is(200).says("<strong>burns</strong>")
	c.both(t, lead, fmt.Sprintf("/team/challenges/stove/testers/%d", member))
	lead.post("/team/challenges/stove/bugs/1", form("status", "duplicate", "duplicateOf", "1")).is(422).says("A duplicate repeats another report")
	lead.post("/team/challenges/stove/bugs/1", form("status", "fixed", "answer", "A new valve.")).is(303)
	one.get("/challenges/stove/test").is(200).says("A new valve.", "Fixed")
	two, _ := c.signedIn("Two")
	two.get("/challenges/stove/test").is(404)
	two.get("/team/challenges/stove/testers").is(404)
	two.post("/challenges/stove/test/diary", form("mood", "4", "body", "x")).is(404)
	two.post("/team/challenges/stove/bugs/1", form("status", "new")).is(404)
	lead.post(fmt.Sprintf("/team/challenges/stove/testers/%d/drop", member), form()).is(303)
	one.get("/challenges/stove/test").is(404)
}

// member1 is the id of the member of a name.
func (c *community) member1(name string) int64 {
	return c.db.QueryInt(c.t, "SELECT id FROM ideas.member WHERE name = $1", name)
}

func TestForumPages(t *testing.T) {
	c := brandWithMethods(t)
	c.declareMethod("forum", control.Challenge{Type: control.TypeForum, Forum: &control.Forum{Themes: []string{"food"}}})
	c.both(t, c.visitor(), "/challenges/forum")
	one, _ := c.signedIn("One")
	two, _ := c.signedIn("Two")
	lead, _ := c.signedIn("Lead")
	c.both(t, one, "/challenges/forum/topics/new")
	one.post("/challenges/forum/topics", form("title", "", "body", "kept")).is(422).says("kept", "Please fill this in")
	one.post("/challenges/forum/topics", form("title", "Menus", "body", "**More** soup <script>x</script>", "theme", "seat")).is(422)
	one.post("/challenges/forum/topics", form("title", "Menus", "body", "**More** soup <script>x</script>", "theme", "food", "key", "k")).leadsTo("/challenges/forum/topics/1")
	c.both(t, two, "/challenges/forum")
	two.get("/challenges/forum?theme=food").is(200).says("Menus")
	two.get("/challenges/forum?after=!").is(422)
	two.post("/challenges/forum/topics/1/replies", form("body", "Indeed", "key", "a")).leadsTo("/challenges/forum/topics/1#reply-1")
	one.post("/challenges/forum/topics/1/replies", form("body", "Thank you", "parent", "1", "key", "b")).leadsTo("/challenges/forum/topics/1#reply-2")
	page := c.visitor().get("/challenges/forum/topics/1").is(200).says("<strong>More</strong>", "Indeed", "Sign in to reply").doesNotSay("<script>x", "Moderate")
	if n := len(page.class("reply-2")); n != 1 {
		t.Errorf("%d replies stand one level deep", n)
	}
	two.get("/challenges/forum/topics/1?reply=1").is(200).says("Your reply to Two")
	two.post("/challenges/forum/topics/1/moderate", form("do", "pin")).is(404)
	two.post("/challenges/forum/topics/1/replies/1/hide", form("hide", "true", "reason", "x")).is(404)
	c.both(t, lead, "/challenges/forum/topics/1")
	lead.post("/challenges/forum/topics/1/replies/1/hide", form("hide", "true")).is(422).says("Please give a reason")
	lead.post("/challenges/forum/topics/1/replies/1/hide", form("hide", "true", "reason", "Rude")).is(303)
	one.get("/challenges/forum/topics/1").is(200).says("The team has hidden this reply.").doesNotSay("Indeed")
	two.get("/challenges/forum/topics/1").is(200).says("Indeed", "Rude")
	// What others wrote can be reported, and the moderators find it in their queue.
	const report = "/challenges/forum/topics/1/report"
	c.both(t, two, report)
	c.both(t, two, report+"?reply=2")
	c.visitor().get(report).is(303)
	two.get(report + "?reply=1").is(404) // which nobody sees
	one.get("/challenges/forum/topics/1").is(200).doesNotSay(`href="` + report + `"`)
	two.post(report, form("code", "")).is(422)
	two.post(report, form("reply", "2", "code", "offensive")).leadsTo("/challenges/forum/topics/1#reply-2")
	two.post(report, form("code", "advertising")).leadsTo("/challenges/forum/topics/1")
	c.both(t, lead, "/team/moderation")
	lead.get("/team/moderation").is(200).says("Menus", "Thank you", "Reply", "Topic", "/challenges/forum/topics/1#reply-2")
	lead.post("/team/moderation", form("item", "1", "decision", "reject", "code", "offensive")).leadsTo("/team/moderation")
	lead.post("/team/moderation", form("item", "2", "decision", "publish")).leadsTo("/team/moderation")
	one.get("/challenges/forum/topics/1").is(200).says("Thank you", "It is offensive.")
	for _, do := range []string{"pin", "lock"} {
		lead.post("/challenges/forum/topics/1/moderate", form("do", do)).is(303)
	}
	two.post("/challenges/forum/topics/1/replies", form("body", "Late", "key", "c")).is(303)
	two.get("/challenges/forum/topics/1").is(200).says("This is closed at the moment.", "No replies are taken here.").doesNotSay("Late")
	lead.post("/challenges/forum/topics/1/moderate", form("do", "hide", "reason", "Done")).is(303)
	two.get("/challenges/forum/topics/1").is(404)
	one.get("/challenges/forum/topics/1").is(200).says("Done")
}

func TestWorkshopPages(t *testing.T) {
	c := brandWithMethods(t)
	spec := func(start int) control.Challenge {
		at := func(hours int) string {
			return time.Now().UTC().Add(time.Duration(hours) * time.Hour).Format(control.LocalTimeLayout)
		}
		return control.Challenge{Type: control.TypeWorkshop, Workshop: &control.Workshop{Sessions: []control.Session{{
			Name: "eve", Title: texts("Evening", "Soirée"), Start: at(start), End: at(start + 2), Capacity: 1, Link: "https://meet.example/secret",
			Facilitator: "host@members.example", Rounds: []control.Round{{Title: texts("Knots", "Nœuds"), Minutes: 30}},
		}}}}
	}
	c.declareMethod("knots", spec(5))
	path := "/challenges/knots/sessions/eve"
	c.both(t, c.visitor(), "/challenges/knots")
	c.visitor().get(path).is(200).says("1 place free", "Knots").doesNotSay("meet.example")
	c.visitor().get(path + "/calendar.ics").is(200).doesNotSay("meet.example")
	one, _ := c.signedIn("One")
	two, _ := c.signedIn("Two")
	facilitator, _ := c.signedIn("Host")
	one.post(path+"/register", form()).leadsTo(path)
	c.both(t, one, path)
	one.get(path).is(200).says("You have a place", "https://meet.example/secret")
	one.get(path+"/calendar.ics").is(200).says("URL:https://meet.example/secret", "SUMMARY:Evening")
	two.post(path+"/register", form()).leadsTo(path)
	two.get(path).is(200).says("number 1 on the waiting list").doesNotSay("meet.example")
	two.get(path + "/calendar.ics").is(200).doesNotSay("meet.example")
	c.both(t, facilitator, path)
	facilitator.get(path).is(200).says("Who comes", "One")
	two.get(path).is(200).doesNotSay("Who comes")
	one.post(path+"/unregister", form()).leadsTo(path)
	two.get(path).is(200).says("You have a place", "meet.example")
	facilitator.post(path+"/outcomes", form("title", "Gloves", "body", "x")).is(303)
	c.declareMethod("knots", spec(-1))
	two.post(path+"/outcomes", form("title", "Gloves", "body", "Knots for gloves")).is(404)
	facilitator.post(path+"/outcomes", form("title", "", "body", "kept")).is(422).says("kept")
	facilitator.post(path+"/outcomes", form("title", "Gloves", "body", "Knots for gloves", "key", "k")).leadsTo(path + "#outcomes")
	two.get(path).is(200).says("Gloves", "now")
	c.both(t, facilitator, path)
	two.get("/challenges/knots/sessions/none").is(404)
}

func TestMissionPages(t *testing.T) {
	c := brandWithMethods(t)
	spec := control.Challenge{Type: control.TypeMission, Recruiting: recruiting(ideas.SelectionTeam), Mission: &control.Mission{
		Role: "hunter", PostsUnmoderated: true, Tasks: []control.Task{{Name: "fly", Title: texts("Fly", "Voler"), Brief: texts("Look *around*", "Regardez")}},
	}}
	c.declareMethod("hunt", spec, "recruiting", -3, 100)
	one, member := c.signedIn("One")
	lead, _ := c.signedIn("Lead")
	one.post("/challenges/hunt/apply", form("form.why", "x")).leadsTo("/challenges/hunt")
	c.declareMethod("hunt", spec, "recruiting", -3, -2, "open", -1, 100)
	lead.post("/team/challenges/hunt/applications/1", form("state", "selected")).is(303)
	c.both(t, one, "/challenges/hunt")
	one.post("/challenges/hunt/tasks/fly", form("body", "kept", "link", "javascript:x")).is(422).says("kept", "Please enter a full web address")
	one.post("/challenges/hunt/tasks/fly", form("body", "Flown", "link", "https://blog.example/1")).leadsTo("/challenges/hunt#task-fly")
	one.post("/challenges/hunt/topics", form("title", "The lounge", "body", "Quiet", "key", "k")).leadsTo("/challenges/hunt/topics/1")
	two, _ := c.signedIn("Two")
	two.get("/challenges/hunt").is(200).says("The lounge").doesNotSay("New post", "Your result")
	two.post("/challenges/hunt/tasks/fly", form("body", "Me")).is(404)
	two.post("/challenges/hunt/topics", form("title", "Me", "body", "x")).is(404)
	two.post("/challenges/hunt/topics/1/replies", form("body", "Nice", "key", "r")).is(303)
	two.get("/challenges/hunt").is(200).says("/challenges/hunt/enter")
	two.post("/challenges/hunt/entries", form("title", "Warm nuts", "body", "Salted", "key", "e")).is(303)
	two.get("/challenges/hunt").is(200).says("Warm nuts", "1 idea on its way")
	idea := c.idea(member, "Quiet lounges", "Text")
	path := "/team/challenges/hunt/mission"
	two.get(path).is(404)
	c.both(t, lead, path)
	lead.get(path).is(200).says("Flown", "blog.example")
	lead.post(path+"/ideas", form("idea", "999", "linked", "true")).is(422).says("There is no such idea.", `value="999"`)
	lead.post(path+"/ideas", form("idea", fmt.Sprint(idea.ID), "linked", "true")).is(303)
	decide := fmt.Sprintf("%s/results/fly/%d", path, member.ID)
	two.post(decide, form("state", "accepted")).is(404)
	lead.post(decide, form("state", "redo")).is(422).says("Please give a reason")
	lead.post(decide, form("state", "redo", "feedback", "Which seat?")).is(303)
	one.get("/challenges/hunt").is(200).says("Which seat?", "Given back", "2 ideas on their way")
	one.post("/challenges/hunt/tasks/fly", form("body", "Seat 1A")).is(303)
	lead.post(decide, form("state", "accepted")).is(303)
	one.get("/challenges/hunt").is(200).says("Accepted", "Seat 1A")
	c.both(t, lead, path)
}

// Nothing that the terms protect is shown, and nothing taken, before they are accepted; the call is public.
func TestTermsComeFirst(t *testing.T) {
	c := brandWithMethods(t)
	spec := control.Challenge{Type: control.TypeBetaTest, Terms: []string{"nda"}, Recruiting: recruiting(ideas.SelectionTeam), BetaTest: &control.BetaTest{Kit: texts("A secret stove", "Un réchaud")}}
	c.declareMethod("stove", spec, "recruiting", -3, 100)
	c.both(t, c.visitor(), "/challenges/stove")
	c.visitor().get("/challenges/stove").is(200).says("Call for applications", "Read the terms").doesNotSay("secret stove")
	one, member := c.signedIn("One")
	one.get("/challenges/stove").is(200).says("Read the terms").doesNotSay("secret stove")
	accept := "/terms/acceptance?name=nda&returnTo=%2Fchallenges%2Fstove"
	one.get("/challenges/stove/apply").leadsTo(accept + "%2Fapply")
	one.post("/challenges/stove/apply", form("form.why", "x")).leadsTo(accept)
	if n := c.db.QueryInt(t, "SELECT count(*) FROM ideas.application"); n != 0 {
		t.Error("an application was taken without the terms")
	}
	missing, err := c.store.AcceptedTerms(t.Context(), member.ID, []string{"nda"})
	if err != nil || len(missing) != 1 {
		t.Fatalf("%v, %v", missing, err)
	}
	if err := c.store.AcceptTerms(t.Context(), member.ID, "en", []string{missing[0].Hash}); err != nil {
		t.Fatal(err)
	}
	one.get("/challenges/stove").is(200).says("secret stove").doesNotSay("Read the terms")
	one.post("/challenges/stove/apply", form("form.why", "x")).leadsTo("/challenges/stove")
}
