-- In control.db. People, sessions and keys moved to their tenant's data.db; what older appliances have in the tables of
-- step 0001 is taken over at start.
CREATE TABLE operators (
    -- A person (usr_…) or key (key_…) of the tenant.
    subject     TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

-- Which tenants may know an e-mail, by its SHA-256: a hint for signing in; the tenants' own tables decide.
CREATE TABLE sign_in_names (
    name_sha256  TEXT NOT NULL,
    tenant_id    TEXT NOT NULL,
    PRIMARY KEY (name_sha256, tenant_id)
) STRICT;
CREATE INDEX sign_in_names_by_tenant ON sign_in_names (tenant_id);
