//! Commands as they cross a socket: each is written, read back, carried out and answered.

use sockeye_accounts::*;

use super::{from, name, settings, with_alice};

/// As a command line does it: through text, both ways.
async fn send(accounts: &Accounts, command: AccountCommand) -> Result<AccountAnswer> {
    let text = serde_json::to_string(&command).unwrap();
    assert!(!text.contains('\n'), "one line");
    let command: AccountCommand = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&command).unwrap(), text);
    let text = serde_json::to_string(&accounts.execute(command).await?).unwrap();
    assert!(!text.contains('\n'), "one line");
    Ok(serde_json::from_str(&text).unwrap())
}

fn account_of(answer: AccountAnswer) -> Account {
    match answer {
        AccountAnswer::Account(account) | AccountAnswer::WithPassword { account, .. } => account,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_account_gets_a_password_that_is_shown_once() {
    let accounts = with_alice(settings()).await;
    let add = AccountCommand::Add {
        name: name("bob"),
        role: Role::Member,
        quota: Quota { bytes: Some(10 << 30), entries: None }.into(),
        password: PasswordChoice::Initial,
    };
    let AccountAnswer::WithPassword { account, initial } = send(&accounts, add).await.unwrap()
    else {
        panic!("no password")
    };
    assert!(account.must_change && account.quota.bytes == Some(10 << 30));
    let credentials = Credentials::password("bob", initial.unwrap().expose());
    assert!(accounts.login(&credentials, &from(1)).await.unwrap().account().must_change);

    let chosen =
        PasswordChoice::Chosen { password: Secret::new("bob's own words"), must_change: false };
    let passwd = AccountCommand::Passwd { name: name("bob"), password: chosen };
    assert!(!account_of(send(&accounts, passwd).await.unwrap()).must_change);
    let credentials = Credentials::password("bob", "bob's own words");
    accounts.login(&credentials, &from(1)).await.unwrap();
}

#[tokio::test]
async fn every_command_does_what_it_says() {
    use AccountCommand as C;
    let accounts = with_alice(settings()).await;
    let alice = || name("alice");
    let quota = Quota { bytes: Some(5), entries: Some(6) };
    let grant = Grant { prefix: "/a".parse().unwrap(), rights: Rights::READ };
    let shared: SharedName = "项目".parse().unwrap();
    let key: PublicKey = {
        let line = include_str!("../fixtures/keys").lines().next().unwrap();
        line.split_once('\t').unwrap().1.parse().unwrap()
    };
    let done = async |command| send(&accounts, command).await.unwrap();

    assert!(account_of(done(C::Lock(alice())).await).locked);
    assert!(!account_of(done(C::Unlock(alice())).await).locked);
    let set = C::Quota { name: alice(), quota: quota.into() };
    assert_eq!(account_of(done(set).await).quota, quota);
    let bytes = QuotaChoice { bytes: Limit::Of(7), ..QuotaChoice::default() };
    let set = account_of(done(C::Quota { name: alice(), quota: bytes }).await).quota;
    assert_eq!(set, Quota { bytes: Some(7), ..quota }, "what was not said stays");
    let role = Role::Admin;
    assert_eq!(account_of(done(C::Role { name: alice(), role }).await).role, role);
    let granted = done(C::Grant { name: alice(), grant: grant.clone() }).await;
    assert_eq!(account_of(granted).grants, std::slice::from_ref(&grant));
    let prefix = grant.prefix;
    assert!(account_of(done(C::Ungrant { name: alice(), prefix }).await).grants.is_empty());

    let AccountAnswer::Key(added) = done(C::AddKey { name: alice(), key: key.clone() }).await
    else {
        panic!("no key")
    };
    assert_eq!((&added.key, &added.fingerprint), (&key, &key.fingerprint()));
    let create = C::CreateToken {
        name: alice(),
        label: "backup".to_owned(),
        prefix: Prefix::root(),
        rights: Rights::ALL,
        protocols: Protocols::ANY,
        expires: None,
    };
    let AccountAnswer::NewToken { token, secret } = done(create).await else { panic!("no token") };
    accounts.login(&Credentials::token(secret.expose()), &from(1)).await.unwrap();

    let AccountAnswer::Details { account, keys, tokens } = done(C::Show(alice())).await else {
        panic!("no details")
    };
    assert_eq!((account.name, keys.len(), tokens.len()), (alice(), 1, 1));
    assert!(matches!(done(C::Keys(alice())).await, AccountAnswer::Keys(k) if k.len() == 1));
    assert!(matches!(done(C::Tokens(alice())).await, AccountAnswer::Tokens(t) if t.len() == 1));
    done(C::RemoveKey { name: alice(), fingerprint: added.fingerprint }).await;
    done(C::RevokeToken { name: alice(), id: token.id }).await;

    done(C::SharedAdd { name: shared.clone(), quota }).await;
    let AccountAnswer::SharedFolders(page) = done(C::SharedList { after: None, limit: 10 }).await
    else {
        panic!("no list")
    };
    assert_eq!(page.entries[0].quota, quota);
    let entries = QuotaChoice { entries: Limit::None, ..QuotaChoice::default() };
    let set = done(C::SharedQuota { name: shared.clone(), quota: entries }).await;
    assert!(matches!(set, AccountAnswer::Shared(s) if s.quota.bytes == quota.bytes));
    done(C::SharedQuota { name: shared.clone(), quota: Quota::NONE.into() }).await;
    let removed = done(C::SharedRemove(shared)).await;
    assert!(matches!(removed, AccountAnswer::Shared(s) if s.quota == Quota::NONE));

    let renamed = done(C::Rename { name: alice(), to: name("alicia") }).await;
    assert_eq!(account_of(renamed).name, name("alicia"));
    done(C::Remove(name("alicia"))).await;
    let query = AccountQuery::default();
    let AccountAnswer::Accounts(page) = done(C::List(query)).await else { panic!("no list") };
    assert_eq!((page.entries.len(), page.more), (1, false));
}

#[test]
fn what_was_not_parsed_is_no_command() {
    for text in [
        r#"{"lock":"not a name"}"#,
        r#"{"lock":"../etc"}"#,
        r#"{"grant":{"name":"alice","grant":{"prefix":"/../x","rights":"all"}}}"#,
        r#"{"frobnicate":"alice"}"#,
        "[]",
    ] {
        assert!(serde_json::from_str::<AccountCommand>(text).is_err(), "{text}");
    }
}
