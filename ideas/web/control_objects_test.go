package web_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/internal/control"
)

// storeControl is the control API on a real store whose community has been declared.
func storeControl(t *testing.T) (http.Handler, *postgres.Store) {
	t.Helper()
	store := run(t, migrated(t).URI(), nil)
	h := web.NewControl(web.ControlConfig{
		Declarations: store, Settings: store, Token: func() (string, error) { return controlToken, nil },
		Locales: []string{"en", "fr"}, Version: "v1.2.3", Logger: slog.New(slog.DiscardHandler),
	})
	if status, answer := put(t, h, valid()); status != http.StatusOK {
		t.Fatalf("declare the community: %d %+v", status, answer)
	}
	return h, store
}

func ideation(uid, name string, generation int64) control.Object[control.Challenge] {
	return control.Object[control.Challenge]{UID: uid, Name: name, Generation: generation, Spec: control.Challenge{
		Type: control.TypeIdeation, Title: map[string]string{"fr": "Lumière", "en": "Light"},
		Phases: []control.Phase{{Name: control.PhaseOpen, Start: "2020-01-01T09:00", End: "2120-01-01T09:00"}},
	}}
}

func object(t *testing.T, h http.Handler, method, path string, body any, headers ...string) (*http.Response, string) {
	t.Helper()
	raw := []byte{}
	if text, ok := body.(string); ok {
		raw = []byte(text)
	} else if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, strings.NewReader(string(raw)))
	r.Header.Set("Authorization", "Bearer "+controlToken)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	answer, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(answer)
}

// A challenge is declared, declared again, refused where it is wrong, withdrawn, and comes back with what was lived.
func TestObjectsAreDeclared(t *testing.T) {
	h, store := storeControl(t)
	at := func(uid string) string { return control.ChallengePath + "/" + uid }
	newer := ideation("u1", "light", 3)
	newer.Spec.Title = map[string]string{"fr": "Nuit", "en": "Night"}
	newer2 := newer
	newer2.UID, newer2.Generation = "u2", 1
	wrong := ideation("u1", "light", 4)
	wrong.Spec.Type, wrong.Spec.Title = "lottery", map[string]string{"fr": "Lumière"}
	for _, step := range []struct {
		what         string
		method, path string
		body         any
		status       int
		mentions     []string
	}{
		{"first", http.MethodPut, at("u1"), ideation("u1", "light", 2), 200, []string{`"generation":2`}},
		{"again", http.MethodPut, at("u1"), ideation("u1", "light", 2), 200, []string{`"generation":2`}},
		{"changed", http.MethodPut, at("u1"), newer, 200, []string{`"generation":3`}},
		{"stale", http.MethodPut, at("u1"), ideation("u1", "light", 2), 409, []string{`"generation":3`}},
		{"of another address", http.MethodPut, at("u3"), ideation("u4", "other", 1), 422, []string{`"field":"uid"`}},
		{"wrong", http.MethodPut, at("u1"), wrong, 422, []string{"spec.type", "must be one of", "spec.title.en"}},
		{"unknown field", http.MethodPut, at("u1"), `{"uid":"u1","spec":{"phases":[{},{"surprise":1}]}}`, 422, []string{`"spec.phases[1].surprise"`, "update its image"}},
		{"no JSON", http.MethodPut, at("u1"), `{`, 400, nil},
		{"observed", http.MethodGet, at("u1"), nil, 200, []string{`"phase":"open"`, `"nextChange":"2120`}},
		{"unknown", http.MethodGet, at("u9"), nil, 404, nil},
		{"withdrawn", http.MethodDelete, at("u1"), nil, 200, nil},
		{"withdrawn again", http.MethodDelete, at("u1"), nil, 200, nil},
		{"observed after", http.MethodGet, at("u1"), nil, 404, nil},
		{"another takes the name up", http.MethodPut, at("u2"), newer2, 200, nil},
	} {
		response, answer := object(t, h, step.method, step.path, step.body)
		if response.StatusCode != step.status {
			t.Errorf("%s: status %d, want %d: %s", step.what, response.StatusCode, step.status, answer)
		}
		for _, want := range step.mentions {
			if !strings.Contains(answer, want) {
				t.Errorf("%s: %q is not in %s", step.what, want, answer)
			}
		}
	}
	var names []string
	for _, c := range store.Programme(t.Context()).Challenges {
		names = append(names, c.UID+" "+c.Name)
	}
	if diff := cmp.Diff([]string{"u2 light"}, names); diff != "" {
		t.Errorf("in force (-want +got):\n%s", diff)
	}
}

// A reward policy's generations follow each other; one is in force.
func TestRewardPoliciesAreDeclared(t *testing.T) {
	h, store := storeControl(t)
	policy := control.Object[control.RewardPolicy]{UID: "p1", Name: "stars", Generation: 1, Spec: control.RewardPolicy{
		Rules: []control.RewardRule{{Name: "idea", Event: "idea.published", Points: 10}},
	}}
	for _, generation := range []int64{1, 2, 2} {
		policy.Generation, policy.Spec.Rules[0].Points = generation, int(10*generation)
		if response, answer := object(t, h, http.MethodPut, control.RewardPolicyPath+"/p1", policy); response.StatusCode != http.StatusOK {
			t.Fatalf("generation %d: %d %s", generation, response.StatusCode, answer)
		}
	}
	policy.Generation = 1
	if response, _ := object(t, h, http.MethodPut, control.RewardPolicyPath+"/p1", policy); response.StatusCode != http.StatusConflict {
		t.Errorf("a stale generation answered %d, want 409", response.StatusCode)
	}
	policies := store.Programme(t.Context()).Policies
	if len(policies) != 1 || policies[0].Generation != 2 || policies[0].Spec.Rules[0].Points != 20 {
		t.Errorf("in force: %+v, want generation 2 with 20 points", policies)
	}
	if response, _ := object(t, h, http.MethodDelete, control.RewardPolicyPath+"/p1", nil); response.StatusCode != http.StatusOK {
		t.Errorf("withdrawing answered %d", response.StatusCode)
	}
	if policies := store.Programme(t.Context()).Policies; len(policies) != 0 {
		t.Errorf("in force after it was withdrawn: %+v", policies)
	}
}

// Whoever has the state already is not sent it again.
func TestObjectsHaveETags(t *testing.T) {
	h, _ := storeControl(t)
	path := control.ChallengePath + "/u1"
	object(t, h, http.MethodPut, path, ideation("u1", "light", 1))
	first, _ := object(t, h, http.MethodGet, path, nil)
	again, body := object(t, h, http.MethodGet, path, nil, "If-None-Match", first.Header.Get("ETag"))
	if first.Header.Get("ETag") == "" || again.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("ETag %q, then %d with %q; want 304 and nothing", first.Header.Get("ETag"), again.StatusCode, body)
	}
}
