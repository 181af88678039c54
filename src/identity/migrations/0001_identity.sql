CREATE TABLE tenants (
    id    TEXT PRIMARY KEY,
    name  TEXT NOT NULL
) STRICT;
INSERT INTO tenants (id, name) VALUES ('main', 'Main');

CREATE TABLE users (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    email       TEXT NOT NULL,
    -- The e-mail in lower case: who differs only in case is the same person.
    email_key   TEXT NOT NULL UNIQUE,
    role        TEXT NOT NULL CHECK (role IN ('admin')),
    -- PHC string of Argon2id.
    password    TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX users_by_tenant ON users (tenant_id, id);

CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- SHA-256 of the cookie's value, in hex.
    token_sha256  TEXT NOT NULL UNIQUE,
    created_at    INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE api_keys (
    id             TEXT PRIMARY KEY,
    tenant_id      TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name           TEXT NOT NULL,
    -- The first characters of the key, to know it again.
    prefix         TEXT NOT NULL,
    role           TEXT NOT NULL CHECK (role IN ('admin')),
    secret_sha256  TEXT NOT NULL UNIQUE,
    created_by     TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at     INTEGER NOT NULL,
    last_used_at   INTEGER,
    expires_at     INTEGER
) STRICT;
CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id, id);
