-- Who did what, in order from 0. `entry` is the exact text that the leaf hash was made of; it is taken out when what it
-- tells must be forgotten, and the hash stays, so that the tree can still be proven.
CREATE TABLE audit_log (
    sequence    INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    -- Person; absent for programs and the appliance itself.
    actor       TEXT,
    action      TEXT NOT NULL,
    object      TEXT NOT NULL,
    entry       TEXT,
    -- SHA-256 of the leaf (RFC 9162, section 2.1.1), in hex.
    leaf        TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_action ON audit_log (action, sequence);
CREATE INDEX audit_by_actor ON audit_log (actor, sequence);
CREATE INDEX audit_by_object ON audit_log (object, sequence);
CREATE INDEX audit_by_time ON audit_log (at);

-- The one row holds the roots of the tree's complete subtrees: enough to append.
CREATE TABLE audit_tree (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    frontier  TEXT NOT NULL
) STRICT;

-- Signed statements of what the tree was (c2sp.org/tlog-checkpoint).
CREATE TABLE audit_checkpoints (
    size  INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    note  TEXT NOT NULL
) STRICT;
