-- Members: who invited them and who vouches for them, what they say of themselves and agree to, what they follow and are
-- told of, what they are kept from, and what becomes of their data.

-- +goose Up

ALTER TABLE member DROP CONSTRAINT member_name_check;
ALTER TABLE member
    ADD COLUMN erased_at timestamptz,
    -- digest of the house's requirements that the member met last; see ideas.Requirements
    ADD COLUMN joined_under text NOT NULL DEFAULT '',
    -- The birth date is kept only while somebody is too young for it not to matter; later the age reached is enough.
    ADD COLUMN born date,
    ADD COLUMN age_reached smallint,
    -- 'needed' and 'refused' keep a minor reading
    ADD COLUMN guardian text NOT NULL DEFAULT 'none' CHECK (guardian IN ('none', 'needed', 'given', 'refused')),
    ADD COLUMN read_only_until timestamptz,
    ADD COLUMN blocked_until timestamptz,
    ADD COLUMN invited_by bigint REFERENCES member ON DELETE SET NULL,
    ADD COLUMN referrals integer NOT NULL DEFAULT 0,
    ADD COLUMN shows_ideas boolean NOT NULL DEFAULT true,
    ADD COLUMN shows_recognition boolean NOT NULL DEFAULT true,
    -- null follows the community's
    ADD COLUMN time_zone text CHECK (char_length(time_zone) <= 64),
    ADD COLUMN digest text NOT NULL DEFAULT 'daily' CHECK (digest IN ('daily', 'weekly')),
    -- signs the links of mails that work without signing in
    ADD COLUMN mail_key uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN active_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN erasure_announced_at timestamptz,
    ADD CONSTRAINT member_name_check CHECK (char_length(name) <= 60 AND (name <> '' OR erased_at IS NOT NULL)),
    ADD CONSTRAINT member_erased CHECK (erased_at IS NULL OR (email IS NULL AND born IS NULL AND name = ''));
CREATE INDEX member_name ON member (fold(name) text_pattern_ops, id) WHERE erased_at IS NULL;
CREATE INDEX member_invited_by ON member (invited_by, id) WHERE invited_by IS NOT NULL;
CREATE INDEX member_restricted ON member (id) WHERE read_only_until IS NOT NULL OR blocked_until IS NOT NULL;
CREATE INDEX member_active ON member (active_at) WHERE erased_at IS NULL;

ALTER TABLE sign_in_mail ADD COLUMN invitation bytea;
ALTER TABLE sign_in_link ADD COLUMN invitation bytea;

-- An invitation lets one person join.
CREATE TABLE invitation (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    member_id  bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    note       text NOT NULL DEFAULT '' CHECK (char_length(note) <= 80),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- who joined with it
    used_by    bigint UNIQUE REFERENCES member ON DELETE SET NULL,
    used_at    timestamptz,
    CHECK (used_by IS NULL OR used_at IS NOT NULL)
);
CREATE INDEX invitation_member ON invitation (member_id, id);

-- A guardian who was asked to consent to a minor's taking part, by mail.
CREATE TABLE guardianship (
    member_id   bigint PRIMARY KEY REFERENCES member ON DELETE CASCADE,
    email       text NOT NULL CHECK (char_length(email) <= 254),
    token_hash  bytea UNIQUE CHECK (octet_length(token_hash) = 32),
    locale      text NOT NULL,
    asked_at    timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    answered_at timestamptz,
    -- the text that was agreed to
    text_hash   text
);

-- Terms as accepted: the declaration may move on, the text that somebody agreed to stays.
CREATE TABLE terms (
    hash    text PRIMARY KEY,
    name    text NOT NULL,
    kind    text NOT NULL,
    version text NOT NULL,
    texts   jsonb NOT NULL
);
CREATE TABLE acceptance (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id   bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    terms_hash  text NOT NULL REFERENCES terms,
    -- the language in which the text was shown, and the hash of exactly that text
    locale      text NOT NULL,
    text_hash   text NOT NULL,
    accepted_at timestamptz NOT NULL,
    UNIQUE (member_id, terms_hash)
);

-- What members say of themselves. A row exists only while its consent does.
CREATE TABLE consent (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    attribute    text NOT NULL,
    locale       text NOT NULL,
    text         text NOT NULL,
    text_hash    text NOT NULL,
    given_at     timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE UNIQUE INDEX consent_given ON consent (member_id, attribute) WHERE withdrawn_at IS NULL;
CREATE TABLE attribute (
    member_id  bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    name       text NOT NULL,
    value      text NOT NULL CHECK (char_length(value) BETWEEN 1 AND 200),
    consent_id bigint NOT NULL REFERENCES consent ON DELETE CASCADE,
    PRIMARY KEY (member_id, name, value)
);
CREATE INDEX attribute_segment ON attribute (name, value, member_id);
CREATE INDEX attribute_consent ON attribute (consent_id);

-- Authors and supporters follow without a row; one with following = false says that they no longer want to.
CREATE TABLE follow (
    kind       text NOT NULL CHECK (kind IN ('idea', 'challenge', 'member')),
    target_id  bigint NOT NULL,
    member_id  bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    following  boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (kind, target_id, member_id)
);
CREATE INDEX follow_member ON follow (member_id, kind, target_id);

-- What a member is told: of one event once.
CREATE TABLE notice (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id  bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    event_id   bigint NOT NULL,
    kind       text NOT NULL,
    created_at timestamptz NOT NULL,
    -- false where the member wants mails only
    listed     boolean NOT NULL,
    read_at    timestamptz,
    mail       text NOT NULL CHECK (mail IN ('off', 'now', 'digest', 'sent'))
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX notice_once ON notice (event_id, member_id);
CREATE INDEX notice_list ON notice (member_id, id DESC) WHERE listed;
CREATE INDEX notice_unread ON notice (member_id) WHERE listed AND read_at IS NULL;
CREATE INDEX notice_digest ON notice (member_id, created_at) WHERE mail = 'digest';

-- What differs from the service's defaults.
CREATE TABLE preference (
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    kind      text NOT NULL,
    listed    boolean NOT NULL,
    mail      text NOT NULL CHECK (mail IN ('off', 'now', 'digest')),
    PRIMARY KEY (member_id, kind)
);

CREATE TABLE sanction (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id   bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('warn', 'mute', 'block')),
    reason      text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 1000),
    created_by  bigint REFERENCES member ON DELETE SET NULL,
    created_at  timestamptz NOT NULL,
    -- null never ends
    ends_at     timestamptz,
    lifted_by   bigint REFERENCES member ON DELETE SET NULL,
    lifted_at   timestamptz,
    appeal      text CHECK (char_length(appeal) BETWEEN 1 AND 4000),
    appealed_at timestamptz,
    answer      text CHECK (char_length(answer) BETWEEN 1 AND 4000),
    answered_at timestamptz,
    answered_by bigint REFERENCES member ON DELETE SET NULL,
    CHECK (kind <> 'warn' OR ends_at IS NULL),
    CHECK (ends_at > created_at)
);
CREATE INDEX sanction_member ON sanction (member_id, id DESC);
CREATE INDEX sanction_appeals ON sanction (appealed_at, id) WHERE appealed_at IS NOT NULL AND answered_at IS NULL;

-- The copy of a member's data that was asked for.
CREATE TABLE personal_export (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    requested_at timestamptz NOT NULL,
    ready_at     timestamptz,
    expires_at   timestamptz NOT NULL,
    content      bytea
);
CREATE INDEX personal_export_member ON personal_export (member_id, id DESC);
CREATE INDEX personal_export_expiry ON personal_export (expires_at);

-- A wish to be erased, confirmed by mail. The row outlives the member's data: it proves that the erasure was carried out,
-- and tells which members to erase again after a restore.
CREATE TABLE erasure (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id    bigint NOT NULL,
    token_hash   bytea UNIQUE CHECK (octet_length(token_hash) = 32),
    -- 'keep' leaves contributions under no name; 'remove' empties them
    contributions text NOT NULL CHECK (contributions IN ('keep', 'remove')),
    -- 'member', or 'retention' for those who did not come back
    cause        text NOT NULL CHECK (cause IN ('member', 'retention')),
    requested_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    done_at      timestamptz,
    record       jsonb,
    record_hash  text,
    CHECK (done_at IS NULL OR (record IS NOT NULL AND record_hash IS NOT NULL))
);
CREATE INDEX erasure_member ON erasure (member_id);
CREATE INDEX erasure_done ON erasure (done_at, id) WHERE done_at IS NOT NULL;

-- require_contributor fails, with a code of its own each, unless a member may contribute: not erased, not muted or blocked,
-- with a guardian's consent where one is needed, and having met what the house asks for on joining (wanted; empty for
-- nothing). Write paths call it in their transaction; one key is read.
-- +goose StatementBegin
CREATE FUNCTION require_contributor(member bigint, at timestamptz, wanted text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = ideas, pg_temp
AS $$
DECLARE
    m record;
BEGIN
    SELECT erased_at, blocked_until, read_only_until, guardian, joined_under INTO m FROM ideas.member WHERE id = require_contributor.member;
    IF NOT FOUND THEN
        RETURN; -- the foreign key tells
    ELSIF m.erased_at IS NOT NULL OR m.blocked_until > at OR m.read_only_until > at THEN
        RAISE EXCEPTION 'the member is restricted' USING ERRCODE = 'CO001';
    ELSIF m.guardian IN ('needed', 'refused') THEN
        RAISE EXCEPTION 'a guardian has not consented' USING ERRCODE = 'CO002';
    ELSIF wanted <> '' AND m.joined_under <> wanted THEN
        RAISE EXCEPTION 'the member has not met what joining asks for' USING ERRCODE = 'CO003';
    END IF;
END;
$$;
-- +goose StatementEnd
