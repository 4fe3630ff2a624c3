//! Running sessions: a change reaches them at once, and an end ends them.

use std::{pin::pin, sync::Arc};

use sockeye_accounts::{
    source::{Answer, TokenRecord},
    *,
};
use tokio::sync::Semaphore;

use super::{alice, from, name, populate, settings, soon, with_alice};

#[tokio::test]
async fn a_running_session_sees_each_change() {
    let accounts = with_alice(settings()).await;
    let login = accounts.login(&alice(), &from(1)).await.unwrap();
    let id = login.account().id;
    assert!(login.rights_at("/docs").contains(Rights::WRITE));

    accounts.set_role(id, Role::Guest).await.unwrap();
    assert!(!login.rights_at("/docs").contains(Rights::WRITE));

    let grant = Grant { prefix: "/docs".parse().unwrap(), rights: Rights::ALL };
    accounts.grant(id, grant).await.unwrap();
    assert!(login.rights_at("/docs").contains(Rights::WRITE));

    accounts.rename(id, name("alicia")).await.unwrap();
    accounts.set_quota(id, Quota { bytes: Some(1), entries: None }).await.unwrap();
    let account = login.account();
    assert_eq!((account.name.as_str(), account.quota.bytes), ("alicia", Some(1)));
    assert!(!login.is_ended());
}

#[tokio::test]
async fn lock_and_remove_end_the_sessions() {
    let accounts = with_alice(settings()).await;
    let login = accounts.login(&alice(), &from(1)).await.unwrap();
    let waiting = login.clone();
    let ended = async move { waiting.ended().await };
    let id = login.account().id;
    let ((), locked) = soon(async { tokio::join!(ended, accounts.lock(id)) }).await;
    locked.unwrap();
    assert!(login.is_ended());
    assert_eq!(login.rights_at("/docs"), Rights::NONE);

    accounts.unlock(&name("alice")).await.unwrap();
    assert!(login.is_ended(), "an ended session does not come back");
    let again = accounts.login(&alice(), &from(1)).await.unwrap();
    assert!(!again.is_ended());
    accounts.remove(&name("alice")).await.unwrap();
    soon(again.ended()).await;
}

#[tokio::test]
async fn a_removed_shared_folder_takes_the_rights_of_running_sessions_along() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
    let accounts = Accounts::new(source, settings(), ());
    populate(&accounts).await;
    let team: SharedName = "team".parse().unwrap();
    accounts.add_shared(team.clone(), Quota::NONE).await.unwrap();
    let grant = Grant { prefix: "/shared/team".parse().unwrap(), rights: Rights::ALL };
    accounts.grant(&name("alice"), grant.clone()).await.unwrap();
    let login = accounts.login(&alice(), &from(1)).await.unwrap();
    assert_eq!(login.rights_at("/shared/team/x"), Rights::ALL);

    accounts.remove_shared(&team).await.unwrap();
    assert_eq!(login.rights_at("/shared/team/x"), Rights::NONE);
    let error = accounts.grant(&name("alice"), grant).await.unwrap_err();
    assert!(matches!(error, Error::NoShared(_)), "{error}");
    accounts.add_shared(team, Quota::NONE).await.unwrap();
    assert_eq!(login.rights_at("/shared/team/x"), Rights::NONE, "the new one begins with none");
    assert!(!login.is_ended());
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_still_reaches_the_sessions() {
    let gate = Arc::new(Gate::default());
    let source = Gated { inner: Memory::new(), gate: Arc::clone(&gate) };
    let accounts = Accounts::new(source, settings(), ());
    gate.open.add_permits(2);
    populate(&accounts).await;
    let login = accounts.login(&alice(), &from(1)).await.unwrap();
    let id = login.account().id;
    {
        let locking = pin!(accounts.lock(id));
        let begun = async {
            for _ in 0..3 {
                gate.begun.acquire().await.unwrap().forget();
            }
        };
        let first = soon(futures_race(locking, pin!(begun))).await;
        assert!(first.is_none(), "the lock waits at the gate: {first:?}");
    }
    assert!(!login.is_ended());
    gate.open.add_permits(1);
    soon(login.ended()).await;
}

/// What the first gave if it was the first.
async fn futures_race<T>(
    first: impl Future<Output = T> + Unpin,
    second: impl Future<Output = ()> + Unpin,
) -> Option<T> {
    tokio::select! {
        done = first => Some(done),
        () = second => None,
    }
}

/// Counts the changes that have begun, and lets each go on when it is told to; none, once `open` is closed.
#[derive(Debug)]
pub(super) struct Gate {
    begun: Semaphore,
    pub(super) open: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self { begun: Semaphore::new(0), open: Semaphore::new(0) }
    }
}

/// A source whose changes wait at a gate.
#[derive(Debug)]
pub(super) struct Gated {
    pub(super) inner: Memory,
    pub(super) gate: Arc<Gate>,
}

impl Source for Gated {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn account<'a>(&'a self, who: &'a Who) -> Answer<'a, Option<Record>> {
        self.inner.account(who)
    }

    fn accounts<'a>(&'a self, query: &'a AccountQuery) -> Answer<'a, Page<Account>> {
        self.inner.accounts(query)
    }

    fn token(&self, id: TokenId) -> Answer<'_, Option<TokenRecord>> {
        self.inner.token(id)
    }

    fn tokens(&self, account: AccountId) -> Answer<'_, Vec<Token>> {
        self.inner.tokens(account)
    }

    fn keys(&self, account: AccountId) -> Answer<'_, Vec<Key>> {
        self.inner.keys(account)
    }

    fn shared<'a>(&'a self, name: &'a SharedName) -> Answer<'a, Option<Shared>> {
        self.inner.shared(name)
    }

    fn shared_page<'a>(
        &'a self,
        after: Option<&'a SharedName>,
        limit: usize,
    ) -> Answer<'a, Page<Shared>> {
        self.inner.shared_page(after, limit)
    }

    fn change<'a>(&'a self, edit: &'a Edit) -> Answer<'a, Changed> {
        Box::pin(async move {
            self.gate.begun.add_permits(1);
            self.gate.open.acquire().await.map_err(|_| Error::Busy)?.forget();
            self.inner.change(edit).await
        })
    }

    fn note_use(&self, token: TokenId, at: Timestamp) -> Answer<'_, ()> {
        self.inner.note_use(token, at)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_login_outlives_a_lock_that_comes_while_it_is_verified() {
    let accounts = with_alice(settings()).await;
    for round in 0..50 {
        let logging_in = {
            let accounts = accounts.clone();
            tokio::task::JoinSet::from_iter([
                async move { accounts.login(&alice(), &from(1)).await },
            ])
        };
        accounts.lock(&name("alice")).await.unwrap();
        for login in soon(logging_in.join_all()).await {
            assert!(login.is_err() || login.unwrap().is_ended(), "round {round}");
        }
        accounts.unlock(&name("alice")).await.unwrap();
    }
}
