//! Signing in from a browser, and what ends it.

use std::{sync::Arc, time::Duration};

use sockeye_accounts::*;

use super::{Ear, alice, chosen, from, name, populate, settings, soon};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn accounts() -> Accounts {
    let accounts = Accounts::new(Memory::new(), settings(), ());
    populate(&accounts).await;
    accounts
}

async fn sign_in(accounts: &Accounts) -> (SignIn, Credentials) {
    let (login, secret) =
        soon(accounts.sign_in(&alice(), &from(1), Some("Fire\nfox"), DAY)).await.unwrap();
    assert_eq!(login.account().name.as_str(), "alice");
    (SignIn::clone(login.sign_in().unwrap()), Credentials::sign_in(secret.expose()))
}

#[tokio::test]
async fn a_browser_is_whoever_signed_in_until_the_sign_in_is_ended() {
    let accounts = accounts().await;
    let (sign_in, kept) = sign_in(&accounts).await;
    assert_eq!(sign_in.agent.as_deref(), Some("Firefox"));
    let login = accounts.login(&kept, &from(2)).await.unwrap();
    assert_eq!(login.sign_in().map(|it| it.id), Some(sign_in.id));
    assert_eq!(login.rights_at("/x"), accounts.find(&name("alice")).await.unwrap().rights_at("/x"));
    assert!(accounts.login_cached(&kept, &from(2)).is_some());
    let other = self::sign_in(&accounts).await;
    assert_eq!(accounts.sign_ins(&name("alice")).await.unwrap().len(), 2);
    accounts.end_sign_in(&name("alice"), sign_in.id).await.unwrap();
    soon(login.ended()).await;
    assert!(accounts.login_cached(&kept, &from(2)).is_none());
    let refused = accounts.login(&kept, &from(2)).await;
    assert!(matches!(refused, Err(Refused::Wrong(Reason::NoSignIn))));
    assert!(accounts.login(&other.1, &from(2)).await.is_ok(), "the other one holds");
    let again = accounts.end_sign_in(&name("alice"), sign_in.id).await;
    assert!(matches!(again, Err(Error::NoSuch(_, "sign-in"))));
}

#[tokio::test]
async fn signing_in_costs_one_hash_also_where_no_login_is_remembered() {
    let mut settings = settings();
    settings.cache.entries = 0;
    let accounts = Accounts::new(Memory::new(), settings, ());
    populate(&accounts).await;
    sign_in(&accounts).await;
    assert_eq!(accounts.login_counts().hashed, 1);
}

#[tokio::test]
async fn another_password_ends_every_sign_in() {
    let accounts = accounts().await;
    let (first, second) = (sign_in(&accounts).await.1, sign_in(&accounts).await.1);
    let login = accounts.login(&first, &from(1)).await.unwrap();
    accounts.set_password(&name("alice"), chosen("another password")).await.unwrap();
    soon(login.ended()).await;
    for kept in [first, second] {
        assert!(matches!(accounts.login(&kept, &from(1)).await, Err(Refused::Wrong(_))));
    }
    assert!(accounts.sign_ins(&name("alice")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lock_ends_them_for_good_and_an_unlocked_account_signs_in_anew() {
    let accounts = accounts().await;
    let (_, kept) = sign_in(&accounts).await;
    accounts.lock(&name("alice")).await.unwrap();
    assert!(accounts.login(&kept, &from(1)).await.is_err());
    accounts.unlock(&name("alice")).await.unwrap();
    assert!(accounts.login(&kept, &from(1)).await.is_err());
    let (_, kept) = sign_in(&accounts).await;
    assert!(accounts.login(&kept, &from(1)).await.is_ok());
}

#[tokio::test]
async fn its_time_is_bounded() {
    let accounts = accounts().await;
    let (sign_in, kept) = sign_in(&accounts).await;
    let late = Attempt { now: sign_in.expires, ..from(1) };
    assert!(matches!(accounts.login(&kept, &late).await, Err(Refused::Wrong(Reason::Expired))));
    assert!(accounts.login(&kept, &from(1)).await.is_ok());
}

#[tokio::test]
async fn a_token_and_a_wrong_password_make_none() {
    let accounts = accounts().await;
    let new = NewToken {
        label: "a program".to_owned(),
        prefix: Prefix::root(),
        rights: Rights::READ,
        protocols: "any".parse().unwrap(),
        expires: None,
    };
    let (_, secret) = accounts.create_token(&name("alice"), new).await.unwrap();
    for wrong in [
        Credentials::password("alice", secret.expose()),
        Credentials::password("alice", "not hers at all"),
        Credentials::password("nobody", "not hers at all"),
        Credentials::token(secret.expose()),
    ] {
        let refused = accounts.sign_in(&wrong, &from(1), None, DAY).await;
        assert!(matches!(refused, Err(Refused::Wrong(_))), "{wrong:?}");
    }
    assert!(accounts.sign_ins(&name("alice")).await.unwrap().is_empty());
}

#[tokio::test]
async fn one_too_many_ends_the_one_that_was_not_used_for_the_longest_time() {
    let accounts = accounts().await;
    let (first, kept) = sign_in(&accounts).await;
    for _ in 1..MAX_SIGN_INS {
        let later = Timestamp::now() + Duration::from_secs(60);
        let attempt = Attempt { now: later, ..from(1) };
        soon(accounts.sign_in(&alice(), &attempt, None, DAY)).await.unwrap();
    }
    let (last, _) = sign_in(&accounts).await;
    let left = accounts.sign_ins(&name("alice")).await.unwrap();
    assert_eq!(left.len(), MAX_SIGN_INS);
    assert!(left.iter().any(|it| it.id == last.id) && left.iter().all(|it| it.id != first.id));
    assert!(accounts.login(&kept, &from(1)).await.is_err());
}

#[tokio::test]
async fn wrong_ones_lock_nobody_out_and_fill_no_log() {
    let ear = Ear::default();
    let accounts = Accounts::new(Memory::new(), settings(), ear.clone());
    populate(&accounts).await;
    let (_, kept) = sign_in(&accounts).await;
    for n in 0..1000_u32 {
        let guess = Credentials::sign_in(format!("{n:064}"));
        let refused = accounts.login(&guess, &from(1)).await;
        assert!(matches!(refused, Err(Refused::Wrong(_))));
    }
    assert!(accounts.login(&kept, &from(1)).await.is_ok());
    assert!(ear.refusals.lock().unwrap().is_empty());
}

#[tokio::test]
async fn whoever_changes_a_password_meanwhile_leaves_no_sign_in_by_the_old_one() {
    let accounts = Arc::new(accounts().await);
    for n in 0..10 {
        accounts.set_password(&name("alice"), chosen("alice's password")).await.unwrap();
        let attempt = from(1);
        let old = alice();
        let signing_in = accounts.sign_in(&old, &attempt, None, DAY);
        let who = name("alice");
        let changing = accounts.set_password(&who, chosen("another password"));
        let both = Box::pin(async { tokio::join!(signing_in, changing) });
        let (signed_in, changed) = soon(both).await;
        changed.unwrap();
        if let Ok((_, secret)) = signed_in {
            let kept = Credentials::sign_in(secret.expose());
            assert!(accounts.login(&kept, &from(1)).await.is_err(), "round {n}");
        }
        assert!(accounts.sign_ins(&name("alice")).await.unwrap().is_empty());
        accounts.unlock(&name("alice")).await.unwrap();
    }
}
