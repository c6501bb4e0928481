package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/rewards"
	"github.com/quaeso/community-operator/internal/rules"
)

// engines keeps the compiled policies of the programme in force. Compiling one takes time, and memory for its
// expressions, so it is done when the first event needs it.
type engines struct {
	mutex     sync.Mutex
	programme *ideas.Programme
	compiled  map[*ideas.RewardPolicy]*rules.Engine
}

// of is a policy's engine; nil for no policy, and for one that cannot be compiled, which gives nothing.
func (e *engines) of(s *Store, programme *ideas.Programme, p *ideas.RewardPolicy) *rules.Engine {
	if p == nil {
		return nil
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.programme != programme {
		e.programme, e.compiled = programme, map[*ideas.RewardPolicy]*rules.Engine{}
	}
	engine, known := e.compiled[p]
	if !known {
		var err error
		if engine, err = rules.Compile(rewards.Rules(p.Spec)); err != nil {
			s.log.Error("reward policy gives nothing: it was accepted and cannot be applied", "policy", p.Name, "generation", p.Generation, "error", err)
			engine = nil
		}
		e.compiled[p] = engine
	}
	return engine
}

// recognitionLock lets one batch at a time change what members have, whichever replica dispatches it: "rewards" in ASCII.
const recognitionLock int64 = 0x72657761726473

// lockRecognition waits for other batches that recognise, until the end of the transaction.
func lockRecognition(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", recognitionLock); err != nil {
		return fmt.Errorf("wait for others that recognise: %w", err)
	}
	return nil
}

// recognise is the consumer that gives points and badges for events, in the transaction that dispatches them.
func (s *Store) recognise(ctx context.Context, tx pgx.Tx, events []ideas.Event) error {
	programme := s.Programme(ctx)
	if len(programme.Policies) == 0 {
		return nil
	}
	if err := lockRecognition(ctx, tx); err != nil {
		return err
	}
	r := &recognition{store: s, tx: tx, programme: programme, zone: s.zone()}
	if err := r.prepare(ctx, events); err != nil {
		return err
	}
	for _, e := range events {
		if err := r.event(ctx, e); err != nil {
			return fmt.Errorf("recognise event %d: %w", e.ID, err)
		}
	}
	return r.flush(ctx)
}

// recognition is the work on one batch of events. What it gives is written together at the end.
type recognition struct {
	store     *Store
	tx        pgx.Tx
	programme *ideas.Programme
	zone      *time.Location
	days      []string
	ideas     map[int64]*ideaFacts
	members   map[int64]*memberFacts
	given     []given
}

// ideaFacts are what rules may ask of an idea.
type ideaFacts struct {
	authors []int64
	facts   rules.IdeaFacts
	// counted are the events that have changed its counters since the batch began.
	counted []counted
}

// counted is an event and what it has changed.
type counted struct {
	event, actor, supporters, comments int64
	dispatched                         bool
}

// takenBack tells that the support of an event was withdrawn by one that another replica has dispatched already.
func (f *ideaFacts) takenBack(e ideas.Event) bool {
	for _, c := range f.counted {
		if c.event > e.ID && c.actor == e.Actor && c.supporters != 0 {
			return c.supporters < 0 && c.dispatched
		}
	}
	return false
}

// at is the idea as it was when an event happened: without what has been counted since.
func (f *ideaFacts) at(event int64) rules.IdeaFacts {
	facts := f.facts
	for _, c := range f.counted {
		if c.event > event {
			facts.Supporters -= c.supporters
			facts.Comments -= c.comments
		}
	}
	return facts
}

// countedChange is what an event of a kind has changed in the counters of its idea.
const countedChange = `CASE kind WHEN 'idea.supported' THEN 1 WHEN 'idea.unsupported' THEN -1 ELSE 0 END AS supporters,
	CASE kind WHEN 'comment.published' THEN 1 ELSE 0 END AS comments`

// maxCounted bounds how far a batch looks ahead for what was counted since; it matters after a long outage alone.
const maxCounted = 5_000

// readCounted finds what has changed the counters of the batch's ideas since its first event.
func (r *recognition) readCounted(ctx context.Context, first int64) error {
	if len(r.ideas) == 0 {
		return nil
	}
	rows, err := r.tx.Query(ctx, "SELECT id, idea_id, coalesce(actor_id, 0), dispatched, "+countedChange+`
		FROM (SELECT id, idea_id, actor_id, kind, dispatched FROM event WHERE id > $1 ORDER BY id LIMIT $2) e
		WHERE kind IN ('idea.supported', 'idea.unsupported', 'comment.published') AND idea_id = ANY($3) ORDER BY id`,
		first, maxCounted, slices.Collect(maps.Keys(r.ideas)))
	if err != nil {
		return fmt.Errorf("read what was counted since: %w", err)
	}
	var idea int64
	var c counted
	_, err = pgx.ForEachRow(rows, []any{&c.event, &idea, &c.actor, &c.dispatched, &c.supporters, &c.comments}, func() error {
		r.ideas[idea].counted = append(r.ideas[idea].counted, c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what was counted since: %w", err)
	}
	return nil
}

// memberFacts are what rules may ask of a member, and what the member has.
type memberFacts struct {
	joined time.Time
	roles  []string
	level  int
	*rules.Account
}

// given is what one event gives one member.
type given struct {
	event   ideas.Event
	member  int64
	policy  *ideas.RewardPolicy
	outcome rules.Outcome
}

func (r *recognition) engine(e ideas.Event) (*ideas.RewardPolicy, *rules.Engine) {
	policy := r.programme.PolicyOf(e.Challenge)
	return policy, r.store.engines.of(r.store, r.programme, policy)
}

// wanted tells whether an event can give anything.
func (r *recognition) wanted(e ideas.Event) bool {
	_, engine := r.engine(e)
	return engine != nil && engine.Wants(string(e.Kind))
}

// prepare reads what the events of the batch are about, and locks the members that may get something, in one order for
// all replicas.
func (r *recognition) prepare(ctx context.Context, events []ideas.Event) error {
	var wanted []ideas.Event
	var about []int64
	for _, e := range events {
		if r.wanted(e) {
			wanted = append(wanted, e)
			r.days = append(r.days, rules.Day(e.At, r.zone))
			if e.Idea != 0 {
				about = append(about, e.Idea)
			}
		}
	}
	var err error
	if r.ideas, err = readIdeaFacts(ctx, r.tx, about); err != nil {
		return err
	}
	if err := r.readCounted(ctx, events[0].ID); err != nil {
		return err
	}
	var members []int64
	for _, e := range wanted {
		members = append(members, e.Actor, e.Subject)
		if idea := r.ideas[e.Idea]; idea != nil {
			members = append(members, idea.authors...)
		}
	}
	return r.readMembers(ctx, members)
}

func readIdeaFacts(ctx context.Context, tx pgx.Tx, about []int64) (map[int64]*ideaFacts, error) {
	found := map[int64]*ideaFacts{}
	if len(about) == 0 {
		return found, nil
	}
	rows, err := tx.Query(ctx, `SELECT i.id, i.author_id || array(SELECT member_id FROM co_author WHERE idea_id = i.id AND state = 'accepted' ORDER BY member_id),
			i.state, i.theme, i.tags, t.supporters, t.comments
		FROM idea i JOIN tally t ON t.idea_id = i.id WHERE i.id = ANY($1) AND i.state <> 'erased'`, about)
	if err != nil {
		return nil, fmt.Errorf("read the ideas of events: %w", err)
	}
	var id int64
	var f ideaFacts
	_, err = pgx.ForEachRow(rows, []any{&id, &f.authors, &f.facts.State, &f.facts.Theme, &f.facts.Tags, &f.facts.Supporters, &f.facts.Comments}, func() error {
		kept := f
		found[id] = &kept
		f = ideaFacts{}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the ideas of events: %w", err)
	}
	return found, nil
}

// readMembers locks members and reads what they have. Those that are gone are left out.
func (r *recognition) readMembers(ctx context.Context, ids []int64) error {
	r.members = map[int64]*memberFacts{}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil
	}
	settings, _ := r.store.Current(ctx)
	rows, err := r.tx.Query(ctx, `SELECT id, coalesce(email, ''), created_at, level FROM member
		WHERE id = ANY($1) AND erased_at IS NULL ORDER BY id FOR NO KEY UPDATE`, ids)
	if err != nil {
		return fmt.Errorf("lock members: %w", err)
	}
	var id int64
	var email string
	var joined time.Time
	var level int
	_, err = pgx.ForEachRow(rows, []any{&id, &email, &joined, &level}, func() error {
		m := &memberFacts{joined: joined, level: level, Account: rules.NewAccount()}
		for _, role := range settings.RolesOf(email) {
			m.roles = append(m.roles, string(role))
		}
		r.members[id] = m
		return nil
	})
	if err != nil {
		return fmt.Errorf("lock members: %w", err)
	}
	return r.readAccounts(ctx, ids)
}

func (r *recognition) readAccounts(ctx context.Context, ids []int64) error {
	var id, n int64
	var day, name string
	var batch pgx.Batch
	scan := func(targets []any, keep func(m *memberFacts)) func(pgx.Rows) error {
		return func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, targets, func() error {
				if m := r.members[id]; m != nil {
					keep(m)
				}
				return nil
			})
			return err
		}
	}
	batch.Queue("SELECT member_id, points FROM points_total WHERE kind = 'all' AND scope = 0 AND member_id = ANY($1)", ids).
		Query(scan([]any{&id, &n}, func(m *memberFacts) { m.Points = n }))
	batch.Queue(`SELECT member_id, day::text, rule, sum(points) FROM points_entry
		WHERE member_id = ANY($1) AND day = ANY($2::date[]) GROUP BY 1, 2, 3`, ids, r.days).
		Query(scan([]any{&id, &day, &name, &n}, func(m *memberFacts) {
			if m.Days[day] == nil {
				m.Days[day] = map[string]int64{}
			}
			m.Days[day][name] = n
		}))
	batch.Queue("SELECT member_id, badge FROM badge_award WHERE member_id = ANY($1)", ids).
		Query(scan([]any{&id, &name}, func(m *memberFacts) { m.Badges[name] = true }))
	batch.Queue("SELECT member_id, badge, count(*) FROM badge_step WHERE member_id = ANY($1) GROUP BY 1, 2", ids).
		Query(scan([]any{&id, &name, &n}, func(m *memberFacts) { m.Progress[name] = n }))
	if err := r.tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("read what members have: %w", err)
	}
	return nil
}

// event applies the rules to one event.
func (r *recognition) event(ctx context.Context, e ideas.Event) error {
	switch {
	case e.Kind == ideas.EventIdeaUnsupported:
		return r.takeBack(ctx, e)
	case !r.wanted(e):
		return nil
	}
	policy, engine := r.engine(e)
	var authors []int64
	var about rules.IdeaFacts
	if idea := r.ideas[e.Idea]; idea != nil {
		if e.Kind == ideas.EventIdeaSupported && idea.takenBack(e) {
			return nil
		}
		authors, about = idea.authors, idea.at(e.ID)
	}
	for _, to := range recipients(e, authors) {
		m := r.members[to.member]
		if m == nil {
			continue
		}
		facts := factsOf(e, to, authors, about, rules.MemberFacts{Days: daysBetween(m.joined, e.At), Roles: m.roles}, r.programme)
		outcome := m.Apply(engine, r.zone, e.ID, facts)
		for _, f := range outcome.Failures {
			r.store.log.Warn("a condition could not be evaluated and does not hold", "policy", policy.Name, "field", f.Field, "event", e.ID, "error", f.Err)
		}
		if len(outcome.Entries)+len(outcome.Advanced) > 0 {
			r.given = append(r.given, given{e, to.member, policy, outcome})
		}
	}
	return nil
}

// factsOf an event for one of its recipients.
func factsOf(e ideas.Event, to recipient, authors []int64, idea rules.IdeaFacts, member rules.MemberFacts, programme *ideas.Programme) rules.Facts {
	facts := rules.Facts{
		Event: string(e.Kind), Time: e.At, Value: eventValue(e.Data), Actor: to.actor, Author: to.author, Subject: to.subject,
		Self: slices.Contains(authors, e.Actor), Member: member, Idea: idea,
	}
	if c := programme.ChallengeByID(e.Challenge); c != nil {
		facts.Challenge = rules.ChallengeFacts{Name: c.Name, Type: c.Spec.Type, Theme: c.Spec.Theme}
	}
	return facts
}

// eventValue is an event's own number, 0 for none. JSON has read it as a float.
func eventValue(data map[string]any) int64 {
	for _, key := range []string{"value", "rung", "severity", "level"} {
		if n, ok := data[key].(float64); ok {
			return int64(n)
		}
	}
	return 0
}

// daysBetween are the full days from one moment to another, 0 when it is the earlier.
func daysBetween(from, to time.Time) int64 { return max(0, int64(to.Sub(from)/(24*time.Hour))) }

// recipient is a member and what they are to an event.
type recipient struct {
	member                 int64
	actor, author, subject bool
}

// recipients of an event, in the order of their numbers.
func recipients(e ideas.Event, authors []int64) []recipient {
	byMember := map[int64]*recipient{}
	at := func(member int64) *recipient {
		if byMember[member] == nil {
			byMember[member] = &recipient{member: member}
		}
		return byMember[member]
	}
	switch {
	case e.Kind.CreditsSubject():
		at(e.Subject).actor = true
	case !e.Kind.CreditsAuthors():
		at(e.Actor).actor = true
	}
	for _, author := range authors {
		a := at(author)
		a.author, a.actor = true, a.actor || e.Kind.CreditsAuthors()
	}
	at(e.Subject).subject = true
	var all []recipient
	for member, to := range byMember {
		if member != 0 {
			all = append(all, *to)
		}
	}
	slices.SortFunc(all, func(a, b recipient) int { return cmp.Compare(a.member, b.member) })
	return all
}

// takeBack reverses what the support gave that an event withdraws.
func (r *recognition) takeBack(ctx context.Context, e ideas.Event) error {
	if err := r.flush(ctx); err != nil {
		return err
	}
	rows, err := r.tx.Query(ctx, `SELECT member_id FROM points_entry WHERE idea_id = $1 AND actor_id = $2 AND member_id IS NOT NULL
			AND kind IN ('idea.supported', 'idea.unsupported') GROUP BY member_id HAVING sum(points) <> 0
		UNION SELECT member_id FROM badge_step WHERE idea_id = $1 AND actor_id = $2`, e.Idea, e.Actor)
	if err != nil {
		return fmt.Errorf("find what a support gave: %w", err)
	}
	members, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(members) == 0 {
		return err
	}
	for id := range r.members {
		members = append(members, id) // so that they are read again, with what they lose
	}
	if err := r.lock(ctx, members); err != nil {
		return err
	}
	_, err = r.tx.Exec(ctx, `INSERT INTO points_entry (member_id, event_id, rule, points, at, day, kind, actor_id, idea_id, challenge_id, policy_uid, policy_generation)
		SELECT member_id, $3, rule, -sum(points), $4, day, $5, actor_id, idea_id, challenge_id, policy_uid, policy_generation
		FROM points_entry WHERE idea_id = $1 AND actor_id = $2 AND member_id IS NOT NULL AND kind IN ('idea.supported', 'idea.unsupported')
		GROUP BY member_id, rule, day, actor_id, idea_id, challenge_id, policy_uid, policy_generation HAVING sum(points) <> 0
		ON CONFLICT DO NOTHING`, e.Idea, e.Actor, e.ID, e.At, e.Kind)
	if err != nil {
		return fmt.Errorf("take back what a support gave: %w", err)
	}
	if _, err := r.tx.Exec(ctx, "DELETE FROM badge_step WHERE idea_id = $1 AND actor_id = $2", e.Idea, e.Actor); err != nil {
		return fmt.Errorf("take back a support's steps to badges: %w", err)
	}
	if err := r.readMembers(ctx, members); err != nil {
		return err
	}
	return r.writeLevels(ctx)
}

func (r *recognition) lock(ctx context.Context, members []int64) error {
	if _, err := r.tx.Exec(ctx, "SELECT FROM member WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", members); err != nil {
		return fmt.Errorf("lock members: %w", err)
	}
	return nil
}

// flush writes what was given so far.
func (r *recognition) flush(ctx context.Context) error {
	if len(r.given) == 0 {
		return nil
	}
	var batch pgx.Batch
	r.queueEntries(&batch)
	for _, g := range r.given {
		for _, badge := range g.outcome.Advanced {
			if slices.Contains(g.outcome.Awarded, badge) {
				continue
			}
			batch.Queue(`INSERT INTO badge_step (member_id, badge, event_id, idea_id, actor_id)
				VALUES ($1, $2, $3, nullif($4, 0), nullif($5, 0)) ON CONFLICT DO NOTHING`,
				g.member, badge, g.event.ID, supportedIdea(g.event), g.event.Actor)
		}
		for _, badge := range g.outcome.Awarded {
			batch.Queue(`INSERT INTO badge_award (member_id, badge, event_id, policy_uid, policy_generation, awarded_at)
				VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, g.member, badge, g.event.ID, g.policy.UID, g.policy.Generation, g.event.At)
			batch.Queue("DELETE FROM badge_step WHERE member_id = $1 AND badge = $2", g.member, badge)
		}
	}
	if err := r.tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write points and badges: %w", err)
	}
	for _, g := range r.given {
		for _, badge := range g.outcome.Awarded {
			err := r.store.recordEvents(ctx, r.tx, ideas.Event{
				Kind: ideas.EventBadgeAwarded, Subject: g.member, Data: map[string]any{"badge": badge, "title": r.badgeTitle(g.policy, badge)},
			})
			if err != nil {
				return err
			}
		}
	}
	r.given = nil
	return r.writeLevels(ctx)
}

// supportedIdea is the idea whose support may be withdrawn; 0 for other events.
func supportedIdea(e ideas.Event) int64 {
	if e.Kind == ideas.EventIdeaSupported {
		return e.Idea
	}
	return 0
}

func (r *recognition) badgeTitle(p *ideas.RewardPolicy, badge string) map[string]string {
	for _, b := range p.Spec.Badges {
		if b.Name == badge {
			return b.Title
		}
	}
	return nil
}

func (r *recognition) queueEntries(batch *pgx.Batch) {
	for _, g := range r.given {
		for _, entry := range g.outcome.Entries {
			batch.Queue(`INSERT INTO points_entry (member_id, event_id, rule, points, at, day, kind, actor_id, idea_id, challenge_id, policy_uid, policy_generation)
				VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT id FROM member WHERE id = $8), nullif($9, 0), nullif($10, 0), $11, $12)
				ON CONFLICT (event_id, rule, member_id) DO NOTHING`,
				g.member, g.event.ID, entry.Rule, entry.Points, g.event.At, rules.Day(g.event.At, r.zone), g.event.Kind,
				g.event.Actor, g.event.Idea, g.event.Challenge, g.policy.UID, g.policy.Generation)
		}
	}
}

// writeLevels brings the members' levels in line with their points, and tells of those that rose.
func (r *recognition) writeLevels(ctx context.Context) error {
	policy := r.programme.CommunityPolicy()
	engine := r.store.engines.of(r.store, r.programme, policy)
	if engine == nil {
		return nil
	}
	// The ledger has the last word: an event that came a second time has given nothing.
	rows, err := r.tx.Query(ctx, `SELECT member_id, points FROM points_total WHERE kind = 'all' AND scope = 0 AND member_id = ANY($1)
		ORDER BY member_id`, slices.Collect(maps.Keys(r.members)))
	if err != nil {
		return fmt.Errorf("read the members' points: %w", err)
	}
	var id, points int64
	var moved []int64
	_, err = pgx.ForEachRow(rows, []any{&id, &points}, func() error {
		m := r.members[id]
		if m.Points = points; engine.Level(points) != m.level {
			moved = append(moved, id)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the members' points: %w", err)
	}
	for _, id := range moved {
		if err := r.writeLevel(ctx, id, engine.Level(r.members[id].Points), policy); err != nil {
			return err
		}
	}
	return nil
}

func (r *recognition) writeLevel(ctx context.Context, id int64, level int, policy *ideas.RewardPolicy) error {
	m := r.members[id]
	if _, err := r.tx.Exec(ctx, "UPDATE member SET level = $2 WHERE id = $1", id, level); err != nil {
		return fmt.Errorf("write a member's level: %w", err)
	}
	rose := level > m.level
	m.level = level
	if !rose {
		return nil
	}
	reached := policy.Spec.Levels[level-1]
	return r.store.recordEvents(ctx, r.tx, ideas.Event{
		Kind: ideas.EventLevelReached, Subject: id, Data: map[string]any{"level": level, "name": reached.Name, "title": reached.Title},
	})
}

// relevel brings all members' levels in line with the community's policy after it has changed. Nobody is told: the brand
// has changed the ladder, nobody has climbed it.
func relevel(ctx context.Context, tx pgx.Tx) error {
	if err := lockRecognition(ctx, tx); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "SELECT name, spec FROM reward_policy WHERE in_force ORDER BY name")
	if err != nil {
		return fmt.Errorf("read the policies in force: %w", err)
	}
	policies, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*ideas.RewardPolicy, error) {
		p := &ideas.RewardPolicy{}
		var raw []byte
		if err := row.Scan(&p.Name, &raw); err != nil {
			return nil, err
		}
		return p, json.Unmarshal(raw, &p.Spec)
	})
	if err != nil {
		return fmt.Errorf("read the policies in force: %w", err)
	}
	thresholds := []int64{}
	if policy := (&ideas.Programme{Policies: policies}).CommunityPolicy(); policy != nil {
		for _, l := range policy.Spec.Levels {
			thresholds = append(thresholds, int64(l.Points))
		}
	}
	// A level of 0 points is everybody's, also of those without any entry.
	_, err = tx.Exec(ctx, `UPDATE member m SET level = n.level
		FROM (SELECT m.id, CASE WHEN $1::bigint[] = '{}' THEN 0 ELSE width_bucket(coalesce(t.points, 0), $1::bigint[]) END AS level
			FROM member m LEFT JOIN points_total t ON t.kind = 'all' AND t.scope = 0 AND t.member_id = m.id) n
		WHERE m.id = n.id AND m.level <> n.level`, thresholds)
	if err != nil {
		return fmt.Errorf("bring the members' levels in line: %w", err)
	}
	return nil
}
