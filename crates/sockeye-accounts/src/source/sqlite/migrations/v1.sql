-- The first schema. Ids are ULIDs, the highest byte first; times are milliseconds since 1970 (UTC).

-- Kept in the order of the names, in which they are listed: a page of them is a few pages of the file.
CREATE TABLE accounts (
    id            BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    name          TEXT    NOT NULL PRIMARY KEY,          -- in lower case
    role          TEXT    NOT NULL CHECK (role IN ('admin', 'member', 'guest')),
    locked        INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
    password      TEXT,                                  -- a PHC string: $argon2id$…
    must_change   INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1)),
    quota_bytes   INTEGER CHECK (quota_bytes >= 0),
    quota_entries INTEGER CHECK (quota_entries >= 0),
    created       INTEGER NOT NULL,
    revision      INTEGER NOT NULL DEFAULT 1             -- counts the changes
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_by_role ON accounts (role, name);
CREATE INDEX accounts_locked ON accounts (name) WHERE locked = 1;

CREATE TABLE grants (
    account BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    prefix  TEXT NOT NULL,                               -- /docs, /shared/team, /
    rights  TEXT NOT NULL,                               -- read,write,delete,list,share; all; none
    PRIMARY KEY (account, prefix)
) STRICT, WITHOUT ROWID;

-- Grants in a shared folder go with it.
CREATE INDEX grants_by_prefix ON grants (prefix);

CREATE TABLE tokens (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account   BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    label     TEXT    NOT NULL,
    hash      BLOB    NOT NULL CHECK (length(hash) = 32), -- BLAKE3 of the secret
    prefix    TEXT    NOT NULL,
    rights    TEXT    NOT NULL,
    protocols TEXT    NOT NULL,                          -- http,ftp; any
    expires   INTEGER,
    last_used INTEGER,
    created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_by_account ON tokens (account);

CREATE TABLE keys (
    account     BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    fingerprint TEXT    NOT NULL,                        -- SHA256:…
    line        TEXT    NOT NULL,                        -- as ssh-keygen writes it
    created     INTEGER NOT NULL,
    PRIMARY KEY (account, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE shared (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name          TEXT    NOT NULL,
    folded        TEXT    NOT NULL UNIQUE,               -- the name without its case
    quota_bytes   INTEGER CHECK (quota_bytes >= 0),
    quota_entries INTEGER CHECK (quota_entries >= 0),
    created       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
