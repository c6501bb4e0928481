-- What the brand declares beside its settings, the whole life of an idea, what happened (events), and what the team did
-- (audit).

-- +goose Up

CREATE TABLE challenge (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid         text NOT NULL UNIQUE CHECK (octet_length(uid) <= 128),
    name        text NOT NULL CHECK (octet_length(name) <= 253),
    generation  bigint NOT NULL,
    digest      text NOT NULL,
    spec        jsonb NOT NULL,
    declared_at timestamptz NOT NULL DEFAULT now(),
    accepted_at timestamptz NOT NULL DEFAULT now(),
    -- set when the declaration was withdrawn; everything that was written stays
    archived_at timestamptz,
    -- the phase whose consequences the service has carried out
    phase       text NOT NULL DEFAULT 'draft',
    decided_at  timestamptz
);
CREATE UNIQUE INDEX challenge_name ON challenge (name) WHERE archived_at IS NULL;

-- Every generation is kept: the points ledger names the one that it followed.
CREATE TABLE reward_policy (
    uid         text NOT NULL CHECK (octet_length(uid) <= 128),
    generation  bigint NOT NULL,
    name        text NOT NULL CHECK (octet_length(name) <= 253),
    digest      text NOT NULL,
    spec        jsonb NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    in_force    boolean NOT NULL,
    PRIMARY KEY (uid, generation)
);
CREATE UNIQUE INDEX reward_policy_in_force ON reward_policy (name) WHERE in_force;

-- One row: changes whenever a challenge or a policy does, so that replicas notice by reading one number.
CREATE TABLE programme (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL
);
INSERT INTO programme (revision) VALUES (0);

ALTER TABLE member ADD COLUMN level smallint NOT NULL DEFAULT 0;

-- Generated columns cannot change their expression before PostgreSQL 17.
ALTER TABLE idea DROP CONSTRAINT idea_state_check;
ALTER TABLE idea DROP COLUMN visible;
ALTER TABLE idea
    ADD CONSTRAINT idea_state_check CHECK (state IN ('draft', 'pending', 'changes_requested', 'rejected', 'gathering', 'qualified',
        'under_review', 'shortlisted', 'selected', 'not_selected', 'planned', 'in_development', 'testing', 'launched', 'expired',
        'merged', 'withdrawn', 'hidden', 'erased')),
    -- visible to everybody who may see its challenge
    ADD COLUMN visible boolean NOT NULL GENERATED ALWAYS AS (state IN ('gathering', 'qualified', 'under_review', 'shortlisted',
        'selected', 'not_selected', 'planned', 'in_development', 'testing', 'launched', 'expired')) STORED,
    ADD COLUMN challenge_id bigint REFERENCES challenge,
    ADD COLUMN theme text NOT NULL DEFAULT '' CHECK (char_length(theme) <= 63);
CREATE INDEX idea_newest ON idea (created_at DESC, id DESC) WHERE visible;
CREATE INDEX idea_challenge ON idea (challenge_id, created_at DESC, id DESC) WHERE challenge_id IS NOT NULL;

-- What happened. Rows are written with what they tell of, in one transaction, and dispatched afterwards. They name
-- members and contributions without foreign keys: a vote should not lock three rows more, and an event outlives what it
-- tells of.
CREATE TABLE event (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    actor_id     bigint,
    subject_id   bigint,
    idea_id      bigint,
    challenge_id bigint,
    comment_id   bigint,
    data         jsonb,
    attempts     smallint NOT NULL DEFAULT 0,
    dispatched   boolean NOT NULL DEFAULT false
) WITH (fillfactor = 90);
CREATE INDEX event_waiting ON event (id) WHERE NOT dispatched;
CREATE INDEX event_idea ON event (idea_id, id) WHERE idea_id IS NOT NULL AND kind NOT IN ('idea.supported', 'idea.unsupported');

-- What the team and the service did to others' contributions. Append-only: a trigger holds it.
CREATE TABLE audit (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    -- null for the service itself, and after erasure
    actor_id bigint REFERENCES member ON DELETE SET NULL,
    action   text NOT NULL,
    -- what it was done to: "idea" and its id
    subject  text NOT NULL,
    subject_id bigint,
    detail   jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_subject ON audit (subject, subject_id, id);

-- +goose StatementBegin
CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL
        AND (OLD.id, OLD.at, OLD.action, OLD.subject, OLD.subject_id, OLD.detail)
            IS NOT DISTINCT FROM (NEW.id, NEW.at, NEW.action, NEW.subject, NEW.subject_id, NEW.detail) THEN
        RETURN NEW; -- the actor was erased
    ELSIF TG_OP = 'DELETE' AND current_setting('ideas.retention', true) = 'on' THEN
        RETURN OLD; -- older than the house rules keep it
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep_audit();
