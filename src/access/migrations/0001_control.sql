-- In control.db.
-- What tenants held when it was last counted, so that a list of all opens none of them.
CREATE TABLE tenant_usage (
    tenant_id   TEXT PRIMARY KEY,
    documents   INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    members     INTEGER NOT NULL,
    counted_at  INTEGER NOT NULL
) STRICT;

-- Tenants that were erased, and the signed statement of it.
CREATE TABLE erasures (
    tenant_id  TEXT NOT NULL,
    name       TEXT NOT NULL,
    erased_at  INTEGER NOT NULL,
    statement  TEXT NOT NULL,
    PRIMARY KEY (tenant_id, erased_at)
) STRICT;

-- Sealed by the appliance's key.
CREATE TABLE appliance_secrets (
    name    TEXT PRIMARY KEY,
    sealed  TEXT NOT NULL
) STRICT;
