-- Collections, and who sees what. Subjects are ids of people and groups; they belong to another area and are kept as text.
CREATE TABLE collections (
    name        TEXT PRIMARY KEY,
    access      TEXT NOT NULL CHECK (access IN ('everyone', 'listed')),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
INSERT INTO collections (name, access, created_at, updated_at)
    SELECT collection, 'everyone', min(created_at), min(created_at) FROM documents
    WHERE collection IS NOT NULL GROUP BY collection;

CREATE TABLE collection_access (
    collection  TEXT NOT NULL REFERENCES collections (name) ON DELETE CASCADE,
    subject     TEXT NOT NULL,
    may         TEXT NOT NULL CHECK (may IN ('read', 'write')),
    PRIMARY KEY (collection, subject)
) STRICT;

-- A document that is listed has a list of its own, which may be empty; else its collection's rule counts.
ALTER TABLE documents ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
CREATE TABLE document_access (
    document_id  TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    subject      TEXT NOT NULL,
    may          TEXT NOT NULL CHECK (may IN ('read', 'write')),
    PRIMARY KEY (document_id, subject)
) STRICT;

-- Documents of which the search index may still have an older state: a move, another list, a deletion.
CREATE TABLE document_unsettled (
    document_id  TEXT PRIMARY KEY
) STRICT;

-- The same bytes are taken again from whoever does not see the document that has them. The hash moves into a column of
-- its own; what was unique stays so: the hash, or of a further copy the hash with the document's id.
ALTER TABLE documents ADD COLUMN content TEXT NOT NULL DEFAULT '';
UPDATE documents SET content = sha256;
CREATE INDEX documents_by_content ON documents (content);
