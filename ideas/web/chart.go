package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// Size of a chart in its own units; the page scales it.
const (
	chartWidth  = 640
	chartHeight = 220
	chartLeft   = 72
	chartBottom = 38
	chartTop    = 14
)

// chart is a line over days, drawn here so that it needs no script, with the same figures as a table.
type chart struct {
	ID, Title string
	// Summary says in a sentence what the line shows.
	Summary string
	Points  []chartPoint
	// Line and Area are paths.
	Line, Area string
	Grid       []chartMark
	Ends       [2]chartMark
	// Table is what the line shows; Empty tells that there is nothing to draw yet.
	Table []chartRow
	Empty bool
}

type chartPoint struct{ X, Y string }

type chartMark struct {
	X, Y, Text string
}

type chartRow struct {
	Day, Value string
	Machine    string
}

// chart draws figures from one day to another. Days without a figure are 0 where zeros is set, as for what is counted by the day.
func (v *visit) chart(id, title string, figures []ideas.Figure, from, to time.Time, zeros bool) chart {
	if zeros {
		figures = everyDay(figures, from, to)
	}
	c := chart{ID: id, Title: title, Empty: len(figures) == 0}
	if c.Empty {
		return c
	}
	most, sum := int64(1), int64(0)
	for _, f := range figures {
		most, sum = max(most, f.Value), sum+f.Value
	}
	most = niceCeiling(most)
	days := max(1, to.Sub(from).Hours()/24)
	at := func(f ideas.Figure) (x, y float64) {
		x = chartLeft + (chartWidth-chartLeft-8)*f.Day.Sub(from).Hours()/24/days
		return x, chartTop + (chartHeight-chartTop-chartBottom)*(1-float64(max(f.Value, 0))/float64(most))
	}
	var line strings.Builder
	for i, f := range figures {
		x, y := at(f)
		fmt.Fprintf(&line, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], x, y)
		c.Table = append(c.Table, chartRow{v.lang.catalog.Date(f.Day), v.lang.catalog.Number(f.Value), f.Day.Format(time.DateOnly)})
	}
	first, _ := at(figures[0])
	last, lastY := at(figures[len(figures)-1])
	c.Line = line.String()
	c.Area = fmt.Sprintf("%sL%.1f %dL%.1f %dZ", c.Line, last, chartHeight-chartBottom, first, chartHeight-chartBottom)
	c.Points = []chartPoint{{fmt.Sprintf("%.1f", last), fmt.Sprintf("%.1f", lastY)}}
	for _, part := range []int64{0, 1, 2} {
		y := chartTop + (chartHeight-chartTop-chartBottom)*(1-float64(part)/2)
		c.Grid = append(c.Grid, chartMark{Y: fmt.Sprintf("%.1f", y), Text: v.lang.catalog.Number(most * part / 2)})
	}
	c.Ends = [2]chartMark{{Text: v.lang.catalog.Date(from)}, {Text: v.lang.catalog.Date(to)}}
	end := figures[len(figures)-1].Value
	if zeros {
		c.Summary = v.t("insights.chart.sum", "Total", v.lang.catalog.Number(sum), "From", c.Ends[0].Text, "To", c.Ends[1].Text)
	} else {
		c.Summary = v.t("insights.chart.change", "First", v.lang.catalog.Number(figures[0].Value), "Last", v.lang.catalog.Number(end),
			"From", v.lang.catalog.Date(figures[0].Day), "To", v.lang.catalog.Date(figures[len(figures)-1].Day))
	}
	return c
}

// everyDay gives the days without a figure the figure 0.
func everyDay(figures []ideas.Figure, from, to time.Time) []ideas.Figure {
	if len(figures) == 0 {
		return nil
	}
	known := make(map[string]int64, len(figures))
	for _, f := range figures {
		known[f.Day.Format(time.DateOnly)] = f.Value
	}
	var all []ideas.Figure
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		all = append(all, ideas.Figure{Day: day, Value: known[day.Format(time.DateOnly)]})
	}
	return all
}

// niceCeiling is the least even number of the form 2, 4, 6, 10, 20, 40 … that is not below n.
func niceCeiling(n int64) int64 {
	for scale := int64(1); ; scale *= 10 {
		for _, step := range []int64{2, 4, 6, 10} {
			if step*scale >= n {
				return step * scale
			}
		}
	}
}
