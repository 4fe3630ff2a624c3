//! The SQLite file: its mode, its versions, and what is no file of ours.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use sockeye_accounts::*;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{alice, from, name, populate, settings, soon};

/// One for each version that was ever released, in order: what `.dump` of it prints.
const FIXTURES: &[(u32, &str)] = &[
    (1, include_str!("../fixtures/v1.sql")),
    (2, include_str!("../fixtures/v2.sql")),
    (3, include_str!("../fixtures/v3.sql")),
    (4, include_str!("../fixtures/v4.sql")),
];

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Makes a database by hand.
async fn make(path: &Path, sql: &'static str) {
    let mut connection = connect(path).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn refusal(path: &Path) -> String {
    let error = soon(Sqlite::open(path)).await.unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "it names the file: {error}");
    error
}

#[tokio::test]
async fn nobody_else_can_read_the_file_or_what_lies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.db");
    let accounts = Accounts::new(Sqlite::open(&path).await.unwrap(), settings(), ());
    populate(&accounts).await;
    let modes: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777)
        .collect();
    assert_eq!(modes, [0o600; 3], "the file, its log and its index");
    soon(accounts.close()).await.unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "closed, it is one file");
}

#[tokio::test]
async fn a_file_that_others_can_read_is_closed_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.db");
    Sqlite::open(&path).await.unwrap().close().await.unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    Sqlite::open(&path).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn accounts_are_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.db");
    let accounts = Accounts::new(Sqlite::open(&path).await.unwrap(), settings(), ());
    populate(&accounts).await;
    let before = accounts.find(&name("alice")).await.unwrap();
    accounts.close().await.unwrap();
    let accounts = Accounts::new(Sqlite::open(&path).await.unwrap(), settings(), ());
    assert_eq!(accounts.find(&name("alice")).await.unwrap(), before);
    accounts.login(&alice(), &from(1)).await.unwrap();
}

#[tokio::test]
async fn every_older_version_is_brought_up_to_date_with_what_is_in_it() {
    assert_eq!(
        FIXTURES.last().unwrap().0,
        source::sqlite::VERSION,
        "add the fixture of the new one"
    );
    for &(version, dump) in FIXTURES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.db");
        make(&path, dump).await;
        let accounts = Accounts::new(Sqlite::open(&path).await.unwrap(), settings(), ());
        let alice = accounts.find(&name("alice")).await.unwrap();
        assert_eq!(alice.role, Role::Member, "version {version}");
        assert_eq!(alice.quota, Quota { bytes: Some(10 << 30), entries: Some(1000) });
        assert_eq!(alice.grants.len(), 2);
        assert_eq!(alice.rights_at("/shared/team/x").to_string(), "read,list");
        assert_eq!(accounts.keys(alice.id).await.unwrap().len(), 1);
        assert_eq!(accounts.tokens(alice.id).await.unwrap().len(), 1);
        let shares = accounts.shares(Some(alice.id), None, 10).await.unwrap().entries;
        assert_eq!(shares.len(), usize::from(version >= 2));
        for share in shares {
            assert_eq!((share.downloads, share.downloaded), (Some(10), 3));
            assert!(share.has_password && share.kind == ShareKind::Download);
            assert!(share.has_room_for(u64::MAX, u64::MAX) && share.taken_files == 0);
        }
        let sign_ins = accounts.sign_ins(alice.id).await.unwrap();
        assert_eq!(sign_ins.len(), usize::from(version >= 3));
        for sign_in in sign_ins {
            assert_eq!(sign_in.address, Some([192, 0, 2, 1].into()));
            assert_eq!(sign_in.agent.as_deref(), Some("Mozilla/5.0"));
        }
        assert!(accounts.find(&name("bob")).await.unwrap().locked);
        let team = accounts.find_shared(&"team".parse().unwrap()).await.unwrap();
        assert_eq!(team.quota.bytes, Some(1 << 40));
        let login = Credentials::password("alice", "correct horse battery");
        accounts.login(&login, &from(1)).await.unwrap();
        accounts.lock(&name("alice")).await.unwrap();
    }
}

#[tokio::test]
async fn a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.db");
    Sqlite::open(&path).await.unwrap().close().await.unwrap();
    make(&path, "PRAGMA user_version = 99").await;
    let before = fs::read(&path).unwrap();
    let error = refusal(&path).await;
    assert!(error.contains("version 99") && error.contains("newer version of sockeye"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    for sql in [
        "CREATE TABLE bookmarks (url TEXT)",
        "PRAGMA application_id = 42; PRAGMA user_version = 1",
        "PRAGMA user_version = 1",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("places.sqlite");
        make(&path, sql).await;
        let before = fs::read(&path).unwrap();
        let error = refusal(&path).await;
        assert!(error.contains("another program"), "{sql}: {error}");
        assert_eq!(fs::read(&path).unwrap(), before, "{sql}");
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "not a database. ".repeat(500)).unwrap();
    let error = refusal(&path).await;
    assert!(error.contains("not a database") && error.contains("backup"), "{error}");
    assert!(fs::read_to_string(&path).unwrap().starts_with("not a database."));
    let error = refusal(folder.path()).await;
    assert!(error.contains("not a regular file"), "{error}");
    let error = refusal(&folder.path().join("nowhere/accounts.db")).await;
    assert!(error.contains("check the owner and the mode"), "{error}");
}

#[tokio::test]
async fn a_damaged_row_is_an_error_and_not_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.db");
    let accounts = Accounts::new(Sqlite::open(&path).await.unwrap(), settings(), ());
    populate(&accounts).await;
    make(&path, "UPDATE accounts SET password = 'plain text' WHERE name = 'alice'").await;
    let error = accounts.find(&name("alice")).await.unwrap_err().to_string();
    assert!(error.contains("column password") && !error.contains("plain text"), "{error}");
    accounts.find(&name("admin")).await.unwrap();
}

#[tokio::test]
async fn a_backup_is_whole_while_changes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("accounts.db"), folder.path().join("copy.db"));
    let accounts = Accounts::new(Sqlite::open(&path).await.unwrap(), settings(), ());
    populate(&accounts).await;
    let adding = async {
        for n in 0..50 {
            let name = name(&format!("user{n}"));
            accounts.add(name, Role::Member, Quota::NONE, NewPassword::None).await.unwrap();
        }
    };
    let (copied, ()) = soon(async { tokio::join!(accounts.backup(&copy), adding) }).await;
    copied.unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let restored = Accounts::new(Sqlite::open(&copy).await.unwrap(), settings(), ());
    restored.login(&alice(), &from(1)).await.unwrap();
    let error = accounts.backup(&copy).await.unwrap_err().to_string();
    assert!(error.contains("copy.db"), "what is there is not overwritten: {error}");
}
