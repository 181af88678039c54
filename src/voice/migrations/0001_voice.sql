CREATE TABLE lexicon (
    id              TEXT PRIMARY KEY,
    word            TEXT NOT NULL,
    -- What makes the word one of a kind: in lower case unless case matters.
    folded          TEXT NOT NULL,
    -- ISO 639-1; empty for all languages.
    language        TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('respelling', 'phonemes')),
    value           TEXT NOT NULL,
    case_sensitive  INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (folded, language, case_sensitive)
) STRICT;
CREATE INDEX lexicon_by_word ON lexicon (folded, id);

-- What people have set for themselves; a person without a row has the site's settings.
CREATE TABLE voice_preferences (
    -- Empty for the command line and keys without a user.
    owner            TEXT PRIMARY KEY,
    -- Words a minute.
    rate             INTEGER,
    speak_citations  INTEGER
) STRICT;

CREATE TABLE voice_preference_voices (
    owner     TEXT NOT NULL,
    -- ISO 639-1.
    language  TEXT NOT NULL,
    voice     TEXT NOT NULL,
    PRIMARY KEY (owner, language)
) STRICT;
