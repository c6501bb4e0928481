package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

const auditLength = 40

type auditPage struct {
	teamPage
	Entries []auditView
	// Action, Actor, From and To are what is asked for.
	Action, Actor, From, To field
	Filtered                bool
	Older                   string
}

type auditView struct {
	At      moment
	Actor   string
	Action  string
	Subject string
	Detail  string
}

// auditAction is what an action may look like; one that ends with a point stands for all that begin so.
var auditAction = regexp.MustCompile(`^[A-Za-z]+(\.[A-Za-z_]*)?$`)

func (a *app) showAudit(v *visit) error {
	asked := v.r.URL.Query()
	v.here = "/team/audit"
	p := auditPage{teamPage: v.teamPage("audit", v.t("audit.title"))}
	status := http.StatusOK
	q, wrong := v.auditQuery(asked, &p)
	if wrong {
		status = http.StatusUnprocessableEntity
	} else {
		entries, err := a.cfg.Store.Audit(v.r.Context(), q)
		if err != nil {
			return fmt.Errorf("read audit log: %w", err)
		}
		if len(entries) > auditLength {
			entries = entries[:auditLength]
			asked.Set("before", strconv.FormatInt(entries[auditLength-1].ID, 10))
			p.Older = "/team/audit?" + asked.Encode()
		}
		for _, e := range entries {
			p.Entries = append(p.Entries, v.auditEntry(e))
		}
	}
	return v.renderPrivate(status, "audit", p)
}

// auditQuery reads the filters into the page and the query; wrong tells that one of them cannot be read.
func (v *visit) auditQuery(asked url.Values, p *auditPage) (q ideas.AuditQuery, wrong bool) {
	p.Action.Value, p.Actor.Value = clean(asked.Get("action")), clean(asked.Get("actor"))
	p.From.Value, p.To.Value = clean(asked.Get("from")), clean(asked.Get("to"))
	q.Limit = auditLength + 1
	fail := func(f *field) {
		f.Error, wrong = v.t("error.invalid"), true
	}
	if p.Action.Value != "" {
		if q.Action = p.Action.Value; !auditAction.MatchString(q.Action) || len(q.Action) > 60 {
			fail(&p.Action)
		}
	}
	var err error
	if p.Actor.Value != "" {
		if q.Actor, err = strconv.ParseInt(p.Actor.Value, 10, 64); err != nil || q.Actor <= 0 {
			fail(&p.Actor)
		}
	}
	if p.From.Value != "" {
		if q.From, err = time.ParseInLocation(time.DateOnly, p.From.Value, v.site.location); err != nil {
			fail(&p.From)
		}
	}
	if p.To.Value != "" {
		if q.To, err = time.ParseInLocation(time.DateOnly, p.To.Value, v.site.location); err != nil {
			fail(&p.To)
		}
		q.To = q.To.AddDate(0, 0, 1)
	}
	if before := asked.Get("before"); before != "" {
		// A position that cannot be read is the beginning.
		q.Before, _ = strconv.ParseInt(before, 10, 64)
		q.Before = max(q.Before, 0)
	}
	p.Filtered = p.Action.Value+p.Actor.Value+p.From.Value+p.To.Value != ""
	return q, wrong
}

func (v *visit) auditEntry(e ideas.AuditEntry) auditView {
	view := auditView{At: v.moment(e.At), Actor: clean(e.Actor.Name), Action: e.Action, Subject: e.Subject}
	if e.Actor.ID == 0 {
		view.Actor = v.t("audit.service")
	}
	if e.SubjectID != 0 {
		view.Subject = fmt.Sprintf("%s %d", e.Subject, e.SubjectID)
	}
	if len(e.Detail) > 0 {
		if raw, err := json.Marshal(e.Detail); err == nil {
			view.Detail = clean(string(raw))
		}
	}
	return view
}
