//! Who gets in, who does not, and what each of them costs.

use std::time::Duration;

use sockeye_accounts::*;

use super::{Ear, alice, cheap, chosen, from, name, populate, settings, soon, with_alice};

fn reason(refused: Refused) -> Reason {
    match refused {
        Refused::Wrong(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_right_password_logs_in_under_any_case_of_the_name() {
    let accounts = with_alice(settings()).await;
    for spelling in ["alice", "Alice", "ALICE"] {
        let credentials = Credentials::password(spelling, "alice's password");
        let login = accounts.login(&credentials, &from(1)).await.unwrap();
        assert_eq!(login.account().name, name("alice"));
        assert!(matches!(login.via(), Via::Password) && !login.account().must_change);
    }
    assert_eq!(accounts.login_counts().hashed, 1, "once for all three");
}

#[tokio::test]
async fn every_refusal_costs_one_hash_and_says_the_same() {
    let accounts = with_alice(settings()).await;
    let quota = Quota::NONE;
    accounts.add(name("locked"), Role::Member, quota, chosen("locked's password")).await.unwrap();
    accounts.lock(&name("locked")).await.unwrap();
    accounts.add(name("keyed"), Role::Member, quota, NewPassword::None).await.unwrap();
    let mut texts = Vec::new();
    for (count, (credentials, expected)) in (1..).zip([
        (Credentials::password("alice", "wrong password"), Reason::WrongPassword),
        (Credentials::password("nobody", "wrong password"), Reason::NoAccount),
        (Credentials::password("keyed", "wrong password"), Reason::NoPassword),
        (Credentials::password("locked", "locked's password"), Reason::Locked),
        (Credentials::password("locked", "wrong password"), Reason::WrongPassword),
    ]) {
        let refused = accounts.login(&credentials, &from(1)).await.unwrap_err();
        texts.push(refused.to_string());
        assert_eq!(reason(refused), expected, "{credentials:?}");
        assert_eq!(accounts.login_counts().hashed, count, "{credentials:?}");
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[tokio::test]
async fn what_cannot_be_right_costs_nothing() {
    let accounts = with_alice(settings()).await;
    for credentials in [
        Credentials::password("", "password"),
        Credentials::password("alice\0", "alice's password"),
        Credentials::password("a".repeat(10_000), "password"),
        Credentials::password("alice", "x".repeat(MAX_SECRET + 1)),
        Credentials::token("not a token"),
        Credentials::token("sockeye_aaaa"),
    ] {
        let refused = accounts.login(&credentials, &from(1)).await.unwrap_err();
        assert_eq!(reason(refused), Reason::Impossible, "{credentials:?}");
    }
    assert_eq!(accounts.login_counts().hashed, 0);
}

#[tokio::test]
async fn verified_credentials_are_known_until_anything_of_the_account_changes() {
    let accounts = with_alice(settings()).await;
    let id = accounts.find(&name("alice")).await.unwrap().id;
    assert!(accounts.login_cached(&alice(), &from(1)).is_none());
    accounts.login(&alice(), &from(1)).await.unwrap();
    accounts.login_cached(&alice(), &from(2)).expect("known, from wherever it comes");
    let wrong = Credentials::password("alice", "another password");
    assert!(accounts.login_cached(&wrong, &from(1)).is_none());

    accounts.set_role(id, Role::Guest).await.unwrap();
    assert!(accounts.login_cached(&alice(), &from(1)).is_none());
    let login = accounts.login(&alice(), &from(1)).await.unwrap();
    assert_eq!(login.account().role, Role::Guest);

    accounts.set_password(id, chosen("a new password")).await.unwrap();
    assert!(accounts.login_cached(&alice(), &from(1)).is_none());
    let refused = accounts.login(&alice(), &from(1)).await.unwrap_err();
    assert_eq!(reason(refused), Reason::WrongPassword);
    let new = Credentials::password("alice", "a new password");
    accounts.login(&new, &from(1)).await.unwrap();

    accounts.lock(id).await.unwrap();
    assert!(accounts.login_cached(&new, &from(1)).is_none());
    assert!(accounts.login(&new, &from(1)).await.is_err());
}

#[tokio::test]
async fn the_same_credentials_at_once_cost_one_hash() {
    let accounts = with_alice(settings()).await;
    let credentials = alice();
    let logins = (0..64).map(|_| {
        let (accounts, credentials) = (accounts.clone(), credentials.clone());
        async move { accounts.login(&credentials, &from(1)).await }
    });
    let mut set = tokio::task::JoinSet::new();
    logins.for_each(|login| drop(set.spawn(login)));
    for login in soon(set.join_all()).await {
        login.unwrap();
    }
    assert_eq!(accounts.login_counts().hashed, 1);
}

#[tokio::test]
async fn a_hash_of_another_cost_is_renewed_at_the_next_login() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
    let accounts = Accounts::new(source.clone(), settings(), ());
    populate(&accounts).await;
    let kept = async || {
        let record = source.account(&Who::Name(name("alice"))).await.unwrap().unwrap();
        record.password.unwrap()
    };
    assert_eq!(kept().await.cost(), Some(cheap()));
    let mut dearer = settings();
    dearer.cost = HashCost::new(128, 2, 1).unwrap();
    let accounts = Accounts::new(source.clone(), dearer, ());
    let wrong = Credentials::password("alice", "wrong password");
    accounts.login(&wrong, &from(1)).await.unwrap_err();
    assert_eq!(kept().await.cost(), Some(cheap()), "a wrong password renews nothing");
    accounts.login(&alice(), &from(1)).await.unwrap();
    let renewed = kept().await;
    assert_eq!(renewed.cost(), Some(dearer.cost));
    accounts.login_cached(&alice(), &from(1)).expect("it is no change of the account");
    Accounts::new(source.clone(), dearer, ()).login(&alice(), &from(1)).await.unwrap();
    assert_eq!(kept().await, renewed, "once is enough");
}

#[tokio::test]
async fn after_a_failure_the_name_waits_at_that_address_and_nowhere_else() {
    let mut patient = settings();
    patient.back_off.first = Duration::from_secs(3600);
    patient.back_off.longest = Duration::from_secs(3600);
    let ear = Ear::default();
    let accounts = Accounts::new(Memory::new(), patient, ear.clone());
    populate(&accounts).await;
    let wrong = |n: u8| Credentials::password("ALICE", format!("wrong password {n}"));
    assert_eq!(
        reason(accounts.login(&wrong(1), &from(1)).await.unwrap_err()),
        Reason::WrongPassword
    );
    // The same again is known; another one waits; both cost nothing.
    let again = accounts.login(&wrong(1), &from(1)).await.unwrap_err();
    assert_eq!(reason(again), Reason::WrongAgain);
    let wait = accounts.login(&wrong(2), &from(1)).await.unwrap_err();
    let retry_after = wait.retry_after().unwrap();
    assert!(retry_after > Duration::from_secs(3500), "{retry_after:?}");
    assert!(wait.to_string().contains("try again in 3600 s"), "{wait}");
    let right = accounts.login(&alice(), &from(1)).await.unwrap_err();
    assert!(matches!(right, Refused::Wait { .. }), "the right one waits there as well");
    assert_eq!(accounts.login_counts().hashed, 1);

    accounts.login(&alice(), &from(2)).await.expect("alice is not locked out elsewhere");
    accounts.login(&alice(), &from(1)).await.expect("nor where she is known by now");
    let admin = Credentials::password("admin", "admin's password");
    accounts.login(&admin, &from(1)).await.expect("nor are others at that address");

    let told = ear.refusals.lock().unwrap().clone();
    assert_eq!(told.len(), 4, "{told:#?}");
    assert!(told[0].contains("ALICE") && told[0].contains("192.0.2.1"), "{}", told[0]);
    assert!(told.iter().all(|line| !line.contains("password ")), "{told:#?}");
}

#[tokio::test]
async fn an_old_password_tried_again_and_again_does_not_keep_its_owner_waiting() {
    let mut patient = settings();
    patient.back_off.first = Duration::from_secs(1);
    let accounts = with_alice(patient).await;
    let old = Credentials::password("alice", "last year's password");
    for _ in 0..100 {
        accounts.login(&old, &from(1)).await.unwrap_err();
    }
    assert_eq!(accounts.login_counts().hashed, 1);
    // One failure and its wait, whatever the device does meanwhile.
    let wait = accounts.login(&alice(), &from(1)).await.unwrap_err().retry_after().unwrap();
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
}

#[tokio::test]
async fn who_was_helped_by_an_administrator_need_not_wait() {
    let mut patient = settings();
    patient.back_off.first = Duration::from_secs(3600);
    let accounts = with_alice(patient).await;
    let alice = name("alice");
    let forgotten = Credentials::password("alice", "a forgotten password");
    accounts.login(&forgotten, &from(1)).await.unwrap_err();
    let refused = accounts.login(&super::alice(), &from(1)).await.unwrap_err();
    assert!(matches!(refused, Refused::Wait { .. }), "{refused:?}");
    accounts.set_password(&alice, chosen("a new password")).await.unwrap();
    let new = Credentials::password("alice", "a new password");
    accounts.login(&new, &from(1)).await.unwrap();

    accounts.lock(&alice).await.unwrap();
    assert_eq!(reason(accounts.login(&new, &from(1)).await.unwrap_err()), Reason::Locked);
    accounts.unlock(&alice).await.unwrap();
    accounts.login(&new, &from(1)).await.unwrap();
}

#[tokio::test]
async fn a_password_that_becomes_right_is_not_remembered_as_wrong() {
    let accounts = with_alice(settings()).await;
    let later = Credentials::password("alice", "tomorrow's password");
    accounts.login(&later, &from(1)).await.unwrap_err();
    accounts.set_password(&name("alice"), chosen("tomorrow's password")).await.unwrap();
    accounts.login(&later, &from(1)).await.unwrap();
    let carol = Credentials::password("carol", "carol's password");
    accounts.login(&carol, &from(1)).await.unwrap_err();
    let quota = Quota::NONE;
    accounts.add(name("carol"), Role::Member, quota, chosen("carol's password")).await.unwrap();
    accounts.login(&carol, &from(1)).await.unwrap();
}

#[tokio::test]
async fn an_initial_password_works_and_is_to_be_changed() {
    let accounts = with_alice(settings()).await;
    let secret = Secret::initial();
    let initial = NewPassword::Initial(secret.clone());
    accounts.set_password(&name("alice"), initial).await.unwrap();
    let credentials = Credentials::password("alice", secret.expose());
    let login = accounts.login(&credentials, &from(1)).await.unwrap();
    assert!(login.account().must_change);
    accounts.set_password(&name("alice"), chosen("alice's own")).await.unwrap();
    assert!(!login.account().must_change, "a running session learns it, too");
}

#[tokio::test]
async fn a_source_that_fails_is_no_wrong_password() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
    let mut patient = settings();
    patient.back_off.first = Duration::from_secs(3600);
    let accounts = Accounts::new(source.clone(), patient, ());
    populate(&accounts).await;
    accounts.login(&alice(), &from(1)).await.unwrap();
    source.close().await.unwrap();
    accounts.login(&alice(), &from(1)).await.expect("what is cached needs no source");
    let other = Credentials::password("admin", "admin's password");
    for _ in 0..2 {
        let refused = accounts.login(&other, &from(1)).await.unwrap_err();
        assert!(matches!(refused, Refused::Failed(_)), "and nobody waits for it: {refused:?}");
        assert!(!refused.to_string().contains("accounts.db"), "{refused}");
    }
}
