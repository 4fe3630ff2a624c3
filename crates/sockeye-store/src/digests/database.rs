//! The file of digests: SQLite, written by one thread.

use std::{io, path::Path};

use sqlx::{
    Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteRow, SqliteSynchronous},
};
use tokio::runtime::Runtime;

use super::Note;
use crate::{
    Algorithm, Digest, Version,
    sqlite::{self, Query},
};

/// The form of the table; a file of another form is made anew.
const FORM: i64 = 2;

/// Digests that are kept; when there are more, the oldest tenth goes.
const MOST: i64 = 1_000_000;

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS digest (
        device INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        size INTEGER NOT NULL,
        seconds INTEGER NOT NULL,
        nanos INTEGER NOT NULL,
        blake3 BLOB,
        sha256 BLOB,
        crc32 INTEGER,
        added INTEGER NOT NULL DEFAULT (unixepoch()),
        PRIMARY KEY (device, inode)
    ) STRICT, WITHOUT ROWID";

const STALE: &str = "
    SELECT 1 FROM digest
    WHERE device = ?1 AND inode = ?2 AND (size <> ?3 OR seconds <> ?4 OR nanos <> ?5)";

/// An open file of digests, and what its calls run on.
pub(super) struct Database {
    runtime: Runtime,
    connection: SqliteConnection,
    /// About how many digests there are.
    rows: i64,
}

impl Database {
    /// Opens the file, or makes it anew: it holds nothing that cannot be computed again.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let opened = runtime.block_on(connect(path)).or_else(|error| {
            tracing::warn!(%error, path = %path.display(), "the digests are begun anew");
            for suffix in ["", "-wal", "-shm"] {
                let mut file = path.as_os_str().to_owned();
                file.push(suffix);
                match std::fs::remove_file(&file) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            runtime.block_on(connect(path)).map_err(io::Error::other)
        });
        let (connection, rows) = opened?;
        Ok(Self { runtime, connection, rows })
    }

    /// Writes all notes, or none.
    pub(super) fn write(&mut self, notes: &[Note]) -> sqlx::Result<()> {
        if notes.is_empty() {
            return Ok(());
        }
        self.runtime.block_on(write(&mut self.connection, notes))?;
        self.rows += i64::try_from(notes.len()).unwrap_or(MOST);
        if self.rows > MOST {
            self.rows = self.runtime.block_on(thin_out(&mut self.connection))?;
        }
        Ok(())
    }

    pub(super) fn get(
        &mut self,
        version: &Version,
        algorithm: Algorithm,
    ) -> sqlx::Result<Option<Digest>> {
        let row = self.runtime.block_on(row(&mut self.connection, version))?;
        let Some(row) = row else { return Ok(None) };
        let bytes: Option<Vec<u8>> = row.try_get(algorithm.name())?;
        Ok(bytes.and_then(|bytes| Some(algorithm.digest(bytes.try_into().ok()?))))
    }

    pub(super) fn get_crc32(&mut self, version: &Version) -> sqlx::Result<Option<u32>> {
        let row = self.runtime.block_on(row(&mut self.connection, version))?;
        let Some(row) = row else { return Ok(None) };
        let crc: Option<i64> = row.try_get("crc32")?;
        Ok(crc.and_then(|crc| u32::try_from(crc).ok()))
    }

    /// How many of the files are there with another version.
    pub(super) fn stale(&mut self, files: &[Version], forget: bool) -> sqlx::Result<u64> {
        self.runtime.block_on(stale(&mut self.connection, files, forget))
    }
}

async fn connect(path: &Path) -> sqlx::Result<(SqliteConnection, i64)> {
    let mut connection = sqlite::connect(path, SqliteSynchronous::Normal).await?;
    let form: i64 =
        sqlx::query("PRAGMA user_version").fetch_one(&mut connection).await?.try_get(0)?;
    if form != FORM {
        let old = sqlx::query("SELECT count(*) FROM sqlite_schema");
        let tables: i64 = old.fetch_one(&mut connection).await?.try_get(0)?;
        if tables > 0 {
            connection.close().await?;
            return Err(sqlx::Error::Protocol(format!("it has the form {form}, not {FORM}")));
        }
        let form = format!("PRAGMA user_version = {FORM}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(form)).execute(&mut connection).await?;
    }
    sqlx::query(TABLE).execute(&mut connection).await?;
    let rows = sqlx::query("SELECT count(*) FROM digest");
    let rows = rows.fetch_one(&mut connection).await?.try_get(0)?;
    Ok((connection, rows))
}

async fn write(connection: &mut SqliteConnection, notes: &[Note]) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
    for note in notes {
        let query = match note {
            Note::Known(version, digest) => {
                let bytes = |of| (digest.algorithm() == of).then(|| digest.as_bytes().to_vec());
                let query = known(version).bind(bytes(Algorithm::Blake3));
                query.bind(bytes(Algorithm::Sha256)).bind(None::<i64>)
            }
            Note::Crc32(version, crc) => {
                let none = None::<Vec<u8>>;
                known(version).bind(none.clone()).bind(none).bind(i64::from(*crc))
            }
            Note::Same(before, after) => same(before, after),
        };
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// Enters what is bound as well: digests and a CRC. What else is known of the same version stays.
fn known(version: &Version) -> Query<'static> {
    let query = sqlx::query(
        "INSERT INTO digest (device, inode, size, seconds, nanos, blake3, sha256, crc32)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET
             blake3 = coalesce(excluded.blake3, iif(size = excluded.size AND
                 seconds = excluded.seconds AND nanos = excluded.nanos, blake3, NULL)),
             sha256 = coalesce(excluded.sha256, iif(size = excluded.size AND
                 seconds = excluded.seconds AND nanos = excluded.nanos, sha256, NULL)),
             crc32 = coalesce(excluded.crc32, iif(size = excluded.size AND
                 seconds = excluded.seconds AND nanos = excluded.nanos, crc32, NULL)),
             size = excluded.size, seconds = excluded.seconds, nanos = excluded.nanos,
             added = excluded.added",
    );
    with_version(query, version)
}

/// Moves what is known of one version to another of the same file.
fn same(before: &Version, after: &Version) -> Query<'static> {
    let query = sqlx::query(
        "UPDATE digest SET seconds = ?, nanos = ?
         WHERE device = ? AND inode = ? AND size = ? AND seconds = ? AND nanos = ?",
    );
    let query = query.bind(after.modified.seconds).bind(i64::from(after.modified.nanos));
    with_version(query, before)
}

fn with_version<'q>(query: Query<'q>, version: &Version) -> Query<'q> {
    let Version { device, inode, size, modified } = version;
    query
        .bind(device.cast_signed())
        .bind(inode.cast_signed())
        .bind(size.cast_signed())
        .bind(modified.seconds)
        .bind(i64::from(modified.nanos))
}

async fn row(
    connection: &mut SqliteConnection,
    version: &Version,
) -> sqlx::Result<Option<SqliteRow>> {
    let query = sqlx::query(
        "SELECT blake3, sha256, crc32 FROM digest
         WHERE device = ? AND inode = ? AND size = ? AND seconds = ? AND nanos = ?",
    );
    with_version(query, version).fetch_optional(connection).await
}

async fn stale(
    connection: &mut SqliteConnection,
    files: &[Version],
    forget: bool,
) -> sqlx::Result<u64> {
    let mut number = 0;
    for version in files {
        let found = with_version(sqlx::query(STALE), version).fetch_optional(&mut *connection);
        if found.await?.is_some() {
            number += 1;
            if forget {
                let query = sqlx::query("DELETE FROM digest WHERE device = ? AND inode = ?");
                let query = query.bind(version.device.cast_signed());
                query.bind(version.inode.cast_signed()).execute(&mut *connection).await?;
            }
        }
    }
    Ok(number)
}

/// Forgets the oldest tenth, and says how many are left.
async fn thin_out(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query(
        "DELETE FROM digest WHERE (device, inode) IN
             (SELECT device, inode FROM digest ORDER BY added LIMIT ?)",
    )
    .bind(MOST / 10)
    .execute(&mut *connection)
    .await?;
    let rows = sqlx::query("SELECT count(*) FROM digest");
    rows.fetch_one(connection).await?.try_get(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn version(inode: u64, seconds: i64) -> Version {
        Version { device: u64::MAX, inode, size: 5, modified: Timestamp { seconds, nanos: 7 } }
    }

    #[test]
    fn what_is_known_of_a_version_is_added_up_and_of_no_other_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(&dir.path().join("digests.db")).unwrap();
        let (one, other) = (version(1, -5), version(1, 9));
        let (blake3, sha256) = (Algorithm::Blake3.of(b"1"), Algorithm::Sha256.of(b"1"));
        database.write(&[Note::Known(one, blake3), Note::Known(one, sha256)]).unwrap();
        for (algorithm, digest) in [(Algorithm::Blake3, blake3), (Algorithm::Sha256, sha256)] {
            assert_eq!(database.get(&one, algorithm).unwrap(), Some(digest));
            assert_eq!(database.get(&other, algorithm).unwrap(), None);
        }
        database.write(&[Note::Same(one, other)]).unwrap();
        assert_eq!(database.get(&other, Algorithm::Sha256).unwrap(), Some(sha256));
        // Another content: what was known is of the old one.
        database.write(&[Note::Known(one, Algorithm::Blake3.of(b"2"))]).unwrap();
        assert_eq!(database.get(&one, Algorithm::Sha256).unwrap(), None);

        // A CRC is kept beside the digests of the same version, and goes with them.
        let again = Algorithm::Blake3.of(b"2");
        database.write(&[Note::Crc32(one, u32::MAX)]).unwrap();
        assert_eq!(database.get_crc32(&one).unwrap(), Some(u32::MAX));
        assert_eq!(database.get(&one, Algorithm::Blake3).unwrap(), Some(again));
        database.write(&[Note::Known(one, sha256)]).unwrap();
        assert_eq!(database.get_crc32(&one).unwrap(), Some(u32::MAX));
        database.write(&[Note::Crc32(other, 7)]).unwrap();
        assert_eq!(database.get_crc32(&one).unwrap(), None);
        assert_eq!(database.get_crc32(&other).unwrap(), Some(7));
        assert_eq!(database.get(&other, Algorithm::Blake3).unwrap(), None);
        database.write(&[Note::Known(one, again)]).unwrap();
        assert_eq!(database.get_crc32(&one).unwrap(), None);

        assert_eq!(database.stale(&[one, version(2, 0)], true).unwrap(), 0);
        assert_eq!(database.stale(&[other], false).unwrap(), 1);
        assert_eq!(database.stale(&[other], true).unwrap(), 1);
        assert_eq!(database.stale(&[other], false).unwrap(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("digests.db");
        std::fs::write(&path, "this is no database, however long it is read").unwrap();
        let mut database = Database::open(&path).unwrap();
        let digest = Algorithm::Blake3.of(b"");
        database.write(&[Note::Known(version(1, 1), digest)]).unwrap();
        drop(database);
        let mut database = Database::open(&path).unwrap();
        assert_eq!(database.get(&version(1, 1), Algorithm::Blake3).unwrap(), Some(digest));
        assert_eq!(database.rows, 1);
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        database.runtime.block_on(async {
            let later = format!("PRAGMA user_version = {}", FORM + 1);
            let later = sqlx::raw_sql(sqlx::AssertSqlSafe(later));
            later.execute(&mut database.connection).await.unwrap();
        });
        drop(database);
        assert_eq!(Database::open(&path).unwrap().rows, 0);
    }
}
