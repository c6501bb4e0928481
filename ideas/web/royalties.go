package web

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/rules"
)

// royaltyRoutes are where the team shares revenue with authors.
func (a *app) royaltyRoutes() map[string]handle {
	routes := map[string]handle{
		"GET /team/royalties":                  a.listRoyalties,
		"POST /team/royalties":                 a.importSales,
		"GET /team/sales/{id}":                 a.showImport,
		"POST /team/sales/{id}/confirm":        a.confirmImport,
		"POST /team/sales/{id}/discard":        a.discardImport,
		"GET /team/royalties/{id}":             a.showStatement,
		"GET /team/royalties/{id}/payouts.csv": a.exportPayouts,
		"POST /team/royalties/{id}/approve":    a.approvePayouts,
		"POST /team/payouts/{id}/paid":         a.payPayout,
	}
	for pattern, h := range routes {
		routes[pattern] = a.team(ideas.MayPay, h)
	}
	return routes
}

// maxStatements bounds the list of statements: ten years of months.
const maxStatements = 120

type royaltiesPage struct {
	teamPage
	// Share says what the policy in force shares; empty where it shares nothing, and then no file is taken.
	Share string
	// Column is the name of the column with the amounts.
	Column     string
	Form       salesForm
	Imports    []importView
	Statements []statementView
}

// salesForm is the file that somebody brings, and what is wrong with it.
type salesForm struct {
	File, From, To field
	// Faults are those of its lines.
	Faults []faultView
	More   bool
}

type faultView struct{ Line, Text string }

type importView struct {
	URL, Name, Period, Rows string
	When                    moment
}

type statementView struct {
	URL, Period, Total, Open string
	When                     moment
	Settled                  bool
}

func (v *visit) royaltiesPage() (royaltiesPage, error) {
	ctx, recognition := v.r.Context(), v.app.cfg.Recognition
	v.here = "/team/royalties"
	p := royaltiesPage{teamPage: v.teamPage("royalties", v.t("team.royalties"))}
	if policy := v.programme().SharingPolicy(); policy != nil {
		p.Column, p.Share = policy.Spec.RevenueShare.Base, v.shareText(policy.Spec)
	}
	imports, err := recognition.OpenImports(ctx)
	if err != nil {
		return p, fmt.Errorf("list imports of sales: %w", err)
	}
	for _, n := range imports {
		p.Imports = append(p.Imports, v.importView(n))
	}
	statements, err := recognition.Statements(ctx, maxStatements)
	if err != nil {
		return p, fmt.Errorf("list royalty statements: %w", err)
	}
	for _, s := range statements {
		p.Statements = append(p.Statements, statementView{
			URL: statementPath(s.ID), Period: v.period(s.From, s.To), Total: v.money(s.Total, s.Currency), Open: v.money(s.Open, s.Currency),
			When: v.moment(s.MadeAt), Settled: s.Open == 0,
		})
	}
	return p, nil
}

// shareText says in words what a policy shares.
func (v *visit) shareText(policy control.RewardPolicy) string {
	share := policy.RevenueShare
	base := v.t("royalties.net")
	if share.Base == rules.BaseGrossSales {
		base = v.t("royalties.gross")
	}
	hundredths, digits := int64(share.BasisPoints), 2
	for digits > 0 && hundredths%10 == 0 {
		hundredths, digits = hundredths/10, digits-1
	}
	text := v.t("royalties.share", "Percent", v.lang.catalog.Decimal(hundredths, digits), "Base", base)
	if share.Minimum > 0 {
		text += " " + v.t("royalties.minimum", "Amount", v.money(share.Minimum, policy.Currency))
	}
	if day, err := time.Parse(time.DateOnly, share.Until); err == nil {
		text += " " + v.t("royalties.until", "Date", v.lang.catalog.Date(day))
	}
	return text
}

func (v *visit) period(from, to time.Time) string {
	return v.t("royalties.period", "From", v.lang.catalog.Date(from), "To", v.lang.catalog.Date(to))
}

func (v *visit) importView(n ideas.SalesImport) importView {
	return importView{
		URL: importPath(n.ID), Name: n.FileName, Period: v.period(n.From, n.To), When: v.moment(n.ImportedAt),
		Rows: v.lang.catalog.Plural("royalties.rows", int64(n.Rows)),
	}
}

func importPath(id int64) string { return "/team/sales/" + strconv.FormatInt(id, 10) }

func statementPath(id int64) string { return "/team/royalties/" + strconv.FormatInt(id, 10) }

func (a *app) listRoyalties(v *visit) error {
	p, err := v.royaltiesPage()
	if err != nil {
		return err
	}
	// The month before is what is usually settled.
	last := v.app.now().In(v.site.location)
	first := time.Date(last.Year(), last.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	p.Form.From.Value, p.Form.To.Value = first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly)
	return v.renderPrivate(http.StatusOK, "team-royalties", p)
}

// importSales reads a file and leads to its preview. What is wrong with it is shown line by line; the file itself no
// browser lets a page keep.
func (a *app) importSales(v *visit) error {
	name, content, err := v.upload("file", ideas.MaxSalesBytes)
	if err != nil {
		return err
	}
	form := v.r.PostForm
	file := ideas.SalesFile{Name: name, Content: content, From: clean(form.Get("from")), To: clean(form.Get("to"))}
	n, err := a.cfg.Recognition.ImportSales(v.r.Context(), v.member.ID, file)
	var faults ideas.SaleErrors
	wrong := fieldErrors(err)
	switch {
	case errors.Is(err, ideas.ErrImported):
		v.setFlash("flash.imported_before")
		if n.Confirmed {
			return v.redirect(statementPath(n.StatementID))
		}
		return v.redirect(importPath(n.ID))
	case err == nil:
		return v.redirect(importPath(n.ID))
	case errors.Is(err, ideas.ErrNoRevenueShare):
		return refuse(http.StatusConflict, "import sales", err)
	case !errors.As(err, &faults) && len(wrong) == 0:
		return fmt.Errorf("import sales: %w", err)
	}
	p, err := v.royaltiesPage()
	if err != nil {
		return err
	}
	p.Form = salesForm{
		File: field{Error: v.fieldText(wrong["file"])}, From: field{file.From, v.fieldText(wrong["from"])}, To: field{file.To, v.fieldText(wrong["to"])},
		More: len(faults) >= ideas.MaxSaleErrors,
	}
	for _, f := range faults {
		p.Form.Faults = append(p.Form.Faults, faultView{v.lang.catalog.Number(int64(f.Line)), v.t(saleFaults[f.Code], "Value", f.Value)})
	}
	return v.renderPrivate(http.StatusUnprocessableEntity, "team-royalties", p)
}

// saleFaults are the message keys of what can be wrong with a line.
var saleFaults = map[string]string{
	"quotes": "sale.quotes", "too_many": "sale.too_many", "empty": "sale.empty", "column": "sale.column", "short": "sale.short",
	"idea": "sale.idea", "day": "sale.day", "period": "sale.period", "amount": "sale.amount", "currency": "sale.currency", "unknown": "sale.unknown", "not_launched": "sale.not_launched",
}

type ideaSalesView struct {
	URL, Title, Base, Amount string
	Shares                   []shareView
}

type shareView struct {
	Member memberView
	Amount string
}

func (v *visit) ideaSales(all []ideas.IdeaSales, currency string) (views []ideaSalesView, total string) {
	var sum int64
	for _, sold := range all {
		view := ideaSalesView{
			URL: ideaPath(ideas.Idea{ID: sold.Idea.ID, Slug: sold.Idea.Slug}), Title: sold.Idea.Title,
			Base: v.money(sold.Base, currency), Amount: v.money(sold.Amount, currency),
		}
		for _, share := range sold.Shares {
			view.Shares = append(view.Shares, shareView{v.somebody(share.Member), v.money(share.Amount, currency)})
		}
		sum += sold.Amount
		views = append(views, view)
	}
	return views, v.money(sum, currency)
}

type importPage struct {
	teamPage
	Import          importView
	Confirm, Remove string
	Ideas           []ideaSalesView
	Total           string
}

// showImport previews what an import would pay.
func (a *app) showImport(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	n, err := a.cfg.Recognition.SalesImport(v.r.Context(), id)
	if err != nil {
		return fmt.Errorf("read an import of sales: %w", err)
	}
	if n.Confirmed {
		return v.redirect(statementPath(n.StatementID))
	}
	v.here = importPath(id)
	p := importPage{teamPage: v.teamPage("royalties", v.t("royalties.preview")), Import: v.importView(n), Confirm: importPath(id) + "/confirm", Remove: importPath(id) + "/discard"}
	p.Ideas, p.Total = v.ideaSales(n.Ideas, n.Currency)
	return v.renderPrivate(http.StatusOK, "team-import", p)
}

func (a *app) confirmImport(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	statement, err := a.cfg.Recognition.ConfirmImport(v.r.Context(), v.member.ID, id)
	if errors.Is(err, ideas.ErrNoRevenueShare) {
		return refuse(http.StatusConflict, "confirm an import of sales", err)
	}
	if err != nil {
		return fmt.Errorf("confirm an import of sales: %w", err)
	}
	v.setFlash("flash.statement_made")
	return v.redirect(statementPath(statement))
}

func (a *app) discardImport(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	if err := a.cfg.Recognition.DiscardImport(v.r.Context(), v.member.ID, id); err != nil {
		return fmt.Errorf("discard an import of sales: %w", err)
	}
	v.setFlash("flash.discarded")
	return v.redirect("/team/royalties")
}

type statementPage struct {
	teamPage
	Period, Total, Open string
	Made                moment
	Ideas               []ideaSalesView
	Payouts             []payoutView
	// Approve is where what is due is approved; empty where nothing is.
	Approve, Export string
}

func (a *app) showStatement(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	s, err := a.cfg.Recognition.Statement(v.r.Context(), id)
	if err != nil {
		return fmt.Errorf("read a royalty statement: %w", err)
	}
	v.here = statementPath(id)
	p := statementPage{
		teamPage: v.teamPage("royalties", v.t("royalties.statement", "Period", v.period(s.From, s.To))), Period: v.period(s.From, s.To),
		Total: v.money(s.Total, s.Currency), Open: v.money(s.Open, s.Currency), Made: v.moment(s.MadeAt), Export: statementPath(id) + "/payouts.csv",
	}
	p.Ideas, _ = v.ideaSales(s.Ideas, s.Currency)
	for _, payout := range s.Payouts {
		p.Payouts = append(p.Payouts, v.payout(payout))
		if payout.State == ideas.PayoutDue && !payout.Held {
			p.Approve = statementPath(id) + "/approve"
		}
	}
	return v.renderPrivate(http.StatusOK, "team-statement", p)
}

// payoutStates are the message keys of a payout's states.
var payoutStates = map[string]string{
	ideas.PayoutCarried: "payout.carried", ideas.PayoutDue: "payout.due", ideas.PayoutApproved: "payout.approved", ideas.PayoutPaid: "payout.paid",
}

func (v *visit) payout(p ideas.Payout) payoutView {
	view := payoutView{
		ID: p.ID, Member: v.somebody(p.Member), Period: v.period(p.From, p.To), Carried: v.money(p.Carried, p.Currency), Earned: v.money(p.Earned, p.Currency),
		Payable: v.money(p.Payable, p.Currency), Forward: v.money(p.Forward, p.Currency), State: v.t(payoutStates[p.State]),
		Due: p.State == ideas.PayoutDue, Approved: p.State == ideas.PayoutApproved && !p.Held, Paid: p.State == ideas.PayoutPaid, CarriedState: p.State == ideas.PayoutCarried,
		Held: p.Held,
	}
	if p.Held {
		view.State = v.t("payout.held")
	}
	return view
}

func (a *app) approvePayouts(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	if err := a.cfg.Recognition.ApprovePayouts(v.r.Context(), v.member.ID, id); err != nil {
		return fmt.Errorf("approve payouts: %w", err)
	}
	v.setFlash("flash.approved")
	return v.redirect(statementPath(id))
}

// payPayout marks a payout as paid and returns to its statement.
func (a *app) payPayout(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	statement, err := a.cfg.Recognition.PayPayout(v.r.Context(), v.member.ID, id)
	if errors.Is(err, ideas.ErrMinor) {
		v.setFlash("flash.minor")
		return v.redirect(statementPath(statement))
	}
	if err != nil {
		return fmt.Errorf("mark a payout as paid: %w", err)
	}
	v.setFlash("flash.paid")
	return v.redirect(statementPath(statement))
}

// exportPayouts is the list that whoever pays works from.
func (a *app) exportPayouts(v *visit) error {
	id, err := v.pathID()
	if err != nil {
		return err
	}
	s, err := a.cfg.Recognition.Statement(v.r.Context(), id)
	if err != nil {
		return fmt.Errorf("read a royalty statement: %w", err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="payouts-%d.csv"`, id))
	h.Set("Cache-Control", "no-store")
	w := csv.NewWriter(v.w)
	digits, _ := rules.CurrencyDigits(s.Currency) // a statement has a currency that was checked
	_ = w.Write([]string{"payout", "member", "name", "currency", "carried", "earned", "payable", "forward", "state"})
	for _, p := range s.Payouts {
		if p.Held {
			p.State = "held"
		}
		_ = w.Write([]string{
			strconv.FormatInt(p.ID, 10), strconv.FormatInt(p.Member.ID, 10), plainCell(clean(p.Member.Name)), p.Currency, decimal(p.Carried, digits),
			decimal(p.Earned, digits), decimal(p.Payable, digits), decimal(p.Forward, digits), p.State,
		})
	}
	w.Flush()
	return nil // a reader who has gone is no error of ours
}

// plainCell keeps a spreadsheet from reading a text as a formula.
func plainCell(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '-' || s[0] == '@') {
		return "'" + s
	}
	return s
}

// decimal writes minor units for machines: "-12.50".
func decimal(n int64, digits int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	text := strconv.FormatInt(n, 10)
	if digits == 0 {
		return sign + text
	}
	for len(text) <= digits {
		text = "0" + text
	}
	return sign + text[:len(text)-digits] + "." + text[len(text)-digits:]
}

// upload reads a form with one file, all of it in memory: the service has no disk to write to.
func (v *visit) upload(name string, limit int64) (fileName string, content []byte, err error) {
	const rest = 64 << 10 // the other fields and the frame of the form
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, limit+rest)
	if err := v.r.ParseMultipartForm(limit + rest); err != nil { //nolint:gosec // bounded on the line before
		if statusOf(err) == http.StatusRequestEntityTooLarge {
			return "", nil, err
		}
		return "", nil, refuse(http.StatusBadRequest, "parse a form with a file", err)
	}
	file, header, err := v.r.FormFile(name)
	if errors.Is(err, http.ErrMissingFile) {
		return "", nil, nil // its absence is told by the field
	}
	if err != nil {
		return "", nil, refuse(http.StatusBadRequest, "open the file of a form", err)
	}
	defer file.Close()
	if content, err = io.ReadAll(file); err != nil {
		return "", nil, fmt.Errorf("read the file of a form: %w", err)
	}
	return header.Filename, content, nil
}
