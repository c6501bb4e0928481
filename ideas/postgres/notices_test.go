package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/testutil"
)

// happen records an event and waits until it has been dispatched.
func happen(t testing.TB, store *postgres.Store, db *testutil.PostgresDatabase, kind ideas.EventKind, columns string, values ...any) {
	t.Helper()
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprint(v)
	}
	db.Exec(t, fmt.Sprintf("INSERT INTO ideas.event (kind, %s) VALUES ('%s', %s)", columns, kind, strings.Join(parts, ", ")))
	dispatch(t, store, db)
}

func dispatch(t testing.TB, store *postgres.Store, db *testutil.PostgresDatabase) {
	t.Helper()
	for db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE NOT dispatched") > 0 {
		if _, err := store.DispatchEvents(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// told lists a member's notices as "kind/event kind", the newest first.
func told(t testing.TB, store *postgres.Store, member ideas.Member) []string {
	t.Helper()
	list, err := store.Notices(t.Context(), member.ID, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, n := range list {
		all = append(all, fmt.Sprintf("%s/%s", n.Kind, n.Event.Kind))
	}
	slices.Sort(all) // two dispatchers may tell of two events in any order
	return all
}

// Everybody is told of what concerns them, once, as they prefer; nobody of what they did themselves.
func TestWhoIsTold(t *testing.T) {
	store, db := fresh(t)
	ctx := t.Context()
	author, fan, follower, tired, stranger := member(t, store, "author"), member(t, store, "fan"), member(t, store, "follower"),
		member(t, store, "tired"), member(t, store, "stranger")
	idea := submit(t, store, author, "A lamp")
	for _, m := range []ideas.Member{fan, tired} {
		if _, err := store.SetSupport(ctx, m.ID, idea.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	follow := func(m ideas.Member, kind ideas.FollowKind, target int64, on bool) {
		t.Helper()
		if err := store.Follow(ctx, m.ID, kind, target, on); err != nil {
			t.Fatal(err)
		}
	}
	follow(follower, ideas.FollowIdea, idea.ID, true)
	follow(follower, ideas.FollowMember, author.ID, true)
	follow(tired, ideas.FollowIdea, idea.ID, false)
	comment, err := store.AddComment(ctx, fan.ID, idea.ID, "", "Hello "+ideas.MentionOf(ideas.Author{ID: stranger.ID, Name: "stranger"}))
	if err != nil {
		t.Fatal(err)
	}
	dispatch(t, store, db)
	for name, tc := range map[string]struct {
		kind    ideas.EventKind
		columns string
		values  []any
		want    map[string]string
	}{
		"state": {
			ideas.EventIdeaState, "idea_id, data", []any{idea.ID, `'{"to": "planned"}'`},
			map[string]string{"author": "status/idea.state", "fan": "status/idea.state", "follower": "status/idea.state"},
		},
		"state that only the author sees": {
			ideas.EventIdeaState, "idea_id, data", []any{idea.ID, `'{"to": "hidden"}'`}, map[string]string{"author": "status/idea.state"},
		},
		"published by its author": {
			ideas.EventIdeaPublished, "idea_id, actor_id", []any{idea.ID, author.ID}, map[string]string{"follower": "idea/idea.published"},
		},
		"published by a moderator": {
			ideas.EventIdeaPublished, "idea_id", []any{idea.ID},
			map[string]string{"author": "status/idea.published", "follower": "idea/idea.published"},
		},
		"comment with a mention": {
			ideas.EventCommentPublished, "idea_id, comment_id, actor_id", []any{idea.ID, comment.ID, fan.ID},
			map[string]string{"author": "comment/comment.published", "follower": "comment/comment.published", "stranger": "mention/comment.published"},
		},
		"answer by a supporter of the team": {
			ideas.EventIdeaAnswered, "idea_id, actor_id", []any{idea.ID, fan.ID},
			map[string]string{"author": "answer/idea.answered", "follower": "answer/idea.answered"},
		},
		"badge": {"badge.awarded", "subject_id", []any{tired.ID}, map[string]string{"tired": "recognition/badge.awarded"}},
		"vote":  {ideas.EventIdeaSupported, "idea_id, actor_id", []any{idea.ID, fan.ID}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			db.Exec(t, "DELETE FROM ideas.notice")
			happen(t, store, db, tc.kind, tc.columns, tc.values...)
			got := map[string]string{}
			for who, m := range map[string]ideas.Member{"author": author, "fan": fan, "follower": follower, "tired": tired, "stranger": stranger} {
				if all := told(t, store, m); len(all) > 0 {
					got[who] = strings.Join(all, ", ")
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
	// One when the comment was written, one when it happened again above.
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.event WHERE kind = 'member.mentioned'"); n != 2 {
		t.Errorf("%d events of mentions, want 2", n)
	}
}

// What matters in time is mailed at once: a place taken, freed or lost, whoever did it; and to the team, that a webhook
// was disabled.
func TestNoticesThatMatterInTime(t *testing.T) {
	store, db := fresh(t)
	declareTeam(t, store, 1, control.House{})
	lead, moderator, tester := member(t, store, "Lead"), member(t, store, "Moderator"), member(t, store, "tester")
	idea := submit(t, store, lead, "A lamp")
	for kind, tc := range map[ideas.EventKind]struct {
		columns string
		values  []any
		want    map[string]string
	}{
		ideas.EventWorkshopRegistered:  {"actor_id", []any{tester.ID}, map[string]string{"tester": "place"}},
		ideas.EventWorkshopWaiting:     {"actor_id", []any{tester.ID}, map[string]string{"tester": "place"}},
		ideas.EventWorkshopMovedUp:     {"subject_id", []any{tester.ID}, map[string]string{"tester": "place"}},
		ideas.EventApplicationSelected: {"actor_id, subject_id", []any{lead.ID, tester.ID}, map[string]string{"tester": "place"}},
		ideas.EventApplicationDropped:  {"actor_id, subject_id", []any{lead.ID, tester.ID}, map[string]string{"tester": "place"}},
		ideas.EventTestKit:             {"actor_id, subject_id", []any{lead.ID, tester.ID}, map[string]string{"tester": "place"}},
		ideas.EventCoAuthorInvited:     {"actor_id, subject_id, idea_id", []any{lead.ID, tester.ID, idea.ID}, map[string]string{"tester": "account"}},
		ideas.EventWebhookDisabled:     {"data", []any{`'{"webhook": "board"}'`}, map[string]string{"lead": "account"}},
	} {
		t.Run(string(kind), func(t *testing.T) {
			db.Exec(t, "DELETE FROM ideas.notice", "DELETE FROM ideas.river_job")
			happen(t, store, db, kind, tc.columns, tc.values...)
			got := map[string]string{}
			for who, m := range map[string]ideas.Member{"lead": lead, "moderator": moderator, "tester": tester} {
				for _, text := range told(t, store, m) {
					got[who], _, _ = strings.Cut(text, "/")
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if n := db.QueryInt(t, "SELECT count(*) FROM ideas.river_job WHERE kind = 'notice_mail'"); n != 1 {
				t.Errorf("%d mails at once, want 1", n)
			}
		})
	}
}

// Ten thousand supporters are told by one event, each once, and those who want it by mail have one job each.
func TestTellTenThousandSupporters(t *testing.T) {
	store, db := fresh(t)
	author := member(t, store, "author")
	idea := submit(t, store, author, "A lamp")
	db.Exec(t,
		"INSERT INTO ideas.member (name, locale, email) SELECT 'M' || n, 'en', 'm' || n || '@brand.example' FROM generate_series(1, 10000) n",
		fmt.Sprintf("INSERT INTO ideas.support (idea_id, member_id) SELECT %d, id FROM ideas.member WHERE name LIKE 'M%%'", idea.ID),
		"INSERT INTO ideas.preference SELECT id, 'status', true, 'now' FROM ideas.member WHERE name LIKE 'M%7'",
		"INSERT INTO ideas.preference SELECT id, 'status', false, 'off' FROM ideas.member WHERE name LIKE 'M%8'")
	happen(t, store, db, ideas.EventIdeaSelected, "idea_id", idea.ID)
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.notice"); n != 9001 {
		t.Errorf("%d notices, want 9,001: 9,000 supporters who want them and the author", n)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.river_job WHERE kind = 'notice_mail'"); n != 1000 {
		t.Errorf("%d jobs for mails, want 1,000", n)
	}
	db.Exec(t, "UPDATE ideas.event SET dispatched = false")
	dispatch(t, store, db)
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.notice"); n != 9001 {
		t.Errorf("%d notices after a repetition, want 9,001", n)
	}
}

// The notification centre is read page by page, and marks belong to the member who reads.
func TestReadNotices(t *testing.T) {
	store, db := fresh(t)
	ctx := t.Context()
	author, other := member(t, store, "author"), member(t, store, "other")
	idea := submit(t, store, author, "A lamp")
	for range 5 {
		happen(t, store, db, ideas.EventIdeaAnswered, "idea_id", idea.ID)
	}
	happen(t, store, db, "badge.awarded", "subject_id", other.ID)
	first, err := store.Notices(ctx, author.ID, 0, 3)
	if err != nil || len(first) != 3 {
		t.Fatalf("%d notices, error %v", len(first), err)
	}
	rest, err := store.Notices(ctx, author.ID, first[2].ID, 3)
	if err != nil || len(rest) != 2 || rest[0].ID >= first[2].ID {
		t.Fatalf("second page %v, error %v", rest, err)
	}
	if first[0].IdeaTitle != "A lamp" || first[0].Event.Idea != idea.ID {
		t.Errorf("notice %+v does not name the idea", first[0])
	}
	others, _ := store.Notices(ctx, other.ID, 0, 3)
	if err := store.ReadNotices(ctx, author.ID, []int64{first[0].ID, others[0].ID}, 0); err != nil {
		t.Fatal(err)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.notice WHERE read_at IS NULL"); n != 5 {
		t.Errorf("%d unread, want 5: the other member's notice is not the author's to mark", n)
	}
	if err := store.ReadNotices(ctx, author.ID, nil, first[1].ID); err != nil {
		t.Fatal(err)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.notice WHERE read_at IS NULL"); n != 1 {
		t.Errorf("%d unread, want the other member's", n)
	}
}

// A mail's link stops mails of its kind for its member, and nothing made up does.
func TestUnsubscribe(t *testing.T) {
	store, db := fresh(t)
	ctx := t.Context()
	claire, victim := member(t, store, "claire"), member(t, store, "victim")
	token, err := store.UnsubscribeToken(ctx, claire.ID, ideas.NoticeMention)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	all, err := store.UnsubscribeToken(ctx, claire.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, forged := range map[string]string{
		"empty": "", "dots": "..", "other member": fmt.Sprintf("%d.%s.%s", victim.ID, parts[1], parts[2]),
		"other kind": parts[0] + ".status." + parts[2], "all kinds": parts[0] + ".all." + parts[2], "no kind": parts[0] + "..",
		"unknown kind": parts[0] + ".surprise." + parts[2], "no signature": parts[0] + ".mention.", "signature of all": parts[0] + ".mention." + strings.Split(all, ".")[2],
		"huge": strings.Repeat("9", 1<<16), "number too large": "99999999999999999999.mention." + parts[2], "letters changed": strings.ToUpper(token),
	} {
		if _, err := store.Unsubscribe(ctx, forged); !errors.Is(err, ideas.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.preference"); n != 0 {
		t.Fatalf("%d preferences changed by forged tokens", n)
	}
	for range 2 { // mail programs press twice
		if kind, err := store.Unsubscribe(ctx, token); err != nil || kind != ideas.NoticeMention {
			t.Fatalf("kind %q, error %v", kind, err)
		}
	}
	settings, err := store.NoticeSettings(ctx, claire.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := ideas.DefaultPreferences()
	i := slices.IndexFunc(want, func(p ideas.Preference) bool { return p.Kind == ideas.NoticeMention })
	want[i].Mail = ideas.MailOff
	if diff := cmp.Diff(want, settings.Preferences); diff != "" {
		t.Errorf("preferences (-want +got):\n%s", diff)
	}
	if kind, err := store.Unsubscribe(ctx, all); err != nil || kind != "" {
		t.Fatalf("kind %q, error %v", kind, err)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM ideas.preference WHERE mail = 'off'"); n != int64(len(want)) {
		t.Errorf("mails of %d kinds stopped, want all %d", n, len(want))
	}
	if n := db.QueryInt(t, fmt.Sprintf("SELECT count(*) FROM ideas.preference WHERE member_id = %d", victim.ID)); n != 0 {
		t.Error("another member's preferences changed")
	}
}

func TestMentions(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []int64
	}{
		"none":      {"Hello @claire", nil},
		"one":       {"Hello [@Claire](/members/12), look", []int64{12}},
		"with slug": {"[@Claire](/members/12-claire)", []int64{12}},
		"twice":     {"[@A](/members/1) [@A](/members/1) [@B](/members/2)", []int64{1, 2}},
		"elsewhere": {"[@A](https://evil.example/members/1) [A](/members/2) [@A](/ideas/3)", nil},
		"broken":    {"[@A](/members/0) [@A](/members/99999999999999999999)", nil},
		"made":      {ideas.MentionOf(ideas.Author{ID: 7, Name: "A]b[ c"}), []int64{7}},
		"many":      {strings.Repeat("[@A](/members/1)", 3) + many(30), append([]int64{1}, series(100, 19)...)},
	} {
		if diff := cmp.Diff(tc.want, ideas.Mentions(tc.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func many(n int) string {
	var b strings.Builder
	for _, id := range series(100, n) {
		fmt.Fprintf(&b, "[@M](/members/%d) ", id)
	}
	return b.String()
}

func series(from int64, n int) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = from + int64(i)
	}
	return all
}

// What a member follows without saying so can be unfollowed.
func TestFollows(t *testing.T) {
	store, _ := fresh(t)
	ctx := t.Context()
	author, fan, stranger := member(t, store, "author"), member(t, store, "fan"), member(t, store, "stranger")
	idea := submit(t, store, author, "A lamp")
	if _, err := store.SetSupport(ctx, fan.ID, idea.ID, true); err != nil {
		t.Fatal(err)
	}
	check := func(m ideas.Member, want bool) {
		t.Helper()
		if got, err := store.Follows(ctx, m.ID, ideas.FollowIdea, idea.ID); err != nil || got != want {
			t.Errorf("%s follows: %v, error %v; want %v", m.Name, got, err, want)
		}
	}
	check(author, true)
	check(fan, true)
	check(stranger, false)
	for _, on := range []bool{false, true} {
		for _, m := range []ideas.Member{author, fan, stranger} {
			if err := store.Follow(ctx, m.ID, ideas.FollowIdea, idea.ID, on); err != nil {
				t.Fatal(err)
			}
			check(m, on)
		}
	}
	field := (*ideas.FieldError)(nil)
	if err := store.Follow(ctx, author.ID, ideas.FollowMember, author.ID, true); !errors.As(err, &field) {
		t.Errorf("following oneself: %v", err)
	}
	if err := store.Follow(ctx, author.ID, ideas.FollowIdea, 4711, true); !errors.Is(err, ideas.ErrNotFound) {
		t.Errorf("following nothing: %v", err)
	}
}

var aWeek = 7 * 24 * time.Hour
