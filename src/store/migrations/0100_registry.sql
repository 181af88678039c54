-- Only in control.db. Older appliances have the table with its first two columns already.
CREATE TABLE IF NOT EXISTS tenants (
    id    TEXT PRIMARY KEY,
    name  TEXT NOT NULL
) STRICT;
INSERT INTO tenants (id, name) VALUES ('main', 'Main') ON CONFLICT (id) DO NOTHING;
ALTER TABLE tenants ADD COLUMN state TEXT NOT NULL DEFAULT 'active'
    CHECK (state IN ('provisioning', 'active', 'suspended', 'deleting'));
-- Why it is suspended; shown to its people.
ALTER TABLE tenants ADD COLUMN reason TEXT;
ALTER TABLE tenants ADD COLUMN plan TEXT NOT NULL DEFAULT 'enterprise';
-- What differs from the plan, as JSON.
ALTER TABLE tenants ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
ALTER TABLE tenants ADD COLUMN region TEXT;
-- The tenant's data key, wrapped by the appliance's.
ALTER TABLE tenants ADD COLUMN wrapped_key TEXT;
ALTER TABLE tenants ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
-- When a deleted tenant is erased.
ALTER TABLE tenants ADD COLUMN erase_at INTEGER;
