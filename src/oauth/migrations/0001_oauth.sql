-- In a tenant's data.db. Of codes, tokens and secrets only SHA-256 in hex is kept.
CREATE TABLE oauth_apps (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    homepage    TEXT,
    kind        TEXT NOT NULL CHECK (kind IN ('confidential', 'public')),
    created_by  TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE oauth_app_redirects (
    app_id  TEXT NOT NULL REFERENCES oauth_apps (id) ON DELETE CASCADE,
    uri     TEXT NOT NULL,
    PRIMARY KEY (app_id, uri)
) STRICT;
-- The most that the app may ever be allowed.
CREATE TABLE oauth_app_scopes (
    app_id      TEXT NOT NULL REFERENCES oauth_apps (id) ON DELETE CASCADE,
    permission  TEXT NOT NULL,
    PRIMARY KEY (app_id, permission)
) STRICT;
CREATE TABLE oauth_app_flows (
    app_id  TEXT NOT NULL REFERENCES oauth_apps (id) ON DELETE CASCADE,
    flow    TEXT NOT NULL,
    PRIMARY KEY (app_id, flow)
) STRICT;
-- More than one only while an old one is being replaced.
CREATE TABLE oauth_app_secrets (
    id             TEXT PRIMARY KEY,
    app_id         TEXT NOT NULL REFERENCES oauth_apps (id) ON DELETE CASCADE,
    prefix         TEXT NOT NULL,
    secret_sha256  TEXT NOT NULL UNIQUE,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER
) STRICT;
CREATE INDEX oauth_app_secrets_by_app ON oauth_app_secrets (app_id);

-- What a person has allowed an app, remembered until they take it back.
CREATE TABLE oauth_consents (
    user_id     TEXT NOT NULL,
    app_id      TEXT NOT NULL REFERENCES oauth_apps (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, app_id)
) STRICT;
CREATE INDEX oauth_consents_by_app ON oauth_consents (app_id);
CREATE TABLE oauth_consent_scopes (
    user_id     TEXT NOT NULL,
    app_id      TEXT NOT NULL,
    permission  TEXT NOT NULL,
    PRIMARY KEY (user_id, app_id, permission),
    FOREIGN KEY (user_id, app_id) REFERENCES oauth_consents (user_id, app_id) ON DELETE CASCADE
) STRICT;

-- A family: all that came of one consent, or of one request of an app for itself. Whoever ends it ends all of it.
CREATE TABLE oauth_families (
    id          TEXT PRIMARY KEY,
    app_id      TEXT NOT NULL REFERENCES oauth_apps (id) ON DELETE CASCADE,
    -- Absent when the app acts for itself.
    user_id     TEXT,
    flow        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    -- When the last of what came of it ends.
    ends_at     INTEGER NOT NULL,
    used_at     INTEGER
) STRICT;
CREATE INDEX oauth_families_by_app ON oauth_families (app_id, user_id, id);
CREATE INDEX oauth_families_by_user ON oauth_families (user_id);
CREATE INDEX oauth_families_by_end ON oauth_families (ends_at);
CREATE TABLE oauth_family_scopes (
    family_id   TEXT NOT NULL REFERENCES oauth_families (id) ON DELETE CASCADE,
    permission  TEXT NOT NULL,
    PRIMARY KEY (family_id, permission)
) STRICT;

-- A code stays as long as its family, so that its second use is known.
CREATE TABLE oauth_codes (
    code_sha256   TEXT PRIMARY KEY,
    family_id     TEXT NOT NULL REFERENCES oauth_families (id) ON DELETE CASCADE,
    redirect_uri  TEXT NOT NULL,
    challenge     TEXT NOT NULL,
    expires_at    INTEGER NOT NULL,
    used_at       INTEGER
) STRICT;
CREATE INDEX oauth_codes_by_family ON oauth_codes (family_id);

CREATE TABLE oauth_access_tokens (
    id            TEXT PRIMARY KEY,
    family_id     TEXT NOT NULL REFERENCES oauth_families (id) ON DELETE CASCADE,
    token_sha256  TEXT NOT NULL UNIQUE,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX oauth_access_tokens_by_family ON oauth_access_tokens (family_id, id);
CREATE INDEX oauth_access_tokens_by_end ON oauth_access_tokens (expires_at);
CREATE TABLE oauth_access_token_scopes (
    token_id    TEXT NOT NULL REFERENCES oauth_access_tokens (id) ON DELETE CASCADE,
    permission  TEXT NOT NULL,
    PRIMARY KEY (token_id, permission)
) STRICT;

-- Used ones stay, so that their second use is known.
CREATE TABLE oauth_refresh_tokens (
    id            TEXT PRIMARY KEY,
    family_id     TEXT NOT NULL REFERENCES oauth_families (id) ON DELETE CASCADE,
    token_sha256  TEXT NOT NULL UNIQUE,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    used_at       INTEGER
) STRICT;
CREATE INDEX oauth_refresh_tokens_by_family ON oauth_refresh_tokens (family_id, id);

-- Devices that wait for a person to type their code elsewhere.
CREATE TABLE oauth_devices (
    device_sha256  TEXT PRIMARY KEY,
    user_sha256    TEXT NOT NULL UNIQUE,
    app_id         TEXT NOT NULL REFERENCES oauth_apps (id) ON DELETE CASCADE,
    state          TEXT NOT NULL CHECK (state IN ('waiting', 'allowed', 'denied', 'used')),
    -- Who allowed or denied it.
    user_id        TEXT,
    -- Seconds to wait between two questions.
    pause          INTEGER NOT NULL,
    asked_at       INTEGER,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX oauth_devices_by_app ON oauth_devices (app_id);
CREATE INDEX oauth_devices_by_user ON oauth_devices (user_id);
CREATE INDEX oauth_devices_by_end ON oauth_devices (expires_at);
CREATE TABLE oauth_device_scopes (
    device_sha256  TEXT NOT NULL REFERENCES oauth_devices (device_sha256) ON DELETE CASCADE,
    permission     TEXT NOT NULL,
    PRIMARY KEY (device_sha256, permission)
) STRICT;
