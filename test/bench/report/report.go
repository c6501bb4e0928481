// Package report prints what a benchmark measured beside what is required of it.
package report

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Report is a table of measurements.
type Report struct {
	rows    []row
	details []string
	missed  bool
}

type row struct{ name, measured, required, verdict string }

// AtMost adds a measurement that must not exceed a limit; unit is written behind both.
func (r *Report) AtMost(name string, value, limit float64, unit string) {
	verdict := "pass"
	if value > limit {
		verdict, r.missed = "MISS", true
	}
	r.rows = append(r.rows, row{name, number(value) + unit, "at most " + number(limit) + unit, verdict})
}

// AtLeast adds a measurement that must reach a limit; unit is written behind both.
func (r *Report) AtLeast(name string, value, limit float64, unit string) {
	verdict := "pass"
	if value < limit {
		verdict, r.missed = "MISS", true
	}
	r.rows = append(r.rows, row{name, number(value) + unit, "at least " + number(limit) + unit, verdict})
}

// Note adds a measurement that nothing is required of.
func (r *Report) Note(name, format string, args ...any) {
	r.rows = append(r.rows, row{name: name, measured: fmt.Sprintf(format, args...)})
}

// Detail adds a line below the table.
func (r *Report) Detail(format string, args ...any) {
	r.details = append(r.details, fmt.Sprintf(format, args...))
}

// Missed tells whether a requirement is not met.
func (r *Report) Missed() bool { return r.missed }

// Print writes the table as Markdown, which reads well in a terminal too.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t, "| measured\t| result\t| requirement\t| verdict\t|")
	fmt.Fprintln(t, "| ---\t| ---\t| ---\t| ---\t|")
	for _, r := range r.rows {
		fmt.Fprintf(t, "| %s\t| %s\t| %s\t| %s\t|\n", r.name, r.measured, r.required, r.verdict)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	for _, d := range r.details {
		fmt.Fprintf(w, "\n- %s", d)
	}
	fmt.Fprintln(w)
	return nil
}

// number writes at most two decimals.
func number(v float64) string {
	if v == float64(int64(v)) {
		return fmt.Sprintf("%d", int64(v))
	}
	return fmt.Sprintf("%.2f", v)
}
