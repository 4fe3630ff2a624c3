-- What is kept about paths beside the files. A path is cut before its last name, so that what lies in a folder
-- is one stretch of the index; the root is '' in ''. What lies in the trash begins with a NUL, which no name has.

CREATE TABLE property (
    home TEXT NOT NULL,
    folder BLOB NOT NULL,
    name BLOB NOT NULL,
    space TEXT NOT NULL,
    local TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (home, folder, name, space, local)
) STRICT;

-- How many properties a home has, and their bytes: kept by the triggers, so that nothing is ever counted anew.
CREATE TABLE total (
    home TEXT NOT NULL PRIMARY KEY,
    properties INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER property_added AFTER INSERT ON property BEGIN
    INSERT INTO total VALUES (new.home, 1, octet_length(new.value))
    ON CONFLICT DO UPDATE SET properties = properties + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER property_removed AFTER DELETE ON property BEGIN
    UPDATE total SET properties = properties - 1, bytes = bytes - octet_length(old.value)
    WHERE home = old.home;
END;

CREATE TRIGGER property_moved AFTER UPDATE OF home ON property WHEN old.home <> new.home BEGIN
    UPDATE total SET properties = properties - 1, bytes = bytes - octet_length(old.value)
    WHERE home = old.home;
    INSERT INTO total VALUES (new.home, 1, octet_length(new.value))
    ON CONFLICT DO UPDATE SET properties = properties + 1, bytes = bytes + excluded.bytes;
END;

CREATE TABLE lock (
    token BLOB NOT NULL PRIMARY KEY,
    home TEXT NOT NULL,
    path BLOB NOT NULL,
    exclusive INTEGER NOT NULL,
    infinite INTEGER NOT NULL,
    holder TEXT NOT NULL,
    owner TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX lock_of_home ON lock (home);

-- Moves of files that were begun, with the file that moves: after a crash it tells whether it did.
CREATE TABLE move (
    id INTEGER PRIMARY KEY,
    home TEXT NOT NULL,
    source BLOB NOT NULL,
    other TEXT NOT NULL,
    target BLOB NOT NULL,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL
) STRICT;

CREATE INDEX move_of_home ON move (home);
