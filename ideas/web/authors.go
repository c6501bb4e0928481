package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

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

// memberAddress is the address of a member's page, alone or in a mention.
var memberAddress = regexp.MustCompile(`/members/([1-9][0-9]{0,17})\b`)

// changeAuthors invites somebody, or takes somebody off. Somebody is meant by the address of their page, a mention, a mail
// address or a name; where several have the name, the author chooses.
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
	flash := "flash.invited"
	invited, err := strconv.ParseInt(form.Get("member"), 10, 64)
	byPage := memberAddress.FindStringSubmatch(p.Name.Value)
	switch {
	case err == nil:
		err = a.cfg.Store.InviteCoAuthor(ctx, v.member.ID, own.ID, invited)
	case byPage != nil:
		err = a.cfg.Store.InviteCoAuthor(ctx, v.member.ID, own.ID, readComment(byPage[1]))
	case strings.Contains(strings.TrimPrefix(p.Name.Value, "@"), "@"):
		flash = "flash.invited_address"
		err = a.cfg.Store.InviteByAddress(ctx, v.member.ID, own.ID, p.Name.Value)
	default:
		found, findErr := a.cfg.Store.MembersNamed(ctx, strings.TrimPrefix(p.Name.Value, "@"))
		switch err = findErr; {
		case err != nil:
		case len(found) == 0:
			err = &ideas.FieldError{Field: "name", Code: "nobody"}
		case len(found) > 1:
			for _, m := range found {
				p.Found = append(p.Found, personChoice{m.ID, v.person(m.ID, m.Name)})
			}
			return v.renderPrivate(http.StatusOK, "authors", p)
		default:
			err = a.cfg.Store.InviteCoAuthor(ctx, v.member.ID, own.ID, found[0].ID)
		}
	}
	if wrong := fieldErrors(err)["name"]; wrong != nil {
		switch wrong.Code {
		case "own":
			p.Name.Error = v.t("authors.own")
		case "nobody":
			p.Name.Error = v.t("authors.nobody")
		case "too_many":
			p.Name.Error = v.t("authors.too_many", "Limit", ideas.MaxCoAuthors)
		default:
			p.Name.Error = v.fieldText(wrong)
		}
		return v.renderPrivate(http.StatusUnprocessableEntity, "authors", p)
	}
	if err != nil {
		return fmt.Errorf("invite co-author: %w", err)
	}
	v.setFlash(flash)
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
