//! A flood of logins: memory stays bounded, those who are known wait for nothing, others get in.
//!
//! A program of its own, as it measures what it has resident: its tests take turns.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use sockeye_accounts::*;
use tokio::{sync::Mutex, task::JoinSet};

/// The longest that a flood may last.
const PATIENCE: Duration = Duration::from_secs(120);

/// One test at a time.
static TURN: Mutex<()> = Mutex::const_new(());

fn from(host: u8) -> Attempt<'static> {
    let address = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)));
    Attempt { address, protocol: "http", tls: false, now: Timestamp::now() }
}

fn alice() -> Credentials {
    Credentials::password("alice", "alice's password")
}

/// Accounts with an admin and a member.
async fn with_alice(settings: Settings) -> Accounts {
    let accounts = Accounts::new(Memory::new(), settings, ());
    for (name, role) in [("admin", Role::Admin), ("alice", Role::Member)] {
        let password = NewPassword::Chosen(Secret::new(format!("{name}'s password")));
        accounts.add(name.parse().unwrap(), role, Quota::NONE, password).await.unwrap();
    }
    accounts
}

/// Memory that this process has resident, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The real cost, on one thread.
fn real() -> Settings {
    let mut settings = Settings::default();
    settings.hashes = 1;
    settings.hashes_waiting = 8;
    settings.hashes_per_origin = 4;
    settings
}

/// `attempts` wrong logins with names of their own, from a few addresses, all at once.
fn flood(accounts: &Accounts, attempts: usize) -> JoinSet<Result<Login, Refused>> {
    let mut set = JoinSet::new();
    for n in 0..attempts {
        let accounts = accounts.clone();
        set.spawn(async move {
            let credentials = Credentials::password(format!("user{n}"), "wrong password");
            let host = 100 + u8::try_from(n % 2).unwrap();
            accounts.login(&credentials, &from(host)).await
        });
    }
    set
}

async fn survive(attempts: usize) {
    let _turn = TURN.lock().await;
    let accounts = with_alice(real()).await;
    let known = accounts.login(&alice(), &from(1)).await.unwrap();
    let before = resident();
    let mut waiting = flood(&accounts, attempts);
    let begin = Instant::now();
    let mut most = 0;
    let mut newcomer = {
        let accounts = accounts.clone();
        let credentials = Credentials::password("admin", "admin's password");
        JoinSet::from_iter([async move {
            loop {
                match accounts.login(&credentials, &from(3)).await {
                    Err(Refused::Busy { .. }) => tokio::task::yield_now().await,
                    other => return other,
                }
            }
        }])
    };
    let (mut busy, mut admitted) = (0, false);
    while !(waiting.is_empty() && newcomer.is_empty()) {
        assert!(begin.elapsed() < PATIENCE, "{} are left", waiting.len());
        tokio::select! {
            Some(done) = waiting.join_next() => match done.unwrap() {
                Err(Refused::Busy { .. }) => busy += 1,
                Err(Refused::Wrong(Reason::NoAccount)) => {}
                other => panic!("{other:?}"),
            },
            Some(done) = newcomer.join_next() => admitted = done.unwrap().is_ok(),
        }
        // Whoever is known waits for nobody: the answer is there at once.
        assert!(accounts.login_cached(&alice(), &from(1)).is_some());
        most = most.max(resident());
    }
    assert!(admitted, "a newcomer from elsewhere gets in");
    assert!(!known.is_ended());
    assert!(busy > attempts / 2, "{busy} were refused");
    // One hash takes 19 MiB; a task that waits a few KiB.
    let allowed = 64 * 1024 + u64::try_from(attempts).unwrap() * 8;
    assert!(most < before + allowed, "{before} KiB before, {most} KiB at most");
    // Idle again, the memory of hashes is given back; the allocator may keep that of the test's tasks.
    let (after, kept) = (resident(), 8 * 1024 + u64::try_from(attempts).unwrap() * 3);
    assert!(after < before + kept, "{before} KiB before, {after} KiB after");
}

#[tokio::test]
async fn a_flood_of_logins_costs_bounded_memory_and_locks_nobody_out() {
    survive(1000).await;
}

#[tokio::test]
#[ignore = "soak: ten times as many"]
async fn soak_a_flood_of_ten_thousand_logins() {
    survive(10_000).await;
}

#[tokio::test]
async fn attempts_that_wait_for_each_other_take_no_place_from_others() {
    let _turn = TURN.lock().await;
    let accounts = with_alice(real()).await;
    let most = Settings::default().logins;
    // The same credentials over and over: all but the first wait for what comes of it.
    let mut waiting = JoinSet::new();
    for _ in 0..2 * most {
        let accounts = accounts.clone();
        let credentials = Credentials::password("nobody", "the same wrong password");
        waiting.spawn(async move { accounts.login(&credentials, &from(100)).await });
    }
    // The first that is refused finds all places taken that it may have.
    let refused = waiting.join_next().await.unwrap().unwrap();
    assert!(matches!(refused, Err(Refused::Busy { .. })), "{refused:?}");
    accounts.login(&alice(), &from(1)).await.expect("somebody else gets in at once");
    while let Some(done) = waiting.join_next().await {
        let refused = done.unwrap();
        assert!(matches!(refused, Err(Refused::Busy { .. } | Refused::Wrong(_))), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_on_one_name_from_elsewhere_does_not_lock_its_owner_out() {
    let _turn = TURN.lock().await;
    let mut settings = Settings::default();
    settings.cost = HashCost::new(64, 1, 1).unwrap();
    let accounts = with_alice(settings).await;
    for n in 0..2000_u32 {
        let credentials = Credentials::password("alice", format!("guess {n:08}"));
        let host = 100 + u8::try_from(n % 100).unwrap();
        accounts.login(&credentials, &from(host)).await.unwrap_err();
    }
    let hashed = accounts.login_counts().hashed;
    // No time passes meanwhile: of each origin the first is looked at.
    assert_eq!(hashed, 100, "the rest waits, and costs nothing");
    accounts.login(&alice(), &from(1)).await.expect("she is not locked out");
}
