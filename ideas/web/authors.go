package web

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

type authorsPage struct {
	page
	Action, Path, Heading string
	People                []coAuthorView
	Name                  field
	// Found are those who have the name, where it is not just one.
	Found []personChoice
	Open  bool
}

type coAuthorView struct {
	ID int64
	memberView
	State     string
	Removable bool
}

type personChoice struct {
	ID int64
	memberView
}

var coAuthorKeys = map[ideas.CoAuthorState]string{
	ideas.CoAuthorInvited: "authors.invited", ideas.CoAuthorAccepted: "authors.accepted", ideas.CoAuthorDeclined: "authors.declined",
	ideas.CoAuthorMerged: "authors.merged",
}

func (a *app) authorsPage(v *visit) (ideas.OwnIdea, authorsPage, error) {
	own, err := a.ownIdea(v)
	if err == nil && own.Author.ID != v.viewer() {
		err = refuse(http.StatusNotFound, "invite co-authors to an idea of somebody else's", nil)
	}
	if err != nil {
		return own, authorsPage{}, err
	}
	v.here = ideaPath(own.Idea) + "/authors"
	p := authorsPage{page: v.page(v.t("authors.title")), Action: v.here, Path: ideaPath(own.Idea), Heading: clean(own.Title), Open: own.State.Editable()}
	p.Section, p.Hidden = "ideas", true
	for _, c := range own.CoAuthors {
		p.People = append(p.People, coAuthorView{
			c.Member.ID, v.person(c.Member.ID, c.Member.Name), v.t(coAuthorKeys[c.State]),
			c.State == ideas.CoAuthorInvited || c.State == ideas.CoAuthorAccepted,
		})
	}
	return own, p, nil
}

// showAuthors shows an author who writes along.
func (a *app) showAuthors(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(v.r.URL.RequestURI())
	}
	_, p, err := a.authorsPage(v)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "authors", p)
}

// changeAuthors invites somebody by name, or takes somebody off. Where several have the name, the author chooses.
func (a *app) changeAuthors(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	own, p, err := a.authorsPage(v)
	if err != nil {
		return err
	}
	ctx, form := v.r.Context(), v.r.PostForm
	if removed := readComment(form.Get("remove")); removed != 0 {
		if err := a.cfg.Store.RemoveCoAuthor(ctx, v.member.ID, own.ID, removed); err != nil {
			return fmt.Errorf("remove co-author: %w", err)
		}
		v.setFlash("flash.saved")
		return v.redirect(p.Action)
	}
	p.Name.Value = clean(form.Get("name"))
	invited, err := strconv.ParseInt(form.Get("member"), 10, 64)
	if err != nil {
		found, err := a.cfg.Store.MembersNamed(ctx, p.Name.Value)
		switch wrong := fieldErrors(err); {
		case len(wrong) > 0:
			p.Name.Error = v.fieldText(wrong["name"])
		case err != nil:
			return fmt.Errorf("find members: %w", err)
		case len(found) == 0:
			p.Name.Error = v.t("authors.nobody")
		case len(found) > 1:
			for _, m := range found {
				p.Found = append(p.Found, personChoice{m.ID, v.person(m.ID, m.Name)})
			}
			return v.renderPrivate(http.StatusOK, "authors", p)
		default:
			invited = found[0].ID
		}
		if p.Name.Error != "" {
			return v.renderPrivate(http.StatusUnprocessableEntity, "authors", p)
		}
	}
	err = a.cfg.Store.InviteCoAuthor(ctx, v.member.ID, own.ID, invited)
	if wrong := fieldErrors(err)["name"]; wrong != nil {
		p.Name.Error = v.t("authors.own")
		if wrong.Code == "too_many" {
			p.Name.Error = v.t("authors.too_many", "Limit", ideas.MaxCoAuthors)
		}
		return v.renderPrivate(http.StatusUnprocessableEntity, "authors", p)
	}
	if err != nil {
		return fmt.Errorf("invite co-author: %w", err)
	}
	v.setFlash("flash.invited")
	return v.redirect(p.Action)
}

// answerInvitation lets somebody accept, decline, or leave.
func (a *app) answerInvitation(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	id, err := v.refID()
	if err != nil {
		return err
	}
	accept := v.r.PostForm.Get("accept") == "true"
	if err := a.cfg.Store.AnswerInvitation(v.r.Context(), v.member.ID, id, accept); err != nil {
		return fmt.Errorf("answer invitation: %w", err)
	}
	if !accept {
		v.setFlash("flash.declined")
		return v.redirect("/profile/ideas")
	}
	v.setFlash("flash.accepted")
	return v.redirect(fmt.Sprintf("/ideas/%d", id))
}
