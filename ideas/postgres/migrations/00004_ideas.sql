-- The whole life of ideas: states with public reasons, revisions, co-authors, tags, attachments, merged duplicates,
-- official answers, threaded comments, and what waits for a moderator.

-- +goose Up

ALTER TABLE idea DROP CONSTRAINT idea_body_check;
ALTER TABLE idea
    ADD CONSTRAINT idea_body_check CHECK (char_length(body) <= 10000 AND (body <> '' OR state IN ('draft', 'erased'))),
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 5),
    -- the number of the version that members read
    ADD COLUMN revision integer NOT NULL DEFAULT 1,
    ADD COLUMN state_at timestamptz NOT NULL DEFAULT now(),
    -- null until it is published for the first time
    ADD COLUMN published_at timestamptz,
    -- what a hidden or merged idea goes back to
    ADD COLUMN former_state text,
    -- the public reason of the present state
    ADD COLUMN reason_code text NOT NULL DEFAULT '' CHECK (octet_length(reason_code) <= 40),
    ADD COLUMN reason text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 1000),
    -- the idea that a merged one went into
    ADD COLUMN canonical_id bigint REFERENCES idea CHECK (canonical_id <> id),
    ADD CONSTRAINT idea_merged CHECK ((state = 'merged') = (canonical_id IS NOT NULL) OR state = 'erased');
UPDATE idea SET published_at = created_at WHERE visible;
CREATE INDEX idea_author ON idea (author_id, id DESC);
CREATE INDEX idea_state ON idea (state, state_at DESC, id DESC) WHERE visible AND state <> 'gathering';
CREATE INDEX idea_theme ON idea (theme) WHERE visible AND theme <> '';
CREATE INDEX idea_tags ON idea USING gin (tags) WHERE visible AND tags <> '{}';
CREATE INDEX idea_canonical ON idea (canonical_id) WHERE canonical_id IS NOT NULL;

CREATE TABLE idea_change (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idea_id     bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    -- null for the service itself, and after erasure
    actor_id    bigint REFERENCES member ON DELETE SET NULL,
    capacity    text NOT NULL,
    from_state  text NOT NULL,
    to_state    text NOT NULL,
    reason_code text NOT NULL DEFAULT '' CHECK (octet_length(reason_code) <= 40),
    reason      text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 1000),
    CONSTRAINT idea_change_explained CHECK (reason_code <> '' OR reason <> '' OR from_state IN ('hidden', 'merged')
        OR to_state NOT IN ('changes_requested', 'rejected', 'selected', 'not_selected'))
);
CREATE INDEX idea_change_idea ON idea_change (idea_id, id DESC);

-- Every version of an idea that was edited; those never edited have none.
CREATE TABLE idea_revision (
    idea_id   bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    number    integer NOT NULL CHECK (number >= 1),
    at        timestamptz NOT NULL,
    author_id bigint REFERENCES member ON DELETE SET NULL,
    title     text NOT NULL,
    body      text NOT NULL,
    PRIMARY KEY (idea_id, number)
);

CREATE TABLE co_author (
    idea_id     bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    member_id   bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    state       text NOT NULL DEFAULT 'invited' CHECK (state IN ('invited', 'accepted', 'declined')),
    invited_at  timestamptz NOT NULL,
    answered_at timestamptz,
    PRIMARY KEY (idea_id, member_id)
);
CREATE INDEX co_author_member ON co_author (member_id, idea_id);

-- Support of merged ideas. A member who supports an idea and its duplicate counts once for the one that stands for both:
-- support holds what counts, and this what members have given to each duplicate, so that a merge can be undone.
CREATE TABLE parked_support (
    idea_id    bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    member_id  bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    -- the idea for which it counts
    root_id    bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    PRIMARY KEY (idea_id, member_id)
);
CREATE INDEX parked_support_root ON parked_support (root_id, member_id);
CREATE INDEX parked_support_member ON parked_support (member_id);
-- false where it counts for merged ideas alone
ALTER TABLE support ADD COLUMN own boolean NOT NULL DEFAULT true;

ALTER TABLE comment DROP CONSTRAINT comment_body_check;
ALTER TABLE comment
    ADD COLUMN state text NOT NULL DEFAULT 'published' CHECK (state IN ('published', 'pending', 'rejected', 'hidden', 'deleted', 'erased')),
    ADD COLUMN visible boolean NOT NULL GENERATED ALWAYS AS (state = 'published') STORED,
    ADD CONSTRAINT comment_body_check CHECK (char_length(body) <= 4000 AND (body <> '' OR state IN ('deleted', 'erased'))),
    -- the comment that began the thread; null for that one itself
    ADD COLUMN thread_id bigint REFERENCES comment ON DELETE CASCADE,
    -- the comment that it answers
    ADD COLUMN reply_to bigint REFERENCES comment ON DELETE SET NULL,
    -- the merged idea that it was written on
    ADD COLUMN origin_id bigint REFERENCES idea ON DELETE CASCADE,
    ADD COLUMN edited_at timestamptz,
    ADD COLUMN reason_code text NOT NULL DEFAULT '' CHECK (octet_length(reason_code) <= 40),
    ADD COLUMN reason text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 1000),
    ADD COLUMN thanks integer NOT NULL DEFAULT 0 CHECK (thanks >= 0);
CREATE INDEX comment_thread ON comment (idea_id, (coalesce(thread_id, id)), id);
CREATE INDEX comment_of_thread ON comment (thread_id) WHERE thread_id IS NOT NULL;
CREATE INDEX comment_origin ON comment (origin_id) WHERE origin_id IS NOT NULL;
CREATE INDEX comment_author ON comment (author_id, id DESC);

CREATE TABLE comment_thanks (
    comment_id bigint NOT NULL REFERENCES comment ON DELETE CASCADE,
    member_id  bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    PRIMARY KEY (comment_id, member_id)
);
CREATE INDEX comment_thanks_member ON comment_thanks (member_id);

CREATE TABLE attachment (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idea_id    bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    member_id  bigint REFERENCES member ON DELETE SET NULL,
    name       text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 120),
    media_type text NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg', 'image/webp', 'application/pdf')),
    -- what a picture shows, for those who do not see it
    alt        text NOT NULL DEFAULT '' CHECK (char_length(alt) <= 300),
    size       integer NOT NULL CHECK (size > 0),
    width      integer NOT NULL DEFAULT 0,
    height     integer NOT NULL DEFAULT 0,
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    created_at timestamptz NOT NULL,
    UNIQUE (idea_id, digest)
);
CREATE TABLE attachment_chunk (
    attachment_id bigint NOT NULL REFERENCES attachment ON DELETE CASCADE,
    number        integer NOT NULL,
    data          bytea NOT NULL CHECK (octet_length(data) BETWEEN 1 AND 262144),
    PRIMARY KEY (attachment_id, number)
);
ALTER TABLE attachment_chunk ALTER COLUMN data SET STORAGE EXTERNAL; -- pictures do not compress

CREATE TABLE official_answer (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idea_id    bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    author_id  bigint REFERENCES member ON DELETE SET NULL,
    body       text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 5000),
    created_at timestamptz NOT NULL
);
CREATE INDEX official_answer_idea ON official_answer (idea_id, id DESC);

-- What the brand has promised to answer.
CREATE TABLE answer_due (
    idea_id     bigint PRIMARY KEY REFERENCES idea ON DELETE CASCADE,
    due_at      timestamptz NOT NULL,
    -- the role that answers
    responsible text NOT NULL,
    answered_at timestamptz
);
CREATE INDEX answer_due_open ON answer_due (due_at, idea_id) WHERE answered_at IS NULL;

CREATE TABLE moderation_item (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idea_id     bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    -- null where it is the idea itself
    comment_id  bigint REFERENCES comment ON DELETE CASCADE,
    cause       text NOT NULL CHECK (cause IN ('before', 'terms', 'reported')),
    opened_at   timestamptz NOT NULL,
    reports     integer NOT NULL DEFAULT 0 CHECK (reports >= 0),
    decided_at  timestamptz,
    decided_by  bigint REFERENCES member ON DELETE SET NULL,
    decision    text CHECK (decision IN ('publish', 'changes', 'reject', 'gone')),
    CHECK ((decided_at IS NULL) = (decision IS NULL))
);
CREATE UNIQUE INDEX moderation_item_one ON moderation_item (idea_id, coalesce(comment_id, 0)) WHERE decided_at IS NULL;
CREATE INDEX moderation_item_open ON moderation_item (id) WHERE decided_at IS NULL;
CREATE INDEX moderation_item_comment ON moderation_item (comment_id) WHERE comment_id IS NOT NULL;

-- A member reports a contribution once.
CREATE TABLE report (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_id     bigint NOT NULL REFERENCES moderation_item ON DELETE CASCADE,
    idea_id     bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    comment_id  bigint REFERENCES comment ON DELETE CASCADE,
    member_id   bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    reason_code text NOT NULL CHECK (octet_length(reason_code) <= 40),
    reason      text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 1000),
    created_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX report_once ON report (member_id, idea_id, coalesce(comment_id, 0));
CREATE INDEX report_item ON report (item_id, id);
CREATE INDEX report_idea ON report (idea_id);
CREATE INDEX report_comment ON report (comment_id) WHERE comment_id IS NOT NULL;

-- Counters of comments count those that everybody sees.

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION count_comments() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    rows bigint := (SELECT count(*) FROM changed WHERE visible);
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    IF rows = 0 THEN
        RETURN NULL;
    ELSIF rows > 1 THEN
        PERFORM FROM tally WHERE idea_id IN (SELECT idea_id FROM changed) ORDER BY idea_id FOR NO KEY UPDATE;
    END IF;
    UPDATE tally t SET comments = t.comments + sign * c.n
    FROM (SELECT idea_id, count(*) AS n FROM changed WHERE visible GROUP BY idea_id) c WHERE t.idea_id = c.idea_id;
    PERFORM count_total('comments', sign * rows);
    RETURN NULL;
END;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION count_changed_comments() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    change bigint;
BEGIN
    PERFORM FROM tally WHERE idea_id IN (
            SELECT c.idea_id FROM (SELECT idea_id, 1 AS n FROM after WHERE visible UNION ALL SELECT idea_id, -1 FROM before WHERE visible) c
            GROUP BY c.idea_id HAVING sum(c.n) <> 0)
        ORDER BY idea_id FOR NO KEY UPDATE;
    UPDATE tally t SET comments = t.comments + d.n
    FROM (SELECT c.idea_id, sum(c.n) AS n
        FROM (SELECT idea_id, 1 AS n FROM after WHERE visible UNION ALL SELECT idea_id, -1 FROM before WHERE visible) c
        GROUP BY c.idea_id HAVING sum(c.n) <> 0) d
    WHERE t.idea_id = d.idea_id;
    change := (SELECT count(*) FROM after WHERE visible) - (SELECT count(*) FROM before WHERE visible);
    IF change <> 0 THEN
        PERFORM count_total('comments', change);
    END IF;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_updated AFTER UPDATE ON comment
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_changed_comments();

-- +goose StatementBegin
CREATE FUNCTION count_thanks() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    PERFORM FROM comment WHERE id IN (SELECT comment_id FROM changed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE comment c SET thanks = c.thanks + CASE TG_OP WHEN 'INSERT' THEN t.n ELSE -t.n END
    FROM (SELECT comment_id, count(*) AS n FROM changed GROUP BY comment_id) t WHERE c.id = t.comment_id;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON comment_thanks
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_thanks();
CREATE TRIGGER count_deleted AFTER DELETE ON comment_thanks
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_thanks();

-- The words that published ideas are made of: what is typed with a slip is looked up among them by its trigrams, which
-- needs no extension, and rare words find similar ideas. There are far fewer words than ideas.

-- +goose StatementBegin
CREATE FUNCTION trigrams(word text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT array_agg(DISTINCT substr('  ' || word || ' ', n, 3)) FROM generate_series(1, length(word) + 1) AS n);
-- +goose StatementEnd

CREATE TABLE word (
    word     text PRIMARY KEY,
    -- the number of ideas that hold it; about, and counted to a thousand: from there on it is just frequent
    ideas    integer NOT NULL DEFAULT 0,
    trigrams text[] NOT NULL GENERATED ALWAYS AS (trigrams(word)) STORED
);
CREATE INDEX word_trigrams ON word USING gin (trigrams);

-- +goose StatementBegin
CREATE FUNCTION words_of(content text) RETURNS SETOF text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT w FROM unnest(tsvector_to_array(to_tsvector('pg_catalog.simple', fold(content)))) AS w
    WHERE length(w) BETWEEN 3 AND 30 AND w ~ '^[[:alpha:]]+$';
END;
-- +goose StatementEnd

-- Words are written in their order, so that two writers cannot wait for each other in a circle.
-- +goose StatementBegin
CREATE FUNCTION count_words(words text[], counts bigint[]) RETURNS void LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    INSERT INTO word (word) SELECT w FROM unnest(words) AS w ORDER BY w ON CONFLICT DO NOTHING;
    PERFORM FROM word WHERE word = ANY (words) AND ideas < 1000 ORDER BY word FOR NO KEY UPDATE;
    UPDATE word SET ideas = least(word.ideas + n.n, 1000)
    FROM unnest(words, counts) AS n (w, n) WHERE word.word = n.w AND word.ideas < 1000;
END;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION learn_words() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    words text[];
    counts bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(w ORDER BY w), array_agg(n ORDER BY w) INTO words, counts
        FROM (SELECT w, count(*) AS n FROM after a, words_of(a.title || ' ' || a.body) AS w WHERE a.visible GROUP BY w) c;
    ELSE
        SELECT array_agg(w ORDER BY w), array_agg(n ORDER BY w) INTO words, counts
        FROM (SELECT w, count(*) AS n FROM after a JOIN before b ON b.id = a.id, words_of(a.title || ' ' || a.body) AS w
            WHERE a.visible AND (NOT b.visible OR (a.title, a.body) IS DISTINCT FROM (b.title, b.body)) GROUP BY w) c;
    END IF;
    IF words IS NOT NULL THEN
        PERFORM count_words(words, counts);
    END IF;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER learn_inserted AFTER INSERT ON idea
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION learn_words();
CREATE TRIGGER learn_updated AFTER UPDATE ON idea
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION learn_words();

-- Ideas of an earlier version.
INSERT INTO word (word, ideas)
SELECT w, least(count(*), 1000) FROM idea i, words_of(i.title || ' ' || i.body) AS w WHERE i.visible GROUP BY w;
