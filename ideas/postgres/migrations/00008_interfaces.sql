-- Interfaces: personal tokens of the JSON API and the requests that it has answered, webhooks and their deliveries, the
-- figures of each day, objectives' values entered by hand, and announcements.

-- +goose Up

CREATE TABLE api_token (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id  bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    name       text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    -- the last characters of the token, by which its owner knows it again
    hint       text NOT NULL CHECK (char_length(hint) <= 8),
    scopes     text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'write', 'team']),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    -- written at most once a minute
    used_at    timestamptz
);
CREATE INDEX api_token_member ON api_token (member_id, id);

-- Requests with an idempotency key, and what they were answered.
CREATE TABLE api_request (
    member_id   bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    key         text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    started_at  timestamptz NOT NULL,
    -- null while the request is being answered
    status      smallint,
    location    text NOT NULL DEFAULT '',
    body        bytea,
    PRIMARY KEY (member_id, key)
);
CREATE INDEX api_request_started ON api_request (started_at);

-- What the service knows of a declared webhook. The secret is kept in clear, since signing needs it.
CREATE TABLE webhook (
    name            text PRIMARY KEY CHECK (octet_length(name) <= 63),
    -- the address that the rest of the row is about: another one starts afresh
    url             text NOT NULL,
    secret          bytea CHECK (octet_length(secret) BETWEEN 24 AND 64),
    -- signs too for a day after the secret was made anew
    previous_secret bytea,
    previous_until  timestamptz,
    -- the first of the failures that no success has followed
    failing_since   timestamptz,
    last_success_at timestamptz,
    disabled_at     timestamptz
);

CREATE TABLE webhook_delivery (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook      text NOT NULL,
    event_id     bigint NOT NULL,
    kind         text NOT NULL,
    payload      bytea NOT NULL,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts     smallint NOT NULL DEFAULT 0,
    status       smallint NOT NULL DEFAULT 0,
    failure      text NOT NULL DEFAULT '' CHECK (char_length(failure) <= 300),
    created_at   timestamptz NOT NULL,
    attempted_at timestamptz,
    UNIQUE (webhook, event_id)
);
CREATE INDEX webhook_delivery_log ON webhook_delivery (webhook, id DESC);
CREATE INDEX webhook_delivery_age ON webhook_delivery (created_at);
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (id) WHERE state = 'waiting';

-- Conditions on counts that ideas have met: each is told once.
CREATE TABLE webhook_crossing (
    webhook   text NOT NULL,
    condition text NOT NULL,
    idea_id   bigint NOT NULL REFERENCES idea ON DELETE CASCADE,
    PRIMARY KEY (idea_id, webhook, condition)
);

-- Figures of a day in the community's time zone. Counts of what happened on the day ("joined", "ideas", "comments",
-- "votes", "visitors", "contributors", "voters") and, with the prefix "total.", what had been reached at its end.
CREATE TABLE kpi_day (
    day    date NOT NULL,
    metric text NOT NULL CHECK (char_length(metric) <= 200),
    value  bigint NOT NULL,
    PRIMARY KEY (metric, day)
);

-- The most supported ideas with their support weighed by segment, as of the last snapshot.
CREATE TABLE idea_weighted (
    idea_id    bigint PRIMARY KEY REFERENCES idea ON DELETE CASCADE,
    supporters integer NOT NULL,
    weighted   double precision NOT NULL
);

-- Values of objectives that the service cannot measure itself.
CREATE TABLE objective_value (
    objective  text NOT NULL CHECK (char_length(objective) <= 63),
    day        date NOT NULL,
    value      bigint NOT NULL,
    entered_by bigint REFERENCES member ON DELETE SET NULL,
    PRIMARY KEY (objective, day)
);

-- Visits of a day, one row for each visitor: members by their number, others by a hash that changes every day and is
-- forgotten with the row once the day's snapshot is made.
CREATE TABLE visit_day (
    day     date NOT NULL,
    visitor bytea NOT NULL CHECK (octet_length(visitor) <= 16),
    PRIMARY KEY (day, visitor)
);

CREATE TABLE announcement (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author_id  bigint REFERENCES member ON DELETE SET NULL,
    -- by locale
    title      jsonb NOT NULL,
    body       jsonb NOT NULL,
    -- "all", "segment" with attribute and value, or "challenge" with the followers of one
    audience   text NOT NULL CHECK (audience IN ('all', 'segment', 'challenge')),
    attribute  text NOT NULL DEFAULT '',
    value      text NOT NULL DEFAULT '',
    challenge_id bigint REFERENCES challenge,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    sent_at    timestamptz
);
CREATE INDEX announcement_sent ON announcement (sent_at DESC);

CREATE INDEX audit_action ON audit (action, id DESC);
CREATE INDEX audit_actor ON audit (actor_id, id DESC);
CREATE INDEX member_joined ON member (created_at);
CREATE INDEX comment_written ON comment (created_at);
CREATE INDEX event_kind ON event (kind, at) WHERE kind NOT IN ('idea.supported', 'idea.unsupported');
