//! Opening the file: whose it is, its mode, its schema, and the connections to it.

use std::{
    fs::{self, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Sqlite, fault::Doing, schema};
use crate::Result;

/// Connections that read, at most; each has a thread and a page cache of 2 MiB at most.
const READERS: u32 = 4;

/// How long a connection waits for another process's change.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection that nobody uses is kept, so that an idle server is a small one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Mode of the file: it holds the hashes of passwords.
const MODE: u32 = 0o600;

pub(super) async fn open(path: PathBuf) -> Result<Sqlite> {
    let doing = Doing { doing: "open the accounts in", path: &path };
    let is_new = doing.io(prepare_file(&path))?;
    let opened = connect(&path, doing).await;
    if is_new && opened.is_err() {
        // Nothing half-made stays.
        let _ = fs::remove_file(&path);
    }
    let (writer, readers) = opened?;
    Ok(Sqlite { path, readers, writer })
}

/// Makes the file if it is missing, and keeps others from reading it; whether it was made.
fn prepare_file(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
        }
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            fs::set_permissions(path, Permissions::from_mode(MODE)).map(|()| false)
        }
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path).map(|()| true),
        Err(error) => Err(error),
    }
}

/// Makes an empty file that nobody else can read, which SQLite takes for an empty database.
pub(super) fn create(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(path).map(|_| ())
}

/// What the file says of itself, by a connection of its own.
async fn header(options: &SqliteConnectOptions) -> sqlx::Result<schema::Header> {
    let mut connection = SqliteConnection::connect_with(options).await?;
    let header = schema::header(&mut connection).await;
    connection.close().await?;
    header
}

/// Whether a change was broken off by a crash, so that nobody can read before it is taken back
/// (`SQLITE_READONLY_ROLLBACK`, sqlite.org/rescode.html).
fn has_hot_journal(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "776")
}

async fn connect(path: &Path, doing: Doing<'_>) -> Result<(sqlx::SqlitePool, sqlx::SqlitePool)> {
    // Whose it is has to be known before anything that would change it, and the mode of the journal
    // stands in the file.
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT);
    let header = match header(&options.clone().read_only(true)).await {
        // A crash in the middle of a change, which is taken back first.
        Err(error) if has_hot_journal(&error) => header(&options).await,
        header => header,
    };
    schema::refuse_unknown(doing.map(header)?, schema::VERSION, doing)?;
    let options = options
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A change that was answered is on the disk.
        .synchronous(SqliteSynchronous::Full)
        .thread_name(|id| format!("accounts-{id}"));
    let pool = || {
        SqlitePoolOptions::new()
            .min_connections(0)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(IDLE_TIMEOUT)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let writer = pool().max_connections(1).min_connections(1).connect_with(options.clone()).await;
    let writer = doing.map(writer)?;
    let mut connection = doing.map(writer.acquire().await)?;
    schema::migrate(&mut connection, doing).await?;
    drop(connection);
    let reading = options.pragma("query_only", "ON");
    Ok((writer, pool().max_connections(READERS).connect_lazy_with(reading)))
}

#[cfg(test)]
mod tests {
    use sqlx::Executor as _;

    use super::*;
    use crate::source::Source as _;

    #[tokio::test]
    async fn a_file_that_a_crash_left_in_the_middle_of_a_change_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let [path, crashed] = ["a.db", "crashed.db"].map(|name| folder.path().join(name));
        Sqlite::open(path.clone()).await.unwrap().close().await.unwrap();
        // As the first change of a new file is made: beside a journal, and on the disk before its end.
        let plain = SqliteConnectOptions::new().filename(&path);
        let mut writer = SqliteConnection::connect_with(
            &plain.journal_mode(SqliteJournalMode::Delete).pragma("cache_size", "1"),
        )
        .await
        .unwrap();
        writer.execute("CREATE TABLE filler (text TEXT)").await.unwrap();
        writer.execute("INSERT INTO filler VALUES (zeroblob(200000))").await.unwrap();
        writer.execute("BEGIN IMMEDIATE").await.unwrap();
        writer.execute("UPDATE filler SET text = randomblob(200000)").await.unwrap();
        for end in ["", "-journal"] {
            let part = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
            fs::copy(part(&path), part(&crashed)).unwrap();
        }
        let plain = SqliteConnectOptions::new().filename(&crashed).read_only(true);
        assert!(has_hot_journal(&header(&plain).await.unwrap_err()));
        assert!(Sqlite::open(crashed).await.is_ok());
    }
}
