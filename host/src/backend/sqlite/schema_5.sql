-- What tells an index from a later one of the same name; empty in one that an earlier version made.
ALTER TABLE indexes ADD COLUMN identity TEXT NOT NULL DEFAULT '';

-- The indexes that rebuilds fill to take over an alias.
CREATE TABLE filling (
    alias TEXT NOT NULL COLLATE NOCASE,
    name  TEXT NOT NULL COLLATE NOCASE REFERENCES indexes (name),
    PRIMARY KEY (alias, name)
) STRICT, WITHOUT ROWID;
