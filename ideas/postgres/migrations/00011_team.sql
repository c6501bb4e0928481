-- Topics, replies and posts in the moderators' queue and in reports; files in the fields of challenges; co-authors
-- invited by their address.

-- +goose Up

-- Why a topic or a reply was refused or hidden: a code as for ideas, beside the words.
ALTER TABLE topic ADD COLUMN reason_code text NOT NULL DEFAULT '' CHECK (octet_length(reason_code) <= 40);
ALTER TABLE topic_reply
    -- waits for a moderator, and is hidden until then
    ADD COLUMN pending     boolean NOT NULL DEFAULT false,
    ADD COLUMN reason_code text NOT NULL DEFAULT '' CHECK (octet_length(reason_code) <= 40),
    ADD COLUMN reason      text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 1000),
    ADD CHECK (hidden OR NOT pending);

-- A reply moves its topic up once everybody sees it.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION count_replies() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE topic t SET replies = t.replies + c.n, active_at = greatest(t.active_at, c.latest)
        FROM (SELECT topic_id, count(*) AS n, max(created_at) AS latest FROM changed WHERE NOT hidden GROUP BY topic_id) c
        WHERE t.id = c.topic_id;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE topic t SET replies = t.replies - c.n
        FROM (SELECT topic_id, count(*) AS n FROM changed WHERE NOT hidden GROUP BY topic_id) c WHERE t.id = c.topic_id;
    ELSE
        UPDATE topic t SET replies = t.replies + c.n, active_at = greatest(t.active_at, c.latest)
        FROM (SELECT a.topic_id, count(*) FILTER (WHERE NOT a.hidden) - count(*) FILTER (WHERE NOT b.hidden) AS n,
                max(a.created_at) FILTER (WHERE b.pending AND NOT a.hidden) AS latest
            FROM changed a JOIN former b USING (id) GROUP BY a.topic_id) c
        WHERE t.id = c.topic_id AND c.n <> 0;
    END IF;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd

-- An item is an idea, a comment on one, a topic, or a reply to one.
ALTER TABLE moderation_item
    ALTER COLUMN idea_id DROP NOT NULL,
    ADD COLUMN topic_id bigint REFERENCES topic ON DELETE CASCADE,
    ADD COLUMN reply_id bigint REFERENCES topic_reply ON DELETE CASCADE,
    ADD CHECK ((idea_id IS NULL) <> (topic_id IS NULL)),
    ADD CHECK (comment_id IS NULL OR idea_id IS NOT NULL),
    ADD CHECK (reply_id IS NULL OR topic_id IS NOT NULL);
CREATE UNIQUE INDEX moderation_item_topic ON moderation_item (topic_id, coalesce(reply_id, 0)) WHERE decided_at IS NULL AND topic_id IS NOT NULL;
CREATE INDEX moderation_item_topics ON moderation_item (topic_id) WHERE topic_id IS NOT NULL;
CREATE INDEX moderation_item_reply ON moderation_item (reply_id) WHERE reply_id IS NOT NULL;

ALTER TABLE report
    ALTER COLUMN idea_id DROP NOT NULL,
    ADD COLUMN topic_id bigint REFERENCES topic ON DELETE CASCADE,
    ADD COLUMN reply_id bigint REFERENCES topic_reply ON DELETE CASCADE,
    ADD CHECK ((idea_id IS NULL) <> (topic_id IS NULL)),
    ADD CHECK (comment_id IS NULL OR idea_id IS NOT NULL),
    ADD CHECK (reply_id IS NULL OR topic_id IS NOT NULL);
CREATE UNIQUE INDEX report_topic_once ON report (member_id, topic_id, coalesce(reply_id, 0)) WHERE topic_id IS NOT NULL;
CREATE INDEX report_topic ON report (topic_id) WHERE topic_id IS NOT NULL;
CREATE INDEX report_reply ON report (reply_id) WHERE reply_id IS NOT NULL;

-- What has waited so far without being listed anywhere.
INSERT INTO moderation_item (topic_id, cause, opened_at) SELECT id, 'before', created_at FROM topic WHERE state = 'pending';

-- The field of a challenge's form that a file answers; empty for what is attached to the idea itself.
ALTER TABLE attachment ADD COLUMN field text NOT NULL DEFAULT '' CHECK (char_length(field) <= 63);
ALTER TABLE attachment DROP CONSTRAINT attachment_idea_id_digest_key;
CREATE UNIQUE INDEX attachment_once ON attachment (idea_id, field, digest);

-- Invited by their address: their name is shown to the author once they have accepted, since nobody learns from an
-- address whether it is a member's.
ALTER TABLE co_author ADD COLUMN by_address boolean NOT NULL DEFAULT false;

-- Places have a kind of notices of their own; who wanted no mails of challenges wants none of these.
INSERT INTO preference (member_id, kind, listed, mail) SELECT member_id, 'place', listed, mail FROM preference WHERE kind = 'challenge' AND mail = 'off';
