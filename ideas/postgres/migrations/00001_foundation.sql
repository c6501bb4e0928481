-- The first schema: members and how they sign in, ideas, supports, comments, the counters that the database
-- keeps of them, and the declaration in force. Names are resolved in this schema and pg_catalog only: every
-- session pins its search_path, and so does every function.

-- +goose Up

CREATE TABLE member (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- null where an issuer vouched for the person but not for an address
    email      text CHECK (char_length(email) BETWEEN 3 AND 254),
    name       text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    locale     text NOT NULL CHECK (char_length(locale) <= 35),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX member_email ON member (lower(email));

CREATE TABLE member_identity (
    issuer    text NOT NULL,
    subject   text NOT NULL,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX member_identity_member ON member_identity (member_id);

CREATE TABLE session (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    member_id  bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- moved forward at most once an hour, so that reading pages does not write
    seen_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX session_member ON session (member_id);

CREATE TABLE sign_in_link (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    email      text NOT NULL,
    locale     text NOT NULL,
    return_to  text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_link_expiry ON sign_in_link (expires_at);

-- Links asked for and not yet mailed. The token is made when the mail is sent, so none is kept here.
CREATE TABLE sign_in_mail (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      text NOT NULL,
    locale     text NOT NULL,
    return_to  text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    attempts   integer NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_in_mail_due ON sign_in_mail (due_at);

-- Rates by the generic cell rate algorithm: one row and one timestamp per key. Keys are hashes.
CREATE TABLE rate (
    key     bytea PRIMARY KEY,
    -- the time at which the key's allowance is full again
    full_at timestamptz NOT NULL
);
CREATE INDEX rate_full ON rate (full_at);

-- fold strips case and accents, for searches typed without them. It needs no extension.
-- +goose StatementBegin
CREATE FUNCTION fold(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(replace(replace(replace(replace(lower(t), 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'),
    'ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöøùúûüýÿ’',
    'aaaaaaceeeeiiiinoooooouuuuyyaaaaaaceeeeiiiinoooooouuuuyy''');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION search_document(title text, body text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN setweight(to_tsvector('pg_catalog.simple', fold(title)), 'A')
    || setweight(to_tsvector('pg_catalog.french', fold(title)), 'A')
    || setweight(to_tsvector('pg_catalog.english', fold(title)), 'A')
    || to_tsvector('pg_catalog.simple', fold(body))
    || to_tsvector('pg_catalog.french', fold(body))
    || to_tsvector('pg_catalog.english', fold(body));
-- +goose StatementEnd

-- search_query reads what people type as words; a match in any of the languages counts.
-- +goose StatementBegin
CREATE FUNCTION search_query(words text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN websearch_to_tsquery('pg_catalog.simple', fold(words))
    || websearch_to_tsquery('pg_catalog.french', fold(words))
    || websearch_to_tsquery('pg_catalog.english', fold(words));
-- +goose StatementEnd

CREATE TABLE idea (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author_id      bigint NOT NULL REFERENCES member,
    slug           text NOT NULL CHECK (char_length(slug) <= 120),
    title          text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 120),
    body           text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 10000),
    state          text NOT NULL CHECK (state IN ('gathering', 'hidden', 'erased')),
    visible        boolean NOT NULL GENERATED ALWAYS AS (state NOT IN ('hidden', 'erased')) STORED,
    submission_key text CHECK (octet_length(submission_key) BETWEEN 1 AND 64),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    document       tsvector NOT NULL GENERATED ALWAYS AS (search_document(title, body)) STORED
);
CREATE UNIQUE INDEX idea_submission ON idea (author_id, submission_key);
CREATE INDEX idea_newest ON idea (created_at DESC, id DESC) WHERE visible;
CREATE INDEX idea_search ON idea USING gin (document);

-- The counters of an idea are a narrow row of their own: a vote must not rewrite the text and its search index.
CREATE TABLE tally (
    idea_id    bigint PRIMARY KEY REFERENCES idea ON DELETE CASCADE,
    visible    boolean NOT NULL,
    supporters integer NOT NULL DEFAULT 0 CHECK (supporters >= 0),
    comments   integer NOT NULL DEFAULT 0 CHECK (comments >= 0),
    -- log2 of the sum over the idea's submission and its supports of 2^(time in half-lives). Each support
    -- weighs twice as much as one that is a half-life older, and the ranking needs no recomputation as time
    -- passes, so an index serves it.
    trend      double precision NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX tally_top ON tally (supporters DESC, idea_id DESC) WHERE visible;
CREATE INDEX tally_trending ON tally (trend DESC, idea_id DESC) WHERE visible;

CREATE TABLE support (
    idea_id    bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    member_id  bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (idea_id, member_id)
);
CREATE INDEX support_member ON support (member_id);

CREATE TABLE comment (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idea_id        bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    author_id      bigint NOT NULL REFERENCES member,
    body           text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 4000),
    submission_key text CHECK (octet_length(submission_key) BETWEEN 1 AND 64),
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX comment_idea ON comment (idea_id, id);
CREATE UNIQUE INDEX comment_submission ON comment (author_id, idea_id, submission_key);

-- Totals of the community in shards: writers of different sessions rarely wait for each other.
CREATE TABLE total (
    kind  text NOT NULL CHECK (kind IN ('members', 'ideas', 'votes', 'comments')),
    shard smallint NOT NULL,
    n     bigint NOT NULL,
    PRIMARY KEY (kind, shard)
) WITH (fillfactor = 50);

-- The last declaration accepted; one row.
CREATE TABLE declaration (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    uid         text NOT NULL,
    generation  bigint NOT NULL,
    digest      text NOT NULL,
    settings    jsonb NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now()
);

-- trend_of a moment: time in half-lives of three days since 2026.
-- +goose StatementBegin
CREATE FUNCTION trend_of(at timestamptz) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (extract(epoch FROM at) - 1767225600)::double precision / 259200;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION count_total(which text, change bigint) RETURNS void LANGUAGE sql
SET search_path = ideas, pg_temp
BEGIN ATOMIC
    INSERT INTO total AS t (kind, shard, n) VALUES (which, pg_backend_pid() % 16, change)
    ON CONFLICT (kind, shard) DO UPDATE SET n = t.n + excluded.n;
END;
-- +goose StatementEnd

-- Counters are kept per statement, not per row: an import of thousands of rows touches each counter once. All
-- of them touch tallies before totals, and several tallies in the order of their ids, so that transactions
-- cannot wait for each other in a circle.

-- +goose StatementBegin
CREATE FUNCTION count_members() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    PERFORM count_total('members', CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END) FROM changed HAVING count(*) > 0;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON member
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_members();
CREATE TRIGGER count_deleted AFTER DELETE ON member
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_members();

-- +goose StatementBegin
CREATE FUNCTION count_new_ideas() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    INSERT INTO tally (idea_id, visible, trend) SELECT id, visible, trend_of(created_at) FROM changed;
    PERFORM count_total('ideas', count(*)) FROM changed WHERE visible HAVING count(*) > 0;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON idea
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_new_ideas();

-- +goose StatementBegin
CREATE FUNCTION count_removed_ideas() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    PERFORM count_total('ideas', -count(*)) FROM changed WHERE visible HAVING count(*) > 0;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_deleted AFTER DELETE ON idea
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_removed_ideas();

-- +goose StatementBegin
CREATE FUNCTION count_shown_ideas() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    change bigint;
BEGIN
    IF (SELECT count(*) FROM after) > 1 THEN
        PERFORM FROM tally WHERE idea_id IN (SELECT id FROM after) ORDER BY idea_id FOR NO KEY UPDATE;
    END IF;
    UPDATE tally t SET visible = a.visible FROM after a WHERE t.idea_id = a.id AND t.visible <> a.visible;
    change := (SELECT count(*) FROM after WHERE visible) - (SELECT count(*) FROM before WHERE visible);
    IF change <> 0 THEN
        PERFORM count_total('ideas', change);
    END IF;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_updated AFTER UPDATE ON idea
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_shown_ideas();

-- log2_sum is log2(2^a + 2^b): max + log2(1 + 2^-|a-b|), which cannot overflow. The difference is bounded since
-- PostgreSQL refuses results too small for a double.
-- +goose StatementBegin
CREATE FUNCTION log2_sum(a double precision, b double precision) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN greatest(a, b) + ln(1 + power(2::double precision, -least(abs(a - b), 60))) / ln(2::double precision);
-- +goose StatementEnd

-- log2_rest is log2(2^a - 2^b), or null where rounding leaves nothing.
-- +goose StatementBegin
CREATE FUNCTION log2_rest(a double precision, b double precision) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN b < a - 1e-9 THEN a + ln(1 - power(2::double precision, -least(a - b, 60))) / ln(2::double precision) END;
-- +goose StatementEnd

-- log2_total is log2 of the sum of 2^x.
CREATE AGGREGATE log2_total(double precision) (SFUNC = log2_sum, STYPE = double precision, PARALLEL = SAFE);

-- +goose StatementBegin
CREATE FUNCTION count_supports() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    rows bigint := (SELECT count(*) FROM changed);
BEGIN
    IF rows = 0 THEN
        RETURN NULL;
    ELSIF rows > 1 THEN
        PERFORM FROM tally WHERE idea_id IN (SELECT idea_id FROM changed) ORDER BY idea_id FOR NO KEY UPDATE;
    END IF;
    IF TG_OP = 'INSERT' THEN
        UPDATE tally t SET supporters = t.supporters + c.n, trend = log2_sum(t.trend, c.weight)
        FROM (SELECT idea_id, count(*) AS n, log2_total(trend_of(created_at)) AS weight FROM changed GROUP BY idea_id) c
        WHERE t.idea_id = c.idea_id;
        PERFORM count_total('votes', rows);
    ELSE
        -- Without supporters the trend is the submission's again, exactly.
        UPDATE tally t SET supporters = t.supporters - c.n,
            trend = CASE WHEN t.supporters = c.n THEN trend_of(i.created_at)
                ELSE greatest(trend_of(i.created_at), log2_rest(t.trend, c.weight)) END
        FROM (SELECT idea_id, count(*) AS n, log2_total(trend_of(created_at)) AS weight FROM changed GROUP BY idea_id) c
            JOIN idea i ON i.id = c.idea_id
        WHERE t.idea_id = c.idea_id;
        PERFORM count_total('votes', -rows);
    END IF;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON support
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_supports();
CREATE TRIGGER count_deleted AFTER DELETE ON support
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_supports();

-- +goose StatementBegin
CREATE FUNCTION count_comments() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    rows bigint := (SELECT count(*) FROM changed);
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    IF rows = 0 THEN
        RETURN NULL;
    ELSIF rows > 1 THEN
        PERFORM FROM tally WHERE idea_id IN (SELECT idea_id FROM changed) ORDER BY idea_id FOR NO KEY UPDATE;
    END IF;
    UPDATE tally t SET comments = t.comments + sign * c.n
    FROM (SELECT idea_id, count(*) AS n FROM changed GROUP BY idea_id) c WHERE t.idea_id = c.idea_id;
    PERFORM count_total('comments', sign * rows);
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON comment
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_comments();
CREATE TRIGGER count_deleted AFTER DELETE ON comment
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_comments();
