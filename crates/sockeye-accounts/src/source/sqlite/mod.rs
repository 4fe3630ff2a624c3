//! Accounts in an SQLite file: the first and the default source.
//!
//! Changes take one connection, one after the other; reads take a few others and wait for no change
//! (write-ahead log). The file and what SQLite puts beside it have mode 0600.

mod fault;
mod open;
mod read;
mod schema;
mod write;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sqlx::SqlitePool;

use self::fault::Doing;
use super::{
    AccountQuery, Answer, Changed, Edit, Page, Record, ShareRecord, SignInRecord, Source,
    TokenRecord, Who,
};
use crate::{
    Account, AccountId, Key, Result, Share, ShareId, Shared, SharedName, SignIn, SignInId, Token,
    TokenId,
};

pub use self::schema::VERSION;

/// Accounts in an SQLite file; clones share the connections.
#[derive(Clone)]
pub struct Sqlite {
    path: PathBuf,
    readers: SqlitePool,
    writer: SqlitePool,
}

impl Sqlite {
    /// Opens the accounts at `path`, making the file or bringing its schema up to date where needed.
    ///
    /// # Errors
    /// [`Error::Storage`](crate::Error::Storage) if the file cannot be opened or made, is no SQLite
    /// database, is somebody else's, or was written by a newer version; it is then left as it was.
    ///
    /// Cancellation: safe; a migration under way is then done or not.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        open::open(path.into()).await
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn doing(&self, doing: &'static str) -> Doing<'_> {
        Doing { doing, path: &self.path }
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source for Sqlite {
    fn place(&self) -> String {
        format!("the accounts in {}", self.path.display())
    }

    fn account<'a>(&'a self, who: &'a Who) -> Answer<'a, Option<Record>> {
        Box::pin(async move { self.doing("read an account in").map(self.read_account(who).await) })
    }

    fn accounts<'a>(&'a self, query: &'a AccountQuery) -> Answer<'a, Page<Account>> {
        Box::pin(async move { self.doing("list the accounts in").map(self.read_page(query).await) })
    }

    fn token(&self, id: TokenId) -> Answer<'_, Option<TokenRecord>> {
        Box::pin(async move { self.doing("read a token in").map(self.read_token(id).await) })
    }

    fn tokens(&self, account: AccountId) -> Answer<'_, Vec<Token>> {
        Box::pin(async move { self.doing("list tokens in").map(self.read_tokens(account).await) })
    }

    fn keys(&self, account: AccountId) -> Answer<'_, Vec<Key>> {
        Box::pin(async move { self.doing("list keys in").map(self.read_keys(account).await) })
    }

    fn shared<'a>(&'a self, name: &'a SharedName) -> Answer<'a, Option<Shared>> {
        let doing = self.doing("read a shared folder in");
        Box::pin(async move { doing.map(self.read_shared(name).await) })
    }

    fn shared_page<'a>(
        &'a self,
        after: Option<&'a SharedName>,
        limit: usize,
    ) -> Answer<'a, Page<Shared>> {
        let doing = self.doing("list the shared folders in");
        Box::pin(async move { doing.map(self.read_shared_page(after, limit).await) })
    }

    fn share(&self, id: ShareId) -> Answer<'_, Option<ShareRecord>> {
        Box::pin(async move { self.doing("read a share in").map(self.read_share(id).await) })
    }

    fn shares(
        &self,
        of: Option<AccountId>,
        after: Option<ShareId>,
        limit: usize,
    ) -> Answer<'_, Page<Share>> {
        let doing = self.doing("list the shares in");
        Box::pin(async move { doing.map(self.read_shares(of, after, limit).await) })
    }

    fn count_download(&self, id: ShareId) -> Answer<'_, bool> {
        let doing = self.doing("count a download in");
        Box::pin(async move { doing.map(self.write_download(id).await) })
    }

    fn count_drop(&self, id: ShareId, bytes: u64) -> Answer<'_, bool> {
        let doing = self.doing("count a file in");
        Box::pin(async move { doing.map(self.write_drop(id, bytes).await) })
    }

    fn uncount_drop(&self, id: ShareId, bytes: u64) -> Answer<'_, ()> {
        let doing = self.doing("take a file back in");
        Box::pin(async move { doing.map(self.take_drop_back(id, bytes).await) })
    }

    fn sign_in(&self, id: SignInId) -> Answer<'_, Option<SignInRecord>> {
        Box::pin(async move { self.doing("read a sign-in in").map(self.read_sign_in(id).await) })
    }

    fn sign_ins(&self, account: AccountId) -> Answer<'_, Vec<SignIn>> {
        let doing = self.doing("list the sign-ins in");
        Box::pin(async move { doing.map(self.read_sign_ins(account).await) })
    }

    fn note_sign_in(&self, id: SignInId, at: Timestamp) -> Answer<'_, ()> {
        let doing = self.doing("note the use of a sign-in in");
        Box::pin(async move { doing.map(self.write_sign_in_use(id, at).await) })
    }

    fn change<'a>(&'a self, edit: &'a Edit) -> Answer<'a, Changed> {
        Box::pin(async move {
            match self.write(edit).await {
                Ok(changed) => Ok(changed),
                Err(write::Failed::Refused(error)) => Err(error),
                Err(write::Failed::Sqlx(error)) => {
                    self.doing("change the accounts in").map(Err(error))
                }
            }
        })
    }

    fn note_use(&self, token: TokenId, at: Timestamp) -> Answer<'_, ()> {
        let doing = self.doing("note the use of a token in");
        Box::pin(async move { doing.map(self.write_use(token, at).await) })
    }

    fn backup<'a>(&'a self, to: &'a Path) -> Answer<'a, ()> {
        Box::pin(self.copy_to(to))
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.readers.close().await;
            // The last connection carries the write-ahead log over into the file.
            self.writer.close().await;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accounts, ErrorKind, NewPassword, Quota, Role, Settings, StorageFault};

    #[tokio::test]
    async fn a_full_disk_is_said_and_nothing_is_half_done() {
        let folder = tempfile::tempdir().unwrap();
        let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
        // SQLite reports its own limit of pages as it does a full disk; there is no room from now on.
        let limit = sqlx::query("PRAGMA max_page_count = 1");
        limit.execute(&source.writer).await.unwrap();
        let accounts = Accounts::new(source, Settings::default(), ());
        let mut made = 0;
        let error = loop {
            let name = format!("user{made}").parse().unwrap();
            match accounts.add(name, Role::Member, Quota::NONE, NewPassword::None).await {
                Ok(_) => made += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        assert!(
            error.to_string().contains("accounts.db") && error.to_string().contains("make room")
        );
        let query = AccountQuery { limit: 1000, ..AccountQuery::default() };
        assert_eq!(accounts.list(&query).await.unwrap().entries.len(), made);
    }

    #[tokio::test]
    async fn a_lock_held_by_another_program_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
        let doing = source.doing("change the accounts in");
        let error = doing.map::<()>(Err(sqlx::Error::PoolTimedOut)).unwrap_err();
        let crate::Error::Storage(error) = error else { panic!("{error}") };
        assert_eq!(error.fault(), StorageFault::Held);
    }
}
