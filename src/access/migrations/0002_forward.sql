-- In a tenant's data.db for its record, and in control.db for the appliance's: servers that entries are sent to.
CREATE TABLE audit_targets (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL,
    address        TEXT NOT NULL,
    format         TEXT NOT NULL,
    -- Authorities that are trusted in place of the machine's.
    ca_pem         TEXT,
    -- Name of the header that carries the secret, and the secret, sealed.
    header         TEXT NOT NULL,
    secret         TEXT,
    enabled        INTEGER NOT NULL,
    -- The first entry that is not there yet.
    next_sequence  INTEGER NOT NULL,
    last_sent_at   INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
