-- Shares: links by which somebody without an account gets at one file or folder. The key that links are made
-- with is not in this file, so that a copy of it opens none.

CREATE TABLE shares (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account    BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    label      TEXT,
    path       TEXT    NOT NULL,                         -- as its owner sees it: /docs, /shared/team/x
    kind       TEXT    NOT NULL CHECK (kind IN ('download', 'upload')),
    expires    INTEGER,
    downloads  INTEGER CHECK (downloads > 0),            -- how many there may be
    downloaded INTEGER NOT NULL DEFAULT 0 CHECK (downloaded >= 0),
    password   TEXT,                                     -- a PHC string: $argon2id$…
    created    INTEGER NOT NULL,
    CHECK (downloads IS NULL OR downloaded <= downloads)
) STRICT, WITHOUT ROWID;

CREATE INDEX shares_by_account ON shares (account, id);

-- Shares in a shared folder go with it.
CREATE INDEX shares_by_path ON shares (path);
