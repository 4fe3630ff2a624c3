-- Sign-ins: what browsers keep in place of a name and a password.

CREATE TABLE sign_ins (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account   BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    hash      BLOB    NOT NULL CHECK (length(hash) = 32), -- BLAKE3 of the secret
    address   TEXT,
    agent     TEXT,                                      -- what the browser says of itself
    expires   INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_ins_by_account ON sign_ins (account, id);
