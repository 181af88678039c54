-- In a tenant's data.db.
-- How many days things are kept: `conversations`, `uncollected`, or `collection/NAME`.
CREATE TABLE retention_rules (
    subject  TEXT PRIMARY KEY,
    days     INTEGER NOT NULL
) STRICT;

-- Texts that people are asked to agree to. A new text under the same name takes the old one's place.
CREATE TABLE consent_texts (
    name        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    title       TEXT NOT NULL,
    body        TEXT NOT NULL,
    -- Whether nothing else can be done without it.
    required    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    -- When it was replaced or taken away.
    ended_at    INTEGER,
    PRIMARY KEY (name, version)
) STRICT;
CREATE TABLE consents (
    user_id       TEXT NOT NULL,
    name          TEXT NOT NULL,
    version       INTEGER NOT NULL,
    given_at      INTEGER NOT NULL,
    withdrawn_at  INTEGER,
    PRIMARY KEY (user_id, name, version),
    FOREIGN KEY (name, version) REFERENCES consent_texts (name, version)
) STRICT;
CREATE INDEX consents_by_text ON consents (name, version);
