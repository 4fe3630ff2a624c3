//! The file of marks: SQLite, used by one thread. What is written is on the disk when a call ends.

use std::{
    io,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{
    Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteRow, SqliteSynchronous},
};
use tokio::runtime::Runtime;

use super::{
    lock::{Lock, LockDepth, LockScope, LockToken},
    property::{
        MAX_HOME_PROPERTIES, MAX_HOME_PROPERTY_BYTES, MAX_PROPERTIES, MAX_PROPERTY_BYTES, Property,
        PropertyChange, PropertyName,
    },
    spot::{Spot, beneath},
};
use crate::sqlite::{self, Query};

/// The version of the schema.
const VERSION: i32 = 1;

/// Written into the file's header: `mark`.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"mark");

const SCHEMA: &str = include_str!("schema.sql");

/// A path and all beneath it, after the home: its folder, its name, itself, and the stretch of what is deeper.
const SUBTREE: &str = "((folder = ?2 AND name = ?3) OR folder = ?4 OR (folder >= ?5 AND (?6 IS NULL OR folder < ?6)))";

/// An open file of marks, and what its calls run on.
pub(super) struct Database {
    runtime: Runtime,
    connection: SqliteConnection,
}

/// How much a home has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) properties: u64,
    pub(super) bytes: u64,
}

/// A move of files that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) id: i64,
    pub(super) source: Spot,
    /// The home that it leads to, which may be the same.
    pub(super) other: String,
    pub(super) target: Spot,
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// Whether properties were set, or how many there would be too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Done(Total),
    Full(&'static str),
}

impl Database {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let connection = runtime.block_on(connect(path)).map_err(io::Error::other)?;
        Ok(Self { runtime, connection })
    }

    /// Writes a copy of everything to a new file.
    pub(super) fn backup(&mut self, to: &str) -> sqlx::Result<()> {
        let query = sqlx::query("VACUUM INTO ?").bind(to.to_owned());
        self.runtime.block_on(query.execute(&mut self.connection)).map(drop)
    }

    pub(super) fn total(&mut self, home: &str) -> sqlx::Result<Total> {
        self.runtime.block_on(total(&mut self.connection, home))
    }

    /// The properties of each of these.
    pub(super) fn properties(
        &mut self,
        home: &str,
        of: &[Spot],
    ) -> sqlx::Result<Vec<Vec<Property>>> {
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            let mut all = Vec::with_capacity(of.len());
            for spot in of {
                all.push(properties(connection, home, spot).await?);
            }
            Ok(all)
        })
    }

    /// Makes all the changes, or none.
    pub(super) fn set(
        &mut self,
        home: &str,
        spot: &Spot,
        changes: &[PropertyChange],
    ) -> sqlx::Result<Setting> {
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            let mut transaction = connection.begin().await?;
            for change in changes {
                set(&mut transaction, home, spot, change).await?;
            }
            let now = total(&mut transaction, home).await?;
            let own = properties(&mut transaction, home, spot).await?;
            let bytes: u64 = own.iter().map(|property| property.value.len() as u64).sum();
            let only_removed =
                changes.iter().all(|change| matches!(change, PropertyChange::Remove(_)));
            let full = match () {
                () if only_removed => None,
                () if own.len() as u64 > MAX_PROPERTIES => Some("it has too many properties"),
                () if bytes > MAX_PROPERTY_BYTES => Some("its properties are too long"),
                () if now.properties > MAX_HOME_PROPERTIES => {
                    Some("there are too many properties here")
                }
                () if now.bytes > MAX_HOME_PROPERTY_BYTES => {
                    Some("the properties here are too long")
                }
                () => None,
            };
            match full {
                Some(why) => transaction.rollback().await.map(|()| Setting::Full(why)),
                None => transaction.commit().await.map(|()| Setting::Done(now)),
            }
        })
    }

    /// Forgets the properties of this and all beneath it.
    pub(super) fn forget(&mut self, home: &str, spot: &Spot) -> sqlx::Result<Total> {
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            forget(connection, home, spot).await?;
            total(connection, home).await
        })
    }

    /// Gives the properties of this and all beneath it to what was copied from it, instead of those that it had.
    pub(super) fn copy(
        &mut self,
        (home, source): (&str, &Spot),
        (other, target): (&str, &Spot),
    ) -> sqlx::Result<Total> {
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            let mut transaction = connection.begin().await?;
            forget(&mut transaction, other, target).await?;
            let (folder, name) = target.split();
            let sql = format!(
                "INSERT INTO property (home, folder, name, space, local, value)
                 SELECT ?7, CASE WHEN folder = ?2 AND name = ?3 THEN ?8 WHEN folder = ?4 THEN ?9
                     ELSE CAST(?9 || ?12 || substr(folder, ?10) AS BLOB) END,
                     iif(folder = ?2 AND name = ?3, ?11, name), space, local, value
                 FROM property WHERE home = ?1 AND {SUBTREE}
                     AND NOT (folder = x'' AND substr(name, 1, 1) = x'00')"
            );
            // What lies in a home itself has no slash in front.
            let slash: &[u8] = if source.as_bytes().is_empty() { b"/" } else { b"" };
            let query = subtree(&sql, home, source)
                .bind(other)
                .bind(folder)
                .bind(target.as_bytes())
                .bind(position_after(source))
                .bind(name)
                .bind(slash);
            query.execute(&mut *transaction).await?;
            let now = total(&mut transaction, other).await?;
            transaction.commit().await?;
            Ok(now)
        })
    }

    /// Whether anything is known of this or beneath it.
    pub(super) fn knows(&mut self, home: &str, spot: &Spot) -> sqlx::Result<bool> {
        self.runtime.block_on(knows(&mut self.connection, home, spot))
    }

    /// Writes down that files are about to be moved, if anything is known of them or of what gives way; `None` if not.
    pub(super) fn begin_move(&mut self, home: &str, it: &Move) -> sqlx::Result<Option<i64>> {
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            if !knows(connection, home, &it.source).await?
                && !knows(connection, &it.other, &it.target).await?
            {
                return Ok(None);
            }
            let query = sqlx::query(
                "INSERT INTO move (home, source, other, target, device, inode)
                 VALUES (?, ?, ?, ?, ?, ?)",
            );
            let query = query
                .bind(home)
                .bind(it.source.as_bytes())
                .bind(&*it.other)
                .bind(it.target.as_bytes())
                .bind(it.device.cast_signed())
                .bind(it.inode.cast_signed());
            Ok(Some(query.execute(connection).await?.last_insert_rowid()))
        })
    }

    /// Carries out a move whose files are where they belong, and gives the totals of both homes.
    pub(super) fn end_move(&mut self, home: &str, it: &Move) -> sqlx::Result<(Total, Total)> {
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            let mut transaction = connection.begin().await?;
            forget(&mut transaction, &it.other, &it.target).await?;
            let (folder, name) = it.target.split();
            let sql = format!(
                "UPDATE property SET home = ?7,
                     folder = iif(folder = ?2 AND name = ?3, ?8,
                         CAST(?9 || substr(folder, ?10) AS BLOB)),
                     name = iif(folder = ?2 AND name = ?3, ?11, name)
                 WHERE home = ?1 AND {SUBTREE}"
            );
            let query = subtree(&sql, home, &it.source)
                .bind(&*it.other)
                .bind(folder)
                .bind(it.target.as_bytes())
                .bind(position_after(&it.source))
                .bind(name);
            query.execute(&mut *transaction).await?;
            forget_move(it.id).execute(&mut *transaction).await?;
            let totals =
                (total(&mut transaction, home).await?, total(&mut transaction, &it.other).await?);
            transaction.commit().await?;
            Ok(totals)
        })
    }

    /// The files were not moved after all.
    pub(super) fn cancel_move(&mut self, id: i64) -> sqlx::Result<()> {
        self.runtime.block_on(forget_move(id).execute(&mut self.connection)).map(drop)
    }

    /// Moves out of this home that were begun.
    pub(super) fn moves(&mut self, home: &str) -> sqlx::Result<Vec<Move>> {
        let query = sqlx::query(
            "SELECT id, source, other, target, device, inode FROM move WHERE home = ? ORDER BY id",
        );
        let rows = self.runtime.block_on(query.bind(home).fetch_all(&mut self.connection))?;
        rows.iter().map(read_move).collect()
    }

    pub(super) fn locks(&mut self, home: &str) -> sqlx::Result<Vec<Lock>> {
        let query = sqlx::query("SELECT * FROM lock WHERE home = ?").bind(home);
        let rows = self.runtime.block_on(query.fetch_all(&mut self.connection))?;
        rows.iter().filter_map(|row| read_lock(row).transpose()).collect()
    }

    /// Keeps a lock, in place of the one of the same name.
    pub(super) fn put_lock(&mut self, home: &str, lock: &Lock) -> sqlx::Result<()> {
        let query = sqlx::query("INSERT OR REPLACE INTO lock VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let query = query
            .bind(&lock.token.to_bytes()[..])
            .bind(home)
            .bind(lock.path.as_bytes())
            .bind(lock.scope == LockScope::Exclusive)
            .bind(lock.depth == LockDepth::Infinity)
            .bind(&*lock.holder)
            .bind(&*lock.owner)
            .bind(seconds(lock.timeout))
            .bind(seconds(lock.expires.duration_since(UNIX_EPOCH).unwrap_or_default()));
        self.runtime.block_on(query.execute(&mut self.connection)).map(drop)
    }

    pub(super) fn remove_locks(&mut self, tokens: &[LockToken]) -> sqlx::Result<()> {
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            let mut transaction = connection.begin().await?;
            for token in tokens {
                let query = sqlx::query("DELETE FROM lock WHERE token = ?");
                query.bind(&token.to_bytes()[..]).execute(&mut *transaction).await?;
            }
            transaction.commit().await
        })
    }
}

async fn connect(path: &Path) -> sqlx::Result<SqliteConnection> {
    let mut connection = sqlite::connect(path, SqliteSynchronous::Full).await?;
    let header = sqlx::query(
        "SELECT (SELECT application_id FROM pragma_application_id), \
                (SELECT user_version FROM pragma_user_version), \
                EXISTS (SELECT 1 FROM sqlite_schema)",
    );
    let row = header.fetch_one(&mut connection).await?;
    let (application, version, filled): (i32, i32, bool) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    match (application, version) {
        (APPLICATION_ID, VERSION) => Ok(connection),
        (0, 0) if !filled => {
            let mut transaction = connection.begin().await?;
            sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
            let marks = format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(marks)).execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(connection)
        }
        (APPLICATION_ID, newer) => Err(sqlx::Error::Protocol(format!(
            "it has version {newer}, and this program knows {VERSION}: it was written by a newer one"
        ))),
        _ => Err(sqlx::Error::Protocol("it is another program's file".to_owned())),
    }
}

/// Binds a home and a path with all beneath it, as [`SUBTREE`] has them.
fn subtree<'q>(sql: &'q str, home: &'q str, spot: &'q Spot) -> Query<'q> {
    let ((folder, name), below) = (spot.split(), beneath(spot.as_bytes()));
    let (from, to) = below.bounds();
    // Put together of constants alone.
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
        .bind(home)
        .bind(folder)
        .bind(name)
        .bind(spot.as_bytes())
        .bind(from.to_vec())
        .bind(to.map(<[u8]>::to_vec))
}

/// Where in a folder beneath it, counted from 1, what comes after the path begins.
fn position_after(spot: &Spot) -> i64 {
    i64::try_from(spot.as_bytes().len()).unwrap_or(i64::MAX).saturating_add(1)
}

async fn knows(connection: &mut SqliteConnection, home: &str, spot: &Spot) -> sqlx::Result<bool> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM property WHERE home = ?1 AND {SUBTREE})");
    subtree(&sql, home, spot).fetch_one(connection).await?.try_get(0)
}

async fn forget(connection: &mut SqliteConnection, home: &str, spot: &Spot) -> sqlx::Result<()> {
    let sql = format!("DELETE FROM property WHERE home = ?1 AND {SUBTREE}");
    subtree(&sql, home, spot).execute(connection).await.map(drop)
}

fn forget_move(id: i64) -> Query<'static> {
    sqlx::query("DELETE FROM move WHERE id = ?").bind(id)
}

async fn total(connection: &mut SqliteConnection, home: &str) -> sqlx::Result<Total> {
    let query = sqlx::query("SELECT properties, bytes FROM total WHERE home = ?").bind(home);
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(Total::default()) };
    let (properties, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Total { properties: properties.max(0).cast_unsigned(), bytes: bytes.max(0).cast_unsigned() })
}

async fn properties(
    connection: &mut SqliteConnection,
    home: &str,
    spot: &Spot,
) -> sqlx::Result<Vec<Property>> {
    let (folder, name) = spot.split();
    let query = sqlx::query(
        "SELECT space, local, value FROM property WHERE home = ? AND folder = ? AND name = ?
         ORDER BY space, local",
    );
    let rows = query.bind(home).bind(folder).bind(name).fetch_all(connection).await?;
    let read = |row: &SqliteRow| {
        let (space, local): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let name = PropertyName::new(space, local);
        Ok(Property { name, value: row.try_get::<&str, _>(2)?.into() })
    };
    rows.iter().map(read).collect()
}

async fn set(
    connection: &mut SqliteConnection,
    home: &str,
    spot: &Spot,
    change: &PropertyChange,
) -> sqlx::Result<()> {
    let (folder, name) = spot.split();
    let (property, value) = match change {
        PropertyChange::Set(property) => (&property.name, Some(&*property.value)),
        PropertyChange::Remove(name) => (name, None),
    };
    // Taken out first, so that the triggers see what goes and what comes.
    let query = sqlx::query(
        "DELETE FROM property
         WHERE home = ? AND folder = ? AND name = ? AND space = ? AND local = ?",
    );
    let query = query.bind(home).bind(folder).bind(name);
    query.bind(&*property.space).bind(&*property.local).execute(&mut *connection).await?;
    if let Some(value) = value {
        let query = sqlx::query(
            "INSERT INTO property (home, folder, name, space, local, value)
             VALUES (?, ?, ?, ?, ?, ?)",
        );
        let query = query.bind(home).bind(folder).bind(name);
        let query = query.bind(&*property.space).bind(&*property.local).bind(value);
        query.execute(connection).await?;
    }
    Ok(())
}

fn read_move(row: &SqliteRow) -> sqlx::Result<Move> {
    let number = |at: usize| row.try_get::<i64, _>(at).map(i64::cast_unsigned);
    Ok(Move {
        id: row.try_get(0)?,
        source: Spot::from_bytes(row.try_get(1)?),
        other: row.try_get(2)?,
        target: Spot::from_bytes(row.try_get(3)?),
        device: number(4)?,
        inode: number(5)?,
    })
}

/// Nothing of what cannot be a lock.
fn read_lock(row: &SqliteRow) -> sqlx::Result<Option<Lock>> {
    let (token, path): (&[u8], &[u8]) = (row.try_get("token")?, row.try_get("path")?);
    let (Ok(token), Ok(path)) = (token.try_into(), crate::FilePath::parse(path)) else {
        return Ok(None);
    };
    let seconds = |name: &str| -> sqlx::Result<Duration> {
        let seconds: i64 = row.try_get(name)?;
        Ok(Duration::from_secs(seconds.max(0).cast_unsigned()))
    };
    let (exclusive, infinite): (bool, bool) = (row.try_get("exclusive")?, row.try_get("infinite")?);
    let text = |name: &str| Ok::<Box<str>, sqlx::Error>(row.try_get::<&str, _>(name)?.into());
    let expires: SystemTime = UNIX_EPOCH + seconds("expires")?;
    Ok(Some(Lock {
        token: LockToken::from_bytes(token),
        path,
        scope: if exclusive { LockScope::Exclusive } else { LockScope::Shared },
        depth: if infinite { LockDepth::Infinity } else { LockDepth::Zero },
        holder: text("holder")?,
        owner: text("owner")?,
        timeout: seconds("seconds")?,
        expires,
    }))
}
