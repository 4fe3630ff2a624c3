//! What is changed: each edit is one transaction.

use std::path::Path;

use jiff::Timestamp;
use sqlx::{
    Connection as _, Sqlite as Db, SqliteConnection, query::Query, sqlite::SqliteArguments,
};

use super::{
    Sqlite, open,
    read::{self, bytes, integer},
};
use crate::{
    Account, AccountEdit, AccountId, AccountName, Changed, Edit, Error, Grant, Key, MAX_GRANTS,
    MAX_KEYS, MAX_SHARES, MAX_SIGN_INS, MAX_TOKENS, NewAccount, PasswordHash, Quota, Result, Share,
    ShareId, Shared, SharedId, SignIn, SignInId, Token, TokenHash, TokenId, Who,
};

/// Why an edit was not made.
pub(super) enum Failed {
    /// It breaks a rule.
    Refused(Error),
    /// The file failed.
    Sqlx(sqlx::Error),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

type Written<T> = Result<T, Failed>;
type Statement = Query<'static, Db, SqliteArguments>;

impl Sqlite {
    pub(super) async fn write(&self, edit: &Edit) -> Written<Changed> {
        let mut connection = self.writer.acquire().await?;
        let written = in_transaction(&mut connection, edit).await;
        if matches!(written, Err(Failed::Sqlx(_))) {
            // On a full disk SQLite ends the transaction by itself, which sqlx does not notice: no other could be
            // begun on this connection.
            let _ = connection.close().await;
        }
        written
    }

    pub(super) async fn write_use(&self, token: TokenId, at: Timestamp) -> sqlx::Result<()> {
        sqlx::query("UPDATE tokens SET last_used = ? WHERE id = ?")
            .bind(at.as_millisecond())
            .bind(bytes(token.to_bytes()))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn write_sign_in_use(&self, id: SignInId, at: Timestamp) -> sqlx::Result<()> {
        sqlx::query("UPDATE sign_ins SET last_used = ? WHERE id = ?")
            .bind(at.as_millisecond())
            .bind(bytes(id.to_bytes()))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn write_download(&self, share: ShareId) -> sqlx::Result<bool> {
        let counted = sqlx::query(
            "UPDATE shares SET downloaded = downloaded + 1 \
             WHERE id = ? AND (downloads IS NULL OR downloaded < downloads)",
        );
        let counted = counted.bind(bytes(share.to_bytes())).execute(&self.writer).await?;
        Ok(counted.rows_affected() == 1)
    }

    pub(super) async fn write_drop(&self, share: ShareId, bytes: u64) -> sqlx::Result<bool> {
        let counted = sqlx::query(
            "UPDATE shares SET taken_files = taken_files + 1, taken_bytes = taken_bytes + ?1 \
             WHERE id = ?2 AND (max_files IS NULL OR taken_files < max_files) \
             AND (max_bytes IS NULL OR taken_bytes + ?1 <= max_bytes)",
        );
        let counted = counted.bind(integer(bytes)).bind(self::bytes(share.to_bytes()));
        Ok(counted.execute(&self.writer).await?.rows_affected() == 1)
    }

    pub(super) async fn take_drop_back(&self, share: ShareId, bytes: u64) -> sqlx::Result<()> {
        let back = sqlx::query(
            "UPDATE shares SET taken_files = max(taken_files - 1, 0), \
             taken_bytes = max(taken_bytes - ?1, 0) WHERE id = ?2",
        );
        let back = back.bind(integer(bytes)).bind(self::bytes(share.to_bytes()));
        back.execute(&self.writer).await.map(drop)
    }

    pub(super) async fn copy_to(&self, to: &Path) -> Result<()> {
        let mut doing = self.doing("copy the accounts to");
        doing.path = to;
        doing.io(open::create(to))?;
        let text = to.to_str().ok_or(Error::Invalid("the name of the copy is not UTF-8"))?;
        let copy = sqlx::query("VACUUM INTO ?").bind(text.to_owned()).execute(&self.writer).await;
        doing.map(copy).map(|_| ())
    }
}

async fn in_transaction(on: &mut SqliteConnection, edit: &Edit) -> Written<Changed> {
    let mut transaction = on.begin_with("BEGIN IMMEDIATE").await?;
    // Dropped before the end, the transaction is rolled back.
    let changed = apply(&mut transaction, edit).await?;
    transaction.commit().await?;
    Ok(changed)
}

async fn apply(on: &mut SqliteConnection, edit: &Edit) -> Written<Changed> {
    match edit {
        Edit::Add(accounts) => {
            for new in accounts {
                add(on, new).await?;
            }
        }
        Edit::Remove(id) => remove(on, *id).await?,
        Edit::Account(id, edit) => return Ok(Changed::Account(change(on, *id, edit).await?)),
        Edit::Rehash(id, from, to) => {
            let sql = "UPDATE accounts SET password = ? WHERE id = ? AND password = ?";
            let new = sqlx::query(sql).bind(to.to_string()).bind(bytes(id.to_bytes()));
            new.bind(from.to_string()).execute(on).await?;
        }
        Edit::SignIn(sign_in, hash, revision) => add_sign_in(on, sign_in, hash, *revision).await?,
        Edit::SignOut(id, sign_in) => {
            let account = existing(on, *id).await?;
            let old = of_account("DELETE FROM sign_ins WHERE account = ? AND id = ?", *id);
            let old = old.bind(bytes(sign_in.to_bytes()));
            execute_one(old, on, &account.name, "sign-in").await?;
        }
        Edit::AddShared(shared) => add_shared(on, shared).await?,
        Edit::RemoveShared(id) => {
            remove_shared(on, *id).await?;
            return Ok(Changed::Many);
        }
        Edit::SetSharedQuota(id, quota) => {
            let found = read::shared_by_id(&mut *on, *id).await?;
            let shared = found.ok_or_else(|| Error::NoShared(id.to_string()))?;
            let quota = quota.decide(shared.quota);
            let sql = "UPDATE shared SET quota_bytes = ?, quota_entries = ? WHERE id = ?";
            bind_quota(sqlx::query(sql), &quota).bind(bytes(id.to_bytes())).execute(on).await?;
            return Ok(Changed::Shared(Shared { quota, ..shared }));
        }
    }
    Ok(Changed::Nothing)
}

async fn add(on: &mut SqliteConnection, new: &NewAccount) -> Written<()> {
    let sql = "INSERT INTO accounts (id, name, role, password, must_change, quota_bytes, \
               quota_entries, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let insert = sqlx::query(sql)
        .bind(bytes(new.id.to_bytes()))
        .bind(new.name.as_str().to_owned())
        .bind(new.role.as_str())
        .bind(new.password.as_ref().map(ToString::to_string))
        .bind(new.must_change);
    let insert = bind_quota(insert, &new.quota).bind(new.created.as_millisecond());
    execute_unique(insert, on, || Error::NameTaken(new.name.clone())).await
}

async fn remove(on: &mut SqliteConnection, id: AccountId) -> Written<()> {
    let before = existing(on, id).await?;
    // Grants, tokens, keys, shares and sign-ins go with it (ON DELETE CASCADE).
    of_account("DELETE FROM accounts WHERE id = ?", id).execute(&mut *on).await?;
    keep_an_admin(on, &before).await
}

/// Makes one change of one account and answers with what the account is then.
async fn change(on: &mut SqliteConnection, id: AccountId, edit: &AccountEdit) -> Written<Account> {
    let before = existing(on, id).await?;
    let key = bytes(id.to_bytes());
    let set = |sql: &'static str| sqlx::query(sql);
    if edit.ends_sign_ins() {
        of_account("DELETE FROM sign_ins WHERE account = ?", id).execute(&mut *on).await?;
    }
    match edit {
        AccountEdit::Rename(name) => {
            let new = set("UPDATE accounts SET name = ? WHERE id = ?");
            let new = new.bind(name.as_str().to_owned()).bind(key);
            execute_unique(new, on, || Error::NameTaken(name.clone())).await?;
        }
        AccountEdit::Lock(locked) => {
            let new = set("UPDATE accounts SET locked = ? WHERE id = ?").bind(*locked);
            new.bind(key).execute(&mut *on).await?;
        }
        AccountEdit::Password(hash, must_change) => {
            let new = set("UPDATE accounts SET password = ?, must_change = ? WHERE id = ?");
            new.bind(hash.to_string()).bind(*must_change).bind(key).execute(&mut *on).await?;
        }
        AccountEdit::Brought(hash, role, quota) => {
            let new = set(
                "UPDATE accounts SET password = ?, must_change = FALSE, role = ?, quota_bytes = ?, \
                           quota_entries = ? WHERE id = ?",
            );
            let new = new.bind(hash.to_string()).bind(role.unwrap_or(before.role).as_str());
            bind_quota(new, &quota.decide(before.quota)).bind(key).execute(&mut *on).await?;
        }
        AccountEdit::Quota(quota) => {
            let new = set("UPDATE accounts SET quota_bytes = ?, quota_entries = ? WHERE id = ?");
            bind_quota(new, &quota.decide(before.quota)).bind(key).execute(&mut *on).await?;
        }
        AccountEdit::Role(role) => {
            let new = set("UPDATE accounts SET role = ? WHERE id = ?").bind(role.as_str());
            new.bind(key).execute(&mut *on).await?;
        }
        AccountEdit::Grant(grant) => put_grant(on, &before, grant).await?,
        AccountEdit::Ungrant(prefix) => {
            let old = of_account("DELETE FROM grants WHERE account = ? AND prefix = ?", id);
            execute_one(old.bind(prefix.as_str().to_owned()), on, &before.name, "grant").await?;
        }
        AccountEdit::AddKey(key) => add_key(on, &before, key).await?,
        AccountEdit::RemoveKey(fingerprint) => {
            let old = of_account("DELETE FROM keys WHERE account = ? AND fingerprint = ?", id);
            execute_one(old.bind(fingerprint.clone()), on, &before.name, "key").await?;
        }
        AccountEdit::AddToken(token, hash) => add_token(on, &before, token, hash).await?,
        AccountEdit::RemoveToken(token) => {
            let old = of_account("DELETE FROM tokens WHERE account = ? AND id = ?", id);
            execute_one(old.bind(bytes(token.to_bytes())), on, &before.name, "token").await?;
        }
        AccountEdit::AddShare(share, password) => {
            add_share(on, &before, share, password.as_ref()).await?;
        }
        AccountEdit::RemoveShare(share) => {
            let old = of_account("DELETE FROM shares WHERE account = ? AND id = ?", id);
            execute_one(old.bind(bytes(share.to_bytes())), on, &before.name, "share").await?;
        }
    }
    let counted = of_account("UPDATE accounts SET revision = revision + 1 WHERE id = ?", id);
    counted.execute(&mut *on).await?;
    let after = existing(on, id).await?;
    if !after.administers() {
        keep_an_admin(on, &before).await?;
    }
    Ok(after)
}

async fn put_grant(on: &mut SqliteConnection, account: &Account, grant: &Grant) -> Written<()> {
    let is_new = account.grants.iter().all(|known| known.prefix != grant.prefix);
    if is_new && account.grants.len() >= MAX_GRANTS {
        return Err(Error::TooMany { what: "grants", most: MAX_GRANTS }.into());
    }
    let sql = "INSERT INTO grants (account, prefix, rights) VALUES (?, ?, ?) \
               ON CONFLICT (account, prefix) DO UPDATE SET rights = excluded.rights";
    of_account(sql, account.id)
        .bind(grant.prefix.as_str().to_owned())
        .bind(grant.rights.to_string())
        .execute(on)
        .await?;
    Ok(())
}

async fn add_key(on: &mut SqliteConnection, account: &Account, key: &Key) -> Written<()> {
    let count = "SELECT count(*) FROM keys WHERE account = ?";
    keep_below(on, account.id, count, "keys", MAX_KEYS).await?;
    let sql = "INSERT INTO keys (account, fingerprint, line, created) VALUES (?, ?, ?, ?)";
    let insert = of_account(sql, account.id)
        .bind(key.fingerprint.clone())
        .bind(key.key.to_string())
        .bind(key.created.as_millisecond());
    execute_unique(insert, on, || Error::KeyTaken).await
}

async fn add_token(
    on: &mut SqliteConnection,
    account: &Account,
    token: &Token,
    hash: &TokenHash,
) -> Written<()> {
    let count = "SELECT count(*) FROM tokens WHERE account = ?";
    keep_below(on, account.id, count, "tokens", MAX_TOKENS).await?;
    let sql = "INSERT INTO tokens (account, id, label, hash, prefix, rights, protocols, expires, \
               created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    of_account(sql, account.id)
        .bind(bytes(token.id.to_bytes()))
        .bind(token.label.clone())
        .bind(hash.as_bytes().to_vec())
        .bind(token.prefix.as_str().to_owned())
        .bind(token.rights.to_string())
        .bind(token.protocols.to_string())
        .bind(token.expires.map(Timestamp::as_millisecond))
        .bind(token.created.as_millisecond())
        .execute(on)
        .await?;
    Ok(())
}

async fn add_sign_in(
    on: &mut SqliteConnection,
    new: &SignIn,
    hash: &TokenHash,
    revision: u64,
) -> Written<()> {
    if existing(on, new.account).await?.revision != revision {
        return Err(Error::Busy.into());
    }
    let over = of_account("DELETE FROM sign_ins WHERE account = ? AND expires <= ?", new.account);
    over.bind(new.created.as_millisecond()).execute(&mut *on).await?;
    let count = "SELECT count(*) FROM sign_ins WHERE account = ?";
    keep_below(on, new.account, count, "sign-ins", MAX_SIGN_INS).await?;
    let sql = "INSERT INTO sign_ins (account, id, hash, address, agent, expires, last_used, \
               created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    of_account(sql, new.account)
        .bind(bytes(new.id.to_bytes()))
        .bind(hash.as_bytes().to_vec())
        .bind(new.address.map(|address| address.to_string()))
        .bind(new.agent.clone())
        .bind(new.expires.as_millisecond())
        .bind(new.last_used.as_millisecond())
        .bind(new.created.as_millisecond())
        .execute(on)
        .await?;
    Ok(())
}

async fn add_share(
    on: &mut SqliteConnection,
    account: &Account,
    share: &Share,
    password: Option<&PasswordHash>,
) -> Written<()> {
    let count = "SELECT count(*) FROM shares WHERE account = ?";
    keep_below(on, account.id, count, "shares", MAX_SHARES).await?;
    let sql = "INSERT INTO shares (account, id, label, path, kind, expires, downloads, max_bytes, \
               max_files, password, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    of_account(sql, account.id)
        .bind(bytes(share.id.to_bytes()))
        .bind(share.label.clone())
        .bind(share.path.as_str().to_owned())
        .bind(share.kind.as_str())
        .bind(share.expires.map(Timestamp::as_millisecond))
        .bind(share.downloads.map(integer))
        .bind(share.max_bytes.map(integer))
        .bind(share.max_files.map(integer))
        .bind(password.map(ToString::to_string))
        .bind(share.created.as_millisecond())
        .execute(on)
        .await?;
    Ok(())
}

async fn add_shared(on: &mut SqliteConnection, shared: &Shared) -> Written<()> {
    let sql = "INSERT INTO shared (id, name, folded, quota_bytes, quota_entries, created) \
               VALUES (?, ?, ?, ?, ?, ?)";
    let insert = sqlx::query(sql)
        .bind(bytes(shared.id.to_bytes()))
        .bind(shared.name.as_str().to_owned())
        .bind(shared.name.folded());
    let insert = bind_quota(insert, &shared.quota).bind(shared.created.as_millisecond());
    execute_unique(insert, on, || Error::SharedTaken(shared.name.clone())).await
}

/// Removes a shared folder, and what was granted and shared in it: a folder of the same name that is made later
/// begins with nothing.
async fn remove_shared(on: &mut SqliteConnection, id: SharedId) -> Written<()> {
    let found = read::shared_by_id(on, id).await?;
    let shared = found.ok_or_else(|| Error::NoShared(id.to_string()))?;
    let path = shared.path();
    // What is beneath sorts between `/shared/NAME/` and `/shared/NAME0`, `0` being after the slash.
    let bounds = [path.clone(), format!("{path}/"), format!("{path}0")];
    for sql in [
        "UPDATE accounts SET revision = revision + 1 WHERE id IN (SELECT account FROM grants \
         WHERE prefix = ? OR (prefix >= ? AND prefix < ?))",
        "DELETE FROM grants WHERE prefix = ? OR (prefix >= ? AND prefix < ?)",
        "DELETE FROM shares WHERE path = ? OR (path >= ? AND path < ?)",
    ] {
        let [at, from, to] = bounds.clone();
        sqlx::query(sql).bind(at).bind(from).bind(to).execute(&mut *on).await?;
    }
    sqlx::query("DELETE FROM shared WHERE id = ?").bind(bytes(id.to_bytes())).execute(on).await?;
    Ok(())
}

async fn existing(on: &mut SqliteConnection, id: AccountId) -> Written<Account> {
    let found = read::account(on, id).await?;
    Ok(found.ok_or_else(|| Who::Id(id).missing())?.account)
}

/// Refuses if `before` was the last one to administer the others.
async fn keep_an_admin(on: &mut SqliteConnection, before: &Account) -> Written<()> {
    if before.administers() {
        let left = "SELECT 1 FROM accounts WHERE role = 'admin' AND locked = 0 LIMIT 1";
        sqlx::query(left).fetch_optional(on).await?.ok_or(Error::LastAdmin)?;
    }
    Ok(())
}

async fn keep_below(
    on: &mut SqliteConnection,
    id: AccountId,
    count: &'static str,
    what: &'static str,
    most: usize,
) -> Written<()> {
    let count = sqlx::query_scalar::<_, i64>(count).bind(bytes(id.to_bytes()));
    if count.fetch_one(on).await? >= integer(most) {
        return Err(Error::TooMany { what, most }.into());
    }
    Ok(())
}

fn of_account(sql: &'static str, id: AccountId) -> Statement {
    sqlx::query(sql).bind(bytes(id.to_bytes()))
}

fn bind_quota(statement: Statement, quota: &Quota) -> Statement {
    statement.bind(quota.bytes.map(integer)).bind(quota.entries.map(integer))
}

/// Executes; `taken` says what a doubled value means.
async fn execute_unique(
    statement: Statement,
    on: &mut SqliteConnection,
    taken: impl FnOnce() -> Error,
) -> Written<()> {
    match statement.execute(on).await {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Err(taken().into()),
        done => Ok(done.map(|_| ())?),
    }
}

/// Executes what has to concern one row.
async fn execute_one(
    statement: Statement,
    on: &mut SqliteConnection,
    name: &AccountName,
    what: &'static str,
) -> Written<()> {
    match statement.execute(on).await?.rows_affected() {
        0 => Err(Error::NoSuch(name.clone(), what).into()),
        _ => Ok(()),
    }
}
