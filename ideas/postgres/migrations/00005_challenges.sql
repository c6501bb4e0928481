-- Contests and calls for ideas: entries, ballots, ladders, juries, decisions and published results.

-- +goose Up

ALTER TABLE challenge
    -- the boundary of phases up to which the service has carried out what follows; null before the first
    ADD COLUMN phase_at timestamptz,
    -- set when the rights in what was not selected have returned to its authors
    ADD COLUMN released_at timestamptz;

-- How members vote in a challenge, as far as the database holds it. Kept with each declaration until the vote opens.
CREATE TABLE ballot (
    challenge_id  bigint PRIMARY KEY REFERENCES challenge,
    kind          text NOT NULL CHECK (kind IN ('support', 'perDay', 'score', 'budget', 'approval')),
    -- of one vote
    minimum       integer NOT NULL,
    maximum       integer NOT NULL CHECK (maximum >= minimum),
    -- of one member, on each day where votes are by day; null where there is no bound
    allowance     integer CHECK (allowance > 0),
    -- the allowance is of points, not of votes
    counts_points boolean NOT NULL,
    -- makes members' pseudonyms; forgotten at the close, so that nobody can make them again
    key           bytea CHECK (octet_length(key) = 32),
    closed_at     timestamptz,
    CHECK ((key IS NULL) = (closed_at IS NOT NULL))
);

-- An idea in a challenge. Its counters are in tally.
CREATE TABLE entry (
    idea_id      bigint PRIMARY KEY REFERENCES idea ON DELETE CASCADE,
    challenge_id bigint NOT NULL REFERENCES challenge,
    answers      jsonb NOT NULL DEFAULT '{}',
    -- the idea of an earlier challenge that it goes on with, and who thought of it first
    origin_id    bigint REFERENCES idea ON DELETE SET NULL,
    rung         smallint NOT NULL DEFAULT 0,
    -- when the last rung was reached, or the publication; null before that
    rung_since   timestamptz,
    -- by which the next rung must be reached, else the idea expires
    deadline     timestamptz,
    -- members who have seen it, where a rung asks for a share of them
    seen         integer NOT NULL DEFAULT 0 CHECK (seen >= 0),
    shortlisted  boolean NOT NULL DEFAULT false,
    -- set when the rights have returned to the author
    released_at  timestamptz,
    UNIQUE (idea_id, challenge_id),
    UNIQUE (challenge_id, origin_id)
);
CREATE INDEX entry_unclimbed ON entry (challenge_id) WHERE rung_since IS NULL;
CREATE INDEX entry_deadline ON entry (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX entry_shortlist ON entry (challenge_id) WHERE shortlisted;
CREATE INDEX entry_origin ON entry (origin_id) WHERE origin_id IS NOT NULL;

ALTER TABLE tally
    ADD COLUMN challenge_id bigint,
    -- supporters at which the next rung of a ladder is reached; null where there is none
    ADD COLUMN goal     integer,
    -- of a ballot other than plain support
    ADD COLUMN votes    integer NOT NULL DEFAULT 0 CHECK (votes >= 0),
    ADD COLUMN points   bigint NOT NULL DEFAULT 0,
    -- by which the ballot ranks
    ADD COLUMN standing double precision NOT NULL DEFAULT 0;
CREATE INDEX tally_reached ON tally (idea_id) WHERE supporters >= goal;
CREATE INDEX tally_standing ON tally (challenge_id, standing DESC, idea_id DESC) WHERE challenge_id IS NOT NULL AND visible;
CREATE INDEX tally_supported ON tally (challenge_id, supporters DESC, idea_id DESC) WHERE challenge_id IS NOT NULL AND visible;

CREATE TABLE ballot_vote (
    challenge_id bigint NOT NULL REFERENCES ballot,
    idea_id      bigint NOT NULL,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    -- in the community's time zone where votes are by day, else the same for all
    day          date NOT NULL DEFAULT '-infinity',
    points       integer NOT NULL,
    cast_at      timestamptz NOT NULL,
    -- one vote per member
    PRIMARY KEY (idea_id, member_id, day),
    FOREIGN KEY (idea_id, challenge_id) REFERENCES entry (idea_id, challenge_id) ON DELETE CASCADE
);
CREATE INDEX ballot_vote_member ON ballot_vote (challenge_id, member_id);

-- What each member has spent. The check holds the bound however many requests arrive at once.
CREATE TABLE ballot_voter (
    challenge_id bigint NOT NULL REFERENCES ballot,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    day          date NOT NULL,
    used         bigint NOT NULL CHECK (used >= 0),
    allowance    integer,
    PRIMARY KEY (challenge_id, member_id, day),
    CONSTRAINT ballot_allowance CHECK (used <= allowance)
) WITH (fillfactor = 80);
CREATE INDEX ballot_voter_member ON ballot_voter (member_id);

-- Who has taken part in a challenge, and counters of each in shards.
CREATE TABLE participant (
    challenge_id bigint NOT NULL REFERENCES challenge,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    PRIMARY KEY (challenge_id, member_id)
);
CREATE INDEX participant_member ON participant (member_id);

CREATE TABLE challenge_total (
    challenge_id bigint NOT NULL REFERENCES challenge,
    kind  text NOT NULL CHECK (kind IN ('ideas', 'votes', 'participants')),
    shard smallint NOT NULL,
    n     bigint NOT NULL,
    PRIMARY KEY (challenge_id, kind, shard)
) WITH (fillfactor = 50);

-- +goose StatementBegin
CREATE FUNCTION count_in_challenge(challenge bigint, which text, change bigint) RETURNS void LANGUAGE sql
SET search_path = ideas, pg_temp
BEGIN ATOMIC
    INSERT INTO challenge_total AS t (challenge_id, kind, shard, n) VALUES (challenge, which, pg_backend_pid() % 16, change)
    ON CONFLICT (challenge_id, kind, shard) DO UPDATE SET n = t.n + excluded.n;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION count_participants() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    PERFORM count_in_challenge(challenge_id, 'participants', sign * count(*)) FROM changed GROUP BY challenge_id ORDER BY challenge_id;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON participant
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_participants();
CREATE TRIGGER count_deleted AFTER DELETE ON participant
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_participants();

-- Ideas enter their challenge. The name makes the trigger run after the one that makes the tally.
-- +goose StatementBegin
CREATE FUNCTION enter_challenges() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM changed WHERE challenge_id IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    UPDATE tally t SET challenge_id = c.challenge_id FROM changed c WHERE t.idea_id = c.id AND c.challenge_id IS NOT NULL;
    INSERT INTO entry (idea_id, challenge_id) SELECT id, challenge_id FROM changed WHERE challenge_id IS NOT NULL;
    INSERT INTO participant (challenge_id, member_id)
        SELECT DISTINCT challenge_id, author_id FROM changed WHERE challenge_id IS NOT NULL AND state <> 'draft' ON CONFLICT DO NOTHING;
    PERFORM count_in_challenge(challenge_id, 'ideas', count(*)) FROM changed
        WHERE challenge_id IS NOT NULL AND visible GROUP BY challenge_id ORDER BY challenge_id;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER enter_inserted AFTER INSERT ON idea
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION enter_challenges();

-- What is hidden gives the points of a budget back, what comes back from where it had expired begins at zero, and what no
-- longer gathers support climbs no more.
-- +goose StatementBegin
CREATE FUNCTION follow_ideas() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM after a JOIN before b USING (id) WHERE a.challenge_id IS NOT NULL AND a.state <> b.state) THEN
        RETURN NULL;
    END IF;
    PERFORM count_in_challenge(a.challenge_id, 'ideas', sum(a.visible::integer - b.visible::integer)) FROM after a JOIN before b USING (id)
        WHERE a.challenge_id IS NOT NULL AND a.visible <> b.visible GROUP BY a.challenge_id ORDER BY a.challenge_id;
    INSERT INTO participant (challenge_id, member_id) SELECT DISTINCT a.challenge_id, a.author_id FROM after a JOIN before b USING (id)
        WHERE a.challenge_id IS NOT NULL AND b.state = 'draft' AND a.state <> 'draft' ON CONFLICT DO NOTHING;
    DELETE FROM ballot_vote v USING after a, before b, ballot l
        WHERE b.id = a.id AND b.visible AND NOT a.visible AND v.idea_id = a.id AND l.challenge_id = a.challenge_id
            AND l.kind = 'budget' AND l.closed_at IS NULL;
    DELETE FROM idea_view v USING after a, before b
        WHERE b.id = a.id AND v.idea_id = a.id AND b.state = 'expired' AND a.state IN ('gathering', 'pending');
    UPDATE entry e SET rung = 0, rung_since = NULL, deadline = NULL, seen = 0 FROM after a, before b
        WHERE b.id = a.id AND e.idea_id = a.id AND b.state = 'expired' AND a.state IN ('gathering', 'pending');
    UPDATE entry e SET shortlisted = a.state = 'shortlisted' FROM after a, before b
        WHERE b.id = a.id AND e.idea_id = a.id AND a.state <> b.state AND (a.state = 'shortlisted' OR b.state = 'shortlisted' AND a.state = 'under_review');
    UPDATE entry e SET deadline = NULL FROM after a WHERE e.idea_id = a.id AND a.state <> 'gathering' AND e.deadline IS NOT NULL;
    UPDATE tally t SET goal = NULL FROM after a
        WHERE t.idea_id = a.id AND a.challenge_id IS NOT NULL AND a.state <> 'gathering' AND t.goal IS NOT NULL;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER follow_updated AFTER UPDATE ON idea
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION follow_ideas();

-- Supports of ideas in challenges make participants.
-- +goose StatementBegin
CREATE FUNCTION follow_supports() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
    counted RECORD;
BEGIN
    FOR counted IN SELECT t.challenge_id, count(*) AS n FROM changed c JOIN tally t USING (idea_id)
        WHERE t.challenge_id IS NOT NULL GROUP BY t.challenge_id ORDER BY t.challenge_id
    LOOP
        PERFORM count_in_challenge(counted.challenge_id, 'votes', sign * counted.n);
        IF TG_OP = 'INSERT' THEN
            INSERT INTO participant (challenge_id, member_id) SELECT DISTINCT counted.challenge_id, c.member_id
                FROM changed c JOIN tally t USING (idea_id) WHERE t.challenge_id = counted.challenge_id ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER follow_inserted AFTER INSERT ON support
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION follow_supports();
CREATE TRIGGER follow_deleted AFTER DELETE ON support
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION follow_supports();

CREATE TYPE ballot_change AS (challenge_id bigint, idea_id bigint, member_id bigint, day date, votes integer, points bigint);

-- standing_of an entry. Scores are averaged as if five had been given in the middle of the scale, so that a single
-- high one does not lead.
-- +goose StatementBegin
CREATE FUNCTION standing_of(kind text, minimum integer, maximum integer, votes integer, points bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE kind WHEN 'score' THEN (2 * points + 5 * (minimum + maximum)) / (2 * (votes + 5))::double precision ELSE points END;
-- +goose StatementEnd

-- Holds a ballot's rules and keeps its counters. Writers of votes share a lock that the close takes alone: a vote is
-- either counted in the result or refused. Voters are touched before tallies, several in the order of their ids, so that
-- transactions cannot wait for each other in a circle.
-- +goose StatementBegin
CREATE FUNCTION count_ballots() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    changes ballot_change[];
    rules ballot;
BEGIN
    IF TG_OP = 'INSERT' THEN
        changes := (SELECT array_agg(ROW(challenge_id, idea_id, member_id, day, 1, points)::ballot_change) FROM after);
    ELSIF TG_OP = 'DELETE' THEN
        changes := (SELECT array_agg(ROW(challenge_id, idea_id, member_id, day, -1, -points)::ballot_change) FROM before);
    ELSE
        changes := (SELECT array_agg(ROW(challenge_id, idea_id, member_id, day, votes, points)::ballot_change) FROM (
            SELECT challenge_id, idea_id, member_id, day, -1 AS votes, -points AS points FROM before
            UNION ALL SELECT challenge_id, idea_id, member_id, day, 1, points FROM after) moved);
    END IF;
    FOR rules IN SELECT b.* FROM ballot b WHERE b.challenge_id IN (SELECT challenge_id FROM unnest(changes)) ORDER BY b.challenge_id
    LOOP
        PERFORM pg_advisory_xact_lock_shared(5, rules.challenge_id::integer);
        SELECT * INTO rules FROM ballot WHERE challenge_id = rules.challenge_id; -- as it is now, with the lock
        IF rules.closed_at IS NOT NULL THEN
            IF TG_OP = 'DELETE' THEN
                CONTINUE; -- a voter is erased; the result stays as it was published
            END IF;
            RAISE EXCEPTION 'the vote is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'ballot_closed';
        END IF;
        IF EXISTS (SELECT FROM unnest(changes) c WHERE c.challenge_id = rules.challenge_id AND c.votes > 0
            AND c.points NOT BETWEEN rules.minimum AND rules.maximum) THEN
            RAISE EXCEPTION 'points out of bounds' USING ERRCODE = 'check_violation', CONSTRAINT = 'ballot_points';
        END IF;
        UPDATE ballot_voter v SET used = v.used + c.used FROM (
            SELECT member_id, day, sum(CASE WHEN rules.counts_points THEN points ELSE votes END) AS used FROM unnest(changes)
            WHERE challenge_id = rules.challenge_id GROUP BY member_id, day) c
            WHERE v.challenge_id = rules.challenge_id AND v.member_id = c.member_id AND v.day = c.day AND c.used < 0;
        INSERT INTO ballot_voter AS v (challenge_id, member_id, day, used, allowance)
            SELECT rules.challenge_id, member_id, day, sum(CASE WHEN rules.counts_points THEN points ELSE votes END) AS used, rules.allowance
            FROM unnest(changes) WHERE challenge_id = rules.challenge_id GROUP BY member_id, day
            HAVING sum(CASE WHEN rules.counts_points THEN points ELSE votes END) > 0 ORDER BY member_id, day
            ON CONFLICT (challenge_id, member_id, day) DO UPDATE SET used = v.used + excluded.used, allowance = excluded.allowance;
        PERFORM FROM tally WHERE idea_id IN (SELECT idea_id FROM unnest(changes) WHERE challenge_id = rules.challenge_id)
            ORDER BY idea_id FOR NO KEY UPDATE;
        UPDATE tally t SET votes = t.votes + c.votes, points = t.points + c.points,
                standing = standing_of(rules.kind, rules.minimum, rules.maximum, t.votes + c.votes::integer, t.points + c.points::bigint)
            FROM (SELECT idea_id, sum(votes) AS votes, sum(points) AS points FROM unnest(changes)
                WHERE challenge_id = rules.challenge_id GROUP BY idea_id) c
            WHERE t.idea_id = c.idea_id AND (c.votes <> 0 OR c.points <> 0);
        IF TG_OP <> 'UPDATE' THEN
            PERFORM count_in_challenge(rules.challenge_id, 'votes', sum(votes)) FROM unnest(changes) WHERE challenge_id = rules.challenge_id;
            PERFORM count_total('votes', sum(votes)) FROM unnest(changes) WHERE challenge_id = rules.challenge_id;
        END IF;
        IF TG_OP = 'INSERT' THEN
            INSERT INTO participant (challenge_id, member_id) SELECT DISTINCT challenge_id, member_id FROM unnest(changes)
                WHERE challenge_id = rules.challenge_id ORDER BY member_id ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON ballot_vote
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_ballots();
CREATE TRIGGER count_updated AFTER UPDATE ON ballot_vote
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_ballots();
CREATE TRIGGER count_deleted AFTER DELETE ON ballot_vote
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION count_ballots();

-- Which members have seen an entry whose ladder asks for a share of them.
CREATE TABLE idea_view (
    idea_id   bigint NOT NULL REFERENCES entry ON DELETE CASCADE,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    PRIMARY KEY (idea_id, member_id)
);
CREATE INDEX idea_view_member ON idea_view (member_id);

-- +goose StatementBegin
CREATE FUNCTION count_views() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    PERFORM FROM entry WHERE idea_id IN (SELECT idea_id FROM changed) ORDER BY idea_id FOR NO KEY UPDATE;
    UPDATE entry e SET seen = e.seen + c.n FROM (SELECT idea_id, count(*) AS n FROM changed GROUP BY idea_id) c WHERE e.idea_id = c.idea_id;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON idea_view
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_views();

-- Batches of review that have been carried out.
CREATE TABLE review_batch (
    challenge_id bigint NOT NULL REFERENCES challenge,
    day          date NOT NULL,
    ideas        integer NOT NULL,
    PRIMARY KEY (challenge_id, day)
);

-- A juror who declares a conflict of interest on an entry scores it no more.
CREATE TABLE jury_part (
    idea_id     bigint NOT NULL REFERENCES entry ON DELETE CASCADE,
    juror_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    conflict    boolean NOT NULL,
    -- the team reads it
    reason      text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 1000),
    declared_at timestamptz NOT NULL,
    PRIMARY KEY (idea_id, juror_id),
    UNIQUE (idea_id, juror_id, conflict)
);
CREATE INDEX jury_part_juror ON jury_part (juror_id);

CREATE TABLE jury_score (
    idea_id   bigint NOT NULL,
    juror_id  bigint NOT NULL,
    criterion text NOT NULL CHECK (char_length(criterion) <= 63),
    score     integer NOT NULL CHECK (score >= 0),
    -- only of who has no conflict of interest
    conflict  boolean NOT NULL DEFAULT false CHECK (NOT conflict),
    scored_at timestamptz NOT NULL,
    PRIMARY KEY (idea_id, juror_id, criterion),
    FOREIGN KEY (idea_id, juror_id, conflict) REFERENCES jury_part (idea_id, juror_id, conflict) ON DELETE CASCADE
);

-- How a challenge was decided.
CREATE TABLE decision (
    challenge_id bigint PRIMARY KEY REFERENCES challenge,
    decided_by   bigint REFERENCES member ON DELETE SET NULL,
    decided_at   timestamptz NOT NULL,
    -- public
    reason       text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 4000),
    -- how ties were broken; empty where there were none
    ties         text NOT NULL DEFAULT '' CHECK (char_length(ties) <= 4000)
);

CREATE TABLE winner (
    challenge_id bigint NOT NULL REFERENCES decision,
    idea_id      bigint NOT NULL,
    rank         integer NOT NULL CHECK (rank > 0),
    reason       text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 4000),
    PRIMARY KEY (challenge_id, idea_id),
    FOREIGN KEY (idea_id, challenge_id) REFERENCES entry (idea_id, challenge_id) ON DELETE CASCADE
);
CREATE INDEX winner_rank ON winner (challenge_id, rank);

-- The published result of a vote: every ballot under a pseudonym, from which anybody recomputes the ranking.
CREATE TABLE ballot_result (
    challenge_id bigint PRIMARY KEY REFERENCES ballot,
    closed_at    timestamptz NOT NULL,
    sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes        bigint NOT NULL,
    voters       integer NOT NULL,
    file         bytea NOT NULL
);
ALTER TABLE ballot_result ALTER COLUMN file SET STORAGE EXTERNAL;
