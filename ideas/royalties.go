package ideas

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quaeso/community-operator/internal/rules"
)

// Bounds of a file of sales.
const (
	// MaxSalesBytes is the largest file.
	MaxSalesBytes = 4 << 20
	// MaxSales is the most rows.
	MaxSales = 50_000
	// MaxSaleErrors is how many faults of a file are told at once.
	MaxSaleErrors = 50
	maxFileName   = 200
)

// Errors of royalties.
var (
	// ErrNoRevenueShare is returned where no policy in force shares revenue.
	ErrNoRevenueShare = errors.New("no policy in force shares revenue")
	// ErrImported is returned for a file that was imported before.
	ErrImported = errors.New("the file was imported before")
	// ErrMinor is returned where money would go to somebody who is not of age. It is kept until they are.
	ErrMinor = errors.New("minors are paid no money")
)

// SalesFile is a file of sales and the days that it is about, as somebody of the team has given them.
type SalesFile struct {
	Name    string
	Content []byte
	// From and To are days, "2027-01-01".
	From, To string
}

// Hash tells files apart.
func (f SalesFile) Hash() []byte {
	sum := sha256.Sum256(f.Content)
	return sum[:]
}

// Sale is one row of a file, in minor units of the policy's currency.
type Sale struct {
	Line   int
	Idea   int64
	Day    string
	Amount int64
}

// SaleError says what is wrong with a line of a file. Code is a message key, Value what the line has.
type SaleError struct {
	Line        int
	Code, Value string
}

// SaleErrors are the faults of a file, in the order of its lines.
type SaleErrors []SaleError

// Error implements error.
func (e SaleErrors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = "line " + strconv.Itoa(err.Line) + ": " + err.Code
	}
	return strings.Join(lines, "; ")
}

// SalesImport is a file that was read, and counts once it is confirmed.
type SalesImport struct {
	ID         int64
	FileName   string
	Currency   string
	From, To   time.Time
	ImportedAt time.Time
	Rows       int
	// Ideas with what they sold; Statement previews what their authors earn.
	Ideas     []IdeaSales
	Confirmed bool
	// StatementID is that of a confirmed import.
	StatementID int64
}

// IdeaSales is what an idea has sold by an import, and what that earns its authors.
type IdeaSales struct {
	Idea         IdeaTitle
	Base, Amount int64
	Shares       []RoyaltyShare
}

// RoyaltyShare is one author's part; the member is zero after erasure.
type RoyaltyShare struct {
	Member Author
	Amount int64
}

// Statement is what the sales of a period earn the authors.
type Statement struct {
	ID       int64
	Currency string
	From, To time.Time
	MadeAt   time.Time
	// Total of all royalties, and what of the payouts is still to be paid.
	Total, Open int64
	Ideas       []IdeaSales
	Payouts     []Payout
}

// States of a payout.
const (
	// PayoutCarried is below the minimum and carried to the next statement.
	PayoutCarried  = "carried"
	PayoutDue      = "due"
	PayoutApproved = "approved"
	PayoutPaid     = "paid"
)

// Payout is what a member is due after a statement, in minor units.
type Payout struct {
	ID, Statement                     int64
	Member                            Author
	Currency                          string
	Carried, Earned, Payable, Forward int64
	State                             string
	// Held tells that the member is not of age: what is due is kept until then.
	Held               bool
	From, To           time.Time
	ApprovedAt, PaidAt time.Time
}

// States of a prize.
const (
	PrizePromised   = "promised"
	PrizeHandedOver = "handed_over"
)

// Prize is what a winner was promised.
type Prize struct {
	ID        int64
	Challenge int64
	// ChallengeTitle by locale.
	ChallengeTitle map[string]string
	Idea           IdeaTitle
	// Member is zero after erasure.
	Member   Author
	Rank     int
	Title    map[string]string
	Amount   int64
	Currency string
	State    string
	// Held tells of a sum of money whose winner is not of age.
	Held bool
	// HandedOverAt is zero while it is promised.
	PromisedAt, HandedOverAt time.Time
}

// Royalties is the part of recognition that pays authors their share of revenue. Everything that changes something is
// recorded in the audit log with its actor.
type Royalties interface {
	// ImportSales reads a file and keeps it until it is confirmed or discarded. Errors: SaleErrors, *FieldError,
	// ErrImported with the import that has the file, ErrNoRevenueShare.
	ImportSales(ctx context.Context, actor int64, file SalesFile) (SalesImport, error)
	// SalesImport with a preview of its statement.
	SalesImport(ctx context.Context, id int64) (SalesImport, error)
	// ConfirmImport makes the statement of an import; repeating it returns the same.
	ConfirmImport(ctx context.Context, actor, id int64) (statement int64, err error)
	// DiscardImport removes an import that was not confirmed.
	DiscardImport(ctx context.Context, actor, id int64) error
	// OpenImports are those not confirmed, the newest first.
	OpenImports(ctx context.Context) ([]SalesImport, error)
	// Statements without their parts, the newest first; at most limit.
	Statements(ctx context.Context, limit int) ([]Statement, error)
	// Statement with its ideas and payouts.
	Statement(ctx context.Context, id int64) (Statement, error)
	// ApprovePayouts approves everything that is due by a statement, but for what is due to minors.
	ApprovePayouts(ctx context.Context, actor, statement int64) error
	// PayPayout marks an approved payout as paid, and returns its statement. ErrMinor for a minor's.
	PayPayout(ctx context.Context, actor, payout int64) (statement int64, err error)
}

// SaleTerms are by what an idea's sales are read: the base of its policy, "netSales" or "grossSales", and its currency.
type SaleTerms struct{ Base, Currency string }

// salesReader reads a file row by row.
type salesReader struct {
	file  SalesFile
	terms func(idea int64) SaleTerms
	// idea, day and amounts by base are columns; -1 for none.
	idea, day int
	amounts   map[string]int
	// currency of the rows so far.
	currency string
	// missing are the bases that rows have asked for in vain.
	missing map[string]bool
}

// SoldIdeas are the numbers of ideas that a file names, as far as it can be read.
func SoldIdeas(file SalesFile) []int64 {
	var sold []int64
	seen := map[int64]bool{}
	// With terms that fit no row, every number is asked for and nothing else is read.
	_, _, _ = ParseSales(file, func(idea int64) SaleTerms {
		if idea != 0 && !seen[idea] {
			seen[idea] = true
			sold = append(sold, idea)
		}
		return SaleTerms{}
	})
	return sold
}

// ParseSales reads a file of comma- or semicolon-separated values with a header: "idea" (its number), "day" ("2027-03-28") and
// the bases of the ideas' policies ("netSales", "grossSales"), in units of their currency, which is one for a whole file; other
// columns are passed over. terms of an idea are asked for with its number, and with 0 for an idea that is under no policy of
// its own. Every row must be right: faults come as SaleErrors, and days outside of the period are faults.
func ParseSales(file SalesFile, terms func(idea int64) SaleTerms) (sales []Sale, currency string, err error) {
	if err := checkSalesFile(file); err != nil {
		return nil, "", err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file.Content, []byte("\ufeff"))))
	r.FieldsPerRecord, r.ReuseRecord, r.TrimLeadingSpace, r.Comma = -1, true, true, separator(file.Content)
	reader := &salesReader{file: file, terms: terms, missing: map[string]bool{}}
	faults := reader.readHeader(r)
	for len(faults) < MaxSaleErrors && reader.idea >= 0 && reader.day >= 0 && len(reader.amounts) > 0 {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if wrong := (*csv.ParseError)(nil); errors.As(err, &wrong) {
			faults = append(faults, SaleError{Line: wrong.Line, Code: "quotes"})
			break // what follows cannot be told apart
		}
		if err != nil {
			return nil, "", err
		}
		line, _ := r.FieldPos(0)
		if len(sales) == MaxSales {
			faults = append(faults, SaleError{Line: line, Code: "too_many", Value: strconv.Itoa(MaxSales)})
			break
		}
		sale, fault := reader.sale(record)
		switch {
		case fault.Code == "":
			sale.Line = line
			sales = append(sales, sale)
		case fault.Code != "column":
			fault.Line = line
			faults = append(faults, fault)
		case !reader.missing[fault.Value]:
			reader.missing[fault.Value] = true
			fault.Line = 1
			faults = append(faults, fault)
		}
	}
	if len(faults) == 0 && len(sales) == 0 {
		faults = SaleErrors{{Line: 1, Code: "empty"}}
	}
	if len(faults) > 0 {
		return nil, "", faults
	}
	return sales, reader.currency, nil
}

func checkSalesFile(file SalesFile) error {
	var wrong []error
	switch {
	case len(file.Content) == 0:
		wrong = append(wrong, &FieldError{Field: "file", Code: "required"})
	case len(file.Content) > MaxSalesBytes:
		wrong = append(wrong, &FieldError{Field: "file", Code: "too_long", Limit: MaxSalesBytes})
	}
	for _, day := range []struct{ field, value string }{{"from", file.From}, {"to", file.To}} {
		if !rules.IsDay(day.value) {
			wrong = append(wrong, &FieldError{Field: day.field, Code: "invalid"})
		}
	}
	if len(wrong) == 0 && file.To < file.From {
		wrong = append(wrong, &FieldError{Field: "to", Code: "invalid"})
	}
	return errors.Join(wrong...)
}

// separator of a file is what its first line has more of.
func separator(content []byte) rune {
	line, _ := bufio.NewReader(bytes.NewReader(content)).ReadSlice('\n')
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		return ';'
	}
	return ','
}

// readHeader finds the columns. Which bases are needed follows from the rows; one at least is.
func (r *salesReader) readHeader(rows *csv.Reader) SaleErrors {
	r.idea, r.day, r.amounts = -1, -1, map[string]int{}
	header, err := rows.Read()
	if err != nil {
		return SaleErrors{{Line: 1, Code: "empty"}}
	}
	column := func(name string) int {
		return slices.IndexFunc(header, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), name) })
	}
	r.idea, r.day = column("idea"), column("day")
	for _, base := range []string{rules.BaseNetSales, rules.BaseGrossSales} {
		if at := column(base); at >= 0 {
			r.amounts[base] = at
		}
	}
	var faults SaleErrors
	for _, needed := range []struct {
		name string
		has  bool
	}{{"idea", r.idea >= 0}, {"day", r.day >= 0}, {r.terms(0).Base, len(r.amounts) > 0}} {
		if !needed.has {
			faults = append(faults, SaleError{Line: 1, Code: "column", Value: needed.name})
		}
	}
	return faults
}

func (r *salesReader) sale(record []string) (Sale, SaleError) {
	if r.idea >= len(record) || r.day >= len(record) {
		return Sale{}, SaleError{Code: "short"}
	}
	number, day := strings.TrimSpace(record[r.idea]), strings.TrimSpace(record[r.day])
	idea, err := strconv.ParseInt(number, 10, 64)
	if err != nil || idea < 1 {
		return Sale{}, SaleError{Code: "idea", Value: shown(number)}
	}
	if !rules.IsDay(day) {
		return Sale{}, SaleError{Code: "day", Value: shown(day)}
	}
	if day < r.file.From || day > r.file.To {
		return Sale{}, SaleError{Code: "period", Value: day}
	}
	terms := r.terms(idea)
	at, has := r.amounts[terms.Base]
	if !has {
		return Sale{}, SaleError{Code: "column", Value: terms.Base}
	}
	if at >= len(record) {
		return Sale{}, SaleError{Code: "short"}
	}
	digits, known := rules.CurrencyDigits(terms.Currency)
	if r.currency == "" {
		r.currency = terms.Currency
	}
	if !known || terms.Currency != r.currency {
		return Sale{}, SaleError{Code: "currency", Value: terms.Currency}
	}
	raw := strings.TrimSpace(record[at])
	amount, ok := parseAmount(raw, digits)
	if !ok {
		return Sale{}, SaleError{Code: "amount", Value: shown(raw)}
	}
	return Sale{Idea: idea, Day: day, Amount: amount}, SaleError{}
}

// parseAmount reads "-1234.5" or "1234,50" in minor units. There are no separators of thousands: what they mean depends
// on who reads.
func parseAmount(s string, digits int) (int64, bool) {
	unsigned := strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(strings.Replace(unsigned, ",", ".", 1), ".")
	if whole == "" || len(whole) > 12 || len(fraction) > digits || point && fraction == "" {
		return 0, false
	}
	var n int64
	for _, r := range whole + fraction + strings.Repeat("0", digits-len(fraction)) {
		if r < '0' || r > '9' {
			return 0, false
		}
		n = n*10 + int64(r-'0')
	}
	if n > rules.MaxAmount {
		return 0, false
	}
	if len(unsigned) < len(s) {
		n = -n
	}
	return n, true
}

// shown is as much of a wrong value as an error repeats.
func shown(s string) string {
	line := cleanLine(s)
	if runes := []rune(line); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return line
}

// CleanFileName is a file's name as it is kept and shown.
func CleanFileName(raw string) string {
	name := cleanLine(raw[strings.LastIndexAny(raw, `/\`)+1:])
	if runes := []rune(name); len(runes) > maxFileName {
		name = string(runes[:maxFileName])
	}
	if name == "" {
		return "sales.csv"
	}
	return name
}
