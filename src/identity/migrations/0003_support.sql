-- In a tenant's data.db.
-- Consents of the tenant that operators of the appliance may work in the place of its people. Old ones stay, to be shown.
CREATE TABLE support_consents (
    id          TEXT PRIMARY KEY,
    granted_by  TEXT,
    note        TEXT NOT NULL,
    may_change  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    ended_at    INTEGER
) STRICT;
-- Who is in a session in its person's place; absent for the person.
ALTER TABLE sessions ADD COLUMN operator TEXT;
