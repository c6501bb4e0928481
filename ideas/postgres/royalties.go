package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/rules"
)

// statementLock makes statements one after the other, since each carries on what the one before has left: "royalty" in
// ASCII.
const statementLock int64 = 0x726f79616c7479

// sharing is by which policies what ideas earn is shared: that which their challenge names, else the community's.
type sharing struct {
	programme *ideas.Programme
	usual     *ideas.RewardPolicy
	// named are the policies that the challenges of ideas name; archived challenges keep theirs.
	named map[int64]string
}

// sharingOf the ideas; the error is ErrNoRevenueShare where no policy shares revenue.
func (s *Store) sharingOf(ctx context.Context, q querier, sold []int64) (sharing, error) {
	found := sharing{programme: s.Programme(ctx), named: map[int64]string{}}
	if found.usual = found.programme.SharingPolicy(); found.usual == nil || s.engines.of(s, found.programme, found.usual) == nil {
		return found, ideas.ErrNoRevenueShare
	}
	rows, err := q.Query(ctx, `SELECT i.id, coalesce(c.spec->>'rewardPolicy', '') FROM idea i JOIN challenge c ON c.id = i.challenge_id WHERE i.id = ANY($1)`, sold)
	if err != nil {
		return found, fmt.Errorf("read the policies of ideas: %w", err)
	}
	var idea int64
	var name string
	if _, err := pgx.ForEachRow(rows, []any{&idea, &name}, func() error { found.named[idea] = name; return nil }); err != nil {
		return found, fmt.Errorf("read the policies of ideas: %w", err)
	}
	return found, nil
}

func (f sharing) policy(idea int64) *ideas.RewardPolicy {
	return f.programme.SharingPolicyNamed(f.named[idea])
}

func (f sharing) terms(idea int64) ideas.SaleTerms {
	spec := f.policy(idea).Spec
	return ideas.SaleTerms{Base: spec.RevenueShare.Base, Currency: spec.Currency}
}

// ImportSales implements ideas.Royalties.
func (s *Store) ImportSales(ctx context.Context, actor int64, file ideas.SalesFile) (ideas.SalesImport, error) {
	pool, err := s.db()
	if err != nil {
		return ideas.SalesImport{}, err
	}
	shared, err := s.sharingOf(ctx, pool, ideas.SoldIdeas(file))
	if err != nil {
		return ideas.SalesImport{}, s.failed("look how sales are shared", err)
	}
	sales, currency, err := ideas.ParseSales(file, shared.terms)
	if err != nil {
		return ideas.SalesImport{}, err
	}
	var id int64
	known := false
	err = s.transact(ctx, "import sales", func(tx pgx.Tx) error {
		if err := checkSoldIdeas(ctx, tx, sales); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `INSERT INTO sales_import (file_hash, file_name, currency, period_from, period_to, imported_by, imported_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (file_hash) DO NOTHING RETURNING id`,
			file.Hash(), ideas.CleanFileName(file.Name), currency, file.From, file.To, actor, s.config.Clock()).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			known = true
			return tx.QueryRow(ctx, "SELECT id FROM sales_import WHERE file_hash = $1", file.Hash()).Scan(&id)
		}
		if err != nil {
			return err
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"sale"}, []string{"import_id", "line", "idea_id", "day", "amount"},
			pgx.CopyFromSlice(len(sales), func(i int) ([]any, error) {
				day, err := time.Parse(time.DateOnly, sales[i].Day)
				return []any{id, sales[i].Line, sales[i].Idea, day, sales[i].Amount}, err
			}))
		if err != nil {
			return err
		}
		return audit(ctx, tx, actor, "sales.import", "sales_import", id, map[string]any{"rows": len(sales)})
	})
	if err != nil {
		return ideas.SalesImport{}, err
	}
	found, err := s.SalesImport(ctx, id)
	if err == nil && known {
		err = ideas.ErrImported
	}
	return found, err
}

// checkSoldIdeas names the lines whose idea does not exist or was not launched.
func checkSoldIdeas(ctx context.Context, tx pgx.Tx, sales []ideas.Sale) error {
	numbers := make([]int64, len(sales))
	for i, sale := range sales {
		numbers[i] = sale.Idea
	}
	rows, err := tx.Query(ctx, "SELECT id, state = 'launched' FROM idea WHERE id = ANY($1)", numbers)
	if err != nil {
		return err
	}
	launched := map[int64]bool{}
	var id int64
	var is bool
	if _, err := pgx.ForEachRow(rows, []any{&id, &is}, func() error { launched[id] = is; return nil }); err != nil {
		return err
	}
	var faults ideas.SaleErrors
	for _, sale := range sales {
		fault := ideas.SaleError{Line: sale.Line, Value: fmt.Sprint(sale.Idea)}
		if is, exists := launched[sale.Idea]; !exists {
			fault.Code = "unknown"
		} else if !is {
			fault.Code = "not_launched"
		}
		if fault.Code != "" {
			faults = append(faults, fault)
		}
		if len(faults) == ideas.MaxSaleErrors {
			break
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

const importQuery = `SELECT n.id, n.file_name, n.currency, n.period_from, n.period_to, n.imported_at, n.confirmed_at IS NOT NULL,
	coalesce((SELECT min(id) FROM royalty_statement WHERE import_id = n.id), 0), (SELECT count(*) FROM sale WHERE import_id = n.id)
	FROM sales_import n `

func scanImport(row pgx.CollectableRow) (ideas.SalesImport, error) {
	var n ideas.SalesImport
	err := row.Scan(&n.ID, &n.FileName, &n.Currency, &n.From, &n.To, &n.ImportedAt, &n.Confirmed, &n.StatementID, &n.Rows)
	return n, err
}

// SalesImport implements ideas.Royalties.
func (s *Store) SalesImport(ctx context.Context, id int64) (found ideas.SalesImport, err error) {
	err = s.transact(ctx, "read an import of sales", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, importQuery+"WHERE n.id = $1", id)
		if err != nil {
			return err
		}
		if found, err = pgx.CollectExactlyOneRow(rows, scanImport); err != nil {
			return err
		}
		if found.Confirmed {
			found.Ideas, err = readRoyalties(ctx, tx, "r.statement_id IN (SELECT id FROM royalty_statement WHERE import_id = $1)", id)
			return err
		}
		computed, err := s.compute(ctx, tx, id)
		if errors.Is(err, ideas.ErrNoRevenueShare) {
			return nil // the policy has changed since; there is nothing to preview
		}
		if err != nil {
			return err
		}
		var royalties []rules.Royalty
		for _, one := range computed {
			royalties = append(royalties, one.statement.Royalties...)
		}
		found.Ideas, err = nameRoyalties(ctx, tx, royalties)
		return err
	})
	return found, err
}

// OpenImports implements ideas.Royalties.
func (s *Store) OpenImports(ctx context.Context) ([]ideas.SalesImport, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, importQuery+"WHERE n.confirmed_at IS NULL ORDER BY n.id DESC LIMIT $1", ideas.MaxPage)
	if err != nil {
		return nil, s.failed("list imports of sales", err)
	}
	imports, err := pgx.CollectRows(rows, scanImport)
	if err != nil {
		return nil, s.failed("list imports of sales", err)
	}
	return imports, nil
}

// DiscardImport implements ideas.Royalties.
func (s *Store) DiscardImport(ctx context.Context, actor, id int64) error {
	return s.transact(ctx, "discard an import of sales", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "DELETE FROM sales_import WHERE id = $1 AND confirmed_at IS NULL", id)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ideas.ErrNotFound
		}
		return audit(ctx, tx, actor, "sales.discard", "sales_import", id, nil)
	})
}

// computed is a statement before it is written.
type computed struct {
	policy    *ideas.RewardPolicy
	statement rules.Statement
}

// compute makes the statements of an import, one for each policy that its ideas are under, in the order of the policies' names.
// Each carries on what the one before has left to the authors whom it pays.
func (s *Store) compute(ctx context.Context, tx pgx.Tx, imported int64) ([]computed, error) {
	rows, err := tx.Query(ctx, "SELECT idea_id, day::text, sum(amount)::bigint FROM sale WHERE import_id = $1 GROUP BY 1, 2", imported)
	if err != nil {
		return nil, err
	}
	sales, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (rules.Sale, error) {
		var sale rules.Sale
		err := row.Scan(&sale.Idea, &sale.Day, &sale.Amount)
		return sale, err
	})
	if err != nil {
		return nil, err
	}
	var sold []int64
	for _, sale := range sales {
		sold = append(sold, sale.Idea)
	}
	shared, err := s.sharingOf(ctx, tx, sold)
	if err != nil {
		return nil, err
	}
	authors, err := weighedAuthors(ctx, tx, sold)
	if err != nil {
		return nil, err
	}
	byPolicy := map[*ideas.RewardPolicy][]rules.Sale{}
	for _, sale := range sales {
		policy := shared.policy(sale.Idea)
		byPolicy[policy] = append(byPolicy[policy], sale)
	}
	policies := slices.SortedFunc(maps.Keys(byPolicy), func(a, b *ideas.RewardPolicy) int { return cmp.Compare(a.Name, b.Name) })
	var all []computed
	var carried map[int64]int64
	for n, policy := range policies {
		if n == 0 {
			if carried, err = readCarried(ctx, tx, policy.Spec.Currency); err != nil {
				return nil, err
			}
		}
		due := carried
		if n > 0 {
			due = map[int64]int64{}
			for _, sale := range byPolicy[policy] {
				for _, author := range authors[sale.Idea] {
					due[author.Member] = carried[author.Member]
				}
			}
		}
		engine := s.engines.of(s, shared.programme, policy)
		if engine == nil {
			return nil, ideas.ErrNoRevenueShare
		}
		statement := engine.Statement(byPolicy[policy], authors, due)
		for _, p := range statement.Payouts {
			carried[p.Member] = p.Forward
		}
		all = append(all, computed{policy, statement})
	}
	return all, nil
}

// weighedAuthors of ideas, with the percentages that they have agreed on. Those who have agreed on none, or whose authors are
// others by now, share equally.
func weighedAuthors(ctx context.Context, tx pgx.Tx, sold []int64) (map[int64][]rules.Author, error) {
	facts, err := readIdeaFacts(ctx, tx, sold)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `SELECT a.idea_id, p.member_id, p.percent FROM share_agreement a JOIN share_part p ON p.agreement_id = a.id
		WHERE a.idea_id = ANY($1) AND a.agreed_at IS NOT NULL AND a.ended_at IS NULL`, sold)
	if err != nil {
		return nil, fmt.Errorf("read how authors share: %w", err)
	}
	agreed := map[int64]map[int64]int64{}
	var idea, member, percent int64
	_, err = pgx.ForEachRow(rows, []any{&idea, &member, &percent}, func() error {
		if agreed[idea] == nil {
			agreed[idea] = map[int64]int64{}
		}
		agreed[idea][member] = percent
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read how authors share: %w", err)
	}
	authors := map[int64][]rules.Author{}
	for idea, f := range facts {
		parts := agreed[idea]
		same := len(parts) == len(f.authors) && !slices.ContainsFunc(f.authors, func(member int64) bool { _, has := parts[member]; return !has })
		for _, member := range f.authors {
			weight := int64(1)
			if same {
				weight = parts[member]
			}
			authors[idea] = append(authors[idea], rules.Author{Member: member, Weight: weight})
		}
	}
	return authors, nil
}

// readCarried is what the members' latest payouts in a currency carry forward.
func readCarried(ctx context.Context, tx pgx.Tx, currency string) (map[int64]int64, error) {
	rows, err := tx.Query(ctx, `SELECT member_id, forward FROM (SELECT DISTINCT ON (member_id) member_id, forward FROM payout
			WHERE member_id IS NOT NULL AND currency = $1 ORDER BY member_id, id DESC) latest WHERE forward <> 0`, currency)
	if err != nil {
		return nil, err
	}
	carried := map[int64]int64{}
	var member, forward int64
	_, err = pgx.ForEachRow(rows, []any{&member, &forward}, func() error { carried[member] = forward; return nil })
	return carried, err
}

// ConfirmImport implements ideas.Royalties.
func (s *Store) ConfirmImport(ctx context.Context, actor, id int64) (statement int64, err error) {
	err = s.transact(ctx, "confirm an import of sales", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", statementLock); err != nil {
			return err
		}
		var confirmed bool
		var currency string
		err := tx.QueryRow(ctx, `SELECT n.confirmed_at IS NOT NULL, n.currency,
			coalesce((SELECT min(r.id) FROM royalty_statement r WHERE r.import_id = n.id), 0) FROM sales_import n WHERE n.id = $1`, id).Scan(&confirmed, &currency, &statement)
		if err != nil || confirmed {
			return err
		}
		all, err := s.compute(ctx, tx, id)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(c computed) bool { return c.policy.Spec.Currency != currency }) {
			return ideas.ErrNoRevenueShare // amounts were read in another currency
		}
		if _, err := tx.Exec(ctx, "UPDATE sales_import SET confirmed_at = $2 WHERE id = $1", id, s.config.Clock()); err != nil {
			return err
		}
		for _, one := range all {
			made, err := s.makeStatement(ctx, tx, actor, id, currency, one)
			if err != nil {
				return err
			}
			if statement == 0 {
				statement = made
			}
		}
		return nil
	})
	return statement, err
}

// makeStatement writes one statement of an import.
func (s *Store) makeStatement(ctx context.Context, tx pgx.Tx, actor, imported int64, currency string, one computed) (statement int64, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO royalty_statement (import_id, policy_uid, policy_generation, currency, period_from, period_to, made_at)
		SELECT id, $2, $3, currency, period_from, period_to, $4 FROM sales_import WHERE id = $1 RETURNING id`,
		imported, one.policy.UID, one.policy.Generation, s.config.Clock()).Scan(&statement)
	if err != nil {
		return 0, fmt.Errorf("make a statement: %w", err)
	}
	if err := writeStatement(ctx, tx, statement, currency, one.statement); err != nil {
		return 0, err
	}
	return statement, audit(ctx, tx, actor, "royalties.confirm", "royalty_statement", statement, map[string]any{"import": imported})
}

func writeStatement(ctx context.Context, tx pgx.Tx, id int64, currency string, computed rules.Statement) error {
	var batch pgx.Batch
	for _, r := range computed.Royalties {
		batch.Queue("INSERT INTO royalty (statement_id, idea_id, base, amount) VALUES ($1, $2, $3, $4)", id, r.Idea, r.Base, r.Amount)
		for _, share := range r.Shares {
			batch.Queue("INSERT INTO royalty_share (statement_id, idea_id, member_id, amount) VALUES ($1, $2, $3, $4)", id, r.Idea, share.Member, share.Amount)
		}
	}
	for _, p := range computed.Payouts {
		state := ideas.PayoutDue
		if p.Payable == 0 {
			state = ideas.PayoutCarried
		}
		batch.Queue(`INSERT INTO payout (statement_id, member_id, currency, carried, earned, payable, forward, state)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, id, p.Member, currency, p.Carried, p.Earned, p.Payable, p.Forward, state)
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write the statement: %w", err)
	}
	return nil
}

// nameRoyalties puts names to ideas and members.
func nameRoyalties(ctx context.Context, tx pgx.Tx, royalties []rules.Royalty) ([]ideas.IdeaSales, error) {
	var about, members []int64
	for _, r := range royalties {
		about = append(about, r.Idea)
		for _, share := range r.Shares {
			members = append(members, share.Member)
		}
	}
	titles, names := map[int64]ideas.IdeaTitle{}, map[int64]string{}
	rows, err := tx.Query(ctx, "SELECT id, slug, title FROM idea WHERE id = ANY($1)", about)
	if err != nil {
		return nil, err
	}
	var title ideas.IdeaTitle
	if _, err := pgx.ForEachRow(rows, []any{&title.ID, &title.Slug, &title.Title}, func() error { titles[title.ID] = title; return nil }); err != nil {
		return nil, err
	}
	if rows, err = tx.Query(ctx, "SELECT id, name FROM member WHERE id = ANY($1)", members); err != nil {
		return nil, err
	}
	var id int64
	var name string
	if _, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error { names[id] = name; return nil }); err != nil {
		return nil, err
	}
	var all []ideas.IdeaSales
	for _, r := range royalties {
		sold := ideas.IdeaSales{Idea: titles[r.Idea], Base: r.Base, Amount: r.Amount}
		for _, share := range r.Shares {
			sold.Shares = append(sold.Shares, ideas.RoyaltyShare{Member: ideas.Author{ID: share.Member, Name: names[share.Member]}, Amount: share.Amount})
		}
		all = append(all, sold)
	}
	return all, nil
}

// readRoyalties are the parts of statements that a condition finds.
func readRoyalties(ctx context.Context, q querier, which string, args ...any) ([]ideas.IdeaSales, error) {
	rows, err := q.Query(ctx, `SELECT i.id, i.slug, i.title, r.base, r.amount, coalesce(h.id, 0), coalesce(m.id, 0), coalesce(m.name, ''), coalesce(h.amount, 0)
		FROM royalty r JOIN idea i ON i.id = r.idea_id LEFT JOIN royalty_share h ON h.statement_id = r.statement_id AND h.idea_id = r.idea_id
			LEFT JOIN member m ON m.id = h.member_id
		WHERE `+which+" ORDER BY r.amount DESC, i.id, h.id", args...)
	if err != nil {
		return nil, err
	}
	var all []ideas.IdeaSales
	var sold ideas.IdeaSales
	var share ideas.RoyaltyShare
	var shareID int64
	_, err = pgx.ForEachRow(rows, []any{
		&sold.Idea.ID, &sold.Idea.Slug, &sold.Idea.Title, &sold.Base, &sold.Amount, &shareID, &share.Member.ID, &share.Member.Name, &share.Amount,
	}, func() error {
		if len(all) == 0 || all[len(all)-1].Idea.ID != sold.Idea.ID {
			all = append(all, sold)
		}
		if shareID != 0 {
			last := &all[len(all)-1]
			last.Shares = append(last.Shares, share)
		}
		return nil
	})
	return all, err
}

const statementQuery = `SELECT r.id, r.currency, r.period_from, r.period_to, r.made_at,
	coalesce((SELECT sum(amount) FROM royalty WHERE statement_id = r.id), 0)::bigint,
	coalesce((SELECT sum(payable) FROM payout WHERE statement_id = r.id AND state IN ('due', 'approved')), 0)::bigint
	FROM royalty_statement r `

func scanStatement(row pgx.CollectableRow) (ideas.Statement, error) {
	var r ideas.Statement
	err := row.Scan(&r.ID, &r.Currency, &r.From, &r.To, &r.MadeAt, &r.Total, &r.Open)
	return r, err
}

// Statements implements ideas.Royalties.
func (s *Store) Statements(ctx context.Context, limit int) ([]ideas.Statement, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, statementQuery+"ORDER BY r.id DESC LIMIT $1", limit)
	if err != nil {
		return nil, s.failed("list royalty statements", err)
	}
	statements, err := pgx.CollectRows(rows, scanStatement)
	if err != nil {
		return nil, s.failed("list royalty statements", err)
	}
	return statements, nil
}

// Statement implements ideas.Royalties.
func (s *Store) Statement(ctx context.Context, id int64) (found ideas.Statement, err error) {
	err = s.transact(ctx, "read a royalty statement", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, statementQuery+"WHERE r.id = $1", id)
		if err != nil {
			return err
		}
		if found, err = pgx.CollectExactlyOneRow(rows, scanStatement); err != nil {
			return err
		}
		if found.Ideas, err = readRoyalties(ctx, tx, "r.statement_id = $1", id); err != nil {
			return err
		}
		found.Payouts, err = readPayouts(ctx, tx, s.today(), "WHERE p.statement_id = $1 ORDER BY p.payable DESC, p.id", id)
		return err
	})
	return found, err
}

// readPayouts tells by the day whose are held.
func readPayouts(ctx context.Context, q querier, today time.Time, which string, args ...any) ([]ideas.Payout, error) {
	rows, err := q.Query(ctx, `SELECT p.id, p.statement_id, coalesce(m.id, 0), coalesce(m.name, ''), p.currency, p.carried, p.earned, p.payable, p.forward,
			p.state, r.period_from, r.period_to, coalesce(p.approved_at, '0001-01-01'), coalesce(p.paid_at, '0001-01-01'), m.born
		FROM payout p JOIN royalty_statement r ON r.id = p.statement_id LEFT JOIN member m ON m.id = p.member_id `+which, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ideas.Payout, error) {
		var p ideas.Payout
		var born *time.Time
		err := row.Scan(&p.ID, &p.Statement, &p.Member.ID, &p.Member.Name, &p.Currency, &p.Carried, &p.Earned, &p.Payable, &p.Forward,
			&p.State, &p.From, &p.To, &p.ApprovedAt, &p.PaidAt, &born)
		p.Held = (p.State == ideas.PayoutDue || p.State == ideas.PayoutApproved) && ideas.Minor(born, today)
		return p, err
	})
}

// ApprovePayouts implements ideas.Royalties.
func (s *Store) ApprovePayouts(ctx context.Context, actor, statement int64) error {
	return s.transact(ctx, "approve payouts", func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT id FROM royalty_statement WHERE id = $1", statement).Scan(&statement); err != nil {
			return err
		}
		return s.movePayouts(ctx, tx, actor, ideas.EventPayoutApproved, `UPDATE payout SET state = 'approved', approved_at = $3, approved_by = $2
			WHERE statement_id = $1 AND state = 'due' AND NOT EXISTS (SELECT FROM member m WHERE m.id = member_id AND m.born > $4::date - interval '18 years')
			RETURNING id, coalesce(member_id, 0), payable, currency`, statement, actor, s.config.Clock(), s.today())
	})
}

// PayPayout implements ideas.Royalties.
func (s *Store) PayPayout(ctx context.Context, actor, payout int64) (statement int64, err error) {
	err = s.transact(ctx, "mark a payout as paid", func(tx pgx.Tx) error {
		var state string
		var born *time.Time
		err := tx.QueryRow(ctx, `SELECT p.state, p.statement_id, m.born FROM payout p LEFT JOIN member m ON m.id = p.member_id
			WHERE p.id = $1 FOR UPDATE OF p`, payout).Scan(&state, &statement, &born)
		if err != nil {
			return err
		}
		if state != ideas.PayoutPaid && ideas.Minor(born, s.today()) {
			return ideas.ErrMinor
		}
		if state != ideas.PayoutApproved && state != ideas.PayoutPaid {
			return &ideas.FieldError{Field: "payout", Code: "invalid"} // it must be approved first
		}
		return s.movePayouts(ctx, tx, actor, ideas.EventPayoutPaid, `UPDATE payout SET state = 'paid', paid_at = $3, paid_by = $2
			WHERE id = $1 AND state = 'approved' RETURNING id, coalesce(member_id, 0), payable, currency`, payout, actor, s.config.Clock())
	})
	return statement, err
}

// movePayouts changes the state of payouts, and records each and tells its member.
func (s *Store) movePayouts(ctx context.Context, tx pgx.Tx, actor int64, kind ideas.EventKind, update string, args ...any) error {
	type moved struct {
		ID, Member, Amount int64
		Currency           string
	}
	rows, err := tx.Query(ctx, update, args...)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[moved])
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := audit(ctx, tx, actor, string(kind), "payout", p.ID, map[string]any{"amount": p.Amount, "currency": p.Currency}); err != nil {
			return err
		}
		if p.Member == 0 {
			continue
		}
		err := s.recordEvents(ctx, tx, ideas.Event{
			Kind: kind, Actor: actor, Subject: p.Member, Data: map[string]any{"amount": p.Amount, "currency": p.Currency},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
