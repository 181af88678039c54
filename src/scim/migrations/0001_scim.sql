-- In a tenant's data.db: what identity services say of people and groups beyond what signing in needs.
CREATE TABLE scim_users (
    user_id        TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    user_name      TEXT NOT NULL,
    -- In lower case: who differs only in case is the same.
    user_name_key  TEXT NOT NULL UNIQUE,
    external_id    TEXT,
    -- The attributes as they were given, in JSON; those that signing in knows are read from there first.
    attributes     TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX scim_users_by_external_id ON scim_users (external_id);

-- Every e-mail that was given, in lower case.
CREATE TABLE scim_emails (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email_key  TEXT NOT NULL,
    PRIMARY KEY (user_id, email_key)
) STRICT;
CREATE INDEX scim_emails_by_email ON scim_emails (email_key);

CREATE TABLE scim_groups (
    group_id     TEXT PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE,
    external_id  TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX scim_groups_by_external_id ON scim_groups (external_id);
