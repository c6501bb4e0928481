package declaration

import (
	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
)

func recruiting(r v1alpha1.Recruiting) control.Recruiting {
	return control.Recruiting{
		Questions: each(r.Questions, formField),
		Places:    int(r.Places),
		Quotas:    each(r.Quotas, quota),
		Selection: string(r.Selection),
		Role:      string(r.Role),
	}
}

func survey(s v1alpha1.Survey) control.Survey {
	return control.Survey{Questions: each(s.Questions, question), Limit: int(s.Limit), Anonymous: s.Anonymous}
}

func question(q v1alpha1.Question) control.Question {
	return control.Question{
		Name:      string(q.Name),
		Label:     texts(q.Label),
		Type:      string(q.Type),
		Required:  q.Required,
		Options:   each(q.Options, option),
		Rows:      each(q.Rows, option),
		Minimum:   number(q.Minimum),
		Maximum:   number(q.Maximum),
		LowLabel:  texts(q.LowLabel),
		HighLabel: texts(q.HighLabel),
		ShowIf:    q.ShowIf,
	}
}

func conceptTest(t v1alpha1.ConceptTest) control.ConceptTest {
	return control.ConceptTest{
		Stimuli:   each(t.Stimuli, stimulus),
		Questions: each(t.Questions, question),
		PerMember: int(t.PerMember),
	}
}

func stimulus(s v1alpha1.Stimulus) control.Stimulus {
	return control.Stimulus{
		Name:     string(s.Name),
		Title:    texts(s.Title),
		Text:     texts(s.Text),
		Image:    string(s.Image),
		ImageAlt: texts(s.ImageAlt),
		Video:    string(s.Video),
		Link:     string(s.Link),
	}
}

func betaTest(t v1alpha1.BetaTest) control.BetaTest {
	return control.BetaTest{
		Kit:         texts(t.Kit),
		DiaryDays:   int(t.DiaryDays),
		DropOutDays: int(t.DropOutDays),
		FinalSurvey: optional(t.FinalSurvey, survey),
	}
}

func forum(f v1alpha1.Forum) control.Forum { return control.Forum{Themes: plain(f.Themes)} }

func workshop(w v1alpha1.Workshop) control.Workshop {
	return control.Workshop{Sessions: each(w.Sessions, session)}
}

func session(s v1alpha1.Session) control.Session {
	return control.Session{
		Name:        string(s.Name),
		Title:       texts(s.Title),
		Start:       string(s.Start),
		End:         string(s.End),
		Place:       texts(s.Place),
		Link:        string(s.Link),
		Capacity:    int(s.Capacity),
		Facilitator: string(s.Facilitator),
		Rounds:      each(s.Rounds, round),
	}
}

func round(r v1alpha1.Round) control.Round {
	return control.Round{Title: texts(r.Title), Minutes: int(r.Minutes)}
}

func mission(m v1alpha1.Mission) control.Mission {
	return control.Mission{Role: string(m.Role), Tasks: each(m.Tasks, task), PostsUnmoderated: m.PostsUnmoderated}
}

func task(t v1alpha1.Task) control.Task {
	return control.Task{Name: string(t.Name), Title: texts(t.Title), Brief: texts(t.Brief), Due: string(t.Due)}
}
