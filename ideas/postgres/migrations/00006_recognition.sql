-- Recognition: the ledger of points and the totals that the database keeps of it, badges, prizes, and what authors earn
-- by the sales of their ideas.

-- +goose Up

-- Every point ever given or taken back. Rows are never changed, except that erasure unlinks the people. An event and a
-- rule give a member points once.
CREATE TABLE points_entry (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id         bigint REFERENCES member ON DELETE SET NULL,
    event_id          bigint NOT NULL,
    rule              text NOT NULL CHECK (octet_length(rule) BETWEEN 1 AND 63),
    points            integer NOT NULL CHECK (points <> 0),
    at                timestamptz NOT NULL,
    -- the day of the community's time zone whose caps the points count in; that of the first entry where one is taken back
    day               date NOT NULL,
    kind              text NOT NULL,
    actor_id          bigint REFERENCES member ON DELETE SET NULL,
    idea_id           bigint,
    challenge_id      bigint,
    policy_uid        text NOT NULL,
    policy_generation bigint NOT NULL,
    FOREIGN KEY (policy_uid, policy_generation) REFERENCES reward_policy (uid, generation),
    UNIQUE (event_id, rule, member_id)
);
CREATE INDEX points_entry_member ON points_entry (member_id, id DESC);
CREATE INDEX points_entry_day ON points_entry (member_id, day) INCLUDE (rule, points);
CREATE INDEX points_entry_actor ON points_entry (actor_id);
-- finds what a withdrawn support had given
CREATE INDEX points_entry_support ON points_entry (idea_id, actor_id) WHERE kind IN ('idea.supported', 'idea.unsupported');

-- Totals of members: of all time (scope 0), of a month ('month', 202703) and of a challenge ('challenge', its id).
CREATE TABLE points_total (
    kind      text NOT NULL CHECK (kind IN ('all', 'month', 'challenge')),
    scope     bigint NOT NULL,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    points    bigint NOT NULL,
    -- whether the member agrees to be named in leaderboards
    listed    boolean NOT NULL,
    PRIMARY KEY (kind, scope, member_id)
) WITH (fillfactor = 80);
CREATE INDEX points_total_board ON points_total (kind, scope, points DESC, member_id) WHERE listed AND points > 0;
CREATE INDEX points_total_member ON points_total (member_id);

-- What each policy has given, in shards: writers of different sessions rarely wait for each other.
CREATE TABLE policy_total (
    policy_uid text NOT NULL,
    shard      smallint NOT NULL,
    points     bigint NOT NULL,
    PRIMARY KEY (policy_uid, shard)
) WITH (fillfactor = 50);

ALTER TABLE member ADD COLUMN listed boolean NOT NULL DEFAULT true;

-- +goose StatementBegin
CREATE FUNCTION keep_points() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    -- Erasure unlinks people, and changes nothing else.
    IF TG_OP = 'UPDATE' AND (NEW.member_id IS NULL OR NEW.member_id IS NOT DISTINCT FROM OLD.member_id)
        AND (NEW.actor_id IS NULL OR NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id)
        AND to_jsonb(OLD) - '{member_id,actor_id}'::text[] = to_jsonb(NEW) - '{member_id,actor_id}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the ledger of points is append-only' USING ERRCODE = 'restrict_violation';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON points_entry FOR EACH ROW EXECUTE FUNCTION keep_points();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON points_entry FOR EACH STATEMENT EXECUTE FUNCTION keep_points();

-- Totals are touched in one order, so that transactions cannot wait for each other in a circle.
-- +goose StatementBegin
CREATE FUNCTION count_points() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    INSERT INTO points_total AS t (kind, scope, member_id, points, listed)
    SELECT s.kind, s.scope, c.member_id, sum(c.points), bool_and(m.listed)
    FROM changed c JOIN member m ON m.id = c.member_id
        CROSS JOIN LATERAL (VALUES ('all', 0::bigint), ('month', to_char(c.day, 'YYYYMM')::bigint), ('challenge', c.challenge_id)) s (kind, scope)
    WHERE s.scope IS NOT NULL
    GROUP BY s.kind, s.scope, c.member_id
    ORDER BY c.member_id, s.kind, s.scope
    ON CONFLICT (kind, scope, member_id) DO UPDATE SET points = t.points + excluded.points;
    INSERT INTO policy_total AS t (policy_uid, shard, points)
    SELECT policy_uid, pg_backend_pid() % 16, sum(points) FROM changed GROUP BY policy_uid ORDER BY policy_uid
    ON CONFLICT (policy_uid, shard) DO UPDATE SET points = t.points + excluded.points;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON points_entry
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_points();

-- An unlinked entry counts for nobody any more.
-- +goose StatementBegin
CREATE FUNCTION count_unlinked_points() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    DELETE FROM points_total t USING before b JOIN after a ON a.id = b.id
    WHERE b.member_id IS NOT NULL AND a.member_id IS NULL AND t.member_id = b.member_id;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_updated AFTER UPDATE ON points_entry
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_unlinked_points();

-- +goose StatementBegin
CREATE FUNCTION list_points() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    UPDATE points_total SET listed = NEW.listed WHERE member_id = NEW.id;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER list_points AFTER UPDATE OF listed ON member
    FOR EACH ROW WHEN (OLD.listed <> NEW.listed) EXECUTE FUNCTION list_points();

-- Events on the way to a badge; they go when it is awarded.
CREATE TABLE badge_step (
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    badge     text NOT NULL CHECK (octet_length(badge) BETWEEN 1 AND 63),
    event_id  bigint NOT NULL,
    idea_id   bigint,
    actor_id  bigint,
    PRIMARY KEY (member_id, badge, event_id)
);
CREATE INDEX badge_step_support ON badge_step (idea_id, actor_id);

CREATE TABLE badge_award (
    member_id         bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    badge             text NOT NULL CHECK (octet_length(badge) BETWEEN 1 AND 63),
    event_id          bigint NOT NULL,
    policy_uid        text NOT NULL,
    policy_generation bigint NOT NULL,
    awarded_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (member_id, badge),
    FOREIGN KEY (policy_uid, policy_generation) REFERENCES reward_policy (uid, generation)
);

-- What winners were promised when their challenge was decided.
CREATE TABLE prize_award (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    challenge_id      bigint NOT NULL REFERENCES challenge,
    idea_id           bigint NOT NULL REFERENCES idea,
    member_id         bigint REFERENCES member ON DELETE SET NULL,
    rank              integer NOT NULL CHECK (rank >= 1),
    policy_uid        text NOT NULL,
    policy_generation bigint NOT NULL,
    -- the prize's place in the policy, and its title by locale as it was promised
    prize             integer NOT NULL CHECK (prize >= 0),
    title             jsonb NOT NULL,
    amount            bigint NOT NULL CHECK (amount >= 0),
    currency          text CHECK (currency ~ '^[A-Z]{3}$'),
    state             text NOT NULL DEFAULT 'promised' CHECK (state IN ('promised', 'handed_over')),
    promised_at       timestamptz NOT NULL DEFAULT now(),
    handed_over_at    timestamptz,
    handed_over_by    bigint REFERENCES member ON DELETE SET NULL,
    FOREIGN KEY (policy_uid, policy_generation) REFERENCES reward_policy (uid, generation),
    UNIQUE (challenge_id, idea_id, member_id, prize),
    CHECK (amount = 0 OR currency IS NOT NULL),
    CHECK ((state = 'handed_over') = (handed_over_at IS NOT NULL))
);
CREATE INDEX prize_award_member ON prize_award (member_id);
CREATE INDEX prize_award_idea ON prize_award (idea_id);

-- A file of sales. The hash keeps one from counting twice.
CREATE TABLE sales_import (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_hash    bytea NOT NULL UNIQUE CHECK (octet_length(file_hash) = 32),
    file_name    text NOT NULL CHECK (char_length(file_name) <= 200),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    period_from  date NOT NULL,
    period_to    date NOT NULL,
    imported_by  bigint REFERENCES member ON DELETE SET NULL,
    imported_at  timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    CHECK (period_from <= period_to)
);

CREATE TABLE sale (
    import_id bigint NOT NULL REFERENCES sales_import ON DELETE CASCADE,
    line      integer NOT NULL CHECK (line >= 1),
    idea_id   bigint NOT NULL REFERENCES idea,
    day       date NOT NULL,
    amount    bigint NOT NULL CHECK (abs(amount) <= 1000000000000),
    PRIMARY KEY (import_id, line)
);
CREATE INDEX sale_idea ON sale (idea_id);

-- What a period's sales earn the authors, by the policy of its day.
CREATE TABLE royalty_statement (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    import_id         bigint NOT NULL UNIQUE REFERENCES sales_import,
    policy_uid        text NOT NULL,
    policy_generation bigint NOT NULL,
    currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    period_from       date NOT NULL,
    period_to         date NOT NULL,
    made_at           timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (policy_uid, policy_generation) REFERENCES reward_policy (uid, generation)
);

CREATE TABLE royalty (
    statement_id bigint NOT NULL REFERENCES royalty_statement,
    idea_id      bigint NOT NULL REFERENCES idea,
    base         bigint NOT NULL,
    amount       bigint NOT NULL,
    PRIMARY KEY (statement_id, idea_id)
);
CREATE INDEX royalty_idea ON royalty (idea_id);

CREATE TABLE royalty_share (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    statement_id bigint NOT NULL,
    idea_id      bigint NOT NULL,
    member_id    bigint REFERENCES member ON DELETE SET NULL,
    amount       bigint NOT NULL,
    FOREIGN KEY (statement_id, idea_id) REFERENCES royalty,
    UNIQUE (statement_id, idea_id, member_id)
);
CREATE INDEX royalty_share_member ON royalty_share (member_id);

-- What a member is due after a statement. What was carried and earned is what is payable and carried forward.
CREATE TABLE payout (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    statement_id bigint NOT NULL REFERENCES royalty_statement,
    member_id    bigint REFERENCES member ON DELETE SET NULL,
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    carried      bigint NOT NULL,
    earned       bigint NOT NULL,
    payable      bigint NOT NULL CHECK (payable >= 0),
    forward      bigint NOT NULL,
    state        text NOT NULL CHECK (state IN ('carried', 'due', 'approved', 'paid')),
    approved_at  timestamptz,
    approved_by  bigint REFERENCES member ON DELETE SET NULL,
    paid_at      timestamptz,
    paid_by      bigint REFERENCES member ON DELETE SET NULL,
    UNIQUE (statement_id, member_id),
    CHECK (carried + earned = payable + forward),
    CHECK ((state = 'carried') = (payable = 0)),
    CHECK ((state IN ('approved', 'paid')) = (approved_at IS NOT NULL)),
    CHECK ((state = 'paid') = (paid_at IS NOT NULL))
);
CREATE INDEX payout_member ON payout (member_id, id DESC);
CREATE INDEX payout_open ON payout (statement_id) WHERE state IN ('due', 'approved');
