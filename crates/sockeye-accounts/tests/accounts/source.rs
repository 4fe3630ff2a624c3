//! What every source does alike: one suite, run over each of them.

use std::sync::Arc;

use sockeye_accounts::{source::NewAccount, *};

use super::name;

/// A source, and what it stands on.
struct Fresh {
    source: Arc<dyn Source>,
    _folder: Option<tempfile::TempDir>,
}

async fn memory() -> Fresh {
    Fresh { source: Arc::new(Memory::new()), _folder: None }
}

async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
    Fresh { source: Arc::new(source), _folder: Some(folder) }
}

macro_rules! over_each_source {
    ($($test:ident)*) => {
        mod in_memory { $(
            #[tokio::test]
            async fn $test() {
                let fresh = super::memory().await;
                super::super::soon(super::$test(&*fresh.source)).await;
            }
        )* }
        mod in_sqlite { $(
            #[tokio::test]
            async fn $test() {
                let fresh = super::sqlite().await;
                super::super::soon(super::$test(&*fresh.source)).await;
            }
        )* }
    };
}

over_each_source! {
    an_account_is_found_by_name_and_by_id_with_all_it_was_made_with
    a_name_is_taken_once_and_all_of_a_batch_or_none_is_added
    pages_follow_each_other_without_gap_or_double
    pages_are_filtered_by_start_role_and_lock
    each_edit_changes_what_it_says_and_counts_one_revision
    the_last_admin_stays
    a_removed_account_leaves_nothing_behind
    grants_keys_and_tokens_are_bounded
    what_is_not_there_cannot_be_changed
    a_hash_is_renewed_only_in_place_of_the_one_it_renews
    shared_folders_are_found_by_their_exact_name_and_unique_without_case
    a_shared_folder_takes_the_grants_in_it_along_and_no_others
    the_use_of_a_token_is_noted
    a_share_is_found_with_all_it_was_made_with_and_goes_with_its_account
    shares_follow_each_other_of_one_account_and_of_all
    a_limit_of_which_nothing_is_said_stays_as_it_is_when_the_change_is_made
    shares_are_bounded_and_revoked_by_their_owner_alone
    a_shared_folder_takes_the_shares_in_it_along_and_no_others
    of_many_downloads_at_once_as_many_are_counted_as_there_may_be
    of_many_files_at_once_as_many_are_counted_as_a_drop_box_takes
    a_sign_in_is_found_with_all_it_was_made_with_and_goes_with_its_account
    sign_ins_are_bounded_and_those_that_are_over_make_room
    a_sign_in_is_made_of_the_account_as_it_is_and_ended_by_its_owner_alone
    another_password_and_a_lock_end_all_sign_ins_of_their_account_alone
}

fn hash(seed: u8) -> PasswordHash {
    // 16 and 32 bytes in base 64: the last letter holds the end of the last byte and zeros.
    let letter = char::from(b'a' + seed).to_string();
    let (salt, output) = (letter.repeat(21), letter.repeat(42));
    format!("$argon2id$v=19$m=64,t=1,p=1${salt}A${output}A").parse().unwrap()
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn new(called: &str, role: Role) -> NewAccount {
    NewAccount {
        id: AccountId::generate(),
        name: name(called),
        role,
        quota: Quota { bytes: Some(10 << 30), entries: None },
        password: Some(hash(1)),
        must_change: true,
        created: time(1_700_000_000),
    }
}

async fn add(source: &dyn Source, called: &str, role: Role) -> AccountId {
    let new = new(called, role);
    let id = new.id;
    source.change(&Edit::Add(vec![new])).await.unwrap();
    id
}

async fn record(source: &dyn Source, id: AccountId) -> Record {
    source.account(&Who::Id(id)).await.unwrap().unwrap()
}

async fn edit(source: &dyn Source, id: AccountId, edit: AccountEdit) -> Result<Account> {
    match source.change(&Edit::Account(id, edit)).await? {
        Changed::Account(account) => Ok(account),
        other => panic!("{other:?} of an edit of an account"),
    }
}

fn grant(prefix: &str, rights: &str) -> Grant {
    Grant { prefix: prefix.parse().unwrap(), rights: rights.parse().unwrap() }
}

fn token(account: AccountId) -> (Token, TokenHash) {
    let token = Token {
        id: TokenId::generate(),
        account,
        label: "备份 backup".to_owned(),
        prefix: "/docs".parse().unwrap(),
        rights: "read,list".parse().unwrap(),
        protocols: "http,ftp".parse().unwrap(),
        expires: Some(time(2_000_000_000)),
        last_used: None,
        created: time(1_700_000_000),
    };
    (token, TokenHash::from_bytes([9; 32]))
}

fn key() -> Key {
    let line = include_str!("../fixtures/keys").lines().next().unwrap();
    let key: PublicKey = line.split_once('\t').unwrap().1.parse().unwrap();
    Key { fingerprint: key.fingerprint(), key, created: time(1_700_000_000) }
}

async fn an_account_is_found_by_name_and_by_id_with_all_it_was_made_with(source: &dyn Source) {
    let new = new("alice", Role::Member);
    source.change(&Edit::Add(vec![new.clone()])).await.unwrap();
    let expected = Account {
        id: new.id,
        name: name("alice"),
        role: Role::Member,
        locked: false,
        has_password: true,
        must_change: true,
        quota: new.quota,
        grants: Vec::new(),
        created: new.created,
        revision: 1,
    };
    for who in [Who::Id(new.id), Who::Name(name("ALICE"))] {
        let found = source.account(&who).await.unwrap().unwrap();
        assert_eq!((found.account, found.password), (expected.clone(), Some(hash(1))));
    }
    for who in [Who::Id(AccountId::generate()), Who::Name(name("alic"))] {
        assert!(source.account(&who).await.unwrap().is_none(), "{who}");
    }
}

async fn a_name_is_taken_once_and_all_of_a_batch_or_none_is_added(source: &dyn Source) {
    add(source, "alice", Role::Member).await;
    let batch = vec![new("bob", Role::Member), new("alice", Role::Guest)];
    let error = source.change(&Edit::Add(batch)).await.unwrap_err();
    assert!(matches!(error, Error::NameTaken(taken) if taken == name("alice")));
    assert!(source.account(&Who::Name(name("bob"))).await.unwrap().is_none());
    let bob = add(source, "bob", Role::Member).await;
    let error = edit(source, bob, AccountEdit::Rename(name("alice"))).await.unwrap_err();
    assert!(matches!(error, Error::NameTaken(_)));
    let same = edit(source, bob, AccountEdit::Rename(name("bob"))).await.unwrap();
    assert_eq!(same.name, name("bob"));
}

async fn names(source: &dyn Source, query: AccountQuery) -> Vec<String> {
    let page = source.accounts(&query).await.unwrap();
    page.entries.into_iter().map(|account| account.name.into()).collect()
}

async fn pages_follow_each_other_without_gap_or_double(source: &dyn Source) {
    let all: Vec<_> = (0..25).map(|n| format!("user{n:02}")).collect();
    let batch = all.iter().rev().map(|called| new(called, Role::Member)).collect();
    source.change(&Edit::Add(batch)).await.unwrap();
    let (mut query, mut seen) = (AccountQuery { limit: 10, ..AccountQuery::default() }, vec![]);
    loop {
        let page = source.accounts(&query).await.unwrap();
        query.after = page.entries.last().map(|account| account.name.clone());
        assert_eq!(page.entries.len(), if page.more { 10 } else { 5 });
        seen.extend(page.entries.into_iter().map(|account| String::from(account.name)));
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, all);
    let full = AccountQuery { limit: 25, ..AccountQuery::default() };
    assert!(!source.accounts(&full).await.unwrap().more, "a page that is just full is the last");
    let none = AccountQuery { limit: 0, ..AccountQuery::default() };
    assert_eq!(names(source, none).await.len(), 1, "a page is never empty for its limit");
}

async fn pages_are_filtered_by_start_role_and_lock(source: &dyn Source) {
    for (called, role) in
        [("ada", Role::Admin), ("al", Role::Member), ("alan", Role::Guest), ("am", Role::Guest)]
    {
        add(source, called, role).await;
    }
    let alan = source.account(&Who::Name(name("alan"))).await.unwrap().unwrap().account.id;
    edit(source, alan, AccountEdit::Lock(true)).await.unwrap();
    let all = AccountQuery::default();
    for (query, expected) in [
        (AccountQuery { starts_with: "AL".into(), ..all.clone() }, vec!["al", "alan"]),
        (AccountQuery { role: Some(Role::Guest), ..all.clone() }, vec!["alan", "am"]),
        (AccountQuery { locked: Some(true), ..all.clone() }, vec!["alan"]),
        (AccountQuery { role: Some(Role::Guest), locked: Some(false), ..all.clone() }, vec!["am"]),
        (
            AccountQuery { starts_with: "al".into(), after: Some(name("al")), ..all.clone() },
            vec!["alan"],
        ),
        (AccountQuery { starts_with: "al%".into(), ..all.clone() }, vec![]),
        (AccountQuery { starts_with: "b".into(), ..all }, vec![]),
    ] {
        assert_eq!(names(source, query.clone()).await, expected, "{query:?}");
    }
}

async fn each_edit_changes_what_it_says_and_counts_one_revision(source: &dyn Source) {
    let id = add(source, "alice", Role::Member).await;
    let (token, token_hash) = token(id);
    let quota = Quota { bytes: None, entries: Some(Quota::MOST) };
    let edits = [
        AccountEdit::Rename(name("alicia")),
        AccountEdit::Lock(true),
        AccountEdit::Brought(
            hash(1),
            Some(Role::Member),
            Quota { bytes: Some(7), entries: None }.into(),
        ),
        AccountEdit::Brought(hash(2), None, quota.into()),
        AccountEdit::Password(hash(2), false),
        AccountEdit::Quota(quota.into()),
        AccountEdit::Role(Role::Guest),
        AccountEdit::Grant(grant("/z", "read")),
        AccountEdit::Grant(grant("/a \"quoted\"", "none")),
        AccountEdit::Grant(grant("/z", "all")),
        AccountEdit::Grant(grant("/gone", "all")),
        AccountEdit::Ungrant("/gone".parse().unwrap()),
        AccountEdit::AddKey(key()),
        AccountEdit::AddToken(token.clone(), token_hash),
    ];
    for (revision, change) in (2..).zip(edits) {
        let answered = edit(source, id, change.clone()).await.unwrap();
        assert_eq!(answered.revision, revision, "{change:?}");
        assert_eq!(record(source, id).await.account, answered, "{change:?}");
    }
    let Record { account, password } = record(source, id).await;
    assert_eq!((account.name, account.locked, account.role), (name("alicia"), true, Role::Guest));
    assert_eq!((password, account.must_change, account.quota), (Some(hash(2)), false, quota));
    assert_eq!(account.grants, [grant("/a \"quoted\"", "none"), grant("/z", "all")]);
    assert_eq!(source.keys(id).await.unwrap(), [key()]);
    assert_eq!(source.tokens(id).await.unwrap(), std::slice::from_ref(&token));
    let found = source.token(token.id).await.unwrap().unwrap();
    assert_eq!((found.token, found.hash), (token.clone(), token_hash));
    edit(source, id, AccountEdit::RemoveKey(key().fingerprint)).await.unwrap();
    edit(source, id, AccountEdit::RemoveToken(token.id)).await.unwrap();
    assert!(source.keys(id).await.unwrap().is_empty());
    assert!(source.token(token.id).await.unwrap().is_none());
}

async fn the_last_admin_stays(source: &dyn Source) {
    let (first, second) =
        (add(source, "first", Role::Admin).await, add(source, "second", Role::Admin).await);
    edit(source, second, AccountEdit::Lock(true)).await.unwrap();
    for change in [AccountEdit::Lock(true), AccountEdit::Role(Role::Member)] {
        let error = edit(source, first, change).await.unwrap_err();
        assert!(matches!(error, Error::LastAdmin), "{error}");
    }
    let error = source.change(&Edit::Remove(first)).await.unwrap_err();
    assert!(matches!(error, Error::LastAdmin), "{error}");
    let untouched = record(source, first).await.account;
    assert_eq!((untouched.role, untouched.locked, untouched.revision), (Role::Admin, false, 1));
    source.change(&Edit::Remove(second)).await.unwrap();
    edit(source, first, AccountEdit::Rename(name("other"))).await.unwrap();
}

async fn a_removed_account_leaves_nothing_behind(source: &dyn Source) {
    let id = add(source, "alice", Role::Member).await;
    let (token, token_hash) = token(id);
    edit(source, id, AccountEdit::AddToken(token.clone(), token_hash)).await.unwrap();
    edit(source, id, AccountEdit::AddKey(key())).await.unwrap();
    edit(source, id, AccountEdit::Grant(grant("/a", "read"))).await.unwrap();
    source.change(&Edit::Remove(id)).await.unwrap();
    assert!(source.account(&Who::Id(id)).await.unwrap().is_none());
    assert!(source.token(token.id).await.unwrap().is_none());
    assert!(source.keys(id).await.unwrap().is_empty());
    add(source, "alice", Role::Member).await;
}

async fn grants_keys_and_tokens_are_bounded(source: &dyn Source) {
    let id = add(source, "alice", Role::Member).await;
    for n in 0..MAX_GRANTS {
        edit(source, id, AccountEdit::Grant(grant(&format!("/{n}"), "read"))).await.unwrap();
    }
    let more = edit(source, id, AccountEdit::Grant(grant("/more", "read"))).await;
    assert!(matches!(more, Err(Error::TooMany { what: "grants", .. })));
    edit(source, id, AccountEdit::Grant(grant("/7", "write"))).await.unwrap();
    for _ in 0..MAX_TOKENS {
        let (token, hash) = token(id);
        edit(source, id, AccountEdit::AddToken(token, hash)).await.unwrap();
    }
    let (token, hash) = token(id);
    let more = edit(source, id, AccountEdit::AddToken(token, hash)).await;
    assert!(matches!(more, Err(Error::TooMany { what: "tokens", .. })));
    for n in 0..MAX_KEYS {
        let key = Key { fingerprint: format!("SHA256:{n}"), ..key() };
        edit(source, id, AccountEdit::AddKey(key)).await.unwrap();
    }
    let more = edit(source, id, AccountEdit::AddKey(key())).await;
    assert!(matches!(more, Err(Error::TooMany { what: "keys", .. })));
}

async fn what_is_not_there_cannot_be_changed(source: &dyn Source) {
    let id = add(source, "alice", Role::Member).await;
    edit(source, id, AccountEdit::AddKey(key())).await.unwrap();
    let twice = edit(source, id, AccountEdit::AddKey(key())).await;
    assert!(matches!(twice, Err(Error::KeyTaken)));
    let bob = add(source, "bob", Role::Member).await;
    let (token, hash) = token(bob);
    edit(source, bob, AccountEdit::AddToken(token.clone(), hash)).await.unwrap();
    let before = record(source, id).await.account;
    for change in [
        AccountEdit::Ungrant("/a".parse().unwrap()),
        AccountEdit::RemoveKey("SHA256:x".to_owned()),
        AccountEdit::RemoveToken(TokenId::generate()),
        AccountEdit::RemoveToken(token.id),
    ] {
        let error = edit(source, id, change).await.unwrap_err();
        assert!(matches!(error, Error::NoSuch(..)), "{error}");
    }
    assert_eq!(record(source, id).await.account, before, "what failed counts no revision");
    let nobody = AccountId::generate();
    for edit in [Edit::Remove(nobody), Edit::Account(nobody, AccountEdit::Lock(true))] {
        let error = source.change(&edit).await.unwrap_err();
        assert!(matches!(error, Error::NoAccount(_)), "{error}");
    }
    for edit in [
        Edit::RemoveShared(SharedId::generate()),
        Edit::SetSharedQuota(SharedId::generate(), Quota::NONE.into()),
    ] {
        let error = source.change(&edit).await.unwrap_err();
        assert!(matches!(error, Error::NoShared(_)), "{error}");
    }
}

async fn a_hash_is_renewed_only_in_place_of_the_one_it_renews(source: &dyn Source) {
    let id = add(source, "alice", Role::Member).await;
    source.change(&Edit::Rehash(id, hash(5), hash(6))).await.unwrap();
    assert_eq!(record(source, id).await.password, Some(hash(1)), "it was changed meanwhile");
    source.change(&Edit::Rehash(id, hash(1), hash(6))).await.unwrap();
    let record = record(source, id).await;
    assert_eq!((record.password, record.account.revision), (Some(hash(6)), 1));
}

fn shared(called: &str) -> Shared {
    let quota = Quota { bytes: None, entries: Some(1000) };
    let name = called.parse().unwrap();
    Shared { id: SharedId::generate(), name, quota, created: time(1_700_000_000) }
}

async fn shared_folders_are_found_by_their_exact_name_and_unique_without_case(source: &dyn Source) {
    let team = shared("Team 项目");
    source.change(&Edit::AddShared(team.clone())).await.unwrap();
    assert_eq!(source.shared(&team.name).await.unwrap(), Some(team.clone()));
    let other_case = "team 项目".parse().unwrap();
    assert_eq!(source.shared(&other_case).await.unwrap(), None);
    let error = source.change(&Edit::AddShared(shared("TEAM 项目"))).await.unwrap_err();
    assert!(matches!(error, Error::SharedTaken(_)), "{error}");
    for called in ["alpha", "Beta", "zulu"] {
        source.change(&Edit::AddShared(shared(called))).await.unwrap();
    }
    let page = source.shared_page(None, 2).await.unwrap();
    let names = |page: &Page<Shared>| -> Vec<_> {
        page.entries.iter().map(|shared| shared.name.to_string()).collect()
    };
    assert_eq!((names(&page), page.more), (vec!["alpha".to_owned(), "Beta".to_owned()], true));
    let rest = source.shared_page(Some(&page.entries[1].name), 10).await.unwrap();
    assert_eq!(names(&rest), ["Team 项目", "zulu"]);
    source.change(&Edit::SetSharedQuota(team.id, Quota::NONE.into())).await.unwrap();
    assert_eq!(source.shared(&team.name).await.unwrap().unwrap().quota, Quota::NONE);
}

async fn a_limit_of_which_nothing_is_said_stays_as_it_is_when_the_change_is_made(
    source: &dyn Source,
) {
    let bytes = QuotaChoice { bytes: Limit::Of(7), entries: Limit::Usual };
    let entries = QuotaChoice { bytes: Limit::Usual, entries: Limit::Of(3) };
    let both = Quota { bytes: Some(7), entries: Some(3) };
    let alice = add(source, "alice", Role::Member).await;
    let team = shared("team");
    source.change(&Edit::AddShared(team.clone())).await.unwrap();
    for said in [bytes, entries] {
        edit(source, alice, AccountEdit::Quota(said)).await.unwrap();
        source.change(&Edit::SetSharedQuota(team.id, said)).await.unwrap();
    }
    assert_eq!(record(source, alice).await.account.quota, both);
    let Changed::Shared(made) =
        source.change(&Edit::SetSharedQuota(team.id, QuotaChoice::default())).await.unwrap()
    else {
        panic!("what it is now is not told")
    };
    assert_eq!((made.quota, made.name), (both, team.name));
}

async fn a_shared_folder_takes_the_grants_in_it_along_and_no_others(source: &dyn Source) {
    let team = shared("a%b");
    source.change(&Edit::AddShared(team.clone())).await.unwrap();
    let (alice, bob) =
        (add(source, "alice", Role::Member).await, add(source, "bob", Role::Member).await);
    for prefix in ["/shared/a%b", "/shared/a%b/x", "/shared/a%b0", "/shared/axb", "/shared/a%"] {
        edit(source, alice, AccountEdit::Grant(grant(prefix, "all"))).await.unwrap();
    }
    let changed = source.change(&Edit::RemoveShared(team.id)).await.unwrap();
    assert!(matches!(changed, Changed::Many));
    let account = record(source, alice).await.account;
    let left: Vec<_> = account.grants.iter().map(|grant| grant.prefix.as_str()).collect();
    assert_eq!(left, ["/shared/a%", "/shared/a%b0", "/shared/axb"]);
    assert_eq!((account.revision, record(source, bob).await.account.revision), (7, 1));
    assert_eq!(source.shared(&team.name).await.unwrap(), None);
}

async fn the_use_of_a_token_is_noted(source: &dyn Source) {
    let id = add(source, "alice", Role::Member).await;
    let (token, hash) = token(id);
    edit(source, id, AccountEdit::AddToken(token.clone(), hash)).await.unwrap();
    source.note_use(token.id, time(1_800_000_000)).await.unwrap();
    source.note_use(TokenId::generate(), time(1)).await.unwrap();
    let found = source.token(token.id).await.unwrap().unwrap().token;
    assert_eq!(found.last_used, Some(time(1_800_000_000)));
    assert_eq!(record(source, id).await.account.revision, 2, "it is no change of the account");
}

fn share(account: AccountId, path: &str) -> Share {
    Share {
        id: ShareId::generate(),
        account,
        label: Some("给客户 for a client".to_owned()),
        path: path.parse().unwrap(),
        kind: ShareKind::Download,
        expires: Some(time(2_000_000_000)),
        downloads: Some(3),
        downloaded: 0,
        max_bytes: None,
        max_files: None,
        taken_bytes: 0,
        taken_files: 0,
        has_password: true,
        created: time(1_700_000_000),
    }
}

async fn add_share(source: &dyn Source, share: &Share) -> Result<Account> {
    let password = share.has_password.then(|| hash(3));
    edit(source, share.account, AccountEdit::AddShare(share.clone(), password)).await
}

async fn shares(source: &dyn Source, of: Option<AccountId>) -> Vec<Share> {
    source.shares(of, None, 1000).await.unwrap().entries
}

async fn a_share_is_found_with_all_it_was_made_with_and_goes_with_its_account(source: &dyn Source) {
    add(source, "root", Role::Admin).await;
    let (alice, bob) =
        (add(source, "alice", Role::Member).await, add(source, "bob", Role::Member).await);
    let made = share(alice, "/docs/plan.txt");
    let plain = Share {
        id: ShareId::generate(),
        label: None,
        kind: ShareKind::Upload,
        expires: None,
        downloads: None,
        has_password: false,
        ..share(bob, "/in")
    };
    assert_eq!(add_share(source, &made).await.unwrap().revision, 2);
    add_share(source, &plain).await.unwrap();
    let found = source.share(made.id).await.unwrap().unwrap();
    assert_eq!((found.share, found.password), (made.clone(), Some(hash(3))));
    let found = source.share(plain.id).await.unwrap().unwrap();
    assert_eq!((found.share, found.password), (plain.clone(), None));
    assert!(source.share(ShareId::generate()).await.unwrap().is_none());
    source.change(&Edit::Remove(alice)).await.unwrap();
    assert!(source.share(made.id).await.unwrap().is_none());
    assert_eq!(shares(source, None).await, [plain]);
}

async fn shares_follow_each_other_of_one_account_and_of_all(source: &dyn Source) {
    let owners = [add(source, "alice", Role::Member).await, add(source, "bob", Role::Member).await];
    let mut made: Vec<_> = (0..7).map(|n| share(owners[n % 2], &format!("/{n}"))).collect();
    for share in &made {
        add_share(source, share).await.unwrap();
    }
    // Within a millisecond, ids come in any order.
    made.sort_by_key(|share| share.id);
    for of in [None, Some(owners[0]), Some(owners[1])] {
        let mut found = Vec::new();
        loop {
            let after = found.last().map(|share: &Share| share.id);
            let page = source.shares(of, after, 2).await.unwrap();
            assert!(page.entries.len() <= 2);
            found.extend(page.entries);
            if !page.more {
                break;
            }
        }
        let expected = made.iter().filter(|share| of.is_none_or(|of| share.account == of));
        assert_eq!(found, expected.cloned().collect::<Vec<_>>());
    }
}

async fn shares_are_bounded_and_revoked_by_their_owner_alone(source: &dyn Source) {
    let (alice, bob) =
        (add(source, "alice", Role::Member).await, add(source, "bob", Role::Member).await);
    for n in 0..MAX_SHARES {
        add_share(source, &share(alice, &format!("/{n}"))).await.unwrap();
    }
    let more = add_share(source, &share(alice, "/more")).await;
    assert!(matches!(more, Err(Error::TooMany { what: "shares", most: MAX_SHARES })));
    let first = shares(source, Some(alice)).await.remove(0).id;
    let other = edit(source, bob, AccountEdit::RemoveShare(first)).await;
    assert!(matches!(other, Err(Error::NoSuch(_, "share"))));
    edit(source, alice, AccountEdit::RemoveShare(first)).await.unwrap();
    assert!(source.share(first).await.unwrap().is_none());
    let again = edit(source, alice, AccountEdit::RemoveShare(first)).await;
    assert!(matches!(again, Err(Error::NoSuch(_, "share"))));
}

async fn a_shared_folder_takes_the_shares_in_it_along_and_no_others(source: &dyn Source) {
    let alice = add(source, "alice", Role::Member).await;
    let team = Shared {
        id: SharedId::generate(),
        name: "team".parse().unwrap(),
        quota: Quota::NONE,
        created: time(1_700_000_000),
    };
    source.change(&Edit::AddShared(team.clone())).await.unwrap();
    let paths = ["/shared/team", "/shared/team/a/b", "/shared/teams", "/shared/team0", "/team"];
    for path in paths {
        add_share(source, &share(alice, path)).await.unwrap();
    }
    source.change(&Edit::RemoveShared(team.id)).await.unwrap();
    let mut left: Vec<_> =
        shares(source, None).await.into_iter().map(|share| share.path.to_string()).collect();
    left.sort();
    assert_eq!(left, ["/shared/team0", "/shared/teams", "/team"]);
}

async fn of_many_downloads_at_once_as_many_are_counted_as_there_may_be(source: &dyn Source) {
    let alice = add(source, "alice", Role::Member).await;
    let few = Share { downloads: Some(10), ..share(alice, "/few") };
    let any = Share { id: ShareId::generate(), downloads: None, ..share(alice, "/any") };
    for made in [&few, &any] {
        add_share(source, made).await.unwrap();
        let counting: Vec<_> = (0..30).map(|_| source.count_download(made.id)).collect();
        let counted = futures_util::future::join_all(counting).await;
        let counted = counted.into_iter().filter(|counted| *counted.as_ref().unwrap()).count();
        let most = made.downloads.map_or(30, |_| 10);
        assert_eq!(counted, most);
        let kept = source.share(made.id).await.unwrap().unwrap().share;
        assert_eq!(kept.downloaded, most as u64);
    }
    assert!(!source.count_download(ShareId::generate()).await.unwrap());
}

async fn of_many_files_at_once_as_many_are_counted_as_a_drop_box_takes(source: &dyn Source) {
    let alice = add(source, "alice", Role::Member).await;
    let of = |path: &str, max_bytes, max_files| {
        let kind = ShareKind::Upload;
        Share { kind, downloads: None, max_bytes, max_files, ..share(alice, path) }
    };
    for (made, most) in [
        (of("/files", None, Some(7)), 7),
        (of("/bytes", Some(1050), None), 10),
        (of("/both", Some(1000), Some(12)), 10),
        (of("/any", None, None), 30),
    ] {
        add_share(source, &made).await.unwrap();
        let counting: Vec<_> = (0..30).map(|_| source.count_drop(made.id, 100)).collect();
        let counted = futures_util::future::join_all(counting).await;
        let counted = counted.into_iter().filter(|counted| *counted.as_ref().unwrap()).count();
        assert_eq!(counted, most, "{}", made.path);
        let taken = async || {
            let kept = source.share(made.id).await.unwrap().unwrap().share;
            (kept.taken_files, kept.taken_bytes)
        };
        assert_eq!(taken().await, (most as u64, 100 * most as u64));
        source.uncount_drop(made.id, 100).await.unwrap();
        assert_eq!(taken().await, (most as u64 - 1, 100 * (most as u64 - 1)));
        assert!(source.count_drop(made.id, 100).await.unwrap());
    }
    assert!(!source.count_drop(ShareId::generate(), 1).await.unwrap());
}

fn sign_in(account: AccountId, expires: i64) -> SignIn {
    SignIn {
        id: SignInId::generate(),
        account,
        address: Some("2001:db8::1".parse().unwrap()),
        agent: Some("Mozilla/5.0 (浏览器)".to_owned()),
        expires: time(expires),
        last_used: time(1_700_000_000),
        created: time(1_700_000_000),
    }
}

async fn add_sign_in(source: &dyn Source, new: &SignIn) -> Result<Changed> {
    let revision = record(source, new.account).await.account.revision;
    source.change(&Edit::SignIn(new.clone(), TokenHash::from_bytes([9; 32]), revision)).await
}

async fn a_sign_in_is_found_with_all_it_was_made_with_and_goes_with_its_account(
    source: &dyn Source,
) {
    add(source, "root", Role::Admin).await;
    let alice = add(source, "alice", Role::Member).await;
    let made = sign_in(alice, 2_000_000_000);
    let bare = SignIn { address: None, agent: None, ..sign_in(alice, 2_000_000_001) };
    for new in [&made, &bare] {
        add_sign_in(source, new).await.unwrap();
        let found = source.sign_in(new.id).await.unwrap().unwrap();
        assert_eq!((&found.sign_in, found.hash), (new, TokenHash::from_bytes([9; 32])));
    }
    assert_eq!(record(source, alice).await.account.revision, 1, "it is no change of the account");
    source.note_sign_in(made.id, time(1_800_000_000)).await.unwrap();
    source.note_sign_in(SignInId::generate(), time(1)).await.unwrap();
    let used = SignIn { last_used: time(1_800_000_000), ..made };
    let mut expected = vec![used.clone(), bare];
    expected.sort_by_key(|sign_in| sign_in.id);
    assert_eq!(source.sign_ins(alice).await.unwrap(), expected);
    source.change(&Edit::Remove(alice)).await.unwrap();
    assert!(source.sign_in(used.id).await.unwrap().is_none());
    let hash = TokenHash::from_bytes([9; 32]);
    let late = source.change(&Edit::SignIn(used, hash, 1)).await;
    assert!(matches!(late, Err(Error::NoAccount(_))));
}

async fn sign_ins_are_bounded_and_those_that_are_over_make_room(source: &dyn Source) {
    let alice = add(source, "alice", Role::Member).await;
    let over = sign_in(alice, 1_650_000_000);
    add_sign_in(source, &over).await.unwrap();
    for _ in 0..MAX_SIGN_INS {
        add_sign_in(source, &sign_in(alice, 2_000_000_000)).await.unwrap();
    }
    assert!(source.sign_in(over.id).await.unwrap().is_none());
    let more = add_sign_in(source, &sign_in(alice, 2_000_000_000)).await;
    assert!(matches!(more, Err(Error::TooMany { what: "sign-ins", most: MAX_SIGN_INS })));
}

async fn a_sign_in_is_made_of_the_account_as_it_is_and_ended_by_its_owner_alone(
    source: &dyn Source,
) {
    let (alice, bob) =
        (add(source, "alice", Role::Member).await, add(source, "bob", Role::Member).await);
    edit(source, alice, AccountEdit::Quota(Quota::NONE.into())).await.unwrap();
    let made = sign_in(alice, 2_000_000_000);
    let old = Edit::SignIn(made.clone(), TokenHash::from_bytes([9; 32]), 1);
    assert!(matches!(source.change(&old).await, Err(Error::Busy)));
    assert!(source.sign_in(made.id).await.unwrap().is_none());
    add_sign_in(source, &made).await.unwrap();
    let other = source.change(&Edit::SignOut(bob, made.id)).await;
    assert!(matches!(other, Err(Error::NoSuch(_, "sign-in"))));
    source.change(&Edit::SignOut(alice, made.id)).await.unwrap();
    assert!(source.sign_in(made.id).await.unwrap().is_none());
}

async fn another_password_and_a_lock_end_all_sign_ins_of_their_account_alone(source: &dyn Source) {
    let (alice, bob) =
        (add(source, "alice", Role::Member).await, add(source, "bob", Role::Member).await);
    let others = sign_in(bob, 2_000_000_000);
    add_sign_in(source, &others).await.unwrap();
    for (change, left) in [
        (AccountEdit::Role(Role::Guest), 1),
        (AccountEdit::Lock(false), 1),
        (AccountEdit::Password(hash(5), false), 0),
        (AccountEdit::Lock(true), 0),
    ] {
        if source.sign_ins(alice).await.unwrap().is_empty() {
            add_sign_in(source, &sign_in(alice, 2_000_000_000)).await.unwrap();
        }
        edit(source, alice, change).await.unwrap();
        assert_eq!(source.sign_ins(alice).await.unwrap().len(), left);
    }
    assert_eq!(source.sign_ins(bob).await.unwrap(), [others]);
}
