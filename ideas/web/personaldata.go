package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/quaeso/community-operator/ideas"
)

// ErasurePath confirms an erasure; "?token=" and a token follow.
const ErasurePath = "/account/erasure/confirmation"

// dataRoutes are the pages by which members take or end what is theirs.
func (a *app) dataRoutes() map[string]handle {
	return map[string]handle{
		"GET /account/data":             a.member(a.showData),
		"POST /account/data/export":     a.member(a.requestExport),
		"GET /account/data/export/{id}": a.member(a.downloadExport),
		"POST /account/erasure":         a.member(a.requestErasure),
		"GET " + ErasurePath:            a.showErasure,
		"POST " + ErasurePath:           a.confirmErasure,
	}
}

type dataPage struct {
	accountPage
	Exports []copyView
	// Mail tells whether the mail that confirms an erasure can be sent.
	Mail bool
}

type copyView struct {
	URL, Requested, Until, Size string
	Ready                       bool
}

func (a *app) showData(v *visit) error {
	v.here = "/account/data"
	p := dataPage{accountPage: v.accountPage("data", v.t("data.title")), Mail: a.cfg.SignIn.MailEnabled() && v.member.Email != ""}
	list, err := a.cfg.Store.Exports(v.r.Context(), v.member.ID)
	if err != nil {
		return fmt.Errorf("list copies of personal data: %w", err)
	}
	for _, e := range list {
		p.Exports = append(p.Exports, copyView{
			URL: "/account/data/export/" + strconv.FormatInt(e.ID, 10), Requested: v.lang.catalog.DateTime(e.RequestedAt.In(v.site.location)),
			Until: v.lang.catalog.Date(e.ExpiresAt.In(v.site.location)), Ready: !e.ReadyAt.IsZero(), Size: v.lang.catalog.Number(int64(e.Size+1023) / 1024),
		})
	}
	return v.renderPrivate(http.StatusOK, "data", p)
}

func (a *app) requestExport(v *visit) error {
	err := a.cfg.Store.RequestExport(v.r.Context(), v.member.ID)
	switch {
	case errors.Is(err, ideas.ErrTooMany):
		v.setFlash("flash.export_once")
	case err != nil:
		return fmt.Errorf("ask for a copy of personal data: %w", err)
	default:
		v.setFlash("flash.export_asked")
	}
	return v.redirect("/account/data")
}

// downloadExport hands the copy to who has just signed in: a session left open elsewhere gives nobody everything.
func (a *app) downloadExport(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	if fresh, err := v.freshEnough("/account/data"); !fresh {
		return err
	}
	content, err := a.cfg.Store.ExportContent(v.r.Context(), v.member.ID, id)
	if err != nil {
		return fmt.Errorf("read a copy of personal data: %w", err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="my-data.zip"`)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(content)))
	v.w.WriteHeader(http.StatusOK)
	// A reader who has gone is no error of ours.
	_, _ = v.w.Write(content) //nolint:gosec // a ZIP, sent as such
	return nil
}

func (a *app) requestErasure(v *visit) error {
	if fresh, err := v.freshEnough("/account/data"); !fresh {
		return err
	}
	if err := a.cfg.Store.RequestErasure(v.r.Context(), v.member.ID, v.r.PostForm.Get("contributions")); err != nil {
		return fmt.Errorf("ask for an erasure: %w", err)
	}
	v.setFlash("flash.erasure_asked")
	return v.redirect("/account/data")
}

type erasurePage struct {
	page
	Token, Name string
	Remove      bool
}

func (v *visit) erasureSpent() error {
	v.here = "/"
	return v.renderPrivate(http.StatusGone, "message", v.message(v.t("erasure.spent.title"), v.t("erasure.spent.text")))
}

// showErasure asks once more. The link came by mail, and nothing is erased by opening it.
func (a *app) showErasure(v *visit) error {
	v.w.Header().Set("Referrer-Policy", linkReferrer)
	token := token(v.r.URL.Query().Get("token"))
	name, contributions, err := a.cfg.Store.PendingErasure(v.r.Context(), token)
	if errors.Is(err, ideas.ErrLinkSpent) {
		return v.erasureSpent()
	}
	if err != nil {
		return fmt.Errorf("look what a link would erase: %w", err)
	}
	p := erasurePage{page: v.page(v.t("erasure.title")), Token: token, Name: clean(name), Remove: contributions == ideas.ContributionsRemoved}
	p.Hidden, p.SignIn, p.Canonical, p.Alternates = true, "", "", nil
	return v.renderPrivate(http.StatusOK, "erasure", p)
}

func (a *app) confirmErasure(v *visit) error {
	v.w.Header().Set("Referrer-Policy", linkReferrer)
	proof, err := a.cfg.Store.ConfirmErasure(v.r.Context(), token(v.r.PostForm.Get("token")))
	if errors.Is(err, ideas.ErrLinkSpent) {
		return v.erasureSpent()
	}
	if err != nil {
		return fmt.Errorf("erase a member: %w", err)
	}
	if v.member != nil && v.member.ID == proof.Member {
		v.setCookie(sessionCookie, "", 0)
		v.member, v.session, v.roles = nil, "", nil
	}
	v.here = "/"
	return v.renderPrivate(http.StatusOK, "message", v.message(v.t("erasure.done.title"), v.t("erasure.done.text", "Hash", proof.Hash)))
}
