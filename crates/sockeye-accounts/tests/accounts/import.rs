//! Accounts that come from elsewhere with their passwords' hashes.

use super::{
    live::{Gate, Gated},
    *,
};

/// What `crypt(3)` makes of `correct horse`.
const HASH: &str = "$5$rounds=1000$x$iQZpM1omHUPunsHyFj3BDlScQB2YZdUeOB22XlNl6w3";

fn newcomer(called: &str) -> Newcomer {
    let password = Brought::Hash(HASH.parse().unwrap());
    Newcomer { name: name(called), role: None, quota: QuotaChoice::default(), password }
}

fn password(called: &str) -> Credentials {
    Credentials::password(called, "correct horse")
}

#[tokio::test]
async fn who_comes_logs_in_with_the_old_password_which_is_hashed_anew_then() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
    let ear = Ear::default();
    let accounts = Accounts::new(source.clone(), settings(), ear.clone());
    let usual = Quota { bytes: Some(1 << 20), entries: None };
    let taking = Taking { usual, ..Taking::default() };
    let done = accounts.import(vec![newcomer("bob")], taking).await.unwrap();
    assert_eq!(done, [Imported::Added]);
    let told = ear.changes.lock().unwrap().clone();
    assert!(
        matches!(&told[..], [Change { what: What::Added, name, .. }] if name == "bob"),
        "{told:?}"
    );
    let bob = accounts.find(&name("bob")).await.unwrap();
    assert_eq!((bob.role, bob.quota, bob.has_password), (Role::Member, usual, true));
    let kept = async || {
        let record = source.account(&Who::Name(name("bob"))).await.unwrap().unwrap();
        record.password.unwrap()
    };
    assert_eq!(kept().await.to_string(), HASH);
    let wrong = Credentials::password("bob", "correct house");
    accounts.login(&wrong, &from(1)).await.unwrap_err();
    assert_eq!(kept().await.to_string(), HASH, "a wrong password replaces nothing");
    accounts.login(&password("bob"), &from(1)).await.unwrap();
    assert_eq!(kept().await.cost(), Some(cheap()));
    let again = Accounts::new(source.clone(), settings(), ());
    again.login(&password("bob"), &from(1)).await.unwrap();
}

#[tokio::test]
async fn who_is_there_stays_as_it_is_unless_it_is_to_be_updated() {
    let accounts = with_alice(settings()).await;
    let (alice, before) = (newcomer("alice"), accounts.find(&name("alice")).await.unwrap());
    let take = async |taking| accounts.import(vec![alice.clone()], taking).await.unwrap();
    assert_eq!(take(Taking::default()).await, [Imported::Kept]);
    let dry = Taking { update: true, dry_run: true, ..Taking::default() };
    assert_eq!(take(dry).await, [Imported::Updated]);
    assert_eq!(accounts.find(&name("alice")).await.unwrap(), before);
    accounts.login(&password("alice"), &from(1)).await.unwrap_err();
    let update = Taking { update: true, ..Taking::default() };
    assert_eq!(take(update).await, [Imported::Updated]);
    accounts.login(&password("alice"), &from(2)).await.unwrap();
    let after = accounts.find(&name("alice")).await.unwrap();
    assert_eq!((after.role, after.quota), (before.role, before.quota), "nothing was said of them");
    let mut guest = alice.clone();
    guest.role = Some(Role::Guest);
    guest.quota = QuotaChoice { bytes: Limit::Of(9), entries: Limit::Usual };
    accounts.import(vec![guest], update).await.unwrap();
    let after = accounts.find(&name("alice")).await.unwrap();
    assert_eq!((after.role, after.quota.bytes), (Role::Guest, Some(9)));
}

#[tokio::test]
async fn an_update_is_one_change_of_which_nothing_stays_if_it_cannot_be() {
    let ear = Ear::default();
    let accounts = Accounts::new(Memory::default(), settings(), ear.clone());
    let mut alice = newcomer("alice");
    alice.role = Some(Role::Admin);
    accounts.import(vec![alice.clone()], Taking::default()).await.unwrap();
    let before = accounts.find(&name("alice")).await.unwrap();
    ear.changes.lock().unwrap().clear();
    let update = Taking { update: true, ..Taking::default() };
    alice.password = Brought::Plain(Secret::new("another horse"));
    alice.role = Some(Role::Guest);
    alice.quota = QuotaChoice { bytes: Limit::Of(9), entries: Limit::Usual };
    let done = accounts.import(vec![alice], update).await.unwrap();
    assert!(
        matches!(&done[..], [Imported::Refused(why)] if why.contains("the last admin")),
        "{done:?}"
    );
    assert_eq!(accounts.find(&name("alice")).await.unwrap(), before);
    accounts.login(&password("alice"), &from(1)).await.unwrap();
    assert!(ear.changes.lock().unwrap().is_empty());

    let mut bob = newcomer("bob");
    accounts.import(vec![bob.clone()], Taking::default()).await.unwrap();
    let before = accounts.find(&name("bob")).await.unwrap();
    ear.changes.lock().unwrap().clear();
    bob.role = Some(Role::Guest);
    bob.quota = QuotaChoice { bytes: Limit::Of(9), entries: Limit::Usual };
    assert_eq!(accounts.import(vec![bob], update).await.unwrap(), [Imported::Updated]);
    let after = accounts.find(&name("bob")).await.unwrap();
    assert_eq!(after.revision, before.revision + 1, "one change");
    let told: Vec<_> =
        ear.changes.lock().unwrap().iter().map(|change| change.what.clone()).collect();
    let quota = Quota { bytes: Some(9), entries: None };
    assert_eq!(told, [What::PasswordSet, What::RoleSet(Role::Guest), What::QuotaSet(quota)]);
}

#[tokio::test]
async fn when_the_accounts_fail_in_the_middle_it_is_told_what_came_of_each() {
    /// After the first change there is no other.
    struct Closing(Arc<Gate>);

    impl Observer for Closing {
        fn changed(&self, _: &Change, _: &Commander) {
            self.0.open.close();
        }
    }

    let gate = Arc::new(Gate::default());
    gate.open.add_permits(1);
    let source = Gated { inner: Memory::new(), gate: Arc::clone(&gate) };
    let accounts = Accounts::new(source, settings(), Closing(gate));
    let newcomers = ["ann", "bob", "cid"].map(newcomer).to_vec();
    let done = accounts.import(newcomers.clone(), Taking::default()).await.unwrap();
    let [Imported::Added, Imported::Refused(bob), Imported::Refused(cid)] = &done[..] else {
        panic!("{done:?}")
    };
    assert!(bob.contains("try again") && bob == cid, "{done:?}");
    let error = accounts.import(newcomers[1..].to_vec(), Taking::default()).await.unwrap_err();
    assert!(matches!(error, Error::Busy), "{error}");
}

#[tokio::test]
async fn one_that_cannot_be_hinders_no_other() {
    let accounts = with_alice(settings()).await;
    let mut weak = newcomer("weak");
    weak.password = Brought::Plain(Secret::new("short"));
    let mut plain = newcomer("plain");
    plain.password = Brought::Plain(Secret::new("correct horse"));
    let mut admin = newcomer("admin");
    admin.role = Some(Role::Guest);
    let query = AccountQuery { role: Some(Role::Admin), ..AccountQuery::default() };
    admin.name = accounts.list(&query).await.unwrap().entries[0].name.clone();
    let taking = Taking { update: true, ..Taking::default() };
    let done = accounts.import(vec![weak, admin, plain], taking).await.unwrap();
    let Imported::Refused(why) = &done[0] else { panic!("{done:?}") };
    assert!(why.contains("at least 8"), "{why}");
    let Imported::Refused(why) = &done[1] else { panic!("{done:?}") };
    assert!(why.contains("the last admin"), "{why}");
    assert_eq!(done[2], Imported::Added);
    accounts.login(&password("plain"), &from(1)).await.unwrap();
}

#[tokio::test]
async fn what_crosses_to_the_server_is_read_back_and_shows_nothing() {
    let mut plain = newcomer("plain");
    plain.password = Brought::Plain(Secret::new("correct horse"));
    let accounts = vec![newcomer("bob"), plain];
    let command = AccountCommand::Import { accounts, taking: Taking::default() };
    let shown = format!("{command:?}");
    assert!(!shown.contains("correct horse") && !shown.contains("iQZpM1"), "{shown}");
    let sent = serde_json::to_string(&command).unwrap();
    let AccountCommand::Import { accounts, .. } = serde_json::from_str(&sent).unwrap() else {
        panic!("{sent}")
    };
    assert!(matches!(&accounts[0].password, Brought::Hash(hash) if hash.to_string() == HASH));
    let dear = sent.replace("rounds=1000", "rounds=900000000");
    assert!(serde_json::from_str::<AccountCommand>(&dear).is_err());
}
