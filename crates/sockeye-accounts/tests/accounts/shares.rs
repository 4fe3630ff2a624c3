//! Shares: what their links open, for how long, and what guesses cost.

use std::time::Duration;

use sockeye_accounts::*;

use super::{Ear, alice, chosen, from, name, populate, settings, soon, with_alice};

fn share(path: &str) -> NewShare {
    NewShare::of(path.parse().unwrap())
}

fn protected(path: &str) -> NewShare {
    NewShare { password: Some(Secret::new("open sesame")), ..share(path) }
}

async fn make(accounts: &Accounts, new: NewShare) -> Share {
    accounts.create_share(&name("alice"), new).await.unwrap()
}

fn link(accounts: &Accounts, share: &Share, proof: Option<ShareProof>) -> Credentials {
    Credentials::Share { link: accounts.link(share.id), proof }
}

fn password(text: &str) -> Option<ShareProof> {
    Some(ShareProof::Password(Secret::new(text)))
}

async fn reason(accounts: &Accounts, credentials: &Credentials, host: u8) -> Reason {
    match soon(accounts.login(credentials, &from(host))).await.unwrap_err() {
        Refused::Wrong(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_link_opens_what_is_shared_and_nothing_beside_it() {
    let accounts = with_alice(settings()).await;
    let share = make(&accounts, share("/docs")).await;
    let login = accounts.login(&link(&accounts, &share, None), &from(1)).await.unwrap();
    let look = Rights::READ | Rights::LIST;
    for (path, rights) in [
        ("/docs", look),
        ("/docs/a/b", look),
        ("/docs2", Rights::NONE),
        ("/", Rights::NONE),
        ("/shared/team", Rights::NONE),
        ("/docs/../x", Rights::NONE),
    ] {
        assert_eq!(login.rights_at(path), rights, "{path}");
    }
    assert_eq!(login.account().name, name("alice"));
    assert_eq!(login.share().unwrap().id, share.id);
}

#[tokio::test]
async fn a_share_gives_no_more_than_its_owner_has_now() {
    let accounts = with_alice(settings()).await;
    let share = make(&accounts, share("/docs")).await;
    let login = accounts.login(&link(&accounts, &share, None), &from(1)).await.unwrap();
    let grant = |prefix: &str, rights: &str| Grant {
        prefix: prefix.parse().unwrap(),
        rights: rights.parse().unwrap(),
    };
    let alice = name("alice");
    accounts.grant(&alice, grant("/docs/private", "none")).await.unwrap();
    assert_eq!(login.rights_at("/docs/private/x"), Rights::NONE);
    assert_eq!(login.rights_at("/docs/x"), Rights::READ | Rights::LIST);
    accounts.grant(&alice, grant("/docs", "read,list")).await.unwrap();
    assert_eq!(login.rights_at("/docs/x"), Rights::NONE, "who may not share, shares nothing");
    accounts.grant(&alice, grant("/docs", "share,list")).await.unwrap();
    assert_eq!(login.rights_at("/docs/x"), Rights::LIST);
}

#[tokio::test]
async fn a_share_ends_with_its_revocation_its_owner_and_its_time() {
    let accounts = with_alice(settings()).await;
    let alice = name("alice");
    let [first, second, third] =
        [make(&accounts, share("/a")).await, make(&accounts, share("/b")).await, {
            let expires = Timestamp::now().checked_add(Duration::from_secs(3600)).unwrap();
            make(&accounts, NewShare { expires: Some(expires), ..share("/c") }).await
        }];
    let first_link = link(&accounts, &first, None);
    let one = accounts.login(&first_link, &from(1)).await.unwrap();
    let two = accounts.login(&link(&accounts, &second, None), &from(1)).await.unwrap();
    accounts.revoke_share(first.id).await.unwrap();
    soon(one.ended()).await;
    assert!(one.is_ended() && !two.is_ended());
    assert_eq!(reason(&accounts, &first_link, 1).await, Reason::NoShare);
    let mut later = from(1);
    later.now = third.expires.unwrap();
    let over = accounts.login(&link(&accounts, &third, None), &later).await;
    assert!(matches!(over, Err(Refused::Wrong(Reason::Expired))), "{over:?}");
    accounts.lock(&alice).await.unwrap();
    assert!(two.is_ended());
    let second_link = link(&accounts, &second, None);
    assert_eq!(reason(&accounts, &second_link, 1).await, Reason::Locked);
    accounts.remove(&alice).await.unwrap();
    assert_eq!(reason(&accounts, &second_link, 1).await, Reason::NoShare);
}

#[tokio::test]
async fn a_password_is_asked_for_and_a_pass_stands_for_it_until_it_ends() {
    let accounts = with_alice(settings()).await;
    let share = make(&accounts, protected("/docs")).await;
    assert!(share.has_password);
    let bare = link(&accounts, &share, None);
    assert_eq!(reason(&accounts, &bare, 1).await, Reason::PasswordNeeded);
    let wrong = link(&accounts, &share, password("close sesame"));
    assert_eq!(reason(&accounts, &wrong, 1).await, Reason::WrongPassword);
    accounts.login(&link(&accounts, &share, password("open sesame")), &from(1)).await.unwrap();
    let pass = accounts.share_pass(share.id, &from(1)).await.unwrap().unwrap();
    let passing = link(&accounts, &share, Some(ShareProof::Pass(pass)));
    accounts.login(&passing, &from(2)).await.unwrap();
    let mut tomorrow = from(2);
    tomorrow.now = tomorrow.now.checked_add(Duration::from_secs(24 * 3600)).unwrap();
    // Not as remembered, which is for minutes.
    accounts.set_quota(&name("alice"), Quota::NONE).await.unwrap();
    let late = accounts.login(&passing, &tomorrow).await;
    assert!(matches!(late, Err(Refused::Wrong(Reason::PasswordNeeded))), "{late:?}");
}

#[tokio::test]
async fn what_nobody_could_use_or_its_owner_may_not_give_is_not_shared() {
    let accounts = with_alice(settings()).await;
    accounts.add(name("gast"), Role::Guest, Quota::NONE, NewPassword::None).await.unwrap();
    let expired = Some(Timestamp::now());
    for (who, new) in [
        ("alice", share("/")),
        ("alice", share("/shared")),
        ("alice", share("/-/api")),
        ("alice", NewShare { expires: expired, ..share("/docs") }),
        ("alice", NewShare { downloads: Some(0), ..share("/docs") }),
        ("alice", NewShare { label: Some("two\nlines".to_owned()), ..share("/docs") }),
        ("alice", NewShare { kind: ShareKind::Upload, downloads: Some(1), ..share("/docs") }),
        ("alice", NewShare { max_files: Some(1), ..share("/docs") }),
        ("alice", NewShare { kind: ShareKind::Upload, max_bytes: Some(0), ..share("/docs") }),
    ] {
        let made = accounts.create_share(&name(who), new.clone()).await;
        assert!(matches!(made, Err(Error::Invalid(_))), "{who} {new:?}: {made:?}");
    }
    let weak = NewShare { password: Some(Secret::new("short")), ..share("/docs") };
    let made = accounts.create_share(&name("alice"), weak).await;
    assert!(matches!(made, Err(Error::Password(_))), "{made:?}");
}

#[tokio::test]
async fn who_may_not_share_is_told_what_is_missing_and_which_grant_gives_it() {
    let accounts = with_alice(settings()).await;
    accounts.add(name("gast"), Role::Guest, Quota::NONE, NewPassword::None).await.unwrap();
    accounts.add_shared("our team".parse().unwrap(), Quota::NONE).await.unwrap();
    let grant =
        Grant { prefix: "/shared/our team".parse().unwrap(), rights: "read,list".parse().unwrap() };
    accounts.grant(&name("alice"), grant).await.unwrap();
    let drop_box = NewShare { kind: ShareKind::Upload, ..share("/shared/our team/in") };
    for (who, new, message) in [
        (
            "alice",
            share("/public/a"),
            "lacks share there; `sockeye user grant alice /public/a read,list,share`",
        ),
        (
            "gast",
            share("/docs"),
            "lacks share there; `sockeye user grant gast /docs read,list,share`",
        ),
        (
            "alice",
            share("/shared/x"),
            "lacks read,list,share there; `sockeye user grant alice /shared/x read,list,share`",
        ),
        // Where a grant decides, that is the one to be widened.
        (
            "alice",
            drop_box,
            "alice may not share /shared/our team/in: it lacks write,share there; \
             `sockeye user grant alice '/shared/our team' read,write,list,share` gives it that",
        ),
    ] {
        let error = accounts.create_share(&name(who), new.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.to_string().contains(message), "{who} {new:?}: {error}");
    }
}

#[tokio::test]
async fn guessed_links_cost_nothing_tell_nothing_and_keep_nobody_out() {
    let mut settings = settings();
    settings.back_off = BackOff::default();
    let ear = Ear::default();
    let accounts = Accounts::new(Memory::new(), settings, ear.clone());
    populate(&accounts).await;
    let share = make(&accounts, share("/docs")).await;
    let stranger = LinkKey::generate();
    for _ in 0..100_000 {
        let link = stranger.link(ShareId::generate());
        let refused = accounts.login(&Credentials::Share { link, proof: None }, &from(1)).await;
        assert!(matches!(refused, Err(Refused::Wrong(Reason::NoLink) | Refused::Wait { .. })));
    }
    // From the same address, neither who has the link nor who has an account waits.
    accounts.login(&link(&accounts, &share, None), &from(1)).await.unwrap();
    accounts.login(&alice(), &from(1)).await.unwrap();
    let told = ear.refusals.lock().unwrap().len();
    assert!(told < 100, "{told} lines for the log");
    assert_eq!(accounts.login_counts().hashed, 1, "alice's own");
}

#[tokio::test]
async fn guessed_passwords_of_a_share_wait_by_their_origin() {
    let mut settings = settings();
    settings.back_off = BackOff::default();
    let accounts = with_alice(settings).await;
    let share = make(&accounts, protected("/docs")).await;
    let guess = |n: u32| link(&accounts, &share, password(&format!("guess number {n}")));
    let mut waited = 0;
    for n in 0..1000 {
        if let Err(Refused::Wait { .. }) = accounts.login(&guess(n), &from(1)).await {
            waited += 1;
        }
    }
    assert!(waited > 900, "only {waited} waited");
    let right = link(&accounts, &share, password("open sesame"));
    accounts.login(&right, &from(2)).await.unwrap();
    accounts.login(&alice(), &from(1)).await.unwrap();
}

#[tokio::test]
async fn a_change_of_the_password_or_of_the_key_ends_what_came_before() {
    let mut with_key = settings();
    with_key.links = LinkKey::from_bytes([1; 32]);
    let accounts = with_alice(with_key).await;
    let share = make(&accounts, share("/docs")).await;
    let old = link(&accounts, &share, None);
    accounts.set_password(&name("alice"), chosen("another password")).await.unwrap();
    accounts.login(&old, &from(1)).await.expect("a share is not its owner's password");
    assert_eq!(LinkKey::from_bytes([1; 32]).link(share.id), accounts.link(share.id));
    assert_ne!(LinkKey::from_bytes([2; 32]).link(share.id), accounts.link(share.id));
}
