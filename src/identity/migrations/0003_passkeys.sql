-- In control.db. Which tenants may hold a passkey, by the SHA-256 of its id: a hint for signing in without a name, as
-- sign_in_names is for e-mails; the tenants' own tables decide.
CREATE TABLE sign_in_passkeys (
    credential_sha256  TEXT NOT NULL,
    tenant_id          TEXT NOT NULL,
    PRIMARY KEY (credential_sha256, tenant_id)
) STRICT;
CREATE INDEX sign_in_passkeys_by_tenant ON sign_in_passkeys (tenant_id);
