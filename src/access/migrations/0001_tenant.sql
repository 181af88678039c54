-- In a tenant's data.db.
-- What was used in a period: `2026-11` or `2026-11-26`.
CREATE TABLE usage_counters (
    period  TEXT NOT NULL,
    name    TEXT NOT NULL,
    used    INTEGER NOT NULL,
    PRIMARY KEY (period, name)
) STRICT;

-- Who was active in a month, to count each once.
CREATE TABLE active_users (
    period   TEXT NOT NULL,
    user_id  TEXT NOT NULL,
    PRIMARY KEY (period, user_id)
) STRICT;

-- Sealed by the tenant's key.
CREATE TABLE tenant_secrets (
    name    TEXT PRIMARY KEY,
    sealed  TEXT NOT NULL
) STRICT;
