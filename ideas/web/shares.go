package web

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

// sharesPage is where the authors of an idea agree on how they share what it earns.
type sharesPage struct {
	page
	Action, Path, Heading string
	InForce, Opened       *agreementView
	// Answer tells that the visitor is asked for an answer to what is proposed.
	Answer bool
	// Fields are the percentages of a proposal, by author; none for one author alone.
	Fields []shareField
	Error  string
}

type agreementView struct {
	By    string
	Parts []sharePartView
}

type sharePartView struct {
	memberView
	Percent, State string
}

type shareField struct {
	ID    int64
	Label string
	Value string
}

func (v *visit) agreementView(a *ideas.ShareAgreement) *agreementView {
	if a == nil {
		return nil
	}
	view := &agreementView{By: v.person(a.ProposedBy.ID, a.ProposedBy.Name).Name}
	for _, part := range a.Parts {
		one := sharePartView{memberView: v.person(part.Member.ID, part.Member.Name), Percent: v.t("shares.percent", "Percent", part.Percent)}
		if a.AgreedAt.IsZero() || a.AgreedAt.Year() == 1 {
			one.State = v.t("shares.waiting")
			if part.Accepted {
				one.State = v.t("shares.accepted")
			}
		}
		view.Parts = append(view.Parts, one)
	}
	return view
}

// sharesPage is for the idea's authors.
func (a *app) sharesPage(v *visit) (ideas.OwnIdea, ideas.RevenueShares, sharesPage, error) {
	own, err := a.ownIdea(v)
	if err != nil {
		return own, ideas.RevenueShares{}, sharesPage{}, err
	}
	shares, err := a.cfg.Store.RevenueShares(v.r.Context(), v.member.ID, own.ID)
	if err != nil {
		return own, shares, sharesPage{}, fmt.Errorf("read how authors share: %w", err)
	}
	v.here = ideaPath(own.Idea) + "/shares"
	p := sharesPage{
		page: v.page(v.t("shares.title")), Action: v.here, Path: ideaPath(own.Idea), Heading: clean(own.Title),
		InForce: v.agreementView(shares.InForce), Opened: v.agreementView(shares.Opened),
	}
	p.Section, p.Hidden = "ideas", true
	if shares.Opened != nil {
		for _, part := range shares.Opened.Parts {
			p.Answer = p.Answer || part.Member.ID == v.member.ID && !part.Accepted
		}
	}
	if len(shares.Authors) > 1 {
		for n, author := range shares.Authors {
			equal := 100 / len(shares.Authors)
			if n == 0 {
				equal = 100 - equal*(len(shares.Authors)-1)
			}
			p.Fields = append(p.Fields, shareField{author.ID, v.t("shares.of", "Name", v.person(author.ID, author.Name).Name), strconv.Itoa(equal)})
		}
	}
	return own, shares, p, nil
}

func (a *app) showShares(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(v.r.URL.RequestURI())
	}
	_, _, p, err := a.sharesPage(v)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "shares", p)
}

// proposeShares keeps a proposal, or shows the form again with what was typed.
func (a *app) proposeShares(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	own, shares, p, err := a.sharesPage(v)
	if err != nil {
		return err
	}
	percent := map[int64]int{}
	for i, author := range shares.Authors {
		raw := clean(v.r.PostForm.Get(fmt.Sprintf("percent.%d", author.ID)))
		if i < len(p.Fields) {
			p.Fields[i].Value = cut(raw, 10)
		}
		if n, err := strconv.Atoi(raw); err == nil {
			percent[author.ID] = n
		}
	}
	err = a.cfg.Store.ProposeShares(v.r.Context(), v.member.ID, own.ID, percent)
	if len(fieldErrors(err)) > 0 {
		p.Error = v.t("shares.sum")
		return v.renderPrivate(http.StatusUnprocessableEntity, "shares", p)
	}
	if err != nil {
		return fmt.Errorf("propose how authors share: %w", err)
	}
	v.setFlash("flash.shares_proposed")
	return v.redirect(p.Action)
}

func (a *app) answerShares(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	own, _, p, err := a.sharesPage(v)
	if err != nil {
		return err
	}
	if err := a.cfg.Store.AnswerShares(v.r.Context(), v.member.ID, own.ID, v.r.PostForm.Get("accept") == "true"); err != nil {
		return fmt.Errorf("answer how authors share: %w", err)
	}
	v.setFlash("flash.shares_answered")
	return v.redirect(p.Action)
}
