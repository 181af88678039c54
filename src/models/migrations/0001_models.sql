-- Which installed model does the work of its kind.
CREATE TABLE model_choices (
    kind      TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    chosen_at INTEGER NOT NULL
) STRICT;
-- What the last check of an installed model found; absent: none since its import.
CREATE TABLE model_checks (
    name       TEXT PRIMARY KEY,
    checked_at INTEGER NOT NULL,
    problem    TEXT
) STRICT;
