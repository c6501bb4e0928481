-- The methods beside ideation: applications and selection, surveys, concept tests, beta tests, forums, workshops and
-- missions.

-- +goose Up

-- What somebody is in one challenge: those whom a call has selected.
CREATE TABLE challenge_role (
    challenge_id bigint NOT NULL REFERENCES challenge,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    role         text NOT NULL CHECK (char_length(role) BETWEEN 1 AND 63),
    granted_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (challenge_id, member_id, role)
);
CREATE INDEX challenge_role_member ON challenge_role (member_id);

CREATE TABLE application (
    -- part of addresses and of a draw's published list: it tells nobody who applied
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    challenge_id bigint NOT NULL REFERENCES challenge,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    answers      jsonb NOT NULL,
    -- the member's attributes that the call's quotas ask for, as they were on applying
    segments     jsonb NOT NULL DEFAULT '{}',
    state        text NOT NULL DEFAULT 'submitted'
        CHECK (state IN ('submitted', 'selected', 'waiting', 'refused', 'withdrawn', 'dropped_out')),
    -- what the applicant is told
    reason       text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 1000),
    -- the place in the order of selection, for who waits
    place        integer,
    votes        integer NOT NULL DEFAULT 0 CHECK (votes >= 0),
    created_at   timestamptz NOT NULL DEFAULT now(),
    decided_at   timestamptz,
    UNIQUE (challenge_id, member_id)
);
CREATE INDEX application_list ON application (challenge_id, state, id);
CREATE INDEX application_votes ON application (challenge_id, votes DESC, id) WHERE state <> 'withdrawn';
CREATE INDEX application_waiting ON application (challenge_id, place) WHERE state = 'waiting';
CREATE INDEX application_member ON application (member_id);

CREATE TABLE application_vote (
    application_id bigint NOT NULL REFERENCES application ON DELETE CASCADE,
    member_id      bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    PRIMARY KEY (application_id, member_id)
);
CREATE INDEX application_vote_member ON application_vote (member_id);

-- +goose StatementBegin
CREATE FUNCTION count_application_votes() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    PERFORM FROM application WHERE id IN (SELECT application_id FROM changed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE application a SET votes = a.votes + sign * c.n
    FROM (SELECT application_id, count(*) AS n FROM changed GROUP BY application_id) c WHERE a.id = c.application_id;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON application_vote
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_application_votes();
CREATE TRIGGER count_deleted AFTER DELETE ON application_vote
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_application_votes();

CREATE TABLE application_score (
    application_id bigint NOT NULL REFERENCES application ON DELETE CASCADE,
    juror_id       bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    -- points by criterion
    points         jsonb NOT NULL,
    PRIMARY KEY (application_id, juror_id)
);

-- A draw's seed is fixed, and its hash published, before the first application; it is published when it was drawn.
CREATE TABLE application_draw (
    challenge_id bigint PRIMARY KEY REFERENCES challenge,
    seed         text NOT NULL,
    drawn_at     timestamptz,
    result       jsonb
);

-- Each response locks the counters of its survey and its segments: that is how limit and quotas hold.
CREATE TABLE survey_count (
    challenge_id bigint NOT NULL REFERENCES challenge,
    -- 'survey', 'final' of a beta test, or 'stimulus:' and its name
    part         text NOT NULL CHECK (char_length(part) BETWEEN 1 AND 300),
    -- empty for all responses
    attribute    text NOT NULL DEFAULT '',
    value        text NOT NULL DEFAULT '',
    responses    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (challenge_id, part, attribute, value)
);

-- Who has responded, without what and when: nothing leads from here to a response.
CREATE TABLE survey_participation (
    challenge_id bigint NOT NULL REFERENCES challenge,
    part         text NOT NULL,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    PRIMARY KEY (challenge_id, part, member_id)
);
CREATE INDEX survey_participation_member ON survey_participation (member_id);

CREATE TABLE survey_response (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    challenge_id bigint NOT NULL REFERENCES challenge,
    part         text NOT NULL,
    -- both null in an anonymous survey
    member_id    bigint REFERENCES member ON DELETE SET NULL,
    responded_at timestamptz,
    answers      jsonb NOT NULL,
    segments     jsonb NOT NULL DEFAULT '{}',
    -- an anonymous response that stands where it was written, until it is shuffled with others
    fresh        boolean NOT NULL DEFAULT false,
    CHECK (member_id IS NULL OR responded_at IS NOT NULL)
);
CREATE INDEX survey_response_part ON survey_response (challenge_id, part);
CREATE UNIQUE INDEX survey_response_member ON survey_response (challenge_id, part, member_id) WHERE member_id IS NOT NULL;

-- What a member of a concept test is shown, in which order.
CREATE TABLE exposure (
    challenge_id bigint NOT NULL REFERENCES challenge,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    place        smallint NOT NULL,
    stimulus     text NOT NULL,
    assigned_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (challenge_id, member_id, place),
    UNIQUE (challenge_id, member_id, stimulus)
);
CREATE INDEX exposure_member ON exposure (member_id);
-- How many members each stimulus was assigned to, which keeps subsets balanced.
CREATE TABLE stimulus_count (
    challenge_id bigint NOT NULL REFERENCES challenge,
    stimulus     text NOT NULL,
    shown        integer NOT NULL DEFAULT 0,
    PRIMARY KEY (challenge_id, stimulus)
);

CREATE TABLE tester (
    challenge_id bigint NOT NULL REFERENCES challenge,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    kit          text NOT NULL DEFAULT 'to_send' CHECK (kit IN ('to_send', 'sent', 'received')),
    tracking     text NOT NULL DEFAULT '' CHECK (char_length(tracking) <= 200),
    sent_at      timestamptz,
    received_at  timestamptz,
    joined_at    timestamptz NOT NULL,
    -- the last diary entry, bug report or receipt
    active_at    timestamptz NOT NULL,
    dropped_at   timestamptz,
    PRIMARY KEY (challenge_id, member_id)
);
CREATE INDEX tester_member ON tester (member_id);

CREATE TABLE diary_entry (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    challenge_id   bigint NOT NULL,
    member_id      bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    mood           smallint NOT NULL CHECK (mood BETWEEN 1 AND 5),
    body           text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 4000),
    submission_key text CHECK (octet_length(submission_key) BETWEEN 1 AND 64),
    created_at     timestamptz NOT NULL,
    FOREIGN KEY (challenge_id, member_id) REFERENCES tester ON DELETE CASCADE
);
CREATE INDEX diary_entry_tester ON diary_entry (challenge_id, member_id, id);
CREATE UNIQUE INDEX diary_entry_submission ON diary_entry (member_id, submission_key);

CREATE TABLE bug_report (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    challenge_id   bigint NOT NULL,
    member_id      bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    title          text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 120),
    steps          text NOT NULL CHECK (char_length(steps) BETWEEN 1 AND 4000),
    severity       text NOT NULL CHECK (severity IN ('blocker', 'major', 'minor', 'cosmetic')),
    status         text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'confirmed', 'fixed', 'declined', 'duplicate')),
    duplicate_of   bigint REFERENCES bug_report ON DELETE SET NULL,
    answer         text NOT NULL DEFAULT '' CHECK (char_length(answer) <= 1000),
    submission_key text CHECK (octet_length(submission_key) BETWEEN 1 AND 64),
    created_at     timestamptz NOT NULL,
    CHECK (duplicate_of IS NULL OR status = 'duplicate' AND duplicate_of <> id),
    FOREIGN KEY (challenge_id, member_id) REFERENCES tester ON DELETE CASCADE
);
CREATE INDEX bug_report_list ON bug_report (challenge_id, status, id DESC);
CREATE INDEX bug_report_tester ON bug_report (challenge_id, member_id, id DESC);
CREATE INDEX bug_report_duplicates ON bug_report (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE UNIQUE INDEX bug_report_submission ON bug_report (member_id, submission_key);

-- Topics of a forum, and the posts of a mission, which are talked about the same way.
CREATE TABLE topic (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    challenge_id   bigint NOT NULL REFERENCES challenge,
    author_id      bigint NOT NULL REFERENCES member,
    theme          text NOT NULL DEFAULT '' CHECK (char_length(theme) <= 63),
    title          text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 120),
    body           text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 10000),
    -- pending waits for the team
    state          text NOT NULL DEFAULT 'visible' CHECK (state IN ('visible', 'pending', 'hidden')),
    -- why it was hidden, for the author
    reason         text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 1000),
    pinned         boolean NOT NULL DEFAULT false,
    locked         boolean NOT NULL DEFAULT false,
    replies        integer NOT NULL DEFAULT 0 CHECK (replies >= 0),
    submission_key text CHECK (octet_length(submission_key) BETWEEN 1 AND 64),
    created_at     timestamptz NOT NULL DEFAULT now(),
    active_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX topic_activity ON topic (challenge_id, pinned DESC, active_at DESC, id DESC) WHERE state = 'visible';
CREATE INDEX topic_theme ON topic (challenge_id, theme, pinned DESC, active_at DESC, id DESC) WHERE state = 'visible';
CREATE INDEX topic_waiting ON topic (challenge_id, id) WHERE state = 'pending';
CREATE INDEX topic_author ON topic (author_id, id);
CREATE UNIQUE INDEX topic_submission ON topic (author_id, submission_key);

CREATE TABLE topic_reply (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic_id       bigint NOT NULL REFERENCES topic ON DELETE CASCADE,
    -- the replies that this one stands below, from the outermost; three levels at most
    above          bigint[] NOT NULL DEFAULT '{}' CHECK (cardinality(above) <= 2),
    thread         bigint[] NOT NULL GENERATED ALWAYS AS (above || id) STORED,
    author_id      bigint NOT NULL REFERENCES member,
    body           text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 4000),
    hidden         boolean NOT NULL DEFAULT false,
    submission_key text CHECK (octet_length(submission_key) BETWEEN 1 AND 64),
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX topic_reply_thread ON topic_reply (topic_id, thread);
CREATE UNIQUE INDEX topic_reply_submission ON topic_reply (author_id, topic_id, submission_key);

-- +goose StatementBegin
CREATE FUNCTION count_replies() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE topic t SET replies = t.replies + c.n, active_at = greatest(t.active_at, c.latest)
        FROM (SELECT topic_id, count(*) FILTER (WHERE NOT hidden) AS n, max(created_at) AS latest FROM changed GROUP BY topic_id) c
        WHERE t.id = c.topic_id;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE topic t SET replies = t.replies - c.n
        FROM (SELECT topic_id, count(*) FILTER (WHERE NOT hidden) AS n FROM changed GROUP BY topic_id) c WHERE t.id = c.topic_id;
    ELSE
        UPDATE topic t SET replies = t.replies + c.n
        FROM (SELECT a.topic_id, count(*) FILTER (WHERE NOT a.hidden) - count(*) FILTER (WHERE NOT b.hidden) AS n
            FROM changed a JOIN former b USING (id) GROUP BY a.topic_id) c
        WHERE t.id = c.topic_id AND c.n <> 0;
    END IF;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_inserted AFTER INSERT ON topic_reply
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_replies();
CREATE TRIGGER count_deleted AFTER DELETE ON topic_reply
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_replies();
CREATE TRIGGER count_updated AFTER UPDATE ON topic_reply
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_replies();

-- The places of a session. No more are taken than there are, however many register at once.
CREATE TABLE workshop_session (
    challenge_id bigint NOT NULL REFERENCES challenge,
    session      text NOT NULL CHECK (char_length(session) BETWEEN 1 AND 253),
    capacity     integer NOT NULL CHECK (capacity > 0),
    taken        integer NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND capacity),
    PRIMARY KEY (challenge_id, session)
);
CREATE SEQUENCE workshop_queue;
CREATE TABLE workshop_registration (
    challenge_id bigint NOT NULL,
    session      text NOT NULL,
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    state        text NOT NULL CHECK (state IN ('registered', 'waiting', 'cancelled')),
    -- the order in which members came
    queued       bigint NOT NULL DEFAULT nextval('workshop_queue'),
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (challenge_id, session, member_id),
    FOREIGN KEY (challenge_id, session) REFERENCES workshop_session
);
CREATE INDEX workshop_registration_queue ON workshop_registration (challenge_id, session, state, queued);
CREATE INDEX workshop_registration_member ON workshop_registration (member_id);

-- +goose StatementBegin
CREATE FUNCTION count_places() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    one workshop_registration := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    change integer := 0;
BEGIN
    IF TG_OP <> 'DELETE' AND NEW.state = 'registered' THEN
        change := change + 1;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.state = 'registered' THEN
        change := change - 1;
    END IF;
    IF change <> 0 THEN
        UPDATE workshop_session SET taken = taken + change WHERE challenge_id = one.challenge_id AND session = one.session;
    END IF;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER count_places AFTER INSERT OR UPDATE OR DELETE ON workshop_registration
    FOR EACH ROW EXECUTE FUNCTION count_places();

-- Ideas that came out of a session; those who took part are their co-authors.
CREATE TABLE workshop_outcome (
    idea_id      bigint PRIMARY KEY REFERENCES idea ON DELETE CASCADE,
    challenge_id bigint NOT NULL,
    session      text NOT NULL,
    FOREIGN KEY (challenge_id, session) REFERENCES workshop_session
);
CREATE INDEX workshop_outcome_session ON workshop_outcome (challenge_id, session);

CREATE TABLE mission_result (
    challenge_id bigint NOT NULL REFERENCES challenge,
    task         text NOT NULL CHECK (char_length(task) BETWEEN 1 AND 253),
    member_id    bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    body         text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 4000),
    link         text NOT NULL DEFAULT '' CHECK (char_length(link) <= 500),
    state        text NOT NULL DEFAULT 'submitted' CHECK (state IN ('submitted', 'accepted', 'redo')),
    feedback     text NOT NULL DEFAULT '' CHECK (char_length(feedback) <= 1000),
    submitted_at timestamptz NOT NULL,
    decided_at   timestamptz,
    PRIMARY KEY (challenge_id, task, member_id)
);
CREATE INDEX mission_result_member ON mission_result (member_id);

-- Ideas that belong to a challenge beside those that were submitted to it: what came of a mission's posts.
CREATE TABLE challenge_idea (
    challenge_id bigint NOT NULL REFERENCES challenge,
    idea_id      bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    PRIMARY KEY (challenge_id, idea_id)
);
CREATE INDEX challenge_idea_idea ON challenge_idea (idea_id);
