CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    payload     TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'running', 'failed')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    run_at      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    error       TEXT
) STRICT;
CREATE INDEX jobs_by_turn ON jobs (state, run_at, id);
CREATE UNIQUE INDEX jobs_once ON jobs (kind, subject) WHERE state IN ('queued', 'running');
