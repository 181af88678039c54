-- In a tenant's data.db.
CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    email         TEXT NOT NULL,
    -- The e-mail in lower case: who differs only in case is the same person.
    email_key     TEXT NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    -- PHC string of Argon2id; absent for those who sign in elsewhere.
    password      TEXT,
    state         TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    language      TEXT,
    voice         TEXT,
    last_seen_at  INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE roles (
    name        TEXT PRIMARY KEY,
    title       TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE role_permissions (
    role        TEXT NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
    permission  TEXT NOT NULL,
    PRIMARY KEY (role, permission)
) STRICT;

CREATE TABLE groups (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    name_key    TEXT NOT NULL UNIQUE,
    -- A workspace is a team that has collections of its own.
    kind        TEXT NOT NULL CHECK (kind IN ('group', 'workspace')),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE group_members (
    group_id  TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
) STRICT;
CREATE INDEX group_members_by_user ON group_members (user_id);

CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- SHA-256 of the cookie's value, in hex.
    token_sha256  TEXT NOT NULL UNIQUE,
    -- How the person signed in: password, passkey, invitation or a provider's id.
    method        TEXT NOT NULL,
    address       TEXT,
    agent         TEXT,
    created_at    INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE api_keys (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    -- The first characters of the key, to know it again.
    prefix         TEXT NOT NULL,
    secret_sha256  TEXT NOT NULL UNIQUE,
    created_by     TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at     INTEGER NOT NULL,
    last_used_at   INTEGER,
    expires_at     INTEGER
) STRICT;
-- What the key may; '*' is everything that a role of the tenant can hold.
CREATE TABLE api_key_scopes (
    key_id      TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    permission  TEXT NOT NULL,
    PRIMARY KEY (key_id, permission)
) STRICT;
-- Networks in CIDR form that the key may be used from; none: from everywhere.
CREATE TABLE api_key_networks (
    key_id   TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    network  TEXT NOT NULL,
    PRIMARY KEY (key_id, network)
) STRICT;

-- Links that let somebody join, or choose a new password.
CREATE TABLE invitations (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL,
    email_key     TEXT NOT NULL,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    -- The person whose password is to be chosen anew; absent for somebody who joins.
    user_id       TEXT REFERENCES users (id) ON DELETE CASCADE,
    token_sha256  TEXT NOT NULL UNIQUE,
    created_by    TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX invitations_by_email ON invitations (email_key);
CREATE TABLE invitation_groups (
    invitation_id  TEXT NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    group_id       TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (invitation_id, group_id)
) STRICT;
