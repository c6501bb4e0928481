package journeys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/ideas/declared"
	"github.com/quaeso/community-operator/internal/control"
	builders "github.com/quaeso/community-operator/internal/declaration"
	"github.com/quaeso/community-operator/internal/stack"
	"github.com/quaeso/community-operator/internal/testutil/kubeapi"
)

// initiatives are the samples that a brand can copy.
const initiatives = "../../config/samples/initiatives"

// samples are the folders of initiatives, each with the day of its calendar on which a journey begins.
var samples = map[string]string{
	"lego-ideas":      "2027-03-01",
	"threadless":      "2027-03-02",
	"bmw":             "2027-03-02",
	"quality-hunters": "2027-03-02",
	"school-lab":      "2027-03-02",
}

// Every declaration of a journey and every sample can be put in force: what is wrong with one is told here, and not by a
// page that misses.
func TestDeclarations(t *testing.T) {
	files, err := filepath.Glob("declared/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no declarations: %v", err)
	}
	folders, err := os.ReadDir(initiatives)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if samples[folder.Name()] == "" {
			t.Errorf("no journey walks the sample %s", folder.Name())
		}
	}
	names := slices.Sorted(maps.Keys(samples))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	rules := declared.Rules{Locales: []string{"en", "fr"}}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			raw, err := declaration(name, "http://127.0.0.1:8080", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := rules.Read(raw); err != nil {
				t.Error(err)
			}
		})
	}
}

// declaration is a sample, or a file of the folder declared whose dates are filled: {{at 3}} is nine o'clock in Paris in
// three days, {{at 3.5}} twelve hours later, and {{day 3}} that day. {{base}} is the community's address.
func declaration(name, base string, now time.Time) ([]byte, error) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, err
	}
	today := now.In(zone)
	if samples[name] != "" {
		return sample(name, base, today)
	}
	nine := time.Date(today.Year(), today.Month(), today.Day(), 9, 0, 0, 0, zone)
	at := func(days float64) time.Time {
		whole := int(days)
		return nine.AddDate(0, 0, whole).Add(time.Duration((days - float64(whole)) * float64(24*time.Hour)))
	}
	raw, err := os.ReadFile(filepath.Join("declared", name+".yaml"))
	if err != nil {
		return nil, err
	}
	filled, err := template.New(name).Funcs(template.FuncMap{
		"at":   func(days float64) string { return at(days).Format("2006-01-02T15:04") },
		"day":  func(days float64) string { return at(days).Format(control.DateLayout) },
		"base": func() string { return base },
	}).Parse(string(raw))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = filled.Execute(&out, nil)
	return out.Bytes(), err
}

// sample is a folder of samples in the format of --declared, made as the operator makes it, with its dates moved so that
// the journey's first day is today.
func sample(name, base string, today time.Time) ([]byte, error) {
	objects, err := kubeapi.ReadObjects(filepath.Join(initiatives, name))
	if err != nil {
		return nil, err
	}
	var file declared.File
	for _, object := range objects {
		if err := addObject(&file, object); err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	file.Community.BaseURL, file.Community.Hostnames = base, nil
	raw, err := json.Marshal(file)
	if err != nil {
		return nil, err
	}
	first, err := time.Parse(control.DateLayout, samples[name])
	if err != nil {
		return nil, err
	}
	day := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC)
	return moveDates(raw, int(day.Sub(first)/(24*time.Hour))), nil
}

// addObject declares one object of a sample.
func addObject(file *declared.File, object *unstructured.Unstructured) error {
	read := func(into any) error {
		return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, into, true)
	}
	switch object.GetKind() {
	case "Community":
		var c v1alpha1.Community
		if err := read(&c); err != nil {
			return err
		}
		file.Community = stack.Settings(stack.Plan{
			Community: &c, Locales: c.Spec.Brand.Locales, TimeZone: c.Spec.Brand.TimeZone, Hostnames: []string{"sample.example"}, Class: &v1alpha1.CommunityClass{},
		})
	case "Challenge":
		var c v1alpha1.Challenge
		if err := read(&c); err != nil {
			return err
		}
		o := builders.Challenge(&c)
		file.Challenges = append(file.Challenges, declared.Named[control.Challenge]{Name: o.Name, Spec: o.Spec})
	case "RewardPolicy":
		var p v1alpha1.RewardPolicy
		if err := read(&p); err != nil {
			return err
		}
		o := builders.RewardPolicy(&p)
		file.RewardPolicies = append(file.RewardPolicies, declared.Named[control.RewardPolicy]{Name: o.Name, Spec: o.Spec})
	default:
		return fmt.Errorf("a sample has nothing of kind %s", object.GetKind())
	}
	return nil
}

// dates are those of declarations: whole strings that are a day, or a day and a time.
var dates = regexp.MustCompile(`"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2})?"`)

// moveDates moves every date by so many days. The time of day stays.
func moveDates(raw []byte, days int) []byte {
	return dates.ReplaceAllFunc(raw, func(found []byte) []byte {
		parts := dates.FindSubmatch(found)
		day, err := time.Parse(control.DateLayout, string(parts[1]))
		if err != nil {
			return found // no date after all
		}
		return fmt.Appendf(nil, `"%s%s"`, day.AddDate(0, 0, days).Format(control.DateLayout), parts[2])
	})
}
