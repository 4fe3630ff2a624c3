//! What is looked up: each question is one statement, answered from an index.

use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, sqlite::SqliteRow};

use super::Sqlite;
use crate::{
    Account, AccountId, AccountQuery, Grant, Key, MAX_PAGE, Page, Prefix, Quota, Record, Rights,
    Share, ShareId, Shared, SharedId, SharedName, SignIn, SignInId, Token, TokenHash, TokenId, Who,
    share::ShareKind,
    source::{ShareRecord, SignInRecord, TokenRecord},
};

/// An account with its grants in one row; the grants are a JSON list of pairs.
macro_rules! select_accounts {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, role, locked, password, must_change, quota_bytes, quota_entries, \
             created, revision, (SELECT json_group_array(json_array(prefix, rights) ORDER BY prefix) \
             FROM grants WHERE account = accounts.id) AS grants FROM accounts ",
            $rest
        )
    };
}

const TOKEN: &str = "SELECT id, account, label, hash, prefix, rights, protocols, expires, last_used, \
                     created FROM tokens";

const SHARED: &str = "SELECT id, name, quota_bytes, quota_entries, created FROM shared";

const SHARE: &str = "SELECT id, account, label, path, kind, expires, downloads, downloaded, max_bytes, \
     max_files, taken_bytes, taken_files, password, \
                     created FROM shares";

const SIGN_IN: &str =
    "SELECT id, account, hash, address, agent, expires, last_used, created FROM sign_ins";

impl Sqlite {
    pub(super) async fn read_account(&self, who: &Who) -> sqlx::Result<Option<Record>> {
        let mut connection = self.readers.acquire().await?;
        match who {
            Who::Id(id) => account(&mut connection, *id).await,
            Who::Name(name) => {
                let found = sqlx::query(select_accounts!("WHERE name = ?")).bind(name.as_str());
                found.fetch_optional(&mut *connection).await?.as_ref().map(record).transpose()
            }
        }
    }

    pub(super) async fn read_page(&self, query: &AccountQuery) -> sqlx::Result<Page<Account>> {
        let limit = query.bounded_limit();
        let start = query.folded_start();
        // Only what is asked for is said, so that the right index is taken; no value is in the text.
        let mut sql = select_accounts!("WHERE name >= ? ").to_owned();
        if !start.is_empty() {
            sql.push_str("AND name < ? ");
        }
        if query.after.is_some() {
            sql.push_str("AND name > ? ");
        }
        if query.role.is_some() {
            sql.push_str("AND role = ? ");
        }
        if let Some(locked) = query.locked {
            sql.push_str(if locked { "AND locked = 1 " } else { "AND locked = 0 " });
        }
        sql.push_str("ORDER BY name LIMIT ?");
        let mut found = sqlx::query(AssertSqlSafe(sql)).bind(start.clone());
        if !start.is_empty() {
            // Names are ASCII: nothing that begins with the start sorts after this.
            found = found.bind(format!("{start}\u{7f}"));
        }
        if let Some(after) = &query.after {
            found = found.bind(after.as_str().to_owned());
        }
        if let Some(role) = query.role {
            found = found.bind(role.as_str());
        }
        let found = found.bind(integer(limit + 1)).fetch_all(&self.readers).await?;
        let accounts = found.iter().map(|row| Ok(record(row)?.account));
        Ok(Page::of_accounts(accounts.collect::<sqlx::Result<_>>()?, limit))
    }

    pub(super) async fn read_token(&self, id: TokenId) -> sqlx::Result<Option<TokenRecord>> {
        let found = sqlx::query(AssertSqlSafe(format!("{TOKEN} WHERE id = ?")));
        let found = found.bind(bytes(id.to_bytes())).fetch_optional(&self.readers).await?;
        found.as_ref().map(token).transpose()
    }

    pub(super) async fn read_tokens(&self, owner: AccountId) -> sqlx::Result<Vec<Token>> {
        let found = sqlx::query(AssertSqlSafe(format!("{TOKEN} WHERE account = ? ORDER BY id")));
        let found = found.bind(bytes(owner.to_bytes())).fetch_all(&self.readers).await?;
        found.iter().map(|row| Ok(token(row)?.token)).collect()
    }

    pub(super) async fn read_keys(&self, owner: AccountId) -> sqlx::Result<Vec<Key>> {
        sqlx::query(
            "SELECT line, fingerprint, created FROM keys WHERE account = ? ORDER BY created",
        )
        .bind(bytes(owner.to_bytes()))
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(|row| {
            Ok(Key {
                key: parsed(row, "line")?,
                fingerprint: row.try_get("fingerprint")?,
                created: time(row, "created")?,
            })
        })
        .collect()
    }

    pub(super) async fn read_share(&self, id: ShareId) -> sqlx::Result<Option<ShareRecord>> {
        let found = sqlx::query(AssertSqlSafe(format!("{SHARE} WHERE id = ?")));
        let found = found.bind(bytes(id.to_bytes())).fetch_optional(&self.readers).await?;
        found.as_ref().map(share).transpose()
    }

    pub(super) async fn read_shares(
        &self,
        of: Option<AccountId>,
        after: Option<ShareId>,
        limit: usize,
    ) -> sqlx::Result<Page<Share>> {
        let limit = limit.clamp(1, MAX_PAGE);
        let whose = if of.is_some() { "AND account = ? " } else { "" };
        let sql = format!("{SHARE} WHERE id > ? {whose}ORDER BY id LIMIT ?");
        let first = after.map_or_else(Vec::new, |after| bytes(after.to_bytes()));
        let mut found = sqlx::query(AssertSqlSafe(sql)).bind(first);
        if let Some(account) = of {
            found = found.bind(bytes(account.to_bytes()));
        }
        let found = found.bind(integer(limit + 1)).fetch_all(&self.readers).await?;
        let shares = found.iter().map(|row| Ok(share(row)?.share));
        Ok(Page::cut(shares.collect::<sqlx::Result<_>>()?, limit))
    }

    pub(super) async fn read_sign_in(&self, id: SignInId) -> sqlx::Result<Option<SignInRecord>> {
        let found = sqlx::query(AssertSqlSafe(format!("{SIGN_IN} WHERE id = ?")));
        let found = found.bind(bytes(id.to_bytes())).fetch_optional(&self.readers).await?;
        found.as_ref().map(sign_in).transpose()
    }

    pub(super) async fn read_sign_ins(&self, owner: AccountId) -> sqlx::Result<Vec<SignIn>> {
        let found = sqlx::query(AssertSqlSafe(format!("{SIGN_IN} WHERE account = ? ORDER BY id")));
        let found = found.bind(bytes(owner.to_bytes())).fetch_all(&self.readers).await?;
        found.iter().map(|row| Ok(sign_in(row)?.sign_in)).collect()
    }

    pub(super) async fn read_shared(&self, name: &SharedName) -> sqlx::Result<Option<Shared>> {
        let found = sqlx::query(AssertSqlSafe(format!("{SHARED} WHERE folded = ? AND name = ?")));
        let found = found.bind(name.folded()).bind(name.as_str());
        found.fetch_optional(&self.readers).await?.as_ref().map(shared).transpose()
    }

    pub(super) async fn read_shared_page(
        &self,
        after: Option<&SharedName>,
        limit: usize,
    ) -> sqlx::Result<Page<Shared>> {
        let limit = limit.clamp(1, MAX_PAGE);
        let sql = format!("{SHARED} WHERE folded > ? ORDER BY folded LIMIT ?");
        let found = sqlx::query(AssertSqlSafe(sql))
            .bind(after.map(SharedName::folded).unwrap_or_default())
            .bind(integer(limit + 1))
            .fetch_all(&self.readers)
            .await?;
        Ok(Page::cut(found.iter().map(shared).collect::<sqlx::Result<_>>()?, limit))
    }
}

/// The account with this id, as this connection sees it now.
pub(super) async fn account(
    connection: &mut SqliteConnection,
    id: AccountId,
) -> sqlx::Result<Option<Record>> {
    let found = sqlx::query(select_accounts!("WHERE id = ?")).bind(bytes(id.to_bytes()));
    found.fetch_optional(connection).await?.as_ref().map(record).transpose()
}

/// The shared folder with this id, as this connection sees it now.
pub(super) async fn shared_by_id(
    connection: &mut SqliteConnection,
    id: SharedId,
) -> sqlx::Result<Option<Shared>> {
    let found = sqlx::query(AssertSqlSafe(format!("{SHARED} WHERE id = ?")));
    let found = found.bind(bytes(id.to_bytes()));
    found.fetch_optional(connection).await?.as_ref().map(shared).transpose()
}

/// An id as it stands in the file.
pub(super) fn bytes(id: [u8; 16]) -> Vec<u8> {
    id.to_vec()
}

/// A number as SQLite has them; what does not fit is beyond every limit.
pub(super) fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

fn record(row: &SqliteRow) -> sqlx::Result<Record> {
    let password: Option<String> = row.try_get("password")?;
    let account = Account {
        id: AccountId::from_bytes(fixed(row, "id")?),
        name: parsed(row, "name")?,
        role: parsed(row, "role")?,
        locked: row.try_get("locked")?,
        has_password: password.is_some(),
        must_change: row.try_get("must_change")?,
        quota: quota(row)?,
        grants: grants(row)?,
        created: time(row, "created")?,
        revision: count(row, "revision")?.unwrap_or_default(),
    };
    let password = password.map(|_| parsed(row, "password")).transpose()?;
    Ok(Record { account, password })
}

#[derive(Deserialize)]
struct GrantRow(Prefix, Rights);

fn grants(row: &SqliteRow) -> sqlx::Result<Vec<Grant>> {
    let text: &str = row.try_get("grants")?;
    if text == "[]" {
        return Ok(Vec::new());
    }
    let rows: Vec<GrantRow> =
        serde_json::from_str(text).map_err(|error| nonsense("grants", error))?;
    Ok(rows.into_iter().map(|GrantRow(prefix, rights)| Grant { prefix, rights }).collect())
}

fn token(row: &SqliteRow) -> sqlx::Result<TokenRecord> {
    let token = Token {
        id: TokenId::from_bytes(fixed(row, "id")?),
        account: AccountId::from_bytes(fixed(row, "account")?),
        label: row.try_get("label")?,
        prefix: parsed(row, "prefix")?,
        rights: parsed(row, "rights")?,
        protocols: parsed(row, "protocols")?,
        expires: optional_time(row, "expires")?,
        last_used: optional_time(row, "last_used")?,
        created: time(row, "created")?,
    };
    Ok(TokenRecord { token, hash: TokenHash::from_bytes(fixed(row, "hash")?) })
}

fn share(row: &SqliteRow) -> sqlx::Result<ShareRecord> {
    let password: Option<String> = row.try_get("password")?;
    let kind: &str = row.try_get("kind")?;
    let share = Share {
        id: ShareId::from_bytes(fixed(row, "id")?),
        account: AccountId::from_bytes(fixed(row, "account")?),
        label: row.try_get("label")?,
        path: parsed(row, "path")?,
        // The schema has no third.
        kind: if kind == "upload" { ShareKind::Upload } else { ShareKind::Download },
        expires: optional_time(row, "expires")?,
        downloads: count(row, "downloads")?,
        downloaded: count(row, "downloaded")?.unwrap_or_default(),
        max_bytes: count(row, "max_bytes")?,
        max_files: count(row, "max_files")?,
        taken_bytes: count(row, "taken_bytes")?.unwrap_or_default(),
        taken_files: count(row, "taken_files")?.unwrap_or_default(),
        has_password: password.is_some(),
        created: time(row, "created")?,
    };
    let password = password.map(|_| parsed(row, "password")).transpose()?;
    Ok(ShareRecord { share, password })
}

fn sign_in(row: &SqliteRow) -> sqlx::Result<SignInRecord> {
    let address: Option<&str> = row.try_get("address")?;
    let address = address.map(|_| parsed(row, "address")).transpose()?;
    let sign_in = SignIn {
        id: SignInId::from_bytes(fixed(row, "id")?),
        account: AccountId::from_bytes(fixed(row, "account")?),
        address,
        agent: row.try_get("agent")?,
        expires: time(row, "expires")?,
        last_used: time(row, "last_used")?,
        created: time(row, "created")?,
    };
    Ok(SignInRecord { sign_in, hash: TokenHash::from_bytes(fixed(row, "hash")?) })
}

fn shared(row: &SqliteRow) -> sqlx::Result<Shared> {
    Ok(Shared {
        id: SharedId::from_bytes(fixed(row, "id")?),
        name: parsed(row, "name")?,
        quota: quota(row)?,
        created: time(row, "created")?,
    })
}

fn quota(row: &SqliteRow) -> sqlx::Result<Quota> {
    Ok(Quota { bytes: count(row, "quota_bytes")?, entries: count(row, "quota_entries")? })
}

/// A text column parsed by the type's own rules: what is in the file is not trusted to be right.
fn parsed<T: FromStr>(row: &SqliteRow, column: &'static str) -> sqlx::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error| nonsense(column, error))
}

fn fixed<const N: usize>(row: &SqliteRow, column: &'static str) -> sqlx::Result<[u8; N]> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|error| nonsense(column, error))
}

fn count(row: &SqliteRow, column: &'static str) -> sqlx::Result<Option<u64>> {
    let number: Option<i64> = row.try_get(column)?;
    number.map(|n| n.try_into().map_err(|error| nonsense(column, error))).transpose()
}

fn time(row: &SqliteRow, column: &'static str) -> sqlx::Result<Timestamp> {
    Ok(optional_time(row, column)?.unwrap_or_default())
}

fn optional_time(row: &SqliteRow, column: &'static str) -> sqlx::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.try_get(column)?;
    let from = |n| Timestamp::from_millisecond(n).map_err(|error| nonsense(column, error));
    millis.map(from).transpose()
}

fn nonsense(
    column: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) }
}
