-- In a tenant's data.db: second factors, the rules of signing in, and the services that people sign in with.

-- Whether the session was opened with all the proof that a tenant can ask for.
ALTER TABLE sessions ADD COLUMN second_factor INTEGER NOT NULL DEFAULT 0;

CREATE TABLE factors (
    id                 TEXT PRIMARY KEY,
    user_id            TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind               TEXT NOT NULL CHECK (kind IN ('totp', 'passkey')),
    name               TEXT NOT NULL,
    -- Sealed: the secret of one-time codes, or the passkey.
    data               TEXT NOT NULL,
    -- SHA-256 of the passkey's id, in hex: how it is found when nobody said a name.
    credential_sha256  TEXT UNIQUE,
    -- The last time step whose code was taken: a code counts once.
    last_step          INTEGER,
    created_at         INTEGER NOT NULL,
    last_used_at       INTEGER
) STRICT;
CREATE INDEX factors_by_user ON factors (user_id, id);

CREATE TABLE recovery_codes (
    user_id     TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- Salt and Argon2id hashes as the factors engine writes them; used ones are gone from it.
    hashes      TEXT NOT NULL,
    codes_left  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE sign_in_policy (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    second_factor     TEXT NOT NULL CHECK (second_factor IN ('nobody', 'administrators', 'everybody')),
    password_sign_in  INTEGER NOT NULL,
    -- Absent: as the appliance has it.
    idle_minutes      INTEGER,
    lifetime_minutes  INTEGER,
    password_length   INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) STRICT;
-- Domains that an invited e-mail must be of; none: every domain.
CREATE TABLE sign_in_domains (
    domain  TEXT PRIMARY KEY
) STRICT;

CREATE TABLE sign_in_providers (
    id             TEXT PRIMARY KEY,
    kind           TEXT NOT NULL CHECK (kind IN ('oidc', 'ldap')),
    name           TEXT NOT NULL,
    enabled        INTEGER NOT NULL,
    -- The settings in JSON, as the engine of the kind reads them. No secret.
    config         TEXT NOT NULL,
    -- Sealed: the client's secret, or the service account's password.
    secret         TEXT,
    default_role   TEXT NOT NULL,
    create_people  INTEGER NOT NULL,
    link_people    INTEGER NOT NULL,
    -- Whether an owner saved it last: only then owners can come in by it.
    owners         INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
-- Other addresses than the issuer's that the provider answers at.
CREATE TABLE provider_addresses (
    provider_id  TEXT NOT NULL REFERENCES sign_in_providers (id) ON DELETE CASCADE,
    address      TEXT NOT NULL,
    PRIMARY KEY (provider_id, address)
) STRICT;
CREATE TABLE provider_mappings (
    provider_id     TEXT NOT NULL REFERENCES sign_in_providers (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    external_group  TEXT NOT NULL,
    role            TEXT,
    group_id        TEXT REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (provider_id, position)
) STRICT;

-- Who somebody is at a provider.
CREATE TABLE identities (
    provider_id   TEXT NOT NULL REFERENCES sign_in_providers (id) ON DELETE CASCADE,
    subject       TEXT NOT NULL,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- What the person types there.
    user_name     TEXT,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER NOT NULL,
    PRIMARY KEY (provider_id, subject)
) STRICT;
CREATE INDEX identities_by_user ON identities (user_id);
