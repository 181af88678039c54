CREATE TABLE conversations (
    id          TEXT PRIMARY KEY,
    -- User who asks; empty for the command line and keys without a user.
    owner       TEXT NOT NULL,
    title       TEXT NOT NULL,
    -- The title in lower case, for searching.
    folded      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX conversations_by_owner ON conversations (owner, updated_at, id);

CREATE TABLE turns (
    id            TEXT PRIMARY KEY,
    conversation  TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    question      TEXT NOT NULL,
    answer        TEXT NOT NULL,
    -- Question and answer in lower case, for searching.
    folded        TEXT NOT NULL,
    mode          TEXT NOT NULL CHECK (mode IN ('extractive', 'ollama', 'none')),
    model         TEXT,
    answered      INTEGER NOT NULL,
    -- Language of the answer, ISO 639-1.
    language      TEXT,
    notice        TEXT,
    dropped       INTEGER NOT NULL,
    rating        TEXT CHECK (rating IN ('up', 'down')),
    comment       TEXT,
    -- Sentences, nearest passages and trace: written once, read whole.
    body          TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX turns_by_conversation ON turns (conversation, id);

CREATE TABLE citations (
    turn        TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    n           INTEGER NOT NULL,
    document    TEXT NOT NULL,
    title       TEXT NOT NULL,
    type        TEXT NOT NULL,
    page        INTEGER,
    label       TEXT,
    start_at    INTEGER NOT NULL,
    end_at      INTEGER NOT NULL,
    quote       TEXT NOT NULL,
    PRIMARY KEY (turn, n)
) STRICT;
CREATE INDEX citations_by_document ON citations (document);
