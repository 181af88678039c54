-- Every attempt to open an outbound connection.
CREATE TABLE egress (
    id         TEXT PRIMARY KEY,
    at         INTEGER NOT NULL,
    tenant_id  TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    method     TEXT NOT NULL,
    url        TEXT NOT NULL,
    allowed    INTEGER NOT NULL,
    status     INTEGER
) STRICT;
CREATE INDEX egress_by_time ON egress (at);
