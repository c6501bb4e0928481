package web

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

const (
	// exportTime bounds a whole export, stallTime how long its reader may take nothing.
	exportTime = 10 * time.Minute
	stallTime  = 30 * time.Second
)

type exportsPage struct {
	teamPage
	Exports []exportView
}

type exportView struct{ Kind, Title, Text string }

func (v *visit) exportTexts(kind ideas.ExportKind) (title, text string) {
	switch kind {
	case ideas.ExportIdeas:
		return v.t("exports.ideas"), v.t("exports.ideas.text")
	case ideas.ExportComments:
		return v.t("exports.comments"), v.t("exports.comments.text")
	case ideas.ExportVotes:
		return v.t("exports.votes"), v.t("exports.votes.text")
	default:
		return v.t("exports.members"), v.t("exports.members.text")
	}
}

func (a *app) showExports(v *visit) error {
	v.here = "/team/exports"
	p := exportsPage{teamPage: v.teamPage("exports", v.t("exports.title"))}
	for _, kind := range ideas.ExportKinds() {
		title, text := v.exportTexts(kind)
		p.Exports = append(p.Exports, exportView{string(kind), title, text})
	}
	return v.renderPrivate(http.StatusOK, "exports", p)
}

// export streams a table as CSV. It is a form, not a link: taking data out is an action, which nothing prefetches.
func (a *app) export(v *visit) error {
	kind := ideas.ExportKind(v.r.PathValue("kind"))
	if !slices.Contains(ideas.ExportKinds(), kind) {
		return refuse(http.StatusNotFound, "find the table to export", nil)
	}
	// It may take longer than a page, as long as somebody reads it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.r.Context()), exportTime)
	defer cancel()
	out := &csvStream{w: v.w, control: http.NewResponseController(v.w)}
	name := fmt.Sprintf("%s-%s.csv", kind, a.now().In(v.site.location).Format(time.DateOnly))
	out.begin = func() {
		h := v.w.Header()
		h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
		h.Set("Cache-Control", "no-store")
	}
	err := a.cfg.Store.Export(ctx, v.member.ID, kind, out.row)
	if err == nil {
		err = out.flush()
	}
	if err == nil || out.csv == nil {
		return err
	}
	// Half a table must not pass for a whole one: the connection is cut instead of ended.
	a.log.WarnContext(ctx, "export ended early", "kind", kind, "error", err)
	panic(http.ErrAbortHandler)
}

// csvStream writes rows as they come.
type csvStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begin   func()
	csv     *csv.Writer
	rows    int
}

func (s *csvStream) row(cells []string) error {
	if s.csv == nil {
		s.begin()
		// With the mark, spreadsheets read the file as UTF-8.
		if _, err := s.w.Write([]byte("\ufeff")); err != nil {
			return fmt.Errorf("write an export: %w", err)
		}
		s.csv = csv.NewWriter(s.w)
		s.csv.UseCRLF = true
	}
	safe := make([]string, len(cells))
	for i, cell := range cells {
		safe[i] = harmlessCell(cell)
	}
	if err := s.csv.Write(safe); err != nil {
		return fmt.Errorf("write an export: %w", err)
	}
	if s.rows++; s.rows%500 == 0 {
		return s.flush()
	}
	return nil
}

func (s *csvStream) flush() error {
	if s.csv == nil {
		return nil
	}
	// Writers without a deadline, as in tests, are written to all the same.
	_ = s.control.SetWriteDeadline(time.Now().Add(stallTime))
	s.csv.Flush()
	if err := s.csv.Error(); err != nil {
		return fmt.Errorf("write an export: %w", err)
	}
	return nil
}

// harmlessCell keeps a spreadsheet from reading what somebody wrote as a formula.
func harmlessCell(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n|%＝＋－＠", []rune(cell)[0]) {
		return "'" + cell
	}
	return cell
}
