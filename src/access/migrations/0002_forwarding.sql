-- In control.db. Tenants that may have targets for their record, so that the others are not opened for a look.
CREATE TABLE audit_forwarding (
    tenant_id  TEXT PRIMARY KEY
) STRICT;
