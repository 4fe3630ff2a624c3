//! The versions of the schema: one row and one file for each, never changed once released.
//!
//! The file says in `user_version` which one it has, and in `application_id` whose it is.

use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::fault::Doing;
use crate::{Result, error::StorageFault};

/// Written into the file's header: `sock`.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"sock");

/// One step: from the version before to this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    pub(super) version: u32,
    pub(super) sql: &'static str,
}

/// All steps in order. To change the schema, add a file and a row, and a fixture of the version before
/// under `tests/fixtures/`.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("migrations/v1.sql") },
    Migration { version: 2, sql: include_str!("migrations/v2.sql") },
    Migration { version: 3, sql: include_str!("migrations/v3.sql") },
    Migration { version: 4, sql: include_str!("migrations/v4.sql") },
];

/// The version of the schema that this program writes.
pub const VERSION: u32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Whose file it is, by its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// Nothing is in it yet.
    Empty,
    /// Ours, with this version of the schema.
    Ours(u32),
    /// Another program's.
    Foreign,
}

/// Looks at a file's header and changes nothing.
pub(super) async fn header(connection: &mut SqliteConnection) -> sqlx::Result<Header> {
    let row = sqlx::query(
        "SELECT (SELECT application_id FROM pragma_application_id), \
                (SELECT user_version FROM pragma_user_version), \
                EXISTS (SELECT 1 FROM sqlite_schema)",
    )
    .fetch_one(connection)
    .await?;
    let (application, version, filled): (i32, i32, bool) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(match (application, u32::try_from(version)) {
        (APPLICATION_ID, Ok(version)) => Header::Ours(version),
        (0, Ok(0)) if !filled => Header::Empty,
        _ => Header::Foreign,
    })
}

/// Brings a file up to date, each step in a transaction of its own: it is done or it is not.
pub(super) async fn migrate(connection: &mut SqliteConnection, doing: Doing<'_>) -> Result<()> {
    migrate_by(connection, MIGRATIONS, doing).await
}

async fn migrate_by(
    connection: &mut SqliteConnection,
    migrations: &[Migration],
    doing: Doing<'_>,
) -> Result<()> {
    let newest = migrations.last().map_or(0, |migration| migration.version);
    let found = refuse_unknown(doing.map(header(connection).await)?, newest, doing)?;
    for migration in migrations.iter().filter(|migration| migration.version > found) {
        doing.map(step(connection, *migration).await)?;
    }
    Ok(())
}

/// The version of a file that can be used, 0 if there is nothing in it yet.
pub(super) fn refuse_unknown(header: Header, newest: u32, doing: Doing<'_>) -> Result<u32> {
    match header {
        Header::Empty => Ok(0),
        Header::Ours(version) if version <= newest => Ok(version),
        Header::Ours(version) => {
            let cause = format!(
                "its schema has version {version}, and this program knows versions up to {newest}"
            );
            Err(doing.failed(StorageFault::Newer, cause))
        }
        Header::Foreign => {
            Err(doing.failed(StorageFault::Foreign, "it is a database of another program"))
        }
    }
}

async fn step(connection: &mut SqliteConnection, migration: Migration) -> sqlx::Result<()> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    // Another process may have made the step while this one waited for its turn.
    if !matches!(header(&mut transaction).await?, Header::Ours(v) if v >= migration.version) {
        sqlx::raw_sql(migration.sql).execute(&mut *transaction).await?;
        // These take no bound values; both are numbers.
        let version = migration.version;
        let mark =
            format!("PRAGMA user_version = {version}; PRAGMA application_id = {APPLICATION_ID}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn doing() -> Doing<'static> {
        Doing { doing: "open", path: Path::new(":memory:") }
    }

    const STEPS: &[Migration] = &[
        Migration { version: 1, sql: "CREATE TABLE a (x); INSERT INTO a VALUES (1)" },
        Migration { version: 2, sql: "ALTER TABLE a ADD y; UPDATE a SET y = x + 1" },
        Migration { version: 3, sql: "CREATE TABLE b (z); INSERT INTO nowhere VALUES (1)" },
    ];

    async fn empty() -> SqliteConnection {
        SqliteConnection::connect("sqlite::memory:").await.unwrap()
    }

    #[test]
    fn versions_count_from_one_without_a_gap() {
        for (index, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.version, index);
        }
    }

    #[tokio::test]
    async fn steps_are_made_in_order_and_once() {
        let mut connection = empty().await;
        for _ in 0..2 {
            migrate_by(&mut connection, &STEPS[..2], doing()).await.unwrap();
            let row = sqlx::query("SELECT x, y FROM a").fetch_all(&mut connection).await.unwrap();
            assert_eq!((row.len(), row[0].get::<i64, _>("y")), (1, 2));
            assert_eq!(header(&mut connection).await.unwrap(), Header::Ours(2));
        }
    }

    #[tokio::test]
    async fn a_step_that_fails_leaves_the_version_before() {
        let mut connection = empty().await;
        let error = migrate_by(&mut connection, STEPS, doing()).await.unwrap_err();
        assert!(error.to_string().contains("nowhere"), "{error}");
        assert_eq!(header(&mut connection).await.unwrap(), Header::Ours(2));
        let made = "SELECT 1 FROM sqlite_schema WHERE name = 'b'";
        assert!(sqlx::query(made).fetch_optional(&mut connection).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_newer_schema_is_refused() {
        let mut connection = empty().await;
        migrate_by(&mut connection, &STEPS[..2], doing()).await.unwrap();
        let error = migrate_by(&mut connection, &STEPS[..1], doing()).await.unwrap_err();
        assert!(error.to_string().contains("version 2, and this program knows"), "{error}");
    }
}
