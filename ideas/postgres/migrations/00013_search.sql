-- What searches read, apart from ideas and tallies. A search for a word that many ideas hold reads a row for each of
-- them: rows are narrow and hold what lists are ordered and limited by, so that nothing else is read.

-- +goose Up

CREATE TABLE search (
    idea_id      bigint PRIMARY KEY REFERENCES idea ON DELETE CASCADE,
    created_at   timestamptz NOT NULL,
    -- as in tally. No index has them: a vote rewrites a narrow row in its place and leaves the search index alone.
    trend        double precision NOT NULL,
    supporters   integer NOT NULL,
    visible      boolean NOT NULL,
    -- as in idea
    state        text NOT NULL,
    theme        text NOT NULL,
    tags         text[] NOT NULL,
    challenge_id bigint,
    -- Long rows alone are moved out of the table by PostgreSQL: blanks, which compress to a few bytes, make each long.
    blanks       text NOT NULL DEFAULT repeat(' ', 2100),
    document     tsvector NOT NULL
) WITH (fillfactor = 80, toast_tuple_target = 128);
ALTER TABLE search ALTER COLUMN document SET STORAGE EXTERNAL; -- no time to unpack it

-- signature_of sets one of 1024 bits for each word: where a text's signature lacks a word's bit, the text lacks the word.
-- +goose StatementBegin
CREATE FUNCTION signature_of(words text[]) RETURNS bit(1024) LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    signature bit(1024) := repeat('0', 1024)::bit(1024);
    word text;
    hash bytea;
BEGIN
    FOREACH word IN ARRAY words LOOP
        hash := sha256(convert_to(word, 'UTF8'));
        signature := set_bit(signature, 4 * get_byte(hash, 0) + get_byte(hash, 1) % 4, 1);
    END LOOP;
    RETURN signature;
END;
$$;
-- +goose StatementEnd

ALTER TABLE tally ADD COLUMN signature bit(1024);

INSERT INTO search (idea_id, created_at, trend, supporters, visible, state, theme, tags, challenge_id, document)
SELECT i.id, i.created_at, t.trend, t.supporters, i.visible, i.state, i.theme, i.tags, i.challenge_id, i.document
FROM idea i JOIN tally t ON t.idea_id = i.id ORDER BY i.id;
UPDATE tally t SET signature = signature_of(tsvector_to_array(s.document)) FROM search s WHERE s.idea_id = t.idea_id;
ALTER TABLE tally ALTER COLUMN signature SET NOT NULL;
ALTER TABLE idea DROP COLUMN document;
CREATE INDEX search_document ON search USING gin (document);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION count_new_ideas() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    WITH texts AS MATERIALIZED (SELECT c.*, search_document(title, body) AS document FROM changed c),
        tallies AS (INSERT INTO tally (idea_id, visible, trend, signature)
            SELECT id, visible, trend_of(created_at), signature_of(tsvector_to_array(document)) FROM texts)
    INSERT INTO search (idea_id, created_at, trend, supporters, visible, state, theme, tags, challenge_id, document)
        SELECT id, created_at, trend_of(created_at), 0, visible, state, theme, tags, challenge_id, document FROM texts;
    PERFORM count_total('ideas', count(*)) FROM changed WHERE visible HAVING count(*) > 0;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION carry_to_search() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    UPDATE search SET trend = NEW.trend, supporters = NEW.supporters, visible = NEW.visible WHERE idea_id = NEW.idea_id;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER carry_updated AFTER UPDATE ON tally
    FOR EACH ROW WHEN ((OLD.trend, OLD.supporters, OLD.visible) IS DISTINCT FROM (NEW.trend, NEW.supporters, NEW.visible))
    EXECUTE FUNCTION carry_to_search();

-- A changed idea is found by what it says now. Tallies are locked before what is searched, as votes do; the name makes
-- the trigger run after the one that locks several of them.
-- +goose StatementBegin
CREATE FUNCTION search_changed_ideas() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    other bigint[] := (SELECT array_agg(a.id) FROM after a JOIN before b USING (id)
        WHERE (a.created_at, a.state, a.theme, a.tags, a.challenge_id) IS DISTINCT FROM (b.created_at, b.state, b.theme, b.tags, b.challenge_id));
    rewritten bigint[] := (SELECT array_agg(a.id) FROM after a JOIN before b USING (id) WHERE (a.title, a.body) IS DISTINCT FROM (b.title, b.body));
BEGIN
    IF other IS NULL AND rewritten IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM tally WHERE idea_id = ANY (other || rewritten) ORDER BY idea_id FOR NO KEY UPDATE;
    UPDATE search s SET created_at = a.created_at, state = a.state, theme = a.theme, tags = a.tags, challenge_id = a.challenge_id
        FROM after a WHERE s.idea_id = a.id AND a.id = ANY (other);
    UPDATE search s SET document = search_document(a.title, a.body) FROM after a WHERE s.idea_id = a.id AND a.id = ANY (rewritten);
    UPDATE tally t SET signature = signature_of(tsvector_to_array(s.document)) FROM search s WHERE s.idea_id = t.idea_id AND t.idea_id = ANY (rewritten);
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER search_updated AFTER UPDATE ON idea
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION search_changed_ideas();

-- The words that many ideas hold, with the share of the ideas that hold them: the planner's statistics, copied from time to
-- time.
CREATE TABLE frequent_word (
    word  text PRIMARY KEY,
    share double precision NOT NULL CHECK (share > 0 AND share <= 1)
);

-- read_search reads what somebody looks for: the query for the search index; the signatures of its words in each language,
-- null where it is the same as in one before; and a guess of the share of the ideas that hold all of them, in the
-- language in which most do. Words that are not frequent are in hardly any idea, and words that are looked for together are
-- found together more often than by chance.
-- +goose StatementBegin
CREATE FUNCTION read_search(words text, OUT query tsquery, OUT share double precision, OUT simple bit(1024), OUT french bit(1024), OUT english bit(1024))
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    -- Setting a search_path would take a third of its time, so names are written in full.
    simple_words text[] := tsvector_to_array(to_tsvector('pg_catalog.simple', ideas.fold(words)));
    french_words text[] := tsvector_to_array(to_tsvector('pg_catalog.french', ideas.fold(words)));
    english_words text[] := tsvector_to_array(to_tsvector('pg_catalog.english', ideas.fold(words)));
BEGIN
    query := ideas.search_query(words);
    share := (SELECT max(s.share) FROM (
        SELECT exp(sum(ln(coalesce(f.share, 0.0001))) * CASE WHEN count(*) > 1 THEN 0.8 ELSE 1 END) AS share
        FROM (SELECT 1, w FROM unnest(simple_words) AS w UNION ALL SELECT 2, w FROM unnest(french_words) AS w
                UNION ALL SELECT 3, w FROM unnest(english_words) AS w) AS asked (language, word)
            LEFT JOIN ideas.frequent_word f ON f.word = asked.word GROUP BY asked.language) s);
    simple := ideas.signature_of(simple_words);
    IF french_words <> simple_words AND french_words <> '{}' THEN
        french := ideas.signature_of(french_words);
    END IF;
    IF english_words <> simple_words AND english_words <> french_words AND english_words <> '{}' THEN
        english := ideas.signature_of(english_words);
    END IF;
END;
$$;
-- +goose StatementEnd
