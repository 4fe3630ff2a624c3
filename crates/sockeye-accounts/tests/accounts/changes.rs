//! Changes through the service: their rules, and who is told.

use sockeye_accounts::*;

use super::{Ear, chosen, name, populate, settings, with_alice};

#[tokio::test]
async fn each_change_is_told_once_it_was_made_and_a_refused_one_is_not() {
    let ear = Ear::default();
    let accounts = Accounts::new(Memory::new(), settings(), ear.clone());
    populate(&accounts).await;
    let alice = accounts.find(&name("alice")).await.unwrap().id;
    let team: SharedName = "team".parse().unwrap();
    accounts.add_shared(team.clone(), Quota::NONE).await.unwrap();
    accounts.rename(alice, name("alicia")).await.unwrap();
    accounts.lock(alice).await.unwrap();
    accounts.unlock(alice).await.unwrap();
    accounts.set_password(alice, chosen("another password")).await.unwrap();
    accounts.set_role(alice, Role::Guest).await.unwrap();
    let grant = Grant { prefix: "/shared/team".parse().unwrap(), rights: Rights::ALL };
    accounts.grant(alice, grant.clone()).await.unwrap();
    accounts.ungrant(alice, grant.prefix.clone()).await.unwrap();
    accounts.lock(&name("admin")).await.unwrap_err();
    accounts.add(name("alicia"), Role::Member, Quota::NONE, NewPassword::None).await.unwrap_err();
    let by = Commander::User { uid: 1000, name: Some("ann".to_owned()) };
    accounts.commanded_by(by).remove_shared(&team).await.unwrap();
    accounts.remove(alice).await.unwrap();
    let told: Vec<_> = ear.changes.lock().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "account admin: added",
            "account alice: added",
            "shared folder team: added",
            "account alicia: renamed from alice",
            "account alicia: locked",
            "account alicia: unlocked",
            "account alicia: password set",
            "account alicia: role set to guest",
            "account alicia: granted /shared/team all",
            "account alicia: grant on /shared/team removed",
            "shared folder team: removed",
            "account alicia: removed",
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_before_anything_is_done() {
    let accounts = with_alice(settings()).await;
    let alice = name("alice");
    let vast = Quota { bytes: Some(u64::MAX), entries: None };
    let site = Grant { prefix: "/-/api".parse().unwrap(), rights: Rights::ALL };
    let bob = name("bob");
    for error in [
        accounts.set_quota(&alice, vast).await.unwrap_err(),
        accounts.grant(&alice, site).await.unwrap_err(),
        accounts.set_password(&alice, chosen("short")).await.unwrap_err(),
        accounts.set_password(&alice, NewPassword::None).await.unwrap_err(),
        accounts.add(bob.clone(), Role::Member, Quota::NONE, chosen("bob")).await.unwrap_err(),
        accounts.add(bob.clone(), Role::Member, vast, NewPassword::None).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert!(accounts.find(&bob).await.is_err());
    assert_eq!(accounts.find(&alice).await.unwrap().revision, 1);
}

#[tokio::test]
async fn what_is_not_there_is_said_with_where_to_look() {
    let accounts = with_alice(settings()).await;
    let error = accounts.lock(&name("nobody")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let text = "there is no account `nobody`; `sockeye user list` shows them";
    assert_eq!(error.to_string(), text);
    let error = accounts.remove_shared(&"team".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_changes_at_once_are_all_made_and_leave_an_admin() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
    let accounts = Accounts::new(source, settings(), ());
    let mut set = tokio::task::JoinSet::new();
    for n in 0..8 {
        let name = name(&format!("admin{n}"));
        accounts.add(name, Role::Admin, Quota::NONE, NewPassword::None).await.unwrap();
    }
    for n in 0..8 {
        let (accounts, name) = (accounts.clone(), name(&format!("admin{n}")));
        set.spawn(async move {
            match n % 3 {
                0 => accounts.lock(&name).await,
                1 => accounts.set_role(&name, Role::Member).await,
                _ => accounts.remove(&name).await,
            }
        });
    }
    let refused = super::soon(set.join_all()).await.into_iter().filter(Result::is_err).count();
    assert_eq!(refused, 1, "all but the last one");
    let query = AccountQuery { role: Some(Role::Admin), locked: Some(false), ..Default::default() };
    assert_eq!(accounts.list(&query).await.unwrap().entries.len(), 1);
}
