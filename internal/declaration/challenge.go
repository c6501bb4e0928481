package declaration

import (
	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
)

// Challenge declares a Challenge.
func Challenge(c *v1alpha1.Challenge) control.Object[control.Challenge] {
	s := c.Spec
	return object(c.ObjectMeta, control.Challenge{
		Type:             string(s.Type),
		Title:            texts(s.Title),
		Brief:            texts(s.Brief),
		Theme:            string(s.Theme),
		Phases:           each(s.Phases, phase),
		Visibility:       string(s.Visibility),
		Eligibility:      optional(s.Eligibility, eligibility),
		Form:             each(s.Form, formField),
		Ballot:           optional(s.Ballot, ballot),
		Ladder:           each(s.Ladder, rung),
		Jury:             optional(s.Jury, jury),
		Winners:          int(s.Winners),
		ReviewBatches:    plain(s.ReviewBatches),
		Terms:            plain(s.Terms),
		ExclusiveDays:    int(s.ExclusiveDays),
		RewardPolicy:     string(s.RewardPolicy),
		AnswerWithinDays: int(s.AnswerWithinDays),
		Responsible:      string(s.Responsible),
		Quotas:           each(s.Quotas, quota),
		Origin:           string(s.Origin),
		Moderation:       string(s.Moderation),
		Paused:           texts(s.Paused),
		Cancelled:        texts(s.Cancelled),
		Recruiting:       optional(s.Recruiting, recruiting),
		Survey:           optional(s.Survey, survey),
		ConceptTest:      optional(s.ConceptTest, conceptTest),
		BetaTest:         optional(s.BetaTest, betaTest),
		Forum:            optional(s.Forum, forum),
		Workshop:         optional(s.Workshop, workshop),
		Mission:          optional(s.Mission, mission),
	})
}

func phase(p v1alpha1.Phase) control.Phase {
	return control.Phase{Name: string(p.Name), Start: string(p.Start), End: string(p.End), Allows: plain(p.Allows)}
}

func eligibility(e v1alpha1.Eligibility) control.Eligibility {
	return control.Eligibility{
		MinimumAge:       int(e.MinimumAge),
		Attributes:       lists(e.Attributes),
		Level:            int(e.Level),
		Roles:            plain(e.Roles),
		SelectedIn:       string(e.SelectedIn),
		EntriesPerMember: int(e.EntriesPerMember),
	}
}

func formField(f v1alpha1.FormField) control.FormField {
	return control.FormField{
		Name:      string(f.Name),
		Label:     texts(f.Label),
		Hint:      texts(f.Hint),
		Type:      string(f.Type),
		Required:  f.Required,
		Options:   each(f.Options, option),
		Minimum:   f.Minimum,
		Maximum:   f.Maximum,
		MaxLength: int(f.MaxLength),
		Private:   f.Private,
	}
}

func option(o v1alpha1.Option) control.Option {
	return control.Option{Name: string(o.Name), Label: texts(o.Label)}
}

func quota(q v1alpha1.Quota) control.Quota {
	return control.Quota{Attribute: string(q.Attribute), Value: string(q.Value), Percent: int(q.Percent)}
}

func ballot(b v1alpha1.Ballot) control.Ballot {
	return control.Ballot{
		Kind:         string(b.Kind),
		PerDay:       int(b.PerDay),
		Minimum:      number(b.Minimum),
		Maximum:      number(b.Maximum),
		Budget:       int(b.Budget),
		MaxPerIdea:   int(b.MaxPerIdea),
		Approvals:    int(b.Approvals),
		Hidden:       b.Hidden,
		RandomOrder:  b.RandomOrder,
		DaysPerEntry: int(b.DaysPerEntry),
		Shortlist:    int(b.Shortlist),
	}
}

func rung(r v1alpha1.Rung) control.Rung {
	return control.Rung{Supporters: int(r.Supporters), Percent: int(r.Percent), Days: int(r.Days)}
}

func jury(j v1alpha1.Jury) control.Jury {
	return control.Jury{
		Members:        plain(j.Members),
		Criteria:       each(j.Criteria, criterion),
		ScoresPerEntry: int(j.ScoresPerEntry),
		BallotPercent:  int(j.BallotPercent),
	}
}

func criterion(c v1alpha1.Criterion) control.Criterion {
	return control.Criterion{Name: string(c.Name), Label: texts(c.Label), Weight: int(c.Weight), Maximum: int(c.Maximum)}
}
