package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

// Sales of an idea are shared by the policy that its challenge names, others by the community's, each with a statement of its
// own; authors share equally until all have accepted other percentages, and again once the authors are others.
func TestRevenueIsSharedByChallengeAndAgreement(t *testing.T) {
	r := openRunning(t)
	for n, policy := range []struct {
		name   string
		points int
		base   string
	}{{"community", 100, "netSales"}, {"designers", 1000, "grossSales"}} {
		_, _, err := r.store.DeclareRewardPolicy(t.Context(), control.Object[control.RewardPolicy]{UID: policy.name, Name: policy.name, Generation: int64(n + 1), Spec: control.RewardPolicy{
			Currency: "EUR", RevenueShare: &control.RevenueShare{BasisPoints: policy.points, Base: policy.base},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	c := r.declare("design", march(func(c *control.Challenge) { c.RewardPolicy = "designers" }))
	lead, leader := r.signedIn("lead")
	ada, author := r.signedIn("Ada")
	lou, writer := r.signedIn("Lou")
	_, outsider := r.signedIn("Outsider")
	entry, plain := r.entries(c, author, 1)[0], r.idea(outsider, "A chair", "Text")
	if err := r.store.InviteCoAuthor(t.Context(), author.ID, entry, writer.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.store.AnswerInvitation(t.Context(), writer.ID, entry, true); err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/ideas/%d/shares", entry)
	propose := func(first, second string) *answer {
		return ada.post(path, url.Values{fmt.Sprintf("percent.%d", author.ID): {first}, fmt.Sprintf("percent.%d", writer.ID): {second}})
	}
	r.visitor().get(path).is(http.StatusSeeOther)
	if a, _ := r.signedIn("Stranger"); a.get(path).status != http.StatusNotFound {
		t.Error("somebody else reads how the authors share")
	}
	accessible(t, ada.get(path).is(http.StatusOK))
	for _, wrong := range [][2]string{{"80", "30"}, {"-10", "110"}, {"", "100"}, {"x", "y"}} {
		if a := propose(wrong[0], wrong[1]).is(http.StatusUnprocessableEntity); !strings.Contains(a.body, "must make a hundred") {
			t.Errorf("%v: %.300s", wrong, a.body)
		}
	}
	royalties := func() map[int64]int64 {
		t.Helper()
		r.db.Exec(t, fmt.Sprintf("UPDATE ideas.idea SET state = 'launched' WHERE id IN (%d, %d)", entry, plain.ID))
		n := r.db.QueryInt(t, "SELECT count(*) FROM ideas.sales_import")
		file := ideas.SalesFile{Name: "sales.csv", From: "2027-03-01", To: "2027-03-31", Content: fmt.Appendf(nil,
			"idea,day,netSales,grossSales,note\n%d,2027-03-02,1,1000,%d\n%d,2027-03-02,500,1,\n", entry, n, plain.ID)}
		imported, err := r.store.ImportSales(t.Context(), leader.ID, file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.store.ConfirmImport(t.Context(), leader.ID, imported.ID); err != nil {
			t.Fatal(err)
		}
		if n := r.db.QueryInt(t, fmt.Sprintf("SELECT count(DISTINCT policy_uid) FROM ideas.royalty_statement WHERE import_id = %d", imported.ID)); n != 2 {
			t.Errorf("%d statements, want one for each policy", n)
		}
		lead.get(fmt.Sprintf("/team/sales/%d", imported.ID))
		got := map[int64]int64{}
		for _, m := range []ideas.Member{author, writer, outsider} {
			got[m.ID] = r.db.QueryInt(t, fmt.Sprintf(`SELECT coalesce(sum(h.amount), 0)::bigint FROM ideas.royalty_share h JOIN ideas.royalty_statement s ON s.id = h.statement_id
				WHERE s.import_id = %d AND h.member_id = %d`, imported.ID, m.ID))
		}
		r.db.Exec(t, fmt.Sprintf("UPDATE ideas.idea SET state = 'gathering' WHERE id IN (%d, %d)", entry, plain.ID))
		return got
	}
	expect := func(when string, ofAuthor, ofWriter, ofOther int64) {
		t.Helper()
		if got := royalties(); got[author.ID] != ofAuthor || got[writer.ID] != ofWriter || got[outsider.ID] != ofOther {
			t.Errorf("%s: %d, %d and %d; want %d, %d and %d", when, got[author.ID], got[writer.ID], got[outsider.ID], ofAuthor, ofWriter, ofOther)
		}
	}
	// 10 % of 1,000.00 gross by the challenge's policy; 1 % of 500.00 net by the community's.
	expect("without an agreement", 5000, 5000, 500)
	propose("70", "30").leadsTo(ideaPathOf(t, r, entry) + "/shares")
	expect("proposed", 5000, 5000, 500)
	eventually(t, "the other is told", func() bool { return strings.Contains(lou.get("/notices").body, "agree on how the authors") })
	accessible(t, lou.get(path).is(http.StatusOK))
	lou.post(path+"/answer", url.Values{"accept": {"false"}}).is(http.StatusSeeOther)
	expect("declined", 5000, 5000, 500)
	propose("70", "30").is(http.StatusSeeOther)
	lou.post(path+"/answer", url.Values{"accept": {"true"}}).is(http.StatusSeeOther)
	expect("agreed", 7000, 3000, 500)
	if err := r.store.AnswerInvitation(t.Context(), writer.ID, entry, false); err != nil {
		t.Fatal(err)
	}
	expect("with other authors", 10000, 0, 500)
	// The database holds that parts are a hundred, whoever writes them.
	if err := r.store.ProposeShares(t.Context(), author.ID, entry, map[int64]int{author.ID: 100}); err == nil {
		t.Error("one author alone agrees with nobody")
	}
}

func ideaPathOf(t *testing.T, r *running, id int64) string {
	t.Helper()
	idea, err := r.store.GetIdea(t.Context(), 0, id)
	if err != nil {
		t.Fatal(err)
	}
	return ideaPath(idea)
}
