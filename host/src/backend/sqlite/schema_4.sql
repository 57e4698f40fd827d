-- Watched folders: what each watcher was told of and acknowledged.
CREATE TABLE watched (
    recipe TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key    TEXT NOT NULL,
    etag   TEXT NOT NULL,
    PRIMARY KEY (recipe, bucket, key)
) STRICT, WITHOUT ROWID;
