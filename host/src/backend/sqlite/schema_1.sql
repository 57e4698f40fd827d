-- Tables of records; the records of `people` stand in "people$records".
CREATE TABLE tables (
    name     TEXT PRIMARY KEY COLLATE NOCASE,
    key      TEXT NOT NULL,     -- the key attributes, as a JSON array
    form     TEXT NOT NULL,     -- plain or dynamodb-json
    identity TEXT NOT NULL,     -- random; tells this table from a later one of the same name
    created  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages that wait or are in somebody's hands.
CREATE TABLE messages (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    queue        TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER NOT NULL DEFAULT 0     -- milliseconds since 1970
) STRICT;
CREATE INDEX messages_in_order ON messages (queue, priority DESC, number);

-- Every message id a queue ever saw, so that a repeat changes nothing, also after its acknowledgement.
CREATE TABLE seen_messages (
    queue TEXT NOT NULL,
    id    TEXT NOT NULL,
    PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;

-- Concrete indexes; the documents of `x` stand in "x$documents", their words in "x$search".
CREATE TABLE indexes (
    name       TEXT PRIMARY KEY COLLATE NOCASE,
    definition TEXT    NOT NULL,
    stamp      TEXT    NOT NULL,
    created    TEXT    NOT NULL,
    documents  INTEGER NOT NULL DEFAULT 0       -- how many, deletions not counted
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
    alias TEXT PRIMARY KEY COLLATE NOCASE,
    name  TEXT NOT NULL REFERENCES indexes (name)
) STRICT, WITHOUT ROWID;

-- The ledger: runs, how far their segments are, and the ids that are not done.
CREATE TABLE runs (
    id     TEXT PRIMARY KEY,
    recipe TEXT NOT NULL,
    phase  TEXT NOT NULL,
    record TEXT NOT NULL       -- the whole run as JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_of_recipe ON runs (recipe, id);

CREATE TABLE segments (
    run    TEXT    NOT NULL,
    number INTEGER NOT NULL,
    cursor TEXT,
    ended  INTEGER NOT NULL,
    counts TEXT    NOT NULL,   -- as JSON
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE ids (
    run      TEXT    NOT NULL,
    position TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    state    INTEGER NOT NULL,
    grouped  TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    version  INTEGER,
    at       TEXT    NOT NULL,
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX ids_by_group ON ids (run, state, grouped);
