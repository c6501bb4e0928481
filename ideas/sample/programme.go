package sample

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"
	"time"
)

//go:embed programme.yaml
var programme string

// Programme is what the sample's brand declares, as the file that the service's flag --declared takes. Its dates lie
// around now: some challenges are over, some open, some to come.
func Programme(baseURL string, now time.Time) ([]byte, error) {
	day := func(time string) func(int) string {
		return func(days int) string { return now.AddDate(0, 0, days).Format("2006-01-02") + time }
	}
	t, err := template.New("programme").Funcs(template.FuncMap{
		"at": day("T09:00"), "evening": day("T18:30"), "night": day("T21:00"), "date": day(""),
	}).Parse(programme)
	if err != nil {
		return nil, fmt.Errorf("read the sample's declarations: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, struct{ BaseURL string }{baseURL}); err != nil {
		return nil, fmt.Errorf("write the sample's declarations: %w", err)
	}
	return out.Bytes(), nil
}
