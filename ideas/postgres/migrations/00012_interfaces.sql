-- Limits that hold over replicas, what is personal and may be erased wherever it stands, and royalties by the policy of
-- each challenge with shares that the authors have agreed on.

-- +goose Up

-- Counters of requests are written often and worth nothing after a crash: they need no write-ahead log.
ALTER TABLE rate SET UNLOGGED;
ALTER TABLE rate SET (fillfactor = 70);

-- What a member is, wrote, or was told in confidence. ideas/postgres/personal.go says of each what becomes of it when the
-- member is erased; a test compares both, so that no column is forgotten.
COMMENT ON COLUMN member.email IS 'personal';
COMMENT ON COLUMN member.name IS 'personal';
COMMENT ON COLUMN member.time_zone IS 'personal';
COMMENT ON COLUMN sign_in_link.email IS 'personal';
COMMENT ON COLUMN sign_in_mail.email IS 'personal';
COMMENT ON COLUMN attachment_chunk.data IS 'personal';
COMMENT ON COLUMN entry.answers IS 'personal';
COMMENT ON COLUMN event.data IS 'personal';
COMMENT ON COLUMN webhook_delivery.payload IS 'personal';
COMMENT ON COLUMN river_job.args IS 'personal';
COMMENT ON COLUMN visit_day.visitor IS 'personal';

-- The audit log gives up words about somebody who is erased, and nothing else.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.actor_id IS NULL OR NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id)
        AND (OLD.id, OLD.at, OLD.action, OLD.subject, OLD.subject_id) IS NOT DISTINCT FROM (NEW.id, NEW.at, NEW.action, NEW.subject, NEW.subject_id)
        AND (NEW.detail = OLD.detail OR current_setting('ideas.erasure', true) = 'on' AND NEW.detail <@ OLD.detail) THEN
        RETURN NEW; -- somebody was erased
    ELSIF TG_OP = 'DELETE' AND current_setting('ideas.retention', true) = 'on' THEN
        RETURN OLD; -- older than the house rules keep it
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END;
$$;
-- +goose StatementEnd

-- An idea's authors may agree on how they share what it earns. Until all have accepted, and once the authors are others,
-- they share equally.
CREATE TABLE share_agreement (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idea_id     bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    proposed_by bigint REFERENCES member ON DELETE SET NULL,
    proposed_at timestamptz NOT NULL,
    -- when the last author accepted
    agreed_at   timestamptz,
    -- when it was declined, or another took its place
    ended_at    timestamptz
);
CREATE UNIQUE INDEX share_agreement_open ON share_agreement (idea_id) WHERE agreed_at IS NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX share_agreement_in_force ON share_agreement (idea_id) WHERE agreed_at IS NOT NULL AND ended_at IS NULL;

CREATE TABLE share_part (
    agreement_id bigint NOT NULL REFERENCES share_agreement ON DELETE CASCADE,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    percent      integer NOT NULL CHECK (percent BETWEEN 0 AND 100),
    accepted_at  timestamptz,
    PRIMARY KEY (agreement_id, member_id)
);
CREATE INDEX share_part_member ON share_part (member_id);

-- +goose StatementBegin
CREATE FUNCTION whole_shares() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    IF (SELECT sum(percent) FROM share_part WHERE agreement_id = NEW.agreement_id) IS DISTINCT FROM 100 THEN
        RAISE EXCEPTION 'shares are not a hundred percent' USING ERRCODE = 'check_violation', CONSTRAINT = 'share_part_whole';
    END IF;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER whole_shares AFTER INSERT OR UPDATE OF percent ON share_part
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION whole_shares();

-- A file of sales makes a statement for each policy that its ideas are under.
ALTER TABLE royalty_statement DROP CONSTRAINT royalty_statement_import_id_key;
ALTER TABLE royalty_statement ADD CONSTRAINT royalty_statement_import UNIQUE (import_id, policy_uid);

-- Mails are handed to the mail server once. What was handed over is noted before: a process that dies at that moment may lose
-- a mail, and never sends one twice.
CREATE TABLE letter (
    id text PRIMARY KEY CHECK (octet_length(id) <= 200),
    at timestamptz NOT NULL
);
CREATE INDEX letter_age ON letter (at);
ALTER TABLE sign_in_mail ADD COLUMN handed_over_at timestamptz;
