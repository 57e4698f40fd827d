-- Lists of ids to be worked through.
CREATE TABLE lists (
    list   TEXT    NOT NULL,
    id     TEXT    NOT NULL,
    state  INTEGER NOT NULL,
    reason TEXT    NOT NULL DEFAULT '',
    owner  TEXT,                        -- null while it is in nobody's hands
    token  INTEGER NOT NULL DEFAULT 0,  -- grows with every move
    PRIMARY KEY (list, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX lists_by_state ON lists (list, state, id);
