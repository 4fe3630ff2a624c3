//! A file of SQLite that a thread of its own uses.
//!
//! What is kept in it is its owner's matter: [digests](crate::Digests), [marks](crate::Marks).

use std::{io, os::unix::fs::OpenOptionsExt as _, path::Path, sync::mpsc};

use sockeye::worker::{Stop, Worker};
use sqlx::{
    Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// A statement with what is bound to it.
pub(crate) type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// Something to be done with an open file.
pub(crate) type Job<D> = Box<dyn FnOnce(&mut D) + Send>;

/// Starts a thread that opens the file and then serves until it is told to stop; waits until it is open. `what` is
/// kept there.
///
/// # Errors
/// What `open` says, with the path; or if the system gives no thread.
pub(crate) fn start<D>(
    name: &'static str,
    what: &'static str,
    path: &Path,
    open: impl FnOnce(&Path) -> io::Result<D> + Send + 'static,
    serve: impl FnOnce(D, &Stop) + Send + 'static,
) -> io::Result<Worker> {
    let (opened, result) = mpsc::channel();
    let path = path.to_owned();
    let worker = Worker::start(name, move |stop| match open(&path) {
        Ok(database) => {
            let _ = opened.send(Ok(()));
            serve(database, stop);
        }
        Err(error) => {
            let text = format!("cannot keep {what} in {}: {error}", path.display());
            let _ = opened.send(Err(io::Error::new(error.kind(), text)));
        }
    })?;
    result.recv().map_err(io::Error::other)??;
    Ok(worker)
}

/// Connects to the file, which is made if it is not there: for the server's user alone.
pub(crate) async fn connect(
    path: &Path,
    synchronous: SqliteSynchronous,
) -> sqlx::Result<SqliteConnection> {
    // SQLite gives the files beside it the same mode.
    let private = std::fs::File::options().append(true).create(true).mode(0o600).open(path);
    private.map_err(sqlx::Error::Io)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous);
    SqliteConnection::connect_with(&options).await
}
