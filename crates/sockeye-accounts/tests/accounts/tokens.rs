//! Access tokens: their scope, their end, and what they cost.

use jiff::{SignedDuration, ToSpan as _};
use sockeye_accounts::*;

use super::{from, name, settings, soon, with_alice};

fn scoped() -> NewToken {
    NewToken {
        label: "backup".to_owned(),
        prefix: "/backup".parse().unwrap(),
        rights: "read,write,list".parse().unwrap(),
        protocols: "http".parse().unwrap(),
        expires: None,
    }
}

async fn refused(accounts: &Accounts, credentials: &Credentials, attempt: &Attempt<'_>) -> Reason {
    match accounts.login(credentials, attempt).await.unwrap_err() {
        Refused::Wrong(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_opens_its_scope_and_nothing_else() {
    let accounts = with_alice(settings()).await;
    let (token, secret) = accounts.create_token(&name("alice"), scoped()).await.unwrap();
    let credentials = Credentials::token(secret.expose());
    let login = accounts.login(&credentials, &from(1)).await.unwrap();
    assert_eq!(login.token().unwrap().id, token.id);
    assert_eq!(login.rights_at("/backup/monday").to_string(), "read,write,list");
    assert_eq!(login.rights_at("/docs"), Rights::NONE);
    accounts.set_role(&name("alice"), Role::Guest).await.unwrap();
    assert_eq!(login.rights_at("/backup").to_string(), "read,list", "no more than the account");
    assert_eq!(accounts.login_counts().hashed, 0, "a token costs no hash");

    let over_ftp = Attempt { protocol: "ftp", ..from(1) };
    assert_eq!(refused(&accounts, &credentials, &over_ftp).await, Reason::Protocol);
    accounts.login(&credentials, &from(1)).await.expect("which spoils it nowhere else");
}

#[tokio::test]
async fn a_token_is_taken_for_the_password_of_its_own_account() {
    let accounts = with_alice(settings()).await;
    let (_, secret) = accounts.create_token(&name("alice"), scoped()).await.unwrap();
    let with_name = |name: &str| Credentials::password(name, secret.expose());
    accounts.login(&with_name("Alice"), &from(1)).await.unwrap();
    accounts.login(&with_name(""), &from(1)).await.unwrap();
    assert_eq!(refused(&accounts, &with_name("admin"), &from(1)).await, Reason::NotTheirs);
}

#[tokio::test]
async fn a_revoked_token_ends_its_sessions_and_is_refused() {
    let accounts = with_alice(settings()).await;
    let (token, secret) = accounts.create_token(&name("alice"), scoped()).await.unwrap();
    let (_, other) = accounts.create_token(&name("alice"), scoped()).await.unwrap();
    let [login, other] = [secret.clone(), other].map(|s| Credentials::token(s.expose()));
    let [session, kept] = [
        accounts.login(&login, &from(1)).await.unwrap(),
        accounts.login(&other, &from(1)).await.unwrap(),
    ];
    accounts.revoke_token(&name("alice"), token.id).await.unwrap();
    soon(session.ended()).await;
    assert_eq!(session.rights_at("/backup"), Rights::NONE);
    assert!(!kept.is_ended());
    assert!(accounts.login_cached(&login, &from(1)).is_none());
    assert_eq!(refused(&accounts, &login, &from(1)).await, Reason::NoToken);
}

#[tokio::test]
async fn a_token_is_refused_after_its_end_also_from_the_cache() {
    let accounts = with_alice(settings()).await;
    let now = Timestamp::now();
    let expires = Some(now + 1.hour());
    let new = NewToken { expires, ..scoped() };
    let (_, secret) = accounts.create_token(&name("alice"), new).await.unwrap();
    let credentials = Credentials::token(secret.expose());
    accounts.login(&credentials, &Attempt { now, ..from(1) }).await.unwrap();
    let later = Attempt { now: now + 2.hours(), ..from(1) };
    assert_eq!(refused(&accounts, &credentials, &later).await, Reason::Expired);
}

#[tokio::test]
async fn a_session_ends_with_its_tokens_time() {
    let accounts = with_alice(settings()).await;
    let expires = Some(Timestamp::now() + SignedDuration::from_millis(300));
    let new = NewToken { expires, ..scoped() };
    let (_, secret) = accounts.create_token(&name("alice"), new).await.unwrap();
    let credentials = Credentials::token(secret.expose());
    let login = accounts.login(&credentials, &from(1)).await.unwrap();
    soon(login.ended()).await;
    assert!(login.is_ended());
    assert_eq!(login.rights_at("/backup"), Rights::NONE);
}

#[tokio::test]
async fn the_last_use_is_noted_about_once_a_minute() {
    let accounts = with_alice(settings()).await;
    let (_, secret) = accounts.create_token(&name("alice"), scoped()).await.unwrap();
    let credentials = Credentials::token(secret.expose());
    let used = async |at: Timestamp| {
        // A change drops what is remembered, so that each login is verified.
        accounts.set_quota(&name("alice"), Quota::NONE).await.unwrap();
        accounts.login(&credentials, &Attempt { now: at, ..from(1) }).await.unwrap();
        accounts.tokens(&name("alice")).await.unwrap()[0].last_used
    };
    let start = Timestamp::from_second(1_800_000_000).unwrap();
    assert_eq!(used(start).await, Some(start));
    assert_eq!(used(start + 30.seconds()).await, Some(start));
    let later = start + 90.seconds();
    assert_eq!(used(later).await, Some(later));
}

#[tokio::test]
async fn labels_and_secrets_follow_their_rules() {
    let accounts = with_alice(settings()).await;
    for label in ["", "two\nlines", &"x".repeat(MAX_LABEL + 1)] {
        let new = NewToken { label: label.to_owned(), ..scoped() };
        let error = accounts.create_token(&name("alice"), new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{label:?}");
    }
    let (_, one) = accounts.create_token(&name("alice"), scoped()).await.unwrap();
    let (_, other) = accounts.create_token(&name("alice"), scoped()).await.unwrap();
    assert_ne!(one.expose(), other.expose());
    assert!(one.expose().starts_with(TOKEN_START));
}
