-- In a tenant's data.db.
-- Requests with an Idempotency-Key: SHA-256 of who and key, SHA-256 of the request, the answer sealed by the tenant's key.
CREATE TABLE replays (
    name         TEXT PRIMARY KEY,
    fingerprint  TEXT NOT NULL,
    sealed       TEXT,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX replays_by_age ON replays (created_at);
