//! Many accounts: a list's first page and a look-up take as long as with few.

use std::time::Instant;

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

/// One of the two, with how many accounts it has.
#[derive(Clone, Copy)]
struct Filled<'a>(&'a Sqlite, usize);

/// How many times as long some work takes with many accounts: both in turn, so that what else the
/// machine does slows both, and of each the time that its quickest tenth stays below.
async fn ratio<'a, F: Future>(
    rounds: usize,
    [few, many]: [Filled<'a>; 2],
    work: impl Fn(Filled<'a>, usize) -> F,
) -> f64 {
    let mut times = [Vec::with_capacity(rounds), Vec::with_capacity(rounds)];
    for round in 0..rounds {
        for (filled, times) in [few, many].into_iter().zip(&mut times) {
            let begin = Instant::now();
            work(filled, round).await;
            times.push(begin.elapsed());
        }
    }
    let [few, many] = times.map(|mut times| {
        times.sort_unstable();
        times[rounds / 10].as_secs_f64()
    });
    many / few
}

/// Compares with a thousand; `bounds` are those of listing and of a look-up.
async fn compare(many: usize, bounds: [f64; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let sources = [filled(&folder, 1000).await, filled(&folder, many).await];
    let both = [Filled(&sources[0], 1000), Filled(&sources[1], many)];
    let page = ratio(101, both, |Filled(source, _), _| async {
        let page = source.accounts(&AccountQuery::default()).await.unwrap();
        assert_eq!((page.entries.len(), page.more), (AccountQuery::PAGE, true));
    });
    // The one admin among all: found by an index, not by looking at each.
    let role = ratio(101, both, |Filled(source, _), _| async {
        let query = AccountQuery { role: Some(Role::Admin), ..AccountQuery::default() };
        assert_eq!(source.accounts(&query).await.unwrap().entries.len(), 1);
    });
    let look_up = ratio(1001, both, |Filled(source, count), round| async move {
        let who = Who::Name(name(round * 7919 % count));
        assert!(source.account(&who).await.unwrap().is_some());
    });
    let [listing, finding] = bounds;
    for (what, ratio, bound) in [
        ("the first page", page.await, listing),
        ("a role", role.await, listing),
        ("a look-up", look_up.await, finding),
    ] {
        assert!(ratio < bound, "{what} takes {ratio:.2} times as long");
    }
}

#[tokio::test]
async fn a_page_and_a_look_up_do_not_take_longer_with_more_accounts() {
    // A walk over all of them would take 20 times as long.
    compare(20_000, [4.0; 2]).await;
}

#[tokio::test]
#[ignore = "soak: a million accounts"]
async fn soak_a_page_and_a_look_up_with_a_million_accounts() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    match seconds.unwrap_or(60) {
        0..30 => compare(100_000, [4.0; 2]).await,
        // The bar is that of a page and of a login (the example `accounts_scale`), of which a look-up is a
        // thousandth: by itself it may be slower where the index no longer fits into the processor's cache.
        _ => compare(1_000_000, [1.5, 4.0]).await,
    }
}
