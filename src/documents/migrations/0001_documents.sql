CREATE TABLE documents (
    id               TEXT PRIMARY KEY,
    sha256           TEXT NOT NULL UNIQUE,
    title            TEXT NOT NULL,
    title_given      INTEGER NOT NULL,
    file_name        TEXT NOT NULL,
    kind             TEXT NOT NULL,
    language         TEXT,
    collection       TEXT,
    source           TEXT NOT NULL,
    size_bytes       INTEGER NOT NULL,
    pages            INTEGER NOT NULL DEFAULT 0,
    characters       INTEGER NOT NULL DEFAULT 0,
    passages         INTEGER NOT NULL DEFAULT 0,
    status           TEXT NOT NULL CHECK (status IN ('queued', 'extracting', 'indexing', 'ready', 'failed')),
    problem_code     TEXT,
    problem_message  TEXT,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    indexed_at       INTEGER
) STRICT;
CREATE INDEX documents_by_status ON documents (status);
CREATE INDEX documents_by_collection ON documents (collection);

CREATE TABLE document_tags (
    document  TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    tag       TEXT NOT NULL,
    PRIMARY KEY (document, tag)
) STRICT;
CREATE INDEX document_tags_by_tag ON document_tags (tag);

-- Pages that show only an image and were not read.
CREATE TABLE document_image_pages (
    document  TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    page      INTEGER NOT NULL,
    PRIMARY KEY (document, page)
) STRICT;

-- The extracted text in pieces of the same number of code points, each LZ4-compressed, with the blocks that begin in it.
CREATE TABLE document_text (
    document  TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    piece     INTEGER NOT NULL,
    body      BLOB NOT NULL,
    blocks    BLOB NOT NULL,
    PRIMARY KEY (document, piece)
) STRICT;
