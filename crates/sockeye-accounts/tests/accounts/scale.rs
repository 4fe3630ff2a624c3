//! Many accounts: a list's first page and a look-up take as long as with few.

use std::time::{Duration, Instant};

use sockeye_accounts::{source::NewAccount, *};

/// In order, so that a million are made quickly; what is kept is the same in any order.
fn name(n: usize) -> AccountName {
    format!("u{n:07}").parse().unwrap()
}

/// Makes this many accounts at once.
async fn filled(folder: &tempfile::TempDir, count: usize) -> Sqlite {
    let source = Sqlite::open(folder.path().join(format!("{count}.db"))).await.unwrap();
    for begin in (0..count).step_by(50_000) {
        let batch = (begin..count.min(begin + 50_000)).map(|n| NewAccount {
            id: AccountId::generate(),
            name: name(n),
            role: if n == 0 { Role::Admin } else { Role::Member },
            quota: Quota::NONE,
            password: None,
            must_change: false,
            created: Timestamp::UNIX_EPOCH,
        });
        source.change(&Edit::Add(batch.collect())).await.unwrap();
    }
    source
}

async fn median<F: Future>(rounds: usize, mut work: impl FnMut(usize) -> F) -> Duration {
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let begin = Instant::now();
        work(round).await;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    times[rounds / 2]
}

async fn first_page(source: &Sqlite) -> Duration {
    median(101, |_| async {
        let page = source.accounts(&AccountQuery::default()).await.unwrap();
        assert_eq!((page.entries.len(), page.more), (AccountQuery::PAGE, true));
    })
    .await
}

async fn look_up(source: &Sqlite, count: usize) -> Duration {
    median(1001, |round| async move {
        let n = round * 7919 % count;
        assert!(source.account(&Who::Name(name(n))).await.unwrap().is_some());
    })
    .await
}

/// The one admin among all: found by an index, not by looking at each.
async fn admins(source: &Sqlite) -> Duration {
    let query = AccountQuery { role: Some(Role::Admin), ..AccountQuery::default() };
    let query = &query;
    median(101, |_| async move {
        assert_eq!(source.accounts(query).await.unwrap().entries.len(), 1);
    })
    .await
}

async fn compare(many: usize, bound: f64) {
    let folder = tempfile::tempdir().unwrap();
    let (few, many) = ((filled(&folder, 1000).await, 1000), (filled(&folder, many).await, many));
    let ratio = |many: Duration, few: Duration| many.as_secs_f64() / few.as_secs_f64();
    let page = ratio(first_page(&many.0).await, first_page(&few.0).await);
    let login = ratio(look_up(&many.0, many.1).await, look_up(&few.0, few.1).await);
    let role = ratio(admins(&many.0).await, admins(&few.0).await);
    assert!(role < bound, "a list of the admins takes {role:.2} times as long");
    assert!(page < bound, "the first page takes {page:.2} times as long");
    assert!(login < bound, "a look-up takes {login:.2} times as long");
}

#[tokio::test]
async fn a_page_and_a_look_up_do_not_take_longer_with_more_accounts() {
    // A walk over all of them would take 20 times as long; a busy machine may double a time.
    compare(20_000, 5.0).await;
}

#[tokio::test]
#[ignore = "soak: a million accounts"]
async fn soak_a_page_and_a_look_up_with_a_million_accounts() {
    compare(1_000_000, 1.5).await;
}
